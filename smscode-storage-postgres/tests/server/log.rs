//! What is not to be found: a refused ChangeSet in the server's files, and anybody's data in the server's own log.
//!
//! What was accepted once stays in the log of writes for a while after it was overwritten or deleted: no store on this
//! server can promise otherwise, which is why core seals what must be erased and destroys the key.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use smscode_core::store::{
    Body, ChangeSet, CounterKey, Entry, Expect, House, Key, Kind, Place, Post, Store, Term, TransferId,
};
use smscode_storage_postgres::{PostgresOptions, PostgresStore, migrate};
use smscode_test_postgres::{Cluster, ClusterOptions};

use crate::common::{NOON, THING, commit, fresh_on, guest, numbered, open, operation, owner, single, together};

/// Every part of a ChangeSet that has room for a mark.
fn marked(mark: &str, of: u8, refused: bool) -> Arc<ChangeSet> {
    let text = |what: &str| format!("{mark}-{what}");
    let body = |what: &str| Body::from_text(&format!("{{\"text\":\"{}\"}}", text(what))).unwrap();
    let key = Key::owned(THING, owner(of), text("key"));
    let terms = vec![Term { index: Kind::of("due"), at: text("term").into() }];
    let [debit, credit] = ["from", "to"].map(|what| Place::House(House(text(what))));
    let Entry::Post(post) = crate::common::deposit(owner(of), "any", 5) else { unreachable!() };
    let post = Post {
        id: TransferId(text("transfer").into()),
        subject: text("subject"),
        reason: text("reason"),
        actor: text("actor"),
        debit,
        credit,
        ..post
    };
    let counter = CounterKey { owner: owner(of), name: text("counter"), period: text("period") };
    let mut set = ChangeSet::new(operation(), NOON);
    set.push(Entry::Put { key, expect: Expect::Absent, version: 1, body: body("body"), terms })
        .push(Entry::Post(post))
        .push(Entry::Count { counter, delta: 1, max: Some(if refused { 0 } else { 10 }) })
        .push(Entry::Append { owner: owner(of), body: body("event") });
    Arc::new(set.seal(body("outcome")))
}

const PARTS: [&str; 13] = [
    "body", "key", "term", "transfer", "subject", "reason", "actor", "from", "to", "counter", "period", "event",
    "outcome",
];

/// Marks that stand in files below a folder. The server may remove files meanwhile.
fn marks(folder: &Path) -> BTreeSet<String> {
    const BEGINNING: &[u8] = b"planted-";
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(marks(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let starts = bytes.windows(BEGINNING.len()).enumerate().filter(|(_, window)| *window == BEGINNING);
            let is_part = |byte: &&u8| byte.is_ascii_lowercase() || **byte == b'-';
            found.extend(
                starts.map(|(at, _)| bytes[at..].iter().take_while(is_part).map(|byte| char::from(*byte)).collect()),
            );
        }
    }
    found
}

/// Whether any mark begins so: what follows it in a file may look like a part of it.
fn any(marks: &BTreeSet<String>, beginning: &str) -> bool {
    marks.iter().any(|mark| mark.starts_with(beginning))
}

#[tokio::test]
async fn nothing_of_a_refused_change_set_is_in_the_servers_files() {
    let settings = vec![("wal_compression".to_owned(), "off".to_owned())];
    let cluster = Cluster::start(&ClusterOptions { fsync: false, settings, ..ClusterOptions::default() });
    let database = fresh_on(&cluster).await;
    let store = open(database.url(), single()).await;
    // among others that go through, alone, and with a record that is absent
    let mut group: Vec<_> = (0..10).map(|n| numbered(owner(1), n)).collect();
    group.insert(3, marked("planted-refused", 2, true));
    group.push(marked("planted-accepted", 3, false));
    let answers = together(&store, &group).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 11);
    commit(&store, &marked("planted-refused", 4, true)).await.unwrap_err();
    let mut absent = (*marked("planted-refused", 5, true)).clone();
    absent.push(Entry::Ensure {
        key: Key::owned(Kind::of("planted-refused"), owner(5), "planted-refused"),
        expect: Expect::Absent,
    });
    commit(&store, &Arc::new(absent.seal(Body::empty()))).await.unwrap_err();
    store.close().await;
    cluster.sql(database.name(), "CHECKPOINT").await;
    let files = cluster.data_dir();
    let (written, tables) = (marks(&files.join("pg_wal")), marks(&files.join("base")));
    for part in PARTS {
        let control = format!("planted-accepted-{part}");
        assert!(any(&written, &control), "{control}: it would be found in the log of writes");
        assert!(any(&tables, &control), "{control}: it would be found in the tables");
    }
    assert!(!any(&marks(&files), "planted-refused"), "nothing of what was refused is there");
}

/// Bytes as the server writes them in a message.
fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_own_log_is_for_everybody() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let (database, url) = guest(&cluster).await;
    let stores = [open(&url, PostgresOptions::default()).await, open(&url, PostgresOptions::default()).await];
    for round in 0..60_u8 {
        let mark = format!("planted-{round}");
        // twins at two nodes, on one account and on two; one of each four is refused
        let answers = futures_util::future::join_all((0..4).map(|n| {
            let set = marked(&mark, 1 + n % 2, n == 3);
            let store = &stores[usize::from(n / 2)];
            async move { store.commit(set).await }
        }));
        assert!(answers.await.iter().filter(|answer| answer.is_ok()).count() == 1);
    }
    let repeats: u64 = stores.iter().map(|store| store.figures().repeats).sum();
    assert!(repeats > 0, "nobody was overtaken");
    let wrong = url.replace("sesame", "planted-password");
    PostgresStore::open(&wrong, single()).await.unwrap_err();
    let another = url.replace("the_server", "another").replace("sesame", "planted-password");
    migrate(database.url(), Some(&another)).await.unwrap();
    let log = cluster.log();
    assert!(log.contains("division by zero"), "conflicts are told there");
    println!("{repeats} groups run again; the server's log has {} lines", log.lines().count());
    let account = [1, 2].map(|n| format!("{n:02x}").repeat(4));
    for secret in ["planted", "sesame", &hexadecimal("planted"), &account[0], &account[1]] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}
