//! The role that `migrate` makes, and what it may not do; TLS to the server.

use smscode_core::store::{Store, StoreError};
use smscode_storage_postgres::{PostgresOptions, PostgresStore, migrate};
use smscode_test_postgres::shared;
use sqlx::{Connection, Executor, PgConnection};

use crate::common::{commit, effects, numbered, open, owner, single};

/// The address of a database with another user and password in it.
fn as_user(url: &str, user: &str) -> String {
    let rest = url.rsplit_once('@').unwrap().1;
    format!("postgres://{user}:a%20pass%2Fword@{rest}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_the_program_has_rights_on_rows_alone() {
    let database = shared().database().await;
    let user = format!("app_{}", database.name());
    let url = as_user(database.url(), &user);
    let first = migrate(database.url(), Some(&url)).await.unwrap();
    assert_eq!((first.before, first.role.clone()), (0, Some((user.clone(), true))));
    let second = migrate(database.url(), Some(&url)).await.unwrap();
    assert_eq!((second.before, second.now), (first.now, first.now), "nothing is left to do");
    assert_eq!(second.role, Some((user.clone(), false)));

    let store = open(&url, single()).await;
    for n in 0..20 {
        commit(&store, &numbered(owner(1), n)).await.unwrap();
    }
    assert_eq!(effects(&store, owner(1)).await, 20);
    store.close().await;

    let mut connection = PgConnection::connect(&url).await.unwrap();
    for forbidden in [
        "CREATE TABLE smscode.mine (n integer)",
        "DROP TABLE smscode.records",
        "TRUNCATE smscode.transfers",
        "ALTER TABLE smscode.heads DROP COLUMN debt",
        "DELETE FROM smscode.migrations",
        "CREATE SCHEMA other",
    ] {
        let refused = connection.execute(forbidden).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}");
    }
    // reports are for roles that are given them
    shared().sql(database.name(), &format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_find_an_empty_database_set_it_up_once() {
    let database = shared().database().await;
    let options = || PostgresOptions::default();
    let (one, two) =
        tokio::join!(PostgresStore::open(database.url(), options()), PostgresStore::open(database.url(), options()));
    let (one, two) = (one.unwrap(), two.unwrap());
    commit(&one, &numbered(owner(1), 1)).await.unwrap();
    assert_eq!(effects(&two, owner(1)).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_schema_is_refused_with_what_to_do() {
    let database = shared().database().await;
    let store = open(database.url(), single()).await;
    let cases = [
        ("INSERT INTO smscode.migrations VALUES (999, 'later', now(), true, '', 0)", "newer"),
        ("DELETE FROM smscode.migrations WHERE version > 114", "older"),
    ];
    for (change, wanted) in cases {
        shared().sql(database.name(), change).await;
        match store.describe().await {
            Err(StoreError::Format { found, known, advice, .. }) => {
                assert_eq!(found > known, wanted == "newer", "{found} and {known}");
                assert!(advice.contains(wanted), "{advice}");
            }
            other => panic!("{wanted}: {other:?}"),
        }
    }
    shared().sql(database.name(), "INSERT INTO smscode.migrations VALUES (999, 'later', now(), true, '', 0)").await;
    let refused = PostgresStore::open(database.url(), single()).await;
    assert!(matches!(refused, Err(StoreError::Format { found: 999, .. })), "a newer database is left alone");
}

/// What the views show of a deposit and a hold, in their typed columns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_have_typed_columns() {
    let database = shared().database().await;
    let store = open(database.url(), single()).await;
    commit(&store, &numbered(owner(7), 1)).await.unwrap();
    let row = "SELECT kind, amount_minor, debit, credit, available_after_minor, at > '2020-01-01' FROM smscode_report.transfers";
    assert_eq!(shared().sql(database.name(), row).await, ["deposit|5|house:clearing:host|available|5|t"]);
    let row = "SELECT number, amount_minor, clearing, currency FROM smscode_report.deposits";
    assert_eq!(shared().sql(database.name(), row).await, ["1|5|house:clearing:host|IDR"]);
    let totals = store.totals().await.unwrap();
    assert_eq!(totals.currencies.values().map(|line| line.sum()).sum::<i128>(), 0);
}
