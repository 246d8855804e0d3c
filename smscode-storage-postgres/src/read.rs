//! Reading rows by key: of a group for the judge, and for the callers of `load`.

use smscode_core::money::Currency;
use smscode_core::store::{
    Body, CounterKey, Head, Key, LoadKey, Names, OperationId, Owner, Record, Rows, Snapshot, StoredOperation,
    TransferId, codec,
};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::connect::Line;
use crate::fault::{Fault, Result, corrupt};

const LOAD: &str = include_str!("sql/load.sql");

/// Keys of every table, as the load statement takes them.
#[derive(Default)]
struct Wanted<'a> {
    records: Vec<&'a Key>,
    heads: Vec<Owner>,
    counters: Vec<&'a CounterKey>,
    transfers: Vec<&'a TransferId>,
    operations: Vec<OperationId>,
    families: Vec<(&'a str, Owner)>,
    /// More rows of a family than the judge counts to.
    family_max: i64,
}

/// A row that was found, with the place of its key in the list of keys.
enum Found {
    Record(usize, Record),
    Head(usize, Head),
    Counter(usize, i64),
    Transfer(usize),
    Operation(usize, StoredOperation),
    Member(usize, Vec<u8>, Record),
}

impl Wanted<'_> {
    async fn find(&self, line: &mut Line) -> Result<Vec<Found>> {
        let query = line
            .query(LOAD)
            .bind(self.records.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>())
            .bind(self.records.iter().map(|key| id_of(key.owner)).collect::<Vec<_>>())
            .bind(self.records.iter().map(|key| key.id.as_slice()).collect::<Vec<_>>())
            .bind(self.heads.iter().map(|owner| id_of(*owner)).collect::<Vec<_>>())
            .bind(self.counters.iter().map(|counter| id_of(counter.owner)).collect::<Vec<_>>())
            .bind(self.counters.iter().map(|counter| counter.name.as_str()).collect::<Vec<_>>())
            .bind(self.counters.iter().map(|counter| counter.period.as_str()).collect::<Vec<_>>())
            .bind(self.transfers.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>())
            .bind(self.operations.iter().map(|id| Uuid::from_bytes(id.0)).collect::<Vec<_>>())
            .bind(self.families.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
            .bind(self.families.iter().map(|(_, owner)| id_of(*owner)).collect::<Vec<_>>())
            .bind(self.family_max);
        let rows = query.fetch_all(line.ready().await?).await?;
        rows.iter().map(found).collect()
    }
}

fn found(row: &PgRow) -> Result<Found> {
    let at = usize::try_from(row.try_get::<i64, _>(1)? - 1).map_err(|_| unreadable("a list"))?;
    Ok(match row.try_get::<i16, _>(0)? {
        1 => Found::Record(at, record(row, 2, 7, 8)?),
        2 => Found::Head(at, head(row, 2, 7)?),
        3 => Found::Counter(at, row.try_get(2)?),
        4 => Found::Transfer(at),
        5 => Found::Operation(at, codec::read_operation(row.try_get(8)?)?),
        _ => Found::Member(at, row.try_get(9)?, record(row, 2, 7, 8)?),
    })
}

/// A record, from the columns of its version, its body and its terms.
pub(crate) fn record(row: &PgRow, version: usize, body: usize, terms: usize) -> Result<Record> {
    Ok(Record {
        version: row.try_get::<i64, _>(version)? as u64,
        body: Body::from_stored(row.try_get::<&str, _>(body)?.as_bytes()),
        terms: codec::read_terms(row.try_get(terms)?)?,
    })
}

/// A head, from five columns beginning with `available`, and that of its currency.
pub(crate) fn head(row: &PgRow, available: usize, currency: usize) -> Result<Head> {
    Ok(Head {
        currency: row.try_get::<Option<&str>, _>(currency)?.map(currency_of).transpose()?,
        available: row.try_get(available)?,
        held: row.try_get(available + 1)?,
        debt: row.try_get(available + 2)?,
        last_transfer: row.try_get::<i64, _>(available + 3)? as u64,
        last_event: row.try_get::<i64, _>(available + 4)? as u64,
    })
}

