//! Lists and sums.

use smscode_core::money::Currency;
use smscode_core::store::{
    Body, Bucket, CurrencyTotals, Cursor, Event, House, Index, Key, Kind, Owner, Page, Place, Range, Row as Listed,
    StatementEntry, Totals, Transfer, TransferId, TransferKind, kind_position, limits,
};
use smscode_core::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::connect::Line;
use crate::fault::Result;
use crate::read::{can_be, currency_of, head, id_of, owner_of, record, unreadable};

/// What a house account's name begins with where it stands as a place or a sum.
pub(crate) const HOUSE: &str = "house:";
/// The sum that counts transfers.
pub(crate) const TRANSFERS: &str = "transfers";
/// The sum that counts holds less captures and releases.
pub(crate) const OPEN_HOLDS: &str = "open_holds";

const TERMS: &str = "SELECT t.at, t.kind, t.owner, t.id, r.version, r.body, r.terms
FROM smscode.terms t
JOIN smscode.records r ON r.kind = t.kind AND r.owner = t.owner AND r.id = t.id
WHERE t.name = $1 AND t.at >= $2 AND (t.at, t.kind, t.owner, t.id) >= ($2, $3, $4, $5) AND t.at < $6
ORDER BY t.at, t.kind, t.owner, t.id
LIMIT $7";

const KIND: &str = "SELECT r.owner, r.id, r.version, r.body, r.terms
FROM smscode.records r
WHERE r.kind = $1 AND (r.owner, r.id) >= ($2, $3) AND (r.owner, r.id) < ($4, $5)
ORDER BY r.owner, r.id
LIMIT $6";

const HEADS: &str = "SELECT owner, available, held, debt, last_transfer, last_event, currency
FROM smscode.heads
WHERE owner >= $1 AND (owner, ''::bytea) >= ($1, $2) AND owner <= $3 AND (owner, ''::bytea) < ($3, $4)
ORDER BY owner
LIMIT $5";

const STATEMENT: &str = "SELECT number, id, kind, currency, amount, debit, credit, rest, rest_amount, subject, reason,
    actor, time, available, held, debt
FROM smscode.transfers
WHERE owner = $1 AND number >= $2 AND number <= $3
ORDER BY number
LIMIT $4";

const EVENTS: &str = "SELECT number, time, body
FROM smscode.events
WHERE owner = $1 AND number >= $2 AND number <= $3
ORDER BY number
LIMIT $4";

const TOTALS: &str = "SELECT currency, 'available', sum(available)::text FROM smscode.heads GROUP BY currency
UNION ALL SELECT currency, 'held', sum(held)::text FROM smscode.heads GROUP BY currency
UNION ALL SELECT currency, 'debt', sum(debt)::text FROM smscode.heads GROUP BY currency
UNION ALL SELECT currency, name, sum(sum)::text FROM smscode.sums GROUP BY currency, name";

/// After every position: no part of a key is longer.
const LAST: [u8; limits::KEY_PART_BYTES_MAX + 1] = [0xFF; limits::KEY_PART_BYTES_MAX + 1];

pub(crate) const fn bucket_word(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Available => "available",
        Bucket::Held => "held",
        Bucket::Debt => "debt",
    }
}

/// A position in a list by owner and id, cut where the id begins; a short one is the first of those it begins.
fn cut(position: &[u8]) -> (Uuid, Vec<u8>) {
    let mut owner = [0; 16];
    let count = position.len().min(16);
    owner[..count].copy_from_slice(&position[..count]);
    (Uuid::from_bytes(owner), position[count..].to_vec())
}

/// The first position after a cursor, or the range's own.
fn first(range: &Range, after: Option<&Cursor>) -> Vec<u8> {
    let next = after.map(|cursor| [cursor.position.as_slice(), &[0]].concat());
    next.map_or_else(|| range.from.clone(), |next| next.max(range.from.clone()))
}

fn last(range: &Range) -> Vec<u8> {
    range.until.clone().unwrap_or_else(|| [[0xFF; 16].as_slice(), &LAST].concat())
}

