//! Reading the whole file as it is at one moment, and filling an empty one in one transaction.

use async_trait::async_trait;
use redb::{Durability, WriteTransaction};
use smscode_core::store::copy::{Export, Import, Part, Portable, Section};
use smscode_core::store::{Effect, StoreError, Totals, Writes, let_others_run, ordered};

use crate::RedbStore;
use crate::fault::{self, Fault, guarded};
use crate::read::{self, View};
use crate::write::write;

#[async_trait]
impl Portable for RedbStore {
    /// Pages that a commit frees are not used again before the export is dropped: the file grows meanwhile.
    async fn export(&self) -> Result<Box<dyn Export>, StoreError> {
        let view = self.told(self.engine.view())?;
        let totals = self.told(read::totals(&view).await)?;
        Ok(Box::new(Moment { view, totals }))
    }

    /// Commits wait until the import ends.
    async fn import(&self) -> Result<Option<Box<dyn Import + '_>>, StoreError> {
        let transaction = self.told(guarded(|| {
            let mut transaction = self.engine.for_writing()?.database()?.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.set_quick_repair(self.options.quick_repair);
            Ok(transaction)
        }))?;
        // looked at under the one transaction that may write
        let empty = self.read(ordered::is_empty)?;
        Ok(empty.then(|| Box::new(Filling { store: self, transaction }) as Box<dyn Import + '_>))
    }
}

/// The file as it was at one moment.
struct Moment {
    view: View,
    totals: Totals,
}

#[async_trait]
impl Export for Moment {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    async fn part(&mut self, section: Section, after: Option<&[u8]>) -> Result<Part, StoreError> {
        let_others_run().await;
        guarded(|| ordered::part(&self.view, section, after)).map_err(|fault| fault.tell(Effect::No))
    }
}

/// Dropped before its end, the transaction is given up and nothing was written.
struct Filling<'a> {
    store: &'a RedbStore,
    transaction: WriteTransaction,
}

#[async_trait]
impl Import for Filling<'_> {
    async fn write(&mut self, writes: Writes) -> Result<(), StoreError> {
        let_others_run().await;
        self.store.told(guarded(|| write(&self.transaction, &ordered::imported(&writes))))
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { store, transaction } = *self;
        let committed: fault::Result<()> = guarded(|| Ok(transaction.commit()?));
        committed.map_err(|fault| {
            if fault.needs_reopening() || matches!(fault, Fault::Engine(_)) {
                store.engine.mark_failed();
            }
            fault.tell(Effect::Unknown)
        })
    }
}
