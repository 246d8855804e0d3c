//! The supplier port: what we buy numbers from.
//!
//! An adapter translates; it decides nothing. What a vendor can do is data ([`Capabilities`]), and every outcome of a
//! paid call is one of four ([`BuyOutcome`]): an adapter cannot say less, so that "no answer" is never taken for "no".
//! The contract stands at [`Supplier`].

use std::fmt;

use async_trait::async_trait;

use crate::money::{Currency, Money};

/// Names an activation at its supplier. Text, because some ids exceed 64 bits and some are letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivationId(pub String);

impl fmt::Debug for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationId(..)")
    }
}

/// What a supplier can do, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Seconds after the purchase before which a cancel is refused.
    pub cancel_after_seconds: u32,
    /// How long an activation lives if the purchase's answer does not say, in seconds.
    pub window_seconds: u32,
    /// Whether [`Supplier::active`] lists everything that is open.
    pub lists_active: bool,
    /// Whether a purchase with a reference that was used before is refused instead of repeated.
    pub reference_is_unique: bool,
    /// How many activations one [`Supplier::poll`] asks about in one request; 1 where there is no batch.
    pub poll_batch: u32,
    /// Not more often than this are statuses to be asked for, in milliseconds.
    pub poll_floor_ms: u32,
    /// Whether further SMS are free until the window ends.
    pub further_sms_free: bool,
    /// Whether it wants to be told that an activation is finished.
    pub wants_finish: bool,
    /// Paid calls under way at once that the supplier takes from us, from all nodes together: each has its share.
    pub concurrency: u32,
    /// Calls that it takes in a second from all nodes together, one of this port counting as one; 0 where it names no limit.
    pub requests_a_second: u32,
}

impl Capabilities {
    /// The least that a supplier can do: no list, one activation at a time, no word of the end. The rest are figures that
    /// hold almost everywhere. An adapter names what its vendor can do beyond: `Capabilities { lists_active: true,
    /// ..Capabilities::LEAST }`.
    pub const LEAST: Self = Self {
        cancel_after_seconds: 120,
        window_seconds: 1_200,
        lists_active: false,
        reference_is_unique: false,
        poll_batch: 1,
        poll_floor_ms: 3_000,
        further_sms_free: false,
        wants_finish: false,
        concurrency: 4,
        requests_a_second: 0,
    };
}

/// A supplier as it introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierInfo {
    /// Its name in our configuration, stable: product ids hang on it. Lower-case letters, digits, `-`, at most 32.
    pub name: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// Something a supplier sells at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Country, by the market's id.
    pub country: u16,
    /// Service, by the market's code, lower case.
    pub service: String,
    /// What it costs us.
    pub cost: Money,
    /// How many numbers there are, about.
    pub count: u32,
}

/// What is bought. The supplier learns nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyRequest {
    /// Country, by the market's id.
    pub country: u16,
    /// Service, by the market's code.
    pub service: String,
    /// We pay at most this.
    pub ceiling: Money,
    /// A random name of this one purchase, 32 hexadecimal digits.
    pub reference: String,
}

/// The end of a paid call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuyOutcome {
    /// Not a byte has left: certain that nothing was bought.
    NotSent(String),
    /// The supplier said no, and its protocol says that nothing was charged.
    RejectedUncharged(Rejection),
    /// A number was bought.
    Accepted(Activation),
    /// Anything else. The number may have been bought and charged.
    Unknown(String),
}

/// Why a supplier sold nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Sold out for now.
    NoNumbers,
    /// The ceiling is too low; the smallest price that would do, if it said so.
    PriceAboveCeiling(Option<Money>),
    /// It does not sell this service in this country.
    NotSold,
    /// Our account there has no money. The operator's problem, never the customer's.
    NoFunds,
    /// Our key is refused or the account is blocked.
    Credentials,
    /// Too many activations at once or too many requests.
    Throttled,
    /// The reference was used: look the purchase up.
    ReferenceUsed,
    /// It says that our request is wrong.
    BadRequest(String),
}

impl Rejection {
    /// Stable word for the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoNumbers => "no_numbers",
            Self::PriceAboveCeiling(_) => "price_rejected",
            Self::NotSold => "not_sold",
            Self::NoFunds => "provider_account_balance",
            Self::Credentials => "provider_unavailable",
            Self::Throttled => "provider_busy",
            Self::ReferenceUsed => "reference_used",
            Self::BadRequest(_) => "provider_error",
        }
    }
}

