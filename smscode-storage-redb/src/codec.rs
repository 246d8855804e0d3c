//! How values are written. Golden files hold every form; a change of any is a new [`crate::tables::FORMAT`].

use smscode_core::money::Currency;
use smscode_core::store::{
    Bucket, Event, Fingerprint, Head, House, Kind, Owner, Place, Receipt, Record, Resolved, StatementEntry,
    StoredOperation, Tally, Term, Transfer, TransferId, TransferKind,
};
use smscode_core::time::Timestamp;

use crate::bytes::{Reader, put_bytes, put_i64, put_length, put_u64};
use crate::fault::{Fault, Result};
use crate::tables::read_numbered_key;

/// The byte of a currency; zero is none.
pub(crate) const fn currency_code(currency: Currency) -> u8 {
    match currency {
        Currency::Idr => 1,
        Currency::Usd => 2,
        Currency::Usdt => 3,
        Currency::Rub => 4,
    }
}

fn currency_of(code: u8) -> Option<Currency> {
    Currency::ALL.into_iter().find(|currency| currency_code(*currency) == code)
}

const fn kind_code(kind: TransferKind) -> u8 {
    match kind {
        TransferKind::Hold => 1,
        TransferKind::Capture => 2,
        TransferKind::Release => 3,
        TransferKind::Deposit => 4,
        TransferKind::Forfeit => 5,
        TransferKind::Reverse => 6,
        TransferKind::Adjust => 7,
    }
}

const HOUSE: u8 = 0;

const fn bucket_code(bucket: Bucket) -> u8 {
    match bucket {
        Bucket::Available => 1,
        Bucket::Held => 2,
        Bucket::Debt => 3,
    }
}

fn known<T>(what: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or(Fault::Unreadable(what))
}

pub(crate) fn put_record(out: &mut Vec<u8>, record: &Record) {
    put_u64(out, record.version);
    put_length(out, record.terms.len());
    for term in &record.terms {
        put_bytes(out, term.index.as_str().as_bytes());
        put_bytes(out, &term.at);
    }
    out.extend_from_slice(record.body.as_bytes());
}

pub(crate) fn read_record(bytes: &[u8]) -> Result<Record> {
    let read = |mut from: Reader<'_>| {
        Some(Record {
            version: from.u64()?,
            terms: from.list(|from| Some(Term { index: Kind::read(from.text()?), at: from.bytes()?.to_vec() }))?,
            body: from.body(),
        })
    };
    known("a record", read(Reader(bytes)))
}

pub(crate) fn put_head(out: &mut Vec<u8>, head: &Head) {
    out.push(head.currency.map_or(0, currency_code));
    put_i64(out, head.available);
    put_i64(out, head.held);
    put_i64(out, head.debt);
    put_u64(out, head.last_transfer);
    put_u64(out, head.last_event);
}

pub(crate) fn read_head(bytes: &[u8]) -> Result<Head> {
    let read = |mut from: Reader<'_>| {
        let head = Head {
            currency: match from.byte()? {
                0 => None,
                code => Some(currency_of(code)?),
            },
            available: from.i64()?,
            held: from.i64()?,
            debt: from.i64()?,
            last_transfer: from.u64()?,
            last_event: from.u64()?,
        };
        from.end(head)
    };
    known("a head", read(Reader(bytes)))
}

pub(crate) fn read_counter(bytes: &[u8]) -> Result<i64> {
    known("a counter", bytes.try_into().ok().map(i64::from_le_bytes))
}

fn put_place(out: &mut Vec<u8>, place: &Place) {
    match place {
        // whose bucket it is stands in the key: a transfer touches one customer
        Place::Customer(_, bucket) => out.push(bucket_code(*bucket)),
        Place::House(house) => {
            out.push(HOUSE);
            put_bytes(out, house.0.as_bytes());
        }
    }
}

impl Reader<'_> {
    fn place(&mut self, owner: Owner) -> Option<Place> {
        let buckets = [Bucket::Available, Bucket::Held, Bucket::Debt];
        match self.byte()? {
            HOUSE => Some(Place::House(House(self.text()?.to_owned()))),
            code => buckets
                .into_iter()
                .find(|bucket| bucket_code(*bucket) == code)
                .map(|bucket| Place::Customer(owner, bucket)),
        }
    }
}

pub(crate) fn put_transfer(out: &mut Vec<u8>, transfer: &Transfer) {
    out.push(kind_code(transfer.kind));
    out.push(currency_code(transfer.currency));
    put_i64(out, transfer.time.0);
    put_i64(out, transfer.amount);
    let entry = transfer.entry.as_ref();
    for balance in [entry.map_or(0, |e| e.available), entry.map_or(0, |e| e.held), entry.map_or(0, |e| e.debt)] {
        put_i64(out, balance);
    }
    put_place(out, &transfer.debit);
    put_place(out, &transfer.credit);
    match &transfer.rest {
        None => out.push(0),
        Some((place, amount)) => {
            out.push(1);
            put_place(out, place);
            put_i64(out, *amount);
        }
    }
    put_bytes(out, &transfer.id.0);
    for text in [&transfer.subject, &transfer.reason, &transfer.actor] {
        put_bytes(out, text.as_bytes());
    }
}

