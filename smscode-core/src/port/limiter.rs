//! How many calls a supplier gets from us in a second, all customers and all nodes together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::time::Timestamp;

/// How much a call matters when there are more of them than a supplier takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it: purchases, cancels.
    First,
    /// It may wait: polls, lists, balances. They leave half of what there is to the others, and all of it while somebody
    /// waits.
    Later,
}

/// What a permit is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a> {
    /// The supplier's name; there are as many as are configured.
    pub supplier: &'a str,
    /// Calls that it takes in a second, above zero.
    pub a_second: u32,
    /// How much it matters.
    pub urgency: Urgency,
}

/// Gives permits for calls. It never waits for one: who is refused is told when to ask again, and waits by the platform's
/// clock.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes a permit for one call.
    ///
    /// # Errors
    ///
    /// The time from which asking again may help; later than `now`.
    async fn take(&self, wanted: Permit<'_>, now: Timestamp) -> Result<(), Timestamp>;
}

/// Millionths of a permit: buckets count in these, so that nothing is rounded away.
const PERMIT: i64 = 1_000_000;

/// Who was told to ask again is awaited for so long after that.
const AWAITED_MS: i64 = 500;

#[derive(Clone, Copy)]
struct Bucket {
    left: i64,
    at: Timestamp,
    /// Somebody urgent was refused and comes again; until then nobody else is served.
    awaited_until: Timestamp,
}

/// For one node: a bucket for each supplier, which holds the permits of one second and fills evenly.
#[derive(Default)]
pub struct MemoryLimiter {
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl MemoryLimiter {
    /// Full buckets.
    pub fn new() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryLimiter")
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, wanted: Permit<'_>, now: Timestamp) -> Result<(), Timestamp> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = i64::from(wanted.a_second.max(1));
        let full = rate * PERMIT;
        let bucket = buckets.entry(wanted.supplier.to_owned()).or_insert(Bucket {
            left: full,
            at: now,
            awaited_until: Timestamp(i64::MIN),
        });
        // a clock that was set back fills nothing; a microsecond brings as many millionths as there are permits a second
        let passed_us = now.0.saturating_sub(bucket.at.0).max(0);
        bucket.left = full.min(bucket.left.saturating_add(passed_us.saturating_mul(rate)));
        bucket.at = now;
        let kept = match wanted.urgency {
            Urgency::First => 0,
            Urgency::Later => rate / 2 * PERMIT,
        };
        let missing = kept + PERMIT - bucket.left;
        let full_at = Timestamp(now.0.saturating_add((missing.max(0) + rate - 1) / rate));
        match wanted.urgency {
            Urgency::First if missing > 0 => {
                bucket.awaited_until = full_at.plus_ms(AWAITED_MS);
                return Err(full_at);
            }
            Urgency::Later if now <= bucket.awaited_until => {
                return Err(full_at.max(Timestamp(bucket.awaited_until.0.saturating_add(1))));
            }
            Urgency::Later if missing > 0 => return Err(full_at),
            Urgency::First | Urgency::Later => {}
        }
        bucket.left -= PERMIT;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use futures_util::FutureExt;

    use super::{Limiter, MemoryLimiter, Permit, Urgency};
    use crate::time::Timestamp;

    fn take(limiter: &MemoryLimiter, a_second: u32, urgency: Urgency, ms: i64) -> Result<(), i64> {
        let start = Timestamp::from_seconds(1_000_000);
        let wanted = Permit { supplier: "alpha", a_second, urgency };
        let taken = limiter.take(wanted, start.plus_ms(ms)).now_or_never().unwrap();
        taken.map_err(|at| at.ms_since(start))
    }

    #[test]
    fn a_second_has_so_many_permits_and_half_are_kept_for_who_waits() {
        use Urgency::{First, Later};
        let limiter = MemoryLimiter::new();
        let cases = [
            // ms, urgency, asked, let through, when to ask again
            (0, Later, 5, 2, Some(250)),
            (0, First, 5, 2, Some(250)),
            (250, First, 2, 1, Some(500)),
            (500, Later, 1, 0, Some(1_000)),
            (1_001, Later, 1, 1, None),
            // a clock that was set back fills nothing and breaks nothing
            (0, First, 3, 2, Some(249)),
            (10_000, First, 9, 4, Some(10_250)),
        ];
        for (ms, urgency, asked, through, again) in cases {
            let answers: Vec<_> = (0..asked).map(|_| take(&limiter, 4, urgency, ms)).collect();
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), through, "at {ms}");
            assert_eq!(answers.into_iter().find_map(Result::err), again, "at {ms}");
        }
    }

    #[test]
    fn one_a_second_is_for_everybody() {
        let limiter = MemoryLimiter::new();
        assert_eq!(take(&limiter, 1, Urgency::Later, 0), Ok(()));
        assert_eq!(take(&limiter, 1, Urgency::First, 400), Err(1_000));
        // who waits goes first
        assert_eq!(take(&limiter, 1, Urgency::Later, 1_000), Err(1_500));
        assert_eq!(take(&limiter, 1, Urgency::First, 1_000), Ok(()));
        assert_eq!(take(&limiter, 1, Urgency::Later, 2_001), Ok(()));
    }
}
