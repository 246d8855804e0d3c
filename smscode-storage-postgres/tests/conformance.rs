//! The conformance suite on a real Postgres.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the macro draws a fresh seed")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Failure, Fixture, PortableFixture};
use smscode_core::store::copy::Portable;
use smscode_core::store::{Store, StoreError};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Database, shared};

/// A store with a database of its own.
struct Sql {
    store: Arc<PostgresStore>,
    database: Database,
    options: PostgresOptions,
}

async fn fresh() -> Database {
    let template = shared().template("smscode", async |url| {
        PostgresStore::open(&url, PostgresOptions::default()).await.unwrap().close().await;
    });
    template.await.database().await
}

#[async_trait]
impl Fixture for Sql {
    async fn open(group_max: usize) -> Self {
        let options = PostgresOptions { group_max, limit_ms: 60_000, ..PostgresOptions::default() };
        let database = fresh().await;
        let store = Arc::new(PostgresStore::open(database.url(), options.clone()).await.unwrap());
        Self { store, database, options }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Goes on in the same database with new connections; the old store is left without a goodbye.
    async fn reopen(mut self) -> Result<Self, StoreError> {
        self.store = Arc::new(PostgresStore::open(self.database.url(), self.options.clone()).await?);
        Ok(self)
    }

    /// The files of every table and index of the schema, with dead rows. The log of the server is shared with other
    /// databases; a test of its own looks there.
    async fn raw_bytes(&self) -> Vec<u8> {
        let files = "SELECT encode(pg_read_binary_file(pg_relation_filepath(c.oid)), 'escape') FROM pg_class c
            WHERE c.relkind IN ('r', 'i', 't') AND (c.relnamespace = 'smscode'::regnamespace
                OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE relnamespace = 'smscode'::regnamespace))";
        shared().sql(self.database.name(), "CHECKPOINT").await;
        shared().sql(self.database.name(), files).await.join("\n").into_bytes()
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        let second = PostgresStore::open(self.database.url(), self.options.clone()).await;
        Some(Arc::new(second.unwrap()))
    }

    fn excuses() -> &'static [Excuse] {
        &[]
    }
}

/// No case takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(600);

fn run<T>(case: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    RUNTIME.block_on(async {
        let told = || Err(Failure::new("a call was left unanswered"));
        tokio::time::timeout(PATIENCE, case).await.unwrap_or_else(|_| told())
    })
}

impl PortableFixture for Sql {
    fn portable(&self) -> Arc<dyn Portable> {
        self.store.clone()
    }
}

smscode_core::conformance_suite!(Sql, run);
smscode_core::copying_suite!(Sql, run);