pub(crate) fn currency_of(code: &str) -> Result<Currency> {
    Currency::ALL.into_iter().find(|currency| currency.code() == code).ok_or_else(|| unreadable("a currency"))
}

pub(crate) fn unreadable(what: &str) -> Fault {
    Fault::Told(corrupt(what))
}

pub(crate) const fn id_of(owner: Owner) -> Uuid {
    Uuid::from_bytes(owner.0)
}

pub(crate) const fn owner_of(id: Uuid) -> Owner {
    Owner(id.into_bytes())
}

/// Whether there can be a row of this name. The server takes no text with U+0000; the judge refuses to write one.
pub(crate) fn can_be(name: &str) -> bool {
    !name.contains('\0')
}

fn can_be_counted(counter: &CounterKey) -> bool {
    can_be(&counter.name) && can_be(&counter.period)
}

/// The rows that a group names.
pub(crate) async fn rows(line: &mut Line, names: &Names) -> Result<Rows> {
    let families: Vec<_> = names.owned.iter().filter(|(kind, _)| can_be(kind.as_str())).collect();
    let wanted = Wanted {
        records: names.records.iter().filter(|key| can_be(key.kind.as_str())).collect(),
        heads: names.heads.iter().copied().collect(),
        counters: names.counters.iter().filter(|counter| can_be_counted(counter)).collect(),
        transfers: names.transfers.iter().collect(),
        operations: names.operations.iter().copied().collect(),
        families: families.iter().map(|(kind, owner)| (kind.as_str(), *owner)).collect(),
        family_max: names.family_max() as i64,
    };
    let mut rows = Rows::default();
    for found in wanted.find(line).await? {
        match found {
            Found::Record(at, record) => drop(rows.records.insert(wanted.records[at].clone(), record)),
            Found::Head(at, head) => drop(rows.heads.insert(wanted.heads[at], head)),
            Found::Counter(at, value) => drop(rows.counters.insert(wanted.counters[at].clone(), value)),
            Found::Transfer(at) => drop(rows.transfers.insert(wanted.transfers[at].clone())),
            Found::Operation(at, stored) => drop(rows.operations.insert(wanted.operations[at], stored)),
            Found::Member(at, id, record) => {
                let (kind, owner) = families[at];
                rows.records.insert(Key::owned(kind.clone(), *owner, id), record);
            }
        }
    }
    Ok(rows)
}

/// What several callers want to see, each in one view, read in one statement.
pub(crate) async fn load(line: &mut Line, callers: &[Vec<LoadKey>]) -> Result<Vec<Snapshot>> {
    let mut wanted = Wanted::default();
    let mut whose: [Vec<usize>; 3] = Default::default();
    for (caller, keys) in callers.iter().enumerate() {
        for key in keys {
            match key {
                LoadKey::Record(key) if can_be(key.kind.as_str()) => {
                    wanted.records.push(key);
                    whose[0].push(caller);
                }
                LoadKey::Head(owner) => {
                    wanted.heads.push(*owner);
                    whose[1].push(caller);
                }
                LoadKey::Counter(counter) if can_be_counted(counter) => {
                    wanted.counters.push(counter);
                    whose[2].push(caller);
                }
                LoadKey::Record(_) | LoadKey::Counter(_) => {}
            }
        }
    }
    let mut snapshots = vec![Snapshot::default(); callers.len()];
    for found in wanted.find(line).await? {
        match found {
            Found::Record(at, record) => snapshots[whose[0][at]].add_record(wanted.records[at].clone(), record),
            Found::Head(at, head) => snapshots[whose[1][at]].add_head(wanted.heads[at], head),
            Found::Counter(at, value) => snapshots[whose[2][at]].add_counter(wanted.counters[at].clone(), value),
            Found::Transfer(_) | Found::Operation(..) | Found::Member(..) => {}
        }
    }
    Ok(snapshots)
}
