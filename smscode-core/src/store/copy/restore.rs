//! A backup that is taken back.

use super::format::Decoder;
use super::writes::writes;
use super::{CopyError, Header, Import, Portable, StoredRow, Summary};

/// Fills an empty store with a backup. Nothing is in it before [`Restore::finish`] has seen that every byte is right.
pub struct Restore<'a> {
    store: &'a dyn Portable,
    import: Box<dyn Import + 'a>,
    decoder: Decoder,
    /// Rows that wait for others, to be written together.
    rows: Vec<StoredRow>,
}

/// Rows written together.
const TOGETHER: usize = 500;

impl<'a> Restore<'a> {
    /// Into a store.
    ///
    /// # Errors
    ///
    /// [`CopyError::NotEmpty`], and those of the store.
    pub async fn into(store: &'a dyn Portable) -> Result<Self, CopyError> {
        let import = store.import().await?.ok_or(CopyError::NotEmpty)?;
        Ok(Self { store, import, decoder: Decoder::default(), rows: Vec::new() })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// The bytes are not those of a backup of a known format, or the store fails.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        self.rows.extend(self.decoder.push(bytes)?);
        if self.rows.len() < TOGETHER {
            return Ok(());
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), CopyError> {
        for writes in writes(std::mem::take(&mut self.rows))? {
            self.import.write(writes).await?;
        }
        Ok(())
    }

    /// Ends it, if all of the backup was there. What it was of, and what was in it.
    ///
    /// # Errors
    ///
    /// Something is missing, or the store fails; then nothing is in it. [`CopyError::Unequal`] if the store's sums are not
    /// those of the backup.
    pub async fn finish(mut self) -> Result<(Header, Summary), CopyError> {
        self.write().await?;
        let (header, summary) = self.decoder.end()?;
        self.import.finish().await?;
        if self.store.totals().await? != header.totals {
            return Err(CopyError::Unequal { what: "sums".to_owned() });
        }
        Ok((header, summary))
    }
}

/// Looks through a backup as [`Restore`] does, without a store.
#[derive(Default)]
pub struct Inspection(Decoder);

impl Inspection {
    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// They are not those of a backup of a known format.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        self.0.push(bytes).map(drop)
    }

    /// What it is a backup of, and what is in it.
    ///
    /// # Errors
    ///
    /// Something is missing.
    pub fn finish(self) -> Result<(Header, Summary), CopyError> {
        self.0.end()
    }
}

impl std::fmt::Debug for Restore<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restore").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspection").finish_non_exhaustive()
    }
}
