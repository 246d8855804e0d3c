//! Due work of orders: calls without an answer, look-ups, last checks, ends by time. The same code recovers after a
//! crash: every intent is found by its due time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::attach::Attached;
use super::command::Failed;
use super::ending::raced;
use super::inner::Inner;
use super::purchase::settle;
use crate::account::AccountId;
use crate::order::content::{open_link, unwrap};
use crate::order::decide::{Input, State};
use crate::order::record::{BY_DUE, OrderRecord, read_order_key};
use crate::order::supply::SupplyState;
use crate::order::{OrderId, rules};
use crate::port::{Activation, ActivationState, CallError};
use crate::store::{Index, Range, Row, StoreError};
use crate::time::Timestamp;

/// Orders in work at once.
const AT_ONCE: usize = 128;
/// Of these, orders of one supplier at most: the rest are for the others while it does not answer.
const OF_ONE_SUPPLIER: usize = AT_ONCE / 2;
/// Orders read at a time.
const PAGE: usize = 1_000;
/// The longest the worker sleeps without looking: a wake-up may be lost.
const LOOK_MS: i64 = 1_000;
/// An order's end is decided so long after its window at the latest, if one check succeeded.
const DECIDE_MS: i64 = 5_000;
/// A last check that failed is repeated after this.
const RETRY_MS: i64 = 5_000;
/// Activations tried in one look-up; most belong to other orders, which one read tells.
const CANDIDATES_MAX: usize = 1_000;

type Order = (AccountId, OrderId);

