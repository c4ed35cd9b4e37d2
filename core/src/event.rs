//! What the machine is told.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::catalog::{Catalog, Key};
use crate::config::Revalidate;
use crate::http::{Expect, Header, ResponseHead, public};
use crate::{ByteRange, Cause, CommandId, FetchId, OpId, ReaderId, RequestId, ResourceId, TrackId};

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// Where it is. The identity of the resource, also after redirects (FAULTS B21), unless `cache_key` is.
    pub url: Url,
    /// The identity of the resource where its URL changes, as signed ones do (FAULTS D13).
    pub cache_key: Option<Arc<str>>,
    /// Headers for every request, such as `Authorization`. Credentials go to the origin of `url` only.
    pub headers: Arc<[Header]>,
    /// Whether the embedder can give a fresh URL when this one has expired.
    pub renewable: bool,
    /// Which part of what is there is the resource: its byte 0 is the first of these (RFC 8216, section 4.3.2.2).
    pub slice: Option<ByteRange>,
}

impl SourceSpec {
    /// What is at that URL, all of it, without any ado.
    pub fn new(url: Url) -> Self {
        Self { url, cache_key: None, headers: [].into(), renewable: false, slice: None }
    }

    /// What it leads to: a resource of the presentation that this is. Credentials go to their own origin only.
    pub(crate) fn part(&self, url: &Url, slice: Option<ByteRange>) -> Self {
        let own = url.origin() == self.url.origin();
        let headers = if own { Arc::clone(&self.headers) } else { public(&self.headers) };
        Self { headers, slice, ..Self::new(url.clone()) }
    }

    /// What tells it from all other sources: two opens of one identity share one download, and what is cached of it.
    pub fn identity(&self) -> Key {
        Key::of(&self.url, self.cache_key.as_deref(), &self.headers)
    }
}

/// What a track is opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// To be read.
    #[default]
    Play,
    /// To have the bytes before this position; `u64::MAX` is all of them. No reader is needed; whatever has one comes
    /// first. Answered by one [`Filled`](crate::Action::Filled).
    Fill(u64),
    /// To check what is stored, without the network. Answered by one [`Filled`](crate::Action::Filled), when every
    /// stored byte is verified or gone.
    Verify,
}

/// How one track departs from the [`Config`](crate::Config), and what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// What for.
    pub intent: Intent,
    /// Never to be evicted, from now on.
    pub pin: bool,
    /// Which asset it is, where that is known and the source is not: instead of the identity of the source. For
    /// [`Intent::Verify`] of what was listed.
    pub asset: Option<Key>,
    /// Which of the asset's resources it is, where there are several.
    pub name: Option<Key>,
    /// What its body should be.
    pub expect: Expect,
    /// Never to be kept on the disk.
    pub transient: bool,
    /// Instead of [`Config::revalidate`](crate::Config::revalidate).
    pub revalidate: Option<Revalidate>,
    /// Instead of [`Config::read_ahead_bytes`](crate::Config::read_ahead_bytes).
    pub read_ahead_bytes: Option<u64>,
    /// Instead of [`Config::max_request_bytes`](crate::Config::max_request_bytes).
    pub max_request_bytes: Option<u64>,
}

/// Which variant of a presentation is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VariantChoice {
    /// What the link allows.
    #[default]
    Auto,
    /// What the link allows, up to so many bits per second.
    Cap(u64),
    /// This one, by its index.
    Fixed(usize),
}

/// Tells from `CODECS` and `CHANNELS` whether a variant can be decoded.
#[derive(Clone)]
pub struct PlayableFn(pub Arc<PlayableDyn>);

type PlayableDyn = dyn Fn(&str, Option<&str>) -> bool + Send + Sync;

impl fmt::Debug for PlayableFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlayableFn")
    }
}

/// The identity of a presentation's resource in the cache, where its URL changes, as signed ones do.
#[derive(Clone)]
pub struct PartKeyFn(pub Arc<PartKeyDyn>);

type PartKeyDyn = dyn Fn(&Url) -> String + Send + Sync;

impl fmt::Debug for PartKeyFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartKeyFn")
    }
}

/// How a presentation is opened.
#[derive(Clone, Debug, Default)]
pub struct HlsOptions {
    /// To be read, or, with [`Intent::Fill`], to have one variant whole.
    pub intent: Intent,
    /// Never to be evicted, from now on.
    pub pin: bool,
    /// Instead of [`Config::revalidate`](crate::Config::revalidate).
    pub revalidate: Option<Revalidate>,
    /// Which variant to begin with.
    pub choice: VariantChoice,
    /// What can be decoded; without it, everything.
    pub can_decode: Option<PlayableFn>,
    /// The identities of its playlists, segments and keys; without it, their URLs.
    pub part_key: Option<PartKeyFn>,
    /// Whether playlists that RFC 8216 says must be refused are.
    pub strict: bool,
    /// Whether AES keys are kept in the cache, so that what is encrypted plays offline.
    pub keep_keys: bool,
}

