//! Time in a sandbox: it passes as it does, and can be moved on. Platform and simulator live by one clock; tokens, limits
//! and sockets stay on real time.
#![allow(
    clippy::disallowed_methods,
    reason = "the server is the host: it waits for what it has set going, in real time"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use smscode_core::Platform;
use smscode_core::port::Clock;
use smscode_core::store::StoreError;
use smscode_core::time::Timestamp;
use smscode_providers::clock::SandboxClock;
use smscode_providers::sandbox::SandboxHandle;
use tokio::sync::Mutex;
use tokio::task::yield_now;

use super::calls::Calls;
use crate::mark::Marks;

/// The most seconds of one call: a month and a day, beyond the longest time that anything in a platform waits.
pub const SECONDS_MAX: i64 = 31 * 86_400;
/// How far the clock is ahead is kept in the store for so long in advance: where a call ends before its time has passed, a
/// restart is no further ahead than this.
const KEPT_US: i64 = 7_200_000_000;
/// An answer comes after this at the latest, with what has passed by then: clients and proxies do not wait for ever.
const ANSWER_AFTER: Duration = Duration::from_secs(20);
/// Time is moved by this much at least: what is due within it is due at once.
const STRIDE_MIN_US: i64 = 1_000_000;
/// So many looks in a row must find nothing under way. Between two of them all that can run has run.
const CALM_LOOKS: u32 = 24;
/// A pause while something is under way.
const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// The simulator notices within this that a caller has gone.
const NOTICED_WITHIN: Duration = Duration::from_millis(100);
/// What takes longer than this is not waited for: then time passes meanwhile, as it does.
const PATIENCE: Duration = Duration::from_secs(5);

/// What has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// How many seconds; fewer than were asked for if they took too long.
    pub seconds: i64,
    /// What time it is.
    pub now: Timestamp,
}

/// The clock, and how to tell that everything waits for it.
pub(super) struct Time {
    pub(super) clock: Arc<SandboxClock>,
    pub(super) store_calls: Calls,
    pub(super) supplier_calls: Calls,
    marks: Marks,
    /// Held by whoever moves the clock.
    moving: Mutex<()>,
}

impl Time {
    /// Goes on where an earlier run has left off.
    pub(super) async fn of(marks: Marks) -> Result<Self, StoreError> {
        let clock = Arc::new(SandboxClock::ahead_by_us(marks.clock_ahead_us().await?));
        let (store_calls, supplier_calls) = (Calls::default(), Calls::default());
        Ok(Self { clock, store_calls, supplier_calls, marks, moving: Mutex::new(()) })
    }

    /// Lets so many seconds pass: from one due time to the next, each time until everything that woke waits again. While
    /// nothing is open nothing is due, and what wakes only looks: then minutes pass in one step. A store that is slow, or a
    /// machine that is busy, may not come to the end in one call.
    pub(super) async fn advance(
        &self,
        seconds: i64,
        simulator: &SandboxHandle,
        platform: &Platform,
    ) -> Result<Advanced, StoreError> {
        let _one_at_a_time = self.moving.lock().await;
        let (begun, start) = (Instant::now(), self.clock.now());
        let end = start.plus_seconds(seconds);
        let ahead_max_us = self.clock.ahead_us().saturating_add(seconds.saturating_mul(1_000_000));
        let mut kept_us = self.clock.ahead_us();
        loop {
            self.calm(simulator).await;
            let now = self.clock.now();
            if now >= end || begun.elapsed() >= ANSWER_AFTER {
                let passed = (now.ms_since(start) / 1_000).min(seconds);
                return Ok(Advanced { seconds: passed, now });
            }
            // a store that is away has nothing to say, and the workers tell it
            let next = match platform.quiet_until().await.ok().flatten() {
                Some(quiet) => quiet,
                None => self.clock.next_wake().unwrap_or(end),
            };
            let stride_us = (next.0 - now.0).max(STRIDE_MIN_US).min(end.0 - now.0);
            // before anything is written by the new time: a later run must not be behind it
            let ahead_us = self.clock.ahead_us();
            if ahead_us.saturating_add(stride_us) > kept_us {
                kept_us = ahead_us.saturating_add(stride_us.max(KEPT_US)).min(ahead_max_us);
                self.marks.keep_clock(kept_us).await?;
            }
            self.clock.advance_us(stride_us);
        }
    }

    /// Waits until nothing is under way.
    async fn calm(&self, simulator: &SandboxHandle) {
        let begun = Instant::now();
        let mut looks = 0;
        while looks < CALM_LOOKS {
            yield_now().await;
            let waited = begun.elapsed();
            let (calls, held) = (self.supplier_calls.count(), simulator.held());
            // nobody is about to wake, the store has answered, and so has the supplier but for what it keeps back on purpose
            let busy = self.is_somebody_awake() || self.store_calls.count() > 0 || calls > held;
            // it has not noticed yet that a caller who was kept waiting has gone: until then it hides another call
            let stale = calls < held && waited < NOTICED_WITHIN;
            if !busy && !stale {
                looks += 1;
            } else if waited < PATIENCE {
                looks = 0;
                tokio::time::sleep(LOOK_AGAIN).await;
            } else {
                return;
            }
        }
    }

    fn is_somebody_awake(&self) -> bool {
        self.clock.next_wake().is_some_and(|wake| wake <= self.clock.now())
    }
}
