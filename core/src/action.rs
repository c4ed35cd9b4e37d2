//! What the machine asks for.
//!
//! The enum is exhaustive on purpose: a new action breaks every driver at compile time, where it should.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::catalog::{Listing, Place, Record};
use crate::hls::{Presentation, Segment};
use crate::http::FetchRequest;
use crate::view::Change;
use crate::{
    ByteRange, CommandId, Error, FetchId, OpId, ReaderId, RequestId, ResourceId, Tier, TrackId,
};

/// The one answer to a [`ReadRequest`](crate::Event::ReadRequest). A hint: the reader looks at the view again.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The first byte of the range is published.
    Readable,
    /// To an [`Enter`](crate::Event::Enter): what to read.
    Entered(Box<Segment>),
    /// The range begins at or after the proven end.
    End,
    /// It can't be had now; asking again later tries again.
    Failed(Error),
    /// The reader asked for something else meanwhile.
    Superseded,
}

/// Why a fetch is stopped: for logs and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// What it would still bring is present, or nobody wants it.
    NotNeeded,
    /// Something more urgent needs its connection.
    Preempted,
    /// Its answer can't be used.
    Refused,
    /// It is silent, or next to it.
    Stalled,
    /// Its connection belongs to a network that is gone.
    NetworkChanged,
    /// The track is closed.
    Closed,
}

/// What a track is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackState {
    /// No answer yet.
    #[default]
    Connecting,
    /// Bytes are coming.
    Downloading,
    /// A failure is being waited out.
    Waiting {
        /// From the event that said so.
        retry_in: Duration,
    },
    /// Nothing is wanted now.
    Idle,
    /// Everything is here.
    Complete,
    /// Given up, until somebody reads or seeks again.
    Failed,
}

/// Something that an embedder may want to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A fetch failed and will be retried.
    Retrying {
        /// Why.
        cause: Error,
        /// After this wait.
        wait: Duration,
    },
    /// The origin answers ranges with everything: seeking ahead waits for what lies between.
    RangesIgnored,
    /// Another version of the resource is at the origin now.
    Changed,
    /// A fresh URL is in use.
    Renewed,
    /// Complete, but the end was told by closing the connection alone (FAULTS B4).
    Unverified,
    /// Stored bytes could not be written or read; they are fetched again.
    StoreFault(Error),
    /// The cache can't be written to: what comes is kept in the scratch store, and gone with the process.
    NotCached(Error),
    /// The cache's journal was damaged, and so much of it is lost.
    CacheDamaged(String),
    /// Something in a playlist that is against RFC 8216, or is passed over.
    Playlist(String),
    /// Another variant plays from now on, by its index.
    Variant(usize),
}

