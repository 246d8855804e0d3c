//! The floor of Postgres: a hold written by hand, one prepared statement that is its own transaction (update with floor,
//! insert transfer, insert order), from 32 connections. It counts only if it reaches 0.8 of `pgbench -N` on this server.

#![allow(clippy::disallowed_methods, reason = "measuring is what this program is for")]
#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use std::process::Command;
use std::time::{Duration, Instant};

use smscode_core::port::Entropy;
use smscode_providers::clock::OsEntropy;
use smscode_test_postgres::{Cluster, Database};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::Failure;

const CONNECTIONS: usize = 32;
/// Accounts that the holds are shared out to, as many as there are callers by default.
const ACCOUNTS: i64 = 64;
const PGBENCH_SECONDS: &str = "3";

const TABLES: &str = "
CREATE TABLE heads (owner uuid PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0), held bigint NOT NULL, number bigint NOT NULL);
CREATE TABLE transfers (id uuid PRIMARY KEY, owner uuid NOT NULL, number bigint NOT NULL, kind text NOT NULL, amount bigint NOT NULL,
    available bigint NOT NULL, held bigint NOT NULL);
CREATE TABLE orders (id uuid PRIMARY KEY, owner uuid NOT NULL, body text NOT NULL);
INSERT INTO heads SELECT lpad(to_hex(n), 32, '0')::uuid, 1000000000000000, 0, 0 FROM generate_series(1, 64) n";

const HOLD: &str = "WITH head AS (
    UPDATE heads SET available = available - $3, held = held + $3, number = number + 1 WHERE owner = $2 AND available >= $3
    RETURNING owner, number, available, held
), transfer AS (
    INSERT INTO transfers SELECT $1, owner, number, 'hold', $3, available, held FROM head
)
INSERT INTO orders SELECT $1, owner, $4 FROM head";

pub(crate) struct Sql {
    _database: Database,
    connections: Vec<std::sync::Arc<Mutex<PgConnection>>>,
    pub(crate) pgbench_per_s: Option<f64>,
}

impl Sql {
    pub(crate) async fn open(cluster: &Cluster) -> Result<Self, Failure> {
        let database = cluster.database().await;
        cluster.sql(database.name(), TABLES).await;
        let options: PgConnectOptions = database.url().parse()?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(std::sync::Arc::new(Mutex::new(PgConnection::connect_with(&options).await?)));
        }
        let url = cluster.database().await;
        let pgbench_per_s = tokio::task::block_in_place(|| pgbench(url.url()));
        Ok(Self { _database: database, connections, pgbench_per_s })
    }

    pub(crate) async fn run(&self, time: Duration) -> Result<(u64, f64), Failure> {
        let begun = Instant::now();
        let mut callers = JoinSet::new();
        for connection in &self.connections {
            let connection = connection.clone();
            callers.spawn(async move {
                let mut connection = connection.lock().await;
                let mut holds = 0;
                while begun.elapsed() < time {
                    hold(&mut connection).await?;
                    holds += 1;
                }
                Ok::<u64, Failure>(holds)
            });
        }
        let mut holds = 0;
        while let Some(some) = callers.join_next().await {
            holds += some??;
        }
        Ok((holds, begun.elapsed().as_secs_f64()))
    }
}

async fn hold(connection: &mut PgConnection) -> Result<(), Failure> {
    let mut id = [0; 16];
    OsEntropy.fill(&mut id);
    let owner = i64::from(id[0]) % ACCOUNTS + 1;
    let done = sqlx::query(HOLD)
        .bind(sqlx::types::Uuid::from_bytes(id))
        .bind(sqlx::types::Uuid::from_u128(owner as u128))
        .bind(10_i64)
        .bind("{\"v\":1,\"state\":\"requested\",\"service\":\"wa\",\"country\":6,\"price_minor\":10}")
        .execute(connection)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err("a hold of the floor was not written".into()) }
}

/// Transactions per second of `pgbench -N`; `None` where it is not installed.
fn pgbench(url: &str) -> Option<f64> {
    let run = |arguments: &[&str]| Command::new("pgbench").args(arguments).arg(url).output().ok();
    run(&["-i", "-s", "10", "-q"]).filter(|output| output.status.success())?;
    let output = run(&["-N", "-M", "prepared", "-c", "32", "-j", "2", "-T", PGBENCH_SECONDS])?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}
