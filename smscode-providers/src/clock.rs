//! The operating system's clock and randomness. Nothing else of this workspace reads either.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use smscode_core::port::{Clock, Entropy};
use smscode_core::time::Timestamp;

/// The longest single sleep: after it the wall clock is asked again, because it may have been set.
const SLEEP_STEP: Duration = Duration::from_secs(30);

/// The wall clock, cut to microseconds. Sleeping needs a tokio runtime with its timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(micros(since)),
            Err(before) => Timestamp(-micros(before.duration())),
        }
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place that waits")]
    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.0.saturating_sub(self.now().0);
            let Ok(left @ 1..) = u64::try_from(left) else {
                return;
            };
            tokio::time::sleep(Duration::from_micros(left).min(SLEEP_STEP)).await;
        }
    }
}

/// Random bytes of the operating system, fit for keys and tokens.
///
/// Where the system cannot give any the process is aborted: an id or a key of known bytes would be worse.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that draws random bytes")]
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeps_until_the_time_and_not_at_all_for_a_past_one() {
        let clock = SystemClock;
        let start = clock.now();
        assert!(start > Timestamp::from_seconds(1_700_000_000), "cut to microseconds since 1970");
        clock.sleep_until(Timestamp::EPOCH).await;
        clock.sleep_until(start.plus_ms(20)).await;
        assert!(clock.now() >= start.plus_ms(20));
    }

    #[test]
    fn two_draws_differ() {
        let (mut one, mut two) = ([0_u8; 32], [0_u8; 32]);
        OsEntropy.fill(&mut one);
        OsEntropy.fill(&mut two);
        assert_ne!(one, two);
        assert_ne!(one, [0_u8; 32]);
    }
}
