//! What the deletion of an account means: what becomes of its orders and its money, and what stays.

use crate::money::Money;
use crate::order::decide::State;
use crate::order::{OrderId, Status};
use crate::time::Timestamp;

/// What a deletion would do now. Nothing of it is promised: an SMS may come in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletionPreview {
    /// Is forfeited at once.
    pub available: Money,
    /// Is held by open orders: each is paid for if its SMS comes, and forfeited otherwise.
    pub held: Money,
    /// Owed, zero or below. It stays in the books.
    pub debt: Money,
    /// The open orders, newest first, at most 1,000.
    pub orders: Vec<OpenOrder>,
    /// What stays after the deletion, and why.
    pub stays: &'static [Stays],
}

/// An open order in a [`DeletionPreview`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Which order.
    pub id: OrderId,
    /// Its public status.
    pub status: Status,
    /// What it holds; nothing once its SMS is paid for.
    pub held: Money,
    /// What the deletion makes of it.
    pub becomes: Becomes,
}

/// What becomes of an open order when its account is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// It has had its SMS: it ends at once.
    Completed,
    /// Nobody waits for its SMS: it is cancelled, from the stated time on if the supplier has a minimum.
    Cancelled {
        /// From when.
        from: Option<Timestamp>,
    },
    /// Its purchase is not settled: it is looked up, and cancelled when it is found.
    LookedUp,
}

impl Becomes {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled { .. } => "cancelled",
            Self::LookedUp => "looked_up",
        }
    }
}

/// Something that stays after a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stays {
    /// What.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
}

/// What stays after a deletion.
pub const STAYS: &[Stays] = &[
    Stays {
        what: "transfers: amounts, times, reasons",
        why: "accounting; they stand under a name that was never shown to anybody",
    },
    Stays {
        what: "orders: service, country, times, price, status",
        why: "accounting; number, SMS and code are gone with each order's end",
    },
    Stays {
        what: "purchases at suppliers, without customer or order",
        why: "they are settled with the supplier; nothing leads from them to the account",
    },
];

/// What the deletion makes of an order; `None` for one that has ended.
pub(crate) fn becomes(state: State, cancel_at: Option<Timestamp>, now: Timestamp) -> Option<Becomes> {
    match state {
        State::Received => Some(Becomes::Completed),
        State::Active => Some(Becomes::Cancelled { from: cancel_at.filter(|at| *at > now) }),
        State::Canceling => Some(Becomes::Cancelled { from: None }),
        State::Requested | State::Calling | State::Unclear => Some(Becomes::LookedUp),
        State::Completed | State::Cancelled | State::Expired | State::Rejected => None,
    }
}
