//! From one store into another.

use super::summary::Counting;
use super::writes::writes;
use super::{CopyError, Import, Portable, Rows, Summary};
use crate::store::{Key, Totals};

/// Everything of one store on its way into another: nothing is in that one before [`Carried::finish`].
pub struct Carried<'a> {
    to: &'a dyn Portable,
    import: Box<dyn Import + 'a>,
    totals: Totals,
    summary: Summary,
}

/// Carries all rows of a store into an empty one, but for records that belong to the first alone.
///
/// # Errors
///
/// [`CopyError::NotEmpty`], and those of the stores.
pub async fn carry<'a>(from: &dyn Portable, to: &'a dyn Portable, without: &[Key]) -> Result<Carried<'a>, CopyError> {
    let mut import = to.import().await?.ok_or(CopyError::NotEmpty)?;
    let mut rows = Rows::of(from.export().await?).without(without);
    let mut counting = Counting::default();
    while let Some(part) = rows.next().await? {
        for row in &part {
            counting.add(row)?;
        }
        for writes in writes(part)? {
            import.write(writes).await?;
        }
    }
    let totals = rows.totals().clone();
    if counting.totals != totals {
        return Err(CopyError::Unequal { what: "its rows do not come to its sums".to_owned() });
    }
    Ok(Carried { to, import, totals, summary: counting.summary() })
}

impl Carried<'_> {
    /// What was carried.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Makes it durable, and looks whether all of it is there.
    ///
    /// # Errors
    ///
    /// Those of the store; [`CopyError::Unequal`] if it does not hold what was carried.
    pub async fn finish(self) -> Result<(Summary, Totals), CopyError> {
        self.import.finish().await?;
        if self.to.totals().await? != self.totals {
            return Err(CopyError::Unequal { what: "sums".to_owned() });
        }
        if summary(self.to, &[]).await? != self.summary {
            return Err(CopyError::Unequal { what: "rows".to_owned() });
        }
        Ok((self.summary, self.totals))
    }
}

/// What is in a store, but for records that belong to it alone. Reads everything.
///
/// # Errors
///
/// Those of the store.
pub async fn summary(store: &dyn Portable, without: &[Key]) -> Result<Summary, CopyError> {
    let mut rows = Rows::of(store.export().await?).without(without);
    let mut counting = Counting::default();
    while let Some(part) = rows.next().await? {
        for row in &part {
            counting.add(row)?;
        }
    }
    Ok(counting.summary())
}

impl std::fmt::Debug for Carried<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried").field("summary", &self.summary).finish_non_exhaustive()
    }
}
