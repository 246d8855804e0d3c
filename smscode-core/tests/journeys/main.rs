//! The journeys of the specification that belong to first light, each by its ID, on the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod determinism;
mod endings;
mod happy;
mod limits;
mod placing;
#[cfg(feature = "conformance")]
mod privacy;
mod races;
mod unclear;
