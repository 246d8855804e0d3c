//! The tables, and how their keys are written.
//!
//! All keys and values are bytes made here and in [`crate::codec`], never by the engine's own types, so that a file does
//! not depend on them. Keys sort as the port wants its lists sorted: numbers big-endian, texts ended by a sign that sorts
//! before everything they may contain.

use redb::TableDefinition;
use smscode_core::money::Currency;
use smscode_core::store::{CounterKey, House, Key, Kind, OperationId, Owner};
use smscode_core::time::Timestamp;

use crate::codec::currency_code;

/// Version of the format of this store: the tables, their keys and values. Found under [`FORMAT_KEY`] in [`META`].
pub(crate) const FORMAT: u64 = 1;

pub(crate) const FORMAT_KEY: &str = "format";

pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Name to number. Kept readable by every future version: it tells which one is needed.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// kind, owner, id → version, terms, body.
pub(crate) const RECORDS: Definition = TableDefinition::new("records");
/// index, position, key of the record → nothing.
pub(crate) const TERMS: Definition = TableDefinition::new("terms");
/// owner → head.
pub(crate) const HEADS: Definition = TableDefinition::new("heads");
/// owner, name, period → number.
pub(crate) const COUNTERS: Definition = TableDefinition::new("counters");
/// owner, number → transfer.
pub(crate) const TRANSFERS: Definition = TableDefinition::new("transfers");
/// transfer id → nothing; between house accounts, which have no statement, the transfer.
pub(crate) const TRANSFER_IDS: Definition = TableDefinition::new("transfer_ids");
/// owner, number → time, body.
pub(crate) const EVENTS: Definition = TableDefinition::new("events");
/// operation id → fingerprint, time, receipt.
pub(crate) const OPERATIONS: Definition = TableDefinition::new("operations");
/// newest time of a group, its first operation id → all its operation ids. One row for a whole group, read only to forget it.
pub(crate) const OPERATION_GROUPS: Definition = TableDefinition::new("operation_groups");
/// currency → tally; currency, house account → sum.
pub(crate) const TOTALS: Definition = TableDefinition::new("totals");

/// All tables but [`META`].
pub(crate) const ALL: [(&str, Definition); 10] = [
    ("records", RECORDS),
    ("terms", TERMS),
    ("heads", HEADS),
    ("counters", COUNTERS),
    ("transfers", TRANSFERS),
    ("transfer_ids", TRANSFER_IDS),
    ("events", EVENTS),
    ("operations", OPERATIONS),
    ("operation_groups", OPERATION_GROUPS),
    ("totals", TOTALS),
];

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

/// The beginning of the keys of all records of a kind.
pub(crate) fn kind_prefix(kind: &Kind) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    put_ended(&mut out, kind.as_str().as_bytes());
    out
}

pub(crate) fn record_key(key: &Key) -> Vec<u8> {
    let mut out = family_prefix(&key.kind, key.owner);
    out.extend_from_slice(&key.id);
    out
}

/// The beginning of the keys of all records of a kind that an owner has.
pub(crate) fn family_prefix(kind: &Kind, owner: Owner) -> Vec<u8> {
    let mut out = kind_prefix(kind);
    out.extend_from_slice(&owner.0);
    out
}

pub(crate) fn read_record_key(bytes: &[u8]) -> Option<Key> {
    let (kind, rest) = take_ended(bytes)?;
    let (owner, id) = rest.split_first_chunk()?;
    let kind = Kind::read(std::str::from_utf8(&kind).ok()?);
    Some(Key::owned(kind, Owner(*owner), id))
}

/// The beginning of the keys of all terms at a position of an index.
pub(crate) fn term_prefix(index: &Kind, at: &[u8]) -> Vec<u8> {
    let mut out = kind_prefix(index);
    put_ended(&mut out, at);
    out
}

pub(crate) fn term_key(index: &Kind, at: &[u8], record_key: &[u8]) -> Vec<u8> {
    let mut out = term_prefix(index, at);
    out.extend_from_slice(record_key);
    out
}

/// The position and the key of the record in the key of a term.
pub(crate) fn read_term_key(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (_, rest) = take_ended(bytes)?;
    take_ended(rest)
}

pub(crate) fn counter_key(counter: &CounterKey) -> Vec<u8> {
    let mut out = counter.owner.0.to_vec();
    put_ended(&mut out, counter.name.as_bytes());
    out.extend_from_slice(counter.period.as_bytes());
    out
}

/// The key of a transfer or an event.
pub(crate) fn numbered_key(owner: Owner, number: u64) -> [u8; 24] {
    let mut out = [0; 24];
    out[..16].copy_from_slice(&owner.0);
    out[16..].copy_from_slice(&number.to_be_bytes());
    out
}

pub(crate) fn read_numbered_key(bytes: &[u8]) -> Option<(Owner, u64)> {
    let (owner, number) = bytes.split_first_chunk()?;
    Some((Owner(*owner), u64::from_be_bytes(number.try_into().ok()?)))
}

pub(crate) fn group_key(newest: Timestamp, first: OperationId) -> [u8; 24] {
    let mut out = [0; 24];
    out[..8].copy_from_slice(&newest.sort_bytes());
    out[8..].copy_from_slice(&first.0);
    out
}

pub(crate) fn read_group_time(bytes: &[u8]) -> Option<Timestamp> {
    let number = bytes.first_chunk()?;
    Some(Timestamp(u64::from_be_bytes(*number).cast_signed()))
}

/// The row of [`TOTALS`] with a currency's tally; those of house accounts have at least one byte more.
pub(crate) fn tally_key(currency: Currency) -> Vec<u8> {
    vec![currency_code(currency)]
}

pub(crate) fn house_key(currency: Currency, house: &House) -> Vec<u8> {
    let mut out = vec![currency_code(currency), b':'];
    out.extend_from_slice(house.0.as_bytes());
    out
}
