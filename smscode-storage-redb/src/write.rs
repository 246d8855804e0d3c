//! The writer: one thread that commits groups.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Durability, ReadableDatabase, WriteTransaction};
use smscode_core::store::ordered::{self, Change};
use smscode_core::store::{CommitQueue, Effect, Names, Pending, Receipt, Refusal, judge_group};

use crate::fault::{Fault, Result};
use crate::open::Engine;
use crate::read::View;
use crate::tables::definition;

/// What the writer has done since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) rows_written: AtomicU64,
}

pub(crate) struct Writer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) queue: Arc<CommitQueue>,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) quick_repair: bool,
    pub(crate) group_max: usize,
}

impl Writer {
    /// Commits groups until the queue is closed and empty.
    pub(crate) fn run(self) {
        self.queue.serve_blocking(self.group_max, |group| {
            let committed = catch_unwind(AssertUnwindSafe(|| self.commit(group)));
            committed.unwrap_or(Err((Fault::Panicked, Effect::Unknown))).map_err(|(fault, effect)| {
                if matches!(fault, Fault::Engine(_) | Fault::Panicked) {
                    self.engine.mark_failed();
                }
                fault.tell(effect)
            })
        });
    }

    fn commit(
        &self,
        group: &[Pending],
    ) -> std::result::Result<Vec<std::result::Result<Receipt, Refusal>>, (Fault, Effect)> {
        let before = |fault| (fault, Effect::No);
        let members = || group.iter().map(|pending| &*pending.change_set);
        let opened = self.engine.for_writing().map_err(before)?;
        let database = opened.database().map_err(before)?;
        // there is one writer, so nothing changes these rows meanwhile
        let judged = || -> Result<_> {
            let view = View::of(database.begin_read()?);
            let (writes, results) = judge_group(ordered::rows(&view, &Names::of(members()))?, members());
            let commits = writes.operations.len() as u64;
            // all refused or made before: nothing to make durable
            let changes = if commits == 0 { Vec::new() } else { ordered::changes(&view, &writes)? };
            Ok((results, commits, changes))
        };
        let (results, commits, changes) = judged().map_err(before)?;
        if commits == 0 {
            return Ok(results);
        }
        let written = || -> Result<WriteTransaction> {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.set_quick_repair(self.quick_repair);
            write(&transaction, &changes)?;
            Ok(transaction)
        };
        let transaction = written().map_err(before)?;
        transaction.commit().map_err(|error| (error.into(), Effect::Unknown))?;
        self.tallies.commits.fetch_add(commits, Ordering::Relaxed);
        self.tallies.groups.fetch_add(1, Ordering::Relaxed);
        self.tallies.rows_written.fetch_add(changes.len() as u64, Ordering::Relaxed);
        Ok(results)
    }
}

/// Writes the changes, each table in the order of its keys.
pub(crate) fn write(transaction: &WriteTransaction, changes: &[Change]) -> Result<()> {
    for of_one in changes.chunk_by(|a, b| a.table == b.table) {
        let Some(first) = of_one.first() else {
            continue;
        };
        let mut table = transaction.open_table(definition(first.table))?;
        for Change { key, value, .. } in of_one {
            match value {
                Some(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                None => drop(table.remove(key.as_slice())?),
            }
        }
    }
    Ok(())
}
