//! The books of the store against the shadow: now and then, and at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use smscode_core::order::decide::State;
use smscode_core::order::record::{BY_DUE, BY_EPOCH, BY_SUPPLIER, OPEN_ORDERS, ORDER, OrderRecord, read_order_key};
use smscode_core::store::{CounterKey, Cursor, Head, Index, LoadKey, Owner, Range, Row, Store, StoreError};

use super::Watch;
use crate::world::{World, lock, wait_for};

const PAGE: usize = 1_000;

/// Everything of an index.
fn all(store: &Arc<dyn Store>, index: &Index) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = wait_for(store.scan(index, &Range::all(), after.as_ref(), PAGE))?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(rows),
        }
    }
}

/// Compares the store with the shadow; with `statements`, every account's transfers and events too.
pub(crate) fn full_check(world: &Arc<World>, statements: bool) {
    let now = world.timeline.now_us();
    let mut watch = lock(&world.watch);
    let found = books(&watch, &world.store)
        .and_then(|wrong| match (wrong, statements) {
            (None, true) => match watch.supplier_side(world) {
                Some(wrong) => Ok(Some((None, wrong))),
                None => lines(&watch, &world.store),
            },
            (wrong, _) => Ok(wrong),
        })
        .unwrap_or_else(|error| Some((None, format!("the store cannot be read: {error}"))));
    if let Some((owner, what)) = found {
        watch.fail(now, owner, what);
    }
}

type Wrong = Option<(Option<Owner>, String)>;

fn books(watch: &Watch, store: &Arc<dyn Store>) -> Result<Wrong, StoreError> {
    let totals = wait_for(store.totals())?;
    for (currency, line) in &totals.currencies {
        if line.sum() != 0 {
            return Ok(Some((None, format!("all accounts of {currency} add up to {}", line.sum()))));
        }
        for (house, amount) in &line.house {
            let known = watch.houses.get(&(house.clone(), *currency)).copied().unwrap_or(0);
            if known != *amount {
                return Ok(Some((None, format!("{house:?} has {amount} {currency} and was moved {known}"))));
            }
        }
    }
    let holding = watch.orders.values().filter(|life| life.closed.is_none()).count() as u64;
    let counted: u64 = totals.currencies.values().map(|line| line.open_holds).sum();
    if counted != holding {
        return Ok(Some((None, format!("the store counts {counted} open holds, {holding} orders hold"))));
    }
    for row in all(store, &Index::Heads)? {
        let Row::Head(owner, head) = row else { continue };
        let purse = watch.purses.get(&owner).copied().unwrap_or_default();
        let shadow = Head {
            currency: head.currency,
            available: purse.available,
            held: purse.held,
            debt: purse.debt,
            last_transfer: purse.transfers,
            last_event: purse.events,
        };
        if shadow != head {
            return Ok(Some((Some(owner), format!("an account has {head:?} and was moved {shadow:?}"))));
        }
    }
    match counters(watch, store)? {
        None => indexes(watch, store),
        wrong => Ok(wrong),
    }
}

/// The cap on open orders counts the open orders.
fn counters(watch: &Watch, store: &Arc<dyn Store>) -> Result<Wrong, StoreError> {
    for owner in watch.purses.keys() {
        let counter = CounterKey::of(*owner, OPEN_ORDERS);
        let counted = wait_for(store.load(&[LoadKey::Counter(counter.clone())]))?.counter(&counter);
        let open = watch.open.iter().filter(|id| watch.orders.get(id).is_some_and(|life| life.owner == *owner));
        let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
        if counted != open {
            return Ok(Some((Some(*owner), format!("an account has {open} open orders and the cap counts {counted}"))));
        }
    }
    Ok(None)
}

/// What has ended stands in no index that leads to it.
fn indexes(watch: &Watch, store: &Arc<dyn Store>) -> Result<Wrong, StoreError> {
    for index in [BY_DUE, BY_EPOCH, BY_SUPPLIER] {
        for row in all(store, &Index::Term(index.clone()))? {
            let Row::Record { key, .. } = row else { continue };
            let Some((_, id)) = read_order_key(&key) else { continue };
            if !watch.open.contains(&id) {
                return Ok(Some((Some(key.owner), format!("{id:?} has ended and stands in {index:?}"))));
            }
        }
    }
    Ok(None)
}

fn lines(watch: &Watch, store: &Arc<dyn Store>) -> Result<Wrong, StoreError> {
    let mut found: BTreeMap<_, State> = BTreeMap::new();
    for row in all(store, &Index::Kind(ORDER))? {
        let Row::Record { key, record, .. } = row else { continue };
        let Some((_, id)) = read_order_key(&key) else { continue };
        let Ok(record) = serde_json::from_slice::<OrderRecord>(record.body.as_bytes()) else { continue };
        found.insert(id, record.state);
    }
    let known: BTreeMap<_, State> = watch.orders.iter().map(|(id, life)| (*id, life.state)).collect();
    if found != known {
        return Ok(Some((None, format!("the store has {} orders, {} were placed", found.len(), known.len()))));
    }
    for (owner, purse) in &watch.purses {
        let (mut number, mut before) = (0, Head::default());
        for row in all(store, &Index::Transfers(*owner))? {
            let Row::Transfer(transfer) = row else { continue };
            let Some(entry) = transfer.entry else { continue };
            number += 1;
            let sums = entry.available + entry.held + entry.debt - before.available - before.held - before.debt;
            if entry.number != number || sums.abs() > transfer.amount {
                return Ok(Some((
                    Some(*owner),
                    format!("line {number} of a statement does not follow the one before"),
                )));
            }
            before = Head { available: entry.available, held: entry.held, debt: entry.debt, ..before };
        }
        if number != purse.transfers || before.available != purse.available || before.held != purse.held {
            return Ok(Some((Some(*owner), "a statement does not end in what the account has".into())));
        }
        let events = all(store, &Index::Events(*owner))?.len() as u64;
        if events != purse.events {
            return Ok(Some((Some(*owner), format!("{events} events are stored, {} were appended", purse.events))));
        }
    }
    Ok(None)
}
