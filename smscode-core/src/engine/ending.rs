//! How orders end: finished, cancelled, expired, ended by the supplier; and asking for another SMS.

use std::sync::Arc;

use super::command::{Step, Supply};
use super::inner::Inner;
use super::purchase::settle;
use crate::account::AccountId;
use crate::order::content::{Link, open_link, unwrap};
use crate::order::decide::{Input, State};
use crate::order::draft::{Draft, Stay};
use crate::order::record::{CANCELS, OrderRecord};
use crate::order::supply::SupplyState;
use crate::order::{OrderError, OrderId, OrderView, rules};
use crate::port::{ActivationId, ActivationState, CallError, CancelOutcome, MoreOutcome};
use crate::store::{BodyError, CounterKey, Entry, Refusal, StoreError};
use crate::time::Timestamp;

/// A supplier has this long for a cancel, a finish or a request for another SMS.
const TELL_MS: i64 = 10_000;
/// Who asks for a cancel that counts as the customer's.
const CUSTOMER: &str = "customer";
const DAY_SECONDS: i64 = 86_400;

impl Inner {
    /// Ends an order at the customer's wish.
    pub(super) async fn finish(self: &Arc<Self>, account: AccountId, id: OrderId) -> Result<OrderView, OrderError> {
        self.end(account, id, Input::Finish, None, SupplyState::Finishing, "customer").await?;
        self.view(account, id).await
    }

    /// Makes a move that ends an order, and notes in the same ChangeSet what the supplier is to be told.
    pub(super) async fn end(
        &self,
        account: AccountId,
        id: OrderId,
        input: Input,
        note: Option<&str>,
        supplier_side: SupplyState,
        actor: &str,
    ) -> Result<(), OrderError> {
        self.change_order::<(), OrderError>(account, id, true, |draft, sight| {
            if sight.without_reader && input == Input::Finish {
                return Err(OrderError::NotFound);
            }
            // an SMS may have come since this end was wanted: it is to be read first
            let by_itself = matches!(input, Input::AutoEnd | Input::SupplierEnded);
            let due = rules::due_at(&draft.record, &self.settings, sight.now);
            if draft.record.state == State::Received && by_itself && due.is_some_and(|due| due > sight.now) {
                // an order that says it is due when it is not would be looked at in a tight loop
                return Ok(if draft.record.due_at == due { Step::Leave(()) } else { Step::Write(()) });
            }
            let given_up = input == Input::LookUpOver;
            let link = if given_up { self.link_of(account, id, &draft.record) } else { None };
            match draft.advance(input, note, actor, sight.now) {
                Ok(()) => {}
                Err(Stay::Done) => return Ok(Step::Leave(())),
                Err(Stay::Late) => return Err(conflict(&draft.record, "it has ended")),
                Err(Stay::Refused(reason)) => return Err(conflict(&draft.record, reason)),
            }
            if draft.record.state.is_terminal() {
                self.close_supply(draft, sight.supply.as_ref(), supplier_side, sight.now)
                    .map_err(|e| OrderError::Unavailable(e.to_string()))?;
            }
            if given_up {
                let watch = self.watch_entry(draft, link.map(|link| link.reference), sight.now)?;
                watch.into_iter().for_each(|watch| draft.push(watch));
            }
            Ok(Step::Write(()))
        })
        .await
        .map_err(OrderError::from)?;
        if supplier_side != SupplyState::Cancelled {
            self.supply.notify_one(); // to be told, or to be booked
        }
        Ok(())
    }

    /// Notes at the supplier's side of an order that it has ended, and what the supplier is to be told.
    pub(super) fn close_supply(
        &self,
        draft: &mut Draft,
        supply: Option<&Supply>,
        state: SupplyState,
        now: Timestamp,
    ) -> Result<(), BodyError> {
        let Some(supply) = supply else { return Ok(()) };
        let wants_finish =
            self.suppliers.get(&supply.record.supplier).is_some_and(|slot| slot.info.capabilities.wants_finish);
        let state = if state == SupplyState::Finishing && !wants_finish { SupplyState::Finished } else { state };
        let mut closed = Supply::clone(supply);
        // what it has cost is booked by the supplier's side, in a ChangeSet and at a time of its own
        closed.record.served = draft.record.revision > 0;
        closed.record.move_to(state, now);
        draft.push(closed.entry(self.version())?);
        Ok(())
    }

    /// Cancels at the customer's wish: asked for durably, then the supplier decides.
    pub(super) async fn cancel(self: &Arc<Self>, account: AccountId, id: OrderId) -> Result<OrderView, OrderError> {
        let inner = Arc::clone(self);
        self.in_engine(move |reply| async move {
            // whoever asked may be gone
            drop(reply.send(inner.cancel_task(account, id, CUSTOMER).await));
        })
        .await?
    }

