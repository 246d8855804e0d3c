//! Orphans: what calls that were given up have bought all the same. While such calls are watched, the supplier's list is
//! read; what is theirs is booked and cancelled, everything else in the list is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::command::{Failed, Verdict, unreadable};
use super::inner::{Inner, Slot};
use crate::money::Money;
use crate::order::OrderError;
use crate::order::draft::Draft;
use crate::order::orphan::{BY_WATCH, WatchRecord, orphans, watch_key};
use crate::order::record::{BY_SUPPLIER, OrderRecord};
use crate::order::supply::{SupplyState, supply_key};
use crate::port::Activation;
use crate::store::{Body, Entry, Expect, Index, Key, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// Watches are looked at this often; the suppliers' lists are read more seldom.
const ROUND_MS: i64 = 10_000;
/// A supplier has this long for its list.
const LIST_MS: i64 = 30_000;
/// Watches in one round: more calls than a dead supplier can leave unclear in a day.
const WATCHES_MAX: usize = 10_000;
/// Activations of one list that are looked at; more than a supplier's account carries.
const LIST_MAX: usize = 100_000;
/// Watches removed in one ChangeSet, rows in one page, keys in one load.
const AT_ONCE: usize = 1_000;

/// A watch as it was read.
pub(super) struct Watch {
    key: Key,
    version: u64,
    pub(super) record: WatchRecord,
}

impl Inner {
    /// The watch over an unclear purchase that is being given up, into the order's own ChangeSet. `None` if its supplier
    /// has no list to look into.
    pub(super) fn watch_entry(
        &self,
        draft: &Draft,
        reference: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Entry>, OrderError> {
        let supplier = &draft.record.supplier;
        let listed = self.suppliers.get(supplier).is_none_or(|slot| slot.info.capabilities.lists_active);
        if !listed {
            return Ok(None);
        }
        let watch = WatchRecord::new(supplier, (draft.record.country, &draft.record.service), reference, now);
        Ok(Some(Entry::Put {
            key: watch_key(self.random()),
            expect: Expect::Absent,
            version: self.version(),
            body: Body::write(&watch).map_err(|e| OrderError::Unavailable(e.to_string()))?,
            terms: watch.terms(),
        }))
    }

    /// Looks for orphans for ever.
    pub(super) async fn watch_orphans(&self) {
        let mut looked = BTreeMap::new();
        loop {
            if let Err(error) = self.orphan_round(&mut looked).await {
                tracing::error!(%error, "the watch for orphans is interrupted");
            }
            self.clock.sleep_until(self.now().plus_ms(ROUND_MS)).await;
        }
    }

    /// One round: ends watches whose time is over, and reads the lists that are due. `looked` is when each was read last.
    async fn orphan_round(&self, looked: &mut BTreeMap<String, Timestamp>) -> Result<(), StoreError> {
        if !self.holds("supply").await? {
            looked.clear();
            return Ok(());
        }
        let watches = self.watches().await?;
        let now = self.now();
        let (over, open): (Vec<Watch>, Vec<Watch>) = watches.into_iter().partition(|watch| watch.record.until <= now);
        self.end_watches(&over).await?;
        let mut by_supplier: BTreeMap<String, Vec<Watch>> = BTreeMap::new();
        for watch in open {
            by_supplier.entry(watch.record.supplier.clone()).or_default().push(watch);
        }
        looked.retain(|supplier, _| by_supplier.contains_key(supplier));
        for (supplier, watches) in by_supplier {
            let Some(slot) = self.suppliers.get(&supplier) else { continue };
            let pause_ms = watches.iter().map(|watch| watch.record.pause_ms(now)).min().unwrap_or_default();
            if looked.get(&supplier).is_some_and(|last| now.ms_since(*last) < pause_ms) {
                continue;
            }
            looked.insert(supplier, now);
            self.look_for_orphans(slot, &watches).await?;
        }
        Ok(())
    }

    /// All watches.
    pub(super) async fn watches(&self) -> Result<Vec<Watch>, StoreError> {
        let mut watches = Vec::new();
        let mut after = None;
        while watches.len() < WATCHES_MAX {
            let page = self.store.scan(&Index::Term(BY_WATCH), &Range::all(), after.as_ref(), AT_ONCE).await?;
            for row in page.rows {
                let Row::Record { key, record: stored, .. } = row else { continue };
                let record = stored.body.read().map_err(|e| unreadable(&e))?;
                watches.push(Watch { key, version: stored.version, record });
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(watches)
    }

    async fn end_watches(&self, over: &[Watch]) -> Result<(), StoreError> {
        for some in over.chunks(AT_ONCE) {
            let deletes = some.iter().map(Watch::delete).collect();
            match self.commit(deletes, self.now()).await {
                // another node was faster with one of them: the next round sees what is left
                Err(error) if !error.is_conflict() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Reads one supplier's list for all its watches. The order of the reads matters: what was in the list and belongs to an
    /// order was bought by one that was calling before it, and is found as pending or, later still, as recorded.
    async fn look_for_orphans(&self, slot: &Slot, watches: &[Watch]) -> Result<(), StoreError> {
        let supplier = &slot.info.name;
        let limit = self.now().plus_ms(LIST_MS);
        let mut list = match self.until(limit, slot.port.active()).await {
            Some(Ok(list)) => list,
            Some(Err(error)) => {
                tracing::info!(supplier, code = error.code(), "the list for orphans could not be read");
                return Ok(());
            }
            None => {
                tracing::info!(supplier, "the list for orphans did not come in time");
                return Ok(());
            }
        };
        list.truncate(LIST_MAX);
        let pending: BTreeSet<_> = self.pending_pairs(supplier).await?.into_iter().collect();
        let known = self.known_of(supplier, &list).await?;
        let records: Vec<WatchRecord> = watches.iter().map(|watch| watch.record.clone()).collect();
        let found = orphans(&list, &records, |one| known.contains(&one.id.0), &pending);
        let strangers = list.len().saturating_sub(known.len() + found.len());
        slot.state.lock().unwrap_or_else(PoisonError::into_inner).strangers = strangers;
        for (activation, watch) in found {
            if let (Some(activation), Some(watch)) = (list.get(activation), watches.get(watch)) {
                self.book_orphan(slot, activation, watch).await?;
            }
        }
        Ok(())
    }

    /// The pairs of orders that may be about to get a number from this supplier. Codes in lower case.
    pub(super) async fn pending_pairs(&self, supplier: &str) -> Result<Vec<(u16, String)>, StoreError> {
        let range = Range::prefix(&[supplier.as_bytes(), &[0]].concat());
        let mut pairs = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.scan(&Index::Term(BY_SUPPLIER), &range, after.as_ref(), AT_ONCE).await?;
            for row in page.rows {
                let Row::Record { record, .. } = row else { continue };
                let record: OrderRecord = record.body.read().map_err(|e| unreadable(&e))?;
                if record.state.is_pending() {
                    pairs.push((record.country, record.service.to_ascii_lowercase()));
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(pairs),
            }
        }
    }

    /// Which activations of a list are recorded: they belong to an order, or did.
    async fn known_of(&self, supplier: &str, list: &[Activation]) -> Result<BTreeSet<String>, StoreError> {
        let mut known = BTreeSet::new();
        for some in list.chunks(AT_ONCE) {
            let keys: Vec<LoadKey> = some.iter().map(|one| LoadKey::Record(supply_key(supplier, &one.id.0))).collect();
            let snapshot = self.store.load(&keys).await?;
            let recorded = some.iter().filter(|one| snapshot.record(&supply_key(supplier, &one.id.0)).is_some());
            known.extend(recorded.map(|one| one.id.0.clone()));
        }
        Ok(known)
    }

    /// What a supplier asks for a pair now.
    pub(super) fn offered(&self, supplier: &str, (country, service): (u16, &str)) -> Option<Money> {
        let catalogue = self.catalogue();
        let of_pair = catalogue.all_products().find(|product| {
            product.supplier == *supplier && product.country == country && product.service.eq_ignore_ascii_case(service)
        });
        of_pair.map(|product| product.cost)
    }

    /// Books an orphan, to be cancelled at once, and ends the watch that it explains. If it is recorded meanwhile, it is
    /// somebody's.
    async fn book_orphan(&self, slot: &Slot, got: &Activation, watch: &Watch) -> Result<(), StoreError> {
        let supplier = &slot.info.name;
        let key = supply_key(supplier, &got.id.0);
        let offered = self.offered(supplier, (watch.record.country, &watch.record.service));
        let booked = self
            .decide_coarsely::<bool, StoreError>(
                &[LoadKey::Record(key.clone()), LoadKey::Record(watch.key.clone())],
                |snapshot, now| {
                    if snapshot.record(&key).is_some() || snapshot.record(&watch.key).is_none() {
                        return Ok(Verdict::Nothing(false));
                    }
                    let pair = (watch.record.country, &*watch.record.service);
                    let mut orphan = self.purchased(supplier, pair, offered, got, SupplyState::Cancelling, now);
                    orphan.orphan = true;
                    let put = Entry::Put {
                        key: key.clone(),
                        expect: Expect::Absent,
                        version: self.version(),
                        body: Body::write(&orphan).map_err(|e| unreadable(&e))?,
                        terms: orphan.terms(),
                    };
                    Ok(Verdict::Commit(vec![put, watch.delete()], true))
                },
            )
            .await;
        match booked {
            Ok(true) => {
                tracing::warn!(supplier, "an orphan is cancelled");
                self.orphans.fetch_add(1, Ordering::Relaxed);
                self.supply.notify_one();
                Ok(())
            }
            Ok(false) | Err(Failed::NotFound) => Ok(()),
            Err(Failed::Store(error) | Failed::Rule(error)) if error.is_conflict() => Ok(()),
            Err(Failed::Store(error) | Failed::Rule(error)) => Err(error),
        }
    }
}

impl Watch {
    fn delete(&self) -> Entry {
        Entry::Delete { key: self.key.clone(), expect: Expect::Version(self.version) }
    }
}
