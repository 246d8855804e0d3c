//! Reading the whole database as it is at one moment, and filling an empty one in one transaction; each on a connection
//! of its own.

use std::time::Duration;

use async_trait::async_trait;
use smscode_core::store::codec::{self, keys};
use smscode_core::store::copy::{Export, Import, Part, Portable, Section, StoredRow};
use smscode_core::store::{
    Body, CounterKey, Effect, Event, Key, Kind, OperationId, Owner, Rows, StoreError, Totals, Writes,
};
use smscode_core::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::connect::Line;
use crate::fault::{Fault, Result, unavailable};
use crate::read::{head, id_of, owner_of, record, unreadable};
use crate::scan::{self, account_transfer, house_transfer};
use crate::write::Batch;
use crate::{PostgresStore, within};

/// Rows of one part.
const PART_ROWS: i64 = 500;
/// Sums over everything, and looking through all transfers for those between house accounts, may take so many times the
/// limit of a statement.
const LONG_FACTOR: u32 = 60;

const EMPTY: &str = "SELECT NOT (
    EXISTS (SELECT FROM smscode.records) OR EXISTS (SELECT FROM smscode.heads)
    OR EXISTS (SELECT FROM smscode.counters) OR EXISTS (SELECT FROM smscode.transfers)
    OR EXISTS (SELECT FROM smscode.events) OR EXISTS (SELECT FROM smscode.operations)
    OR EXISTS (SELECT FROM smscode.sums))";

/// A statement for the first part of a section, and one for those behind a key.
macro_rules! parts {
    ($columns:literal, $table:literal, $and:literal, $key:literal, $after:literal, $limit:literal) => {
        [
            concat!("SELECT ", $columns, " FROM smscode.", $table, " WHERE ", $and, " ORDER BY ", $key, " LIMIT $1"),
            concat!(
                "SELECT ",
                $columns,
                " FROM smscode.",
                $table,
                " WHERE ",
                $and,
                " AND (",
                $key,
                ") > (",
                $after,
                ") ORDER BY ",
                $key,
                " LIMIT ",
                $limit
            ),
        ]
    };
}

const RECORDS: [&str; 2] =
    parts!("kind, owner, id, version, body, terms", "records", "true", "kind, owner, id", "$1, $2, $3", "$4");
const HEADS: [&str; 2] =
    parts!("owner, available, held, debt, last_transfer, last_event, currency", "heads", "true", "owner", "$1", "$2");
const COUNTERS: [&str; 2] =
    parts!("owner, name, period, value", "counters", "true", "owner, name, period", "$1, $2, $3", "$4");
const TRANSFERS: [&str; 2] = parts!(
    "number, id, kind, currency, amount, debit, credit, rest, rest_amount, subject, reason, actor, time, available, held, debt, owner",
    "transfers",
    "owner IS NOT NULL",
    "owner, number",
    "$1, $2",
    "$3"
);
const HOUSE_TRANSFERS: [&str; 2] = parts!(
    "number, id, kind, currency, amount, debit, credit, rest, rest_amount, subject, reason, actor, time, available, held, debt",
    "transfers",
    "owner IS NULL",
    "id",
    "$1",
    "$2"
);
const EVENTS: [&str; 2] = parts!("owner, number, time, body", "events", "true", "owner, number", "$1, $2", "$3");
const OPERATIONS: [&str; 2] = parts!("id, stored", "operations", "true", "id", "$1", "$2");

#[async_trait]
impl Portable for PostgresStore {
    /// One transaction on a connection of its own. Dead rows are not cleaned up before it ends.
    async fn export(&self) -> std::result::Result<Box<dyn Export>, StoreError> {
        let (mut line, limit) = self.own_line();
        let begun = async {
            line.begin_moment().await?;
            scan::totals(&mut line).await
        };
        let totals = within(limit * LONG_FACTOR, begun).await.map_err(|fault| fault.tell(Effect::No))?;
        Ok(Box::new(Moment { line, totals, limit }))
    }

