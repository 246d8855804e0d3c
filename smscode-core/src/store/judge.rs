//! The one judge: decides over loaded rows which members of a group are applied, and what is to be written.
//!
//! Pure and synchronous. An adapter asks [`Names::of`] what to load, loads it, calls [`judge_group`] and writes.

use std::collections::{BTreeMap, BTreeSet};

use super::change_set::{Amount, Bucket, ChangeSet, Entry, Expect, House, OperationId, Place, Post, TransferId};
use super::check::check_limits;
use super::limits::{self, OPERATION_HOURS, OWNED_MAX};
use super::{
    CounterKey, Event, Head, Key, Kind, Owner, Receipt, Record, Refusal, Resolved, StatementEntry, StoredOperation,
    Term, Transfer,
};
use crate::money::Currency;
use crate::time::Timestamp;

/// What a group touches, so what an adapter must load (and lock, in this order) before judging.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Operation ids.
    pub operations: BTreeSet<OperationId>,
    /// Records.
    pub records: BTreeSet<Key>,
    /// Whole families of records, for `DeleteOwned`.
    pub owned: BTreeSet<(Kind, Owner)>,
    /// Heads.
    pub heads: BTreeSet<Owner>,
    /// Counters.
    pub counters: BTreeSet<CounterKey>,
    /// Transfer ids.
    pub transfers: BTreeSet<TransferId>,
}

impl Names {
    /// What these ChangeSets touch.
    pub fn of<'a>(group: impl IntoIterator<Item = &'a ChangeSet>) -> Self {
        let mut names = Self::default();
        for change_set in group {
            names.operations.insert(change_set.operation);
            for entry in &change_set.entries {
                names.add(entry);
            }
        }
        names
    }

    /// How many records of each family in [`Names::owned`] are enough for the judge: it counts a family up to its limit,
    /// and earlier members of the group may delete records of it that they name.
    pub fn family_max(&self) -> usize {
        OWNED_MAX + 1 + self.records.len()
    }

    fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } => {
                self.records.insert(key.clone());
            }
            Entry::DeleteOwned { kind, owner } => {
                self.owned.insert((kind.clone(), *owner));
            }
            Entry::Count { counter, .. } => {
                self.counters.insert(counter.clone());
            }
            Entry::Append { owner, .. } => {
                self.heads.insert(*owner);
            }
            Entry::Post(post) => {
                self.transfers.insert(post.id.clone());
                self.heads.extend(customers(post));
            }
        }
    }
}

/// The rows of a group as they are in the store. Absent rows are left out.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Remembered operations.
    pub operations: BTreeMap<OperationId, StoredOperation>,
    /// Records, those of [`Names::owned`] included.
    pub records: BTreeMap<Key, Record>,
    /// Heads.
    pub heads: BTreeMap<Owner, Head>,
    /// Counters.
    pub counters: BTreeMap<CounterKey, i64>,
    /// Which of the transfer ids exist.
    pub transfers: BTreeSet<TransferId>,
}

/// What a judged group changes, each row once with its end value.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Operations to remember.
    pub operations: Vec<(OperationId, StoredOperation)>,
    /// Records that changed; those whose end equals their beginning are left out.
    pub records: BTreeMap<Key, RecordChange>,
    /// Heads.
    pub heads: BTreeMap<Owner, Head>,
    /// Counters.
    pub counters: BTreeMap<CounterKey, i64>,
    /// New transfers, in order.
    pub transfers: Vec<Transfer>,
    /// New events, in order.
    pub events: Vec<Event>,
    /// What is added to house accounts.
    pub house: BTreeMap<(House, Currency), i64>,
    /// What is added to the tallies of [`super::Totals`].
    pub tallies: BTreeMap<Currency, Tally>,
    /// The newest header time in the group: operations older than 48 h before it may be forgotten.
    pub newest: Timestamp,
}

/// A record before and after a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// As it was in the store.
    pub before: Option<Record>,
    /// As it is to be.
    pub after: Option<Record>,
}

impl RecordChange {
    /// The places in indexes that go, and those that come.
    pub fn terms(&self) -> (BTreeSet<&Term>, BTreeSet<&Term>) {
        let (before, after) = (places(self.before.as_ref()), places(self.after.as_ref()));
        (before.difference(&after).copied().collect(), after.difference(&before).copied().collect())
    }
}

fn places(record: Option<&Record>) -> BTreeSet<&Term> {
    record.into_iter().flat_map(|record| &record.terms).collect()
}

