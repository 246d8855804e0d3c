//! What the owner of an order may see of it, computed once for every surface.

use std::fmt;

use super::decide::State;
use super::record::OrderId;
use crate::money::Money;
use crate::time::Timestamp;

/// The five statuses of the market's published API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// Number rented (or being rented), waiting for an SMS; also while another SMS is awaited.
    Active,
    /// At least one SMS came.
    OtpReceived,
    /// Finished after an SMS.
    Completed,
    /// Given back, money released.
    Canceled,
    /// The window ended without an SMS, money released.
    Expired,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 5] = [Self::Active, Self::OtpReceived, Self::Completed, Self::Canceled, Self::Expired];

    /// The word of the published API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::OtpReceived => "OTP_RECEIVED",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
        }
    }

    /// By word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word().eq_ignore_ascii_case(word))
    }

    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Expired)
    }
}

/// An order as its owner sees it. Content is `None` before it came and from the order's end on.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Public number.
    pub id: OrderId,
    /// Public status.
    pub status: Status,
    /// The state behind it.
    pub state: State,
    /// When it was placed.
    pub created_at: Timestamp,
    /// The slot that was bought.
    pub product: u32,
    /// The pair of country and service.
    pub umbrella: u32,
    /// Country, by the market's id.
    pub country: u16,
    /// Service, by the market's code.
    pub service: String,
    /// What it costs if an SMS comes; fixed when it was placed.
    pub price: Money,
    /// Digits without plus.
    pub phone: Option<String>,
    /// The last code that was recognised.
    pub code: Option<String>,
    /// The newest SMS.
    pub text: Option<String>,
    /// Grows by one with every new SMS.
    pub revision: u64,
    /// When the first SMS came; stays after the end.
    pub first_sms_at: Option<Timestamp>,
    /// When the window ends; `None` while there is no number.
    pub expires_at: Option<Timestamp>,
    /// When a cancel will be asked for, if one is scheduled and no SMS comes first.
    pub cancel_scheduled_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When its content was destroyed: with its end.
    pub purged_at: Option<Timestamp>,
    /// Why it failed or ended, as a stable word such as `NoNumbers`.
    pub failed_reason: Option<String>,
    /// Whether another SMS was asked for and has not come.
    pub awaiting_more: bool,
    /// How many events it has had.
    pub sequence: u64,
    /// What may be done now.
    pub actions: Actions,
}

impl fmt::Debug for OrderView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderView({:?}, {:?}, revision {}, {})", self.id, self.state, self.revision, self.price)
    }
}

/// What the owner may do now, and from when what is not yet allowed will be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Actions {
    /// May be finished.
    pub finish: bool,
    /// May ask for another SMS.
    pub resend: bool,
    /// May be cancelled.
    pub cancel: bool,
    /// May be replaced by another number; the same rule as cancelling.
    pub replace: bool,
    /// May be bought again; always false until reuse is built.
    pub reactivate: bool,
    /// End of the pause between two requests for an SMS, while one runs.
    pub resend_at: Option<Timestamp>,
    /// End of the minimum time before a cancel, while it runs.
    pub cancel_at: Option<Timestamp>,
}

/// An event of an account, as its owner sees it. Holds no content: read the order for that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventView {
    /// The account's number of the event: 1, 2, 3 ... without gaps. Go on after it.
    pub number: u64,
    /// Which order.
    pub order: OrderId,
    /// The order's number of the event, without gaps.
    pub sequence: u64,
    /// What happened, such as `order.otp_received`.
    pub name: String,
    /// When.
    pub time: Timestamp,
}

/// One step of an order's life, for `explain`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// The event's number within the order.
    pub sequence: u64,
    /// What happened.
    pub event: String,
    /// The state after it.
    pub state: String,
    /// Why, in a sentence.
    pub rule: String,
    /// The transfer that went with it, such as `capture 2500 IDR (number 7)`.
    pub transfer: Option<String>,
}

/// Why an order is as it is, and what may be done with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The order now.
    pub order: OrderView,
    /// How it came there.
    pub steps: Vec<Step>,
    /// What happens next by itself, if anything is under way.
    pub next: Option<Next>,
    /// Each action with whether it is allowed, from when, and why not.
    pub allowed: Vec<ActionReason>,
}

/// What the engine will do with an order by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Next {
    /// What, in a sentence.
    pub what: &'static str,
    /// When, if it is known.
    pub at: Option<Timestamp>,
}

/// Whether an action is allowed and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionReason {
    /// `finish`, `resend` or `cancel`.
    pub action: &'static str,
    /// Allowed now.
    pub allowed: bool,
    /// From when it will be, if time alone is missing.
    pub from: Option<Timestamp>,
    /// Why, in a sentence.
    pub reason: &'static str,
}
