//! One run of a plan: from nothing until everything has ended.

use std::sync::Arc;

use smscode_core::account::AccountId;
use smscode_core::store::copy::Portable;
use smscode_core::store::{Index, MemoryStore, Owner, Range, Row, Store};
use smscode_storage_redb::{RedbOptions, RedbStore};

use crate::coverage::Coverage;
use crate::customer;
use crate::executor::{Executor, Halt};
use crate::happen;
use crate::invariants::{Violation, full_check};
use crate::node;
use crate::plan::{CUSTOMERS, Plan};
use crate::rng::Rng;
use crate::tampered;
use crate::world::{World, lock};

/// The books are compared this often, and it is asked whether everything has ended.
const LOOK_US: i64 = 30_000_000;
/// Everything has ended by then: the longest window, the longest outage, every pause before a supplier is told again.
pub(crate) const LIMIT_US: i64 = 12 * 3_600 * 1_000_000;
/// From when everything else has ended a watch over what was given up has so long. A list is read each minute at first and
/// each five minutes later, and may be ten minutes behind.
const ORPHANS_US: i64 = 25 * 60 * 1_000_000;
/// A supplier that is away for longer is dead.
pub(crate) const DEAD_US: i64 = 24 * 3_600 * 1_000_000;
/// Cache of an embedded store: a run is small.
const CACHE_BYTES: usize = 8 << 20;

/// Where a run keeps its books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory.
    #[default]
    Memory,
    /// The embedded store, in a file of its own.
    Redb,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was broken first, if anything was.
    pub violation: Option<Violation>,
    /// Hash of all its events, with their times: equal for the same plan on every machine.
    pub hash: u64,
    /// How many events there were.
    pub events: u64,
    /// Orders that were placed.
    pub orders: u64,
    /// Commits that took effect.
    pub commits: u64,
    /// Virtual time until everything had ended, in seconds.
    pub seconds: i64,
    /// Numbers that were sold by a supplier that is alive and are known to nobody: it has no list to look into, or they ran
    /// out before their purchase was given up.
    pub orphans: u64,
    /// What was met.
    pub coverage: Coverage,
    /// Which items of the plan had their effect.
    pub used: Vec<bool>,
    /// The events, if they were asked for.
    pub lines: Vec<String>,
    /// The ledger of the account that a violation is about.
    pub ledger: Vec<String>,
}

/// Runs a plan, without the items that are switched off. `tell` keeps the list of events.
///
/// # Errors
///
/// The embedded store cannot be made in a temporary folder.
pub fn run(plan: &Plan, enabled: &[bool], kind: StoreKind, tell: bool) -> Result<Outcome, String> {
    run_until(plan, enabled, kind, tell, LIMIT_US)
}

/// The same, and whatever has not happened by then does not count.
pub(crate) fn run_until(
    plan: &Plan,
    enabled: &[bool],
    kind: StoreKind,
    tell: bool,
    limit_us: i64,
) -> Result<Outcome, String> {
    let folder = match kind {
        StoreKind::Memory => None,
        StoreKind::Redb => Some(tempfile::tempdir().map_err(|error| error.to_string())?),
    };
    let store: Arc<dyn Portable> = match &folder {
        None => Arc::new(MemoryStore::new()),
        Some(folder) => {
            let options = RedbOptions { cache_bytes: CACHE_BYTES, quick_repair: false, ..RedbOptions::default() };
            Arc::new(RedbStore::open(folder.path().join("books.redb"), options).map_err(|error| error.to_string())?)
        }
    };
    let world = World::new(plan, enabled, Arc::clone(&store) as Arc<dyn Store>, tell);
    for node in 0..plan.shape.nodes {
        node::start(&world, node);
    }
    for customer in 0..CUSTOMERS {
        customer::begin(&world, |world| customer::open(world, customer));
    }
    for (at, item) in plan.items.iter().enumerate().filter(|(at, _)| enabled.get(*at).copied().unwrap_or(true)) {
        happen::schedule(&world, at, item);
    }
    look_again(&world);
    let mut executor = Executor::new(Arc::clone(&world.timeline), Rng::of(plan.seed, &[22]), plan.shape.nodes);
    let inside = Arc::clone(&world);
    let mut looked_us = -1;
    let halt = executor.run(limit_us, || {
        let now = inside.timeline.now_us();
        if lock(&inside.watch).violation.is_some() {
            return true;
        }
        // asked as often as the books are compared
        if now / LOOK_US == looked_us / LOOK_US {
            return false;
        }
        looked_us = now;
        over(&inside, now)
    });
    if limit_us == LIMIT_US || halt != Halt::TimeOver {
        end(&world, halt, &*store);
    }
    let outcome = outcome(&world);
    executor.end();
    for state in lock(&world.nodes).iter_mut() {
        drop(state.platform.take());
    }
    Ok(outcome)
}

