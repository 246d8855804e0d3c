//! What the store does with a real server when things go wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "seeds and figures")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests stand between store and server, wait for them, and end what hangs"
)]

mod away;
mod broken_lines;
mod cancelled;
mod common;
mod costs;
mod disk;
mod platform;
mod pooler;
mod proxy;
mod schema;
mod two_processes;
mod wake;
