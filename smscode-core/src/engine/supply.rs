//! Telling suppliers: finishing and cancelling at their side, after the order has ended; and booking what a purchase has
//! cost, once it is over there. Never touches a customer's money.

use futures_util::stream::iter;
use futures_util::{FutureExt, StreamExt};

use super::command::{Failed, Verdict, unreadable};
use super::inner::{Inner, Slot};
use crate::order::supply::{BY_SUPPLY_DUE, Heard, SupplyRecord, SupplyState};
use crate::port::{ActivationId, ActivationState, CancelOutcome, FinishOutcome};
use crate::store::{Body, Entry, Expect, Index, Key, LoadKey, Range, Refusal, Row, StoreError};
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

    /// Tells the supplier if there is something to tell, and books the cost in the ChangeSet that settles the purchase.
    async fn tell(&self, key: &Key, found: &SupplyRecord) -> Result<(), StoreError> {
        let answer = if found.state.is_over() { None } else { Some(self.ask_supplier(found).await) };
        let recorded = match self.record_told(key, found.state, answer, true).await {
            // a transfer of this activation is there, and its record does not know: a store put together from two
            Err(Failed::Store(StoreError::Refused(Refusal::TransferExists { .. }))) => {
                tracing::error!(supplier = %found.supplier, "the cost of a purchase was booked before");
                self.record_told(key, found.state, answer, false).await
            }
            recorded => recorded,
        };
        // the same SMS is there at every try
        if answer.is_some_and(|answer| answer.late_sms) && !found.kept && recorded.is_ok() {
            self.count_late(1);
        }
        match recorded {
            Ok(()) | Err(Failed::NotFound) => Ok(()),
            Err(Failed::Rule(error) | Failed::Store(error)) => Err(error),
        }
    }

    async fn record_told(
        &self,
        key: &Key,
        found: SupplyState,
        answer: Option<Answer>,
        with_money: bool,
    ) -> Result<(), Failed<StoreError>> {
        self.decide_coarsely(&[LoadKey::Record(key.clone())], |snapshot, now| {
            let Some(stored) = snapshot.record(key) else {
                return Ok(Verdict::Nothing(()));
            };
            let mut record: SupplyRecord = stored.body.read().map_err(|e| unreadable(&e))?;
            // it has moved on meanwhile, or somebody else has booked it
            if record.state != found || record.due_at.is_none() {
                return Ok(Verdict::Nothing(()));
            }
            if let Some(answer) = answer {
                record.hear(answer.heard, answer.kept, now);
            }
            let post = record.book(&self.keys.index).filter(|_| with_money);
            let put = Entry::Put {
                key: key.clone(),
                expect: Expect::Version(stored.version),
                version: self.version(),
                body: Body::write(&record).map_err(|e| unreadable(&e))?,
                terms: record.terms(),
            };
            let entries = [Some(put), post.map(Entry::Post)].into_iter().flatten().collect();
            Ok(Verdict::Commit(entries, ()))
        })
        .await
    }

    async fn ask_supplier(&self, record: &SupplyRecord) -> Answer {
        let Some(slot) = self.suppliers.get(&record.supplier) else {
            return Answer::AGAIN; // not configured any more, or not yet
        };
        let id = ActivationId(record.activation.clone());
        let limit = self.now().plus_ms(TELL_MS);
        if record.state == SupplyState::Finishing {
            return match self.until(limit, slot.port.finish(&id)).await {
                Some(FinishOutcome::Finished) => Answer { heard: Heard::Done, ..Answer::AGAIN },
                Some(FinishOutcome::Refused(_)) => {
                    Answer { heard: self.over_there(slot, &id).await.heard, ..Answer::AGAIN }
                }
                Some(FinishOutcome::Unknown(_)) | None => Answer::AGAIN,
            };
        }
        match self.until(limit, slot.port.cancel(&id)).await {
            Some(CancelOutcome::Cancelled) => Answer { heard: Heard::Done, ..Answer::AGAIN },
            Some(CancelOutcome::NotOpen) => self.over_there(slot, &id).await,
            Some(CancelOutcome::SmsArrived) => match self.over_there(slot, &id).await {
                Answer { heard: Heard::Over, .. } => Answer { heard: Heard::Over, kept: true, late_sms: true },
                _ => Answer::with_sms(slot),
            },
            Some(CancelOutcome::Refused(_)) => Answer { kept: true, ..self.over_there(slot, &id).await },
            Some(CancelOutcome::TooEarly | CancelOutcome::Unknown(_)) | None => Answer::AGAIN,
        }
    }

    /// Whether it is over at the supplier. An SMS that is there is nobody's: it is dropped here.
    async fn over_there(&self, slot: &Slot, id: &ActivationId) -> Answer {
        let limit = self.now().plus_ms(TELL_MS);
        let Some(Ok(states)) = self.until(limit, slot.port.poll(std::slice::from_ref(id))).await else {
            return Answer::AGAIN;
        };
        match states.first() {
            Some(ActivationState::Ended) => Answer { heard: Heard::Over, ..Answer::AGAIN },
            Some(ActivationState::NotFound) => Answer { heard: Heard::Over, kept: true, ..Answer::AGAIN },
            Some(ActivationState::Received(_)) => Answer::with_sms(slot),
            Some(ActivationState::Waiting) | None => Answer::AGAIN,
        }
    }
}

/// What a supplier answers.
#[derive(Clone, Copy)]
struct Answer {
    heard: Heard,
    /// Whether it says that it keeps the money.
    kept: bool,
    /// Whether an SMS is there that nobody will be shown.
    late_sms: bool,
}

impl Answer {
    const AGAIN: Self = Self { heard: Heard::Again, kept: false, late_sms: false };

    /// One that is open and has an SMS. A supplier that does not want to hear of the end of such is not told.
    fn with_sms(slot: &Slot) -> Self {
        let heard = if slot.info.capabilities.wants_finish { Heard::Sms } else { Heard::Over };
        Self { heard, kept: true, late_sms: true }
    }
}