/// Compares the books now and then.
fn look_again(world: &Arc<World>) {
    let later = Arc::clone(world);
    world.timeline.after(LOOK_US, move || {
        full_check(&later, false);
        look_again(&later);
    });
}

/// Whether everything has ended.
fn over(world: &World, now: i64) -> bool {
    if *lock(&world.acting) > 0 {
        return false;
    }
    let watch = lock(&world.watch);
    // whoever is dead is not told any more
    let dead = |name: &str| {
        let mut shops = world.shops.iter().map(lock);
        shops.any(|shop| shop.info.name == name && shop.is_away(now).is_some_and(|away| away.until_us > now + DEAD_US))
    };
    if watch.open_orders() > 0 || !watch.is_swept() || !watch.to_be_told().all(dead) {
        return false;
    }
    let mut quiet_us = lock(&world.quiet_us);
    let since_us = *quiet_us.get_or_insert(now);
    // what nobody knows of is found in the list of its supplier, or would be by now
    now - since_us > ORPHANS_US || watch.lost(world).is_empty()
}

fn end(world: &Arc<World>, halt: Halt, books: &dyn Portable) {
    let now = world.timeline.now_us();
    if lock(&world.watch).violation.is_some() {
        return;
    }
    match halt {
        Halt::Told => {
            full_check(world, true);
            lock(&world.watch).note_orphans(world);
            let tampers = world.shape.tampers && lock(&world.watch).violation.is_none();
            if let Some(wrong) = tampers.then(|| tampered::audit_copy(world, books)).flatten() {
                lock(&world.watch).stuck(now, wrong);
            }
        }
        Halt::TimeOver => {
            let mut watch = lock(&world.watch);
            let open = watch.still_open();
            let what =
                format!("not everything ends: {open:?}, to be told: {:?}", watch.to_be_told().collect::<Vec<_>>());
            watch.stuck(now, what);
        }
        Halt::Livelock => lock(&world.watch).stuck(now, "tasks wake each other without end".into()),
    }
}

fn outcome(world: &Arc<World>) -> Outcome {
    let now = world.timeline.now_us();
    let watch = lock(&world.watch);
    let alive = world.shops.iter().map(lock).filter(|shop| shop.is_away(now).is_none());
    let orphans = alive.map(|shop| watch.unknown_at(&shop).len() as u64).sum();
    let violation = watch.violation.clone();
    let (orders, commits) = (watch.placed(), watch.commits);
    drop(watch);
    let ledger = violation.as_ref().and_then(|it| it.account).map(|it| ledger(world, it)).unwrap_or_default();
    let journal = lock(&world.journal);
    Outcome {
        violation,
        hash: journal.hash,
        events: journal.events,
        orders,
        commits,
        seconds: now / 1_000_000,
        orphans,
        coverage: journal.coverage.clone(),
        used: journal.used.clone(),
        lines: journal.lines.clone().unwrap_or_default(),
        ledger,
    }
}

/// An account's statement as it is stored.
fn ledger(world: &World, account: AccountId) -> Vec<String> {
    let index = Index::Transfers(Owner(account.bytes()));
    let page = crate::world::wait_for(world.store.scan(&index, &Range::all(), None, 1_000));
    let rows = page.map(|page| page.rows).unwrap_or_default();
    let lines = rows.iter().filter_map(|row| {
        let Row::Transfer(transfer) = row else { return None };
        let entry = transfer.entry?;
        let (kind, subject, reason) = (transfer.kind.word(), &transfer.subject, &transfer.reason);
        let (number, available, held) = (entry.number, entry.available, entry.held);
        Some(format!(
            "{number:>4}  {kind:<8} {:>8}  {subject:<18} {reason:<16} available {available:>8}, held {held:>8}",
            transfer.amount
        ))
    });
    lines.collect()
}
