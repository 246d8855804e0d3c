//! Placing orders: the hold, the intent and the claim in one ChangeSet, then the purchases, then the answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::claims::{Claim, read_claim};
use super::command::{Failed, Verdict, read_account, read_order};
use super::inner::Inner;
use super::purchase::Purchase;
use super::reading::readable;
use super::wind_down::read_wind_down;
use crate::account::AccountId;
use crate::account::record::{AccountStatus, account_key};
use crate::catalogue::Product;
use crate::ledger::wind_down_key;
use crate::money::Money;
use crate::order::content::{self, Link};
use crate::order::decide::{Input, State};
use crate::order::draft::{Draft, Stay};
use crate::order::record::{Call, ClaimRecord, OPEN_ORDERS, OrderRecord, claim_key, order_key};
use crate::order::{ItemOutcome, OrderError, OrderId, PlaceOrders, Placed, PlacedItem, Policy, rules};
use crate::port::{EpochId, EpochKey};
use crate::privacy::OrderKey;
use crate::store::{Body, Bucket, CounterKey, Entry, Expect, LoadKey, Refusal, Snapshot, StoreError};
use crate::time::Timestamp;

/// What is about to be ordered, checked as far as the catalogue tells.
struct Plan {
    /// The offer that is asked first.
    product: Product,
    routed: bool,
    policy: Policy,
    prefer: Option<String>,
    quantity: u32,
    abandon_when_late: bool,
    claim: Option<Claim>,
}

/// An order with its secrets, before it is committed.
struct Fresh {
    id: OrderId,
    key: OrderKey,
    reference: String,
}

/// What the commit of a placing led to.
pub(super) enum Began {
    /// The orders of an earlier call, with the version of its claim.
    Replayed(Vec<OrderId>, u64),
    Placed(Vec<OrderId>),
}

impl Inner {
    /// Places orders in an engine task; comes back when all are settled or the answer is due.
    pub(super) async fn place(self: &Arc<Self>, account: AccountId, wanted: PlaceOrders) -> Result<Placed, OrderError> {
        let inner = Arc::clone(self);
        self.in_engine(move |reply| async move { inner.place_task(account, wanted, reply).await }).await?
    }

    /// The commit of a placing alone, for measurements: in the engine like the whole.
    #[cfg(feature = "bench")]
    pub(super) async fn place_commit_alone(
        self: &Arc<Self>,
        account: AccountId,
        wanted: PlaceOrders,
    ) -> Result<(), OrderError> {
        let inner = Arc::clone(self);
        self.in_engine(move |reply| async move {
            let begun = inner.begin(account, &wanted).await;
            drop(reply.send(begun.map(|_purchases_never_sent| ())));
        })
        .await?
    }

