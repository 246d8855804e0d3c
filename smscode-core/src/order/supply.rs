//! The supplier's side of a purchase: a record without owner or order id, from which finishing at the supplier, orphan
//! watch and statements work after the order has ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::record::is_false;
use crate::money::{Currency, Money};
use crate::privacy::keyed_hash;
use crate::store::{Amount, House, Key, Kind, Place, Post, Term, TransferId, TransferKind};
use crate::time::Timestamp;

/// Purchases at suppliers.
pub const SUPPLY: Kind = Kind::of("supply");
/// By the time at which the supplier is to be told something, or its cost is to be booked.
pub const BY_SUPPLY_DUE: Kind = Kind::of("supply_due");
/// Those that are an operator's, by the time of their purchase.
pub const BY_SUPPLY_STUCK: Kind = Kind::of("supply_stuck");

/// A purchase at a supplier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplyRecord {
    /// Format.
    pub v: u8,
    /// Which supplier.
    pub supplier: String,
    /// The supplier's name for it.
    pub activation: String,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// What it cost, if that is known.
    pub cost_minor: Option<i64>,
    /// Whether the supplier has not said so, and the cost is that of its offer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cost_assumed: bool,
    /// The supplier's currency.
    pub currency: Currency,
    /// When it was bought, to the minute.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: SupplyState,
    /// When the supplier is to be told, or the cost is to be booked, while one of them is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// Found at the supplier, bought by a call that was given up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub orphan: bool,
    /// Whether a customer was shown an SMS of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub served: bool,
    /// Whether the supplier keeps its money unless it cancels after all: it has refused to, does not know it, or an SMS
    /// came that no customer was shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kept: bool,
    /// What was booked of it; once, when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked: Option<Booked>,
}

/// What is booked of a purchase that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booked {
    /// It brought a customer an SMS: float to cost.
    Cost,
    /// It did not, and nobody says that the money came back: float to loss.
    Loss,
    /// It was cancelled for us, so it cost nothing.
    Nothing,
}

/// How a purchase stands at the supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplyState {
    /// In use by an order.
    Open,
    /// An SMS is there, the customer's or one that nobody will see: to be finished there.
    Finishing,
    /// Not wanted: to be cancelled there.
    Cancelling,
    /// Finished there.
    Finished,
    /// Cancelled there; or, when it was to be cancelled, over there without an SMS, which this market refunds.
    Cancelled,
    /// Over there by itself, with or without an SMS; nobody says that its money came back.
    Ended,
    /// The supplier would not hear of it.
    GivenUp,
}

impl fmt::Debug for SupplyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the activation leads to the number
        write!(f, "SupplyRecord({}, {:?}, tries {}, booked {:?})", self.supplier, self.state, self.tries, self.booked)
    }
}

impl SupplyState {
    /// Whether nothing is to be told to the supplier any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Ended | Self::GivenUp)
    }
}

/// What a supplier answers when it is told that a purchase is good or not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It has done as told.
    Done,
    /// It is over there already.
    Over,
    /// It is open there, and has an SMS: it cannot be cancelled any more.
    Sms,
    /// Not yet, or no usable answer: it is told again.
    Again,
}

impl SupplyRecord {
    /// What it cost.
    pub fn cost(&self) -> Option<Money> {
        self.cost_minor.map(|minor| Money::new(minor, self.currency))
    }

    /// Moves it, and makes it due if the supplier is to be told or something is to be booked.
    pub(crate) fn move_to(&mut self, state: SupplyState, now: Timestamp) {
        self.state = state;
        if self.outcome() == Some(Booked::Nothing) {
            self.booked = Some(Booked::Nothing);
        }
        let waits = state != SupplyState::Open && self.booked.is_none();
        self.due_at = waits.then_some(coarse(now));
    }

