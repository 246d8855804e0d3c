//! PgBouncer in transaction mode before a cluster.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

use smscode_test_postgres::{Cluster, ClusterOptions, Pooler};
use sqlx::{Connection, Executor, PgConnection, Row};

async fn server_process(client: &mut PgConnection) -> i32 {
    let row = client.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()")).await.unwrap();
    row.try_get_raw(0).unwrap().as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn clients_share_a_connection_between_transactions_and_show_their_passwords() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let database = cluster.database().await;
    cluster.sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'right'").await;
    let pooler = Pooler::start(&cluster, 1, &[("ignore_startup_parameters", "extra_float_digits")]);

    let mut one = PgConnection::connect(&pooler.url(database.name())).await.unwrap();
    let mut other = PgConnection::connect(&pooler.url(database.name())).await.unwrap();
    let process = server_process(&mut one).await;
    assert_eq!(server_process(&mut other).await, process);
    one.execute("SET statement_timeout = '123s'").await.unwrap();
    let row = other.fetch_one(sqlx::raw_sql("SHOW statement_timeout")).await.unwrap();
    assert_eq!(row.try_get_raw(0).unwrap().as_str().unwrap(), "123s", "a setting stays behind for the next");

    let as_guest = |password| {
        let mut url = url::Url::parse(&pooler.url(database.name())).unwrap();
        url.set_username("guest").unwrap();
        url.set_password(Some(password)).unwrap();
        String::from(url)
    };
    let mut guest = PgConnection::connect(&as_guest("right")).await.unwrap();
    assert_ne!(server_process(&mut guest).await, process, "a connection for each role");
    PgConnection::connect(&as_guest("wrong")).await.map(drop).unwrap_err();

    drop((one, other, guest, pooler));
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut looks = 0..1_000;
    while cluster.sql(database.name(), left).await != ["0"] {
        assert!(looks.next().is_some(), "the pooler is gone, its connections are not");
    }
}
