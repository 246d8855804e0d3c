//! Offers: suppliers are asked in the background; ids are given out once and never pointed at anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use futures_util::FutureExt;

use super::command::{Failed, Verdict, unreadable};
use super::inner::{CatalogueIds, Inner, Slot};
use crate::catalogue::record::{IdRecord, PRODUCT, UMBRELLA, product_key, umbrella_key};
use crate::catalogue::{Product, price};
use crate::order::rules::offer_is_plain;
use crate::port::Offer;
use crate::store::{Body, CounterKey, Entry, Expect, Index, Key, Kind, LoadKey, Owner, Range, Row, StoreError};

/// A supplier has this long for its list.
const LIST_MS: i64 = 30_000;
/// One that does not answer has this long.
const OUT_OF_REACH_LIST_MS: i64 = 5_000;
/// Offers taken from one supplier; 200 countries by 800 services is the largest shop.
const OFFERS_MAX: usize = 200_000;
/// Ids given out in one ChangeSet.
const IDS_AT_ONCE: usize = 200;
/// So many empty lists in a row are believed.
const EMPTY_LISTS_BELIEVED: u32 = 3;

impl Inner {
    /// Asks suppliers for their offers for ever.
    pub(super) async fn refresh_offers(&self) {
        loop {
            let wake = self.now().plus_ms(self.settings.offers_every_ms.max(1_000));
            self.clock.sleep_until(wake).await;
            self.refresh_all(LIST_MS).await;
        }
    }

    /// Asks every supplier once and replaces the catalogue with what they say.
    pub(super) async fn refresh_all(&self, limit_ms: i64) {
        let asked: Vec<_> = self.suppliers.values().map(|slot| self.offers_of(slot, limit_ms).boxed()).collect();
        futures_util::future::join_all(asked).await;
        if let Err(error) = self.rebuild_catalogue().await {
            tracing::error!(%error, "the catalogue could not be renewed");
        }
    }