    /// Notes what the supplier has answered. `kept` is whether it has said that it keeps the money.
    pub(crate) fn hear(&mut self, heard: Heard, kept: bool, now: Timestamp) {
        self.kept |= kept;
        let finishing = self.state == SupplyState::Finishing;
        match heard {
            Heard::Done if finishing => self.state = SupplyState::Finished,
            Heard::Over if finishing || self.kept => self.state = SupplyState::Ended,
            Heard::Done | Heard::Over => self.state = SupplyState::Cancelled,
            // charged and nobody's: told to be good, it is over at once instead of at the end of its window
            Heard::Sms if !finishing => {
                self.kept = true;
                self.state = SupplyState::Finishing;
                self.due_at = Some(coarse(now));
            }
            Heard::Sms | Heard::Again => {
                match TELL_PAUSES_SECONDS.get(self.tries as usize) {
                    Some(pause) => self.due_at = Some(now.plus_seconds(*pause)),
                    None => self.state = SupplyState::GivenUp,
                }
                self.tries += 1;
            }
        }
    }

    /// What is to be booked, once it is over.
    pub(crate) const fn outcome(&self) -> Option<Booked> {
        match self.state {
            SupplyState::Open | SupplyState::Finishing | SupplyState::Cancelling => None,
            _ if self.served => Some(Booked::Cost),
            SupplyState::Cancelled => Some(Booked::Nothing),
            SupplyState::Finished | SupplyState::Ended | SupplyState::GivenUp => Some(Booked::Loss),
        }
    }

    /// Marks a purchase that is over as booked, and gives the transfer that goes with it into the same ChangeSet, if money
    /// moves. Its id is a keyed hash: it exists once for each activation, and does not lead back to it.
    pub(crate) fn book(&mut self, key: &[u8; 32]) -> Option<Post> {
        let outcome = self.outcome()?;
        self.booked = Some(outcome);
        self.due_at = None;
        let cost = self.cost().filter(|cost| cost.minor > 0)?;
        let (credit, reason) = match outcome {
            Booked::Cost => (House::cost(&self.supplier), "sms_delivered"),
            Booked::Loss if self.orphan => (House::loss(&self.supplier), "orphan"),
            Booked::Loss => (House::loss(&self.supplier), "no_sms_delivered"),
            Booked::Nothing => return None,
        };
        let hash = keyed_hash(key, &[b"supply", self.supplier.as_bytes(), self.activation.as_bytes()]);
        Some(Post {
            id: TransferId([b"supply/", &hash[..16]].concat()),
            kind: TransferKind::Cost,
            subject: format!("supplier:{}", self.supplier),
            reason: reason.to_owned(),
            actor: "engine".to_owned(),
            debit: Place::House(House::float(&self.supplier)),
            credit: Place::House(credit),
            currency: cost.currency,
            amount: Amount::Exact(cost.minor),
        })
    }

    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        let due = self.due_at.map(|due| Term { index: BY_SUPPLY_DUE, at: due.sort_bytes().to_vec() });
        let stuck = self.stuck().map(|_| Term { index: BY_SUPPLY_STUCK, at: self.created_at.sort_bytes().to_vec() });
        due.into_iter().chain(stuck).collect()
    }

    /// Why somebody has to look at it, as a stable word.
    pub const fn stuck(&self) -> Option<&'static str> {
        match self.state {
            SupplyState::GivenUp => Some("given_up"),
            SupplyState::Ended | SupplyState::Finished if self.orphan && self.kept => Some("orphan_kept"),
            SupplyState::Open
            | SupplyState::Finishing
            | SupplyState::Cancelling
            | SupplyState::Finished
            | SupplyState::Cancelled
            | SupplyState::Ended => None,
        }
    }
}

/// The key of a purchase: the supplier and its name for it, so that one activation never belongs to two orders, whoever
/// finds it first. Ids beyond 90 bytes are cut: no supplier has such.
pub fn supply_key(supplier: &str, activation: &str) -> Key {
    let bytes = activation.as_bytes();
    let id = [supplier.as_bytes(), &[0], &bytes[..bytes.len().min(90)]].concat();
    Key::free(SUPPLY, id)
}

/// A time as it is kept at the supplier's side: to the full minute before, since an equal microsecond would lead from
/// here to the order.
pub(crate) const fn coarse(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.seconds().div_euclid(60) * 60)
}

/// Pauses between tries to tell the supplier, in seconds; then it is given up.
pub const TELL_PAUSES_SECONDS: [i64; 8] = [2, 5, 30, 120, 600, 3_600, 3_600, 21_600];
