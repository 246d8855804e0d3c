//! Keys that sort as the port wants its lists sorted: numbers big-endian, texts ended by a sign that sorts before
//! everything they may contain.

use super::Unreadable;
use super::values::{currency_code, currency_of, known};
use crate::money::Currency;
use crate::store::{CounterKey, House, Key, Kind, OperationId, Owner};
use crate::time::Timestamp;

/// Room for most keys, so that they grow once.
const KEY_BYTES: usize = 160;

/// Appends bytes so that they sort as they are and end visibly: 00 becomes 00 FF, the end is 00 00.
fn put_ended(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn take_ended(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        match rest {
            [0, 0, after @ ..] => return Some((text, after)),
            [0, 0xFF, after @ ..] => {
                text.push(0);
                rest = after;
            }
            [0, ..] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// The key of a record.
pub fn record(key: &Key) -> Vec<u8> {
    let mut out = family_prefix(&key.kind, key.owner);
    out.extend_from_slice(&key.id);
    out
}

/// The record that a key names.
///
/// # Errors
///
/// It is not the key of a record.
pub fn read_record(bytes: &[u8]) -> Result<Key, Unreadable> {
    let read = || {
        let (kind, rest) = take_ended(bytes)?;
        let (owner, id) = rest.split_first_chunk()?;
        let kind = Kind::read(std::str::from_utf8(&kind).ok()?);
        Some(Key::owned(kind, Owner(*owner), id))
    };
    known("the key of a record", read())
}

/// The beginning of the keys of all records of a kind.
pub fn kind_prefix(kind: &Kind) -> Vec<u8> {
    let mut out = Vec::with_capacity(KEY_BYTES);
    put_ended(&mut out, kind.as_str().as_bytes());
    out
}

/// The beginning of the keys of all records of a kind that an owner has.
pub fn family_prefix(kind: &Kind, owner: Owner) -> Vec<u8> {
    let mut out = kind_prefix(kind);
    out.extend_from_slice(&owner.0);
    out
}

/// The key of an index term of a record, by the index, the position in it and the [`record()`] key.
pub fn term(index: &Kind, at: &[u8], record: &[u8]) -> Vec<u8> {
    let mut out = term_prefix(index, at);
    out.extend_from_slice(record);
    out
}

/// The beginning of the keys of all terms at a position of an index; those of a whole index begin with its
/// [`kind_prefix`].
pub fn term_prefix(index: &Kind, at: &[u8]) -> Vec<u8> {
    let mut out = kind_prefix(index);
    put_ended(&mut out, at);
    out
}

/// The position in the index, and the [`record()`] key, of a term.
///
/// # Errors
///
/// It is not the key of a term.
pub fn read_term(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), Unreadable> {
    let read = || {
        let (_, rest) = take_ended(bytes)?;
        take_ended(rest)
    };
    known("the key of a term", read())
}

/// The key of a counter.
pub fn counter(counter: &CounterKey) -> Vec<u8> {
    let mut out = counter.owner.0.to_vec();
    put_ended(&mut out, counter.name.as_bytes());
    out.extend_from_slice(counter.period.as_bytes());
    out
}

/// The counter that a key names.
///
/// # Errors
///
/// It is not the key of a counter.
pub fn read_counter(bytes: &[u8]) -> Result<CounterKey, Unreadable> {
    let read = || {
        let (owner, rest) = bytes.split_first_chunk()?;
        let (name, period) = take_ended(rest)?;
        let period = String::from_utf8(period.to_vec()).ok()?;
        Some(CounterKey { owner: Owner(*owner), name: String::from_utf8(name).ok()?, period })
    };
    known("the key of a counter", read())
}

/// The key of a transfer of an account, or of an event.
pub fn numbered(owner: Owner, number: u64) -> [u8; 24] {
    let mut out = [0; 24];
    out[..16].copy_from_slice(&owner.0);
    out[16..].copy_from_slice(&number.to_be_bytes());
    out
}

/// Owner and number of a transfer or an event.
///
/// # Errors
///
/// It is not the key of either.
pub fn read_numbered(bytes: &[u8]) -> Result<(Owner, u64), Unreadable> {
    let read = || {
        let (owner, number) = bytes.split_first_chunk()?;
        Some((Owner(*owner), u64::from_be_bytes(number.try_into().ok()?)))
    };
    known("the key of a transfer or an event", read())
}

/// The key of the operations that were remembered together, by their newest time and the first of their ids: so that
/// what is to be forgotten first comes first.
pub fn group(newest: Timestamp, first: OperationId) -> [u8; 24] {
    let mut out = [0; 24];
    out[..8].copy_from_slice(&newest.sort_bytes());
    out[8..].copy_from_slice(&first.0);
    out
}

/// The newest time of a group of operations.
///
/// # Errors
///
/// It is not the key of a group.
pub fn read_group(bytes: &[u8]) -> Result<Timestamp, Unreadable> {
    let time = bytes.first_chunk().map(|number| Timestamp(u64::from_be_bytes(*number).cast_signed()));
    known("the key of a group", time)
}

/// The key of a currency's tally; those of its house accounts are longer.
pub fn tally(currency: Currency) -> Vec<u8> {
    vec![currency_code(currency)]
}

/// The key of a house account.
pub fn house(currency: Currency, house: &House) -> Vec<u8> {
    let mut out = vec![currency_code(currency), b':'];
    out.extend_from_slice(house.0.as_bytes());
    out
}

/// The currency of a tally, or currency and name of a house account.
///
/// # Errors
///
/// It is the key of neither.
pub fn read_total(bytes: &[u8]) -> Result<(Currency, Option<House>), Unreadable> {
    let read = || {
        let (code, rest) = bytes.split_first()?;
        let house = match rest {
            [] => None,
            [b':', name @ ..] => Some(House(String::from_utf8(name.to_vec()).ok()?)),
            [..] => return None,
        };
        Some((currency_of(*code)?, house))
    };
    known("the key of a sum", read())
}
