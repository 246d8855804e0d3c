//! The purchase: a paid call that is sent at most once, and what is made of its four outcomes.

use tokio::sync::SemaphorePermit;

use super::attach::Attached;
use super::command::{Failed, Sight, Step};
use super::inner::{Inner, Slot};
use crate::account::AccountId;
use crate::catalogue::{Product, ceiling, price};
use crate::money::Money;
use crate::order::content::{self, Link};
use crate::order::decide::Input;
use crate::order::draft::{Draft, Stay};
use crate::order::record::{Call, claim_key};
use crate::order::supply::{SupplyRecord, SupplyState, coarse, supply_key};
use crate::order::{OrderError, OrderId, Policy};
use crate::port::{Activation, BuyOutcome, BuyRequest, Rejection, Urgency};
use crate::privacy::OrderKey;
use crate::routing::{rank, surest_first};
use crate::store::{Body, Entry, Expect, LoadKey, StoreError};
use crate::time::Timestamp;

/// A purchase that this task alone may send.
pub(super) struct Purchase {
    pub(super) account: AccountId,
    pub(super) id: OrderId,
    pub(super) key: OrderKey,
    pub(super) reference: String,
    pub(super) supplier: String,
    pub(super) country: u16,
    pub(super) service: String,
    pub(super) price: Money,
    /// How the next supplier is chosen, if there has to be one.
    pub(super) policy: Policy,
    pub(super) prefer: Option<String>,
    pub(super) attempt: u32,
    pub(super) send_until: Timestamp,
    pub(super) answer_due: Timestamp,
}

/// Who waits for a place looks this often whether the supplier still gets purchases.
const LOOK_MS: i64 = 1_000;

/// The reason when a supplier gives out a number that an open order has.
const NUMBER_IN_USE: &str = "number_in_use";

/// What a purchase has left at its supplier that its order does not have.
enum Left<'a> {
    Nothing,
    /// A number that is not wanted.
    Unwanted(&'a Activation),
    /// What it bought is another order's by now: that one's look-up took it for its own, so what that one bought may still
    /// turn up, and nobody waits for it.
    Anothers,
}

/// What to do after a certain rejection.
enum After {
    Ended,
    Next(Box<Purchase>),
}

impl Inner {
    /// Sends the call that was committed, and settles the order by its outcome. A store that is away leaves the order
    /// as it is: the due worker finds it and looks the purchase up.
    pub(super) async fn purchase(&self, first: Purchase) {
        let mut purchase = first;
        // each turn asks another supplier
        for _ in 0..self.settings.suppliers_max.max(1) {
            let outcome = self.send(&purchase).await;
            let next = match outcome {
                BuyOutcome::Accepted(activation) => self.accept(&purchase, activation).await,
                BuyOutcome::NotSent(why) => {
                    tracing::warn!(supplier = %purchase.supplier, why, "a purchase was not sent");
                    self.rejected(&purchase, "provider_unavailable", Left::Nothing).await
                }
                BuyOutcome::RejectedUncharged(Rejection::ReferenceUsed) => {
                    self.unclear(&purchase, "reference used").await
                }
                BuyOutcome::RejectedUncharged(rejection) => {
                    self.rejected(&purchase, rejection.code(), Left::Nothing).await
                }
                BuyOutcome::Unknown(why) => self.unclear(&purchase, &why).await,
            };
            match next {
                Ok(After::Ended) => return,
                Ok(After::Next(next)) => purchase = *next,
                Err(error) => {
                    tracing::error!(supplier = %purchase.supplier, %error, "a purchase could not be settled");
                    return;
                }
            }
        }
    }