/// What the driver is asked to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make a request. Ends with exactly one [`StreamEnded`](crate::Event::StreamEnded) or
    /// [`FetchFailed`](crate::Event::FetchFailed), cancelled or not.
    FetchRange {
        /// For which track.
        track: TrackId,
        /// How.
        request: Box<FetchRequest>,
    },
    /// Stop a request, whatever it is doing, and free its connection.
    CancelFetch {
        /// Which.
        fetch: FetchId,
        /// Why.
        reason: CancelReason,
    },
    /// So many more bytes of this fetch may be read.
    Grant {
        /// Of which request.
        fetch: FetchId,
        /// How many.
        bytes: u32,
    },
    /// A new resource: the current version of this track from now on. Readers that have read nothing yet move to it.
    OpenResource {
        /// Of which track.
        track: TrackId,
        /// A new id.
        resource: ResourceId,
    },
    /// A presentation opens a track of its own: [`OpenResource`](Action::OpenResource) for it follows, and
    /// [`Closed`](Action::Closed) when it is no longer needed.
    OpenPart {
        /// Of which presentation.
        of: TrackId,
        /// A new id, unlike any that the driver chooses.
        track: TrackId,
        /// Where it is.
        url: Arc<Url>,
    },
    /// What is known of a presentation has changed.
    Presented {
        /// Which.
        track: TrackId,
        /// All of it.
        what: Arc<Presentation>,
    },
    /// How much of a presentation is there, without a gap, from where its reader is.
    Buffered {
        /// Which.
        track: TrackId,
        /// Playing time.
        time: Duration,
    },
    /// Bring these stored bytes back. Answered by [`Loaded`](crate::Event::Loaded).
    Load {
        /// Of which resource.
        resource: ResourceId,
        /// Names the operation.
        op: OpId,
        /// Which bytes.
        range: ByteRange,
    },
    /// This track reads that resource, too: one identity is downloaded once. It is its current version from now on.
    Join {
        /// Which track.
        track: TrackId,
        /// The resource of another one.
        resource: ResourceId,
    },
    /// The cache keeps this resource's bytes there, from now on or since an earlier session.
    Place {
        /// Which.
        resource: ResourceId,
        /// Where.
        place: Box<Place>,
    },
    /// No further action names this resource; what is in the scratch store of it can go when its last reader is
    /// gone.
    Release {
        /// Which.
        resource: ResourceId,
    },
    /// Store these bytes. Answered by [`Written`](crate::Event::Written), in order for each resource.
    Write {
        /// For which resource.
        resource: ResourceId,
        /// Names the operation.
        op: OpId,
        /// The position of the first byte.
        offset: u64,
        /// The bytes. In the cache they never cross a multiple of
        /// [`Extent::BLOCK_BYTES`](crate::catalog::Extent::BLOCK_BYTES).
        bytes: Bytes,
        /// Where they are kept.
        tier: Tier,
    },
    /// Digest these stored bytes. Answered by [`Verified`](crate::Event::Verified).
    Verify {
        /// Of which resource.
        resource: ResourceId,
        /// Names the operation.
        op: OpId,
        /// Which bytes.
        range: ByteRange,
    },
    /// Have what is written of this resource in the cache on the disk, or learn that it isn't (FAULTS D6). Answered by
    /// [`Synced`](crate::Event::Synced).
    Sync {
        /// Of which resource.
        resource: ResourceId,
        /// Names the operation.
        op: OpId,
    },
    /// Append these records to the journal, in order. Answered by [`Appended`](crate::Event::Appended); until then
    /// further ones are asked for, and are to be done in order.
    Append {
        /// Names the operation.
        op: OpId,
        /// What.
        records: Vec<Record>,
        /// Whether the journal is to be on the disk before the answer.
        durable: bool,
    },
    /// Put a new journal in the old one's place, with these records. Answered by [`Appended`](crate::Event::Appended).
    Compact {
        /// Names the operation.
        op: OpId,
        /// All that is known.
        records: Vec<Record>,
    },
    /// Delete the files of that place. Answered by [`Removed`](crate::Event::Removed).
    Remove {
        /// Names the operation.
        op: OpId,
        /// Which.
        place: Box<Place>,
    },
    /// Delete all of the cache's data files whose place is not among these, but for those of this session's salt.
    Sweep {
        /// What is recorded.
        keep: Vec<Place>,
    },
    /// Give the space of these retracted bytes back.
    Discard {
        /// Of which resource.
        resource: ResourceId,
        /// Which bytes.
        range: ByteRange,
    },
    /// What readers may see has changed.
    Publish {
        /// Of which resource.
        resource: ResourceId,
        /// How.
        change: Change,
    },
    /// Every byte up to a proven length is written.
    Commit {
        /// Which resource.
        resource: ResourceId,
        /// That length.
        final_len: u64,
    },
    /// The one answer to an [`Open`](crate::Event::Open): the first response was judged.
    Opened {
        /// Which track.
        track: TrackId,
        /// Whether it can be read.
        result: Result<(), Error>,
    },
    /// The one answer to an open that is to [fill](crate::Intent::Fill) or to [verify](crate::Intent::Verify).
    Filled {
        /// Which track.
        track: TrackId,
        /// Whether all that was wanted is there.
        result: Result<(), Error>,
    },
    /// The one answer to a [`Command`](crate::Event::Command).
    Answered {
        /// Which.
        command: CommandId,
        /// What was listed; nothing for other commands.
        result: Result<Vec<Listing>, Error>,
    },
    /// The one answer to a [`ReadRequest`](crate::Event::ReadRequest).
    WakeReader {
        /// Who.
        reader: ReaderId,
        /// Which request.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// Post [`Advanced`](crate::Event::Advanced) once, when this reader's hits reach the mark.
    Mark {
        /// Who.
        reader: ReaderId,
        /// A position; `None` asks for nothing.
        at: Option<u64>,
    },
    /// The URL has expired. Answered by [`FreshUrl`](crate::Event::FreshUrl).
    NeedFreshUrl {
        /// Of which track.
        track: TrackId,
    },
    /// What the track is doing, for displays.
    State {
        /// Which track.
        track: TrackId,
        /// What.
        state: TrackState,
        /// Bytes per second, as measured lately.
        rate: u64,
    },
    /// Something that the embedder may want to know.
    Notify {
        /// Of which track.
        track: TrackId,
        /// What.
        notice: Box<Notice>,
    },
    /// The track is gone: no further action names it.
    Closed {
        /// Which track.
        track: TrackId,
    },
}

const _: () =
    assert!(size_of::<Action>() <= 64, "actions are moved around: keep the large ones boxed");
