//! What is in the store, beside what the model holds.

use std::collections::BTreeMap;

use super::super::failure::{Checked, Failure, same, shown};
use super::super::world::list;
use super::generate::{FREE_KIND, INDEXES, OWNED_KINDS, accounts, counters, keys};
use super::reference::{History, Now, places};
use crate::money::Currency;
use crate::store::{
    CounterKey, CurrencyTotals, Event, Head, Index, Key, Kind, LoadKey, Owner, Range, Record, Row, Store, Transfer,
};

/// The records, heads and counters of one moment.
pub(super) struct View {
    records: BTreeMap<Key, Record>,
    heads: BTreeMap<Owner, Head>,
    counters: BTreeMap<CounterKey, i64>,
}

/// Whether two records say the same; the order of their terms says nothing.
fn alike(a: Option<&Record>, b: Option<&Record>) -> bool {
    let sorted = |record: &Record| {
        let mut terms = record.terms.clone();
        terms.sort();
        (record.version, record.body.clone(), terms)
    };
    a.map(sorted) == b.map(sorted)
}

/// Reads every record, head and counter there can be, in one view.
pub(super) async fn view(store: &dyn Store) -> Result<View, Failure> {
    let mut wanted: Vec<LoadKey> = keys().into_iter().map(LoadKey::Record).collect();
    wanted.extend(accounts().into_iter().map(LoadKey::Head));
    wanted.extend(counters().into_iter().map(LoadKey::Counter));
    let snapshot = store.load(&wanted).await?;
    Ok(View {
        records: keys().into_iter().filter_map(|key| Some((key.clone(), snapshot.record(&key)?.clone()))).collect(),
        heads: accounts().into_iter().map(|owner| (owner, snapshot.head(owner))).collect(),
        counters: counters().into_iter().map(|key| (key.clone(), snapshot.counter(&key))).collect(),
    })
}

impl View {
    /// The first row that is not as the model has it.
    pub(super) fn parts_from(&self, now: &Now) -> Option<String> {
        for key in keys() {
            let (found, wanted) = (self.records.get(&key), now.records.get(&key));
            if !alike(found, wanted) {
                return Some(format!("{key:?} is {}, the model says {}", shown(&found), shown(&wanted)));
            }
        }
        for (owner, found) in &self.heads {
            let wanted = now.heads.get(owner).copied().unwrap_or_default();
            if *found != wanted {
                return Some(format!("head {:?} is {found:?}, the model says {wanted:?}", owner.0));
            }
        }
        for (counter, found) in &self.counters {
            let wanted = now.counters.get(counter).copied().unwrap_or(0);
            if *found != wanted {
                return Some(format!("{counter:?} is {found}, the model says {wanted}"));
            }
        }
        None
    }
}

/// Compares every row, list and total of the store with the model, in pages of `limit`.
pub(super) async fn everything(store: &dyn Store, now: &Now, history: &History, limit: usize) -> Checked {
    if let Some(row) = view(store).await?.parts_from(now) {
        return Err(Failure::new(row));
    }
    kinds(store, now, limit).await?;
    terms(store, now, limit).await?;
    let rows = list(store, &Index::Heads, &Range::all(), limit).await?;
    let wanted: Vec<Row> = now.heads.iter().map(|(owner, head)| Row::Head(*owner, *head)).collect();
    same(&rows, &wanted, "heads")?;
    for owner in accounts() {
        let of = |transfer: &Transfer| transfer.entry.is_some_and(|entry| entry.owner == owner);
        // a full page is enough here: the page sizes were tried above
        let rows = list(store, &Index::Transfers(owner), &Range::all(), 1_000).await?;
        let wanted: Vec<Row> = history.transfers.iter().filter(|t| of(t)).cloned().map(Row::Transfer).collect();
        rows_alike(&rows, &wanted, "transfers")?;
        let of = |event: &Event| event.owner == owner;
        let rows = list(store, &Index::Events(owner), &Range::all(), 1_000).await?;
        let wanted: Vec<Row> = history.events.iter().filter(|e| of(e)).cloned().map(Row::Event).collect();
        rows_alike(&rows, &wanted, "events")?;
    }
    totals(store, now).await
}

/// Checks long lists row by row, so that the failure names the row.
fn rows_alike(found: &[Row], wanted: &[Row], what: &str) -> Checked {
    for (n, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        same(found, wanted, &format!("{what}, row {n}"))?;
    }
    same(&found.len(), &wanted.len(), &format!("number of {what}"))
}

async fn kinds(store: &dyn Store, now: &Now, limit: usize) -> Checked {
    for kind in OWNED_KINDS.iter().chain([&FREE_KIND]) {
        let rows = list(store, &Index::Kind(Kind::of(kind)), &Range::all(), limit).await?;
        let wanted: Vec<_> = now.records.iter().filter(|(key, _)| key.kind.as_str() == *kind).collect();
        same(&rows.len(), &wanted.len(), &format!("records of {kind}"))?;
        for (row, (key, record)) in rows.iter().zip(wanted) {
            let fine = matches!(row, Row::Record { key: found, record: is, .. } if found == key && alike(Some(is), Some(record)));
            if !fine {
                return Err(Failure::new(format!("in the list of {kind}: {}, the model has {key:?}", shown(row))));
            }
        }
    }
    Ok(())
}

async fn terms(store: &dyn Store, now: &Now, limit: usize) -> Checked {
    for index in INDEXES {
        let rows = list(store, &Index::Term(Kind::of(index)), &Range::all(), limit).await?;
        let found: Vec<_> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Record { position, key, record } => Some((position, key, record.version, record.body)),
                Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
            })
            .collect();
        same(&found, &places(now, &Kind::of(index)), &format!("places in {index}"))?;
    }
    Ok(())
}

async fn totals(store: &dyn Store, now: &Now) -> Checked {
    let found = store.totals().await?;
    for currency in Currency::ALL {
        let mut wanted = CurrencyTotals::default();
        for head in now.heads.values().filter(|head| head.currency == Some(currency)) {
            wanted.available += i128::from(head.available);
            wanted.held += i128::from(head.held);
            wanted.debt += i128::from(head.debt);
        }
        for ((of, house), sum) in &now.house {
            if *of == currency {
                wanted.house.insert(house.clone(), *sum);
            }
        }
        wanted.transfers = now.transfers.get(&currency).copied().unwrap_or(0);
        wanted.open_holds = now.open_holds.get(&currency).copied().unwrap_or(0).unsigned_abs();
        let mut line = found.currencies.get(&currency).cloned().unwrap_or_default();
        // whether a house account without money has a line says nothing
        line.house.retain(|_, sum| *sum != 0);
        wanted.house.retain(|_, sum| *sum != 0);
        same(&line, &wanted, &format!("totals in {currency}"))?;
        same(&line.sum(), &0, "the sum of all accounts")?;
    }
    Ok(())
}
