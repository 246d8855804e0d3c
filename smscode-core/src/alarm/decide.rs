//! When an alarm is raised, and when it is told again. Pure.

use super::record::AlarmRecord;
use crate::time::Timestamp;

/// The same cause is alarmed once an hour.
const EVERY_MS: i64 = 3_600_000;
/// Pauses between tries to tell it, in seconds; the last one is repeated.
const PAUSES_SECONDS: [i64; 5] = [10, 60, 300, 900, 3_600];
/// After so many tries, about a day, it is given up: its record stays, and the next alarm of the cause is told anew.
const TRIES_MAX: u32 = 28;

/// The record of an alarm, unless the cause was alarmed within the hour.
pub(crate) fn raise(
    old: Option<&AlarmRecord>,
    (cause, about): (&str, Option<&str>),
    text: &str,
    now: Timestamp,
) -> Option<AlarmRecord> {
    if old.is_some_and(|old| now.ms_since(old.at) < EVERY_MS) {
        return None;
    }
    Some(AlarmRecord {
        v: 1,
        at: now,
        cause: cause.to_owned(),
        about: about.map(str::to_owned),
        text: text.to_owned(),
        count: old.map_or(0, |old| old.count).saturating_add(1),
        due_at: Some(now),
        tries: 0,
    })
}

/// What becomes of it by a try to tell it.
pub(crate) fn tried(record: &mut AlarmRecord, told: bool, now: Timestamp) {
    let last = PAUSES_SECONDS.len() - 1;
    let pause = PAUSES_SECONDS.get((record.tries as usize).min(last)).copied().unwrap_or_default();
    record.tries = if told { record.tries } else { record.tries.saturating_add(1) };
    record.due_at = (!told && record.tries < TRIES_MAX).then(|| now.plus_seconds(pause));
}
