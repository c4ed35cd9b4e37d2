//! The sans-IO state machine of infill.
#![forbid(unsafe_code)]

mod action;
mod backoff;
mod byte_range;
mod byte_ranges;
mod config;
mod context;
mod endpoint;
mod error;
mod event;
mod flight;
pub mod http;
mod id;
mod link;
mod machine;
mod reader;
mod resource;
mod schedule;
mod slots;
mod space;
mod time;
mod timers;
mod track;
mod transfer;
mod view;

pub use action::{Action, Answer, CancelReason, Notice, TrackState};
pub use byte_range::ByteRange;
pub use byte_ranges::ByteRanges;
pub use config::Config;
pub use error::{Cause, Error, ErrorKind};
pub use event::{
    Event, FailureKind, FetchFailure, OpenOptions, SourceSpec, StoreFailure, Verification,
};
pub use id::{FetchId, OpId, ReaderId, RequestId, ResourceId, TrackId};
pub use machine::Machine;
pub use time::Instant;
pub use view::{Change, Facts, Lookup, ResourceStatus, View};
