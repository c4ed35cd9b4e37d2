//! What the proofs of infill are built from.

pub mod alloc;
pub mod bench;
pub mod cache_cli;
pub mod child;
pub mod cli;
pub mod disk;
pub mod fixtures;
pub mod fuzz;
pub mod origin;
pub mod runtime;
pub mod sim;
pub mod steady;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
