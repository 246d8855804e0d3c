//! Polling: one loop per supplier, batches where the supplier has them. A poll that finds nothing writes nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, iter};
use futures_util::{FutureExt, StreamExt};

use super::inner::{Inner, Slot};
use crate::account::AccountId;
use crate::order::content::{open_link, unwrap};
use crate::order::decide::State;
use crate::order::record::{BY_SUPPLIER, OrderRecord, read_order_key};
use crate::order::{OrderId, rules};
use crate::port::{ActivationId, ActivationState};
use crate::store::{Index, Range, Row, StoreError};
use crate::time::Timestamp;

/// Open orders of one supplier that are polled; more than a supplier account carries.
const OPEN_MAX: usize = 100_000;
/// Orders read per page.
const PAGE: usize = 1_000;
/// Polls of one supplier under way at once, where it has no batch.
const POLLS_AT_ONCE: usize = 16;
/// Answers recorded at once: as many commits as fill some groups of a store.
const RECORDED_AT_ONCE: usize = 256;
/// After an error the supplier is left alone for this long.
const ERROR_PAUSE_MS: i64 = 3_000;
/// Between two rounds at a supplier that does not answer.
const OUT_OF_REACH_PAUSE_MS: i64 = 5_000;
/// One round may take this long.
const ROUND_MS: i64 = 30_000;

/// An order as the loop remembers it between rounds: in memory only.
struct Watched {
    /// The record's version that this was read from.
    version: u64,
    activation: ActivationId,
    state: State,
    since: Timestamp,
    /// When it was asked about last.
    asked: Timestamp,
    next: Timestamp,
}

type Open = BTreeMap<(AccountId, OrderId), Watched>;

/// What it said of the orders of one call; `None` where there was no usable answer.
type Answers = Vec<((AccountId, OrderId), Option<ActivationState>)>;

/// What a supplier said of some orders.
type News = Vec<((AccountId, OrderId), State, ActivationState)>;

/// Answers that are being recorded. They go on beside the next rounds, so that nothing waits for a sync but its own.
type Recording<'a> = FuturesUnordered<BoxFuture<'a, ()>>;

impl Inner {
    /// Polls one supplier for ever.
    pub(super) async fn poll_supplier(self: &Arc<Self>, name: &str) {
        let Some(slot) = self.suppliers.get(name) else { return };
        let mut open = Open::new();
        let mut recording = Recording::new();
        loop {
            let pause_ms = match beside(&mut recording, self.round(name, slot, &mut open)).await {
                Ok(news) => {
                    for (order, known, state) in news {
                        if recording.len() >= RECORDED_AT_ONCE {
                            recording.next().await;
                        }
                        recording.push(self.record(name, order, known, state).boxed());
                    }
                    self.pause_ms(slot, &open)
                }
                Err(error) => {
                    tracing::error!(supplier = name, %error, "polling is interrupted");
                    ERROR_PAUSE_MS
                }
            };
            let wake = self.now().plus_ms(pause_ms);
            let bought = beside(&mut recording, self.until(wake, slot.bought.notified())).await;
            if bought.is_some() {
                // several may be bought at once; one round serves them all
                let gathered = i64::from(slot.info.capabilities.poll_floor_ms.min(100));
                let gathering = self.clock.sleep_until(self.now().plus_ms(gathered));
                beside(&mut recording, gathering).await;
            }
        }
    }

    fn pause_ms(&self, slot: &Slot, open: &Open) -> i64 {
        let now = self.now();
        let next = open.values().map(|watched| watched.next.ms_since(now)).min();
        let floor = i64::from(slot.info.capabilities.poll_floor_ms).max(50);
        let floor = if slot.line.is_out_of_reach() { floor.max(OUT_OF_REACH_PAUSE_MS) } else { floor };
        next.unwrap_or(self.settings.poll_late_ms).clamp(floor, self.settings.poll_late_ms.max(floor))
    }

    async fn round(&self, name: &str, slot: &Slot, open: &mut Open) -> Result<News, StoreError> {
        let mine = self.holds(&format!("poll:{name}")).await?;
        let said = slot.hints.take();
        if !mine && said.is_empty() {
            open.clear();
            return Ok(News::new());
        }
        self.refresh(name, open).await?;
        slot.hints.count_unknown(said.unknown(open.values().map(|watched| &watched.activation)));
        let now = self.now();
        let floor_ms = i64::from(slot.info.capabilities.poll_floor_ms);
        let mut due = Vec::new();
        for (order, watched) in open.iter_mut() {
            let is_said = said.is_about(&watched.activation);
            if is_said {
                // at once, but never more often than the supplier likes to be asked, whatever it says
                watched.next = watched.next.min(watched.asked.plus_ms(floor_ms));
            }
            // what a supplier has said to this node this node asks about, whoever does the rest
            if watched.next <= now && (mine || is_said) {
                due.push((watched.next, *order));
            }
        }
        // longest due first: a round at a supplier that does not answer is short, and each order has its turn
        due.sort_by_key(|(next, _)| *next);
        let due: Vec<(AccountId, OrderId)> = due.into_iter().map(|(_, order)| order).collect();
        let batch = usize::try_from(slot.info.capabilities.poll_batch).unwrap_or(1).max(1);
        let at_once = if batch > 1 { 1 } else { POLLS_AT_ONCE };
        let asked: Vec<_> = due.chunks(batch).map(|orders| self.ask(slot, orders, open).boxed()).collect();
        let answers: Vec<_> = if slot.line.is_out_of_reach() {
            until_unanswered(asked).await
        } else {
            iter(asked).buffer_unordered(at_once).collect().await
        };
        let mut news = News::new();
        for (order, state) in answers.into_iter().flatten() {
            let Some(watched) = open.get_mut(&order) else { continue };
            let age_ms = now.ms_since(watched.since);
            watched.asked = now;
            watched.next = now.plus_ms(rules::poll_pause_ms(&self.settings, age_ms));
            news.extend(state.map(|state| (order, watched.state, state)));
        }
        Ok(news)
    }