impl Inner {
    /// Does due work for ever.
    pub(super) async fn do_due(self: &Arc<Self>) {
        let mut busy: BTreeMap<Order, String> = BTreeMap::new();
        let mut work = FuturesUnordered::new();
        loop {
            let next = match self.due_orders(&busy).await {
                Ok((orders, next)) => {
                    for (order, record) in orders {
                        busy.insert(order, record.supplier.clone());
                        work.push(async move { (order, self.due_work(order, record).await) }.boxed());
                    }
                    next
                }
                Err(error) => {
                    tracing::error!(%error, "due work is interrupted");
                    self.now().plus_ms(LOOK_MS)
                }
            };
            self.due_next.store(next.0, Ordering::Release);
            tokio::select! {
                biased;
                Some(((account, id), ())) = work.next(), if !work.is_empty() => {
                    busy.remove(&(account, id));
                    // looking again costs a scan: once for all that have ended meanwhile
                    while let Some(Some((order, ()))) = work.next().now_or_never() {
                        busy.remove(&order);
                    }
                }
                () = self.due.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Orders that are due and not in work, and when to look again.
    async fn due_orders(
        &self,
        busy: &BTreeMap<Order, String>,
    ) -> Result<(Vec<(Order, OrderRecord)>, Timestamp), StoreError> {
        let now = self.now();
        let mut next = now.plus_ms(LOOK_MS);
        let mut found = Vec::new();
        let mut shares: BTreeMap<String, usize> = BTreeMap::new();
        for supplier in busy.values() {
            *shares.entry(supplier.clone()).or_default() += 1;
        }
        if !self.holds("due").await? {
            return Ok((found, next));
        }
        // what waits for a slow supplier must not hide what is due behind it
        let due = Range { from: Vec::new(), until: Some(Timestamp(now.0 + 1).sort_bytes().to_vec()) };
        let page = self.store.scan(&Index::Term(BY_DUE), &due, None, PAGE).await?;
        for row in page.rows {
            let Row::Record { key, record, .. } = row else { continue };
            let Some(order) = read_order_key(&key) else { continue };
            if busy.contains_key(&order) {
                continue;
            }
            if busy.len() + found.len() >= AT_ONCE {
                // the end of any of them looks again
                return Ok((found, next));
            }
            let Ok(record) = record.body.read::<OrderRecord>() else {
                continue;
            };
            let share = shares.entry(record.supplier.clone()).or_default();
            if *share < OF_ONE_SUPPLIER {
                *share += 1;
                self.know_epoch(&record).await;
                found.push((order, record));
            }
        }
        let later = Range { from: due.until.unwrap_or_default(), until: Some(next.sort_bytes().to_vec()) };
        let page = self.store.scan(&Index::Term(BY_DUE), &later, None, 1).await?;
        if let Some(Row::Record { record, .. }) = page.rows.first()
            && let Ok(record) = record.body.read::<OrderRecord>()
        {
            next = record.due_at.map_or(next, |due| next.min(due));
        }
        Ok((found, next))
    }

    /// Does what is due for one order. What failed stays busy for a while: it is still due, and a store that cannot
    /// write is not to be asked in a tight loop.
    async fn due_work(self: &Arc<Self>, order: Order, record: OrderRecord) {
        if let Err(error) = self.due_order(order, record).await {
            tracing::error!(%error, "due work of an order is put off");
            self.clock.sleep_until(self.now().plus_ms(LOOK_MS)).await;
        }
    }

    async fn due_order(self: &Arc<Self>, order: Order, record: OrderRecord) -> Result<(), StoreError> {
        let (account, id) = order;
        match record.state {
            State::Calling => self.to_unclear(account, id).await,
            State::Unclear => self.look_up(order, &record).await,
            State::Active if (record.abandoned || record.cancel_scheduled) && !self.last_check_is_due(&record) => {
                // nobody holds its id, or its owner has asked for it before
                if let Err(error) = self.cancel_task(account, id, "engine").await {
                    tracing::info!(code = error.code(), "an order is not cancelled yet");
                    self.put_off(order, State::Active, self.now().plus_ms(RETRY_MS)).await?;
                }
                Ok(())
            }
            State::Canceling if !self.last_check_is_due(&record) => {
                match self.try_cancel(account, id).await {
                    Ok(()) => {}
                    Err(error) => tracing::info!(code = error.code(), "a cancel is not decided yet"),
                }
                let undecided =
                    self.load_order(account, id).await?.is_some_and(|(_, record)| record.state == State::Canceling);
                let again = self.now().plus_ms(RETRY_MS * 2);
                if undecided { self.put_off(order, State::Canceling, again).await } else { Ok(()) }
            }
            State::Active | State::Canceling => self.last_check(order, &record).await,
            State::Received => {
                let end = self.end(account, id, Input::AutoEnd, Some("window_over"), SupplyState::Finishing, "engine");
                settle(end.await.map_err(Failed::Rule).or_else(raced))
            }
            State::Requested | State::Completed | State::Cancelled | State::Expired | State::Rejected => Ok(()),
        }
    }

    pub(super) fn last_check_is_due(&self, record: &OrderRecord) -> bool {
        let begins = record.expires_at.map(|end| end.plus_ms(-self.settings.last_check_before_ms));
        begins.is_some_and(|begins| begins <= self.now())
    }

    /// A check right before the window's end that has to succeed, and one at the end; an SMS that they bring counts. Then
    /// the order ends at its time.
    async fn last_check(&self, order: Order, record: &OrderRecord) -> Result<(), StoreError> {
        let (account, id) = order;
        let Some(end) = record.expires_at else { return Ok(()) };
        let asked_at = self.now();
        match self.check(account, id, record).await {
            Ok(state) if !state.sms().is_empty() => return Ok(()),
            Ok(ActivationState::Waiting | ActivationState::Received(_) | ActivationState::Ended) => {}
            Ok(ActivationState::NotFound) | Err(_) => {
                if self.asks_again(order, record, end, asked_at).await? {
                    return Ok(());
                }
            }
        }
        if self.now() < end {
            // the regular poll goes on meanwhile: whichever commits first decides
            self.clock.sleep_until(end).await;
            // what came in these seconds counts too; a failure now changes nothing, for one check has been made
            let decide_by = end.plus_ms(DECIDE_MS);
            if let Some(Ok(state)) = self.until(decide_by, self.check(account, id, record)).await
                && !state.sms().is_empty()
            {
                return Ok(());
            }
        }
        let over = self.end(account, id, Input::WindowOver, Some("window_over"), SupplyState::Cancelling, "engine");
        settle(over.await.map_err(Failed::Rule).or_else(raced))
    }

    /// The supplier did not answer when an order was to end at this time: whether it is asked again. A supplier has its
    /// grace from the end on, but also from the first time it was asked: after a time away, or in a store that was restored,
    /// all ends are long past.
    async fn asks_again(
        &self,
        order: Order,
        record: &OrderRecord,
        end: Timestamp,
        asked_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (account, id) = order;
        let now = self.now();
        let since = record.unasked_since.unwrap_or(asked_at);
        if now >= end.max(since).plus_ms(self.settings.last_check_grace_ms) {
            return Ok(false);
        }
        let done = self
            .change_order::<(), crate::order::OrderError>(account, id, false, |draft, _| {
                if draft.record.state != record.state {
                    return Ok(super::command::Step::Leave(()));
                }
                draft.record.unasked_since = Some(since);
                draft.put_off(now.plus_ms(RETRY_MS));
                Ok(super::command::Step::Write(()))
            })
            .await;
        settle(done).map(|()| true)
    }

    /// Looks an unclear purchase up in the supplier's list: found by reference, or as the one activation of this pair
    /// that belongs to nothing else.
    async fn look_up(&self, order: Order, record: &OrderRecord) -> Result<(), StoreError> {
        let (account, id) = order;
        let given_up_at = rules::given_up_at(record, &self.settings);
        let has_list = self.suppliers.get(&record.supplier).is_none_or(|slot| slot.info.capabilities.lists_active);
        if !has_list && self.now() < given_up_at {
            // nothing can be asked: an answer that is under way may still come
            return self.put_off(order, record.state, given_up_at).await;
        }
        let key = unwrap(&self.epochs(), account, id, record);
        let link = key.as_ref().and_then(|key| open_link(key, record));
        let (asked_at, mut asked) = (self.now(), !has_list);
        if let (true, Some(key), Some(link), Some(slot)) = (has_list, key, link, self.suppliers.get(&record.supplier)) {
            let read = async {
                let limit = self.now().plus_ms(self.settings.call_limit_ms);
                self.until(limit, slot.port.active()).await
            };
            let listed = slot.listing.read(read).await;
            asked = matches!(&*listed, Some(Ok(_) | Err(CallError::Unsupported)));
            if let Some(Ok(active)) = &*listed {
                for found in candidates(record, &link.reference, active) {
                    let pair = (record.country, &*record.service);
                    if let Some(reason) = self.misfit(slot, pair, record.price(), &found) {
                        let ours = found.reference.as_ref() == Some(&link.reference);
                        // one that only looks like ours may be anybody's
                        if ours && !self.is_known(&record.supplier, &found).await? {
                            return self.give_back_found(order, reason, &found).await;
                        }
                        continue;
                    }
                    // one that belongs to another order, or is about to, is passed over
                    if let Attached::Done = self.attach(order, &key, &link.reference, &found, true).await? {
                        slot.bought.notify_one();
                        return Ok(());
                    }
                }
            }
        }
        if self.now() >= given_up_at {
            if !asked && self.asks_again(order, record, given_up_at, asked_at).await? {
                return Ok(());
            }
            let over = self.end(account, id, Input::LookUpOver, Some("unknown"), SupplyState::Ended, "engine");
            return settle(over.await.map_err(Failed::Rule).or_else(raced));
        }
        let done = self
            .change_order::<(), crate::order::OrderError>(account, id, false, |draft, _| {
                draft.record.look_ups += 1;
                Ok(super::command::Step::Write(()))
            })
            .await;
        settle(done)
    }

    /// Sets when an order is looked at again; nothing else about it changes. One that is not in this state any more has
    /// its own time: put off, it would be due before anything can be done about it.
    async fn put_off(&self, order: Order, state: State, at: Timestamp) -> Result<(), StoreError> {
        let (account, id) = order;
        let done = self
            .change_order::<(), crate::order::OrderError>(account, id, false, |draft, _| {
                if draft.record.state != state {
                    return Ok(super::command::Step::Leave(()));
                }
                draft.put_off(at);
                Ok(super::command::Step::Write(()))
            })
            .await;
        settle(done)
    }

    /// Recovery: whoever could have sent a call before this process began is gone if nobody else can have the store
    /// open, so those purchases are unclear at once. Everything else is found by its due time.
    pub(super) async fn recover(&self) -> Result<usize, StoreError> {
        if self.shared {
            return Ok(0);
        }
        let mut found = 0;
        let mut after = None;
        loop {
            let page = self.store.scan(&Index::Term(BY_DUE), &Range::all(), after.as_ref(), 1_000).await?;
            for row in &page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let Some((account, id)) = read_order_key(key) else {
                    continue;
                };
                let Ok(record) = record.body.read::<OrderRecord>() else {
                    continue;
                };
                let foreign = record.call.is_some_and(|call| call.sent_by != self.node);
                if record.state == State::Calling && foreign {
                    self.to_unclear(account, id).await?;
                    found += 1;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}

/// What in the supplier's list may be an order's purchase: what carries its reference, or what carries none and is of
/// its pair.
fn candidates(record: &OrderRecord, reference: &str, active: &[Activation]) -> Vec<Activation> {
    if let Some(found) = active.iter().find(|one| one.reference.as_deref() == Some(reference)) {
        return vec![found.clone()];
    }
    let of_its_pair = |one: &&Activation| {
        one.reference.is_none()
            && one.country == Some(record.country)
            && one.service.as_deref().is_some_and(|service| service.eq_ignore_ascii_case(&record.service))
    };
    active.iter().filter(of_its_pair).take(CANDIDATES_MAX).cloned().collect()
}
