//! What the core knows of HTTP: the requests it asks for, the answers it is told of, and what they prove.

mod content_range;
mod credentials;
mod expect;
mod judgement;
mod request;
mod response;
mod retry_after;
mod slice;
mod validator;

pub use content_range::ContentRange;
pub(crate) use credentials::public;
pub use expect::Expect;
pub(crate) use judgement::{Asked, BodyPlace, Judgement, Known, Ranges, Remedy, Version, judge};
pub use request::{FetchRequest, Header};
pub use response::{Field, Framing, ResponseHead};
pub use retry_after::RetryAfter;
pub(crate) use slice::Slice;
pub use validator::{ETag, Validator};
