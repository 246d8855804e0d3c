//! When two states are the same: what is stored, what the supplier has, what the customer knows, what every task has been
//! through and waits for. Left out are names and chances (ids, versions, keys, sealed bytes), what only tells the past
//! (steps, times of things that are over), and the timers of workers that look whether there is something to do.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use smscode_core::account::record::{ACCOUNT, AccountRecord};
use smscode_core::order::record::{ORDER, OrderRecord};
use smscode_core::order::supply::{SUPPLY, SupplyRecord};
use smscode_core::store::{ChangeSet, Entry, Expect, Key};

use crate::hub::{Call, Phase, State, What};
use crate::stored::Stored;
use crate::supplier::GatedSupplier;
use crate::world::World;

/// A hash that is the same in every run.
pub(crate) type Digest = DefaultHasher;

/// Workers that look for work sleep this long, in ms: due work, suppliers to be told and accounts, orphans, epochs, audits,
/// offers and balances.
const LOOKS_MS: [i64; 6] = [1_000, 5_000, 10_000, 30_000, 60_000, crate::base::OFFERS_EVERY_MS];

/// Whether a sleeper of a loop only waits to look again.
pub(crate) fn only_looks(state: &State, task: usize, ms: i64) -> bool {
    state.is_root(task) && (ms <= LOOKS_MS[0] && ms > 100 || LOOKS_MS.contains(&ms))
}

pub(crate) fn order(record: &OrderRecord, digest: &mut Digest) {
    let call = record.call.as_ref().map(|call| (call.attempt, call.over_at.0));
    let sealed = [record.key.is_some(), record.link.is_some(), record.phone.is_some(), !record.phone_claims.is_empty()];
    (record.state, &record.supplier, &record.tried, call, record.look_ups, sealed).hash(digest);
    (record.messages.len(), record.revision, record.first_sms_at.is_some(), record.last_sms_at).hash(digest);
    (record.due_at, record.expires_at, record.cancel_at, record.resend_at, record.awaiting_more).hash(digest);
    (record.abandoned, record.ended_at.is_some(), &record.reason, record.sequence).hash(digest);
}

fn supply(record: &SupplyRecord, digest: &mut Digest) {
    (record.state as u8, &record.activation, record.due_at, record.tries).hash(digest);
}

fn account(record: &AccountRecord, digest: &mut Digest) {
    (record.status as u8, record.deleted_at.is_some(), record.due_at).hash(digest);
}

fn put(key: &Key, body: &[u8], digest: &mut Digest) {
    key.kind.hash(digest);
    if key.kind == ORDER {
        order(&serde_json::from_slice(body).unwrap(), digest);
    } else if key.kind == SUPPLY {
        supply(&serde_json::from_slice(body).unwrap(), digest);
    } else if key.kind == ACCOUNT {
        account(&serde_json::from_slice(body).unwrap(), digest);
    }
}

/// A name for people and a digest of what waits at a gate.
pub(crate) fn what(what: &What) -> (String, u64) {
    let mut digest = Digest::new();
    let label = match what {
        What::Commit(set) => {
            change_set(set, &mut digest);
            format!("commit of {}", summary(set))
        }
        What::Call(supplier, call) => {
            (supplier, call.word()).hash(&mut digest);
            match call {
                Call::Poll(ids) => ids.hash(&mut digest),
                Call::Cancel(id) | Call::Finish(id) => id.hash(&mut digest),
                Call::Buy | Call::Active => {}
            }
            format!("{} at {}", call.word(), crate::world::NAMES[*supplier])
        }
    };
    (label, digest.finish())
}

fn change_set(set: &ChangeSet, digest: &mut Digest) {
    for entry in &set.entries {
        match entry {
            Entry::Put { key, body, .. } => put(key, body.as_bytes(), digest),
            Entry::Delete { key, .. } => (1, &key.kind).hash(digest),
            Entry::DeleteOwned { kind, .. } => (2, kind).hash(digest),
            Entry::Ensure { key, .. } => (3, &key.kind).hash(digest),
            Entry::Count { counter, delta, .. } => (4, &counter.name, delta).hash(digest),
            Entry::Post(post) => (5, post.kind, &post.reason, &post.actor).hash(digest),
            Entry::Append { body, .. } => {
                let event: serde_json::Value = serde_json::from_slice(body.as_bytes()).unwrap();
                (6, event["name"].as_str(), event["sequence"].as_i64()).hash(digest);
            }
        }
    }
}

