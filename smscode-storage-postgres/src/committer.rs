//! Committing groups: a task of its own for each share of the accounts, so that no caller who goes away leaves a
//! transaction half done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use smscode_core::store::{
    ChangeSet, CommitQueue, Effect, Entry, Key, Names, Pending, Receipt, Refusal, Rows, Writes, judge_group, limits,
};
use smscode_core::time::Timestamp;

use crate::connect::Line;
use crate::fault::{Fault, Result};
use crate::read::{self, id_of};
use crate::wake::Herald;
use crate::within;
use crate::write::Batch;

/// How often a group is run before its members are tried one by one, and then each of them: the rule is three times.
const TRIES: u32 = 3;
/// How often one member alone is run.
const TRIES_ALONE: u32 = 12;
/// Old operations are looked for once in so much header time, or again when there were many.
const FORGET_EVERY_MS: i64 = 1_000;

/// What committers have done since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    /// Groups that were run again: another writer was faster, or the connection was lost.
    pub(crate) repeats: AtomicU64,
}

pub(crate) struct Committer {
    pub(crate) line: Line,
    pub(crate) queue: Arc<CommitQueue>,
    pub(crate) group_max: usize,
    pub(crate) limit: Duration,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) herald: Herald,
    pub(crate) forget_after: Timestamp,
}

/// What came of a group: an answer for each member.
type Answers = Vec<std::result::Result<Receipt, Refusal>>;

impl Committer {
    /// Commits groups until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        while let Some(group) = self.queue.take_when_filled(self.group_max).await {
            let sets: Vec<Arc<ChangeSet>> = group.iter().map(|pending| pending.change_set.clone()).collect();
            let mut effect = Effect::No;
            match self.commit(&sets, TRIES, &mut effect).await {
                // one of them may be what keeps the others from going through
                Err(_) if group.len() > 1 && self.line.is_up() => self.one_by_one(group, effect).await,
                answers => Pending::answer_all(group, answers.map_err(|fault| fault.tell(effect))),
            }
        }
        self.line.close().await;
    }

    /// Commits each member of a group alone. `effect` is what is known of the group.
    async fn one_by_one(&mut self, group: Vec<Pending>, effect: Effect) {
        let mut group = group.into_iter();
        while let Some(pending) = group.next() {
            let mut its_own = effect;
            let answers = self.commit(std::slice::from_ref(&pending.change_set), TRIES_ALONE, &mut its_own).await;
            if let (Err(fault), false) = (&answers, self.line.is_up()) {
                // a server that has gone is not waited for once for each
                Pending::answer_all(group.by_ref().collect(), Err(fault.clone().tell(effect)));
            }
            Pending::answer_all(vec![pending], answers.map_err(|fault| fault.tell(its_own)));
        }
    }

    /// Runs a group until it goes through. A lost answer is no end: on a new connection the operation ids tell what took
    /// effect. Only if there is no new connection, nobody knows: `effect` is what is known of all tries, those before
    /// included.
    async fn commit(&mut self, group: &[Arc<ChangeSet>], tries: u32, effect: &mut Effect) -> Result<Answers> {
        let mut last = Fault::Conflict;
        for attempt in 0..tries {
            if attempt > 0 {
                self.tallies.repeats.fetch_add(1, Ordering::Relaxed);
            }
            let mut its_own = Effect::No;
            let (limit, locks) = (self.limit, attempt > 0);
            let tried = within(limit, self.attempt(group, locks, &mut its_own)).await;
            *effect = later(*effect, its_own);
            match tried {
                Ok(answers) => return Ok(answers),
                Err(fault) => last = fault,
            }
            if last.ends_connection() {
                self.line.hang_up();
            } else {
                self.line.roll_back().await;
            }
            if !last.may_pass() {
                break;
            }
        }
        Err(last)
    }

    /// Loads, judges and writes a group once. `locks` takes every row first, for a group that was overtaken before; else
    /// there are two round trips and no transaction that stays open between them. `effect` is `Unknown` from the moment
    /// at which the server may have made it durable.
    async fn attempt(&mut self, group: &[Arc<ChangeSet>], locks: bool, effect: &mut Effect) -> Result<Answers> {
        let names = Names::of(group.iter().map(|set| &**set));
        if locks || self.line.pooled() {
            self.line.begin().await?;
        }
        if locks {
            lock(&mut self.line, &names).await?;
        }
        let mut judged = Judged::of(group, read::rows(&mut self.line, &names).await?);
        if !judged.absent.is_empty() {
            // rows that are not there cannot be locked: they are reserved, and all is looked at again
            self.line.begin().await?;
            reserve(&mut self.line, &judged.absent).await?;
            let again = Judged::of(group, read::rows(&mut self.line, &names).await?);
            if !again.absent.is_subset(&judged.absent) {
                return Err(Fault::Conflict);
            }
            judged = again;
        }
        let written = self.write(&judged, effect).await;
        if written.as_ref().is_err_and(Fault::is_refusal) {
            *effect = Effect::No;
        }
        written?;
        self.done(&judged.writes);
        Ok(judged.answers)
    }

    /// Writes what was judged, and commits what is open.
    async fn write(&mut self, judged: &Judged, effect: &mut Effect) -> Result<()> {
        let writes = &judged.writes;
        if !writes.operations.is_empty() {
            let forgets = writes.newest.ms_since(self.forget_after) >= 0;
            let batch = Batch { rows: &judged.rows, writes, kept: &judged.kept, forgets };
            if !self.line.has_begun() {
                *effect = Effect::Unknown; // the statement is a transaction of its own
            }
            let forgotten = batch.write(&mut self.line).await?;
            if forgets && forgotten < limits::OPERATIONS_FORGOTTEN_MAX as u64 {
                self.forget_after = writes.newest.plus_ms(FORGET_EVERY_MS);
            }
        }
        if self.line.has_begun() {
            *effect = Effect::Unknown;
            self.line.commit().await?;
        }
        Ok(())
    }

    fn done(&self, writes: &Writes) {
        self.tallies.commits.fetch_add(writes.operations.len() as u64, Ordering::Relaxed);
        self.tallies.groups.fetch_add(u64::from(!writes.operations.is_empty()), Ordering::Relaxed);
        let owners: BTreeSet<_> = writes.events.iter().map(|event| event.owner).collect();
        self.herald.tell(owners);
    }
}