/// Counts of transfers of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transfers.
    pub transfers: u64,
    /// Holds less captures and releases.
    pub open_holds: i64,
}

/// Judges each member in turn against the rows, each seeing what the earlier ones changed. The results are in the
/// order of the group. Nothing has been written when this returns.
pub fn judge_group<'a>(
    mut rows: Rows,
    group: impl IntoIterator<Item = &'a ChangeSet>,
) -> (Writes, Vec<Result<Receipt, Refusal>>) {
    let mut writes = Writes::default();
    let results = group.into_iter().map(|change_set| judge(&mut rows, &mut writes, change_set)).collect();
    writes.records.retain(|_, change| change.before != change.after);
    (writes, results)
}

fn judge(rows: &mut Rows, writes: &mut Writes, change_set: &ChangeSet) -> Result<Receipt, Refusal> {
    if let Some(known) = rows.operations.get(&change_set.operation)
        && known.time >= change_set.time.plus_seconds(-OPERATION_HOURS * 3_600)
    {
        if known.fingerprint != change_set.fingerprint {
            return Err(Refusal::OperationReused);
        }
        return Ok(Receipt { replayed: true, ..known.receipt.clone() });
    }
    check_expectations(rows, change_set)?;
    let money = resolve_posts(rows, change_set);
    check_floors(&money)?;
    let counters = resolve_counters(rows, change_set)?;
    check_limits(rows, change_set, money.amounts())?;
    Ok(apply(rows, writes, change_set, money, counters))
}

fn check_expectations(rows: &Rows, change_set: &ChangeSet) -> Result<(), Refusal> {
    let mut wanted: Vec<(&Key, Expect)> = change_set
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Put { key, expect, .. } | Entry::Delete { key, expect } | Entry::Ensure { key, expect } => {
                Some((key, *expect))
            }
            Entry::DeleteOwned { .. } | Entry::Count { .. } | Entry::Post(_) | Entry::Append { .. } => None,
        })
        .collect();
    wanted.sort_by(|a, b| a.0.cmp(b.0));
    for (key, expected) in wanted {
        let found = rows.records.get(key).map(|record| record.version);
        let fine = match expected {
            Expect::Absent => found.is_none(),
            Expect::Version(version) => found == Some(version),
        };
        if !fine {
            return Err(Refusal::Expectation { key: key.clone(), expected, found });
        }
    }
    let mut posts: Vec<&Post> = posts(change_set).collect();
    posts.sort_by(|a, b| a.id.cmp(&b.id));
    // sorted: a twin in the same ChangeSet stands beside it
    let twin = |n: usize, post: &Post| posts.get(n + 1).is_some_and(|next| next.id == post.id);
    let found = posts.iter().enumerate().find(|(n, post)| rows.transfers.contains(&post.id) || twin(*n, post));
    match found.map(|(_, post)| post) {
        Some(post) => Err(Refusal::TransferExists { subject: post.subject.clone() }),
        None => Ok(()),
    }
}

/// What the transfers of a ChangeSet do to heads and house accounts.
#[derive(Default)]
struct MoneyMoves {
    /// Head before and after, per account touched by money.
    heads: BTreeMap<Owner, (Head, Head)>,
    house: BTreeMap<(House, Currency), i64>,
    transfers: Vec<Transfer>,
    resolved: Vec<Resolved>,
    /// Per account, a currency that does not fit.
    misfits: BTreeMap<Owner, (Currency, Currency)>,
}

