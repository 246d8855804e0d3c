//! Exchange rates, for price rules and for showing amounts. Never used inside a transfer.

use serde::{Deserialize, Serialize};

use crate::money::Currency;
use crate::time::Timestamp;

/// How much of `quote` one unit of `base` is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The currency that is one.
    pub base: Currency,
    /// The currency that is counted.
    pub quote: Currency,
    /// Whole units of `quote` (not its smallest unit) per whole unit of `base`, in millionths: 16,000 is `16_000_000_000`.
    pub micro: i64,
    /// When it was obtained, if that is known.
    pub as_of: Option<Timestamp>,
}

/// Where rates come from. Reads what is at hand and never waits.
pub trait Rates: Send + Sync + 'static {
    /// The newest known rate of a pair, whatever its age; `None` if there never was one.
    fn rate(&self, base: Currency, quote: Currency) -> Option<Rate>;
}

/// Rates that the operator has set.
#[derive(Clone, Debug, Default)]
pub struct FixedRates {
    rates: Vec<Rate>,
}

impl FixedRates {
    /// No rates: every currency is worth one of itself and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rate, in whole units of `quote` per unit of `base`.
    #[must_use]
    pub fn with(mut self, base: Currency, quote: Currency, whole: i64) -> Self {
        self.rates.push(Rate { base, quote, micro: whole.saturating_mul(1_000_000), as_of: None });
        self
    }
}

impl Rates for FixedRates {
    fn rate(&self, base: Currency, quote: Currency) -> Option<Rate> {
        if base == quote {
            return Some(Rate { base, quote, micro: 1_000_000, as_of: None });
        }
        self.rates.iter().find(|rate| rate.base == base && rate.quote == quote).copied()
    }
}
