//! A line between store and server that breaks at chosen moments: what is told of the effect is true, and sending the
//! same ChangeSet again makes it happen exactly once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use smscode_core::store::{ChangeSet, Effect, LoadKey, Receipt, Store, StoreError};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::Database;

use crate::common::{
    commit, effects, fresh, numbered, numbered_with_absent, open, owner, single, together, unavailable, until,
};
use crate::proxy::{Deed, Door, LOAD, LOCK, Proxy, RESERVE, WRITE};

/// Long enough for everything here that is to be answered, also on a machine that stands still for a while.
const LIMIT_MS: u64 = 30_000;
/// Shorter than what an answer is late by, and still long enough for all other calls.
const SHORT_MS: u64 = 3_000;
const LATE: Duration = Duration::from_millis(4_500);

/// A store whose line to its database can be broken.
struct World {
    database: Database,
    proxy: Proxy,
    store: PostgresStore,
}

impl World {
    async fn new(limit_ms: u64) -> Self {
        let database = fresh().await;
        let proxy = Proxy::before(database.url()).await;
        let options = PostgresOptions { limit_ms, ..single() };
        let store = open(&proxy.url(database.url()), options).await;
        let world = Self { database, proxy, store };
        // the connections are up and the statements prepared
        assert!(!done(&world.commit(&numbered(owner(9), 0)).await).replayed);
        world
    }

    async fn commit(&self, set: &Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        commit(&self.store, set).await
    }

    /// How many took effect, as another store sees it that has a line of its own.
    async fn effects(&self) -> u64 {
        let other = open(self.database.url(), single()).await;
        let effects = effects(&other, owner(1)).await;
        other.close().await;
        effects
    }
}

fn done(answer: &Result<Receipt, StoreError>) -> &Receipt {
    answer.as_ref().expect("it was to be done")
}

/// Both ways of writing: one statement that is its own transaction, and several statements in one.
type Way = fn(n: u64) -> Arc<ChangeSet>;
const ONE_STATEMENT: Way = |n| numbered(owner(1), n);
const TRANSACTION: Way = |n| numbered_with_absent(owner(1), n);

#[tokio::test]
async fn conflicts_are_run_again() {
    let cases: [(&str, Way, &str, &str, usize); 8] = [
        ("one statement, once", ONE_STATEMENT, WRITE, "40001", 1),
        ("one statement, then with locks", ONE_STATEMENT, WRITE, "40P01", 2),
        ("reading", ONE_STATEMENT, LOAD, "40001", 1),
        ("waiting for locks", TRANSACTION, LOCK, "40P01", 1),
        ("reserving", TRANSACTION, RESERVE, "40P01", 2),
        ("writing in a transaction", TRANSACTION, WRITE, "40001", 2),
        ("committing", TRANSACTION, "COMMIT", "40001", 2),
        ("until each is tried alone", ONE_STATEMENT, WRITE, "40001", 5),
    ];
    let world = World::new(LIMIT_MS).await;
    let mut number = 0;
    for (name, way, statement, code, times) in cases {
        if statement == LOCK {
            // there are only locks for a group that was overtaken
            world.proxy.order(WRITE, Deed::Refuse("40001"), 1);
        }
        let met = world.proxy.order(statement, Deed::Refuse(code), times);
        let sets: Vec<_> = (0..3).map(|n| way(number + n)).collect();
        number += 3;
        for answer in together(&world.store, &sets).await {
            assert!(!done(&answer).replayed, "{name}");
        }
        assert_eq!(met.load(Ordering::SeqCst), times, "{name}: as often as ordered");
        assert_eq!(world.effects().await, number, "{name}: each exactly once");
    }
}

#[tokio::test]
async fn conflicts_without_end_are_told() {
    let world = World::new(LIMIT_MS).await;
    for (n, way) in [ONE_STATEMENT, TRANSACTION].into_iter().enumerate() {
        let set = way(n as u64);
        world.proxy.order(WRITE, Deed::Refuse("40001"), 3);
        let (effect, reason) = unavailable(world.commit(&set).await);
        assert_eq!((effect, reason.as_str()), (Effect::No, "too many writers want the same rows; try again"));
        assert_eq!(world.effects().await, n as u64, "nothing of it");
        assert!(!done(&world.commit(&set).await).replayed, "the same again is done");
        assert_eq!(world.effects().await, n as u64 + 1);
    }
}

