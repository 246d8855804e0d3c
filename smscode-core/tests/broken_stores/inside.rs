//! Faults inside an adapter: what it loads, writes, lists and locks. The adapter is a small one over an ordered map, with
//! two nodes on the same map, each with a queue of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Fixture};
use smscode_core::store::codec::{Unreadable, keys};
use smscode_core::store::ordered::{self, Change, Table, View};
use smscode_core::store::{
    ChangeSet, CommitQueue, Cursor, Effect, Entry, Expect, Head, Index, Key, Kind, LoadKey, Names, OperationId, Owner,
    Page, Pending, Range, Receipt, Refusal, Rows, Snapshot, Store, StoreError, StoreInfo, StoredOperation, Totals,
    Writes, check_load, judge_group, let_others_run,
};
use smscode_core::time::Timestamp;

faults! {
    /// Nothing: the adapter is sound.
    None,
    /// Caps are judged by a statement before the money.
    CountersBeforeFloors,
    /// Expectations are judged in the order of the entries.
    ExpectationsAsListed,
    /// An operation id is written first, and stays though the ChangeSet is refused.
    RefusedIdStays,
    /// `DeleteOwned` removes the records and forgets their terms; a join hides them until a record comes back.
    FamilyTermsStay,
    /// Every transfer is judged against the floors by itself.
    FloorsPerLeg,
    /// Lines of a statement show the balances after the whole ChangeSet.
    StatementShowsEnd,
    /// Two commits on one account of one group conflict.
    AccountsConflict,
    /// Transfers between house accounts have no statement, and their ids are forgotten.
    HouseIdsForgotten,
    /// Operation ids are kept for a day.
    IdsKeptOneDay,
    /// Operation ids are kept for ever.
    IdsKeptForEver,
    /// Operation ids are written with the next group: a retry is applied again.
    RetryIsNew,
    /// Scans read a replica that is one commit behind.
    ScanMissesFinished,
    /// House accounts and heads are summed in two views.
    TotalsInTwoViews,
    /// Families are loaded up to the size of a page.
    FamilyCutAt1000,
    /// Loads of any size are taken.
    LoadWithoutLimit,
    /// Times are kept in milliseconds.
    TimesInMilliseconds,
    /// Of a group, the sums of one house account are folded and the others forgotten.
    FoldForgets,
    /// All of a group are answered, half of it is written.
    HalfAGroup,
    /// One that is refused ends the transaction of all.
    OneFailsAll,
    /// Each node knows the operation ids of its own commits.
    IdsPerNode,
    /// A node keeps the heads that it has loaded or written.
    NodeCaches,
    /// A node judges what it has loaded while the other writes.
    NodesJudgeApart,
    /// Rows are locked in the order of the entries.
    LocksAsListed,
    /// Records of kinds that the adapter does not know are not written.
    KnownKindsOnly,
}

type Result<T, E = Unreadable> = std::result::Result<T, E>;

