//! The journeys of the specification that belong to first light, each by its ID, on the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests drive the platform and its callers as tasks, and do not hang when it does"
)]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod determinism;
mod endings;
mod happy;
mod limits;
mod nodes;
mod placing;
#[cfg(feature = "conformance")]
mod privacy;
mod pushes;
mod races;
mod unclear;
