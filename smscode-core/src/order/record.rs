//! The stored form of an order, its keys and its places in indexes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decide::{Input, State};
use super::phone::PhoneClaim;
use super::view::Status;
use crate::account::AccountId;
use crate::money::{Currency, Money};
use crate::privacy::Sealed;
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Orders.
pub const ORDER: Kind = Kind::of("order");
/// Claims of idempotency keys.
pub const CLAIM: Kind = Kind::of("order_claim");
/// An account's orders, newest first; those that never got a number are left out.
pub const BY_CREATION: Kind = Kind::of("order_list");
/// The same, per public status.
pub const BY_STATUS: Kind = Kind::of("order_status");
/// Open orders by the time at which something is due.
pub const BY_DUE: Kind = Kind::of("order_due");
/// Open orders by the epoch of their key.
pub const BY_EPOCH: Kind = Kind::of("order_epoch");
/// Orders that a supplier can still deliver to, or may have sold a number to, by supplier.
pub const BY_SUPPLIER: Kind = Kind::of("order_supplier");
/// Name of the counter of open orders.
pub const OPEN_ORDERS: &str = "open_orders";
/// Name of the daily counter of cancels.
pub const CANCELS: &str = "cancels";

/// SMS kept of one order at most; more are counted and destroyed. Three further codes are usual.
pub const MESSAGES_MAX: usize = 10;
/// Bytes kept of one SMS: 670 characters of ten joined parts in three-byte scripts, with room.
pub const TEXT_BYTES_MAX: usize = 3_000;
/// Characters of all sealed SMS of one order: some texts grow sixfold as JSON, and the record must stay below the limit
/// of a body. The first SMS always fits.
pub const SEALED_MAX: usize = 44_000;
/// Steps kept for `explain`; an order has about six.
pub const STEPS_MAX: usize = 64;

/// An order's public number: 31 bits, not to be counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u32);

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {}", self.0)
    }
}

/// An order as it is stored. Everything about the number and the SMS is sealed, and gone when the order has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Format.
    pub v: u8,
    /// Where it stands.
    pub state: State,
    /// When it was placed.
    pub created_at: Timestamp,
    /// The slot.
    pub product: u32,
    /// The pair.
    pub umbrella: u32,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// The price, fixed when it was placed.
    pub price_minor: i64,
    /// The ledger's currency.
    pub currency: Currency,
    /// The supplier that is or was asked last.
    pub supplier: String,
    /// Whether other suppliers may be tried.
    pub routed: bool,
    /// Suppliers asked before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// When something is due; `None` after the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who may send the paid call, and until when it may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// How often the purchase was looked up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub look_ups: u32,
    /// The order's key, wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<WrappedKey>,
    /// Reference and activation, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Sealed>,
    /// The number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed>,
    /// What keeps the number from other open orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phone_claims: Vec<PhoneClaim>,
    /// The SMS, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageRecord>,
    /// How many novel SMS came.
    pub revision: u64,
    /// When the first SMS came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_sms_at: Option<Timestamp>,
    /// When the newest SMS came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sms_at: Option<Timestamp>,
    /// When the window ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when its end waits for a supplier that does not answer: nothing is given up sooner than a while after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unasked_since: Option<Timestamp>,
    /// From when a cancel is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    /// A cancel is to be asked for then, unless an SMS comes first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancel_scheduled: bool,
    /// Until when no further SMS can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend_at: Option<Timestamp>,
    /// Another SMS was asked for and has not come.
    #[serde(default, skip_serializing_if = "is_false")]
    pub awaiting_more: bool,
    /// Nobody holds its id: cancel it once it is found.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abandoned: bool,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it failed, as a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The claim it was placed under, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Events so far.
    pub sequence: u64,
    /// Its steps, for `explain`.
    pub steps: Vec<StepRecord>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(b: &bool) -> bool {
    !*b
}

/// A paid call that may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// 1 for the first supplier.
    pub attempt: u32,
    /// The engine that may send it, once.
    pub sent_by: String,
    /// It may begin until then.
    pub send_until: Timestamp,
    /// From then on nobody waits for its answer any more.
    pub over_at: Timestamp,
}

/// An order's key, wrapped by an epoch key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Which epoch.
    pub epoch: i64,
    /// The key.
    pub wrapped: Sealed,
}

/// An SMS of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// 1 for the first.
    pub revision: u64,
    /// When we got it.
    pub at: Timestamp,
    /// Text and code, as JSON.
    pub sealed: Sealed,
    /// What tells it from others, keyed by the order's key, hexadecimal.
    pub dedupe: String,
}

/// A step of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// When.
    pub at: Timestamp,
    /// What happened: with the state before it, it names the cell of the table.
    pub input: Input,
    /// The state after it.
    pub state: State,
    /// The event, if anybody could see the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What moved, if anything: `hold`, `capture`, `release`, or `release and forfeit` when the account was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<String>,
    /// Further reason, as a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which orders a key of the caller's stands for. Whether they are settled is read from the orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// Format.
    pub v: u8,
    /// Keyed hash of the request, hexadecimal.
    pub fingerprint: String,
    /// The orders, in order of placing.
    pub orders: Vec<OrderId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An event as it is stored: no content, so it can stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Format.
    pub v: u8,
    /// Which order.
    pub order: OrderId,
    /// The order's number of it.
    pub sequence: u64,
    /// What happened.
    pub name: String,
}

impl OrderRecord {
    /// The price.
    pub fn price(&self) -> Money {
        Money::new(self.price_minor, self.currency)
    }

    /// The public status.
    pub fn status(&self) -> Status {
        self.state.status(self.awaiting_more)
    }

    /// All its places in indexes, as its state wants them.
    pub fn terms(&self, account: AccountId, id: OrderId) -> Vec<Term> {
        let mut terms = Vec::new();
        let mut add = |index: &Kind, parts: &[&[u8]]| terms.push(Term { index: index.clone(), at: parts.concat() });
        let newest_first = self.created_at.reverse_sort_bytes();
        if self.state != State::Rejected {
            add(&BY_CREATION, &[&account.0.0, &newest_first, &id.0.to_be_bytes()]);
            add(&BY_STATUS, &[&account.0.0, &[self.status() as u8], &newest_first, &id.0.to_be_bytes()]);
        }
        if let Some(due) = self.due_at {
            add(&BY_DUE, &[&due.sort_bytes()]);
        }
        if let Some(key) = &self.key {
            // by time, too, so that orders placed together are side by side
            add(&BY_EPOCH, &[&key.epoch.to_be_bytes(), &self.created_at.sort_bytes()]);
        }
        if self.state.listens() || self.state.is_pending() {
            add(&BY_SUPPLIER, &[self.supplier.as_bytes(), &[0], &self.created_at.sort_bytes()]);
        }
        terms
    }
}

/// The key of an order.
pub fn order_key(account: AccountId, order: OrderId) -> Key {
    Key::owned(ORDER, account.0, order.0.to_be_bytes())
}

/// Reads an order's key back.
pub fn read_order_key(key: &Key) -> Option<(AccountId, OrderId)> {
    Some((AccountId(key.owner), OrderId(u32::from_be_bytes(key.id.as_slice().try_into().ok()?))))
}

/// The key of a claim.
pub fn claim_key(account: AccountId, hash: &str) -> Key {
    Key::owned(CLAIM, account.0, hash.as_bytes())
}
