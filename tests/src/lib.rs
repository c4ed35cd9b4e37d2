//! What the proofs of infill are built from.

pub mod fuzz;
pub mod origin;
