//! The last step of the judge: limits, and whether the entries make sense.

use std::collections::BTreeSet;

use super::change_set::{Amount, ChangeSet, Entry, House, Place, Post};
use super::judge::{Rows, customers, owned};
use super::{Body, Key, LoadKey, Refusal, StoreError, limits};

/// Refuses a load of too many keys, as every store does.
///
/// # Errors
///
/// [`Refusal::Limit`].
pub fn check_load(keys: &[LoadKey]) -> Result<(), StoreError> {
    limit("keys in a load", keys.len(), limits::LOAD_KEYS_MAX, "ask for less at once").map_err(StoreError::from)
}

const SPLIT: &str = "split it into several commands";
const SHORTEN: &str = "shorten it or put a hash in its place";

/// Judges what does not depend on other rows; `amounts` is what the transfers move together.
pub(super) fn check_limits(rows: &Rows, change_set: &ChangeSet, amounts: i128) -> Result<(), Refusal> {
    limit("entries in a ChangeSet", change_set.entries.len(), limits::ENTRIES_MAX, SPLIT)?;
    let mut bytes = check_body(&change_set.outcome)?;
    let mut written: BTreeSet<&Key> = BTreeSet::new();
    for entry in &change_set.entries {
        bytes += check_entry(rows, entry)?;
        if let Entry::Put { key, .. } | Entry::Delete { key, .. } = entry
            && !written.insert(key)
        {
            return Err(Refusal::Malformed("a record is written twice"));
        }
    }
    limit("bytes in a ChangeSet", bytes, limits::CHANGE_SET_BYTES_MAX, SPLIT)?;
    // 2^53 per ChangeSet: a group's sums stay within i64
    limit(
        "minor units moved by a ChangeSet",
        usize::try_from(amounts).unwrap_or(usize::MAX),
        limits::AMOUNT_MAX as usize,
        SPLIT,
    )
}

fn check_body(body: &Body) -> Result<usize, Refusal> {
    let bytes = body.as_bytes().len();
    limit("bytes in a body", bytes, limits::BODY_BYTES_MAX, SPLIT)?;
    Ok(bytes)
}

/// A name that is stored as text. U+0000 is refused, because not every store can keep it there.
fn check_text(what: &'static str, text: &str, max: usize) -> Result<usize, Refusal> {
    limit(what, text.len(), max, SHORTEN)?;
    if text.contains('\0') {
        return Err(Refusal::Malformed("a text with U+0000"));
    }
    Ok(text.len())
}

fn limit(what: &'static str, found: usize, max: usize, advice: &'static str) -> Result<(), Refusal> {
    if found > max { Err(Refusal::Limit { what, found, max, advice }) } else { Ok(()) }
}

fn check_key(key: &Key) -> Result<usize, Refusal> {
    let kind = key.kind.as_str();
    limit("bytes in a kind", kind.len(), limits::KEY_PART_BYTES_MAX, SHORTEN)?;
    limit("bytes in an id", key.id.len(), limits::KEY_PART_BYTES_MAX, SHORTEN)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if kind.is_empty() || !kind.bytes().all(plain) {
        return Err(Refusal::Malformed("a kind is not made of lower-case letters, digits and _"));
    }
    Ok(kind.len() + 16 + key.id.len())
}

/// Checks one entry and returns its size in bytes.
fn check_entry(rows: &Rows, entry: &Entry) -> Result<usize, Refusal> {
    match entry {
        Entry::Put { key, body, terms, .. } => {
            limit("terms of a record", terms.len(), limits::TERMS_MAX, SPLIT)?;
            let mut bytes = check_key(key)? + check_body(body)?;
            for term in terms {
                limit("bytes in a term", term.at.len(), limits::KEY_PART_BYTES_MAX, SHORTEN)?;
                bytes += check_key(&Key::free(term.index.clone(), []))? + term.at.len();
            }
            Ok(bytes)
        }
        Entry::Delete { key, .. } | Entry::Ensure { key, .. } => check_key(key),
        Entry::DeleteOwned { kind, owner } => {
            if owner.is_none() {
                return Err(Refusal::Malformed("DeleteOwned without an owner"));
            }
            limit("records of one owner and kind", owned(rows, kind, *owner).count(), limits::OWNED_MAX, SPLIT)?;
            check_key(&Key::owned(kind.clone(), *owner, []))
        }
        Entry::Count { counter, .. } => {
            let max = limits::KEY_PART_BYTES_MAX;
            let name = check_text("bytes in a counter's name", &counter.name, max)?;
            Ok(24 + name + check_text("bytes in a counter's period", &counter.period, max)?)
        }
        Entry::Append { owner, body } => {
            if owner.is_none() {
                return Err(Refusal::Malformed("an event without an owner"));
            }
            Ok(16 + check_body(body)?)
        }
        Entry::Post(post) => check_post(post),
    }
}

fn check_post(post: &Post) -> Result<usize, Refusal> {
    limit("bytes in a transfer id", post.id.0.len(), limits::KEY_PART_BYTES_MAX, SHORTEN)?;
    let mut bytes = 96 + post.id.0.len();
    for text in [&post.subject, &post.reason, &post.actor] {
        let max = limits::TRANSFER_TEXT_BYTES_MAX;
        bytes += check_text("bytes in a text of a transfer", text, max)?;
    }
    for House(name) in houses(post) {
        let max = limits::KEY_PART_BYTES_MAX;
        bytes += check_text("bytes in the name of a house account", name, max)?;
    }
    if customers(post).collect::<BTreeSet<_>>().len() > 1 {
        return Err(Refusal::Malformed("a transfer between two customers"));
    }
    if customers(post).any(|owner| owner.is_none()) {
        return Err(Refusal::Malformed("a transfer of a customer without an owner"));
    }
    let from_customer = matches!(post.debit, Place::Customer(..));
    match &post.amount {
        Amount::Exact(n) | Amount::UpTo(n, _) if !(1..=limits::AMOUNT_MAX).contains(n) => {
            Err(Refusal::Malformed("an amount that is not between 1 and 2^53"))
        }
        Amount::All | Amount::UpTo(..) if !from_customer => {
            Err(Refusal::Malformed("All and UpTo take from a customer's bucket only"))
        }
        Amount::UpTo(_, rest) if *rest == post.debit || *rest == post.credit => {
            Err(Refusal::Malformed("UpTo with a rest that is one of the two places"))
        }
        Amount::Exact(_) | Amount::All | Amount::UpTo(..) if post.debit == post.credit => {
            Err(Refusal::Malformed("a transfer from a place to itself"))
        }
        Amount::Exact(_) | Amount::All | Amount::UpTo(..) => Ok(bytes),
    }
}

fn houses(post: &Post) -> impl Iterator<Item = &House> {
    let rest = match &post.amount {
        Amount::UpTo(_, rest) => Some(rest),
        Amount::Exact(_) | Amount::All => None,
    };
    [Some(&post.debit), Some(&post.credit), rest].into_iter().flatten().filter_map(|place| match place {
        Place::House(house) => Some(house),
        Place::Customer(..) => None,
    })
}