/// A number that was bought, or found in the supplier's list.
#[derive(Clone, PartialEq, Eq)]
pub struct Activation {
    /// The supplier's name for it.
    pub id: ActivationId,
    /// International digits without plus.
    pub phone: String,
    /// What it cost us, if the supplier says so.
    pub cost: Option<Money>,
    /// How long it lives from now, in seconds, if the supplier says so; never computed from its clock alone.
    pub window_seconds: Option<u32>,
    /// Our reference, where the supplier gives it back.
    pub reference: Option<String>,
    /// Country, by the market's id, where the supplier gives it back.
    pub country: Option<u16>,
    /// Service, by the market's code, where the supplier gives it back.
    pub service: Option<String>,
    /// What has happened on it.
    pub state: ActivationState,
}

impl Activation {
    /// A number without an SMS, of which nothing else is told.
    pub fn new(id: ActivationId, phone: String) -> Self {
        Self {
            id,
            phone,
            cost: None,
            window_seconds: None,
            reference: None,
            country: None,
            service: None,
            state: ActivationState::Waiting,
        }
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Activation({:?}, {} SMS, cost {:?})", self.state.word(), self.state.sms().len(), self.cost)
    }
}

/// What a supplier says of an activation. A word that is not recognised is `Waiting`, never an end.
#[derive(Clone, PartialEq, Eq)]
pub enum ActivationState {
    /// No SMS that we did not know already.
    Waiting,
    /// These SMS are there, oldest first; some may be known already.
    Received(Vec<SupplierSms>),
    /// Over at the supplier: cancelled, expired, refunded or finished. Says nothing of money.
    Ended,
    /// The supplier does not know the id (any more).
    NotFound,
}

impl ActivationState {
    /// The state of an activation that is open, with the SMS that are there.
    pub fn open(sms: Vec<SupplierSms>) -> Self {
        if sms.is_empty() { Self::Waiting } else { Self::Received(sms) }
    }

    /// The SMS it carries.
    pub fn sms(&self) -> &[SupplierSms] {
        match self {
            Self::Received(sms) => sms,
            Self::Waiting | Self::Ended | Self::NotFound => &[],
        }
    }

    /// Stable word for the state.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Received(_) => "received",
            Self::Ended => "ended",
            Self::NotFound => "not_found",
        }
    }
}

impl fmt::Debug for ActivationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} SMS)", self.word(), self.sms().len())
    }
}

/// An SMS as a supplier delivers it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SupplierSms {
    /// The supplier's name for the message, where it has one.
    pub id: Option<String>,
    /// Who sent it, where the supplier says so.
    pub sender: Option<String>,
    /// The text; where the protocol carries the code alone, the code.
    pub text: String,
    /// The code that the supplier found, if it did.
    pub code: Option<String>,
    /// When, in the supplier's words: told apart from others by it, never computed with.
    pub at: Option<String>,
}

impl fmt::Debug for SupplierSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SupplierSms({} bytes)", self.text.len())
    }
}

/// The end of asking for a cancel. Anything that is not the exact word for success is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled and refunded.
    Cancelled,
    /// Too early.
    TooEarly,
    /// Refused because an SMS is there: fetch it.
    SmsArrived,
    /// Not open any more, for a reason that a read must tell.
    NotOpen,
    /// Refused in other words.
    Refused(String),
    /// No usable answer; safe to repeat.
    Unknown(String),
}

/// The end of telling the supplier that we are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishOutcome {
    /// Closed, now or before.
    Finished,
    /// Refused.
    Refused(String),
    /// No usable answer; safe to repeat.
    Unknown(String),
}

/// The end of asking for another SMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoreOutcome {
    /// The supplier waits for another SMS.
    Waiting,
    /// Not possible on this number or not now.
    Refused(String),
    /// No usable answer; safe to repeat.
    Unknown(String),
}

/// Why a read had no usable answer. Texts hold no key, URL, number or SMS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection, time out, 5xx, HTML, an unreadable or too large body.
    #[error("the supplier gave no usable answer: {0}")]
    Unusable(String),
    /// Key refused or account blocked.
    #[error("the supplier refuses our account: {0}")]
    Credentials(String),
    /// Too many requests; wait this many milliseconds if it said so.
    #[error("the supplier asks us to slow down")]
    Throttled(Option<u32>),
    /// The dialect has no such call.
    #[error("the supplier has no such call")]
    Unsupported,
}

