//! A real PgBouncer in transaction mode between store and server: every transaction may run on another connection, and
//! nothing of a session lasts.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use smscode_core::store::{CounterKey, Index, Kind, LoadKey, Range, Store};
use smscode_storage_postgres::{PostgresOptions, PostgresStore, migrate};
use smscode_test_postgres::{Cluster, ClusterOptions, Pooler};
use sqlx::{Connection, Executor, Row};

use crate::common::{
    Dice, append, commit, count, effects, fresh_on, numbered, numbered_with_absent, open, owner, seed, set,
    unavailable, within,
};

fn unsynced() -> ClusterOptions {
    ClusterOptions { fsync: false, ..ClusterOptions::default() }
}

/// What administrators set for drivers that send more than a pooler knows. The first is PgBouncer as it comes.
const SETTINGS: [&[(&str, &str)]; 3] = [
    &[],
    &[("ignore_startup_parameters", "extra_float_digits, options")],
    &[("ignore_startup_parameters", "options"), ("server_reset_query_always", "1")],
];

const CALLS: u64 = 1_200;

/// Many callers at two stores: commits of both sorts, loads, lists and sums.
async fn crowd(stores: &[Arc<PostgresStore>; 2], seed: u64) -> u64 {
    let commits = stream::iter(0..CALLS).map(|n| async move {
        let mut dice = Dice(seed.wrapping_add(n));
        let store = &stores[usize::from(dice.roll(2) == 0)];
        match dice.roll(6) {
            0 => {
                let view =
                    within(store.load(&[LoadKey::Head(owner(1)), LoadKey::Counter(CounterKey::of(owner(1), "n"))]))
                        .await
                        .unwrap();
                assert_eq!(
                    view.head(owner(1)).last_event,
                    view.counter(&CounterKey::of(owner(1), "n")).unsigned_abs(),
                    "one view"
                );
                0
            }
            1 => {
                let (index, all) = (Index::Term(Kind::of("due")), Range::all());
                within(store.scan(&index, &all, None, 20)).await.unwrap();
                within(store.totals()).await.unwrap();
                within(store.describe()).await.unwrap();
                0
            }
            2 => {
                assert!(!commit(&**store, &numbered_with_absent(owner(1), n)).await.unwrap().replayed);
                1
            }
            _ => {
                assert!(!commit(&**store, &numbered(owner(1), n)).await.unwrap().replayed);
                1
            }
        }
    });
    commits.buffer_unordered(48).fold(0, async |sum, done| sum + done).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_behind_a_pooler() {
    let seed = seed("behind a pooler");
    let cluster = Cluster::start(&unsynced());
    for settings in SETTINGS {
        let database = fresh_on(&cluster).await;
        let pooler = Pooler::start(&cluster, 4, settings);
        let url = pooler.url(database.name());
        // more lines to the pooler than it has to the server
        let options = || PostgresOptions { committers: 3, readers: 3, ..PostgresOptions::default() };
        let stores = [Arc::new(open(&url, options()).await), Arc::new(open(&url, options()).await)];
        let made = crowd(&stores, seed).await;
        assert_eq!(effects(&*stores[0], owner(1)).await, made, "{settings:?}");
        for store in stores {
            store.close().await;
        }
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
        assert_eq!(cluster.sql(database.name(), open).await, ["0"], "{settings:?}");
    }
}

/// Statements that somebody prepared stay behind on connections of the pooler, for others to trip over.
#[tokio::test]
async fn nothing_of_a_session_stays_behind() {
    let cluster = Cluster::start(&unsynced());
    let database = fresh_on(&cluster).await;
    let pooler = Pooler::start(&cluster, 1, &[]);
    let store = open(&pooler.url(database.name()), PostgresOptions::default()).await;
    for n in 0..20 {
        commit(&store, &numbered(owner(1), n)).await.unwrap();
        store.load(&[LoadKey::Head(owner(1))]).await.unwrap();
    }
    // the one connection that the pooler has, seen through it
    let through =
        sqlx::postgres::PgConnectOptions::from_str(&pooler.url(database.name())).unwrap().extra_float_digits(None);
    let mut guest = sqlx::PgConnection::connect_with(&through).await.unwrap();
    let names = guest
        .fetch_all(sqlx::raw_sql("SELECT name, statement FROM pg_prepared_statements WHERE name <> ''"))
        .await
        .unwrap();
    let names: BTreeSet<String> =
        names.iter().map(|row| row.try_get_raw(0).unwrap().as_str().unwrap().to_owned()).collect();
    assert_eq!(names, BTreeSet::new());
    store.close().await;
}

/// A pooler whose server goes away and comes back.
#[tokio::test]
async fn a_pooler_whose_server_goes_away() {
    let cluster = Arc::new(Cluster::start(&unsynced()));
    let database = fresh_on(&cluster).await;
    let pooler = Pooler::start(&cluster, 2, &[("server_login_retry", "0")]);
    let store =
        open(&pooler.url(database.name()), PostgresOptions { limit_ms: 5_000, ..PostgresOptions::default() }).await;
    commit(&store, &numbered(owner(1), 0)).await.unwrap();
    for n in 1..3 {
        let server = cluster.clone();
        tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
        let set = numbered(owner(1), n);
        let (effect, reason) = unavailable(commit(&store, &set).await);
        println!("{effect:?}: {reason}");
        let server = cluster.clone();
        tokio::task::spawn_blocking(move || server.start_again()).await.unwrap();
        crate::common::until("it is back", async || store.commit(set.clone()).await.is_ok()).await;
    }
    assert_eq!(effects(&store, owner(1)).await, 3);
}

/// What cannot be done behind a pooler is said, and an unwilling server is noticed there too.
#[tokio::test]
async fn what_a_pooler_cannot_do_is_said() {
    let cluster = Cluster::start(&unsynced());
    let database = cluster.database().await;
    let pooler = Pooler::start(&cluster, 2, &[]);
    let url = pooler.url(database.name());
    let error = within(migrate(&url, None)).await.unwrap_err();
    assert!(error.to_string().contains("migrate needs the server itself, not a pooler"), "{error}");
    let error = within(PostgresStore::open(&url, PostgresOptions::default())).await.unwrap_err();
    assert!(error.to_string().contains("the database is empty"), "{error}");
    migrate(database.url(), None).await.unwrap();
    let store = open(&url, PostgresOptions::default()).await;
    commit(&store, &set([append(owner(1), 1), count(owner(1), 1, None)])).await.unwrap();
    let quiet = smscode_core::port::Wakeups::next(&store);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), quiet).await.is_err(), "there are no wake-ups");
    store.close().await;
    drop(pooler);
    let name = database.name();
    cluster.sql(name, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    let pooler = Pooler::start(&cluster, 2, &[]);
    let error = within(PostgresStore::open(&pooler.url(name), PostgresOptions::default())).await.unwrap_err();
    assert!(error.to_string().contains("synchronous_commit is off"), "{error}");
}
