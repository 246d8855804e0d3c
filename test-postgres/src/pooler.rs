//! PgBouncer before a cluster.

use std::path::Path;
use std::time::Duration;

use url::Url;

use crate::cluster::{Cluster, text};
use crate::guardian::{Guardian, Runs};
use crate::place;
use crate::ports::on_free_port;
use crate::processes::{runs, wait_until};
use crate::server::url_of;

/// Longest that a start may take.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A pooler in transaction mode: the next transaction of a client may run on another connection to the server, without what the last one left on
/// its own (settings, prepared statements, `LISTEN`). It ends when it is dropped, or with the test process.
#[derive(Debug)]
pub struct Pooler {
    url: Url,
    _guardian: Guardian,
}

impl Pooler {
    /// Starts one before a cluster, with this many connections to the server for each pair of database and role. `further` are settings as they
    /// stand in its configuration, such as `("ignore_startup_parameters", "options")`; all others are PgBouncer's own.
    ///
    /// # Panics
    /// If PgBouncer is not installed, or does not start; the text has its log.
    #[must_use]
    pub fn start(cluster: &Cluster, connections: u16, further: &[(&str, &str)]) -> Self {
        let program = crate::program("pgbouncer");
        let folder = place::fresh(&place::unsynced());
        let mut url = cluster.base_url().clone();
        let settings = settings(cluster, connections, further);
        let environment = [
            ("FOLDER", text(&folder)),
            ("PGBOUNCER", text(&program)),
            ("SETTINGS", &settings),
            ("PASSWORD", url.password().unwrap_or_default()),
        ];
        let mut guardian = Guardian::start(include_str!("pooler.sh"), Runs::Server, &environment);
        let started = on_free_port(|port| start(&mut guardian, &folder, port));
        let Some((port, ())) = started else {
            panic!("PgBouncer does not start in {}:\n{}", folder.display(), log(&folder));
        };
        url.set_port(Some(port)).expect("a url with a host");
        Self { url, _guardian: guardian }
    }

    /// Url of a database, as [`Server::url`](crate::Server::url), through the pooler.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url_of(&self.url, database)
    }
}

/// Clients show the passwords of their roles, which it looks up in the cluster; itself it enters through the socket, as the same role.
fn settings(cluster: &Cluster, connections: u16, further: &[(&str, &str)]) -> String {
    let further: String = further.iter().map(|(name, value)| format!("\n{name} = {value}")).collect();
    format!(
        "[databases]\n* = host={socket} port={port}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 1000\n\
        auth_type = scram-sha-256\nauth_user = postgres\nauth_file = users\n\
        unix_socket_dir =\nlisten_addr = 127.0.0.1{further}",
        socket = text(cluster.folder()),
        port = cluster.port()
    )
}

/// Nothing if it ended instead of listening.
fn start(guardian: &mut Guardian, folder: &Path, port: u16) -> Option<()> {
    let process: u32 = guardian.order(&format!("start {port}")).parse().ok()?;
    let listens = || log(folder).contains("process up");
    let settled = wait_until(START_LIMIT, || listens() || !runs(process));
    assert!(settled, "PgBouncer is not ready after {} s:\n{}", START_LIMIT.as_secs(), log(folder));
    listens().then_some(())
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}
