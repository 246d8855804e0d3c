//! The condition of one supplier, from what came of its calls. Pure: `ended(call, .., now)` and `standing(now)`.

use super::breaker::{Breaker, BreakerEvent, BreakerRule, BreakerState, Ratio};
use super::calls::{CALL_BUCKET_MS, CALL_BUCKETS, CallKind, Calls};
use super::funds::Funds;
use super::window::Window;
use crate::time::Timestamp;

/// Whether purchases are sent to a supplier, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Selling,
    /// One at a time, to see whether it is well again.
    Probing,
    /// Not for a while: its calls fail, or it owes answers.
    Resting,
    /// Not before our account there has money again.
    OutOfFunds,
    /// Not until the operator says so.
    Drained,
}

impl Standing {
    /// Whether its offers are shown.
    pub const fn sells(self) -> bool {
        matches!(self, Self::Selling | Self::Probing)
    }

    /// Stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Selling => "selling",
            Self::Probing => "probing",
            Self::Resting => "resting",
            Self::OutOfFunds => "out_of_funds",
            Self::Drained => "drained",
        }
    }
}

/// How a call ended, as far as its supplier's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With an answer, be it a refusal.
    Fine,
    /// Without a usable one, or with one that says that nothing can be had there now.
    Failed,
    /// Our account there has no money for this much, in its smallest unit.
    NoFunds(i64),
}

/// What is known of one supplier.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    rule: BreakerRule,
    breaker: Breaker,
    /// Calls under way.
    open: u32,
    /// Since when an answer is owed: the begin of the oldest call under way, or the newest answer after it.
    owed_since: Option<Timestamp>,
    purchases: Window<Calls, CALL_BUCKETS>,
    reads: Window<Calls, CALL_BUCKETS>,
    words: Window<Calls, CALL_BUCKETS>,
    pub(crate) funds: Funds,
    /// The operator wants no purchases.
    pub(crate) drained: bool,
}

impl Condition {
    pub(crate) fn new(rule: BreakerRule) -> Self {
        Self {
            rule,
            breaker: Breaker::NEW,
            open: 0,
            owed_since: None,
            purchases: Window::new(CALL_BUCKET_MS),
            reads: Window::new(CALL_BUCKET_MS),
            words: Window::new(CALL_BUCKET_MS),
            funds: Funds::new(),
            drained: false,
        }
    }

    /// A call begins.
    pub(crate) fn begins(&mut self, kind: CallKind, now: Timestamp) {
        if kind == CallKind::Purchase {
            self.breaker = self.breaker.step(&self.rule, BreakerEvent::Begins, now);
        }
        self.open += 1;
        self.owed_since.get_or_insert(now);
    }

    /// A call has ended that began `took_ms` ago. One that was dropped without an answer answers nothing.
    pub(crate) fn ended(&mut self, kind: CallKind, ended: Ended, answered: bool, took_ms: i64, now: Timestamp) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.owed_since = None;
        } else if answered {
            self.owed_since = Some(now);
        }
        let failed = ended == Ended::Failed;
        let window = match kind {
            CallKind::Purchase => &mut self.purchases,
            CallKind::Read => &mut self.reads,
            CallKind::Word => &mut self.words,
        };
        window.now(now).count(failed, took_ms);
        let event = match kind {
            CallKind::Purchase => {
                let recent = self.purchases.sum(now);
                BreakerEvent::Purchase { failed, recent: Ratio { part: recent.failed, all: recent.count } }
            }
            CallKind::Read | CallKind::Word => BreakerEvent::Other { failed },
        };
        let before = self.breaker.state(now);
        self.breaker = self.breaker.step(&self.rule, event, now);
        if before != BreakerState::Closed && self.breaker.state(now) == BreakerState::Closed {
            // it is judged by what it does from now on
            self.purchases = Window::new(CALL_BUCKET_MS);
        }
        if let Ended::NoFunds(wanted_minor) = ended {
            self.funds.refused(wanted_minor);
        }
    }

    /// Whether purchases are sent now.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        if self.drained {
            return Standing::Drained;
        }
        if self.funds.is_out() {
            return Standing::OutOfFunds;
        }
        match self.breaker.state(now) {
            _ if self.is_silent(now) => Standing::Resting,
            BreakerState::Closed => Standing::Selling,
            BreakerState::HalfOpen { .. } => Standing::Probing,
            BreakerState::Open { .. } => Standing::Resting,
        }
    }

    /// Whether one more purchase may be sent now.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        self.standing(now).sells() && self.breaker.admits(now)
    }

    /// Whether calls for open orders are to be few: it does not answer.
    pub(crate) fn is_out_of_reach(&self, now: Timestamp) -> bool {
        self.is_silent(now) || self.breaker.is_out_of_reach(&self.rule)
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        self.owed_since.is_some_and(|since| now.ms_since(since) >= self.rule.silence_ms)
    }

    /// How its breaker stands.
    pub(crate) fn breaker(&self, now: Timestamp) -> BreakerState {
        self.breaker.state(now)
    }

    /// The calls of the last five minutes, of one sort.
    pub(crate) fn calls(&self, kind: CallKind, now: Timestamp) -> Calls {
        match kind {
            CallKind::Purchase => self.purchases.sum(now),
            CallKind::Read => self.reads.sum(now),
            CallKind::Word => self.words.sum(now),
        }
    }
}
