//! Writing what a judged group changes, in one statement that fails if a row is not as it was judged.

use std::collections::BTreeMap;

use smscode_core::money::Currency;
use smscode_core::store::{
    Event, House, Key, OperationId, Place, RecordChange, Rows, StatementEntry, StoredOperation, Term, Transfer, Writes,
    codec, limits,
};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use crate::connect::Line;
use crate::fault::Result;
use crate::read::{id_of, unreadable};
use crate::scan::{HOUSE, OPEN_HOLDS, TRANSFERS, bucket_word};

const WRITE: &str = include_str!("sql/write.sql");

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// What a group changes and what it was judged on.
pub(crate) struct Batch<'a> {
    /// The rows before the group.
    pub(crate) rows: &'a Rows,
    pub(crate) writes: &'a Writes,
    /// Records that must be as they were although they do not change, with their versions.
    pub(crate) kept: &'a BTreeMap<Key, u64>,
    /// Whether old operations are forgotten now.
    pub(crate) forgets: bool,
}

impl Batch<'_> {
    /// Writes all of it, or fails with [`Fault::Conflict`]. How many old operations were forgotten.
    pub(crate) async fn write(&self, line: &mut Line) -> Result<u64> {
        let writes = self.writes;
        let mut forgotten_before = 0;
        let mut forgotten_max = 0;
        if self.forgets {
            forgotten_before = writes.newest.plus_seconds(-limits::OPERATION_HOURS * 3_600).0;
            forgotten_max = limits::OPERATIONS_FORGOTTEN_MAX as i64;
        }
        let statement = self.bind_records(line.query(WRITE))?;
        let statement = self.bind_money(statement);
        let statement = bind_transfers(statement, &writes.transfers);
        let statement = bind_events(statement, &writes.events)?;
        let statement = bind_sums(statement, writes);
        let statement = bind_operations(statement, &writes.operations).bind(forgotten_before).bind(forgotten_max);
        let row = statement.fetch_one(line.ready().await?).await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
    }

    fn bind_records<'q>(&self, statement: Statement<'q>) -> Result<Statement<'q>> {
        let (mut keys, mut places) = (Vec::new(), Places::default());
        let (mut seen, mut versions): (Vec<Option<u64>>, Vec<Option<u64>>) = Default::default();
        let (mut bodies, mut terms): (Vec<Option<&str>>, Vec<Option<Vec<u8>>>) = Default::default();
        for (key, change) in &self.writes.records {
            let (before, after) = (change.before.as_ref(), change.after.as_ref());
            keys.push(key);
            seen.push(before.map(|record| record.version));
            versions.push(after.map(|record| record.version));
            bodies.push(after.map(|record| text(record.body.as_bytes())).transpose()?);
            terms.push(after.map(|record| terms_of(&record.terms)));
            places.change(key, change);
        }
        for (key, version) in self.kept {
            keys.push(key);
            seen.push(Some(*version));
            versions.push(Some(*version));
            bodies.push(None);
            terms.push(None);
        }
        let statement = statement
            .bind(keys.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>())
            .bind(keys.iter().map(|key| id_of(key.owner)).collect::<Vec<_>>())
            .bind(keys.iter().map(|key| key.id.as_slice()).collect::<Vec<_>>())
            .bind(seen.iter().map(|version| version.map(|v| v as i64)).collect::<Vec<_>>())
            .bind(versions.iter().map(|version| version.map(|v| v as i64)).collect::<Vec<_>>())
            .bind(bodies)
            .bind(terms);
        Ok(places.bind(statement))
    }

    fn bind_money<'q>(&self, statement: Statement<'q>) -> Statement<'q> {
        let heads = &self.writes.heads;
        let before = |owner| self.rows.heads.get(owner);
        let statement = statement
            .bind(heads.keys().map(|owner| id_of(*owner)).collect::<Vec<_>>())
            .bind(heads.keys().map(|owner| before(owner).map(|head| head.last_transfer as i64)).collect::<Vec<_>>())
            .bind(heads.keys().map(|owner| before(owner).map(|head| head.last_event as i64)).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.currency.map(Currency::code)).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.available).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.held).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.debt).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.last_transfer as i64).collect::<Vec<_>>())
            .bind(heads.values().map(|head| head.last_event as i64).collect::<Vec<_>>());
        let counters = &self.writes.counters;
        statement
            .bind(counters.keys().map(|counter| id_of(counter.owner)).collect::<Vec<_>>())
            .bind(counters.keys().map(|counter| counter.name.as_str()).collect::<Vec<_>>())
            .bind(counters.keys().map(|counter| counter.period.as_str()).collect::<Vec<_>>())
            .bind(counters.keys().map(|counter| self.rows.counters.get(counter).copied()).collect::<Vec<_>>())
            .bind(counters.values().copied().collect::<Vec<_>>())
    }
}

