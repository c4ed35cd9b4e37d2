//! Presentations, driven by hand: what is asked for, in which order, and what readers are given.

mod ahead;
mod encrypted;
mod entering;
mod opening;
mod world;
