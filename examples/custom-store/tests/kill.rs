//! A process is killed in the middle of its commits: what it was answered is there, the rest is there as a whole or not at
//! all. Two commits are told apart by the number that each gives to two accounts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use custom_store::JournalStore as MyStore;
use smscode_core::conformance::{Failure, run};
use smscode_core::store::{Body, ChangeSet, Entry, LoadKey, OperationId, Owner, Store};
use smscode_core::time::Timestamp;

const ACCOUNTS: [Owner; 2] = [Owner([1; 16]), Owner([2; 16])];

/// Names the file for the process that is killed, which is this program once more.
const FILE: &str = "KILLED_IN_THE_MIDDLE";

/// What that process says after each answer, before the number.
const ANSWERED: &str = "answered ";

const ROUNDS: usize = 20;

struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Commits until it is killed, one after the other.
fn commit_for_ever(path: &Path) -> ! {
    let store = MyStore::open(path, 64).unwrap();
    let [mut n, _] = events(&store);
    loop {
        n += 1;
        let mut set = ChangeSet::new(OperationId(u128::from(n).to_be_bytes()), Timestamp::EPOCH);
        for owner in ACCOUNTS {
            set.push(Entry::Append { owner, body: Body::empty() });
        }
        let set = Arc::new(set.seal(Body::empty()));
        run(async { Ok::<_, Failure>(store.commit(set).await?) }).unwrap();
        println!("\n{ANSWERED}{n}");
    }
}

/// How many commits are there, by each account.
fn events(store: &MyStore) -> [u64; 2] {
    let keys = ACCOUNTS.map(LoadKey::Head);
    let view = run(async { Ok::<_, Failure>(store.load(&keys).await?) }).unwrap();
    ACCOUNTS.map(|owner| view.head(owner).last_event)
}

#[test]
fn what_was_answered_outlives_a_kill() {
    if let Some(path) = std::env::var_os(FILE) {
        commit_for_ever(Path::new(&path));
    }
    let file = TempFile(std::env::temp_dir().join(format!("custom-store-killed-{}", std::process::id())));
    let mut last = 0;
    for round in 0..ROUNDS {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "what_was_answered_outlives_a_kill", "--nocapture"]).env(FILE, &file.0);
        let mut child = again.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut answers = lines.filter_map(|line| line.strip_prefix(ANSWERED)?.parse::<u64>().ok());
        // another moment in each round
        let heard = answers.nth(round);
        child.kill().unwrap();
        child.wait().unwrap();
        let answered = answers.last().or(heard).unwrap();
        let [one, other] = events(&MyStore::open(&file.0, 64).unwrap());
        assert_eq!(one, other, "half a commit");
        assert!(answered > last && one >= answered, "answered up to {answered}, found {one}");
        assert!(one <= answered + 1, "answered up to {answered}, found {one}: more than were sent");
        last = one;
    }
}
