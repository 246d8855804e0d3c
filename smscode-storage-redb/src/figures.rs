//! Figures for measurements. No part of the port.

use std::sync::atomic::Ordering;

use redb::ReadableTableMetadata;
use smscode_core::store::StoreError;
use smscode_core::store::ordered::Table;

use crate::RedbStore;
use crate::fault;
use crate::read::View;

/// What a store has done since it was opened, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedbFigures {
    /// Commits that took effect, each once.
    pub commits: u64,
    /// Groups they were made durable in, one transaction each.
    pub groups: u64,
    /// Syncs to the disk: two a group with quick repair, else one. The few of a growing file are not counted.
    pub syncs: u64,
    /// Rows put or removed.
    pub rows_written: u64,
    /// What is in each table, in a fixed order.
    pub tables: Vec<TableFigures>,
}

/// What is in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFigures {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: u64,
    /// Bytes of its keys and values.
    pub stored_bytes: u64,
    /// Bytes of the pages they are in.
    pub page_bytes: u64,
}

impl RedbFigures {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of all keys and values.
    pub fn stored_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.stored_bytes).sum()
    }
}

impl RedbStore {
    /// The store's figures. Walks over the pages of the whole file: for measurements only.
    ///
    /// # Errors
    ///
    /// As any read.
    pub fn figures(&self) -> Result<RedbFigures, StoreError> {
        self.read(|view| self.count(view))
    }

    fn count(&self, view: &View) -> fault::Result<RedbFigures> {
        const PAGE_BYTES: u64 = 4_096;
        let mut figures = Vec::new();
        for sort in Table::ALL {
            let table = view.table(sort)?;
            let stats = table.stats()?;
            figures.push(TableFigures {
                name: sort.name(),
                rows: table.len()?,
                stored_bytes: stats.stored_bytes(),
                page_bytes: (stats.leaf_pages() + stats.branch_pages()) * PAGE_BYTES,
            });
        }
        let groups = self.tallies.groups.load(Ordering::Relaxed);
        Ok(RedbFigures {
            commits: self.tallies.commits.load(Ordering::Relaxed),
            groups,
            syncs: groups * if self.options.quick_repair { 2 } else { 1 },
            rows_written: self.tallies.rows_written.load(Ordering::Relaxed),
            tables: figures,
        })
    }
}