/// Reads a transfer of a statement, with its key.
pub(crate) fn read_transfer(key: &[u8], bytes: &[u8]) -> Result<Transfer> {
    let read = |mut from: Reader<'_>| {
        let (owner, number) = read_numbered_key(key)?;
        let code = from.byte()?;
        let kind = TransferKind::ALL.into_iter().find(|kind| kind_code(*kind) == code)?;
        let currency = currency_of(from.byte()?)?;
        let (time, amount) = (Timestamp(from.i64()?), from.i64()?);
        let entry = StatementEntry { owner, number, available: from.i64()?, held: from.i64()?, debt: from.i64()? };
        let (debit, credit) = (from.place(owner)?, from.place(owner)?);
        let rest = match from.byte()? {
            0 => None,
            _ => Some((from.place(owner)?, from.i64()?)),
        };
        let transfer = Transfer {
            id: TransferId(from.bytes()?.to_vec()),
            kind,
            subject: from.text()?.to_owned(),
            reason: from.text()?.to_owned(),
            actor: from.text()?.to_owned(),
            debit,
            credit,
            currency,
            amount,
            rest,
            time,
            entry: Some(entry),
        };
        from.end(transfer)
    };
    known("a transfer", read(Reader(bytes)))
}

pub(crate) fn put_event(out: &mut Vec<u8>, event: &Event) {
    put_i64(out, event.time.0);
    out.extend_from_slice(event.body.as_bytes());
}

pub(crate) fn read_event(key: &[u8], bytes: &[u8]) -> Result<Event> {
    let read = |mut from: Reader<'_>| {
        let (owner, number) = read_numbered_key(key)?;
        let time = Timestamp(from.i64()?);
        Some(Event { owner, number, body: from.body(), time })
    };
    known("an event", read(Reader(bytes)))
}

pub(crate) fn put_operation(out: &mut Vec<u8>, operation: &StoredOperation) {
    put_i64(out, operation.time.0);
    out.extend_from_slice(&operation.fingerprint.0);
    let receipt = &operation.receipt;
    put_length(out, receipt.transfers.len());
    for resolved in &receipt.transfers {
        put_i64(out, resolved.moved);
        put_i64(out, resolved.rest);
        put_u64(out, resolved.number);
    }
    put_length(out, receipt.events.len());
    receipt.events.iter().for_each(|number| put_u64(out, *number));
    put_length(out, receipt.counters.len());
    receipt.counters.iter().for_each(|value| put_i64(out, *value));
    out.extend_from_slice(receipt.outcome.as_bytes());
}

pub(crate) fn read_operation(bytes: &[u8]) -> Result<StoredOperation> {
    let read = |mut from: Reader<'_>| {
        let time = Timestamp(from.i64()?);
        let fingerprint = Fingerprint(from.array()?);
        let transfers =
            from.list(|from| Some(Resolved { moved: from.i64()?, rest: from.i64()?, number: from.u64()? }))?;
        let events = from.list(Reader::u64)?;
        let counters = from.list(Reader::i64)?;
        Some(StoredOperation {
            fingerprint,
            time,
            receipt: Receipt { outcome: from.body(), transfers, events, counters, replayed: false },
        })
    };
    known("an operation", read(Reader(bytes)))
}

/// The time of an operation, without reading the rest.
pub(crate) fn read_operation_time(bytes: &[u8]) -> Result<Timestamp> {
    known("an operation", Reader(bytes).i64().map(Timestamp))
}

pub(crate) fn put_tally(out: &mut Vec<u8>, transfers: u64, open_holds: u64) {
    put_u64(out, transfers);
    put_u64(out, open_holds);
}

/// Transfers and open holds.
pub(crate) fn read_tally(bytes: &[u8]) -> Result<(u64, u64)> {
    let read = |mut from: Reader<'_>| {
        let pair = (from.u64()?, from.u64()?);
        from.end(pair)
    };
    known("a tally", read(Reader(bytes)))
}

pub(crate) fn read_house(bytes: &[u8]) -> Result<i128> {
    known("a house account", bytes.try_into().ok().map(i128::from_le_bytes))
}

/// A row of the totals: whose it is and how much.
pub(crate) enum Total {
    House(Currency, House, i128),
    Tally(Currency, u64, u64),
}

pub(crate) fn read_total(key: &[u8], bytes: &[u8]) -> Result<Total> {
    let (code, name) = known("a row of totals", key.split_first())?;
    let currency = known("a currency", currency_of(*code))?;
    match name {
        [] => {
            let (transfers, open_holds) = read_tally(bytes)?;
            Ok(Total::Tally(currency, transfers, open_holds))
        }
        [_, name @ ..] => {
            let name = known("a house account", std::str::from_utf8(name).ok())?;
            Ok(Total::House(currency, House(name.to_owned()), read_house(bytes)?))
        }
    }
}

/// Adds a group's tally to the stored one.
pub(crate) fn add_tally((transfers, open_holds): (u64, u64), tally: &Tally) -> (u64, u64) {
    (transfers.saturating_add(tally.transfers), open_holds.saturating_add_signed(tally.open_holds))
}
