//! The store under measurement, and what it says of itself.

use std::path::Path;
use std::sync::Arc;

use smscode_core::store::{MemoryStore, Store, StoreError};
use smscode_storage_redb::{RedbOptions, RedbStore};

use crate::args::StoreName;

pub(crate) enum Measured {
    Memory(Arc<MemoryStore>),
    Redb(Arc<RedbStore>),
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

impl Measured {
    pub(crate) fn open(name: StoreName, dir: &Path) -> Result<Self, StoreError> {
        Ok(match name {
            StoreName::Memory => Self::Memory(Arc::new(MemoryStore::new())),
            StoreName::Redb => Self::Redb(Arc::new(RedbStore::open(dir.join("orders.redb"), RedbOptions::default())?)),
        })
    }

    pub(crate) fn port(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::Redb(store) => store.clone(),
        }
    }

    pub(crate) fn counts(&self) -> Result<Counts, StoreError> {
        Ok(match self {
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
