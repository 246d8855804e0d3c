//! However a test process ends, nothing of it stays behind.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests; waits for other processes")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use smscode_test_postgres::{Cluster, ClusterOptions, GIVEN_URL};

const LIMIT: Duration = Duration::from_secs(60);

/// A process of its own with a shared server and a database on it.
struct Process(Child);

impl Process {
    fn start(given: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throw-away-postgres"));
        command.env_remove(GIVEN_URL).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(url) = given {
            command.env(GIVEN_URL, url);
        }
        Self(command.spawn().unwrap())
    }

    /// Waits for its database.
    fn url(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("postgres://"), "{line}");
        line.trim().to_owned()
    }

    /// Folders of its clusters.
    fn folders(&self) -> Vec<PathBuf> {
        let prefix = format!("smscode-postgres-{}-", self.0.id());
        let roots = [std::env::temp_dir(), PathBuf::from("/dev/shm")];
        let entries = roots.iter().filter_map(|root| std::fs::read_dir(root).ok()).flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| name(path).starts_with(&prefix)).collect()
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !ready() {
        assert!(Instant::now() < deadline, "{what}: not within {} s", LIMIT.as_secs());
        sleep(Duration::from_millis(5));
    }
}

/// Processes that have a file of this folder open or work in it, the guardian too.
fn processes_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let inside = |path: &Path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    entries.map(|entry| entry.path()).filter(|path| inside(path)).map(|path| name(&path)).collect()
}

fn gone(process: &Process, folder: &Path) {
    wait_until("the folder is removed", || process.folders().is_empty());
    wait_until("its processes have ended", || processes_in(folder).is_empty());
}

#[test]
fn a_process_that_is_killed_leaves_no_cluster() {
    let mut process = Process::start(None);
    process.url();
    let folders = process.folders();
    let [folder] = folders.as_slice() else { unreachable!("one cluster: {folders:?}") };
    assert!(processes_in(folder).len() > 5, "a guardian, a postmaster and its processes");
    process.kill();
    gone(&process, folder);
}

#[test]
fn a_process_that_ends_by_itself_leaves_no_cluster() {
    let mut process = Process::start(None);
    process.url();
    let folder = process.folders().remove(0);
    drop(process.0.stdin.take());
    assert!(process.0.wait().unwrap().success());
    gone(&process, &folder);
}

#[test]
fn a_process_killed_while_it_creates_its_cluster_leaves_none() {
    let mut process = Process::start(None);
    wait_until("initdb works", || process.folders().iter().any(|folder| folder.join("data/base").exists()));
    let folder = process.folders().remove(0);
    process.kill();
    gone(&process, &folder);
}

#[tokio::test]
async fn a_given_server_keeps_nothing_of_a_process_that_was_killed() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    cluster.sql("postgres", "CREATE ROLE guest LOGIN CREATEDB PASSWORD 'a/b%c'").await;
    cluster.sql("postgres", "CREATE DATABASE smscode_of_somebody_else").await;
    let given = format!("postgres://guest:a%2Fb%25c@127.0.0.1:{}/postgres?sslmode=disable", cluster.port());
    let mut process = Process::start(Some(&given));
    let url = process.url();
    assert!(url.contains("/smscode_test_") && url.ends_with("?sslmode=disable"), "{url}");
    assert_eq!(process.folders(), Vec::<PathBuf>::new());
    let ours = "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'smscode_')";
    assert_eq!(cluster.sql("postgres", ours).await, ["2"]);
    process.kill();
    let deadline = Instant::now() + LIMIT;
    while cluster.sql("postgres", ours).await != ["1"] {
        assert!(Instant::now() < deadline, "the database is still there");
    }
}