/// A group after its judgement, nothing written yet.
struct Judged {
    rows: Rows,
    writes: Writes,
    answers: Answers,
    /// Records that accepted members rely on without changing them, with their versions.
    kept: BTreeMap<Key, u64>,
    /// The same, where there must be none.
    absent: BTreeSet<Key>,
}

impl Judged {
    fn of(group: &[Arc<ChangeSet>], rows: Rows) -> Self {
        let (writes, answers) = judge_group(rows.clone(), group.iter().map(|set| &**set));
        let (mut kept, mut absent) = (BTreeMap::new(), BTreeSet::new());
        for (set, answer) in group.iter().zip(&answers) {
            if !answer.as_ref().is_ok_and(|receipt| !receipt.replayed) {
                continue;
            }
            for entry in &set.entries {
                let (Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. }) = entry else {
                    continue;
                };
                match rows.records.get(key) {
                    _ if writes.records.contains_key(key) => {}
                    Some(record) => drop(kept.insert(key.clone(), record.version)),
                    None => drop(absent.insert(key.clone())),
                }
            }
        }
        Self { rows, writes, answers, kept, absent }
    }
}

/// What is known after another attempt: once unknown, only an answer makes it known.
const fn later(before: Effect, now: Effect) -> Effect {
    match (before, now) {
        (Effect::No, Effect::No) => Effect::No,
        (Effect::Unknown, _) | (_, Effect::Unknown) => Effect::Unknown,
    }
}

/// Locks every row that is there, in one order for all: records, heads, counters, each by key.
async fn lock(line: &mut Line, names: &Names) -> Result<()> {
    let records = "SELECT 1 FROM (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[]) u (kind, owner, id)) u
        CROSS JOIN LATERAL (
            SELECT 1 FROM smscode.records r WHERE r.kind = u.kind AND r.owner = u.owner AND r.id = u.id FOR UPDATE
        ) r";
    let heads = "SELECT 1 FROM unnest($1::uuid[]) u (owner)
        CROSS JOIN LATERAL (SELECT 1 FROM smscode.heads h WHERE h.owner = u.owner FOR UPDATE) h";
    let counters = "SELECT 1 FROM unnest($1::uuid[], $2::text[], $3::text[]) u (owner, name, period)
        CROSS JOIN LATERAL (
            SELECT 1 FROM smscode.counters c
            WHERE c.owner = u.owner AND c.name = u.name AND c.period = u.period FOR UPDATE
        ) c";
    let keys = || names.records.iter();
    let query = line
        .query(records)
        .bind(keys().map(|key| key.kind.as_str()).collect::<Vec<_>>())
        .bind(keys().map(|key| id_of(key.owner)).collect::<Vec<_>>())
        .bind(keys().map(|key| key.id.as_slice()).collect::<Vec<_>>());
    query.execute(line.ready().await?).await?;
    let query = line.query(heads).bind(names.heads.iter().map(|owner| id_of(*owner)).collect::<Vec<_>>());
    query.execute(line.ready().await?).await?;
    let query = line
        .query(counters)
        .bind(names.counters.iter().map(|counter| id_of(counter.owner)).collect::<Vec<_>>())
        .bind(names.counters.iter().map(|counter| counter.name.as_str()).collect::<Vec<_>>())
        .bind(names.counters.iter().map(|counter| counter.period.as_str()).collect::<Vec<_>>());
    query.execute(line.ready().await?).await?;
    Ok(())
}

/// Makes sure that nobody else makes these records before this transaction ends: whoever inserts a key waits for a
/// transaction that has inserted it, also if it has deleted it again.
async fn reserve(line: &mut Line, absent: &BTreeSet<Key>) -> Result<()> {
    let made = "INSERT INTO smscode.records (kind, owner, id, version, body, terms)
        SELECT kind, owner, id, 0, '', '' FROM unnest($1::text[], $2::uuid[], $3::bytea[]) u (kind, owner, id)
        ON CONFLICT DO NOTHING";
    let gone = "DELETE FROM smscode.records r USING unnest($1::text[], $2::uuid[], $3::bytea[]) u (kind, owner, id)
        WHERE r.kind = u.kind AND r.owner = u.owner AND r.id = u.id AND r.body = ''";
    for sql in [made, gone] {
        line.query(sql)
            .bind(absent.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>())
            .bind(absent.iter().map(|key| id_of(key.owner)).collect::<Vec<_>>())
            .bind(absent.iter().map(|key| key.id.as_slice()).collect::<Vec<_>>())
            .execute(line.ready().await?)
            .await?;
    }
    Ok(())
}
