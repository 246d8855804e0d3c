//! The reference: the contract once more, written from its text as plainly as possible and without the judge's code.
//!
//! It knows what the generator makes: well-formed ChangeSets within the limits, header times within 48 hours.

use std::collections::{BTreeMap, BTreeSet};

use crate::money::Currency;
use crate::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Entry, Event, Expect, Fingerprint, Head, House, Key, Kind,
    OperationId, Owner, Place, Post, Receipt, Record, Refusal, Resolved, StatementEntry, Term, Transfer, TransferId,
    TransferKind,
};

/// What changes from commit to commit: small, so that it can be kept and taken back.
#[derive(Clone, Default)]
pub(super) struct Now {
    pub(super) records: BTreeMap<Key, Record>,
    pub(super) heads: BTreeMap<Owner, Head>,
    pub(super) counters: BTreeMap<CounterKey, i64>,
    pub(super) house: BTreeMap<(Currency, House), i128>,
    pub(super) transfers: BTreeMap<Currency, u64>,
    pub(super) open_holds: BTreeMap<Currency, i64>,
}

/// What only grows.
#[derive(Default)]
pub(super) struct History {
    operations: BTreeMap<OperationId, (Fingerprint, Receipt)>,
    transfer_ids: BTreeSet<TransferId>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) events: Vec<Event>,
}

/// What one commit adds to the history.
#[derive(Default)]
pub(super) struct Added {
    operation: Option<(OperationId, Fingerprint, Receipt)>,
    transfers: Vec<Transfer>,
    events: Vec<Event>,
}

/// The answer to a ChangeSet, and the state after it if it takes effect.
pub(super) struct Step {
    pub(super) answer: Result<Receipt, Refusal>,
    pub(super) effect: Option<(Now, Added)>,
}

impl History {
    pub(super) fn add(&mut self, added: Added) {
        for transfer in &added.transfers {
            self.transfer_ids.insert(transfer.id.clone());
        }
        self.transfers.extend(added.transfers);
        self.events.extend(added.events);
        if let Some((id, fingerprint, receipt)) = added.operation {
            self.operations.insert(id, (fingerprint, receipt));
        }
    }

    /// Takes the newest commits back, until so many transfers and events are left.
    pub(super) fn forget(&mut self, operation: OperationId, transfers: usize, events: usize) {
        for transfer in self.transfers.drain(transfers..) {
            self.transfer_ids.remove(&transfer.id);
        }
        self.events.truncate(events);
        self.operations.remove(&operation);
    }
}

fn refused(refusal: Refusal) -> Step {
    Step { answer: Err(refusal), effect: None }
}

/// What the contract says of a ChangeSet, rule by rule.
pub(super) fn judge(now: &Now, history: &History, set: &ChangeSet) -> Step {
    // rule 5
    if let Some((fingerprint, receipt)) = history.operations.get(&set.operation) {
        if *fingerprint != set.fingerprint {
            return refused(Refusal::OperationReused);
        }
        let mut receipt = receipt.clone();
        receipt.replayed = true;
        return Step { answer: Ok(receipt), effect: None };
    }
    if let Some(refusal) = unexpected(now, set).or_else(|| taken(history, set)) {
        return refused(refusal);
    }
    let mut next = now.clone();
    let mut added = Added::default();
    let moved = match pay(&mut next, set, &mut added) {
        Ok(moved) => moved,
        Err(refusal) => return refused(refusal),
    };
    let counted = match count(&mut next, set) {
        Ok(counted) => counted,
        Err(refusal) => return refused(refusal),
    };
    write(&mut next, set);
    let receipt = Receipt {
        outcome: set.outcome.clone(),
        transfers: moved,
        events: append(&mut next, set, &mut added),
        counters: counted,
        replayed: false,
    };
    added.operation = Some((set.operation, set.fingerprint, receipt.clone()));
    Step { answer: Ok(receipt), effect: Some((next, added)) }
}