    async fn place_task(
        self: Arc<Self>,
        account: AccountId,
        wanted: PlaceOrders,
        reply: oneshot::Sender<Result<Placed, OrderError>>,
    ) {
        let answer_due = self.now().plus_ms(self.settings.answer_due_ms);
        let (began, purchases) = match self.begin(account, &wanted).await {
            Ok(began) => began,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let (orders, replayed) = match began {
            Began::Replayed(orders, _) => (orders, true),
            Began::Placed(orders) => (orders, false),
        };
        let settling: Vec<_> = purchases.into_iter().map(|purchase| self.purchase(purchase).boxed()).collect();
        let mut settling = join_all(settling);
        let settled = self.until(answer_due, &mut settling).await;
        // whoever asked may be gone; the purchases go on
        drop(reply.send(self.answer(account, &orders, replayed).await));
        if settled.is_none() {
            settling.await;
        }
    }

    /// The hold. What it commits is everything: money, orders, claim, events.
    async fn begin(&self, account: AccountId, wanted: &PlaceOrders) -> Result<(Began, Vec<Purchase>), OrderError> {
        let claim = wanted.idempotency.as_ref().map(|key| self.claim_of(account, key)).transpose()?;
        let (product, routed) = match self.offer(account, wanted) {
            Ok(offer) => offer,
            // a replay must not depend on what is on offer now
            Err(error) => return self.replay(account, claim.as_ref()).await?.ok_or(error),
        };
        let (quantity, abandon_when_late) = (wanted.quantity, wanted.abandon_when_late);
        let (policy, prefer) = (wanted.policy, wanted.prefer_supplier.clone());
        let plan = Plan { product, routed, policy, prefer, quantity, abandon_when_late, claim };
        let fresh = self.fresh(plan.quantity).await?;
        let epoch = self.current_epoch().await.map_err(|e| OrderError::Unavailable(e.to_string()))?;
        let mut keys =
            vec![LoadKey::Record(account_key(account)), LoadKey::Head(account.0), LoadKey::Record(wind_down_key())];
        keys.extend(plan.claim.as_ref().map(|claim| LoadKey::Record(claim_key(account, &claim.hash))));
        let began = self
            .decide(&keys, |snapshot, now| {
                let old = match &plan.claim {
                    Some(claim) => read_claim(snapshot, account, claim)?,
                    None => None,
                };
                if let Some((version, old)) = &old
                    && !old.orders.is_empty()
                {
                    return Ok(Verdict::Nothing(Began::Replayed(old.orders.clone(), *version)));
                }
                let entries = self.entries(account, &plan, &fresh, &epoch, snapshot, now)?;
                Ok(Verdict::Commit(entries, Began::Placed(fresh.iter().map(|f| f.id).collect())))
            })
            .await
            .map_err(|failed| self.refused(failed, &plan))?;
        match began {
            // a claim of orders that were all rejected had no effect: it is judged afresh
            Began::Replayed(orders, version) if self.all_rejected(account, &orders).await? => {
                self.forget_claim(account, plan.claim.as_ref(), version).await?;
                Box::pin(self.begin(account, wanted)).await
            }
            replayed @ Began::Replayed(..) => Ok((replayed, Vec::new())),
            Began::Placed(orders) => {
                let (answer_ms, call_ms) = (self.settings.answer_due_ms, self.settings.call_limit_ms);
                self.due_at(self.now().plus_ms(answer_ms + call_ms));
                let purchases = fresh.into_iter().map(|fresh| self.first_purchase(account, &plan, fresh)).collect();
                Ok((Began::Placed(orders), purchases))
            }
        }
    }

    fn entries(
        &self,
        account: AccountId,
        plan: &Plan,
        fresh: &[Fresh],
        epoch: &(EpochId, EpochKey),
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Vec<Entry>, OrderError> {
        let (account_version, record) = read_account(snapshot, account)?.ok_or(OrderError::AccountInactive)?;
        if record.status != AccountStatus::Active {
            return Err(OrderError::AccountInactive);
        }
        if record.frozen_at.is_some() {
            return Err(OrderError::AccountFrozen);
        }
        let (wind_down, begun) = read_wind_down(snapshot)?;
        if begun.is_some() {
            return Err(OrderError::WindDown);
        }
        let price = plan.product.price;
        let needed = Money::new(price.minor.saturating_mul(i64::from(plan.quantity)), price.currency);
        let available = snapshot.head(account.0).available;
        if available < needed.minor {
            return Err(OrderError::InsufficientBalance { needed, available: Money::new(available, price.currency) });
        }
        let mut entries = vec![
            Entry::Ensure { key: account_key(account), expect: Expect::Version(account_version) },
            Entry::Ensure { key: wind_down_key(), expect: wind_down },
        ];
        for fresh in fresh {
            entries.extend(self.order_entries(account, plan, fresh, epoch, now)?);
        }
        entries.push(Entry::Count {
            counter: CounterKey::of(account.0, OPEN_ORDERS),
            delta: i64::from(plan.quantity),
            max: Some(self.settings.caps.open_orders),
        });
        if let Some(claim) = &plan.claim {
            let record = ClaimRecord {
                v: 1,
                fingerprint: claim.fingerprint.clone(),
                orders: fresh.iter().map(|fresh| fresh.id).collect(),
                created_at: now,
            };
            entries.push(Entry::Put {
                key: claim_key(account, &claim.hash),
                expect: Expect::Absent,
                version: self.version(),
                body: write(&record)?,
                terms: Vec::new(),
            });
        }
        Ok(entries)
    }

    fn order_entries(
        &self,
        account: AccountId,
        plan: &Plan,
        fresh: &Fresh,
        epoch: &(EpochId, EpochKey),
        now: Timestamp,
    ) -> Result<Vec<Entry>, OrderError> {
        let sealing = || OrderError::Unavailable("the order could not be sealed".into());
        let link = Link { reference: fresh.reference.clone(), activation: None };
        let key =
            content::wrap((epoch.0, &epoch.1), self.nonce(), account, fresh.id, &fresh.key).ok_or_else(sealing)?;
        let send_until = now.plus_ms(self.settings.answer_due_ms);
        let record = OrderRecord {
            v: 1,
            state: State::Requested,
            created_at: now,
            product: plan.product.id,
            umbrella: plan.product.umbrella,
            country: plan.product.country,
            service: plan.product.service.clone(),
            price_minor: plan.product.price.minor,
            currency: plan.product.price.currency,
            supplier: plan.product.supplier.clone(),
            routed: plan.routed,
            tried: Vec::new(),
            due_at: None,
            call: Some(Call {
                attempt: 1,
                sent_by: self.node.clone(),
                send_until,
                over_at: send_until.plus_ms(self.settings.call_limit_ms),
            }),
            look_ups: 0,
            key: Some(key),
            link: Some(content::seal_link(&fresh.key, self.nonce(), &link).ok_or_else(sealing)?),
            phone: None,
            phone_claims: Vec::new(),
            messages: Vec::new(),
            revision: 0,
            first_sms_at: None,
            last_sms_at: None,
            expires_at: None,
            unasked_since: None,
            cancel_at: None,
            cancel_scheduled: false,
            resend_at: None,
            awaiting_more: false,
            abandoned: plan.abandon_when_late,
            ended_at: None,
            reason: None,
            claim: plan.claim.as_ref().map(|claim| claim.hash.clone()),
            sequence: 0,
            steps: Vec::new(),
        };
        let mut draft = Draft::new(account, fresh.id, record);
        draft.advance(Input::Place, None, "customer", now).map_err(|stay| match stay {
            Stay::Done | Stay::Late => OrderError::InProgress,
            Stay::Refused(reason) => OrderError::Unavailable(reason.into()),
        })?;
        draft.record.due_at = rules::due_at(&draft.record, &self.settings, now);
        draft.entries(self.version()).map_err(|e| OrderError::Unavailable(e.to_string()))
    }

    /// The answer as the orders stand now.
    async fn answer(&self, account: AccountId, orders: &[OrderId], replayed: bool) -> Result<Placed, OrderError> {
        let mut keys = vec![LoadKey::Record(account_key(account))];
        keys.extend(orders.iter().map(|id| LoadKey::Record(order_key(account, *id))));
        let snapshot = self.store.load(&keys).await?;
        // what was placed in the moment of a deletion is shown to nobody
        readable(&snapshot, account).map_err(|error| match error {
            OrderError::NotFound => OrderError::AccountInactive,
            other => other,
        })?;
        let now = self.now();
        let mut items = Vec::with_capacity(orders.len());
        for id in orders {
            let (_, record) = read_order(&snapshot, account, *id)?.ok_or(OrderError::NotFound)?;
            self.know_epoch(&record).await;
            let view = self.view_of(account, *id, &record, now);
            let outcome = match record.state {
                State::Rejected => ItemOutcome::Rejected(rejection(record.reason.as_deref())),
                state if state.is_pending() => ItemOutcome::Pending(view),
                _ => ItemOutcome::Settled(view),
            };
            items.push(PlacedItem { order: *id, outcome });
        }
        Ok(Placed { items, replayed })
    }

    async fn fresh(&self, quantity: u32) -> Result<Vec<Fresh>, OrderError> {
        let mut fresh = Vec::new();
        for _ in 0..quantity {
            let id = self.next_number().await?;
            fresh.push(Fresh { id, key: self.order_key(), reference: self.reference() });
        }
        Ok(fresh)
    }

    fn refused(&self, failed: Failed<OrderError>, plan: &Plan) -> OrderError {
        let price = plan.product.price;
        match failed {
            Failed::Store(StoreError::Refused(Refusal::Floor { bucket: Bucket::Available, now, currency, .. })) => {
                let needed = Money::new(price.minor.saturating_mul(i64::from(plan.quantity)), price.currency);
                OrderError::InsufficientBalance { needed, available: Money::new(now, currency) }
            }
            Failed::Store(StoreError::Refused(Refusal::Counter { max, .. })) => {
                OrderError::Cap { what: "open orders", max, retry_after_seconds: 60 }
            }
            other => other.into(),
        }
    }

    fn first_purchase(&self, account: AccountId, plan: &Plan, fresh: Fresh) -> Purchase {
        Purchase {
            account,
            id: fresh.id,
            key: fresh.key,
            reference: fresh.reference,
            supplier: plan.product.supplier.clone(),
            country: plan.product.country,
            service: plan.product.service.clone(),
            price: plan.product.price,
            policy: plan.policy,
            prefer: plan.prefer.clone(),
            attempt: 1,
            send_until: self.now().plus_ms(self.settings.answer_due_ms),
            answer_due: self.now().plus_ms(self.settings.answer_due_ms),
        }
    }
}

/// The error behind the stored reason of a rejected order.
pub(super) fn rejection(reason: Option<&str>) -> OrderError {
    const CAUSES: [&str; 13] = [
        "no_numbers",
        "price_rejected",
        "price_above_ceiling",
        "not_sold",
        "provider_account_balance",
        "provider_unavailable",
        "provider_busy",
        "reference_used",
        "provider_error",
        "number_malformed",
        "wrong_country",
        "wrong_service",
        "number_in_use",
    ];
    let known: BTreeSet<&'static str> = CAUSES.into_iter().collect();
    let cause = reason.and_then(|reason| known.get(reason).copied()).unwrap_or("provider_error");
    OrderError::Supplier { cause }
}

fn write<T: serde::Serialize>(record: &T) -> Result<Body, OrderError> {
    Body::write(record).map_err(|e| OrderError::Unavailable(e.to_string()))
}
