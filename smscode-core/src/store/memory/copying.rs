//! Copying a store in memory: all of it is cloned at once, which takes as much memory again.

use std::mem;

use async_trait::async_trait;

use super::{Data, MemoryStore};
use crate::store::copy::{Export, Import, Part, Portable, Section, StoredRow};
use crate::store::{Effect, StoreError, Totals, Writes};

/// Rows in one part.
const PART_ROWS: usize = 500;

#[async_trait]
impl Portable for MemoryStore {
    async fn export(&self) -> Result<Box<dyn Export>, StoreError> {
        let data = self.lock();
        let sections = Section::ALL.map(|section| data.section(section));
        Ok(Box::new(Moment { totals: data.totals(), sections }))
    }

    async fn import(&self) -> Result<Option<Box<dyn Import + '_>>, StoreError> {
        let empty = self.lock().is_empty();
        Ok(empty.then(|| Box::new(Filling { store: self, data: Data::default() }) as Box<dyn Import + '_>))
    }
}

impl Data {
    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.heads.is_empty()
            && self.counters.is_empty()
            && self.transfer_ids.is_empty()
            && self.events.is_empty()
            && self.operations.is_empty()
            && self.totals.currencies.is_empty()
    }

    fn section(&self, section: Section) -> Vec<StoredRow> {
        match section {
            Section::Records => self.records.iter().map(|(k, r)| StoredRow::Record(k.clone(), r.clone())).collect(),
            Section::Heads => self.heads.iter().map(|(owner, head)| StoredRow::Head(*owner, *head)).collect(),
            Section::Counters => self.counters.iter().map(|(k, n)| StoredRow::Counter(k.clone(), *n)).collect(),
            Section::Transfers => self.transfers.values().cloned().map(StoredRow::Transfer).collect(),
            Section::HouseTransfers => self.house_transfers.values().cloned().map(StoredRow::Transfer).collect(),
            Section::Events => self.events.values().cloned().map(StoredRow::Event).collect(),
            Section::Operations => {
                self.operations.iter().map(|(id, stored)| StoredRow::Operation(*id, stored.clone())).collect()
            }
        }
    }
}

/// The store as it was at one moment.
struct Moment {
    totals: Totals,
    sections: [Vec<StoredRow>; Section::ALL.len()],
}

#[async_trait]
impl Export for Moment {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    async fn part(&mut self, section: Section, after: Option<&[u8]>) -> Result<Part, StoreError> {
        let rows = &self.sections[section as usize];
        let begin = after.map_or(0, |after| rows.partition_point(|row| row.key().as_slice() <= after));
        let end = rows.len().min(begin + PART_ROWS);
        let next = if end < rows.len() { rows[begin..end].last().map(StoredRow::key) } else { None };
        Ok(Part { rows: rows[begin..end].to_vec(), next })
    }
}

/// What is to be in a store that is empty.
struct Filling<'a> {
    store: &'a MemoryStore,
    data: Data,
}

#[async_trait]
impl Import for Filling<'_> {
    async fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        self.data.write(writes);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let mut data = self.store.lock();
        if !data.is_empty() {
            let reason = "somebody has written to it meanwhile".to_owned();
            return Err(StoreError::Unavailable { store: "memory", effect: Effect::No, reason });
        }
        *data = mem::take(&mut self.data);
        Ok(())
    }
}
