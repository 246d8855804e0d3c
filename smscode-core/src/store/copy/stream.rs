//! All rows of an export, one section after another.

use super::{Export, Section, StoredRow};
use crate::store::{Key, StoreError, Totals};

/// Every row of an export in the order in which rows are copied, the sums last.
pub struct Rows {
    export: Box<dyn Export>,
    /// The sections still to come; the first of them is being read.
    sections: std::array::IntoIter<Section, { Section::ALL.len() }>,
    section: Option<Section>,
    after: Option<Vec<u8>>,
    sums: bool,
    without: Vec<Key>,
}

impl Rows {
    /// Of an export.
    pub fn of(export: Box<dyn Export>) -> Self {
        let mut sections = Section::ALL.into_iter();
        let section = sections.next();
        Self { export, sections, section, after: None, sums: true, without: Vec::new() }
    }

    /// Leaves out records that belong to the store and not to what is in it.
    #[must_use]
    pub fn without(mut self, keys: &[Key]) -> Self {
        self.without = keys.to_vec();
        self
    }

    /// The sums at the moment of the export.
    pub fn totals(&self) -> &Totals {
        self.export.totals()
    }

    /// The next rows, perhaps none; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Option<Vec<StoredRow>>, StoreError> {
        let Some(section) = self.section else {
            return Ok(std::mem::take(&mut self.sums).then(|| StoredRow::sums(self.export.totals())));
        };
        let mut part = self.export.part(section, self.after.as_deref()).await?;
        self.after = part.next;
        if self.after.is_none() {
            self.section = self.sections.next();
        }
        let left_out = |row: &StoredRow| matches!(row, StoredRow::Record(key, _) if self.without.contains(key));
        part.rows.retain(|row| !left_out(row));
        Ok(Some(part.rows))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("section", &self.section).finish_non_exhaustive()
    }
}