/// Where a reader of a presentation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Where the presentation begins: at its start, or where `EXT-X-START` says.
    Start,
    /// At a presentation time. What is there already, in any variant, is taken first.
    At(Duration),
    /// After this segment, whose audio ends at `end`: the variant's next one, or the one of another variant that holds
    /// `end`.
    After {
        /// Of which variant.
        variant: usize,
        /// Which of its segments.
        index: usize,
        /// Where the audio that was read of it ends.
        end: Duration,
    },
    /// That very segment.
    Exactly {
        /// Of which variant; `None` is whichever has it already, or else the one that plays.
        variant: Option<usize>,
        /// Which of its segments.
        index: usize,
    },
    /// Instead of this segment, which failed, could not be decoded, or held no frames: another variant's at that time;
    /// where there is none, an error.
    Instead {
        /// Of which variant.
        variant: usize,
        /// Which of its segments.
        index: usize,
        /// Where the audio that was read before it ends.
        at: Duration,
    },
}

/// Why a fetch ended without its body's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// No connection: name look-up, TCP, TLS, connect time-out.
    Connect,
    /// A pooled connection was dead, or the origin said that it did nothing (FAULTS B17).
    NotProcessed,
    /// The connection broke.
    Reset,
    /// The body ended before its length or its last chunk.
    Truncated,
    /// The answer is not HTTP.
    Protocol,
    /// Stopped by [`Action::CancelFetch`](crate::Action::CancelFetch).
    Stopped,
}

/// How a fetch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFailure {
    /// What the driver can tell apart.
    pub kind: FailureKind,
    /// What the client library said, for people. No URL in it.
    pub detail: String,
}

impl FetchFailure {
    /// A failure with the client library's words.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(crate) fn into_cause(self) -> Cause {
        match self.kind {
            FailureKind::Connect => Cause::Connect(self.detail),
            FailureKind::NotProcessed => Cause::NotProcessed,
            FailureKind::Truncated => Cause::Truncated,
            FailureKind::Protocol => Cause::Protocol(self.detail),
            FailureKind::Reset | FailureKind::Stopped => Cause::Reset(self.detail),
        }
    }
}

/// Why the store could not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFailure {
    /// Whether there was no room.
    pub full: bool,
    /// What the system said, for people.
    pub detail: String,
}

/// The run of stored bytes that a write has lengthened, and the digest of all of it. A run begins at a multiple of
/// [`Extent::BLOCK_BYTES`](crate::catalog::Extent::BLOCK_BYTES) or inside such a block, and never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Where the run begins; it ends where the write does.
    pub start: u64,
    /// XXH3-64 of the run.
    pub digest: u64,
}

/// What a cache held when it was opened.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The records that survived, replayed.
    pub catalog: Catalog,
    /// The length of the journal.
    pub journal_bytes: u64,
    /// A number that was never used before with this cache: it tells this session's generations from all others.
    pub salt: u32,
    /// What was wrong with the journal, for people; the first track is told.
    pub damage: Option<String>,
}

/// What can be done to a cache besides opening tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// List what is there.
    List,
    /// Never evict this asset, whether anything of it is there yet or not.
    Pin(Key),
    /// It may be evicted again.
    Unpin(Key),
    /// Remove this asset. An error while it is open.
    Remove(Key),
    /// Remove all that is neither open nor pinned, and files that no record names.
    Clear,
}

/// What a [`Verify`](crate::Action::Verify) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// XXH3-64 of the stored bytes.
    Digest(u64),
    /// They could not be read.
    Failed(StoreFailure),
}

