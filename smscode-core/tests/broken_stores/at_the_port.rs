//! Faults that show at the port: what a wrapper around a sound store can spoil.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Fixture};
use smscode_core::store::{
    ChangeSet, Cursor, Effect, Entry, Fingerprint, Index, LoadKey, MemoryStore, OperationId, Page, Range, Receipt,
    Refusal, Snapshot, Store, StoreError, StoreInfo, Totals, let_others_run,
};

faults! {
    /// Nothing: the wrapper itself does no harm.
    None,
    /// The last row of a full page is lost.
    ScanDropsLastRow,
    /// The cursor names the position alone: rows that share it are skipped.
    CursorSkipsShared,
    /// A page ends without a cursor though there is more.
    CursorLost,
    /// `until` is taken as included.
    UntilIncluded,
    /// The limit is not cut.
    LimitNotCut,
    /// A replay does not say that it is one.
    ReplayFlagLost,
    /// The outcome of a replay is empty.
    ReplayOutcomeLost,
    /// Operation ids are not remembered: a ChangeSet that is sent again is applied again.
    CommitsTwice,
    /// Another ChangeSet of the same operation id gets the first one's answer.
    FingerprintIgnored,
    /// Loads come from a cache that is one commit behind.
    LoadsStaleHeads,
    /// Records and heads of one load are read one after the other.
    LoadsKeyByKey,
    /// Totals leave the house accounts out.
    TotalsForgetHouse,
    /// Totals leave debt out.
    TotalsForgetDebt,
    /// Totals do not count what is open.
    TotalsForgetOpenHolds,
    /// `DeleteOwned` is written without looking: it does nothing.
    DeleteOwnedIgnored,
    /// Places of a record that is put again stay.
    TermsAreKept,
    /// Conditions on records that are not written are not judged.
    EnsureIgnored,
    /// Documents are written anew: white space and escapes change.
    BodiesAreRewritten,
    /// Ids are cut where they hold a zero byte.
    IdsEndAtZero,
    /// A ChangeSet is committed entry by entry.
    HalfOnRefusal,
    /// A busy store says that it is unavailable.
    GivesUpWhenBusy,
    /// No fault: commits of a crowd take effect in another order than they were sent in.
    Shuffles,
    /// Records and money in one transaction, events and counters in a second: a caller who leaves in between leaves half.
    TwoTransactions,
}

struct Broken {
    inner: Arc<MemoryStore>,
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fresh_ids: u64,
    fingerprints: BTreeMap<OperationId, Fingerprint>,
    stale: BTreeMap<LoadKey, Snapshot>,
    old_terms: Vec<(smscode_core::store::Key, Vec<smscode_core::store::Term>)>,
    busy: usize,
}

impl Broken {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same ChangeSet with other entries, under the same operation id.
    fn altered(set: &ChangeSet, alter: impl FnMut(&mut Entry)) -> Arc<ChangeSet> {
        let mut set = set.clone();
        set.entries.iter_mut().for_each(alter);
        Arc::new(set)
    }

    fn fresh_id(&self) -> OperationId {
        let mut state = self.state();
        state.fresh_ids += 1;
        let mut id = [0xee; 16];
        id[8..].copy_from_slice(&state.fresh_ids.to_be_bytes());
        OperationId(id)
    }

    /// What is handed to the sound store in place of the ChangeSet.
    fn spoiled(&self, set: &Arc<ChangeSet>) -> Arc<ChangeSet> {
        match self.fault {
            Fault::CommitsTwice => {
                let mut set = ChangeSet::clone(set);
                set.operation = self.fresh_id();
                Arc::new(set)
            }
            Fault::FingerprintIgnored => {
                let mut state = self.state();
                let first = *state.fingerprints.entry(set.operation).or_insert(set.fingerprint);
                let mut set = ChangeSet::clone(set);
                set.fingerprint = first;
                Arc::new(set)
            }
            Fault::DeleteOwnedIgnored => {
                let mut set = ChangeSet::clone(set);
                set.entries.retain(|entry| !matches!(entry, Entry::DeleteOwned { .. }));
                Arc::new(set)
            }
            Fault::EnsureIgnored => {
                let mut set = ChangeSet::clone(set);
                set.entries.retain(|entry| !matches!(entry, Entry::Ensure { .. }));
                Arc::new(set)
            }
            Fault::BodiesAreRewritten => Self::altered(set, |entry| {
                if let Entry::Put { body, .. } | Entry::Append { body, .. } = entry
                    && let Ok(value) = serde_json::from_slice::<serde_json::Value>(body.as_bytes())
                    && let Ok(again) = smscode_core::store::Body::from_text(&value.to_string())
                {
                    *body = again;
                }
            }),
            Fault::IdsEndAtZero => Self::altered(set, |entry| {
                if let Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } = entry
                    && let Some(at) = key.id.iter().position(|byte| *byte == 0)
                {
                    key.id.truncate(at);
                }
            }),
            Fault::TermsAreKept => {
                let mut state = self.state();
                Self::altered(set, |entry| {
                    if let Entry::Put { key, terms, .. } = entry {
                        for (_, old) in state.old_terms.iter().filter(|(of, _)| of == key) {
                            terms.extend(old.iter().filter(|term| !terms.contains(term)).cloned().collect::<Vec<_>>());
                        }
                        terms.truncate(16);
                        state.old_terms.push((key.clone(), terms.clone()));
                    }
                })
            }
            _ => set.clone(),
        }
    }

    /// Entry by entry: what comes before the flaw stays.
    async fn piecemeal(&self, set: &Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        let whole = self.inner.commit(set.clone()).await;
        if let Err(StoreError::Refused(Refusal::Floor { .. } | Refusal::Counter { .. })) = &whole {
            for entry in &set.entries {
                let mut one = ChangeSet::new(self.fresh_id(), set.time);
                one.push(entry.clone());
                if self.inner.commit(Arc::new(one.seal(set.outcome.clone()))).await.is_err() {
                    break;
                }
            }
        }
        whole
    }
}

