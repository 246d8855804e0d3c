//! The table "what a commit costs" of the crate's documentation, counted in the server's log.

use std::sync::Arc;

use smscode_core::store::{ChangeSet, Expect, LoadKey, Store};
use smscode_storage_postgres::PostgresStore;
use smscode_test_postgres::{Cluster, ClusterOptions};

use crate::common::{
    append, commit, count, deposit, effects, fresh_on, hold, numbered, numbered_with_absent, open, owner, put, set,
    single, thing, together,
};
use crate::proxy::{Deed, Proxy, WRITE};

/// A server that logs each statement when it begins, and does nothing by itself.
fn telling() -> Cluster {
    let settings = [
        ("log_statement", "all"),
        ("log_line_prefix", "%a|%p|"),
        ("autovacuum", "off"),
        ("log_checkpoints", "off"),
        ("wal_writer_delay", "10s"),
        ("checkpoint_timeout", "1h"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Cluster::start(&ClusterOptions { settings, ..ClusterOptions::default() })
}

/// Statements of the store since the last look, in short words; the connection that sends wake-ups is left out.
struct Watch<'a> {
    cluster: &'a Cluster,
    seen: usize,
}

impl Watch<'_> {
    fn statements(&mut self) -> Vec<&'static str> {
        let log = self.cluster.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.starts_with("smscode|")).collect();
        let new = &lines[self.seen..];
        self.seen = lines.len();
        new.iter().filter_map(|line| word(line)).collect()
    }
}

fn word(line: &str) -> Option<&'static str> {
    let (_, said) = line.split_once("LOG:  ")?;
    let (_, statement) = said.split_once(": ")?;
    let words = [
        ("BEGIN", "begin"),
        ("COMMIT", "commit"),
        ("ROLLBACK", "roll back"),
        ("-- Rows by key", "read"),
        ("-- All that a judged group", "write"),
        ("SELECT 1 FROM (SELECT * FROM unnest", "lock records"),
        ("SELECT 1 FROM unnest($1::uuid[])", "lock heads"),
        ("SELECT 1 FROM unnest($1::uuid[], $2", "lock counters"),
        ("INSERT INTO smscode.records", "reserve"),
        ("DELETE FROM smscode.records r USING unnest", "free"),
        ("SELECT pg_notify", ""),
        ("LISTEN", ""),
    ];
    let found = words.iter().find(|(beginning, _)| statement.starts_with(beginning));
    found.map_or(Some("something else"), |(_, word)| Some(*word)).filter(|word| !word.is_empty())
}

#[tokio::test]
async fn statements_are_as_the_table_says() {
    let cluster = telling();
    let database = fresh_on(&cluster).await;
    let proxy = Proxy::before(database.url()).await;
    let store = open(&proxy.url(database.url()), single()).await;
    let of = owner(1);
    let first = numbered(of, 0);
    commit(&store, &first).await.unwrap();
    let mut watch = Watch { cluster: &cluster, seen: 0 };
    watch.statements();

    let group: Vec<_> = (1..=64).map(|n| numbered(of, n)).collect();
    assert!(together(&store, &group).await.iter().all(Result::is_ok));
    assert_eq!(watch.statements(), ["read", "write"], "a group of 64");

    let mixed =
        [set([hold(of, "too much", 1_000_000)]), numbered(of, 100), first.clone(), set([count(of, 1, Some(0))])];
    together(&store, &mixed).await;
    assert_eq!(watch.statements(), ["read", "write"], "some refused, one made before");

    let refused = [set([hold(of, "too much", 1_000_000)]), first, set([put(&thing(1), Expect::Version(1), 2)])];
    together(&store, &refused).await;
    assert_eq!(watch.statements(), ["read"], "all refused or made before");

    commit(&store, &numbered_with_absent(of, 101)).await.unwrap();
    let absent = ["read", "begin", "reserve", "free", "read", "write", "commit"];
    assert_eq!(watch.statements(), absent, "a record that is absent and stays so");

    proxy.order(WRITE, Deed::Refuse("40001"), 1);
    commit(&store, &numbered(of, 102)).await.unwrap();
    let overtaken = ["read", "begin", "lock records", "lock heads", "lock counters", "read", "write", "commit"];
    assert_eq!(watch.statements(), overtaken, "overtaken by another process; the refused write never came here");

    store.load(&[LoadKey::Head(of)]).await.unwrap();
    assert_eq!(watch.statements(), ["read"], "a load");
    assert_eq!(effects(&store, of).await, 1 + 64 + 1 + 1 + 1);
}

/// Syncs of the server's log of writes; what connections have counted is known once they are closed.
async fn syncs(cluster: &Cluster) -> u64 {
    cluster.sql("postgres", "SELECT wal_sync FROM pg_stat_wal").await[0].parse().unwrap()
}

async fn syncs_of(cluster: &Cluster, sets: &[Vec<Arc<ChangeSet>>]) -> u64 {
    let database = fresh_on(cluster).await;
    let store: PostgresStore = open(database.url(), single()).await;
    commit(&store, &set([append(owner(1), 1), deposit(owner(1), "d", 1)])).await.unwrap();
    cluster.sql("postgres", "CHECKPOINT").await;
    let before = syncs(cluster).await;
    for group in sets {
        together(&store, group).await;
    }
    store.close().await;
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'smscode'";
    crate::common::until("closed", async || cluster.sql("postgres", gone).await == ["0"]).await;
    syncs(cluster).await - before
}

/// One sync for each group, whatever its size; the server itself adds a few.
#[tokio::test]
async fn a_group_is_one_sync() {
    let cluster = telling();
    let refused = |n: u64| set([hold(owner(2), n.to_be_bytes(), 1)]);
    let nothing: Vec<_> = (0..100).map(|n| vec![refused(n)]).collect();
    let spared = syncs_of(&cluster, &nothing).await;
    let groups: Vec<Vec<_>> = (0..100).map(|g| (0..8).map(|n| numbered(owner(2), g * 8 + n)).collect()).collect();
    let made = syncs_of(&cluster, &groups).await;
    println!("100 groups of 8: {made} syncs; 100 refused commits: {spared} syncs");
    assert!(spared < 20, "{spared} syncs of 100 commits that were refused");
    assert!((100..120).contains(&made), "{made} syncs of 100 groups");
}