fn resolve_posts(rows: &Rows, change_set: &ChangeSet) -> MoneyMoves {
    let mut moves = MoneyMoves::default();
    for post in posts(change_set) {
        for owner in customers(post) {
            let before = rows.heads.get(&owner).copied().unwrap_or_default();
            let (_, head) = moves.heads.entry(owner).or_insert((before, before));
            match head.currency {
                Some(has) if has != post.currency => {
                    moves.misfits.entry(owner).or_insert((has, post.currency));
                }
                Some(_) => {}
                None => head.currency = Some(post.currency),
            }
        }
        let (moved, rest) = match &post.amount {
            Amount::Exact(n) => (*n, None),
            Amount::All => (moves.there(&post.debit), None),
            Amount::UpTo(n, rest) => {
                let moved = moves.there(&post.debit).min(*n);
                (moved, Some((rest.clone(), n.saturating_sub(moved))))
            }
        };
        let remainder = rest.as_ref().map_or(0, |(_, n)| *n);
        moves.shift(&post.debit, post.currency, moved.saturating_neg());
        if let Some((place, n)) = &rest {
            moves.shift(place, post.currency, n.saturating_neg());
        }
        moves.shift(&post.credit, post.currency, moved.saturating_add(remainder));
        let entry = moves.statement_entry(post);
        moves.resolved.push(Resolved { moved, rest: remainder, number: entry.map_or(0, |e| e.number) });
        moves.transfers.push(Transfer {
            id: post.id.clone(),
            kind: post.kind,
            subject: post.subject.clone(),
            reason: post.reason.clone(),
            actor: post.actor.clone(),
            debit: post.debit.clone(),
            credit: post.credit.clone(),
            currency: post.currency,
            amount: moved.saturating_add(remainder),
            rest: rest.filter(|(_, n)| *n > 0),
            time: change_set.time,
            entry,
        });
    }
    moves
}

impl MoneyMoves {
    fn there(&self, place: &Place) -> i64 {
        match place {
            Place::Customer(owner, bucket) => self.heads.get(owner).map_or(0, |(_, head)| head.bucket(*bucket)).max(0),
            Place::House(_) => 0, // refused as malformed by the limits
        }
    }

    /// What all transfers move together.
    fn amounts(&self) -> i128 {
        self.transfers.iter().map(|transfer| i128::from(transfer.amount)).sum()
    }

    fn shift(&mut self, place: &Place, currency: Currency, by: i64) {
        match place {
            Place::Customer(owner, bucket) => {
                if let Some((_, head)) = self.heads.get_mut(owner) {
                    let value = head.bucket_mut(*bucket);
                    *value = value.saturating_add(by);
                }
            }
            Place::House(house) => {
                let sum = self.house.entry((house.clone(), currency)).or_insert(0);
                *sum = sum.saturating_add(by);
            }
        }
    }

    fn statement_entry(&mut self, post: &Post) -> Option<StatementEntry> {
        let owner = customers(post).next()?;
        let (_, head) = self.heads.get_mut(&owner)?;
        head.last_transfer += 1;
        Some(StatementEntry {
            owner,
            number: head.last_transfer,
            available: head.available,
            held: head.held,
            debt: head.debt,
        })
    }
}

fn check_floors(moves: &MoneyMoves) -> Result<(), Refusal> {
    for (owner, (before, after)) in &moves.heads {
        if let Some((has, wanted)) = moves.misfits.get(owner) {
            return Err(Refusal::Currency { has: *has, wanted: *wanted });
        }
        for bucket in [Bucket::Available, Bucket::Held, Bucket::Debt] {
            let (now, would_be) = (before.bucket(bucket), after.bucket(bucket));
            let fine = match bucket {
                Bucket::Available | Bucket::Held => (0..=limits::AMOUNT_MAX).contains(&would_be),
                Bucket::Debt => (-limits::AMOUNT_MAX..=0).contains(&would_be),
            };
            if !fine {
                let currency = after.currency.unwrap_or(Currency::Idr);
                return Err(Refusal::Floor { bucket, currency, now, would_be });
            }
        }
    }
    Ok(())
}

/// The end value of each counter, and the value after each entry in list order.
struct Counted {
    ends: BTreeMap<CounterKey, i64>,
    each: Vec<i64>,
}

fn resolve_counters(rows: &Rows, change_set: &ChangeSet) -> Result<Counted, Refusal> {
    let mut counted = Counted { ends: BTreeMap::new(), each: Vec::new() };
    let mut exceeded: BTreeMap<&CounterKey, (i64, i64)> = BTreeMap::new();
    for entry in &change_set.entries {
        let Entry::Count { counter, delta, max } = entry else {
            continue;
        };
        let value =
            counted.ends.entry(counter.clone()).or_insert_with(|| rows.counters.get(counter).copied().unwrap_or(0));
        *value = value.saturating_add(*delta).max(0);
        counted.each.push(*value);
        if let Some(max) = max
            && *delta > 0
            && *value > *max
        {
            exceeded.entry(counter).or_insert((*value, *max));
        }
    }
    match exceeded.into_iter().next() {
        Some((counter, (would_be, max))) => Err(Refusal::Counter { counter: counter.clone(), would_be, max }),
        None => Ok(counted),
    }
}