    /// Cancels as soon as it is allowed: now, or by the due worker at the supplier's earliest time.
    pub(super) async fn cancel_when_allowed(
        self: &Arc<Self>,
        account: AccountId,
        id: OrderId,
    ) -> Result<OrderView, OrderError> {
        let waits = self
            .change_order::<bool, OrderError>(account, id, false, |draft, sight| {
                if sight.without_reader {
                    return Err(OrderError::NotFound);
                }
                let too_early = draft.record.cancel_at.is_some_and(|at| at > sight.now);
                if draft.record.state != State::Active || !too_early {
                    return Ok(Step::Leave(false));
                }
                if draft.record.cancel_scheduled {
                    return Ok(Step::Leave(true));
                }
                match draft.advance(Input::ScheduleCancel, None, CUSTOMER, sight.now) {
                    Ok(()) => {
                        self.count_cancel(draft, sight.now);
                        Ok(Step::Write(true))
                    }
                    Err(_) => Ok(Step::Leave(false)),
                }
            })
            .await
            .map_err(|failed| capped(failed, self.now()))?;
        if waits { self.view(account, id).await } else { self.cancel(account, id).await }
    }

    /// Counts a cancel that the customer wants, against the day's cap.
    fn count_cancel(&self, draft: &mut Draft, now: Timestamp) {
        let mut counter = CounterKey::of(draft.account.0, CANCELS);
        counter.period = now.day();
        draft.push(Entry::Count { counter, delta: 1, max: Some(self.settings.caps.cancels_a_day) });
    }

    pub(super) async fn cancel_task(
        self: &Arc<Self>,
        account: AccountId,
        id: OrderId,
        actor: &'static str,
    ) -> Result<OrderView, OrderError> {
        let asked = self
            .change_order::<bool, OrderError>(account, id, false, |draft, sight| {
                if sight.without_reader && actor == CUSTOMER {
                    return Err(OrderError::NotFound);
                }
                if draft.record.state == State::Active
                    && let Some(at) = draft.record.cancel_at.filter(|at| *at > sight.now)
                {
                    let wait_seconds = (at.ms_since(sight.now) + 999) / 1_000;
                    return Err(OrderError::CancelTooEarly { at, wait_seconds });
                }
                // one that was scheduled is counted already
                let scheduled = draft.record.cancel_scheduled;
                match draft.advance(Input::AskCancel, None, actor, sight.now) {
                    Ok(()) => {
                        // the engine's own cancels are not the customer's, and no cap may keep money held
                        if actor == CUSTOMER && !scheduled {
                            self.count_cancel(draft, sight.now);
                        }
                        Ok(Step::Write(true))
                    }
                    Err(Stay::Done) => Ok(Step::Leave(draft.record.state == State::Canceling)),
                    Err(Stay::Late) => Err(conflict(&draft.record, "it has ended")),
                    Err(Stay::Refused(reason)) => Err(conflict(&draft.record, reason)),
                }
            })
            .await
            .map_err(|failed| capped(failed, self.now()))?;
        if asked {
            self.try_cancel(account, id).await?;
        }
        let view = self.view_unasked(account, id).await?;
        match view.state {
            State::Cancelled => Ok(view),
            State::Received | State::Completed => {
                Err(OrderError::Conflict { status: view.status, reason: "an SMS came first, so it is paid for" })
            }
            State::Expired => Err(OrderError::Conflict { status: view.status, reason: "it has ended" }),
            _ => Err(OrderError::Supplier { cause: "cancel_undecided" }),
        }
    }

    /// Asks the supplier to cancel an order that is being cancelled, and records what it says. Safe to repeat.
    pub(super) async fn try_cancel(&self, account: AccountId, id: OrderId) -> Result<(), OrderError> {
        let Some((_, record)) = self.load_order(account, id).await? else {
            return Ok(());
        };
        let Some((activation, slot)) = self.activation_of(account, id, &record) else {
            return Ok(());
        };
        let limit = self.now().plus_ms(TELL_MS);
        let outcome = self.until(limit, slot.port.cancel(&activation)).await;
        match outcome {
            Some(CancelOutcome::Cancelled) => {
                self.end(account, id, Input::CancelConfirmed, Some("cancelled"), SupplyState::Cancelled, "engine").await
            }
            Some(CancelOutcome::SmsArrived | CancelOutcome::NotOpen) => {
                if let Ok(ActivationState::Ended) = self.check(account, id, &record).await {
                    let end = self.end(
                        account,
                        id,
                        Input::CancelConfirmed,
                        Some("cancelled"),
                        SupplyState::Cancelled,
                        "engine",
                    );
                    return end.await;
                }
                Ok(())
            }
            Some(CancelOutcome::TooEarly | CancelOutcome::Refused(_) | CancelOutcome::Unknown(_)) | None => {
                tracing::info!(supplier = %record.supplier, "a cancel is not decided yet");
                Ok(())
            }
        }
    }

