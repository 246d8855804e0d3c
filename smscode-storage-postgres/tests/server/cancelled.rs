//! Callers who go away at any moment leave nothing behind: no open transaction, no half of a ChangeSet, nobody who waits.

use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use smscode_core::store::{ChangeSet, Expect, Index, Key, LoadKey, Range, Receipt, Store, StoreError};
use smscode_storage_postgres::PostgresStore;
use smscode_test_postgres::{Database, shared};

use crate::common::{
    DEPOSIT, Dice, THING, commit, deposit, effects, fresh, hold, numbered, numbered_with_absent, open, owner, put,
    rows, seed, set, single, until,
};

const CALLS: u64 = 5_000;
const AT_ONCE: usize = 40;
/// Longest that a caller stays, in turns of the runtime: most are answered within that, many are not.
const TURNS: u64 = 400;

type Answer = Result<Receipt, StoreError>;

/// Waits for an answer for so many turns of the runtime, then goes away.
async fn stay<T>(call: impl Future<Output = T>, turns: u64) -> Option<T> {
    let away = pin!(async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    });
    tokio::select! {
        biased;
        answer = call => Some(answer),
        () = away => None,
    }
}

/// A read of some sort, given up after so many turns.
async fn read(store: &PostgresStore, sort: u64, turns: u64) {
    let of = owner(1);
    let fine = match sort {
        0 => stay(store.load(&[LoadKey::Head(of)]), turns).await.is_none_or(|answer| answer.is_ok()),
        1 => {
            let (index, all) = (Index::Kind(THING), Range::all());
            stay(store.scan(&index, &all, None, 50), turns).await.is_none_or(|answer| answer.is_ok())
        }
        2 => stay(store.totals(), turns).await.is_none_or(|answer| answer.is_ok()),
        _ => stay(store.describe(), turns).await.is_none_or(|answer| answer.is_ok()),
    };
    assert!(fine, "an answered read of sort {sort}");
}

/// States of the connections to a database, other than the one that asks, and other than idle.
async fn busy(database: &Database) -> Vec<String> {
    let sql = "SELECT state, left(query, 60) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
    shared().sql(database.name(), sql).await
}

#[tokio::test]
async fn callers_who_go_away_leave_nothing_behind() {
    let seed = seed("callers who go away");
    let database = fresh().await;
    let store = &open(database.url(), single()).await;
    let calls = stream::iter(0..CALLS).map(|n| async move {
        let mut dice = Dice(seed.wrapping_add(n));
        let turns = dice.roll(TURNS);
        match dice.roll(8) {
            sort @ 0..4 => {
                read(store, sort, turns).await;
                None
            }
            sort => {
                let set = if sort < 7 { numbered(owner(1), n) } else { numbered_with_absent(owner(1), n) };
                let answer = stay(store.commit(set.clone()), turns).await;
                Some((set, answer))
            }
        }
    });
    let commits: Vec<(Arc<ChangeSet>, Option<Answer>)> =
        calls.buffer_unordered(AT_ONCE).filter_map(|call| async { call }).collect().await;
    until("no connection is busy", async || busy(&database).await.is_empty()).await;
    // between two statements of a group its connection is idle: this waits behind all that is still on its way
    commit(store, &numbered(owner(9), 0)).await.unwrap();
    let there = effects(store, owner(1)).await;
    let (mut answered, mut before) = (0, 0);
    for (set, answer) in &commits {
        let replayed = commit(store, set).await.unwrap().replayed;
        before += u64::from(replayed);
        if let Some(answer) = answer {
            answered += 1;
            assert!(!answer.as_ref().unwrap().replayed && replayed, "what was answered was done");
        }
    }
    let all = commits.len() as u64;
    println!("{CALLS} calls, {all} commits: {answered} answered, {before} done although {} went away", all - answered);
    assert_eq!(before, there, "each was done as a whole or not at all");
    assert!(answered > 0 && before > answered && before < all, "some were answered, some not, some not even done");
    assert_eq!(effects(store, owner(1)).await, all, "sent again, each is done exactly once");
    store.close().await;
    let left =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'smscode'";
    until("closed", async || shared().sql(database.name(), left).await == ["0"]).await;
}

/// A hold whose caller has gone is there together with its record, or not at all.
#[tokio::test]
async fn a_hold_is_never_without_its_order() {
    let seed = seed("holds without callers");
    let database = fresh().await;
    let store = open(database.url(), single()).await;
    let of = owner(1);
    commit(&store, &set([deposit(of, "first", 1_000_000)])).await.unwrap();
    let mut dice = Dice(seed);
    for n in 0..500_u64 {
        let order = put(&Key::owned(THING, of, n.to_be_bytes()), Expect::Absent, n);
        let placed = set([order, hold(of, n.to_be_bytes(), DEPOSIT)]);
        drop(stay(store.commit(placed), dice.roll(TURNS)).await);
    }
    // behind all that is still on its way
    commit(&store, &set([deposit(of, "last", 1)])).await.unwrap();
    let head = store.load(&[LoadKey::Head(of)]).await.unwrap().head(of);
    let orders = rows(&store, &Index::Kind(THING), of).await;
    assert_eq!(head.held, DEPOSIT * orders as i64, "as many holds as orders");
    assert!(orders > 0 && orders < 500, "{orders} orders");
}
