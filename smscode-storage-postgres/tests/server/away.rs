//! A server that is away, full or unwilling: what is told of it, and that work goes on when it is back, without opening
//! the store again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smscode_core::store::{ChangeSet, Effect, LoadKey, Receipt, Store, StoreError};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Cluster, ClusterOptions, Database};
use sqlx::{Connection, PgConnection};

use crate::common::{
    NAME, PASSWORD, append, commit, count, effects, fresh_on, guest, numbered, open, owner, plain, set, single,
    unavailable, until, within,
};

fn unsynced() -> ClusterOptions {
    ClusterOptions { fsync: false, ..ClusterOptions::default() }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Every sort of request fails, and nothing of it happens.
async fn nothing_goes(store: &PostgresStore, why: &str) {
    let (effect, reason) = unavailable(commit(store, &set([append(owner(7), 1)])).await);
    assert_eq!(effect, Effect::No, "{reason}");
    assert!(reason.contains(why), "{reason}");
    plain(&reason);
    assert_eq!(unavailable(within(store.load(&[LoadKey::Head(owner(7))])).await).0, Effect::No);
    assert_eq!(unavailable(within(store.describe()).await).0, Effect::No);
    assert_eq!(unavailable(within(store.totals()).await).0, Effect::No);
}

#[tokio::test]
async fn away_at_open_and_later() {
    let cluster = Arc::new(Cluster::start(&unsynced()));
    let database = fresh_on(&cluster).await;
    let store = open(database.url(), PostgresOptions::default()).await;
    commit(&store, &numbered(owner(1), 0)).await.unwrap();
    let server = cluster.clone();
    blocking(move || server.stop()).await;
    let (effect, reason) = unavailable(within(PostgresStore::open(database.url(), single())).await);
    assert_eq!((effect, reason.as_str()), (Effect::No, "the connection failed: connection refused"));
    for _ in 0..3 {
        nothing_goes(&store, "the connection failed").await;
    }
    let server = cluster.clone();
    blocking(move || server.start_again()).await;
    for n in 1..5 {
        assert!(!commit(&store, &numbered(owner(1), n)).await.unwrap().replayed, "at once, not after a pause");
    }
    assert_eq!(effects(&store, owner(1)).await, 5);
    store.describe().await.unwrap();
    store.totals().await.unwrap();
}

/// What one caller was told of each ChangeSet it sent.
type Told = Vec<(Arc<ChangeSet>, Result<Receipt, StoreError>)>;

/// Sends ChangeSets of its own, one after another, until it is told that the server has gone.
async fn caller(store: Arc<PostgresStore>, numbers: Arc<AtomicUsize>) -> Told {
    let mut told = Vec::new();
    loop {
        let set = numbered(owner(1), numbers.fetch_add(1, Ordering::SeqCst) as u64);
        let answer = commit(&*store, &set).await;
        let ended = answer.is_err();
        told.push((set, answer));
        if ended {
            return told;
        }
    }
}

/// Sent again until it is known: whether it had been done before.
async fn settle(store: &PostgresStore, set: &Arc<ChangeSet>) -> bool {
    let replayed = Mutex::new(false);
    until("the server is back", async || match commit(store, set).await {
        Ok(receipt) => {
            *replayed.lock().unwrap() = receipt.replayed;
            true
        }
        Err(error) => unavailable::<()>(Err(error)).1.is_empty(),
    })
    .await;
    replayed.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load() {
    let cluster = Arc::new(Cluster::start(&unsynced()));
    let database = fresh_on(&cluster).await;
    let store = Arc::new(open(database.url(), PostgresOptions::default()).await);
    let numbers = Arc::new(AtomicUsize::new(0));
    let (mut answered, mut lost) = (0, [0, 0]);
    for round in 0..10 {
        let callers: Vec<_> = (0..8).map(|_| tokio::spawn(caller(store.clone(), numbers.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(40 + 23 * round)).await;
        let server = cluster.clone();
        blocking(move || server.kill()).await;
        let mut told = Vec::new();
        for caller in callers {
            told.extend(caller.await.unwrap());
        }
        let server = cluster.clone();
        blocking(move || server.start_again()).await;
        for (set, answer) in told {
            let was_done = settle(&store, &set).await;
            match answer {
                Ok(_) => {
                    assert!(was_done, "what was answered is there");
                    answered += 1;
                }
                Err(error) => match unavailable::<()>(Err(error)) {
                    (Effect::No, reason) => assert!(!was_done, "told that it was not done: {reason}"),
                    (Effect::Unknown, _) => lost[usize::from(was_done)] += 1,
                },
            }
        }
    }
    assert_eq!(effects(&*store, owner(1)).await, numbers.load(Ordering::SeqCst) as u64, "each exactly once");
    println!("killed 10 times: {answered} answered, {} unknown and not done, {} unknown and done", lost[0], lost[1]);
    assert!(answered > 0);
}

/// Takes every connection that is left to a role.
async fn take_all(url: &str) -> Vec<PgConnection> {
    let mut taken = Vec::new();
    while let Ok(connection) = PgConnection::connect(url).await {
        taken.push(connection);
    }
    taken
}

const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'smscode'";

#[tokio::test]
async fn out_of_connections() {
    let cluster = Cluster::start(&ClusterOptions { max_connections: 12, ..unsynced() });
    let (database, url) = guest(&cluster).await;
    let store = open(&url, PostgresOptions::default()).await;
    commit(&store, &numbered(owner(1), 0)).await.unwrap();
    // the listener comes back by itself, so it may be that some are taken by the store
    cluster.sql(database.name(), END_ALL).await;
    let taken = take_all(&url).await;
    assert!(!taken.is_empty());
    let why = "the server has no connection left";
    let (effect, reason) = unavailable(within(PostgresStore::open(&url, single())).await);
    assert_eq!(effect, Effect::No);
    assert!(reason.contains(why), "{reason}");
    nothing_goes(&store, why).await;
    for connection in taken {
        connection.close().await.unwrap();
    }
    until("connections are free", async || commit(&store, &numbered(owner(1), 1)).await.is_ok()).await;
    assert_eq!(effects(&store, owner(1)).await, 2);
}

#[tokio::test]
async fn read_only_for_a_while() {
    let cluster = Cluster::start(&unsynced());
    let (database, url) = guest(&cluster).await;
    let store = open(&url, PostgresOptions::default()).await;
    let name = database.name();
    for n in 0..2 {
        cluster.sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        if n == 0 {
            cluster.sql("postgres", END_ALL).await;
        }
        let why = "the server is read only";
        if n == 1 {
            // what is open already may still write
            commit(&store, &numbered(owner(1), 100)).await.unwrap();
            cluster.sql("postgres", END_ALL).await;
        }
        let (effect, reason) = unavailable(commit(&store, &numbered(owner(1), n)).await);
        assert_eq!(effect, Effect::No);
        assert!(reason.contains(why), "{reason}");
        within(store.load(&[LoadKey::Head(owner(1))])).await.unwrap();
        let other = open(&url, single()).await;
        assert!(unavailable(commit(&other, &numbered(owner(1), n)).await).1.contains(why));
        cluster.sql("postgres", &format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
        // without opening again, and without a fault more: the line is made anew
        commit(&store, &numbered(owner(1), n)).await.unwrap();
        assert!(!commit(&other, &numbered(owner(1), n + 10)).await.unwrap().replayed);
    }
    assert_eq!(effects(&store, owner(1)).await, 5);
}

#[tokio::test]
async fn unwilling_servers_say_what_is_to_be_changed() {
    let cluster = Cluster::start(&unsynced());
    let (database, url) = guest(&cluster).await;
    let name = database.name();
    let empty = cluster.database().await;
    let latin = "latin";
    cluster
        .sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        .await;
    let mighty = |database: &str| cluster.url(database);
    // too long for a name, so that nobody is asked for it
    let no_name = "x".repeat(64);
    let cases = [
        ("store_unusable", url.replace(PASSWORD, "another"), "the server refuses the password"),
        ("store_unusable", url.replace(NAME, "nobody"), "the server refuses the password"),
        ("store_unusable", url.replace(name, "nowhere"), "the server has no such database"),
        ("store_unusable", mighty(latin), "the database has the encoding LATIN1, UTF8 is needed"),
        ("store_unusable", "nonsense".to_owned(), "the address of the server cannot be read"),
        ("store_format", url.replace(name, empty.name()), "the database is empty: run"),
        ("store_unavailable", url.replace("127.0.0.1", &no_name), "the connection failed"),
    ];
    for (code, url, why) in cases {
        let error = within(PostgresStore::open(&url, single())).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        plain(&error.to_string());
        plain(&format!("{error:?}"));
    }
    for (database, role) in [(name, "ALTER ROLE"), (name, "ALTER DATABASE")] {
        let whose = if role == "ALTER ROLE" { NAME } else { database };
        cluster.sql(database, &format!("{role} {whose} SET synchronous_commit = off")).await;
        let error = within(PostgresStore::open(&url, single())).await.unwrap_err();
        assert_eq!(error.code(), "store_unusable", "{error}");
        assert!(error.to_string().contains("synchronous_commit is off"), "{error}");
        cluster.sql(database, &format!("{role} {whose} RESET synchronous_commit")).await;
    }
    open(&url, single()).await.close().await;
}

/// Rights, tables and versions that change under an open store.
#[tokio::test]
async fn a_schema_that_changes_under_an_open_store() {
    let cluster = Cluster::start(&unsynced());
    let (database, url) = guest(&cluster).await;
    let store = open(&url, single()).await;
    let name = database.name();
    let cases = [
        (format!("REVOKE ALL ON ALL TABLES IN SCHEMA smscode FROM {NAME}"), "has no rights", true),
        (format!("REVOKE USAGE ON SCHEMA smscode FROM {NAME}"), "has no rights", true),
        (format!("REVOKE INSERT ON smscode.events FROM {NAME}"), "has no rights", false),
        ("ALTER TABLE smscode.counters RENAME TO somewhere".to_owned(), "not as it was", true),
        ("ALTER TABLE smscode.operations RENAME COLUMN stored TO kept".to_owned(), "not as it was", true),
    ];
    let grants = cluster.sql(name, "SELECT 1 FROM smscode.heads").await;
    assert!(grants.is_empty());
    for (n, (change, why, reads_too)) in cases.into_iter().enumerate() {
        cluster.sql(name, &change).await;
        let set = numbered(owner(1), n as u64);
        let error = commit(&store, &set).await.unwrap_err();
        assert_eq!(error.code(), "store_unusable", "{change}: {error}");
        assert!(error.to_string().contains(why), "{change}: {error}");
        plain(&error.to_string());
        let read = within(store.load(&[LoadKey::Head(owner(1))])).await;
        assert_eq!(read.is_err(), reads_too, "{change}: {read:?}");
        let back = match change.split(' ').next() {
            Some("REVOKE") => format!(
                "GRANT USAGE ON SCHEMA smscode TO {NAME}; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smscode TO {NAME}"
            ),
            _ if change.contains("somewhere") => "ALTER TABLE smscode.somewhere RENAME TO counters".to_owned(),
            _ => "ALTER TABLE smscode.operations RENAME COLUMN kept TO stored".to_owned(),
        };
        cluster.sql(name, &back).await;
        assert!(!commit(&store, &set).await.unwrap().replayed, "{change}: nothing of it was done");
    }
    assert_eq!(effects(&store, owner(1)).await, 5);
}

#[tokio::test]
async fn older_and_newer_schemas() {
    let cluster = Cluster::start(&unsynced());
    let (database, url) = guest(&cluster).await;
    let store = open(&url, single()).await;
    let name = database.name();
    let newest = cluster.sql(name, "SELECT max(version) FROM smscode.migrations").await.remove(0);
    let all = "CREATE TABLE kept AS SELECT * FROM smscode.migrations";
    cluster.sql(name, all).await;
    let newer = "INSERT INTO smscode.migrations SELECT version + 1000, description, installed_on, success, checksum, \
                 execution_time FROM smscode.migrations WHERE version = 101";
    let cases = [
        ("DELETE FROM smscode.migrations WHERE version > 110".to_owned(), "the database is older"),
        (format!("DELETE FROM smscode.migrations WHERE version = {newest}"), "the database is older"),
        (newer.to_owned(), "the database is newer"),
    ];
    for (change, why) in cases {
        cluster.sql(name, &change).await;
        for error in [
            within(PostgresStore::open(&url, single())).await.map(drop).unwrap_err(),
            within(store.describe()).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(error.code(), "store_format", "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
        cluster.sql(name, "DELETE FROM smscode.migrations; INSERT INTO smscode.migrations SELECT * FROM kept").await;
        store.describe().await.unwrap();
    }
    cluster.sql(name, newer).await;
    let error = within(smscode_storage_postgres::migrate(&cluster.url(name), Some(&url))).await.unwrap_err();
    assert_eq!(error.code(), "store_format", "{error}");
    assert!(error.to_string().contains("the database is newer"), "{error}");
}

/// A row that makes no sense fails who asks for it, and nobody else in the same group or the same read.
#[tokio::test]
async fn an_unreadable_row_harms_nobody_else() {
    let cluster = Cluster::start(&unsynced());
    let database: Database = fresh_on(&cluster).await;
    let store = open(database.url(), single()).await;
    let damaged = numbered(owner(2), 0);
    commit(&store, &damaged).await.unwrap();
    cluster.sql(database.name(), "UPDATE smscode.heads SET currency = 'XXX' WHERE last_event = 1").await;
    let mut sets: Vec<_> = (0..5).map(|n| numbered(owner(1), n)).collect();
    sets.insert(2, numbered(owner(2), 1));
    sets.push(set([count(owner(2), 1, None)]));
    let answers = crate::common::together(&store, &sets).await;
    let codes: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().map_or_else(StoreError::code, |_| "done")).collect();
    assert_eq!(codes, ["done", "done", "store_corrupt", "done", "done", "done", "done"]);
    let loads = [1, 2, 1].map(|of| store.load(vec![LoadKey::Head(owner(of))].leak()));
    let read = within(futures_util::future::join_all(loads)).await;
    assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(effects(&store, owner(1)).await, 5);
}
