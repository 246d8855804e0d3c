//! The store under measurement, and what it says of itself.

use std::path::Path;
use std::sync::Arc;

use smscode_core::store::{MemoryStore, Store};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_storage_redb::{RedbOptions, RedbStore};
use smscode_test_postgres::{Cluster, ClusterOptions, Database};

use crate::Failure;
use crate::args::{Options, StoreName};

pub(crate) enum Measured {
    Memory(Arc<MemoryStore>),
    Redb(Arc<RedbStore>),
    Postgres { cluster: Box<Cluster>, database: Database, store: Arc<PostgresStore> },
}

/// What a store has done and holds, at one moment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) commits: u64,
    /// Groups of commits that became durable together.
    pub(crate) groups: u64,
    /// Syncs to the disk; `None` where there is none.
    pub(crate) syncs: Option<u64>,
    pub(crate) rows: u64,
    pub(crate) rows_written: Option<u64>,
    /// Bytes of all keys and values.
    pub(crate) bytes: u64,
    /// Bytes of the pages that they are in.
    pub(crate) page_bytes: Option<u64>,
}

const ROWS: &str = "SELECT (SELECT count(*) FROM smscode.records) + (SELECT count(*) FROM smscode.terms)
    + (SELECT count(*) FROM smscode.heads) + (SELECT count(*) FROM smscode.counters) + (SELECT count(*) FROM smscode.transfers)
    + (SELECT count(*) FROM smscode.events) + (SELECT count(*) FROM smscode.operations) + (SELECT count(*) FROM smscode.sums)";
const BYTES: &str = "SELECT (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.records t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.terms t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.heads t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.counters t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.transfers t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.events t)
    + (SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM smscode.operations t)";
/// With indexes, and with rows that are dead and not swept yet.
const PAGES: &str = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relnamespace = 'smscode'::regnamespace AND relkind = 'r'";

impl Measured {
    pub(crate) async fn open(how: &Options, dir: &Path) -> Result<Self, Failure> {
        Ok(match how.store {
            StoreName::Memory => Self::Memory(Arc::new(MemoryStore::new())),
            StoreName::Redb => Self::Redb(Arc::new(RedbStore::open(dir.join("orders.redb"), RedbOptions::default())?)),
            StoreName::Postgres => {
                let options = PostgresOptions {
                    committers: how.committers as usize,
                    readers: how.readers as usize,
                    ..PostgresOptions::default()
                };
                let cluster = tokio::task::block_in_place(|| Cluster::start(&ClusterOptions::default()));
                let database = cluster.database().await;
                let store = PostgresStore::open(database.url(), options).await?;
                Self::Postgres { cluster: Box::new(cluster), database, store: Arc::new(store) }
            }
        })
    }

    pub(crate) fn port(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Redb(store) => store.clone(),
            Self::Postgres { store, .. } => store.clone(),
        }
    }

    /// What it has done and holds. Reads everything, where it has to be counted.
    pub(crate) async fn counts(&self) -> Result<Counts, Failure> {
        let mut counts = self.progress()?;
        if let Self::Postgres { cluster, database, .. } = self {
            let sum = |sql: &'static str| async move {
                let rows = cluster.sql(database.name(), sql).await;
                Ok::<u64, Failure>(rows.first().ok_or("no figure")?.parse()?)
            };
            counts.rows = sum(ROWS).await?;
            counts.bytes = sum(BYTES).await?;
            counts.page_bytes = Some(sum(PAGES).await?);
        }
        Ok(counts)
    }

    /// What it has done, cheaply.
    pub(crate) fn progress(&self) -> Result<Counts, Failure> {
        Ok(match self {
            Self::Postgres { store, .. } => {
                let figures = store.figures();
                Counts {
                    commits: figures.commits,
                    groups: figures.groups,
                    syncs: Some(figures.groups),
                    ..Counts::default()
                }
            }
            Self::Memory(store) => {
                let figures = store.figures();
                Counts {
                    commits: figures.commits,
                    groups: figures.groups,
                    rows: figures.rows,
                    bytes: figures.bytes,
                    ..Counts::default()
                }
            }
            Self::Redb(store) => {
                let figures = store.figures()?;
                Counts {
                    commits: figures.commits,
                    groups: figures.groups,
                    syncs: Some(figures.syncs),
                    rows: figures.rows(),
                    rows_written: Some(figures.rows_written),
                    bytes: figures.stored_bytes(),
                    page_bytes: Some(figures.tables.iter().map(|table| table.page_bytes).sum()),
                }
            }
        })
    }
}

impl Counts {
    /// What was added since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let both = |now: Option<u64>, then: Option<u64>| now.zip(then).map(|(now, then)| now.saturating_sub(then));
        Self {
            commits: self.commits - before.commits,
            groups: self.groups - before.groups,
            syncs: both(self.syncs, before.syncs),
            rows: self.rows.saturating_sub(before.rows),
            rows_written: both(self.rows_written, before.rows_written),
            bytes: self.bytes.saturating_sub(before.bytes),
            page_bytes: both(self.page_bytes, before.page_bytes),
        }
    }
}
