//! The fault origin.
