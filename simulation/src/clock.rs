//! A node's own clock: off by so much, and drifting.

use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::port::Clock;
use smscode_core::time::Timestamp;

use crate::executor::Timeline;

/// When every run begins, by a clock that is right.
pub(crate) const BEGAN: Timestamp = Timestamp::from_seconds(1_800_000_000);
const MILLION: i64 = 1_000_000;

/// How far a clock is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    /// At the beginning of the run, in microseconds.
    pub(crate) offset_us: i64,
    /// So many millionths too fast.
    pub(crate) drift_ppm: i64,
}

impl Skew {
    /// What the clock shows.
    pub(crate) const fn show(self, us: i64) -> Timestamp {
        Timestamp(BEGAN.0 + us + self.offset_us + us * self.drift_ppm / MILLION)
    }

    /// When the clock shows this time; at most a microsecond later.
    fn when(self, shown: Timestamp) -> i64 {
        let since = shown.0.saturating_sub(BEGAN.0 + self.offset_us);
        let mut us = i64::try_from(i128::from(since) * i128::from(MILLION) / i128::from(MILLION + self.drift_ppm))
            .unwrap_or(i64::MAX / 4)
            .min(i64::MAX / 4);
        while self.show(us) < shown && us < i64::MAX / 4 {
            us += 1;
        }
        us
    }
}

pub(crate) struct NodeClock {
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) skew: Skew,
}

#[async_trait]
impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.skew.show(self.timeline.now_us())
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.timeline.sleep_until(self.skew.when(at)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_when_its_own_time_has_come() {
        for skew in [(0, 0), (5_000_000, 20), (-3_000_000, -10_000), (17, 9_999)] {
            let skew = Skew { offset_us: skew.0, drift_ppm: skew.1 };
            for us in [0, 1, 999, 1_000_000, 1_234_567_891] {
                let shown = skew.show(us);
                let when = skew.when(shown);
                assert!(skew.show(when) >= shown && when <= us + 1, "{skew:?} {us}");
            }
        }
    }
}
