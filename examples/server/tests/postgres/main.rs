//! The server on Postgres, always under the role that `migrate` makes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;

mod away;
mod nodes;
mod pooler;
mod refused;
mod vanish;