/// The answer is lost, another connection can be made: the caller is answered as if nothing had happened.
#[tokio::test]
async fn a_lost_answer_becomes_known_by_itself() {
    let cases: [(Way, &str, Deed, bool); 8] = [
        (ONE_STATEMENT, LOAD, Deed::CutBefore, false),
        (ONE_STATEMENT, WRITE, Deed::CutBefore, false),
        (ONE_STATEMENT, WRITE, Deed::CutAfter, true),
        (TRANSACTION, "BEGIN", Deed::CutAfter, false),
        (TRANSACTION, WRITE, Deed::CutBefore, false),
        (TRANSACTION, WRITE, Deed::CutAfter, false),
        (TRANSACTION, "COMMIT", Deed::CutBefore, false),
        (TRANSACTION, "COMMIT", Deed::CutAfter, true),
    ];
    let world = World::new(LIMIT_MS).await;
    let mut number = 0;
    for (way, statement, deed, replayed) in cases {
        let met = world.proxy.order(statement, deed, 1);
        let sets = [way(number), way(number + 1)];
        number += 2;
        for answer in together(&world.store, &sets).await {
            assert_eq!(done(&answer).replayed, replayed, "{statement} {deed:?}");
        }
        assert_eq!(met.load(Ordering::SeqCst), 1, "{statement} {deed:?}: the line was cut there");
        assert_eq!(world.effects().await, number, "{statement} {deed:?}: each exactly once");
    }
}

/// The answer is lost and there is no way to ask: what the caller is told, and that the same again settles it.
#[tokio::test]
async fn an_outcome_that_nobody_knows_is_settled_by_sending_it_again() {
    let (closed, full, starting) = (Door::Closed, Door::Refuses("53300"), Door::Refuses("57P03"));
    let cases: [(Way, &str, Deed, Door, Effect, bool); 9] = [
        (ONE_STATEMENT, LOAD, Deed::CutBefore, closed, Effect::No, false),
        (ONE_STATEMENT, WRITE, Deed::CutBefore, closed, Effect::Unknown, false),
        (ONE_STATEMENT, WRITE, Deed::CutAfter, closed, Effect::Unknown, true),
        (ONE_STATEMENT, WRITE, Deed::CutAfter, full, Effect::Unknown, true),
        (ONE_STATEMENT, WRITE, Deed::CutAfter, starting, Effect::Unknown, true),
        (TRANSACTION, WRITE, Deed::CutAfter, closed, Effect::No, false),
        (TRANSACTION, "COMMIT", Deed::CutBefore, starting, Effect::Unknown, false),
        (TRANSACTION, "COMMIT", Deed::CutAfter, closed, Effect::Unknown, true),
        (TRANSACTION, "COMMIT", Deed::CutAfter, full, Effect::Unknown, true),
    ];
    let world = World::new(LIMIT_MS).await;
    let mut number = 0;
    for (way, statement, deed, door, effect, done_already) in cases {
        let name = format!("{statement} {deed:?} {door:?}");
        let met = world.proxy.order(statement, deed, 1);
        world.proxy.door(door);
        let sets = [way(number), way(number + 1)];
        for answer in together(&world.store, &sets).await {
            assert_eq!(unavailable(answer).0, effect, "{name}");
        }
        assert_eq!(met.load(Ordering::SeqCst), 1, "{name}: the line was cut there");
        assert_eq!(world.effects().await, number + if done_already { 2 } else { 0 }, "{name}: what the server has");
        world.proxy.door(Door::Open);
        number += 2;
        for answer in together(&world.store, &sets).await {
            assert_eq!(done(&answer).replayed, done_already, "{name}: the same again");
        }
        assert_eq!(world.effects().await, number, "{name}: each exactly once");
    }
}

#[tokio::test]
async fn late_answers_are_not_waited_for() {
    let cases: [(Way, &str, Deed, Effect); 6] = [
        (ONE_STATEMENT, LOAD, Deed::AnswerLate(LATE), Effect::No),
        (ONE_STATEMENT, WRITE, Deed::AnswerLate(LATE), Effect::Unknown),
        (ONE_STATEMENT, WRITE, Deed::Swallow, Effect::Unknown),
        (TRANSACTION, WRITE, Deed::Swallow, Effect::No),
        (TRANSACTION, "COMMIT", Deed::AnswerLate(LATE), Effect::Unknown),
        (TRANSACTION, "COMMIT", Deed::Swallow, Effect::Unknown),
    ];
    let world = World::new(SHORT_MS).await;
    for (n, (way, statement, deed, effect)) in cases.into_iter().enumerate() {
        world.proxy.order(statement, deed, 1);
        let set = way(n as u64);
        let (told, reason) = unavailable(world.commit(&set).await);
        assert_eq!((told, reason), (effect, format!("no answer within {SHORT_MS} ms")), "{statement} {deed:?}");
        // what still holds rows at the server goes when it notices that its client has gone
        let mut last = world.commit(&set).await;
        while last.is_err() {
            assert_ne!(unavailable(last).1, "", "{statement} {deed:?}");
            last = world.commit(&set).await;
        }
        assert_eq!(world.effects().await, n as u64 + 1, "{statement} {deed:?}: exactly once");
    }
}