/// Something that happened. Any event may come in any state; what makes no sense (any more) is ignored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// There is a cache, and this is what it holds. Before any other event, or never.
    Restored(Box<Restored>),
    /// Something is to be done to the cache. Answered by one [`Answered`](crate::Action::Answered).
    Command {
        /// A new id.
        command: CommandId,
        /// What.
        what: Command,
    },
    /// Open a track. Answered by one [`Opened`](crate::Action::Opened).
    Open {
        /// A new id.
        track: TrackId,
        /// What to open.
        source: Box<SourceSpec>,
        /// How.
        options: OpenOptions,
    },
    /// Open a presentation. Answered by one [`Opened`](crate::Action::Opened).
    OpenHls {
        /// A new id.
        track: TrackId,
        /// Its master or media playlist.
        source: Box<SourceSpec>,
        /// How.
        options: Box<HlsOptions>,
    },
    /// A reader of a presentation wants a segment. Answered by one [`WakeReader`](crate::Action::WakeReader) with the
    /// same number; the segment that it was given before is no longer needed, unless it is attached to.
    Enter {
        /// Who; attached to the presentation.
        reader: ReaderId,
        /// The number of the request.
        request: RequestId,
        /// Where.
        entry: Entry,
    },
    /// Which variant is to be played, from the next segment on.
    SetVariant {
        /// Of which presentation.
        track: TrackId,
        /// Which.
        choice: VariantChoice,
    },
    /// Which audio rendition is to be played, from the next segment on.
    SetRendition {
        /// Of which presentation.
        track: TrackId,
        /// Its index among the audio renditions; `None` is the default one.
        rendition: Option<usize>,
    },
    /// This variant can't be decoded after all: the ladder is without it from now on.
    Exclude {
        /// Of which presentation.
        track: TrackId,
        /// Which.
        variant: usize,
    },
    /// A [`Load`](crate::Action::Load) is done.
    Loaded {
        /// Of which resource.
        resource: ResourceId,
        /// Which.
        op: OpId,
        /// The bytes.
        result: Result<Bytes, StoreFailure>,
    },
    /// A reader begins at `position`.
    Attach {
        /// The track that it reads.
        track: TrackId,
        /// A new id.
        reader: ReaderId,
        /// Its first position.
        position: u64,
    },
    /// A reader is gone. What it waited for is not answered any more.
    Detach {
        /// Which.
        reader: ReaderId,
    },
    /// No more of this track: its readers get `Closed`, its fetches stop, its resources are released.
    Close {
        /// Which.
        track: TrackId,
    },
    /// A reader misses. Answered by one [`WakeReader`](crate::Action::WakeReader) with the same number; a further
    /// request of the same reader answers the earlier one with [`Answer::Superseded`](crate::Answer::Superseded).
    ReadRequest {
        /// Who.
        reader: ReaderId,
        /// The number of the request.
        request: RequestId,
        /// The version that it reads, once it has read a byte; `None` takes the current one.
        latched: Option<ResourceId>,
        /// What it wants; readable as soon as the first byte is.
        range: ByteRange,
    },
    /// A reader moved to `position` and will read there. Needs no answer: the position is its own.
    Seek {
        /// Who.
        reader: ReaderId,
        /// Where to.
        position: u64,
    },
    /// A reader's hits passed the mark that [`Mark`](crate::Action::Mark) set.
    Advanced {
        /// Who.
        reader: ReaderId,
        /// Where it is now.
        position: u64,
    },
    /// The head of a response.
    ResponseStarted {
        /// Of which request.
        fetch: FetchId,
        /// What it says.
        head: Box<ResponseHead>,
    },
    /// Bytes of a response's body, in order. Never empty, never more than was granted.
    BytesReceived {
        /// Of which request.
        fetch: FetchId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A response ended as its framing said. That is not 'complete'. The last event of its fetch.
    StreamEnded {
        /// Of which request.
        fetch: FetchId,
    },
    /// A fetch failed or was stopped. The last event of its fetch.
    FetchFailed {
        /// Which.
        fetch: FetchId,
        /// How.
        failure: FetchFailure,
    },
    /// The oldest [`Write`](crate::Action::Write) of a resource that was not yet answered is done.
    Written {
        /// Of which resource.
        resource: ResourceId,
        /// Which.
        op: OpId,
        /// In the cache, the digest; on failure the bytes come back.
        result: Result<Option<Sum>, (StoreFailure, Bytes)>,
    },
    /// A [`Sync`](crate::Action::Sync) is done.
    Synced {
        /// Of which resource.
        resource: ResourceId,
        /// Which.
        op: OpId,
        /// Whether all that was written before it is on the disk now.
        result: Result<(), StoreFailure>,
    },
    /// An [`Append`](crate::Action::Append) or a [`Compact`](crate::Action::Compact) is done.
    Appended {
        /// Which.
        op: OpId,
        /// How long the journal is now.
        result: Result<u64, StoreFailure>,
    },
    /// A [`Remove`](crate::Action::Remove) is done.
    Removed {
        /// Which.
        op: OpId,
        /// Whether the files are gone.
        result: Result<(), StoreFailure>,
    },
    /// A [`Verify`](crate::Action::Verify) is done.
    Verified {
        /// Of which resource.
        resource: ResourceId,
        /// Which.
        op: OpId,
        /// What was found.
        result: Verification,
    },
    /// The data plane could not read stored bytes that were published: they are a hole again.
    ReadFailed {
        /// Of which resource.
        resource: ResourceId,
        /// Which bytes.
        range: ByteRange,
        /// Why.
        failure: StoreFailure,
    },
    /// The embedder's answer to [`NeedFreshUrl`](crate::Action::NeedFreshUrl).
    FreshUrl {
        /// For which track.
        track: TrackId,
        /// The URL, or `None` to give up.
        url: Option<Url>,
    },
    /// The network is another one: connections of the old one are dead, and failures of the old one are past.
    NetworkChanged,
    /// Time has passed. A spurious one is harmless.
    Tick,
}
