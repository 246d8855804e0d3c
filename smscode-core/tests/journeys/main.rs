//! The journeys of the specification that belong to first light, each by its ID, on the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests drive the platform and its callers as tasks, and do not hang when it does"
)]

#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod audit;
mod cancels;
mod claims;
mod deletion;
mod deletion_races;
mod determinism;
mod endings;
mod happy;
mod limits;
mod nodes;
mod operator;
mod outside;
mod placing;
mod polling;
#[cfg(feature = "conformance")]
mod privacy;
mod purchases;
mod pushes;
mod put_off;
mod races;
mod reconciliation;
mod restored;
mod routing;
mod supplier;
mod throttle;
mod unclear;
mod vanished;
