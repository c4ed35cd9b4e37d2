//! What the proofs of infill are built from.

pub mod fixtures;
pub mod origin;
