//! Looking after suppliers: whose offers are shown, what operators have said about them, our money there.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};

use super::command::{Failed, Verdict, unreadable};
use super::inner::{Inner, Slot};
use crate::catalogue::Product;
use crate::money::Money;
use crate::order::decide::State;
use crate::order::record::OrderRecord;
use crate::routing::record::{SupplierRecord, supplier_key};
use crate::routing::{Figures, RoutingError, Standing};
use crate::store::{Body, Entry, Expect, LoadKey, StoreError};

/// Standings are looked at this often: the end of a pause is nobody's call.
const LOOK_MS: i64 = 1_000;
/// What operators have said at other nodes is read this often.
const READ_EVERY_MS: i64 = 5_000;
/// A supplier has this long for a balance.
const BALANCE_MS: i64 = 15_000;
/// A balance is read this often while purchases are refused for want of money.
const REFUSED_EVERY_MS: i64 = 30_000;
/// Longest name of an actor.
const ACTOR_MAX: usize = 64;

/// How an order that had a number has ended, for its supplier's figures.
pub(super) struct Delivery {
    supplier: String,
    country: u16,
    service: String,
    delivered: bool,
}

impl Delivery {
    /// Of an order that ends with this change and could receive before it.
    pub(super) fn of(before: State, record: &OrderRecord) -> Option<Self> {
        (before.listens() && record.state.is_terminal()).then(|| Self {
            supplier: record.supplier.clone(),
            country: record.country,
            service: record.service.clone(),
            delivered: record.revision > 0,
        })
    }
}

impl From<Failed<Self>> for RoutingError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => Self::Unavailable("the record is gone".into()),
        }
    }
}

impl Inner {
    /// Looks after suppliers for ever.
    pub(super) async fn look_after_suppliers(&self) {
        let balances = join_all(self.suppliers.values().map(|slot| self.watch_balance(slot).boxed()));
        join(self.look_after_standings(), balances).await;
    }

    async fn look_after_standings(&self) {
        let mut read_at = self.now();
        loop {
            if self.now() >= read_at {
                read_at = self.now().plus_ms(READ_EVERY_MS);
                if let Err(error) = self.read_drained().await {
                    tracing::error!(%error, "what operators have said about suppliers could not be read");
                }
            }
            let closed = self.closed_shops();
            if self.catalogue().closed() != &closed
                && let Err(error) = self.rebuild_catalogue().await
            {
                tracing::error!(%error, "the catalogue could not be renewed");
            }
            self.until(self.now().plus_ms(LOOK_MS), self.standing.notified()).await;
        }
    }

    /// Suppliers whose offers are not shown.
    pub(super) fn closed_shops(&self) -> BTreeSet<String> {
        let closed = self.suppliers.iter().filter(|(_, slot)| !slot.line.standing().sells());
        closed.map(|(name, _)| name.clone()).collect()
    }

    /// What routing knows of an offer.
    pub(super) fn figures(&self, product: &Product) -> Figures {
        let slot = self.suppliers.get(&product.supplier);
        slot.map_or_else(Figures::default, |slot| slot.line.figures(product.country, &product.service))
    }

    /// Counts how an order has ended.
    pub(super) fn delivered(&self, order: &Delivery) {
        if let Some(slot) = self.suppliers.get(&order.supplier) {
            slot.line.pairs().ended(order.country, &order.service, order.delivered, self.now());
        }
    }

    /// Reads which suppliers are drained.
    pub(super) async fn read_drained(&self) -> Result<(), StoreError> {
        let keys: Vec<LoadKey> = self.suppliers.keys().map(|name| LoadKey::Record(supplier_key(name))).collect();
        let snapshot = self.store.load(&keys).await?;
        for (name, slot) in &self.suppliers {
            let stored = snapshot.record(&supplier_key(name));
            let record: Option<SupplierRecord> =
                stored.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
            let drained = record.is_some_and(|record| record.drained);
            if (slot.line.standing() == Standing::Drained) != drained {
                slot.line.drain(drained);
            }
        }
        Ok(())
    }

    /// Begins or ends that a supplier gets no purchases. This node acts at once, others within 5 s.
    pub(super) async fn drain_supplier(&self, name: &str, drained: bool, actor: &str) -> Result<(), RoutingError> {
        let slot =
            self.suppliers.get(name).ok_or_else(|| RoutingError::UnknownSupplier(name.chars().take(32).collect()))?;
        if actor.is_empty() || actor.len() > ACTOR_MAX {
            return Err(RoutingError::Actor);
        }
        let key = supplier_key(name);
        self.decide::<(), RoutingError>(&[LoadKey::Record(key.clone())], |snapshot, now| {
            let stored = snapshot.record(&key);
            let old: Option<SupplierRecord> =
                stored.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
            if old.map_or(!drained, |old| old.drained == drained) {
                return Ok(Verdict::Nothing(()));
            }
            let record = SupplierRecord { v: 1, drained, actor: actor.to_owned(), at: now };
            let put = Entry::Put {
                key: key.clone(),
                expect: stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version)),
                version: self.version(),
                body: Body::write(&record).map_err(|e| unreadable(&e))?,
                terms: Vec::new(),
            };
            Ok(Verdict::Commit(vec![put], ()))
        })
        .await?;
        slot.line.drain(drained);
        tracing::info!(supplier = name, drained, actor, "an operator has spoken");
        Ok(())
    }

    async fn alarm_of_funds(&self, supplier: &str, balance: Option<Money>) {
        let balance = balance.map_or_else(|| "not told".to_owned(), |money| money.to_string());
        let text = format!("our balance at the supplier {supplier} is low ({balance}): top it up");
        if let Err(error) = self.alarm("supplier_funds", Some(supplier), &text).await {
            tracing::error!(supplier, %error, "an alarm could not be raised: {text}");
        }
    }

    /// Reads our balance at one supplier for ever.
    async fn watch_balance(&self, slot: &Slot) {
        loop {
            let limit = self.now().plus_ms(BALANCE_MS);
            // an error is counted where the call was made; the next read tells
            drop(self.until(limit, slot.port.balance()).await);
            let (low, out, balance) = {
                let condition = slot.line.condition();
                (condition.funds.is_low(), condition.funds.is_out(), condition.funds.balance())
            };
            if low || out {
                self.alarm_of_funds(&slot.info.name, balance.map(|(money, _)| money)).await;
            }
            let every_ms = self.settings.balance_every_ms.max(LOOK_MS);
            let pause_ms = if out { REFUSED_EVERY_MS.min(every_ms) } else { every_ms };
            let wake = self.now().plus_ms(pause_ms);
            if self.until(wake, slot.line.no_funds.notified()).await.is_some() {
                // several purchases may be refused at once; one read serves them all
                self.clock.sleep_until(self.now().plus_ms(LOOK_MS)).await;
            }
        }
    }
}