#[derive(Clone, Default)]
struct Map(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl View for Map {
    type Error = Unreadable;

    fn get<T>(&self, table: Table, key: &[u8], read: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        self.0.get(&(table, key.to_vec())).map(|value| read(value)).transpose()
    }

    fn walk(
        &self,
        table: Table,
        from: Bound<&[u8]>,
        until: Bound<&[u8]>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let first = match from {
            Bound::Included(key) | Bound::Excluded(key) => key.to_vec(),
            Bound::Unbounded => Vec::new(),
        };
        let rows = self.0.range((table, first)..).take_while(|((of, _), _)| *of == table);
        for ((_, key), value) in rows {
            if !RangeBounds::<[u8]>::contains(&(Bound::Unbounded, until), key.as_slice()) {
                break;
            }
            if !RangeBounds::<[u8]>::contains(&(from, Bound::Unbounded), key.as_slice()) {
                continue;
            }
            // as a join does: a term without its record is not seen
            let hidden = table == Table::Terms
                && keys::read_term(key)
                    .is_ok_and(|(_, record)| !self.0.contains_key(&(Table::Records, record.to_vec())));
            if !hidden && each(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Map {
    fn apply(&mut self, changes: Vec<Change>) {
        for Change { table, key, value } in changes {
            match value {
                Some(value) => self.0.insert((table, key), value),
                None => self.0.remove(&(table, key)),
            };
        }
    }
}

/// What the nodes share.
#[derive(Default)]
struct Shared {
    map: Mutex<Map>,
    /// The map before the newest group.
    behind: Mutex<Map>,
    /// Operation ids still to be written.
    late: Mutex<Vec<Change>>,
    locked: Mutex<BTreeSet<Key>>,
}

struct Node {
    fault: Fault,
    group_max: usize,
    queue: CommitQueue,
    shared: Arc<Shared>,
    own: Mutex<Own>,
}

/// What a node knows by itself.
#[derive(Default)]
struct Own {
    operations: BTreeSet<OperationId>,
    heads: BTreeMap<Owner, Head>,
    busy: BTreeSet<Owner>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn corrupt(what: Unreadable) -> StoreError {
    what.in_store("broken")
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: "broken", effect: Effect::No, reason: reason.into() }
}

type Results = Vec<Result<Receipt, Refusal>>;

impl Node {
    fn new(fault: Fault, group_max: usize, shared: Arc<Shared>) -> Self {
        Self { fault, group_max, queue: CommitQueue::new("broken", 10_000), shared, own: Mutex::default() }
    }

    /// One of the callers commits for all that wait; who leaves half way takes nobody's answer along.
    async fn commit_waiting(&self) {
        loop {
            let group = self.queue.take(self.group_max);
            if group.is_empty() {
                return;
            }
            match self.fault {
                Fault::LocksAsListed => self.commit_locked(group).await,
                Fault::NodesJudgeApart => {
                    let sets: Vec<_> = group.iter().map(|pending| pending.change_set.clone()).collect();
                    let rows = ordered::rows(&*held(&self.shared.map), &Names::of(sets.iter().map(|set| &**set)));
                    let_others_run().await;
                    self.answer(group, rows);
                }
                _ => self.answer(group, Err(Unreadable("nothing loaded before"))),
            }
        }
    }

    /// Loads, judges, writes and answers, all while the map is held; `before` is what was loaded earlier, if it was.
    fn answer(&self, group: Vec<Pending>, before: Result<Rows>) {
        let sets: Vec<&ChangeSet> = group.iter().map(|pending| &*pending.change_set).collect();
        let mut map = held(&self.shared.map);
        let rows = before.or_else(|_| ordered::rows(&*map, &Names::of(sets.iter().copied())));
        let results = rows.and_then(|rows| self.commit_group(&mut map, rows, &sets)).map_err(corrupt);
        drop(map);
        let failed = results.as_ref().is_ok_and(|results| results.iter().any(Result::is_err));
        if self.fault == Fault::OneFailsAll && group.len() > 1 && failed {
            return Pending::answer_all(group, Err(unavailable("the transaction was ended")));
        }
        Pending::answer_all(group, results);
    }

    fn commit_group(&self, map: &mut Map, rows: Rows, sets: &[&ChangeSet]) -> Result<Results> {
        let rows = self.spoiled_rows(rows, sets);
        let refused: Vec<Option<Refusal>> = sets.iter().map(|set| self.judged_before(&rows, set)).collect();
        let fit = sets.iter().zip(&refused).filter(|(_, refused)| refused.is_none()).map(|(set, _)| *set);
        let (mut writes, judged) = judge_group(rows.clone(), fit);
        if self.fault == Fault::HalfAGroup {
            let half = sets.len().div_ceil(2);
            writes = judge_group(rows, sets[..half].iter().copied()).0;
        }
        let mut judged = judged.into_iter();
        let mut next = || judged.next().unwrap_or(Err(Refusal::Malformed("nothing was judged")));
        let results: Results = refused.into_iter().map(|refused| refused.map_or_else(&mut next, Err)).collect();
        self.spoil_writes(&mut writes, sets, &results);
        {
            let mut own = held(&self.own);
            own.operations.extend(writes.operations.iter().map(|(id, _)| *id));
            own.heads.extend(&writes.heads);
        }
        let changes = self.spoiled_changes(ordered::changes(map, &writes)?, &writes, sets);
        if self.fault == Fault::ScanMissesFinished && !changes.is_empty() {
            held(&self.shared.behind).clone_from(map);
        }
        map.apply(changes);
        Ok(results)
    }

    fn spoiled_rows(&self, mut rows: Rows, sets: &[&ChangeSet]) -> Rows {
        match self.fault {
            Fault::IdsKeptOneDay => {
                let newest = sets.iter().map(|set| set.time).max().unwrap_or_default();
                rows.operations.retain(|_, known| known.time >= newest.plus_seconds(-24 * 3_600));
            }
            Fault::FamilyCutAt1000 => {
                let names = Names::of(sets.iter().copied());
                for (kind, owner) in &names.owned {
                    let mut left = 1_000;
                    rows.records.retain(|key, _| {
                        let family = key.kind == *kind && key.owner == *owner && !names.records.contains(key);
                        left -= usize::from(family && left > 0);
                        !family || left > 0
                    });
                }
            }
            Fault::IdsPerNode => rows.operations.retain(|id, _| held(&self.own).operations.contains(id)),
            _ => {}
        }
        rows
    }

    /// What a statement of its own refuses before the judge is asked.
    fn judged_before(&self, rows: &Rows, set: &ChangeSet) -> Option<Refusal> {
        if set.entries.len() > 100 {
            return None; // the cases that see these faults are small, and judging entry by entry is slow
        }
        let judge = |keep: &mut dyn FnMut(&Entry) -> bool| {
            let mut part = set.clone();
            part.entries.retain(|entry| keep(entry));
            judge_group(rows.clone(), [&part]).1.pop().and_then(Result::err)
        };
        match self.fault {
            Fault::CountersBeforeFloors => judge(&mut |entry| matches!(entry, Entry::Count { .. })),
            Fault::ExpectationsAsListed => set.entries.iter().find_map(|entry| {
                let expects = matches!(entry, Entry::Put { .. } | Entry::Delete { .. } | Entry::Ensure { .. });
                let mut one = set.clone();
                one.entries = vec![entry.clone()];
                let refused = judge_group(rows.clone(), [&one]).1.pop().and_then(Result::err);
                refused.filter(|refused| expects && matches!(refused, Refusal::Expectation { .. }))
            }),
            Fault::FloorsPerLeg => {
                let posts = set.entries.iter().filter(|entry| matches!(entry, Entry::Post(_))).count();
                (1..=posts).find_map(|legs| {
                    let mut left = legs;
                    let refused = judge(&mut |entry| {
                        let leg = matches!(entry, Entry::Post(_)) && left > 0;
                        left -= usize::from(leg);
                        leg
                    });
                    refused.filter(|refused| matches!(refused, Refusal::Floor { .. }))
                })
            }
            Fault::AccountsConflict => {
                let busy = &mut held(&self.own).busy;
                let conflict = Names::of([set]).heads.into_iter().find(|owner| !busy.insert(*owner));
                conflict.map(|owner| Refusal::Expectation {
                    key: Key::owned(Kind::of("account"), owner, []),
                    expected: Expect::Version(1),
                    found: Some(2),
                })
            }
            _ => None,
        }
    }

    fn spoil_writes(&self, writes: &mut Writes, sets: &[&ChangeSet], results: &Results) {
        match self.fault {
            Fault::AccountsConflict => held(&self.own).busy.clear(),
            Fault::RefusedIdStays => {
                for (set, result) in sets.iter().zip(results) {
                    if !matches!(result, Ok(_) | Err(Refusal::OperationReused)) {
                        writes.operations.push((set.operation, nothing_done(set)));
                    }
                }
            }
            Fault::StatementShowsEnd => {
                for entry in writes.transfers.iter_mut().filter_map(|transfer| transfer.entry.as_mut()) {
                    let end = writes.heads.get(&entry.owner).copied().unwrap_or_default();
                    (entry.available, entry.held, entry.debt) = (end.available, end.held, end.debt);
                }
            }
            Fault::TimesInMilliseconds => {
                let cut = |time: &mut Timestamp| time.0 -= time.0.rem_euclid(1_000);
                writes.events.iter_mut().for_each(|event| cut(&mut event.time));
                writes.transfers.iter_mut().for_each(|transfer| cut(&mut transfer.time));
            }
            Fault::FoldForgets => {
                while writes.house.len() > 1 {
                    writes.house.pop_last();
                }
            }
            _ => {}
        }
    }

    fn spoiled_changes(&self, mut changes: Vec<Change>, writes: &Writes, sets: &[&ChangeSet]) -> Vec<Change> {
        match self.fault {
            Fault::FamilyTermsStay => {
                let named = Names::of(sets.iter().copied()).records;
                let gone = writes.records.iter().filter(|(key, change)| change.after.is_none() && !named.contains(key));
                let gone: Vec<Vec<u8>> = gone.map(|(key, _)| keys::record(key)).collect();
                changes.retain(|change| {
                    let of = |record: &[u8]| gone.iter().any(|key| key == record);
                    change.table != Table::Terms || !keys::read_term(&change.key).is_ok_and(|(_, record)| of(record))
                });
            }
            Fault::HouseIdsForgotten => changes
                .retain(|change| change.table != Table::TransferIds || change.value.as_ref().is_none_or(Vec::is_empty)),
            Fault::IdsKeptForEver => {
                changes.retain(|change| change.table != Table::Operations || change.value.is_some());
            }
            Fault::RetryIsNew => {
                let (ids, rest) = changes.into_iter().partition(|change| change.table == Table::Operations);
                changes = std::mem::replace(&mut *held(&self.shared.late), ids);
                changes.extend::<Vec<Change>>(rest);
            }
            Fault::KnownKindsOnly => changes.retain(|change| {
                let known = |key: Key| ["order", "session", "claim", "thing", "gate"].contains(&key.kind.as_str());
                change.table != Table::Records || keys::read_record(&change.key).is_ok_and(known)
            }),
            _ => {}
        }
        changes
    }

    /// Locks what a group names, one row after another, and gives up when it has waited long.
    async fn commit_locked(&self, group: Vec<Pending>) {
        let entries = group.iter().flat_map(|pending| &pending.change_set.entries);
        let named = entries.flat_map(|entry| {
            let mut alone = ChangeSet::new(OperationId([0; 16]), Timestamp::EPOCH);
            alone.push(entry.clone());
            let names = Names::of([&alone]);
            let heads = names.heads.into_iter().map(|owner| Key::owned(Kind::of("head"), owner, []));
            names.records.into_iter().chain(heads).collect::<Vec<_>>()
        });
        let mut locks = Locks { shared: &self.shared, held: BTreeSet::new() };
        for key in named.collect::<Vec<_>>() {
            if !locks.take(&key).await {
                return Pending::answer_all(group, Err(unavailable("deadlock detected")));
            }
        }
        self.answer(group, Err(Unreadable("nothing loaded before")));
    }
}

/// Locks of one transaction, given back when it ends.
struct Locks<'a> {
    shared: &'a Shared,
    held: BTreeSet<Key>,
}

impl Locks<'_> {
    async fn take(&mut self, key: &Key) -> bool {
        for _ in 0..50 {
            if self.held.contains(key) || held(&self.shared.locked).insert(key.clone()) {
                self.held.insert(key.clone());
                let_others_run().await; // a trip to the database
                return true;
            }
            let_others_run().await;
        }
        false
    }
}

impl Drop for Locks<'_> {
    fn drop(&mut self) {
        held(&self.shared.locked).retain(|key| !self.held.contains(key));
    }
}

fn nothing_done(set: &ChangeSet) -> StoredOperation {
    let receipt = Receipt {
        outcome: set.outcome.clone(),
        transfers: Vec::new(),
        events: Vec::new(),
        counters: Vec::new(),
        replayed: false,
    };
    StoredOperation { fingerprint: set.fingerprint, time: set.time, receipt }
}

#[async_trait]
impl Store for Node {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        Ok(StoreInfo { name: "broken", format: 1, durable: false, shared: true, group_max: self.group_max })
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        if self.fault != Fault::LoadWithoutLimit {
            check_load(keys)?;
        }
        let mut found = ordered::load(&*held(&self.shared.map), keys).map_err(corrupt)?;
        for key in keys {
            if let LoadKey::Head(owner) = key
                && self.fault == Fault::NodeCaches
            {
                let now = found.head(*owner);
                found.add_head(*owner, *held(&self.own).heads.entry(*owner).or_insert(now));
            }
        }
        Ok(found)
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        let lead = async {
            let_others_run().await;
            self.commit_waiting().await;
        };
        self.queue.submit(change_set, lead).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let map = if self.fault == Fault::ScanMissesFinished { &self.shared.behind } else { &self.shared.map };
        ordered::scan(&*held(map), index, range, after, limit).map_err(corrupt)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        if self.fault != Fault::TotalsInTwoViews {
            return ordered::totals(&*held(&self.shared.map)).map_err(corrupt);
        }
        let mut totals = ordered::sums(&*held(&self.shared.map)).map_err(corrupt)?;
        let_others_run().await;
        ordered::add_heads(&*held(&self.shared.map), &mut totals, None).map_err(corrupt)?;
        Ok(totals)
    }
}

/// Two nodes of an adapter with the fault of that number.
pub(super) struct Faulty<const FAULT: usize>([Arc<Node>; 2]);

#[async_trait]
impl<const FAULT: usize> Fixture for Faulty<FAULT> {
    async fn open(group_max: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let node = || Arc::new(Node::new(Fault::ALL[FAULT], group_max, shared.clone()));
        Self([node(), node()])
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0[0].clone()
    }

    async fn reopen(self) -> Result<Self, StoreError> {
        Ok(self)
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        let map = held(&self.0[0].shared.map);
        map.0.iter().flat_map(|((_, key), value)| [key.as_slice(), value, b"\n"].concat()).collect()
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        Some(self.0[1].clone())
    }

    fn excuses() -> &'static [Excuse] {
        &[]
    }
}
