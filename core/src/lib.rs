//! The state machine of infill: it fills the holes in a remote audio resource while somebody is already reading it.
//!
//! It does no IO, has no clock and no threads. A *driver* tells it what happened ([`Event`]) and does what it asks for
//! ([`Action`]). The drivers that most programs want are `infill-blocking` and `infill-tokio`; this crate is for those
//! who write another: a game loop, an embedded target, a simulator.
//!
//! # The loop of a driver
//!
//! ```text
//!            Open Attach ReadRequest Seek          WakeReader Opened State Notify
//!   reader ────────────────────────────▶┌─────────┐────────────────────────────▶ reader
//!            ResponseStarted            │         │ FetchRange Grant CancelFetch
//!            BytesReceived StreamEnded  │ Machine │────────────────────────────▶ network
//!  network ────────────────────────────▶│         │ Write Verify Discard Sync Remove
//!            Written Verified Synced    │         │────────────────────────────▶ store
//!    store ────────────────────────────▶│         │ Append Compact
//!            Restored Appended          │         │────────────────────────────▶ journal
//!  journal ────────────────────────────▶└─────────┘ Publish Commit ────────────▶ view ──▶ reader
//! ```
//!
//! 1. [`Machine::handle`] with an event and the time. It can't fail, whatever the event.
//! 2. [`Machine::poll_action`] until `None`, doing each action. What comes of it comes back as events, later.
//! 3. When there is nothing to do, wait for an event, or until [`Machine::poll_timeout`] and send [`Event::Tick`].
//!
//! `examples/drive.rs` is a whole driver over an origin in memory. The first steps of one:
//!
//! ```
//! use infill_core::http::ResponseHead;
//! use infill_core::{Action, Config, Event, Instant, Machine, OpenOptions, SourceSpec, TrackId};
//!
//! let mut machine = Machine::new(Config::default());
//! let track = TrackId(1);
//! let source = Box::new(SourceSpec {
//!     url: "https://origin.example/song.flac".parse()?,
//!     cache_key: None,
//!     headers: [].into(),
//!     renewable: false,
//!     slice: None,
//! });
//! machine.handle(Instant::ZERO, Event::Open { track, source, options: OpenOptions::default() });
//!
//! // The machine asks for everything, at once.
//! let fetch = core::iter::from_fn(|| machine.poll_action()).find_map(|action| match action {
//!     Action::FetchRange { request, .. } => Some((request.fetch, request.range_field())),
//!     _ => None,
//! });
//! let (fetch, range) = fetch.expect("an open file is fetched");
//! assert_eq!(range.as_deref(), Some("bytes=0-"));
//!
//! // The origin answers, and bytes come: they are to be written where the answer says that they belong.
//! let head = ResponseHead::new(206).with_field("Content-Range", b"bytes 0-4/5");
//! machine.handle(Instant::ZERO, Event::ResponseStarted { fetch, head: Box::new(head) });
//! machine.handle(Instant::ZERO, Event::BytesReceived { fetch, bytes: "fLaC!".into() });
//! let written = core::iter::from_fn(|| machine.poll_action())
//!     .any(|action| matches!(action, Action::Write { offset: 0, .. }));
//! assert!(written);
//! # Ok::<(), url::ParseError>(())
//! ```
//!
//! # The rules between driver and machine
//!
//! - **Every fetch ends once**: with [`Event::StreamEnded`] or [`Event::FetchFailed`], cancelled or not.
//! - **Credit**: of a fetch's body no more may be read than [`FetchRange`](Action::FetchRange) and
//!   [`Grant`](Action::Grant) allow. That is the back-pressure between network and store.
//! - **Writes are answered in order** for each resource, in any order across resources.
//! - **Publish after Written**: a reader finds a byte in its [`View`] only when it is in the store. What is published is
//!   never overwritten; it is retracted first, and a reader that copied meanwhile sees [`View::retractions`] move.
//! - **A hit costs no event.** A reader looks into its view and copies; it posts [`Event::ReadRequest`] only when it
//!   misses, and every such request is answered by exactly one [`WakeReader`](Action::WakeReader).
//! - **A new version is a new [`ResourceId`].** A reader that has read a byte of the old one says so
//!   (`latched`) and is told that it [changed](ErrorKind::Changed); one that has not moves on.
//! - Ids are never used twice; an event with an unknown one is ignored, and so is time that goes backwards.
//!
//! # The cache
//!
//! A driver with a cache says so first, with [`Event::Restored`] and the [`catalog`] that the journal's records give;
//! without one, all bytes are in the [scratch tier](Tier::Scratch), and gone with the process.
//!
//! - **A record is the only way** to change the catalog: [`catalog::Catalog::apply`], for an old one as for a new one.
//!   The machine applies it at once and has it [appended](Action::Append), one append at a time, in order.
//! - **A generation** is one stay of one version in the cache. It begins with the first byte that goes there
//!   ([`Action::Place`]); its number is a counter over a salt that is new in each session, so that no number is used
//!   again, whichever records were lost.
//! - **Written bytes become an extent** with the digest that [`Event::Written`] brings: when their block of
//!   [256 KiB](catalog::Extent::BLOCK_BYTES) is full, when their transfer ends, or after [`Config::seal_after`]. What a
//!   killed process loses is what is not sealed.
//! - **What is found is a claim.** Nobody sees it, and nothing is compared with it, before its digest was verified:
//!   what a reader waits for first, then what lies ahead of it, then, where a file is to be complete, the rest. A claim
//!   that isn't what its record says is a hole. So nothing depends on what reached the disk in which order.
//! - **Resuming compares first**: with `If-Range`, or by an overlap with verified bytes, before old and new bytes meet.
//! - **The disk may refuse.** Bytes that could not be written come back; where the disk is full another asset makes room
//!   for them, else they are kept in the scratch tier, and so is what follows until [`Config::disk_retry`] is over.
//! - **The disk may lie.** It is asked now and then ([`Action::Sync`]); after an error, what was written since the last
//!   success is a hole. It isn't verified again: a page that reads well now may be gone when it is read next.
//! - **One identity is downloaded once** ([`Action::Join`]), with a cache or without. It is the URL, or the embedder's
//!   key, with all request headers but those that select no content ([`catalog::Key::of`]).
//! - **Room** is made by removing assets that are neither open nor pinned, the least recently used first.
//!
//! # Presentations
//!
//! An HLS presentation ([`Event::OpenHls`]) is many resources, and each of them is a track that the machine opens by
//! itself ([`Action::OpenPart`], [`TrackId::is_part`]): playlists, keys, init sections and segments have all that a file
//! has of recovery, caching and verification, and a segment is whole only when every byte of it is proven.
//!
//! - **Playlists and keys come back** from the store when they are whole ([`Action::Load`]): by one path, cached or not.
//! - **A reader enters segments** ([`Event::Enter`]) by time, after another, or instead of one that failed, and is given
//!   where its bytes are and how they are decrypted ([`hls::Segment`]). Whether it follows the one before without a seam
//!   says [`hls::Segment::continues`]; if not, it is another decoder's.
//! - **Switches go by time**: segments of variants begin at different times, so that the next one is that which holds
//!   the time at which the last one's audio ended. At most one segment is fetched for it that is heard in part alone.
//! - **What the bytes mean** is told by pure functions, which whoever reads applies: [`hls::Filter`] gives what a decoder
//!   is to be given, with the media's own times, and [`hls::Clock`] places those on the playlist's timeline.
//! - **One segment at a time** is fetched ahead, so that each is chosen by what the link and the buffer allow then
//!   ([`hls::abr`]). What is there in any variant is read before anything is fetched.
//!
//! # What it promises
//!
//! An ended stream is not a complete file: only a proven length commits. A byte is placed where its response says that
//! it belongs, and bytes of two versions are never mixed where the origin lets them be told apart (the `http` module
//! says how). A reader that waits gets bytes, the end, or an error that names the cause. Bytes that are present are not
//! fetched again, but for the stated overlap check. All of it is bounded by [`Config`], and deterministic: the same
//! events give the same actions.
//!
//! # Coming from kithara
//!
//! The analysis that this crate grew from named its parts after that engine's. What became of them:
//!
//! | there | here |
//! |---|---|
//! | `ResourceStatus::Active` | [`ResourceStatus::Active`] with `downloaded` and `expected` |
//! | `ResourceStatus::Committed { final_len }`, `Failed` | the same; committed only at a proven length |
//! | `WriterItem::Completed` | a body's end, after which the machine decides; [`Action::Commit`] is another thing |
//! | `Downloader::step`, on-demand requests | one scheduler: [`Event::ReadRequest`] in, [`Action::FetchRange`] out |
//! | `Source::len` | [`View::len`]: the expected total first |
//! | `wait_range` -> `Ready` / `Eof` | [`Answer::Readable`], [`Answer::End`], [`Answer::Failed`]: never nothing |
//!
//! # Choices that may surprise
//!
//! - A 200 to `bytes=0-` is not taken as a refusal of ranges: many origins answer the first request so and later ones
//!   with 206. A 200 to a later range is, until an answer says otherwise.
//! - The end of a body that only its connection delimits is believed after one request for what follows (FAULTS B4).
//! - ETags that were once seen to differ over equal bytes are not asked with again; every answer is compared then. While
//!   one answer is compared, no other is asked for, for its version would be in doubt as well (FAULTS A10).
//! - An origin without any validator whose file changes and keeps its length is found out where an answer overlaps what
//!   is there. A seek far into a hole overlaps nothing: there only the length speaks (FAULTS A11).
//! - With a bound on the store, a file that exceeds three quarters of its share is fetched as with a read-ahead of that
//!   size. The first request still asks for everything.
//! - Progress is what was stored. A reader also waits on while a transfer goes through present bytes to its byte, as it
//!   must where ranges are ignored.
//! - A connection that others of *other* files wait for is kept for a tenth of a second at least, so that many files
//!   that are read at once make more progress than requests.
#![forbid(unsafe_code)]