fn apply(rows: &mut Rows, writes: &mut Writes, change_set: &ChangeSet, moves: MoneyMoves, counted: Counted) -> Receipt {
    // families first: what an explicit entry puts stays
    for entry in &change_set.entries {
        if let Entry::DeleteOwned { kind, owner } = entry {
            let keys: Vec<Key> = owned(rows, kind, *owner).cloned().collect();
            for key in keys {
                set_record(rows, writes, key, None);
            }
        }
    }
    for (owner, (_, head)) in moves.heads {
        rows.heads.insert(owner, head);
        writes.heads.insert(owner, head);
    }
    let events = apply_entries(rows, writes, change_set);
    for (counter, value) in counted.ends {
        rows.counters.insert(counter.clone(), value);
        writes.counters.insert(counter, value);
    }
    for (house, by) in moves.house {
        *writes.house.entry(house).or_insert(0) += by;
    }
    for transfer in moves.transfers {
        let tally = writes.tallies.entry(transfer.currency).or_default();
        tally.transfers += 1;
        tally.open_holds += transfer.kind.opens();
        rows.transfers.insert(transfer.id.clone());
        writes.transfers.push(transfer);
    }
    writes.newest = writes.newest.max(change_set.time);
    let outcome = change_set.outcome.clone();
    let receipt = Receipt { outcome, transfers: moves.resolved, events, counters: counted.each, replayed: false };
    let stored =
        StoredOperation { fingerprint: change_set.fingerprint, time: change_set.time, receipt: receipt.clone() };
    rows.operations.insert(change_set.operation, stored.clone());
    writes.operations.push((change_set.operation, stored));
    receipt
}

/// Writes records and events; the numbers that the events got.
fn apply_entries(rows: &mut Rows, writes: &mut Writes, change_set: &ChangeSet) -> Vec<u64> {
    let mut events = Vec::new();
    for entry in &change_set.entries {
        match entry {
            Entry::Put { key, version, body, terms, .. } => {
                let record = Record { version: *version, body: body.clone(), terms: terms.clone() };
                set_record(rows, writes, key.clone(), Some(record));
            }
            Entry::Delete { key, .. } => set_record(rows, writes, key.clone(), None),
            Entry::Append { owner, body } => {
                let head = rows.heads.entry(*owner).or_default();
                head.last_event += 1;
                writes.heads.insert(*owner, *head);
                events.push(head.last_event);
                let number = head.last_event;
                writes.events.push(Event { owner: *owner, number, body: body.clone(), time: change_set.time });
            }
            Entry::DeleteOwned { .. } | Entry::Ensure { .. } | Entry::Count { .. } | Entry::Post(_) => {}
        }
    }
    events
}

fn set_record(rows: &mut Rows, writes: &mut Writes, key: Key, after: Option<Record>) {
    let before = match &after {
        Some(record) => rows.records.insert(key.clone(), record.clone()),
        None => rows.records.remove(&key),
    };
    writes.records.entry(key).or_insert(RecordChange { before, after: None }).after = after;
}

pub(super) fn owned<'a>(rows: &'a Rows, kind: &Kind, owner: Owner) -> impl Iterator<Item = &'a Key> {
    let (kind, first) = (kind.clone(), Key::owned(kind.clone(), owner, []));
    rows.records.range(first..).map(|(key, _)| key).take_while(move |key| key.kind == kind && key.owner == owner)
}

fn posts(change_set: &ChangeSet) -> impl Iterator<Item = &Post> {
    change_set.entries.iter().filter_map(|entry| match entry {
        Entry::Post(post) => Some(post),
        Entry::Put { .. }
        | Entry::Delete { .. }
        | Entry::DeleteOwned { .. }
        | Entry::Ensure { .. }
        | Entry::Count { .. }
        | Entry::Append { .. } => None,
    })
}

/// The customers of a transfer: one, or none between house accounts.
pub(super) fn customers(post: &Post) -> impl Iterator<Item = Owner> {
    let rest = match &post.amount {
        Amount::UpTo(_, rest) => Some(rest),
        Amount::Exact(_) | Amount::All => None,
    };
    let of = |place: &Place| match place {
        Place::Customer(owner, _) => Some(*owner),
        Place::House(_) => None,
    };
    let mut owners: Vec<Owner> =
        [Some(&post.debit), Some(&post.credit), rest].into_iter().flatten().filter_map(of).collect();
    owners.dedup();
    owners.into_iter()
}
