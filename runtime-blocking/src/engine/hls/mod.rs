//! The data plane of a presentation: what its readers are given, from the bytes of its parts.
//!
//! ```text
//! Runs ── Entrance ── Enter ─▶ machine ─▶ a segment: which parts, how encrypted
//!   └─ Passage ── Plain ── Reader of a part ─▶ ciphertext ─▶ plaintext ─▶ Filter ─▶ a decoder's bytes
//! ```
//!
//! [`Runs`] reads forward, one run after the other; [`Pick`] reads a segment's plaintext at any place. Where variants and
//! segments come from is the machine's business; what their bytes mean is core's.

mod entrance;
mod passage;
mod pick;
mod plain;
mod run;
mod runs;
mod stream;

pub use pick::Pick;
pub use run::{Content, Run, RunId};
pub use runs::Runs;
pub use stream::Shared;
