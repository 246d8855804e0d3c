//! Alarms: raised by a conditional write, so that several nodes raise one; told by whichever node is first to take it upon
//! itself, and again until it has arrived.

use super::audit::stored;
use super::command::{Verdict, unreadable};
use super::inner::Inner;
use crate::alarm::AlarmState;
use crate::alarm::decide::{raise, tried};
use crate::alarm::record::{ALARM, AlarmRecord, BY_ALARM_DUE, alarm_key};
use crate::store::{Entry, Expect, Index, Key, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// Longest sleep without looking for alarms of nodes that have died; those of this node wake the worker.
const LOOK_MS: i64 = 30_000;
/// A message has this long to arrive.
const TELL_MS: i64 = 10_000;
/// Alarms told in one round: more causes than there are.
const AT_ONCE: usize = 100;
/// Causes that are listed: some, and a few for each supplier.
const LISTED_MAX: usize = 1_000;

impl Inner {
    /// Raises an alarm, once per cause and hour, whichever node finds it. `about` is no account, order or number.
    pub(super) async fn alarm(&self, cause: &'static str, about: Option<&str>, text: &str) -> Result<(), StoreError> {
        let key = alarm_key(cause, about);
        let keys = [LoadKey::Record(key.clone())];
        let raised = self.decide::<bool, StoreError>(&keys, |snapshot, now| {
            let known = snapshot.record(&key);
            let old: Option<AlarmRecord> =
                known.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
            let Some(record) = raise(old.as_ref(), (cause, about), text, now) else {
                return Ok(Verdict::Nothing(false));
            };
            let expect = known.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
            Ok(Verdict::Commit(vec![self.put(&key, expect, &record, record.terms())?], true))
        });
        if stored(raised.await)? {
            self.raised.notify_one();
        }
        Ok(())
    }

    /// Tells alarms for ever.
    pub(super) async fn tell_alarms(&self) {
        loop {
            let wake = match self.tell_due_alarms().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "alarms are told later");
                    self.now().plus_ms(LOOK_MS)
                }
            };
            self.until(wake, self.raised.notified()).await;
        }
    }

    async fn tell_due_alarms(&self) -> Result<Timestamp, StoreError> {
        let page = self.store.scan(&Index::Term(BY_ALARM_DUE), &Range::all(), None, AT_ONCE).await?;
        let now = self.now();
        let (mut next, mut due) = (now.plus_ms(LOOK_MS), Vec::new());
        for row in page.rows {
            let Row::Record { key, record, .. } = row else { continue };
            let record: AlarmRecord = record.body.read().map_err(|e| unreadable(&e))?;
            match record.due_at {
                Some(at) if at > now => next = next.min(at),
                Some(_) => due.push((key, record)),
                None => {}
            }
        }
        if due.is_empty() || !self.holds("alarms").await? {
            return Ok(next);
        }
        for (key, record) in due {
            let limit = self.now().plus_ms(TELL_MS);
            let alarm = record.alarm();
            let told = match self.until(limit, self.alarms.tell(&alarm)).await {
                Some(Ok(())) => true,
                Some(Err(error)) => {
                    tracing::warn!(alarm = alarm.cause, %error, "an alarm is told again later");
                    false
                }
                None => {
                    tracing::warn!(alarm = alarm.cause, "an alarm did not arrive in time and is told again later");
                    false
                }
            };
            self.note_alarm(&key, &record, told).await?;
        }
        // what failed has its time
        Ok(self.now())
    }

    async fn note_alarm(&self, key: &Key, tried_one: &AlarmRecord, told: bool) -> Result<(), StoreError> {
        let keys = [LoadKey::Record(key.clone())];
        let noted = self.decide::<(), StoreError>(&keys, |snapshot, now| {
            let Some(stored) = snapshot.record(key) else { return Ok(Verdict::Nothing(())) };
            let mut record: AlarmRecord = stored.body.read().map_err(|e| unreadable(&e))?;
            // raised anew meanwhile, or noted by another node
            if record != *tried_one {
                return Ok(Verdict::Nothing(()));
            }
            tried(&mut record, told, now);
            let entry: Entry = self.put(key, Expect::Version(stored.version), &record, record.terms())?;
            Ok(Verdict::Commit(vec![entry], ()))
        });
        stored(noted.await)
    }

    /// Every cause that was ever alarmed, by name.
    pub(super) async fn alarm_states(&self) -> Result<Vec<AlarmState>, StoreError> {
        let page = self.store.scan(&Index::Kind(ALARM), &Range::all(), None, LISTED_MAX).await?;
        let mut states = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let Row::Record { record, .. } = row else { continue };
            let record: AlarmRecord = record.body.read().map_err(|e| unreadable(&e))?;
            states.push(AlarmState {
                cause: record.cause,
                about: record.about,
                text: record.text,
                at: record.at,
                count: record.count,
                is_waiting: record.due_at.is_some(),
            });
        }
        Ok(states)
    }
}
