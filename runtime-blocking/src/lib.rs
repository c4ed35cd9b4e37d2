//! Read and seek a remote audio file while it downloads: the threaded runtime of infill.

#[doc(hidden)]
pub mod engine;
mod handle;
mod local;
mod notices;
mod park;
mod progress;
mod source;
mod stats;
mod store;

pub use handle::StreamHandle;
pub use infill_core::{Cause, Config, Error, ErrorKind, Notice, ResourceStatus};
pub use notices::{Noticed, Notices};
pub use progress::{Progress, State};
pub use source::Source;
pub use stats::Stats;
pub use store::StoreKind;
