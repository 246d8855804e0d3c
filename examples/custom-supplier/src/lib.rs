//! A supplier that nobody has heard of: an adapter of at most 100 lines for an invented JSON API, and its simulator.
//!
//! `docs/adapters.md` goes through both; `tests/conformance.rs` runs the supplier suite on them.

pub mod adapter;
pub mod simulator;

/// The guide's programs, of both chapters, are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/adapters.md")]
mod guide {}
