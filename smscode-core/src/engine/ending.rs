//! How orders end: finished, cancelled, expired, ended by the supplier; and asking for another SMS.

use std::sync::Arc;

use super::command::{Step, Supply};
use super::inner::Inner;
use super::purchase::settle;
use crate::account::AccountId;
use crate::order::content::{open_link, unwrap};
use crate::order::decide::{Input, State};
use crate::order::draft::{Draft, Stay};
use crate::order::record::{CANCELS, OrderRecord};
use crate::order::supply::{SupplyState, coarse};
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
            let unread = rules::due_at(&draft.record, &self.settings, sight.now).is_some_and(|due| due > sight.now);
            if draft.record.state == State::Received && by_itself && unread {
                return Ok(Step::Leave(()));
            }
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
            Ok(Step::Write(()))
        })
        .await
        .map_err(OrderError::from)?;
        if matches!(supplier_side, SupplyState::Finishing | SupplyState::Cancelling) {
            self.supply.notify_one();
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
        closed.record.state = state;
        closed.record.due_at = matches!(state, SupplyState::Finishing | SupplyState::Cancelling).then_some(coarse(now));
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
                match draft.advance(Input::AskCancel, None, actor, sight.now) {
                    Ok(()) => {
                        // the engine's own cancels are not the customer's, and no cap may keep money held
                        if actor == CUSTOMER {
                            let mut counter = CounterKey::of(account.0, CANCELS);
                            counter.period = sight.now.day();
                            let max = Some(self.settings.caps.cancels_a_day);
                            draft.push(Entry::Count { counter, delta: 1, max });
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
        if let Ok(ActivationState::Ended) = self.check(account, id, &record).await {
            let end =
                self.end(account, id, Input::SupplierEnded, Some("supplier_ended"), SupplyState::Ended, "engine").await;
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
        let key = unwrap(&self.epochs(), account, id, record)?;
        let activation = open_link(&key, record)?.activation?;
        Some((ActivationId(activation), self.suppliers.get(&record.supplier)?))
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
