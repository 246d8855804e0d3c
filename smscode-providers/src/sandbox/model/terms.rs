//! What a supplier is told and tells.

use std::collections::VecDeque;

use smscode_core::money::{Currency, Money};
use smscode_core::time::Timestamp;

use super::super::scenario::Scenario;

/// How a supplier is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The currency of its prices and of our account.
    pub currency: Currency,
    /// The account's money, in the smallest unit.
    pub balance_minor: i64,
    /// How many numbers each pair of country and service has.
    pub stock: u32,
    /// How many activations may be open at once.
    pub channels: usize,
    /// How long an activation lives, in seconds.
    pub window_seconds: u32,
    /// Milliseconds before which a cancel is refused.
    pub cancel_after_ms: i64,
    /// The same for `sbx_cancel_early`.
    pub long_cancel_after_ms: i64,
    /// Milliseconds until the code of an ordinary service arrives, also after asking for another.
    pub code_after_ms: i64,
    /// Milliseconds until the code of `sbx_code_later` arrives.
    pub later_after_ms: i64,
    /// Milliseconds until the second SMS of `sbx_two_sms` arrives by itself, from the first one on.
    pub second_after_ms: i64,
    /// Milliseconds until the code arrives where the purchase is answered late or never.
    pub late_after_ms: i64,
    /// Milliseconds for which a purchase that is never answered is kept waiting. Longer than callers wait.
    pub silent_ms: u32,
    /// Milliseconds until the purchase of `sbx_slow` is answered.
    pub slow_ms: u32,
    /// Milliseconds until the read that brings the SMS of `sbx_late_sms` is answered. Shorter than callers wait.
    pub late_read_ms: u32,
    /// Milliseconds until `sbx_supplier_ends` is ended.
    pub ends_after_ms: i64,
    /// Milliseconds after the end of an activation until what happens then: a late SMS, a refund, a charge.
    pub aftermath_ms: i64,
    /// Milliseconds for which a supplier that died answers nothing. Longer than a window with its grace.
    pub dead_ms: i64,
    /// The first activation's id. Beyond 31 bits, as real ones are.
    pub first_id: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currency: Currency::Usd,
            balance_minor: 100_000_000_000,
            stock: 1_000,
            channels: 10_000,
            window_seconds: 1_200,
            cancel_after_ms: 2_000,
            long_cancel_after_ms: 120_000,
            code_after_ms: 1_000,
            later_after_ms: 10_000,
            second_after_ms: 8_000,
            late_after_ms: 60_000,
            silent_ms: 60_000,
            slow_ms: 25_000,
            late_read_ms: 8_000,
            ends_after_ms: 10_000,
            aftermath_ms: 30_000,
            dead_ms: 1_800_000,
            first_id: 3_900_000_000,
        }
    }
}

/// What somebody wants to buy.
pub struct Wanted<'a> {
    /// The market's id.
    pub country: u16,
    /// The market's code, lower case.
    pub service: &'a str,
    /// The ceiling, if there is one.
    pub ceiling: Option<Money>,
    /// The buyer's name for the purchase, if there is one.
    pub reference: Option<&'a str>,
}

/// A step that a buyer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// "I have asked for the SMS."
    Ready,
    /// Another SMS, please.
    More,
    /// The code was good.
    Finish,
    /// The number back for the money.
    Cancel,
}

/// Where an activation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No SMS yet.
    Waiting,
    /// An SMS is there.
    Received,
    /// Another SMS was asked for.
    Retrying,
    /// Finished, paid.
    Finished,
    /// Cancelled or expired, refunded.
    Cancelled,
}

impl Stage {
    /// Whether SMS still arrive.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Received | Self::Retrying)
    }
}

/// Why a supplier refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such service.
    BadService,
    /// No such country.
    BadCountry,
    /// Sold out.
    NoNumbers,
    /// The account has too little money.
    NoBalance,
    /// The ceiling is below this price.
    PriceAboveCeiling(Money),
    /// Too many open activations.
    ChannelsLimit {
        /// How many are open.
        open: usize,
        /// How many may be.
        limit: usize,
    },
    /// The reference was used.
    ReferenceUsed,
    /// No such activation.
    NoActivation,
    /// Not in this stage, or not at all.
    BadStatus,
    /// Too early to cancel; the seconds after the purchase at which it is not.
    TooEarly {
        /// Seconds from the purchase on.
        after_seconds: i64,
    },
    /// Not cancelled because an SMS is there.
    SmsArrived,
}

/// What became of an injected SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// It has arrived.
    Delivered,
    /// No open activation has this number.
    NoOpenNumber,
    /// The activation has as many SMS as it can have.
    TooMany,
}

/// An SMS that has arrived.
#[derive(Clone)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// The text.
    pub text: String,
    /// The code in it, as this supplier sees it.
    pub code: Option<String>,
}

/// What happens to an activation by itself.
#[derive(Clone)]
pub(super) enum Due {
    /// An SMS, while it is open.
    Sms(String),
    /// The supplier ends it, if it is open.
    Ends,
    /// An SMS after its end, which is charged.
    LateSms(String),
    /// A refund is taken back.
    Charged,
    /// What was paid is given back.
    Refunded,
}

/// An SMS that somebody may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The activation.
    pub id: u64,
    /// Its place among the activation's messages.
    pub message: usize,
}

/// An activation.
#[derive(Clone)]
pub struct Activation {
    /// Its id.
    pub id: u64,
    /// International digits.
    pub phone: String,
    /// The market's id.
    pub country: u16,
    /// The market's code.
    pub service: String,
    /// What it costs.
    pub cost: Money,
    /// The buyer's name for it.
    pub reference: Option<String>,
    /// When it was bought.
    pub bought_at: Timestamp,
    /// From when on it can be cancelled.
    pub cancel_from: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// Where it is.
    pub stage: Stage,
    /// What has arrived, oldest first.
    pub messages: Vec<Message>,
    /// How it behaves.
    pub scenario: Scenario,
    pub(super) due: VecDeque<(Timestamp, Due)>,
    /// How many reads of it were spoilt.
    pub(super) spoilt: usize,
}

impl Activation {
    /// The number as this supplier writes it.
    pub fn written(&self) -> String {
        match self.scenario {
            Scenario::OddForm => format!("+{}", self.phone),
            _ => self.phone.clone(),
        }
    }
}
