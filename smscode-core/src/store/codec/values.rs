//! What stands under the keys.

use super::bytes::{Reader, put_bytes, put_i64, put_length, put_u64};
use super::{Unreadable, keys};
use crate::money::Currency;
use crate::store::{
    Bucket, Event, Fingerprint, Head, House, Kind, OperationId, Owner, Place, Receipt, Record, Resolved,
    StatementEntry, StoredOperation, Tally, Term, Totals, Transfer, TransferId, TransferKind,
};
use crate::time::Timestamp;

type Result<T> = std::result::Result<T, Unreadable>;

/// The byte of a currency; zero is none.
pub(super) const fn currency_code(currency: Currency) -> u8 {
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
        TransferKind::Cost => 8,
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

pub(super) fn known<T>(what: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or(Unreadable(what))
}

/// Writes a record: version, terms, body.
pub fn put_record(out: &mut Vec<u8>, record: &Record) {
    put_u64(out, record.version);
    put_terms(out, &record.terms);
    out.extend_from_slice(record.body.as_bytes());
}

/// Reads what [`put_record`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_record(bytes: &[u8]) -> Result<Record> {
    let read = |mut from: Reader<'_>| Some(Record { version: from.u64()?, terms: from.terms()?, body: from.body() });
    known("a record", read(Reader(bytes)))
}

/// Writes terms alone, for stores that keep the rest of a record in columns.
pub fn put_terms(out: &mut Vec<u8>, terms: &[Term]) {
    put_length(out, terms.len());
    for term in terms {
        put_bytes(out, term.index.as_str().as_bytes());
        put_bytes(out, &term.at);
    }
}

/// Reads what [`put_terms`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_terms(bytes: &[u8]) -> Result<Vec<Term>> {
    let read = |mut from: Reader<'_>| {
        let terms = from.terms()?;
        from.end(terms)
    };
    known("terms", read(Reader(bytes)))
}

/// Writes a head.
pub fn put_head(out: &mut Vec<u8>, head: &Head) {
    out.push(head.currency.map_or(0, currency_code));
    put_i64(out, head.available);
    put_i64(out, head.held);
    put_i64(out, head.debt);
    put_u64(out, head.last_transfer);
    put_u64(out, head.last_event);
}

/// Reads what [`put_head`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_head(bytes: &[u8]) -> Result<Head> {
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

/// Writes a counter.
pub fn put_counter(out: &mut Vec<u8>, value: i64) {
    put_i64(out, value);
}

/// Reads what [`put_counter`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_counter(bytes: &[u8]) -> Result<i64> {
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
    fn terms(&mut self) -> Option<Vec<Term>> {
        self.list(|from| Some(Term { index: Kind::read(from.text()?), at: from.bytes()?.to_vec() }))
    }

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

/// Writes a transfer. Owner and number of its statement entry are left out: they are its key.
pub fn put_transfer(out: &mut Vec<u8>, transfer: &Transfer) {
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

/// Reads what [`put_transfer`] wrote of a transfer of an account, with its [`keys::numbered`] key.
///
/// # Errors
///
/// It did not.
pub fn read_transfer(key: &[u8], bytes: &[u8]) -> Result<Transfer> {
    let (owner, number) = keys::read_numbered(key)?;
    let read = |mut from: Reader<'_>| {
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

/// Writes an event. Owner and number are left out: they are its key.
pub fn put_event(out: &mut Vec<u8>, event: &Event) {
    put_i64(out, event.time.0);
    out.extend_from_slice(event.body.as_bytes());
}

/// Reads what [`put_event`] wrote, with its [`keys::numbered`] key.
///
/// # Errors
///
/// It did not.
pub fn read_event(key: &[u8], bytes: &[u8]) -> Result<Event> {
    let (owner, number) = keys::read_numbered(key)?;
    let read = |mut from: Reader<'_>| {
        let time = Timestamp(from.i64()?);
        Some(Event { owner, number, body: from.body(), time })
    };
    known("an event", read(Reader(bytes)))
}

/// Writes what is remembered of a ChangeSet.
pub fn put_operation(out: &mut Vec<u8>, operation: &StoredOperation) {
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

/// Reads what [`put_operation`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_operation(bytes: &[u8]) -> Result<StoredOperation> {
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

/// The time in what [`put_operation`] wrote, without reading the rest.
///
/// # Errors
///
/// There is none.
pub fn read_operation_time(bytes: &[u8]) -> Result<Timestamp> {
    known("an operation", Reader(bytes).i64().map(Timestamp))
}

/// Writes the ids of operations that were remembered together.
pub fn put_group(out: &mut Vec<u8>, ids: impl IntoIterator<Item = OperationId>) {
    ids.into_iter().for_each(|id| out.extend_from_slice(&id.0));
}

/// Reads what [`put_group`] wrote.
///
/// # Errors
///
/// It did not.
pub fn read_group(bytes: &[u8]) -> Result<Vec<OperationId>> {
    let (ids, rest) = bytes.as_chunks();
    known("a group", rest.is_empty().then(|| ids.iter().copied().map(OperationId).collect()))
}

fn read_tally(bytes: &[u8]) -> Result<(u64, u64)> {
    let read = |mut from: Reader<'_>| {
        let pair = (from.u64()?, from.u64()?);
        from.end(pair)
    };
    known("a tally", read(Reader(bytes)))
}

fn read_house(bytes: &[u8]) -> Result<i128> {
    known("a house account", bytes.try_into().ok().map(i128::from_le_bytes))
}

/// Writes the tally of a currency: the one that was there, if any, and what a group adds to it.
///
/// # Errors
///
/// There was something else.
pub fn add_tally(out: &mut Vec<u8>, before: Option<&[u8]>, tally: &Tally) -> Result<()> {
    let (transfers, open_holds) = before.map_or(Ok((0, 0)), read_tally)?;
    put_u64(out, transfers.saturating_add(tally.transfers));
    put_u64(out, open_holds.saturating_add_signed(tally.open_holds));
    Ok(())
}

/// Writes the sum of a house account: the one that was there, if any, and what a group adds to it.
///
/// # Errors
///
/// There was something else.
pub fn add_house(out: &mut Vec<u8>, before: Option<&[u8]>, by: i64) -> Result<()> {
    let sum = before.map_or(Ok(0), read_house)?;
    out.extend_from_slice(&sum.saturating_add(i128::from(by)).to_le_bytes());
    Ok(())
}

/// Enters the row of a tally or of a house account into the totals.
///
/// # Errors
///
/// It is neither.
pub fn add_total(totals: &mut Totals, key: &[u8], bytes: &[u8]) -> Result<()> {
    let split = key.split_first().and_then(|(code, name)| Some((currency_of(*code)?, name)));
    let (currency, name) = known("the key of a sum", split)?;
    let line = totals.currencies.entry(currency).or_default();
    match name {
        [] => (line.transfers, line.open_holds) = read_tally(bytes)?,
        [_, name @ ..] => {
            let name = known("the name of a house account", std::str::from_utf8(name).ok())?;
            line.house.insert(House(name.to_owned()), read_house(bytes)?);
        }
    }
    Ok(())
}