/// Places in indexes that come or go.
#[derive(Default)]
struct Places<'a>(Vec<(bool, &'a Term, &'a Key)>);

impl<'a> Places<'a> {
    fn change(&mut self, key: &'a Key, change: &'a RecordChange) {
        let (gone, new) = change.terms();
        self.0.extend(gone.into_iter().map(|term| (false, term, key)));
        self.0.extend(new.into_iter().map(|term| (true, term, key)));
    }

    fn bind(mut self, statement: Statement<'_>) -> Statement<'_> {
        // one order for all writers
        self.0.sort();
        let places = &self.0;
        statement
            .bind(places.iter().map(|(new, _, _)| *new).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, term, _)| term.index.as_str()).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, term, _)| term.at.as_slice()).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, _, key)| key.kind.as_str()).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, _, key)| id_of(key.owner)).collect::<Vec<_>>())
            .bind(places.iter().map(|(_, _, key)| key.id.as_slice()).collect::<Vec<_>>())
    }
}

fn terms_of(terms: &[Term]) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::put_terms(&mut bytes, terms);
    bytes
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| unreadable("a document that is no text"))
}

/// A place of money as text.
fn place(place: &Place) -> String {
    match place {
        Place::Customer(_, bucket) => bucket_word(*bucket).to_owned(),
        Place::House(House(name)) => format!("{HOUSE}{name}"),
    }
}

fn bind_transfers<'q>(statement: Statement<'q>, transfers: &[Transfer]) -> Statement<'q> {
    let all = || transfers.iter();
    let balance = |of: fn(&StatementEntry) -> i64| -> Vec<Option<i64>> {
        transfers.iter().map(|transfer| transfer.entry.as_ref().map(of)).collect()
    };
    statement
        .bind(all().map(|transfer| transfer.id.0.as_slice()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.entry.map(|entry| id_of(entry.owner))).collect::<Vec<_>>())
        .bind(balance(|entry| entry.number as i64))
        .bind(all().map(|transfer| transfer.kind.word()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.currency.code()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.amount).collect::<Vec<_>>())
        .bind(all().map(|transfer| place(&transfer.debit)).collect::<Vec<_>>())
        .bind(all().map(|transfer| place(&transfer.credit)).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.rest.as_ref().map(|(rest, _)| place(rest))).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.rest.as_ref().map(|(_, amount)| *amount)).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.subject.as_str()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.reason.as_str()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.actor.as_str()).collect::<Vec<_>>())
        .bind(all().map(|transfer| transfer.time.0).collect::<Vec<_>>())
        .bind(balance(|entry| entry.available))
        .bind(balance(|entry| entry.held))
        .bind(balance(|entry| entry.debt))
}

fn bind_events<'q>(statement: Statement<'q>, events: &[Event]) -> Result<Statement<'q>> {
    let bodies = events.iter().map(|event| text(event.body.as_bytes())).collect::<Result<Vec<_>>>()?;
    Ok(statement
        .bind(events.iter().map(|event| id_of(event.owner)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.number as i64).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.time.0).collect::<Vec<_>>())
        .bind(bodies))
}

/// House accounts and tallies.
fn bind_sums<'q>(statement: Statement<'q>, writes: &Writes) -> Statement<'q> {
    let mut sums: BTreeMap<(&str, String), i64> = BTreeMap::new();
    for ((House(name), currency), by) in &writes.house {
        sums.insert((currency.code(), format!("{HOUSE}{name}")), *by);
    }
    for (currency, tally) in &writes.tallies {
        sums.insert((currency.code(), TRANSFERS.to_owned()), i64::try_from(tally.transfers).unwrap_or(i64::MAX));
        sums.insert((currency.code(), OPEN_HOLDS.to_owned()), tally.open_holds);
    }
    statement
        .bind(sums.keys().map(|(currency, _)| *currency).collect::<Vec<_>>())
        .bind(sums.keys().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .bind(sums.values().copied().collect::<Vec<_>>())
}

fn bind_operations<'q>(statement: Statement<'q>, operations: &[(OperationId, StoredOperation)]) -> Statement<'q> {
    // one order for all writers
    let mut sorted: Vec<_> = operations.iter().collect();
    sorted.sort_by_key(|(id, _)| *id);
    let stored = |operation: &StoredOperation| {
        let mut bytes = Vec::new();
        codec::put_operation(&mut bytes, operation);
        bytes
    };
    statement
        .bind(sorted.iter().map(|(id, _)| Uuid::from_bytes(id.0)).collect::<Vec<_>>())
        .bind(sorted.iter().map(|(_, operation)| operation.time.0).collect::<Vec<_>>())
        .bind(sorted.iter().map(|(_, operation)| stored(operation)).collect::<Vec<_>>())
}