impl Broken {
    async fn in_two(&self, set: &Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        let numbered = |entry: &Entry| matches!(entry, Entry::Append { .. } | Entry::Count { .. });
        let (mut first, mut second) = (ChangeSet::clone(set), ChangeSet::clone(set));
        first.operation.0[0] ^= 0xFF;
        first.entries.retain(|entry| !numbered(entry));
        second.entries.retain(numbered);
        let moved = self.inner.commit(Arc::new(first)).await?;
        let_others_run().await;
        let counted = self.inner.commit(Arc::new(second)).await?;
        Ok(Receipt { transfers: moved.transfers, ..counted })
    }
}

#[async_trait]
impl Store for Broken {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.inner.describe().await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        if self.fault == Fault::LoadsKeyByKey && keys.len() < 100 {
            return self.load_key_by_key(keys).await;
        }
        let found = self.inner.load(keys).await?;
        if self.fault == Fault::LoadsStaleHeads
            && let [key @ LoadKey::Head(_)] = keys
        {
            let old = self.state().stale.insert(key.clone(), found.clone());
            return Ok(old.unwrap_or(found));
        }
        Ok(found)
    }

    async fn commit(&self, set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        if self.fault == Fault::HalfOnRefusal {
            return self.piecemeal(&set).await;
        }
        if self.fault == Fault::TwoTransactions {
            return self.in_two(&set).await;
        }
        if self.fault == Fault::GivesUpWhenBusy {
            self.state().busy += 1;
            let busy = self.state().busy;
            let answer = if busy > 100 {
                Err(StoreError::Unavailable { store: "broken", effect: Effect::No, reason: "busy".into() })
            } else {
                self.inner.commit(set).await
            };
            self.state().busy -= 1;
            return answer;
        }
        if self.fault == Fault::Shuffles {
            for _ in 0..set.fingerprint.0[0] % 11 {
                let_others_run().await;
            }
        }
        let mut receipt = self.inner.commit(self.spoiled(&set)).await?;
        match self.fault {
            Fault::ReplayFlagLost => receipt.replayed = false,
            Fault::ReplayOutcomeLost if receipt.replayed => receipt.outcome = smscode_core::store::Body::empty(),
            _ => {}
        }
        Ok(receipt)
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let mut range = range.clone();
        if self.fault == Fault::UntilIncluded
            && let Some(until) = &mut range.until
        {
            until.push(0);
        }
        let after = match (self.fault, after) {
            (Fault::CursorSkipsShared, Some(cursor)) => {
                let mut cursor = cursor.clone();
                cursor.position.push(0);
                cursor.key = None;
                Some(cursor)
            }
            (_, after) => after.cloned(),
        };
        let mut page = self.inner.scan(index, &range, after.as_ref(), limit).await?;
        match self.fault {
            Fault::ScanDropsLastRow if page.rows.len() > 1 && page.next.is_some() => {
                page.rows.pop();
            }
            Fault::CursorLost if page.rows.len() == limit => page.next = None,
            Fault::LimitNotCut if limit > 1_000 && page.next.is_some() => {
                let more = self.inner.scan(index, &range, page.next.as_ref(), limit).await?;
                page.rows.extend(more.rows);
                page.next = more.next;
            }
            _ => {}
        }
        Ok(page)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = self.inner.totals().await?;
        for line in totals.currencies.values_mut() {
            match self.fault {
                Fault::TotalsForgetHouse => line.house.clear(),
                Fault::TotalsForgetDebt => line.debt = 0,
                Fault::TotalsForgetOpenHolds => line.open_holds = 0,
                _ => {}
            }
        }
        Ok(totals)
    }
}

impl Broken {
    async fn load_key_by_key(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        let mut whole = Snapshot::default();
        for key in keys {
            let one = self.inner.load(std::slice::from_ref(key)).await?;
            match key {
                LoadKey::Record(key) => {
                    if let Some(record) = one.record(key) {
                        whole.add_record(key.clone(), record.clone());
                    }
                }
                LoadKey::Head(owner) => whole.add_head(*owner, one.head(*owner)),
                LoadKey::Counter(counter) => whole.add_counter(counter.clone(), one.counter(counter)),
            }
            // other calls come in between, as they do between two queries
            let_others_run().await;
        }
        Ok(whole)
    }
}

/// A fixture of a store with the fault of that number.
pub(super) struct Faulty<const FAULT: usize>(Arc<Broken>);

#[async_trait]
impl<const FAULT: usize> Fixture for Faulty<FAULT> {
    async fn open(group_max: usize) -> Self {
        Self(Arc::new(Broken {
            inner: Arc::new(MemoryStore::with_group_max(group_max)),
            fault: Fault::ALL[FAULT],
            state: Mutex::default(),
        }))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn reopen(self) -> Result<Self, StoreError> {
        Ok(self)
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        self.0.inner.raw_bytes()
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn excuses() -> &'static [Excuse] {
        &[]
    }
}
