//! Throw-away Postgres for tests: one cluster for each test process, a fresh database for each test.
//!
//! ```no_run
//! # async fn test() {
//! let server = smscode_test_postgres::shared();
//! let schema = server.template("schema", async |url| drop(url) /* set it up, once in this process */).await;
//! let database = schema.database().await; // about 30 ms
//! let url = database.url(); // postgres://postgres:...@127.0.0.1:port/name
//! # drop(url);
//! # }
//! ```
//!
//! - [`shared`] is enough for nearly every test: a server that ends with the test process, however that ends. `TEST_DATABASE_URL` (of a
//!   superuser, or of a role with `CREATEDB`) makes it a given server instead; databases are created there and dropped afterwards.
//! - [`Cluster::start`] gives a cluster of its own, to be killed, stopped and started again.
//! - [`Pooler::start`] puts PgBouncer before it, in transaction mode.
//! - [`Server::sql`] prepares what a test needs beside the schema: roles, settings, rows.
//!
//! `cargo run -p smscode-test-postgres` gives a server to look around in, until Ctrl-C.
//!
//! Needed is an installed Postgres, 14 or later, on Linux. As root the server runs as the user `postgres`, which the packages make.
//!
//! Why not `tmp-postgrust`: its cluster outlives a test process that is killed, cannot itself be killed with all its processes and started
//! again, and it makes a cluster where a database from a template is enough.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a part of tests: without its server a test can only fail, and says why"
)]

mod cluster;
mod guardian;
mod installed;
mod place;
mod pooler;
mod ports;
mod processes;
mod server;

use std::path::PathBuf;
use std::sync::OnceLock;

pub use cluster::{Cluster, ClusterOptions};
pub use pooler::Pooler;
pub use ports::free_port;
pub use server::{Database, Server, Template};

/// Uses a given server in [`shared`], instead of starting one.
pub const GIVEN_URL: &str = "TEST_DATABASE_URL";

/// An installed program that belongs to Postgres or stands beside it, such as `psql` and `pgbouncer`.
///
/// # Panics
/// If there is none; the text says how to come by it.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let found = installed::program(name);
    found.unwrap_or_else(|| {
        panic!("no `{name}`; `cargo xtask test` says what is missing, and installs it as root with CI=true")
    })
}

/// What [`shared`] holds until the process ends.
enum Shared {
    Own(Cluster),
    Given(Server),
}

/// The server of this test process, started by whoever asks first (about a second; blocks).
///
/// It does not sync to disk; whoever tests durability starts a [`Cluster`].
///
/// # Panics
/// If there is no server and none can be started; the text says what to install.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    let shared = SHARED.get_or_init(|| match std::env::var(GIVEN_URL) {
        Ok(url) => Shared::Given(Server::given(&url)),
        Err(_) => Shared::Own(Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() })),
    });
    match shared {
        Shared::Own(cluster) => cluster,
        Shared::Given(server) => server,
    }
}