/// Rule 1: the first record, by key, that is not as expected.
fn unexpected(now: &Now, set: &ChangeSet) -> Option<Refusal> {
    let mut failures: Vec<(Key, Expect, Option<u64>)> = Vec::new();
    for entry in &set.entries {
        let (key, expect) = match entry {
            Entry::Put { key, expect, .. } | Entry::Delete { key, expect } | Entry::Ensure { key, expect } => {
                (key, *expect)
            }
            Entry::DeleteOwned { .. } | Entry::Count { .. } | Entry::Post(_) | Entry::Append { .. } => continue,
        };
        let found = now.records.get(key).map(|record| record.version);
        let wanted = match expect {
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        if found != wanted {
            failures.push((key.clone(), expect, found));
        }
    }
    failures.sort_by(|a, b| a.0.cmp(&b.0));
    let (key, expected, found) = failures.into_iter().next()?;
    Some(Refusal::Expectation { key, expected, found })
}

/// Rule 4: a transfer id exists once.
fn taken(history: &History, set: &ChangeSet) -> Option<Refusal> {
    let mut posts: BTreeMap<&TransferId, (&Post, usize)> = BTreeMap::new();
    for post in posts_of(set) {
        posts.entry(&post.id).or_insert((post, 0)).1 += 1;
    }
    let (first, _) = posts.values().find(|(post, times)| *times > 1 || history.transfer_ids.contains(&post.id))?;
    Some(Refusal::TransferExists { subject: first.subject.clone() })
}

fn posts_of(set: &ChangeSet) -> Vec<&Post> {
    let mut posts = Vec::new();
    for entry in &set.entries {
        if let Entry::Post(post) = entry {
            posts.push(post);
        }
    }
    posts
}

fn bucket_of(now: &Now, place: &Place) -> i64 {
    match place {
        Place::Customer(owner, bucket) => {
            let head = now.heads.get(owner).copied().unwrap_or_default();
            match bucket {
                Bucket::Available => head.available,
                Bucket::Held => head.held,
                Bucket::Debt => head.debt,
            }
        }
        Place::House(_) => 0,
    }
}

fn add(now: &mut Now, place: &Place, currency: Currency, n: i64) {
    match place {
        Place::Customer(owner, bucket) => {
            let head = now.heads.entry(*owner).or_default();
            match bucket {
                Bucket::Available => head.available += n,
                Bucket::Held => head.held += n,
                Bucket::Debt => head.debt += n,
            }
        }
        Place::House(house) => *now.house.entry((currency, house.clone())).or_insert(0) += i128::from(n),
    }
}

fn customer_of(post: &Post) -> Option<Owner> {
    for place in [&post.debit, &post.credit] {
        if let Place::Customer(owner, _) = place {
            return Some(*owner);
        }
    }
    None
}

/// Rule 3: transfers in list order, floors on end values, by account.
fn pay(now: &mut Now, set: &ChangeSet, added: &mut Added) -> Result<Vec<Resolved>, Refusal> {
    let before = now.heads.clone();
    let mut touched: BTreeMap<Owner, Option<Refusal>> = BTreeMap::new();
    let mut moved = Vec::new();
    for post in posts_of(set) {
        let customer = customer_of(post);
        if let Some(owner) = customer {
            let head = now.heads.entry(owner).or_default();
            let has = *head.currency.get_or_insert(post.currency);
            let misfit = touched.entry(owner).or_insert(None);
            if has != post.currency && misfit.is_none() {
                *misfit = Some(Refusal::Currency { has, wanted: post.currency });
            }
        }
        let there = bucket_of(now, &post.debit).max(0);
        let (from_debit, rest) = match &post.amount {
            Amount::Exact(n) => (*n, None),
            Amount::All => (there, None),
            Amount::UpTo(n, place) if there >= *n => (*n, Some((place.clone(), 0))),
            Amount::UpTo(n, place) => (there, Some((place.clone(), n - there))),
        };
        let from_rest = rest.as_ref().map_or(0, |(_, n)| *n);
        add(now, &post.debit, post.currency, -from_debit);
        if let Some((place, n)) = &rest {
            add(now, place, post.currency, -n);
        }
        add(now, &post.credit, post.currency, from_debit + from_rest);
        let entry = customer.map(|owner| {
            let head = now.heads.entry(owner).or_default();
            head.last_transfer += 1;
            StatementEntry {
                owner,
                number: head.last_transfer,
                available: head.available,
                held: head.held,
                debt: head.debt,
            }
        });
        moved.push(Resolved { moved: from_debit, rest: from_rest, number: entry.map_or(0, |entry| entry.number) });
        *now.transfers.entry(post.currency).or_insert(0) += 1;
        *now.open_holds.entry(post.currency).or_insert(0) += match post.kind {
            TransferKind::Hold => 1,
            TransferKind::Capture | TransferKind::Release => -1,
            TransferKind::Deposit
            | TransferKind::Forfeit
            | TransferKind::Reverse
            | TransferKind::Adjust
            | TransferKind::Cost => 0,
        };
        added.transfers.push(Transfer {
            id: post.id.clone(),
            kind: post.kind,
            subject: post.subject.clone(),
            reason: post.reason.clone(),
            actor: post.actor.clone(),
            debit: post.debit.clone(),
            credit: post.credit.clone(),
            currency: post.currency,
            amount: from_debit + from_rest,
            rest: rest.filter(|(_, n)| *n != 0),
            time: set.time,
            entry,
        });
    }
    for (owner, misfit) in touched {
        if let Some(refusal) = misfit {
            return Err(refusal);
        }
        floors(before.get(&owner).copied().unwrap_or_default(), now.heads.get(&owner).copied().unwrap_or_default())?;
    }
    Ok(moved)
}

fn floors(before: Head, after: Head) -> Result<(), Refusal> {
    let buckets = [
        (Bucket::Available, before.available, after.available, after.available >= 0),
        (Bucket::Held, before.held, after.held, after.held >= 0),
        (Bucket::Debt, before.debt, after.debt, after.debt <= 0),
    ];
    for (bucket, now, would_be, fine) in buckets {
        if !fine {
            return Err(Refusal::Floor { bucket, currency: after.currency.unwrap_or(Currency::Idr), now, would_be });
        }
    }
    Ok(())
}

/// Counters clip at zero; a cap binds what is added; the first failure by counter.
fn count(now: &mut Now, set: &ChangeSet) -> Result<Vec<i64>, Refusal> {
    let mut values = Vec::new();
    let mut failures: Vec<(CounterKey, i64, i64)> = Vec::new();
    for entry in &set.entries {
        let Entry::Count { counter, delta, max } = entry else {
            continue;
        };
        let value = now.counters.entry(counter.clone()).or_insert(0);
        *value += delta;
        if *value < 0 {
            *value = 0;
        }
        values.push(*value);
        if let Some(max) = max
            && *delta > 0
            && *value > *max
        {
            failures.push((counter.clone(), *value, *max));
        }
    }
    failures.sort_by(|a, b| a.0.cmp(&b.0));
    match failures.into_iter().next() {
        Some((counter, would_be, max)) => Err(Refusal::Counter { counter, would_be, max }),
        None => Ok(values),
    }
}

/// Families go first, so that what the same ChangeSet puts stays.
fn write(now: &mut Now, set: &ChangeSet) {
    for entry in &set.entries {
        if let Entry::DeleteOwned { kind, owner } = entry {
            now.records.retain(|key, _| !(key.kind == *kind && key.owner == *owner));
        }
    }
    for entry in &set.entries {
        match entry {
            Entry::Put { key, version, body, terms, .. } => {
                let record = Record { version: *version, body: body.clone(), terms: terms.clone() };
                now.records.insert(key.clone(), record);
            }
            Entry::Delete { key, .. } => {
                now.records.remove(key);
            }
            Entry::DeleteOwned { .. }
            | Entry::Ensure { .. }
            | Entry::Count { .. }
            | Entry::Post(_)
            | Entry::Append { .. } => {}
        }
    }
}

fn append(now: &mut Now, set: &ChangeSet, added: &mut Added) -> Vec<u64> {
    let mut numbers = Vec::new();
    for entry in &set.entries {
        let Entry::Append { owner, body } = entry else {
            continue;
        };
        let head = now.heads.entry(*owner).or_default();
        head.last_event += 1;
        numbers.push(head.last_event);
        added.events.push(Event { owner: *owner, number: head.last_event, body: body.clone(), time: set.time });
    }
    numbers
}

/// The rows of an index: place, key, version and body, in their order.
pub(super) fn places(now: &Now, index: &Kind) -> Vec<(Vec<u8>, Key, u64, Body)> {
    let mut places = BTreeMap::new();
    for (key, record) in &now.records {
        for Term { index: of, at } in &record.terms {
            if of == index {
                places.insert((at.clone(), key.clone()), (record.version, record.body.clone()));
            }
        }
    }
    places.into_iter().map(|((at, key), (version, body))| (at, key, version, body)).collect()
}