mod action;
mod backoff;
mod byte_range;
mod byte_ranges;
mod cache;
mod cached;
pub mod catalog;
mod config;
mod context;
mod endpoint;
mod error;
mod event;
mod flight;
pub mod hls;
pub mod http;
mod id;
#[cfg(feature = "cache")]
pub mod journal;
mod link;
mod machine;
mod out;
mod reader;
mod resource;
mod schedule;
mod sealing;
mod slots;
mod space;
mod syncing;
mod time;
mod timers;
mod track;
mod transfer;
mod view;

pub use action::{Action, Answer, CancelReason, Notice, TrackState};
pub use byte_range::ByteRange;
pub use byte_ranges::ByteRanges;
pub use config::{Config, Durability, HlsConfig, Revalidate};
pub use error::{Cause, Error, ErrorKind, redacted};
pub use event::{
    Command, Entry, Event, FailureKind, FetchFailure, HlsOptions, Intent, OpenOptions, PartKeyFn,
    PlayableFn, Restored, SourceSpec, StoreFailure, Sum, VariantChoice, Verification,
};
pub use id::{CommandId, FetchId, OpId, ReaderId, RequestId, ResourceId, TrackId};
pub use machine::Machine;
pub use space::Tier;
pub use time::Instant;
pub use view::{Change, Facts, Lookup, ResourceStatus, View};
