//! Reading: a view of the file as core reads it.

use std::ops::{Bound, ControlFlow};
use std::sync::OnceLock;

use redb::{ReadOnlyTable, ReadTransaction};
use smscode_core::store::codec::Unreadable;
use smscode_core::store::ordered::{self, Table};
use smscode_core::store::{Totals, let_others_run};

use crate::fault::{Fault, Result, guarded};
use crate::tables::definition;

type Opened = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The newest committed state at the time it was made. Each table is opened when it is first read.
pub(crate) struct View {
    transaction: ReadTransaction,
    tables: [OnceLock<Opened>; Table::ALL.len()],
}

impl View {
    pub(crate) fn of(transaction: ReadTransaction) -> Self {
        Self { transaction, tables: Default::default() }
    }

    pub(crate) fn table(&self, table: Table) -> Result<&Opened> {
        let place = &self.tables[table as usize];
        match place.get() {
            Some(opened) => Ok(opened),
            None => {
                let opened = self.transaction.open_table(definition(table))?;
                Ok(place.get_or_init(|| opened))
            }
        }
    }
}

impl ordered::View for View {
    type Error = Fault;

    fn get<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> std::result::Result<T, Unreadable>,
    ) -> Result<Option<T>> {
        Ok(self.table(table)?.get(key)?.map(|row| read(row.value())).transpose()?)
    }

    fn walk(
        &self,
        table: Table,
        from: Bound<&[u8]>,
        until: Bound<&[u8]>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        for row in self.table(table)?.range::<&[u8]>((from, until))? {
            let (key, value) = row?;
            if each(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Sums every head, some at a stretch: between two stretches other tasks of the thread run. The view stays the same.
pub(crate) async fn totals(view: &View) -> Result<Totals> {
    let mut totals = guarded(|| ordered::sums(view))?;
    let mut after = None;
    while let Some(last) = guarded(|| ordered::add_heads(view, &mut totals, after))? {
        after = Some(last);
        let_others_run().await;
    }
    Ok(totals)
}