    /// Asks for another SMS.
    pub(super) async fn more(
        self: &Arc<Self>,
        account: AccountId,
        id: OrderId,
    ) -> Result<(OrderView, bool), OrderError> {
        let record = self
            .change_order::<OrderRecord, OrderError>(account, id, false, |draft, sight| {
                if sight.without_reader {
                    return Err(OrderError::NotFound);
                }
                if !rules::actions(&draft.record, sight.now).resend {
                    if let Some(at) = draft.record.resend_at.filter(|at| *at > sight.now) {
                        return Err(OrderError::ResendTooEarly { at });
                    }
                    let has_sms = draft.record.state == State::Received;
                    let reason = if has_sms { "the window is over" } else { "no SMS has come" };
                    return Err(conflict(&draft.record, reason));
                }
                match draft.advance(Input::AskMore, None, "customer", sight.now) {
                    Ok(()) => {
                        draft.record.awaiting_more = true;
                        draft.record.resend_at = Some(sight.now.plus_ms(self.settings.resend_pause_ms));
                        Ok(Step::Write(draft.record.clone()))
                    }
                    Err(_) => Err(conflict(&draft.record, "no SMS has come")),
                }
            })
            .await
            .map_err(OrderError::from)?;
        let told = match self.activation_of(account, id, &record) {
            Some((activation, slot)) => {
                let limit = self.now().plus_ms(TELL_MS);
                let outcome = self.until(limit, slot.port.more(&activation)).await;
                slot.bought.notify_one();
                matches!(outcome, Some(MoreOutcome::Waiting))
            }
            None => false,
        };
        Ok((self.view(account, id).await?, told))
    }

    /// Reads one order at its supplier and takes what SMS are there.
    pub(super) async fn check(
        &self,
        account: AccountId,
        id: OrderId,
        record: &OrderRecord,
    ) -> Result<ActivationState, CallError> {
        let Some((activation, slot)) = self.activation_of(account, id, record) else {
            return Err(CallError::Unusable("the order's key is gone".into()));
        };
        let limit = self.now().plus_ms(self.settings.last_check_limit_ms);
        let read = self.until(limit, slot.port.poll(std::slice::from_ref(&activation))).await;
        let states = read.unwrap_or_else(|| Err(CallError::Unusable("no answer in time".into())))?;
        let state = states.into_iter().next().ok_or_else(|| CallError::Unusable("an empty answer".into()))?;
        if !state.sms().is_empty() {
            self.receive(account, id, state.sms()).await.map_err(|e| CallError::Unusable(e.code().into()))?;
        }
        Ok(state)
    }

    /// The supplier has ended an order on its side: one more check, then the money goes back.
    pub(super) async fn supplier_ended(&self, account: AccountId, id: OrderId) -> Result<(), StoreError> {
        let Some((_, record)) = self.load_order(account, id).await? else {
            return Ok(());
        };
        if !matches!(record.state, State::Active | State::Canceling) {
            return Ok(());
        }
        // their window began a little before ours: from the last check on, it is the end by time
        if self.last_check_is_due(&record) {
            return Ok(());
        }
        if let Ok(ActivationState::Ended) = self.check(account, id, &record).await {
            // one that we have asked for is most likely our cancel, whose answer was lost; nothing is kept of it
            let (input, note, theirs) = if record.state == State::Canceling {
                (Input::CancelConfirmed, "cancelled", SupplyState::Cancelled)
            } else {
                (Input::SupplierEnded, "supplier_ended", SupplyState::Ended)
            };
            let end = self.end(account, id, input, Some(note), theirs, "engine").await;
            return settle(end.map_err(super::command::Failed::Rule).or_else(raced));
        }
        Ok(())
    }

    /// The activation of an order with its supplier, while its key is there.
    pub(super) fn activation_of(
        &self,
        account: AccountId,
        id: OrderId,
        record: &OrderRecord,
    ) -> Option<(ActivationId, &super::inner::Slot)> {
        let activation = self.link_of(account, id, record)?.activation?;
        Some((ActivationId(activation), self.suppliers.get(&record.supplier)?))
    }

    /// What links an order with its supplier's side, while its key is there.
    fn link_of(&self, account: AccountId, id: OrderId, record: &OrderRecord) -> Option<Link> {
        open_link(&unwrap(&self.epochs(), account, id, record)?, record)
    }
}

/// Somebody else has ended it first: the winner's result stands.
pub(super) fn raced(failed: super::command::Failed<OrderError>) -> Result<(), super::command::Failed<OrderError>> {
    match failed {
        super::command::Failed::Rule(OrderError::Conflict { .. }) => Ok(()),
        super::command::Failed::Rule(OrderError::Unavailable(reason)) => {
            Err(super::command::Failed::Store(StoreError::Unavailable {
                store: "core",
                effect: crate::store::Effect::Unknown,
                reason,
            }))
        }
        other => Err(other),
    }
}

fn conflict(record: &OrderRecord, reason: &'static str) -> OrderError {
    OrderError::Conflict { status: record.status(), reason }
}

fn capped(failed: super::command::Failed<OrderError>, now: Timestamp) -> OrderError {
    match failed {
        super::command::Failed::Store(StoreError::Refused(Refusal::Counter { max, .. })) => OrderError::Cap {
            what: "cancels a day",
            max,
            // the counter's period is the UTC day
            retry_after_seconds: DAY_SECONDS - now.seconds().rem_euclid(DAY_SECONDS),
        },
        other => other.into(),
    }
}
