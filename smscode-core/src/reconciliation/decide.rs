//! The rules of the comparison. Pure.

use serde::{Deserialize, Serialize};

use super::record::DifferenceRecord;
use crate::money::Currency;
use crate::port::Charge;
use crate::time::Timestamp;

/// What does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Charged there, and we know of no such purchase.
    UnknownHere,
    /// Charged there, and free of charge in our books: a claw-back, a late SMS, a cancel that was none.
    KeptThere,
    /// Charged there and here, but not the same.
    OtherAmount,
    /// Charged in our books, and given back there.
    ReturnedThere,
    /// Charged in our books, and not in its history.
    UnknownThere,
    /// Our balance has moved without a purchase that would explain it.
    Balance,
}

impl What {
    /// Stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownHere => "unknown_here",
            Self::KeptThere => "kept_there",
            Self::OtherAmount => "other_amount",
            Self::ReturnedThere => "returned_there",
            Self::UnknownThere => "unknown_there",
            Self::Balance => "balance",
        }
    }

    /// What an operator is to do.
    pub const fn action(self) -> &'static str {
        match self {
            Self::UnknownHere => {
                "find out who bought it with this account; if nobody else did, claim it from the supplier or book it as lost"
            }
            Self::KeptThere => {
                "claim it from the supplier (note), or book it as lost; the customer's money stays as it is"
            }
            Self::OtherAmount => "look at the supplier's price of that time; book the rest, or claim it (note)",
            Self::ReturnedThere => "book what came back",
            Self::UnknownThere => "look for it in the supplier's panel; if it was never charged there, book it back",
            Self::Balance => {
                "below zero money came in: note it if you have topped the account up, book it if the supplier gave \
                 something back; above zero it went: claim it (note), or book it as lost"
            }
        }
    }
}

/// What a comparison of one activation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// One side has not made up its mind: what is known stays as it is.
    Leave,
    /// Both say the same.
    Agree,
    /// They do not: what, and what the supplier has taken beyond our books, if that is known.
    Differ(What, Option<i64>),
}

/// What our books say of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    /// There is no such purchase.
    Unknown,
    /// It is not over, or not booked.
    Pending,
    /// The supplier has taken this.
    Taken(i64),
}

/// Compares one activation: ours, what was settled of it before (`None` if nothing ever was), and theirs (`None` if their
/// history does not have it). `likely` is what it may have cost, if the supplier does not say so.
pub(crate) fn judge(ours: Ours, settled: Option<i64>, theirs: Option<Charge>, likely: Option<i64>) -> Judged {
    let booked = match ours {
        Ours::Pending => return Judged::Leave,
        Ours::Unknown => 0,
        Ours::Taken(minor) => minor,
    };
    let known = booked.saturating_add(settled.unwrap_or_default());
    let less = |what: What| if known == 0 { Judged::Agree } else { Judged::Differ(what, Some(known.saturating_neg())) };
    let more = match (ours, known) {
        (Ours::Unknown, 0) => What::UnknownHere,
        (_, 0) => What::KeptThere,
        _ => What::OtherAmount,
    };
    match theirs {
        Some(Charge::Undecided) => Judged::Leave,
        Some(Charge::Returned) => less(What::ReturnedThere),
        None => less(What::UnknownThere),
        Some(Charge::Kept(Some(kept))) if kept.minor == known => Judged::Agree,
        Some(Charge::Kept(Some(kept))) => Judged::Differ(more, Some(kept.minor.saturating_sub(known))),
        // it keeps something, and so do our books say, or an operator has seen it
        Some(Charge::Kept(None)) if known != 0 || settled.is_some() => Judged::Agree,
        Some(Charge::Kept(None)) => Judged::Differ(more, likely.filter(|likely| *likely > 0)),
    }
}

/// What becomes of a difference by a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It stays as it is, or there is none.
    Same,
    /// It is new, or another than before.
    Write(DifferenceRecord),
    /// It is none any more.
    Remove,
}

/// Applies what was judged to what is known. `case` names it if it is new.
pub(crate) fn next(
    old: Option<&DifferenceRecord>,
    judged: Judged,
    (supplier, activation, currency): (&str, &str, Currency),
    case: &str,
    now: Timestamp,
) -> Next {
    match (judged, old) {
        (Judged::Leave, _) | (Judged::Agree, None) => Next::Same,
        (Judged::Agree, Some(old)) if !old.is_open => Next::Same,
        // what was settled of it before must not be found again
        (Judged::Agree, Some(old)) if old.settled_at.is_some() => {
            Next::Write(DifferenceRecord { is_open: false, taken_minor: None, ..old.clone() })
        }
        (Judged::Agree, Some(_)) => Next::Remove,
        (Judged::Differ(what, taken), Some(old)) if old.is_open && (old.what, old.taken_minor) == (what, taken) => {
            Next::Same
        }
        (Judged::Differ(what, taken_minor), old) => Next::Write(DifferenceRecord {
            v: 1,
            case: old.filter(|old| old.is_open).map_or_else(|| case.to_owned(), |old| old.case.clone()),
            supplier: supplier.to_owned(),
            activation: Some(activation.to_owned()),
            what,
            taken_minor,
            currency,
            settled_minor: old.map_or(0, |old| old.settled_minor),
            noted_minor: old.map_or(0, |old| old.noted_minor),
            settled_at: old.and_then(|old| old.settled_at),
            is_open: true,
            since: old.filter(|old| old.is_open).map_or(now, |old| old.since),
        }),
    }
}

/// Between these, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// At least.
    pub low: i64,
    /// At most.
    pub high: i64,
}

/// What has come in at a supplier in all, by one look: our balance, all that it has taken, and what it may have taken
/// besides, for purchases under way.
pub(crate) const fn look(balance: i64, taken: i64, unsure: i64) -> Span {
    let low = balance.saturating_add(taken);
    Span { low, high: low.saturating_add(unsure) }
}

/// What is known after another look, and what the supplier has taken without a purchase between the two (below zero: what
/// came in). It stays the same until somebody pays in or the supplier takes something by itself, so each look makes it
/// narrower; and two that do not overlap are a difference.
pub(crate) fn narrow(before: Option<Span>, now: Span) -> (Span, i64) {
    let Some(before) = before else { return (now, 0) };
    if now.high < before.low {
        return (now, before.low.saturating_sub(now.high));
    }
    if now.low > before.high {
        return (now, before.high.saturating_sub(now.low));
    }
    (Span { low: before.low.max(now.low), high: before.high.min(now.high) }, 0)
}