    /// One transaction on a connection of its own. Whoever writes to the database meanwhile makes it fail.
    async fn import(&self) -> std::result::Result<Option<Box<dyn Import + '_>>, StoreError> {
        let (mut line, limit) = self.own_line();
        let begun = async {
            line.begin().await?;
            Ok(line.query(EMPTY).fetch_one(line.ready().await?).await?.try_get::<bool, _>(0)?)
        };
        let empty = within(limit, begun).await.map_err(|fault| fault.tell(Effect::No))?;
        Ok(empty.then(|| Box::new(Filling { line, limit }) as Box<dyn Import + '_>))
    }
}

/// The database as it was at one moment.
struct Moment {
    line: Line,
    totals: Totals,
    limit: Duration,
}

#[async_trait]
impl Export for Moment {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    async fn part(&mut self, section: Section, after: Option<&[u8]>) -> std::result::Result<Part, StoreError> {
        if !self.line.has_begun() {
            return Err(unavailable(Effect::No, "the connection was lost, and with it the moment that was read"));
        }
        let read = within(self.limit * LONG_FACTOR, part(&mut self.line, section, after)).await;
        read.map_err(|fault| {
            // another connection would see another moment
            self.line.hang_up();
            fault.tell(Effect::No)
        })
    }
}

async fn part(line: &mut Line, section: Section, after: Option<&[u8]>) -> Result<Part> {
    let mut rows = Vec::new();
    for row in found(line, section, after).await? {
        rows.push(stored(&row, section)?);
    }
    let more = i64::try_from(rows.len()).is_ok_and(|count| count == PART_ROWS);
    let next = rows.last().filter(|_| more).map(StoredRow::key);
    Ok(Part { rows, next })
}

async fn found(line: &mut Line, section: Section, after: Option<&[u8]>) -> Result<Vec<PgRow>> {
    let [first, behind] = match section {
        Section::Records => RECORDS,
        Section::Heads => HEADS,
        Section::Counters => COUNTERS,
        Section::Transfers => TRANSFERS,
        Section::HouseTransfers => HOUSE_TRANSFERS,
        Section::Events => EVENTS,
        Section::Operations => OPERATIONS,
    };
    let Some(after) = after else {
        return Ok(line.query(first).bind(PART_ROWS).fetch_all(line.ready().await?).await?);
    };
    let query = line.query(behind);
    let query = match section {
        Section::Records => {
            let key = keys::read_record(after)?;
            query.bind(key.kind.as_str().to_owned()).bind(id_of(key.owner)).bind(key.id)
        }
        Section::Heads | Section::Operations => query.bind(uuid(after)?),
        Section::Counters => {
            let CounterKey { owner, name, period } = keys::read_counter(after)?;
            query.bind(id_of(owner)).bind(name).bind(period)
        }
        Section::Transfers | Section::Events => {
            let (owner, number) = keys::read_numbered(after)?;
            query.bind(id_of(owner)).bind(number as i64)
        }
        Section::HouseTransfers => query.bind(after.to_vec()),
    };
    Ok(query.bind(PART_ROWS).fetch_all(line.ready().await?).await?)
}

fn uuid(key: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(key).map_err(|_| unreadable("a key of 16 bytes"))
}

fn stored(row: &PgRow, section: Section) -> Result<StoredRow> {
    let owner = |column| Ok::<Owner, Fault>(owner_of(row.try_get(column)?));
    Ok(match section {
        Section::Records => {
            let key = Key::owned(Kind::read(row.try_get(0)?), owner(1)?, row.try_get::<Vec<u8>, _>(2)?);
            StoredRow::Record(key, record(row, 3, 4, 5)?)
        }
        Section::Heads => StoredRow::Head(owner(0)?, head(row, 1, 6)?),
        Section::Counters => {
            let counter = CounterKey { owner: owner(0)?, name: row.try_get(1)?, period: row.try_get(2)? };
            StoredRow::Counter(counter, row.try_get(3)?)
        }
        Section::Transfers => StoredRow::Transfer(account_transfer(row, owner(16)?)?),
        Section::HouseTransfers => StoredRow::Transfer(house_transfer(row)?),
        Section::Events => {
            let (number, time) = (row.try_get::<i64, _>(1)? as u64, Timestamp(row.try_get(2)?));
            let body = Body::from_stored(row.try_get::<&str, _>(3)?.as_bytes());
            StoredRow::Event(Event { owner: owner(0)?, number, body, time })
        }
        Section::Operations => {
            let id = OperationId(row.try_get::<Uuid, _>(0)?.into_bytes());
            StoredRow::Operation(id, codec::read_operation(row.try_get(1)?)?)
        }
    })
}

/// Dropped before its end, the connection goes and the server takes everything back.
struct Filling {
    line: Line,
    limit: Duration,
}

#[async_trait]
impl Import for Filling {
    async fn write(&mut self, writes: Writes) -> std::result::Result<(), StoreError> {
        if !self.line.has_begun() {
            return Err(unavailable(Effect::No, "the connection was lost; nothing was written"));
        }
        let (rows, kept) = (Rows::default(), Default::default());
        let batch = Batch { rows: &rows, writes: &writes, kept: &kept, forgets: false };
        let written = within(self.limit * LONG_FACTOR, batch.write(&mut self.line)).await;
        written.map(drop).map_err(|fault| {
            self.line.hang_up();
            match fault {
                Fault::Conflict => unavailable(Effect::No, "somebody else writes to it, or a row came twice"),
                other => other.tell(Effect::No),
            }
        })
    }

    async fn finish(mut self: Box<Self>) -> std::result::Result<(), StoreError> {
        if !self.line.has_begun() {
            return Err(unavailable(Effect::No, "the connection was lost; nothing was written"));
        }
        let committed = within(self.limit * LONG_FACTOR, self.line.commit()).await;
        committed.map_err(|fault| {
            let effect = if fault.is_refusal() { Effect::No } else { Effect::Unknown };
            fault.tell(effect)
        })?;
        self.line.close().await;
        Ok(())
    }
}
