//! Databases of the shared server.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use smscode_test_postgres::{Cluster, ClusterOptions, Database, Server, shared};
use sqlx::{Connection, Executor, PgConnection};

/// A database from a template with one table of one row.
async fn with_table(server: &Server) -> Database {
    static SET_UPS: AtomicU32 = AtomicU32::new(0);
    let set_up = async |url: String| {
        assert_eq!(SET_UPS.fetch_add(1, Ordering::SeqCst), 0, "set up twice");
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute("CREATE TABLE marks (mark int); INSERT INTO marks VALUES (1)").await.unwrap();
        connection.close().await.unwrap();
    };
    server.template("marks", set_up).await.database().await
}

#[tokio::test]
async fn a_database_has_what_its_template_has_and_is_apart_from_others() {
    let server = shared();
    let (one, other) = (with_table(server).await, with_table(server).await);
    server.sql(one.name(), "INSERT INTO marks VALUES (2), (NULL)").await;
    assert_eq!(server.sql(one.name(), "SELECT mark, mark + 1 FROM marks ORDER BY mark").await, ["1|2", "2|3", "|"]);
    assert_eq!(server.sql(other.name(), "SELECT mark FROM marks").await, ["1"]);
    let empty = server.database().await;
    assert_eq!(server.sql(empty.name(), "SELECT to_regclass('marks') IS NULL").await, ["t"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_ask_at_once() {
    let asked: Vec<_> = (0..24).map(|_| tokio::spawn(with_table(shared()))).collect();
    let mut names = BTreeSet::new();
    for one in asked {
        let database = one.await.unwrap();
        assert_eq!(shared().sql(database.name(), "SELECT mark FROM marks").await, ["1"]);
        names.insert(database.name().to_owned());
    }
    assert_eq!(names.len(), 24);
}

#[tokio::test]
async fn a_set_up_that_fails_is_done_anew_and_what_it_leaves_open_is_closed() {
    static FAILS: AtomicBool = AtomicBool::new(true);
    let set_up = async |url: String| {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute("CREATE TABLE halves (half int)").await.unwrap();
        assert!(!FAILS.swap(false, Ordering::SeqCst), "the first time fails on purpose");
        std::mem::forget(connection);
    };
    let first = tokio::spawn(async move { shared().template("fails once", set_up).await.database().await });
    assert!(first.await.unwrap_err().is_panic());
    let database = shared().template("fails once", set_up).await.database().await;
    assert_eq!(shared().sql(database.name(), "SELECT count(*) FROM halves").await, ["0"]);
}

#[tokio::test]
async fn databases_given_back_do_not_pile_up() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let template = cluster.template("empty", async |url| drop(url)).await;
    let kept = template.database().await;
    let before = count(&cluster).await;
    for _ in 0..20 {
        let database = template.database().await;
        // Still open when it is dropped, as after a test that has failed.
        std::mem::forget(PgConnection::connect(database.url()).await.unwrap());
    }
    assert_eq!(count(&cluster).await - before, 17, "16 wait to be dropped, and the last was the 17th");
    assert_eq!(cluster.sql(kept.name(), "SELECT 1").await, ["1"]);
}

async fn count(server: &Server) -> u32 {
    server.sql("postgres", "SELECT count(*) FROM pg_database").await[0].parse().unwrap()
}
