//! Reading one section row by row.

use std::collections::VecDeque;

use crate::store::codec::keys;
use crate::store::copy::{Export, Section, StoredRow};
use crate::store::{Key, Kind, Owner, StoreError};

/// A place in a section.
pub(super) struct Cursor {
    section: Section,
    /// Where it ends: with this kind of records.
    kind: Option<Kind>,
    rows: VecDeque<StoredRow>,
    after: Option<Vec<u8>>,
    over: bool,
}

impl Cursor {
    pub(super) const fn of(section: Section) -> Self {
        Self { section, kind: None, rows: VecDeque::new(), after: None, over: false }
    }

    /// The records of one kind that belong to an account.
    pub(super) fn of_kind(kind: Kind) -> Self {
        // no account's record stands before it
        let after = Some(keys::record(&Key::free(kind.clone(), [])));
        Self { section: Section::Records, kind: Some(kind), rows: VecDeque::new(), after, over: false }
    }

    async fn fill(&mut self, export: &mut dyn Export) -> Result<(), StoreError> {
        while self.rows.is_empty() && !self.over {
            let part = export.part(self.section, self.after.as_deref()).await?;
            self.over = part.next.is_none();
            self.after = part.next;
            self.rows = part.rows.into();
            if let Some(kind) = &self.kind {
                let fits = |row: &StoredRow| matches!(row, StoredRow::Record(key, _) if key.kind == *kind);
                let length = self.rows.len();
                self.rows.retain(fits);
                self.over |= self.rows.len() < length;
            }
        }
        Ok(())
    }

    /// The next row.
    pub(super) async fn next(&mut self, export: &mut dyn Export) -> Result<Option<StoredRow>, StoreError> {
        self.fill(export).await?;
        Ok(self.rows.pop_front())
    }

    /// Whose the next row is; counters of nobody are passed over.
    pub(super) async fn owner(&mut self, export: &mut dyn Export) -> Result<Option<Owner>, StoreError> {
        loop {
            self.fill(export).await?;
            match self.rows.front().map(owner) {
                Some(owner) if owner.is_none() => drop(self.rows.pop_front()),
                found => return Ok(found),
            }
        }
    }
}

fn owner(row: &StoredRow) -> Owner {
    match row {
        StoredRow::Record(key, _) => key.owner,
        StoredRow::Head(owner, _) => *owner,
        StoredRow::Counter(counter, _) => counter.owner,
        StoredRow::Transfer(transfer) => transfer.entry.map_or(Owner::NONE, |entry| entry.owner),
        StoredRow::Event(event) => event.owner,
        StoredRow::Operation(..) | StoredRow::Tally { .. } | StoredRow::House(..) => Owner::NONE,
    }
}
