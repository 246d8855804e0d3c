//! A cluster of one's own.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::guardian::{Guardian, Runs};
use crate::installed;
use crate::place;
use crate::ports::{on_free_port, random_hex};
use crate::processes::{descendants, halt, runs, signal, wait_until};
use crate::server::Server;

/// What to do about a machine without Postgres.
const MISSING: &str = "no Postgres found (`postgres` and `initdb`: on PATH, in /usr/lib/postgresql/*/bin, or where `pg_config --bindir` says); \
    `cargo xtask test` says what is missing, and installs it as root with CI=true; by hand: apt-get install postgresql";
/// Longest that a start may take, with the recovery after a kill.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Longest that a stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How a cluster is set up.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Whether commits are synced to disk, as in real life. Without, a commit still survives [`Cluster::kill`], creating databases is cheaper, and
    /// the data directory lies in memory where there is enough.
    pub fsync: bool,
    /// Connections at once, a few of them kept for superusers.
    pub max_connections: u16,
    /// Further settings by name, as in `postgresql.conf`; the last of a name counts.
    pub settings: Vec<(String, String)>,
}

impl Default for ClusterOptions {
    /// Synced, with 300 connections and the server's own settings otherwise.
    fn default() -> Self {
        Self { fsync: true, max_connections: 300, settings: Vec::new() }
    }
}

/// A cluster that ends when it is dropped, or with the test process. Its methods that stop and start block for as long as that takes.
///
/// It listens on a port of 127.0.0.1, where passwords are asked for (`scram-sha-256`). It speaks C locale and UTF-8.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: PathBuf,
    port: u16,
    /// None while it is down.
    postmaster: Mutex<Option<u32>>,
    guardian: Mutex<Guardian>,
}

impl Cluster {
    /// Creates a cluster and starts it.
    ///
    /// # Panics
    /// If no Postgres is installed, or it does not start; the text has its log.
    #[must_use]
    pub fn start(options: &ClusterOptions) -> Self {
        let binaries = installed::postgres().expect(MISSING);
        let root = if options.fsync { std::env::temp_dir() } else { place::unsynced() };
        let folder = place::fresh(&root);
        let environment = [("FOLDER", text(&folder)), ("BINARIES", text(&binaries))];
        let mut guardian = Guardian::start(include_str!("guardian.sh"), Runs::Server, &environment);
        let password = random_hex();
        let answer = guardian.order(&format!("init {password}"));
        assert!(answer == "done", "initdb failed in {}: {answer}\n{}", folder.display(), log(&folder));
        configure(&folder, options);
        let Some((port, postmaster)) = on_free_port(|port| start(&mut guardian, &folder, port)) else {
            panic!("Postgres does not start in {}:\n{}", folder.display(), log(&folder));
        };
        let control =
            PgConnectOptions::new_without_pgpass().socket(&folder).port(port).username("postgres").database("postgres");
        // Copying files is cheaper (20 ms against 30) unless each of them is synced.
        let strategy = if options.fsync { "wal_log" } else { "file_copy" };
        let server =
            Server::own(control, &format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"), strategy);
        Self { server, folder, port, postmaster: Mutex::new(Some(postmaster)), guardian: Mutex::new(guardian) }
    }

    /// Process id of the server, the postmaster.
    ///
    /// # Panics
    /// If the cluster is down.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.postmaster().expect("the cluster is up")
    }

    /// The port on 127.0.0.1, the same through all stops and starts.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Everything of it: data directory, socket, log.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        log(&self.folder)
    }

    /// Ends the server and every process of it by SIGKILL at one moment, and waits until all are gone: what a crash of the machine does to
    /// processes. The postmaster is halted first, so that it neither replaces a process nor learns of the end of one.
    ///
    /// # Panics
    /// If the cluster is down.
    pub fn kill(&self) {
        let mut up = self.postmaster();
        let postmaster = up.take().expect("the cluster is up");
        halt(postmaster);
        let mut all = descendants(postmaster);
        all.push(postmaster);
        signal("KILL", &all);
        assert!(wait_until(STOP_LIMIT, || !all.iter().any(|pid| runs(*pid))), "killed, yet some of {all:?} still run");
    }

    /// Stops the server in good order: open connections are closed, open transactions rolled back ("fast").
    ///
    /// # Panics
    /// If the cluster is down, or does not end.
    pub fn stop(&self) {
        let mut up = self.postmaster();
        let postmaster = up.take().expect("the cluster is up");
        signal("INT", &[postmaster]);
        assert!(wait_until(STOP_LIMIT, || !runs(postmaster)), "the server does not stop:\n{}", self.log());
    }

    /// Starts the server again, with the same data on the same port, and waits until it has recovered.
    ///
    /// # Panics
    /// If the cluster is up, or does not start.
    pub fn start_again(&self) {
        let mut up = self.postmaster();
        assert!(up.is_none(), "the cluster is up");
        let mut guardian = self.guardian.lock().unwrap_or_else(PoisonError::into_inner);
        let started = start(&mut guardian, &self.folder, self.port);
        assert!(started.is_some(), "the server does not start again:\n{}", self.log());
        *up = started;
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<u32>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Cluster {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The postmaster, once it takes connections; none if it ended instead.
fn start(guardian: &mut Guardian, folder: &Path, port: u16) -> Option<u32> {
    let answer = guardian.order(&format!("start {port}"));
    let postmaster: u32 = answer.parse().ok()?;
    let status = folder.join("data/postmaster.pid");
    // First line the process, eighth line how far it is.
    let ready = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&answer) && lines.nth(6).is_some_and(|word| word.trim() == "ready")
    };
    let settled = wait_until(START_LIMIT, || ready() || !runs(postmaster));
    assert!(settled, "Postgres is not ready after {} s:\n{}", START_LIMIT.as_secs(), log(folder));
    ready().then_some(postmaster)
}

fn configure(folder: &Path, options: &ClusterOptions) {
    let on_or_off = if options.fsync { "on" } else { "off" };
    let connections = options.max_connections.to_string();
    let own = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", text(folder)),
        ("max_connections", &connections),
        ("fsync", on_or_off),
        ("full_page_writes", on_or_off),
        // A file of the data directory, which goes with it; Postgres's own choice would stay behind after SIGKILL.
        ("dynamic_shared_memory_type", "mmap"),
        // An eighth of its own choice: the log may lie in memory.
        ("max_wal_size", "128MB"),
    ];
    let further = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let lines: String = own
        .into_iter()
        .chain(further)
        .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
        .collect();
    let file = OpenOptions::new().append(true).open(folder.join("data/postgresql.conf"));
    file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("initdb has left a configuration");
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_else(|error| format!("no log: {error}"))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
