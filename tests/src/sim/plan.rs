//! What a session is made of: a plain value, so that a seed can draw it and a property test can shrink it.

use std::time::Duration;

use infill_core::Config;

use super::fault::Fault;

/// One session.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of everything that the plan leaves open: latencies, chunk sizes, which request a fault hits.
    pub seed: u64,
    /// The machine's settings.
    pub config: Config,
    /// The network.
    pub network: NetworkPlan,
    /// How long the store takes for an operation, at most.
    pub store_latency: Duration,
    /// What is opened.
    pub tracks: Vec<TrackPlan>,
    /// Who reads.
    pub readers: Vec<ReaderPlan>,
    /// What happens besides.
    pub incidents: Vec<(Duration, Incident)>,
    /// When all faults end.
    pub heal_at: Duration,
    /// The cache, if there is one.
    pub cache: Option<CachePlan>,
}

/// A cache, and what happens to the processes that use it, one after the other.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// How long the disk takes for an operation of the journal, a sync or a removal, at most.
    pub latency: Duration,
    /// How each process but the last one ends, and when.
    pub ends: Vec<(Duration, End)>,
    /// What is done besides reading.
    pub deeds: Vec<(Duration, Deed)>,
    /// Whether a process is killed as soon as a file is said to be filled.
    pub killed_when_filled: bool,
    /// Where a process ends besides.
    pub boundary: Option<Boundary>,
}

/// A process ends between two operations of its disk, whatever it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// So many operations were done, over all lives.
    pub operations: u64,
    /// How: killed or cut.
    pub end: End,
    /// The seed of what a cut leaves.
    pub chance: u64,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is closed, and waited for.
    Closed,
    /// It is killed: the disk keeps what it was given.
    Killed,
    /// The power is cut: the disk keeps what was synced, and chance decides of the rest.
    Cut,
    /// It is killed, and then somebody deletes or damages files.
    Damaged,
}

/// What is done to the cache, besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A file is fetched up to there.
    Fill {
        /// Of which track.
        track: usize,
        /// How far.
        upto: u64,
        /// Whether it is pinned.
        pin: bool,
    },
    /// What is stored of a file is verified.
    Verify {
        /// Of which track.
        track: usize,
    },
    /// What is there is listed.
    List,
    /// A file is pinned or unpinned.
    Pin {
        /// Which.
        track: usize,
        /// Whether it is pinned from now on.
        pinned: bool,
    },
    /// A file is removed.
    Remove {
        /// Which.
        track: usize,
    },
    /// All that nobody holds is removed.
    Clear,
    /// The disk is full, and works again after a while.
    Full(Duration),
    /// The disk fails, now and then, for a while: chances in 256.
    Fails {
        /// Of a write.
        write: u32,
        /// Of a sync.
        sync: u32,
        /// Of a read.
        read: u32,
        /// For how long.
        time: Duration,
    },
}

impl Plan {
    /// A session of one honest track and no reader, to be changed.
    pub fn honest(seed: u64, total: u64) -> Self {
        Self {
            seed,
            config: Config::default(),
            network: NetworkPlan::default(),
            store_latency: Duration::from_millis(2),
            tracks: vec![TrackPlan::honest(total)],
            readers: Vec::new(),
            incidents: Vec::new(),
            heal_at: Duration::from_secs(5),
            cache: None,
        }
    }

    /// Whether nothing is wrong in this session, so that no error is justified.
    pub fn is_clean(&self) -> bool {
        self.cache.is_none()
            && self.incidents.iter().all(|(_, incident)| matches!(incident, Incident::Close { .. }))
            && self.network.idle_close.is_none()
            && self.tracks.iter().all(|track| {
                // Without ranges the way to a byte may be longer than a reader's patience.
                let ranges = track.ranges && !track.late_ranges;
                ranges && track.faults.is_empty() && track.expires == Expires::Never
            })
    }
}

/// The network.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// The shortest and the longest time to connect, and to the first byte.
    pub latency: (Duration, Duration),
    /// Bytes per second, for all connections together.
    pub bandwidth: u64,
    /// The largest piece of a body that arrives at once.
    pub chunk_max: u64,
    /// How long it takes at most to stop a request.
    pub stop_latency: Duration,
    /// Chances in 256 that a stopped request goes on until it has stopped.
    pub late_bytes: u32,
    /// After how long the origin closes a connection that isn't read.
    pub idle_close: Option<Duration>,
}

impl Default for NetworkPlan {
    fn default() -> Self {
        Self {
            latency: (Duration::from_millis(5), Duration::from_millis(30)),
            bandwidth: 4 << 20,
            chunk_max: 16 * 1024,
            stop_latency: Duration::from_millis(10),
            late_bytes: 64,
            idle_close: None,
        }
    }
}