impl CallError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "supplier_unusable",
            Self::Credentials(_) => "supplier_credentials",
            Self::Throttled(_) => "supplier_throttled",
            Self::Unsupported => "supplier_unsupported",
        }
    }
}

/// A supplier.
///
/// An adapter implements it with `#[async_trait::async_trait]` (crate `async-trait`) and gives it to
/// `Platform::builder().supplier(..)`. `docs/adapters.md` goes through one.
///
/// # Contract
///
/// Each rule has a number; the supplier suite (`smscode_core::conformance::supplier`, feature `conformance`) has cases
/// named after it.
///
/// 1. **Four outcomes.** `buy` is `Accepted` with an id and a number that were read from the answer. It is
///    `RejectedUncharged` by a word of which the vendor's documentation says that nothing is charged. `NotSent` is rule 3.
///    Everything else is `Unknown`: no reply, a page of HTML, an error of the vendor, half a body, an unknown word.
/// 2. **Sent once.** One `buy` puts one purchase on the wire: no retry, no redirect, no other call in its place.
/// 3. **`NotSent`** only if no connection came about. Once there is one, the request may have arrived.
/// 4. **The ceiling** goes along with each purchase, to the last digit that the vendor has, rounded down; one in another
///    currency is not sent at all. What was charged stands in [`Activation::cost`] if the vendor says it, also when it is
///    above the ceiling.
/// 5. **A read never invents an end.** A status that is not recognised is `Waiting`, or the read fails. So does a read
///    without a usable answer; a refused key and a request to slow down are told apart from it.
/// 6. **`poll`** answers each id at its place, and gives every SMS that the vendor shows, each time, oldest first, with
///    its text as it was. Core tells known ones apart by id, else by text, sender and time.
/// 7. **`active`** lists everything that is open, from every page, or fails: what it lacks counts as not bought. A row
///    carries our reference, or else country and service. A vendor without a list is `Unsupported`, never empty.
/// 8. **`cancel`** is `Cancelled` by the vendor's exact word for it and by nothing that looks like it. Too early and an
///    SMS that was faster are told apart, where the vendor tells them apart.
/// 9. **`cancel`, `finish` and `more` may be repeated.** Without a usable answer they are `Unknown`. What was finished
///    before is `Finished`, what was cancelled before is `Cancelled` or `NotOpen`.
/// 10. **Bounded.** Each call ends by a time limit on its whole reply, reads a stated number of bytes at most, and follows
///     no redirect.
/// 11. **Nothing secret or personal** stands in an error or in `Debug`: no key, address, number or SMS, not even if the
///     vendor's answer repeats them.
/// 12. **Money** is read from literal text into whole units of the account's currency. A cost with more decimals than the
///     currency has is rounded up, a balance down; what cannot be read is an error, not a zero.
/// 13. **Dropping** a call at any await leaves the adapter sound, and nothing goes on behind it; a dropped `buy` counts as
///     `Unknown`. Calls do not wait for each other.
///
/// `buy` may answer `Accepted` with an SMS already there; the next poll brings it again, and it counts once. `finish` is
/// called once the order has ended after an SMS, if [`Capabilities::wants_finish`]; `cancel` when a customer gives a number
/// back, and after a window that ended without an SMS.
#[async_trait]
pub trait Supplier: Send + Sync + 'static {
    /// Name, currency, capabilities. Cheap, without a call.
    fn describe(&self) -> SupplierInfo;

    /// All that it sells now.
    async fn offers(&self) -> Result<Vec<Offer>, CallError>;

    /// Our money there.
    async fn balance(&self) -> Result<Money, CallError>;

    /// Buys a number. Sent once: no retry, no redirect, no fall-back to another call.
    async fn buy(&self, request: &BuyRequest) -> BuyOutcome;

    /// The state of these activations, in the same order; at most [`Capabilities::poll_batch`] of them.
    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError>;

    /// Everything that is open at the supplier, also what this program does not know.
    async fn active(&self) -> Result<Vec<Activation>, CallError>;

    /// Asks for another SMS on the same number.
    async fn more(&self, id: &ActivationId) -> MoreOutcome;

    /// Gives the number back for a refund.
    async fn cancel(&self, id: &ActivationId) -> CancelOutcome;

    /// Says that the SMS was good and nothing more is wanted.
    async fn finish(&self, id: &ActivationId) -> FinishOutcome;
}
