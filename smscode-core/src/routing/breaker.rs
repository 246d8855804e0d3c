//! The circuit breaker of one supplier: whether purchases are sent to it. Pure, one table of (state, event, now).
//!
//! ```text
//! Closed   -- so many failures in a row, or too many of the last calls --> Open
//! Open     -- its pause is over and the newest read was answered --------> HalfOpen
//! HalfOpen -- the one purchase under way succeeds ----------------------> Closed
//! HalfOpen -- it fails -------------------------------------------------> Open, for twice as long
//! ```

use crate::time::Timestamp;

/// When a supplier gets no purchases for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// Failures in a row that open it, of purchases or of all other calls.
    pub failures_in_row: u32,
    /// The part of failed purchases that opens it, in parts per million, once there are `calls_min` of them in five minutes.
    pub failures_ppm: u32,
    /// See `failures_ppm`.
    pub calls_min: u32,
    /// The first pause, in ms. It doubles with each failed try, up to `pause_max_ms`.
    pub pause_ms: i64,
    /// The longest pause, in ms.
    pub pause_max_ms: i64,
    /// A supplier that owes an answer for so long, and has given none meanwhile, gets no purchases until it gives one, in ms.
    pub silence_ms: i64,
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self {
            failures_in_row: 5,
            failures_ppm: 500_000,
            calls_min: 20,
            pause_ms: 10_000,
            pause_max_ms: 600_000,
            silence_ms: 10_000,
        }
    }
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Purchases are sent.
    Closed,
    /// None is sent before this time.
    Open {
        /// The end of the pause.
        until: Timestamp,
    },
    /// One purchase at a time is sent, to see.
    HalfOpen {
        /// Whether one is under way.
        probing: bool,
    },
}

impl BreakerState {
    /// Stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

/// What the breaker hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BreakerEvent {
    /// A purchase has ended; with how many of the recent ones, this one among them, have failed.
    Purchase { failed: bool, recent: Ratio },
    /// Any other call has ended.
    Other { failed: bool },
    /// A purchase begins: only what [`Breaker::admits`].
    Begins,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) part: u32,
    pub(crate) all: u32,
}

impl Ratio {
    /// Whether it is at least so many parts per million.
    const fn reaches(self, ppm: u32) -> bool {
        self.part as u64 * 1_000_000 >= ppm as u64 * self.all as u64
    }
}

/// The breaker of one supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    state: BreakerState,
    /// Purchases that have failed in a row.
    purchases: u32,
    /// Other calls that have failed in a row.
    others: u32,
    /// How often it was opened without a success between.
    openings: u32,
}

impl Breaker {
    pub(crate) const NEW: Self = Self { state: BreakerState::Closed, purchases: 0, others: 0, openings: 0 };

    /// How it stands. Time alone ends a pause, unless reads fail, too: then a purchase could only fail.
    pub(crate) fn state(&self, now: Timestamp) -> BreakerState {
        match self.state {
            BreakerState::Open { until } if now >= until && self.others == 0 => {
                BreakerState::HalfOpen { probing: false }
            }
            state => state,
        }
    }

    /// Whether a purchase may be sent now.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        matches!(self.state(now), BreakerState::Closed | BreakerState::HalfOpen { probing: false })
    }

    /// Whether other calls fail, so that they are to be fewer.
    pub(crate) const fn is_out_of_reach(&self, rule: &BreakerRule) -> bool {
        self.others >= rule.failures_in_row
    }

    /// The table.
    #[must_use]
    pub(crate) fn step(self, rule: &BreakerRule, event: BreakerEvent, now: Timestamp) -> Self {
        let state = self.state(now);
        let mut next = Self { state, ..self };
        match event {
            BreakerEvent::Begins => {
                if let BreakerState::HalfOpen { .. } = state {
                    next.state = BreakerState::HalfOpen { probing: true };
                }
            }
            BreakerEvent::Purchase { failed: true, recent } => {
                next.purchases = self.purchases.saturating_add(1);
                let many = recent.all >= rule.calls_min && recent.reaches(rule.failures_ppm);
                let enough = next.purchases >= rule.failures_in_row || many;
                match state {
                    BreakerState::Closed if enough => next.open(rule, now),
                    BreakerState::HalfOpen { .. } => next.open(rule, now),
                    BreakerState::Closed | BreakerState::Open { .. } => {}
                }
            }
            BreakerEvent::Purchase { failed: false, .. } => {
                next.purchases = 0;
                // one that began before it opened is no sign that the pause was wrong
                if let BreakerState::HalfOpen { .. } = state {
                    next = Self { others: self.others, ..Self::NEW };
                }
            }
            BreakerEvent::Other { failed: true } => {
                next.others = self.others.saturating_add(1);
                if state == BreakerState::Closed && next.others >= rule.failures_in_row {
                    next.open(rule, now);
                }
            }
            BreakerEvent::Other { failed: false } => next.others = 0,
        }
        next
    }

    fn open(&mut self, rule: &BreakerRule, now: Timestamp) {
        // a doubling beyond the longest pause changes nothing
        let doubled = rule.pause_ms.saturating_mul(1 << self.openings.min(30));
        self.state = BreakerState::Open { until: now.plus_ms(doubled.min(rule.pause_max_ms)) };
        self.openings = self.openings.saturating_add(1);
    }
}