    async fn send(&self, purchase: &Purchase) -> BuyOutcome {
        let Some(slot) = self.suppliers.get(&purchase.supplier) else {
            return BuyOutcome::NotSent("the supplier is not configured any more".into());
        };
        let _place = match self.place_for(slot, purchase.send_until).await {
            Ok(place) => place,
            Err(why) => return BuyOutcome::NotSent(why.into()),
        };
        if self.stopping.load(std::sync::atomic::Ordering::Acquire) {
            return BuyOutcome::NotSent("the platform is stopping".into());
        }
        if self.now() > purchase.send_until {
            return BuyOutcome::NotSent("its time to be sent is over".into());
        }
        let Some(ceiling) = self.ceiling(slot, purchase.price) else {
            return BuyOutcome::NotSent("there is no exchange rate".into());
        };
        let request = BuyRequest {
            country: purchase.country,
            service: purchase.service.clone(),
            ceiling,
            reference: purchase.reference.clone(),
        };
        let over = self.now().plus_ms(self.settings.call_limit_ms);
        match self.until(over, slot.port.buy(&request)).await {
            Some(outcome) => outcome,
            None => BuyOutcome::Unknown("no answer in time".into()),
        }
    }

    /// A place among the paid calls under way, and a permit. Whoever waits behind a supplier that has stopped to answer
    /// hears of it while there is time for another one.
    async fn place_for<'a>(&self, slot: &'a Slot, until: Timestamp) -> Result<SemaphorePermit<'a>, &'static str> {
        let place = slot.calls.acquire();
        tokio::pin!(place);
        let place = loop {
            if !slot.line.admits() {
                return Err("the supplier gets no purchases now");
            }
            let look = self.now().plus_ms(LOOK_MS).min(until);
            match self.until(look, place.as_mut()).await {
                Some(Ok(place)) => break place,
                None if self.now() < until => {}
                Some(Err(_)) | None => return Err("too many calls are under way"),
            }
        };
        if !slot.line.permit(Urgency::First, Some(until)).await {
            return Err("too many calls in this second");
        }
        Ok(place)
    }

    pub(super) fn ceiling(&self, slot: &Slot, sold: Money) -> Option<Money> {
        let rate = self.rates.rate(slot.info.currency, sold.currency)?;
        ceiling(self.settings.price_rule, sold, rate)
    }

    /// A number was bought: the order becomes active, unless it is not what was wanted.
    async fn accept(&self, purchase: &Purchase, got: Activation) -> Result<After, StoreError> {
        let Some(slot) = self.suppliers.get(&purchase.supplier) else {
            return Ok(After::Ended);
        };
        let pair = (purchase.country, &*purchase.service);
        if let Some(reason) = self.misfit(slot, pair, purchase.price, &got) {
            return self.give_back(purchase, reason, &got).await;
        }
        let order = (purchase.account, purchase.id);
        let attached = self.attach(order, &purchase.key, &purchase.reference, &got, false).await?;
        match attached {
            Attached::Done => {
                slot.bought.notify_one();
                Ok(After::Ended)
            }
            Attached::NumberInUse => self.give_back(purchase, NUMBER_IN_USE, &got).await,
            Attached::Known => self.rejected(purchase, NUMBER_IN_USE, Left::Anothers).await,
        }
    }

    /// A number that is not wanted goes back, unless the supplier has given out what an order has: that stays its own.
    async fn give_back(
        &self,
        purchase: &Purchase,
        reason: &'static str,
        got: &Activation,
    ) -> Result<After, StoreError> {
        tracing::warn!(supplier = %purchase.supplier, reason, "a number is given back");
        let known = self.is_known(&purchase.supplier, got).await?;
        self.rejected(purchase, reason, if known { Left::Nothing } else { Left::Unwanted(got) }).await
    }

    pub(super) fn supply_record(
        &self,
        draft: &Draft,
        got: &Activation,
        state: SupplyState,
        now: Timestamp,
    ) -> SupplyRecord {
        let record = &draft.record;
        let offered = self.catalogue().product(record.product).map(|product| product.cost);
        self.purchased(&record.supplier, (record.country, &record.service), offered, got, state, now)
    }

    /// The supplier's side of an activation. A supplier that has not said what it took has taken what it offers such a
    /// number for.
    pub(super) fn purchased(
        &self,
        supplier: &str,
        (country, service): (u16, &str),
        offered: Option<Money>,
        got: &Activation,
        state: SupplyState,
        now: Timestamp,
    ) -> SupplyRecord {
        let of_supplier = self.suppliers.get(supplier).map(|slot| slot.info.currency);
        let cost = got.cost.or(offered);
        let mut record = SupplyRecord {
            v: 1,
            supplier: supplier.to_owned(),
            activation: got.id.0.clone(),
            country,
            service: service.to_owned(),
            cost_minor: cost.map(|cost| cost.minor),
            cost_assumed: got.cost.is_none(),
            currency: cost.map(|cost| cost.currency).or(of_supplier).unwrap_or(self.settings.currency),
            created_at: coarse(now),
            state,
            due_at: None,
            tries: 0,
            orphan: false,
            served: false,
            kept: false,
            booked: None,
        };
        record.move_to(state, now);
        record
    }

    async fn unclear(&self, purchase: &Purchase, why: &str) -> Result<After, StoreError> {
        tracing::warn!(supplier = %purchase.supplier, why, "a purchase had no clear answer");
        self.to_unclear(purchase.account, purchase.id).await?;
        Ok(After::Ended)
    }

    /// The call of an order had no clear answer, or its sender is gone.
    pub(super) async fn to_unclear(&self, account: AccountId, id: OrderId) -> Result<(), StoreError> {
        let done = self
            .change_order::<(), OrderError>(account, id, false, |draft, sight| {
                Ok(match draft.advance(Input::CallUnclear, Some("no_answer"), "engine", sight.now) {
                    Ok(()) => Step::Write(()),
                    Err(_) => Step::Leave(()),
                })
            })
            .await;
        settle(done)
    }

    /// A certain rejection: the next supplier, or the money back.
    async fn rejected(&self, purchase: &Purchase, reason: &'static str, left: Left<'_>) -> Result<After, StoreError> {
        let now = self.now();
        let (account, id) = (purchase.account, purchase.id);
        let claim = self.claim_version(account, id).await?;
        let reference = self.reference();
        let mut next = None;
        let done = self
            .change_order::<(), OrderError>(account, id, false, |draft, sight| {
                // the order may not be the call's any more, but what the call has left is seen to
                let settled_meanwhile =
                    if self.see_to(draft, &left, sight.now)? { Step::Write(()) } else { Step::Leave(()) };
                next = if sight.without_reader { None } else { self.next_offer(draft, purchase, now) };
                match next.clone() {
                    Some((supplier, product)) => {
                        let step = self.call_next(draft, purchase, &supplier, product, &reference, reason, sight)?;
                        if let Step::Leave(()) = step {
                            next = None; // not ours to call any more
                            return Ok(settled_meanwhile);
                        }
                        Ok(step)
                    }
                    None => match draft.advance(Input::Reject, Some(reason), "engine", sight.now) {
                        Ok(()) => {
                            if let Some((key, version)) = &claim {
                                let expect = Expect::Version(*version);
                                draft.push(Entry::Delete { key: key.clone(), expect });
                            }
                            Ok(Step::Write(()))
                        }
                        Err(_) => Ok(settled_meanwhile),
                    },
                }
            })
            .await;
        settle(done)?;
        if let Left::Unwanted(_) = left {
            self.supply.notify_one();
        }
        Ok(match next {
            Some((supplier, _)) => After::Next(Box::new(Purchase {
                key: OrderKey(purchase.key.0.clone()),
                reference,
                supplier,
                service: purchase.service.clone(),
                prefer: purchase.prefer.clone(),
                attempt: purchase.attempt + 1,
                ..*purchase
            })),
            None => After::Ended,
        })
    }

    /// Adds what becomes of it; `false` if there is nothing.
    fn see_to(&self, draft: &mut Draft, left: &Left<'_>, now: Timestamp) -> Result<bool, OrderError> {
        let entry = match left {
            Left::Nothing => None,
            Left::Unwanted(got) => {
                let supply = self.supply_record(draft, got, SupplyState::Cancelling, now);
                Some(put_supply(got, &supply, self.version())?)
            }
            Left::Anothers => self.watch_entry(draft, None, now)?,
        };
        let some = entry.is_some();
        entry.into_iter().for_each(|entry| draft.push(entry));
        Ok(some)
    }

    #[expect(clippy::too_many_arguments, reason = "one caller; a struct of these would be used once")]
    fn call_next(
        &self,
        draft: &mut Draft,
        purchase: &Purchase,
        supplier: &str,
        product: u32,
        reference: &str,
        reason: &str,
        sight: &Sight,
    ) -> Result<Step<()>, OrderError> {
        if let Err(Stay::Done | Stay::Late | Stay::Refused(_)) =
            draft.advance(Input::NextSupplier, Some(reason), "engine", sight.now)
        {
            return Ok(Step::Leave(()));
        }
        let link = Link { reference: reference.to_owned(), activation: None };
        let record = &mut draft.record;
        let before = std::mem::replace(&mut record.supplier, supplier.to_owned());
        record.tried.push(before);
        record.product = product;
        record.link = content::seal_link(&purchase.key, self.nonce(), &link);
        record.call = Some(Call {
            attempt: purchase.attempt + 1,
            sent_by: self.node.clone(),
            send_until: purchase.send_until,
            over_at: sight.now.plus_ms(self.settings.call_limit_ms).max(purchase.send_until),
        });
        Ok(Step::Write(()))
    }

    /// The next supplier for an order, while enough of the caller's time remains: one that was not asked yet and whose
    /// present price is not above the order's.
    fn next_offer(&self, draft: &Draft, purchase: &Purchase, now: Timestamp) -> Option<(String, u32)> {
        let record = &draft.record;
        let in_time = purchase.answer_due.ms_since(now) >= self.settings.next_supplier_ms;
        if !record.routed || !in_time || purchase.attempt >= self.settings.suppliers_max {
            return None;
        }
        let catalogue = self.catalogue();
        let figures = |product: &Product| self.figures(product);
        let offers = catalogue.offers(record.country, &record.service);
        let mut ranked = rank(offers, purchase.policy, purchase.prefer.as_deref(), &figures);
        surest_first(&mut ranked, &figures);
        ranked
            .into_iter()
            .filter(|product| self.suppliers.get(&product.supplier).is_some_and(|slot| slot.line.admits()))
            .filter(|product| product.supplier != record.supplier && !record.tried.contains(&product.supplier))
            .find(|product| {
                let rate = self.rates.rate(product.cost.currency, record.currency);
                rate.and_then(|rate| price(self.settings.price_rule, product.cost, rate))
                    .is_some_and(|price| price.minor <= record.price_minor)
            })
            .map(|product| (product.supplier.clone(), product.id))
    }

    /// The claim of an order that was placed alone, with its version: a rejection deletes it.
    async fn claim_version(
        &self,
        account: AccountId,
        id: OrderId,
    ) -> Result<Option<(crate::store::Key, u64)>, StoreError> {
        let Some((_, record)) = self.load_order(account, id).await? else {
            return Ok(None);
        };
        let Some(hash) = record.claim else { return Ok(None) };
        let key = claim_key(account, &hash);
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await?;
        let Some(stored) = snapshot.record(&key) else {
            return Ok(None);
        };
        let claim: crate::order::record::ClaimRecord =
            stored.body.read().map_err(|e| super::command::unreadable(&e))?;
        // in a bulk others may have had an effect; a claim of which all are rejected is recognised when it is read
        Ok((claim.orders == [id]).then_some((key, stored.version)))
    }
}

pub(super) fn put_supply(got: &Activation, record: &SupplyRecord, version: u64) -> Result<Entry, OrderError> {
    Ok(Entry::Put {
        key: supply_key(&record.supplier, &got.id.0),
        expect: Expect::Absent,
        version,
        body: Body::write(record).map_err(|e| OrderError::Unavailable(e.to_string()))?,
        terms: record.terms(),
    })
}

/// A change that is allowed to find nothing to do.
pub(super) fn settle(done: Result<(), Failed<OrderError>>) -> Result<(), StoreError> {
    match done {
        Ok(()) | Err(Failed::NotFound) => Ok(()),
        Err(Failed::Store(error)) => Err(error),
        Err(Failed::Rule(error)) => Err(StoreError::Corrupt { store: "core", what: error.to_string() }),
    }
}
