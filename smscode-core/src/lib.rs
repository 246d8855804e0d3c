//! Placeholder.
pub mod order;
