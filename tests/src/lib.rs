//! What the proofs of infill are built from.

pub mod origin;
pub mod sim;
