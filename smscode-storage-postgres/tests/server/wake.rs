//! Wake-ups between nodes: hints that come when they can.

use std::collections::BTreeSet;
use std::time::Duration;

use smscode_core::port::{Wakeups, Woken};
use smscode_core::store::{LoadKey, Owner, Store};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Database, shared};

use crate::common::{append, commit, count, fresh, open, owner, set, until, within};

/// Everybody who listens.
const LISTENERS: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";

async fn two_nodes() -> (Database, PostgresStore, PostgresStore) {
    let database = fresh().await;
    let one = open(database.url(), PostgresOptions::default()).await;
    let other = open(database.url(), PostgresOptions::default()).await;
    for node in [&one, &other] {
        assert_eq!(within(node.next()).await, Woken::All, "what was said before is not known");
    }
    (database, one, other)
}

/// What a node hears until it has heard of all these accounts.
async fn hears(node: &PostgresStore, mut wanted: BTreeSet<Owner>) {
    while !wanted.is_empty() {
        match within(node.next()).await {
            Woken::Accounts(owners) => wanted.retain(|owner| !owners.contains(owner)),
            Woken::All => panic!("nothing was lost"),
        }
    }
}

#[tokio::test]
async fn an_event_at_one_node_wakes_the_other() {
    let (_database, one, other) = two_nodes().await;
    commit(&one, &set([append(owner(1), 1)])).await.unwrap();
    hears(&other, [owner(1)].into()).await;
    // more accounts than fit into one message; a commit without an event says nothing
    commit(&one, &set([count(owner(200), 1, None)])).await.unwrap();
    let many: BTreeSet<Owner> =
        (1..=600_u16).map(|n| Owner([n.to_be_bytes(); 8].concat().try_into().unwrap())).collect();
    commit(&one, &set(many.iter().map(|of| append(*of, 1)))).await.unwrap();
    hears(&other, many).await;
    let silence = tokio::time::timeout(Duration::from_millis(300), other.next()).await;
    assert!(silence.is_err(), "{silence:?}");
}

#[tokio::test]
async fn a_listener_that_was_cut_off_comes_back_and_wakes_all() {
    let (database, one, other) = two_nodes().await;
    let before = shared().sql(database.name(), LISTENERS).await;
    assert_eq!(before.len(), 2);
    let end = format!("SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) listeners");
    shared().sql(database.name(), &end).await;
    // said while nobody listens: lost, which the next word makes good
    commit(&one, &set([append(owner(1), 1)])).await.unwrap();
    assert_eq!(within(other.next()).await, Woken::All);
    assert_eq!(other.load(&[LoadKey::Head(owner(1))]).await.unwrap().head(owner(1)).last_event, 1);
    commit(&one, &set([append(owner(2), 1)])).await.unwrap();
    hears(&other, [owner(2)].into()).await;
    let again = shared().sql(database.name(), LISTENERS).await;
    assert!(again.iter().all(|pid| !before.contains(pid)), "{again:?}");
}

/// Nobody asks for the hints of a store: they are not kept for ever, and commits go on.
#[tokio::test]
async fn hints_that_nobody_takes_are_dropped() {
    let (database, one, other) = two_nodes().await;
    let many = "SELECT count(pg_notify('smscode', lpad(to_hex(n), 32, '0'))) FROM generate_series(1, 3000) n";
    shared().sql(database.name(), many).await;
    commit(&one, &set([append(owner(1), 1)])).await.unwrap();
    let delivered = "SELECT pg_notification_queue_usage() = 0";
    until("all have been told", async || shared().sql(database.name(), delivered).await == ["t"]).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut heard = 0;
    while tokio::time::timeout(Duration::from_millis(500), other.next()).await.is_ok() {
        heard += 1;
    }
    assert!((500..2_000).contains(&heard), "{heard} of 3,000");
    // somebody else's words wake all
    shared().sql(database.name(), "SELECT pg_notify('smscode', 'what is this?')").await;
    until("a word of somebody else", async || within(other.next()).await == Woken::All).await;
}