/// A write that lingers on the way arrives when the store has long given it up, before or after it was sent again.
#[tokio::test]
async fn a_write_that_arrives_late_does_not_happen_twice() {
    let world = World::new(SHORT_MS).await;
    for (n, way) in [ONE_STATEMENT, TRANSACTION].into_iter().enumerate() {
        let set = way(n as u64);
        world.proxy.order(WRITE, Deed::ReachLate(LATE), 1);
        let (effect, _) = unavailable(world.commit(&set).await);
        assert_eq!(effect, if n == 0 { Effect::Unknown } else { Effect::No });
        until("the same again", async || world.store.commit(set.clone()).await.is_ok()).await;
        tokio::time::sleep(LATE).await;
        assert!(done(&world.commit(&set).await).replayed);
        assert_eq!(world.effects().await, n as u64 + 1, "exactly once");
    }
}

/// Reads are asked once more on a new connection; if there is none they fail, and go on when there is.
#[tokio::test]
async fn reads_survive_a_lost_line() {
    let world = World::new(SHORT_MS).await;
    let keys = [LoadKey::Head(owner(9))];
    let seen = |answer: Result<smscode_core::store::Snapshot, StoreError>| answer.unwrap().head(owner(9)).last_event;
    for deed in [Deed::CutBefore, Deed::CutAfter] {
        let met = world.proxy.order(LOAD, deed, 1);
        assert_eq!(seen(world.store.load(&keys).await), 1, "{deed:?}");
        assert_eq!(met.load(Ordering::SeqCst), usize::from(true), "{deed:?}");
    }
    for door in [Door::Closed, Door::Refuses("57P03"), Door::Silent] {
        world.proxy.door(door);
        world.proxy.cut();
        assert_eq!(unavailable(world.store.load(&keys).await).0, Effect::No, "{door:?}");
        assert_eq!(unavailable(world.store.totals().await).0, Effect::No, "{door:?}");
        assert_eq!(unavailable(world.store.describe().await).0, Effect::No, "{door:?}");
        world.proxy.door(Door::Open);
        assert_eq!(seen(world.store.load(&keys).await), 1, "{door:?}: without opening again");
    }
}

#[tokio::test]
async fn nothing_that_is_open_waits_for_a_silent_server() {
    let world = World::new(SHORT_MS).await;
    world.proxy.door(Door::Silent);
    let url = world.proxy.url(world.database.url());
    let opened = PostgresStore::open(&url, PostgresOptions { limit_ms: SHORT_MS, ..single() }).await;
    assert_eq!(unavailable(opened), (Effect::No, format!("no answer within {SHORT_MS} ms")));
    world.proxy.cut();
    let sets: Vec<_> = (0..3).map(|n| numbered(owner(1), n)).collect();
    for answer in together(&world.store, &sets).await {
        assert_eq!(unavailable(answer), (Effect::No, format!("no answer within {SHORT_MS} ms")));
    }
    world.proxy.door(Door::Open);
    assert_eq!(together(&world.store, &sets).await.iter().filter(|answer| answer.is_ok()).count(), 3);
    assert_eq!(world.effects().await, 3);
}

/// An answer that was lost and a group that is then refused by the server: its members are tried alone, and what is told
/// of each still knows of the first try.
#[tokio::test]
async fn a_member_tried_alone_remembers_that_its_group_was_lost() {
    let world = World::new(LIMIT_MS).await;
    let sets: Vec<_> = (0..3).map(|n| numbered(owner(1), n)).collect();
    world.proxy.order(WRITE, Deed::CutAfter, 1);
    world.proxy.order(LOAD, Deed::Pass, 1);
    let met = world.proxy.order(LOAD, Deed::Refuse("53100"), 3);
    let answers = together(&world.store, &sets).await;
    assert_eq!(met.load(Ordering::SeqCst), 3, "the group, and two of its members");
    assert_eq!(unavailable(answers[0].clone()).0, Effect::Unknown);
    assert_eq!(unavailable(answers[1].clone()).0, Effect::Unknown);
    assert!(done(&answers[2]).replayed);
    assert!(together(&world.store, &sets).await.iter().all(|answer| done(answer).replayed));
    assert_eq!(world.effects().await, 3);
}

/// The line is lost while members are tried one by one: nobody waits for the server once for each.
#[tokio::test]
async fn a_server_that_goes_away_is_waited_for_once() {
    let world = World::new(SHORT_MS).await;
    let sets: Vec<_> = (0..20).map(|n| numbered(owner(1), n)).collect();
    world.proxy.order(LOAD, Deed::Refuse("53100"), 1);
    let met = world.proxy.order(LOAD, Deed::Swallow, 20);
    for answer in together(&world.store, &sets).await {
        assert_eq!(unavailable(answer), (Effect::No, format!("no answer within {SHORT_MS} ms")));
    }
    assert_eq!(met.load(Ordering::SeqCst), 1);
}