fn summary(set: &ChangeSet) -> String {
    let mut parts = Vec::new();
    for entry in &set.entries {
        match entry {
            Entry::Put { key, body, .. } if key.kind == ORDER => {
                let record: OrderRecord = serde_json::from_slice(body.as_bytes()).unwrap();
                let step = record.steps.last().map(|step| step.input);
                parts.push(format!("order {} (last step {step:?})", record.state.word()));
            }
            Entry::Put { key, body, .. } if key.kind == SUPPLY => {
                let record: SupplyRecord = serde_json::from_slice(body.as_bytes()).unwrap();
                parts.push(format!("purchase {:?}", record.state));
            }
            Entry::Put { key, .. } => parts.push(key.kind.as_str().to_owned()),
            Entry::Post(post) => parts.push(post.kind.word().to_owned()),
            _ => {}
        }
    }
    parts.join(", ")
}

/// Whether what a ChangeSet was decided on has changed meanwhile.
fn is_stale(set: &ChangeSet, stored: &Stored) -> bool {
    set.entries.iter().any(|entry| match entry {
        Entry::Put { key, expect, .. } | Entry::Ensure { key, expect } | Entry::Delete { key, expect } => {
            let found = stored.versions.get(key);
            match expect {
                Expect::Absent => found.is_some(),
                Expect::Version(version) => found != Some(version),
            }
        }
        Entry::DeleteOwned { .. } | Entry::Count { .. } | Entry::Post(_) | Entry::Append { .. } => false,
    })
}

/// What the world outside has done and heard, and the faults so far.
pub(crate) fn known(world: &World, digest: &mut Digest) {
    let mut used = world.used.clone();
    used.sort_unstable();
    let mut told = world.told.lock().unwrap().clone();
    told.sort_unstable();
    (world.faults, used, world.shown, told).hash(digest);
}

/// What is stored.
pub(crate) fn stored(stored: &Stored, digest: &mut Digest) {
    if let Some(record) = &stored.account {
        account(record, digest);
    }
    if let Some((_, record)) = &stored.order {
        order(record, digest);
    }
    for record in &stored.supplies {
        supply(record, digest);
    }
    let head = stored.head;
    (head.available, head.held, head.debt, head.last_transfer, head.last_event, stored.watches).hash(digest);
}

/// What the suppliers have.
pub(crate) fn suppliers(suppliers: &[std::sync::Arc<GatedSupplier>], digest: &mut Digest) {
    for supplier in suppliers {
        let shop = supplier.shop.lock().unwrap();
        (shop.asked, shop.refused).hash(digest);
        for sold in &shop.sold {
            (&sold.sms, sold.end, sold.late).hash(digest);
        }
    }
}

/// One gate of a task: what it stands before, how far it is, its answer, and whether its commit is refused for certain.
type GateNow = (u64, u8, String, bool);

/// What is under way: each task with its past, its gates and how long it still sleeps.
pub(crate) fn under_way(state: &State, stored: &Stored, listens: bool, digest: &mut Digest) {
    let mut tasks: BTreeMap<usize, (Vec<GateNow>, Vec<i64>)> = BTreeMap::new();
    let mut orphans = Vec::new();
    for gate in state.gates.values() {
        let (phase, answer) = match &gate.phase {
            Phase::Asked => (0, String::new()),
            Phase::Taken(answer) => (1, answer.word()),
            Phase::Here(_) => (2, String::new()),
        };
        if let Some(until) = gate.orphan_until {
            orphans.push((gate.digest, until));
            continue;
        }
        let stale = matches!(&gate.what, What::Commit(set) if is_stale(set, stored));
        tasks.entry(gate.task).or_default().0.push((gate.digest, phase, answer, stale));
    }
    for sleeper in state.sleepers.values() {
        let matters = !only_looks(state, sleeper.task, sleeper.ms) && (listens || !state.is_root(sleeper.task));
        if matters {
            tasks.entry(sleeper.task).or_default().1.push(sleeper.at.ms_since(state.now));
        }
    }
    let mut all: Vec<_> = tasks
        .into_iter()
        .map(|(task, (mut gates, mut sleeps))| {
            gates.sort();
            sleeps.sort_unstable();
            let history = if state.is_root(task) { 0 } else { state.history(task) };
            (history, gates, sleeps)
        })
        .collect();
    all.sort();
    orphans.sort_unstable();
    (all, orphans).hash(digest);
}