/// A resource and its origin.
#[derive(Clone, Debug)]
pub struct TrackPlan {
    /// The length of its first version.
    pub total: u64,
    /// Which host it lives on.
    pub host: u8,
    /// What proves its version.
    pub validators: Validators,
    /// Whether ranges are honoured at all.
    pub ranges: bool,
    /// Whether the first two answers are 200 whatever was asked (FAULTS A28).
    pub late_ranges: bool,
    /// Whether `If-Range` is honoured.
    pub if_range: bool,
    /// How the end of a body is told.
    pub framing: BodyFraming,
    /// `Content-Type`.
    pub content_type: Option<&'static str>,
    /// Whether answers forbid to store them (FAULTS D14).
    pub no_store: bool,
    /// Whether answers come by a redirect.
    pub redirected: bool,
    /// Which URL expires.
    pub expires: Expires,
    /// When the track is opened.
    pub open_at: Duration,
    /// What goes wrong with its answers, and in how many of 256.
    pub faults: Vec<(Fault, u32)>,
}

impl TrackPlan {
    /// A well-behaved origin.
    pub fn honest(total: u64) -> Self {
        Self {
            total,
            host: 0,
            validators: Validators::Strong,
            ranges: true,
            late_ranges: false,
            if_range: true,
            framing: BodyFraming::Length,
            content_type: Some("audio/mpeg"),
            no_store: false,
            redirected: false,
            expires: Expires::Never,
            open_at: Duration::ZERO,
            faults: Vec::new(),
        }
    }
}

/// What an origin says of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validators {
    /// A strong ETag and an old `Last-Modified`.
    Strong,
    /// A strong ETag.
    EtagOnly,
    /// A weak ETag and an old `Last-Modified`.
    Weak,
    /// An old `Last-Modified`.
    Modified,
    /// A `Last-Modified` as young as the session.
    YoungModified,
    /// A strong ETag for each of three nodes, and one `Last-Modified`.
    Nodes,
    /// Nothing.
    None,
}

/// How an origin tells the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// `Content-Length`.
    Length,
    /// Chunks.
    Chunked,
    /// By closing.
    Close,
}

/// Which URL expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expires {
    /// None.
    Never,
    /// The URL behind the redirect, so long after it was given.
    Final(Duration),
    /// The URL that was opened, so long after it was given; the embedder can renew it.
    Original(Duration),
}

/// One reader.
#[derive(Clone, Debug)]
pub struct ReaderPlan {
    /// Which track it reads.
    pub track: usize,
    /// When it begins.
    pub attach_at: Duration,
    /// Whether it waits for the track to be opened, as an embedder must whose `open` returns then.
    pub after_opened: bool,
    /// What it does.
    pub moves: Vec<Move>,
    /// How much it reads at once.
    pub chunk: u64,
    /// Bytes per second; 0 reads as fast as it can.
    pub pace: u64,
    /// How long a copy takes, between the look at the view and the second look.
    pub copy_time: Duration,
    /// Whether it leaves when it is done.
    pub detach: bool,
    /// Whether it tries again after an error, or goes on with its next move.
    pub stubborn: bool,
}

impl ReaderPlan {
    /// Reads everything, at once.
    pub fn linear(track: usize) -> Self {
        Self {
            track,
            attach_at: Duration::ZERO,
            after_opened: true,
            moves: vec![Move::read(0, u64::MAX)],
            chunk: 64 * 1024,
            pace: 0,
            copy_time: Duration::ZERO,
            detach: false,
            stubborn: true,
        }
    }
}

/// One move of a reader: go somewhere and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where to.
    pub from: u64,
    /// How much; it ends at the end of the resource.
    pub len: u64,
    /// How long it waits before it does something else.
    pub patience: Option<Duration>,
    /// Whether it says that it moved, before it reads.
    pub says_so: bool,
    /// How long it rests first.
    pub rest: Duration,
}

impl Move {
    /// Reads `len` bytes from `from`, however long that takes.
    pub fn read(from: u64, len: u64) -> Self {
        Self { from, len, patience: None, says_so: true, rest: Duration::ZERO }
    }
}

/// Something that happens to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// A track is closed for good.
    Close {
        /// Which.
        track: usize,
    },
    /// The origin has another version.
    Replace {
        /// Of which track.
        track: usize,
    },
    /// The network is away.
    Outage(Duration),
    /// The network is another one.
    NetworkChanged,
    /// The store is full.
    StoreFull(Duration),
    /// The store fails.
    StoreBroken(Duration),
    /// A reader can't read what is stored.
    ReadFailure {
        /// Which.
        reader: usize,
    },
    /// Events that make no sense any more.
    Stale,
}