    /// Records what a supplier says of one order.
    async fn record(&self, name: &str, (account, id): (AccountId, OrderId), known: State, state: ActivationState) {
        let recorded = match state {
            ActivationState::Received(sms) => self.receive(account, id, &sms).await.map(|_novel| ()),
            ActivationState::Ended if known != State::Received => self.supplier_ended(account, id).await,
            ActivationState::Ended | ActivationState::Waiting | ActivationState::NotFound => Ok(()),
        };
        if let Err(error) = recorded {
            // what goes wrong with one order must not keep others waiting: a later round asks again
            tracing::error!(supplier = name, %error, "what a poll found for an order could not be recorded");
        }
    }

    /// Asks about some orders; `None` where there was no usable answer.
    async fn ask(&self, slot: &Slot, orders: &[(AccountId, OrderId)], open: &Open) -> Answers {
        let ids: Vec<ActivationId> =
            orders.iter().filter_map(|key| open.get(key)).map(|watched| watched.activation.clone()).collect();
        let limit = self.now().plus_ms(ROUND_MS);
        let answer = self.until(limit, slot.port.poll(&ids)).await;
        let mut state = slot.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let states = match answer {
            Some(Ok(states)) if states.len() == orders.len() => {
                state.error = None;
                states.into_iter().map(Some).collect()
            }
            Some(Ok(_)) => {
                state.error = Some("supplier_unusable");
                vec![None; orders.len()]
            }
            Some(Err(error)) => {
                state.error = Some(error.code());
                vec![None; orders.len()]
            }
            None => {
                state.error = Some("supplier_unusable");
                vec![None; orders.len()]
            }
        };
        orders.iter().copied().zip(states).collect()
    }

    /// Reads which orders are open at a supplier, and keeps what is known of those that still are.
    async fn refresh(&self, name: &str, open: &mut Open) -> Result<(), StoreError> {
        let range = Range::prefix(&[name.as_bytes(), &[0]].concat());
        let mut found = Open::new();
        let mut after = None;
        while found.len() < OPEN_MAX {
            let page = self.store.scan(&Index::Term(BY_SUPPLIER), &range, after.as_ref(), PAGE).await?;
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let Some(order) = read_order_key(&key) else { continue };
                let known = match open.remove(&order) {
                    // most orders have not changed since the last round, and are not read again
                    Some(known) if known.version == record.version => {
                        found.insert(order, known);
                        continue;
                    }
                    known => known,
                };
                let version = record.version;
                let Ok(record) = record.body.read::<OrderRecord>() else {
                    continue;
                };
                self.know_epoch(&record).await;
                if let Some(watched) = self.watched(order, version, &record, known) {
                    found.insert(order, watched);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        *open = found;
        Ok(())
    }

    fn watched(
        &self,
        order: (AccountId, OrderId),
        version: u64,
        record: &OrderRecord,
        known: Option<Watched>,
    ) -> Option<Watched> {
        // an order that waits for another SMS is as young as its wish
        let since = match record.resend_at {
            Some(at) if record.awaiting_more => at.plus_ms(-self.settings.resend_pause_ms),
            _ => record.created_at,
        };
        match known {
            Some(known) if known.since == since => Some(Watched { version, state: record.state, ..known }),
            _ => {
                let key = unwrap(&self.epochs(), order.0, order.1, record)?;
                let activation = ActivationId(open_link(&key, record)?.activation?);
                let (asked, next) = (Timestamp::EPOCH, Timestamp::EPOCH);
                Some(Watched { version, activation, state: record.state, since, asked, next })
            }
        }
    }
}

/// Asks one after the other, and asks no more once there is no usable answer: one call is enough to see that a supplier is
/// still away.
async fn until_unanswered(asked: Vec<BoxFuture<'_, Answers>>) -> Vec<Answers> {
    let mut answers = Vec::new();
    for call in asked {
        let answer = call.await;
        let usable = answer.iter().any(|(_, state)| state.is_some());
        answers.push(answer);
        if !usable {
            break;
        }
    }
    answers
}

/// Waits for a future while answers are being recorded.
async fn beside<T>(recording: &mut Recording<'_>, future: impl Future<Output = T>) -> T {
    tokio::pin!(future);
    loop {
        tokio::select! {
            biased;
            Some(()) = recording.next(), if !recording.is_empty() => {}
            done = &mut future => return done,
        }
    }
}
