//! Telling suppliers: finishing and cancelling at their side, after the order has ended. Never touches money.

use futures_util::stream::iter;
use futures_util::{FutureExt, StreamExt};

use super::command::{Step, Verdict, unreadable};
use super::inner::Inner;
use crate::order::supply::{BY_SUPPLY_DUE, SupplyRecord, SupplyState, TELL_PAUSES_SECONDS};
use crate::port::{ActivationId, ActivationState, CancelOutcome, FinishOutcome};
use crate::store::{Body, Entry, Expect, Index, Key, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// Purchases in work at once: a group of commits, because each ends with one.
const AT_ONCE: usize = 64;
/// The longest the worker sleeps without looking.
const LOOK_MS: i64 = 5_000;
/// A supplier has this long to answer.
const TELL_MS: i64 = 10_000;

impl Inner {
    /// Tells suppliers for ever.
    pub(super) async fn tell_suppliers(&self) {
        loop {
            let wake = match self.tell_due().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "telling suppliers is interrupted");
                    self.now().plus_ms(LOOK_MS)
                }
            };
            // an early wake-up or the time: either way it looks again
            self.until(wake, self.supply.notified()).await;
        }
    }

    async fn tell_due(&self) -> Result<Timestamp, StoreError> {
        if !self.holds("supply").await? {
            return Ok(self.now().plus_ms(LOOK_MS));
        }
        loop {
            let now = self.now();
            let page = self.store.scan(&Index::Term(BY_SUPPLY_DUE), &Range::all(), None, AT_ONCE * 4).await?;
            let mut due: Vec<(Key, SupplyRecord)> = Vec::new();
            let mut next = now.plus_ms(LOOK_MS);
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let Ok(record) = record.body.read::<SupplyRecord>() else {
                    continue;
                };
                match record.due_at {
                    Some(at) if at > now => next = next.min(at),
                    _ => due.push((key, record)),
                }
            }
            if due.is_empty() {
                return Ok(next);
            }
            let telling: Vec<_> = due.iter().map(|(key, record)| self.tell(key, record).boxed()).collect();
            let told: Vec<_> = iter(telling).buffer_unordered(AT_ONCE).collect().await;
            for result in told {
                result?;
            }
        }
    }

    async fn tell(&self, key: &Key, record: &SupplyRecord) -> Result<(), StoreError> {
        let state = self.ask_supplier(record).await;
        let keys = [LoadKey::Record(key.clone())];
        let done = self
            .decide::<(), StoreError>(&keys, |snapshot, now| {
                let Some(stored) = snapshot.record(key) else {
                    return Ok(Verdict::Nothing(()));
                };
                let mut record: SupplyRecord = stored.body.read().map_err(|e| unreadable(&e))?;
                if let Step::Leave(()) = next_try(&mut record, state, now) {
                    return Ok(Verdict::Nothing(()));
                }
                let put = Entry::Put {
                    key: key.clone(),
                    expect: Expect::Version(stored.version),
                    version: self.version(),
                    body: Body::write(&record).map_err(|e| unreadable(&e))?,
                    terms: record.terms(),
                };
                Ok(Verdict::Commit(vec![put], ()))
            })
            .await;
        match done {
            Ok(()) | Err(super::command::Failed::NotFound) => Ok(()),
            Err(super::command::Failed::Rule(error) | super::command::Failed::Store(error)) => Err(error),
        }
    }

    /// The state that the supplier confirms; `None` if it is to be told again.
    async fn ask_supplier(&self, record: &SupplyRecord) -> Option<SupplyState> {
        let slot = self.suppliers.get(&record.supplier)?;
        let id = ActivationId(record.activation.clone());
        let limit = self.now().plus_ms(TELL_MS);
        match record.state {
            SupplyState::Finishing => match self.until(limit, slot.port.finish(&id)).await? {
                FinishOutcome::Finished => Some(SupplyState::Finished),
                FinishOutcome::Refused(_) => self.over_there(record).await,
                FinishOutcome::Unknown(_) => None,
            },
            SupplyState::Cancelling => match self.until(limit, slot.port.cancel(&id)).await? {
                CancelOutcome::Cancelled => Some(SupplyState::Cancelled),
                CancelOutcome::NotOpen | CancelOutcome::SmsArrived | CancelOutcome::Refused(_) => {
                    self.over_there(record).await
                }
                CancelOutcome::TooEarly | CancelOutcome::Unknown(_) => None,
            },
            SupplyState::Open
            | SupplyState::Finished
            | SupplyState::Cancelled
            | SupplyState::Ended
            | SupplyState::GivenUp => Some(record.state),
        }
    }

    async fn over_there(&self, record: &SupplyRecord) -> Option<SupplyState> {
        let slot = self.suppliers.get(&record.supplier)?;
        let id = ActivationId(record.activation.clone());
        let limit = self.now().plus_ms(TELL_MS);
        let states = self.until(limit, slot.port.poll(std::slice::from_ref(&id))).await?.ok()?;
        match states.first()? {
            ActivationState::Ended | ActivationState::NotFound => Some(SupplyState::Ended),
            ActivationState::Waiting | ActivationState::Received(_) => None,
        }
    }
}

/// What becomes of a purchase after the supplier was asked.
fn next_try(record: &mut SupplyRecord, state: Option<SupplyState>, now: Timestamp) -> Step<()> {
    if !matches!(record.state, SupplyState::Finishing | SupplyState::Cancelling) {
        return Step::Leave(());
    }
    if let Some(state) = state {
        record.state = state;
        record.due_at = None;
        return Step::Write(());
    }
    match TELL_PAUSES_SECONDS.get(record.tries as usize) {
        Some(pause) => record.due_at = Some(now.plus_seconds(*pause)),
        None => {
            record.state = SupplyState::GivenUp;
            record.due_at = None;
        }
    }
    record.tries += 1;
    Step::Write(())
}
