//! A cluster of one's own is killed, stopped, started again.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

use std::net::TcpStream;
use std::path::Path;

use smscode_test_postgres::{Cluster, ClusterOptions};
use sqlx::{Connection, Executor, PgConnection};

/// Processes whose working folder this is: each of a server's is in its data directory.
fn processes_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder)).count()
}

fn segment_exists(id: &str) -> bool {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().any(|line| line.split_ascii_whitespace().nth(1) == Some(id))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_survives_a_kill_and_nothing_else_does() {
    let cluster = Cluster::start(&ClusterOptions::default());
    assert_eq!(cluster.sql("postgres", "SHOW fsync").await, ["on"]);
    let database = cluster.database().await;
    cluster.sql(database.name(), "CREATE TABLE marks (mark int); INSERT INTO marks VALUES (1)").await;
    let mut open = PgConnection::connect(database.url()).await.unwrap();
    open.execute("BEGIN; INSERT INTO marks VALUES (2)").await.unwrap();
    let before = cluster.pid();
    assert!(processes_in(&cluster.data_dir()) > 5, "postmaster, its own processes, and one for the connection");

    cluster.kill();
    assert_eq!(processes_in(&cluster.data_dir()), 0);
    TcpStream::connect(("127.0.0.1", cluster.port())).unwrap_err();
    open.execute("COMMIT").await.unwrap_err();

    cluster.start_again();
    assert_ne!(cluster.pid(), before);
    assert_eq!(cluster.sql(database.name(), "SELECT mark FROM marks").await, ["1"]);
    assert!(cluster.log().contains("automatic recovery in progress"), "{}", cluster.log());
}

#[tokio::test]
async fn a_stop_is_in_good_order_and_settings_hold() {
    let settings = vec![("work_mem".to_owned(), "5MB".to_owned()), ("cluster_name".to_owned(), "it's ours".to_owned())];
    let cluster = Cluster::start(&ClusterOptions { fsync: false, max_connections: 20, settings });
    cluster.sql("postgres", "CREATE TABLE marks (mark int); INSERT INTO marks VALUES (1)").await;
    let mut open = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    cluster.stop();
    open.ping().await.unwrap_err();
    cluster.start_again();
    assert_eq!(cluster.sql("postgres", "SELECT mark FROM marks").await, ["1"]);
    for (name, value) in
        [("work_mem", "5MB"), ("cluster_name", "it's ours"), ("max_connections", "20"), ("fsync", "off")]
    {
        assert_eq!(cluster.sql("postgres", &format!("SHOW {name}")).await, [value], "{name}");
    }
    assert!(!cluster.log().contains("automatic recovery"), "{}", cluster.log());
}

#[test]
fn a_cluster_that_is_dropped_leaves_nothing_also_when_it_was_killed() {
    for killed in [false, true] {
        let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
        let folder = cluster.data_dir();
        let status = std::fs::read_to_string(folder.join("postmaster.pid")).unwrap();
        let segment = status.lines().nth(6).unwrap().split_ascii_whitespace().nth(1).unwrap();
        assert!(segment_exists(segment) && folder.is_dir());
        if killed {
            cluster.kill();
        }
        drop(cluster);
        assert!(!folder.parent().unwrap().exists(), "killed: {killed}");
        assert_eq!(processes_in(&folder), 0);
        assert!(!segment_exists(segment), "killed: {killed}");
    }
}

#[tokio::test]
async fn roles_and_passwords_count() {
    let server = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let database = server.database().await;
    let set_up =
        "CREATE TABLE marks (mark int); CREATE ROLE reader LOGIN PASSWORD 'right'; GRANT SELECT ON marks TO reader";
    server.sql(database.name(), set_up).await;
    let url = url::Url::parse(database.url()).unwrap();
    let as_role = |password| {
        let mut url = url.clone();
        url.set_username("reader").unwrap();
        url.set_password(Some(password)).unwrap();
        String::from(url)
    };
    let code = |error: &sqlx::Error| error.as_database_error().and_then(|error| Some(error.code()?.into_owned()));
    let refused = PgConnection::connect(&as_role("wrong")).await.map(drop).unwrap_err();
    assert_eq!(code(&refused).as_deref(), Some("28P01"));
    let mut connection = PgConnection::connect(&as_role("right")).await.unwrap();
    connection.execute("SELECT mark FROM marks").await.unwrap();
    let refused = connection.execute("DELETE FROM marks").await.unwrap_err();
    assert_eq!(code(&refused).as_deref(), Some("42501"));
    connection.close().await.unwrap();
}