    async fn offers_of(&self, slot: &Slot, limit_ms: i64) {
        // the others' prices do not wait for one that does not answer
        let limit_ms = if slot.line.is_out_of_reach() { limit_ms.min(OUT_OF_REACH_LIST_MS) } else { limit_ms };
        let limit = self.now().plus_ms(limit_ms);
        let answer = self.until(limit, slot.port.offers()).await;
        let mut state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(Ok(offers)) => {
                let mut offers: Vec<Offer> = offers.into_iter().filter(offer_is_plain).collect();
                offers.truncate(OFFERS_MAX);
                state.empty_lists = if offers.is_empty() { state.empty_lists + 1 } else { 0 };
                // an unreadable list is not an empty one, and one empty list does not wipe the shop
                if !offers.is_empty() || state.empty_lists >= EMPTY_LISTS_BELIEVED {
                    state.offers = offers;
                    state.offers_at = Some(self.now());
                }
                state.error = None;
            }
            Some(Err(error)) => state.error = Some(error.code()),
            None => state.error = Some("supplier_unusable"),
        }
    }

    pub(super) async fn rebuild_catalogue(&self) -> Result<(), StoreError> {
        let mut products = Vec::new();
        for (name, slot) in &self.suppliers {
            let offers = slot.state.lock().unwrap_or_else(PoisonError::into_inner).offers.clone();
            let rate = self.rates.rate(slot.info.currency, self.settings.currency);
            // without a rate nothing of this supplier can be priced
            let Some(rate) = rate else {
                slot.state.lock().unwrap_or_else(PoisonError::into_inner).error = Some("no_rate");
                continue;
            };
            self.ensure_ids(name, &offers).await?;
            let ids = self.ids.lock().await;
            for offer in offers {
                let product = ids.products.get(&product_key(name, offer.country, &offer.service).id);
                let umbrella = ids.umbrellas.get(&umbrella_key(offer.country, &offer.service).id);
                let price = price(self.settings.price_rule, offer.cost, rate);
                let (Some(id), Some(umbrella), Some(price)) = (product, umbrella, price) else {
                    continue;
                };
                products.push(Product {
                    id: *id,
                    umbrella: *umbrella,
                    country: offer.country,
                    service: offer.service,
                    supplier: name.clone(),
                    cost: offer.cost,
                    price,
                    available: offer.count.min(i32::MAX.unsigned_abs()),
                });
            }
        }
        let now = self.now();
        let closed = self.closed_shops();
        let mut catalogue = self.catalogue.write().unwrap_or_else(PoisonError::into_inner);
        // what is blocked, or unknown as a service, is not listed
        products.retain(|product| catalogue.service(&product.service).is_some_and(|service| !service.blocked));
        let listed: BTreeSet<u32> = products.iter().map(|product| product.id).collect();
        // a slot that its supplier lists no longer stays, sold out, and may come back
        products.extend(
            catalogue
                .all_products()
                .filter(|product| !listed.contains(&product.id))
                .map(|gone| Product { available: 0, ..gone.clone() }),
        );
        *catalogue = Arc::new(catalogue.with_products(products, closed, now));
        Ok(())
    }

    /// Reads the ids that exist.
    pub(super) async fn load_ids(&self) -> Result<(), StoreError> {
        let mut ids = self.ids.lock().await;
        *ids = CatalogueIds { products: self.ids_of(PRODUCT).await?, umbrellas: self.ids_of(UMBRELLA).await? };
        Ok(())
    }

    async fn ids_of(&self, kind: Kind) -> Result<BTreeMap<Vec<u8>, u32>, StoreError> {
        let mut ids = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.store.scan(&Index::Kind(kind.clone()), &Range::all(), after.as_ref(), 1_000).await?;
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let record: IdRecord = record.body.read().map_err(|e| unreadable(&e))?;
                ids.insert(key.id, record.id);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// Gives ids to what has none yet.
    async fn ensure_ids(&self, supplier: &str, offers: &[Offer]) -> Result<(), StoreError> {
        let known = |keys: Vec<Key>, ids: &BTreeMap<Vec<u8>, u32>| {
            let mut new: Vec<Key> = keys.into_iter().filter(|key| !ids.contains_key(&key.id)).collect();
            new.sort();
            new.dedup();
            new
        };
        let (products, umbrellas) = {
            let ids = self.ids.lock().await;
            let products = offers.iter().map(|o| product_key(supplier, o.country, &o.service)).collect();
            let umbrellas = offers.iter().map(|o| umbrella_key(o.country, &o.service)).collect();
            (known(products, &ids.products), known(umbrellas, &ids.umbrellas))
        };
        for (counter, keys) in [("product_id", products), ("umbrella_id", umbrellas)] {
            for some in keys.chunks(IDS_AT_ONCE) {
                self.give_ids(counter, some).await?;
            }
        }
        Ok(())
    }

    async fn give_ids(&self, counter: &str, keys: &[Key]) -> Result<(), StoreError> {
        let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let counter = CounterKey::of(Owner::NONE, counter);
        let take = Entry::Count { counter, delta: count, max: Some(i64::from(i32::MAX)) };
        let receipt = self.commit(vec![take], self.now()).await?;
        let first = receipt.counters.first().copied().unwrap_or(0) - count + 1;
        let load: Vec<LoadKey> = keys.iter().map(|key| LoadKey::Record(key.clone())).collect();
        let given = self
            .decide::<Vec<(Key, u32)>, StoreError>(&load, |snapshot, _| {
                let mut entries = Vec::new();
                let mut given = Vec::new();
                for (n, key) in (first..).zip(keys) {
                    if let Some(stored) = snapshot.record(key) {
                        // another node was faster
                        let record: IdRecord = stored.body.read().map_err(|e| unreadable(&e))?;
                        given.push((key.clone(), record.id));
                        continue;
                    }
                    let id = u32::try_from(n).unwrap_or(u32::MAX);
                    given.push((key.clone(), id));
                    entries.push(Entry::Put {
                        key: key.clone(),
                        expect: Expect::Absent,
                        version: self.version(),
                        body: Body::write(&IdRecord { v: 1, id }).map_err(|e| unreadable(&e))?,
                        terms: Vec::new(),
                    });
                }
                Ok(Verdict::Commit(entries, given))
            })
            .await;
        let given = match given {
            Ok(given) => given,
            Err(Failed::Rule(error) | Failed::Store(error)) => return Err(error),
            Err(Failed::NotFound) => Vec::new(),
        };
        let mut ids = self.ids.lock().await;
        for (key, id) in given {
            let map = if key.kind == PRODUCT { &mut ids.products } else { &mut ids.umbrellas };
            map.insert(key.id, id);
        }
        Ok(())
    }
}
