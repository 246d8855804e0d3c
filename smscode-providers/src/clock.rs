//! The operating system's clock and randomness. Nothing else of this workspace reads either. And the clock of a sandbox, which
//! can be moved ahead.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use smscode_core::port::{Clock, Entropy};
use smscode_core::time::Timestamp;
use tokio::sync::Notify;

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

/// Real time and what it was moved ahead, for trying what takes minutes: it only ever goes on faster.
///
/// Whoever sleeps by it is woken when his time has come that way. It knows who sleeps until when, so that whoever moves it
/// can go from one to the next, as time itself does.
#[derive(Default)]
pub struct SandboxClock(Mutex<Ahead>);

#[derive(Default)]
struct Ahead {
    us: i64,
    /// Who sleeps, by the time and a number.
    sleepers: BTreeMap<(Timestamp, u64), Arc<Notify>>,
    next: u64,
}

impl SandboxClock {
    /// A clock that is so far ahead of real time; what is below zero counts as zero.
    pub fn ahead_by_us(us: i64) -> Self {
        Self(Mutex::new(Ahead { us: us.max(0), ..Ahead::default() }))
    }

    /// How far it is ahead of real time, in microseconds.
    pub fn ahead_us(&self) -> i64 {
        self.lock().us
    }

    /// Moves it on and wakes whose time has come. What is below zero moves nothing.
    pub fn advance_us(&self, us: i64) {
        let mut ahead = self.lock();
        ahead.us = ahead.us.saturating_add(us.max(0));
        // all of them: whose time has not come sleeps shorter now
        for sleeper in ahead.sleepers.values() {
            sleeper.notify_one();
        }
    }

    /// The earliest time that somebody sleeps until. One that has passed is of somebody who is about to wake.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.lock().sleepers.first_key_value().map(|((at, _), _)| *at)
    }

    fn lock(&self) -> MutexGuard<'_, Ahead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_of(ahead: &Ahead) -> Timestamp {
    Timestamp(SystemClock.now().0.saturating_add(ahead.us))
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ahead = self.lock();
        write!(f, "SandboxClock(ahead by {} us, {} asleep)", ahead.us, ahead.sleepers.len())
    }
}

/// Somebody who sleeps; he is not known any more once he has woken or was dropped.
struct Sleeper<'a> {
    clock: &'a SandboxClock,
    key: (Timestamp, u64),
    woken: Arc<Notify>,
}

impl<'a> Sleeper<'a> {
    fn until(clock: &'a SandboxClock, at: Timestamp) -> Self {
        let woken = Arc::new(Notify::new());
        let mut ahead = clock.lock();
        let key = (at, ahead.next);
        ahead.next += 1;
        ahead.sleepers.insert(key, woken.clone());
        Self { clock, key, woken }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
    }
}

#[async_trait]
impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        now_of(&self.lock())
    }

    #[allow(clippy::disallowed_methods, reason = "real time goes on, too")]
    async fn sleep_until(&self, at: Timestamp) {
        let sleeper = Sleeper::until(self, at);
        loop {
            let left = at.0.saturating_sub(self.now().0);
            let Ok(left @ 1..) = u64::try_from(left) else {
                return;
            };
            // woken by either: it looks again
            let _woken_or_later =
                tokio::time::timeout(Duration::from_micros(left).min(SLEEP_STEP), sleeper.woken.notified()).await;
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

    #[tokio::test]
    async fn a_sandbox_clock_wakes_whose_time_has_come_by_being_moved() {
        const HOUR_US: i64 = 3_600_000_000;
        let clock = SandboxClock::ahead_by_us(HOUR_US);
        let start = clock.now();
        let ahead_us = start.0 - SystemClock.now().0;
        assert!((HOUR_US - 1_000_000..=HOUR_US).contains(&ahead_us), "{ahead_us}");
        assert_eq!(clock.next_wake(), None);
        let (soon, late) = (start.plus_seconds(600), start.plus_seconds(1_200));
        let first = async {
            clock.sleep_until(soon).await;
            clock.now()
        };
        let never = async {
            tokio::select! {
                biased;
                () = clock.sleep_until(late) => true,
                () = clock.sleep_until(start.plus_seconds(900)) => false,
            }
        };
        let moving = async {
            tokio::task::yield_now().await;
            assert_eq!(clock.next_wake(), Some(soon));
            clock.advance_us(-5);
            clock.advance_us(soon.0 - clock.now().0);
            tokio::task::yield_now().await;
            assert_eq!(clock.next_wake(), Some(start.plus_seconds(900)));
            clock.advance_us(300_000_000);
        };
        let (woke_at, slept_to_the_end, ()) = tokio::join!(first, never, moving);
        assert!((soon..late).contains(&woke_at) && !slept_to_the_end);
        assert_eq!(clock.next_wake(), None, "who was dropped is not known any more");
        assert!(clock.ahead_us() >= HOUR_US + 899_000_000 && clock.now() < late, "{clock:?}");
        // a real pause still passes by itself
        clock.sleep_until(clock.now().plus_ms(20)).await;
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