/// The numbers that a scan of transfers or events wants, both included.
fn numbers(range: &Range, after: Option<&Cursor>) -> (i64, i64) {
    let number = |position: &[u8]| {
        let mut bytes = [0; 8];
        let count = position.len().min(8);
        bytes[..count].copy_from_slice(&position[..count]);
        (u64::from_be_bytes(bytes), position.len() > 8)
    };
    let (low, beyond) = number(&first(range, after));
    let low = low.saturating_add(u64::from(beyond));
    let high = range.until.as_deref().map_or(u64::MAX, |until| {
        let (high, beyond) = number(until);
        if beyond { high } else { high.saturating_sub(1) }
    });
    // no number is zero, so a range that ends before the first is empty
    (i64::try_from(low).unwrap_or(i64::MAX), i64::try_from(high).unwrap_or(i64::MAX))
}

pub(crate) async fn scan(
    line: &mut Line,
    index: &Index,
    range: &Range,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page> {
    let limit = limit.clamp(1, limits::PAGE_ROWS_MAX);
    let count = limit as i64 + 1;
    let (from, until) = (first(range, after), last(range));
    let ((from_owner, from_id), (until_owner, until_id)) = (cut(&from), cut(&until));
    let (low, high) = numbers(range, after);
    let rows = match index {
        Index::Term(name) | Index::Kind(name) if !can_be(name.as_str()) => Vec::new(),
        Index::Term(name) => scan_terms(line, name, range, after, count).await?,
        Index::Kind(kind) => {
            let query = line.query(KIND).bind(kind.as_str()).bind(from_owner).bind(from_id);
            let query = query.bind(until_owner).bind(until_id).bind(count);
            read(query.fetch_all(line.ready().await?).await?, |row| {
                let key = Key::owned(kind.clone(), owner_of(row.try_get(0)?), row.try_get::<Vec<u8>, _>(1)?);
                Ok(Listed::Record { position: kind_position(&key), record: record(row, 2, 3, 4)?, key })
            })?
        }
        Index::Heads => {
            let query = line.query(HEADS).bind(from_owner).bind(from_id).bind(until_owner).bind(until_id).bind(count);
            read(query.fetch_all(line.ready().await?).await?, |row| {
                Ok(Listed::Head(owner_of(row.try_get(0)?), head(row, 1, 6)?))
            })?
        }
        Index::Transfers(owner) => {
            let query = line.query(STATEMENT).bind(id_of(*owner)).bind(low).bind(high).bind(count);
            read(query.fetch_all(line.ready().await?).await?, |row| {
                Ok(Listed::Transfer(account_transfer(row, *owner)?))
            })?
        }
        Index::Events(owner) => {
            let query = line.query(EVENTS).bind(id_of(*owner)).bind(low).bind(high).bind(count);
            read(query.fetch_all(line.ready().await?).await?, |row| {
                let (number, time) = (row.try_get::<i64, _>(0)? as u64, Timestamp(row.try_get(1)?));
                let body = Body::from_stored(row.try_get::<&str, _>(2)?.as_bytes());
                Ok(Listed::Event(Event { owner: *owner, number, body, time }))
            })?
        }
    };
    Ok(Page::cut(rows, limit))
}

fn read(rows: Vec<PgRow>, row: impl FnMut(&PgRow) -> Result<Listed>) -> Result<Vec<Listed>> {
    rows.iter().map(row).collect()
}

async fn scan_terms(
    line: &mut Line,
    name: &Kind,
    range: &Range,
    after: Option<&Cursor>,
    count: i64,
) -> Result<Vec<Listed>> {
    let start = Key::free(Kind::of(""), []);
    let (mut at, mut key) = (&range.from, &start);
    let mut id = Vec::new();
    if let Some(cursor) = after.filter(|cursor| cursor.position >= range.from) {
        at = &cursor.position;
        key = cursor.key.as_ref().unwrap_or(&start);
        // the next key, whether the cursor's own is there or not
        id = cursor.key.iter().flat_map(|key| key.id.iter().copied().chain([0])).collect();
    }
    let until = range.until.as_deref().unwrap_or(&LAST);
    let query = line.query(TERMS).bind(name.as_str()).bind(at).bind(key.kind.as_str()).bind(id_of(key.owner));
    let rows = query.bind(id).bind(until).bind(count).fetch_all(line.ready().await?).await?;
    read(rows, |row| {
        let kind = Kind::read(row.try_get(1)?);
        let key = Key::owned(kind, owner_of(row.try_get(2)?), row.try_get::<Vec<u8>, _>(3)?);
        Ok(Listed::Record { position: row.try_get(0)?, key, record: record(row, 4, 5, 6)? })
    })
}

/// A transfer of an account, from the columns of its statement.
pub(crate) fn account_transfer(row: &PgRow, owner: Owner) -> Result<Transfer> {
    let mut transfer = transfer(row, Some(owner))?;
    transfer.entry = Some(StatementEntry {
        owner,
        number: row.try_get::<i64, _>(0)? as u64,
        available: row.try_get(13)?,
        held: row.try_get(14)?,
        debt: row.try_get(15)?,
    });
    Ok(transfer)
}

/// A transfer that stands on no statement, from the same columns.
pub(crate) fn house_transfer(row: &PgRow) -> Result<Transfer> {
    transfer(row, None)
}

fn transfer(row: &PgRow, owner: Option<Owner>) -> Result<Transfer> {
    let place = |word: &str| match (word.strip_prefix(HOUSE), owner) {
        (Some(name), _) => Ok(Place::House(House(name.to_owned()))),
        (None, None) => Err(unreadable("a place of money between house accounts")),
        (None, Some(owner)) => [Bucket::Available, Bucket::Held, Bucket::Debt]
            .into_iter()
            .find(|bucket| bucket_word(*bucket) == word)
            .map(|bucket| Place::Customer(owner, bucket))
            .ok_or_else(|| unreadable("a place of money")),
    };
    let rest = row.try_get::<Option<&str>, _>(7)?.zip(row.try_get::<Option<i64>, _>(8)?);
    Ok(Transfer {
        id: TransferId(row.try_get(1)?),
        kind: TransferKind::from_word(row.try_get(2)?).ok_or_else(|| unreadable("the kind of a transfer"))?,
        currency: currency_of(row.try_get(3)?)?,
        amount: row.try_get(4)?,
        debit: place(row.try_get(5)?)?,
        credit: place(row.try_get(6)?)?,
        rest: rest.map(|(word, amount)| Ok::<_, crate::fault::Fault>((place(word)?, amount))).transpose()?,
        subject: row.try_get(9)?,
        reason: row.try_get(10)?,
        actor: row.try_get(11)?,
        time: Timestamp(row.try_get(12)?),
        entry: None,
    })
}

pub(crate) async fn totals(line: &mut Line) -> Result<Totals> {
    let mut totals = Totals::default();
    for row in line.query(TOTALS).fetch_all(line.ready().await?).await? {
        let Some(currency) = row.try_get::<Option<&str>, _>(0)? else {
            continue; // accounts without a transfer
        };
        let currency: Currency = currency_of(currency)?;
        let sum: i128 = row.try_get::<&str, _>(2)?.parse().map_err(|_| unreadable("a sum"))?;
        let line: &mut CurrencyTotals = totals.currencies.entry(currency).or_default();
        match row.try_get(1)? {
            "available" => line.available = sum,
            "held" => line.held = sum,
            "debt" => line.debt = sum,
            TRANSFERS => line.transfers = u64::try_from(sum).map_err(|_| unreadable("a count of transfers"))?,
            // more closings than holds is for an audit to find, not a reason to show it nothing
            OPEN_HOLDS => line.open_holds = u64::try_from(sum.max(0)).unwrap_or(u64::MAX),
            name => {
                let name = name.strip_prefix(HOUSE).ok_or_else(|| unreadable("the name of a sum"))?;
                line.house.insert(House(name.to_owned()), sum);
            }
        }
    }
    Ok(totals)
}
