//! What everything in a run shares.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::port::MemoryKeyring;
use smscode_core::store::Store;
use tokio::sync::{Notify, oneshot};

use crate::coverage::Coverage;
use crate::executor::Timeline;
use crate::invariants::Watch;
use crate::plan::{CUSTOMERS, CallFault, CallKind, CommitFault, Item, Plan, SHOPS, Shape, SmsKind, When};
use crate::rng::Rng;
use crate::shop::Shop;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An item of the plan, how many ms after the sale, and which kind of SMS.
type PlannedSms = (usize, i64, SmsKind);

/// The plan's faults by what they wait for, each with its place in the plan.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) calls: BTreeMap<(usize, CallKind, u32), (usize, CallFault)>,
    pub(crate) sms: BTreeMap<(usize, u32), Vec<PlannedSms>>,
    pub(crate) ends: BTreeMap<(usize, u32), (usize, i64)>,
    pub(crate) commits: BTreeMap<u32, (usize, CommitFault)>,
    pub(crate) reads: BTreeMap<u32, usize>,
    blows: BTreeMap<(usize, Moment, u32), (usize, Blow)>,
}

/// A moment in a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    Committed,
    BeforeFirstByte,
    AfterFirstByte,
}

/// What a node suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    Crash { down_ms: i64 },
    Pause { for_ms: i64 },
}

impl Faults {
    fn of(plan: &Plan, enabled: &[bool]) -> Self {
        let mut faults = Self::default();
        for (at, item) in plan.items.iter().enumerate().filter(|(at, _)| enabled.get(*at).copied().unwrap_or(true)) {
            match item {
                Item::Call { shop, nth, fault } => {
                    faults.calls.entry((*shop, fault.row().0, *nth)).or_insert((at, *fault));
                }
                Item::Sms { shop, nth, after_ms, kind } => {
                    faults.sms.entry((*shop, *nth)).or_default().push((at, *after_ms, *kind));
                }
                Item::Ends { shop, nth, after_ms } => {
                    faults.ends.insert((*shop, *nth), (at, *after_ms));
                }
                Item::Commit { nth, fault } => {
                    faults.commits.insert(*nth, (at, *fault));
                }
                Item::Read { nth } => {
                    faults.reads.insert(*nth, at);
                }
                Item::Crash { node, when, down_ms } => {
                    faults.blow(*node, *when, at, Blow::Crash { down_ms: *down_ms });
                }
                Item::Pause { node, when, for_ms } => faults.blow(*node, *when, at, Blow::Pause { for_ms: *for_ms }),
                // these have a time of their own
                Item::Visit(_)
                | Item::Deposit(_)
                | Item::Delete(_)
                | Item::Adjust(_)
                | Item::Clawback { .. }
                | Item::WindDown { .. }
                | Item::NoRates { .. }
                | Item::Forged { .. }
                | Item::Outage { .. }
                | Item::Reprice { .. }
                | Item::SoldOut { .. }
                | Item::Restart { .. }
                | Item::Stall { .. } => {}
            }
        }
        faults
    }

    fn blow(&mut self, node: usize, when: When, at: usize, blow: Blow) {
        let (moment, nth) = match when {
            When::At(_) => return,
            When::Committed(nth) => (Moment::Committed, nth),
            When::BeforeFirstByte(nth) => (Moment::BeforeFirstByte, nth),
            When::AfterFirstByte(nth) => (Moment::AfterFirstByte, nth),
        };
        self.blows.entry((node, moment, nth)).or_insert((at, blow));
    }
}

/// A node as the world sees it.
#[derive(Default)]
pub(crate) struct NodeState {
    pub(crate) life: u64,
    pub(crate) up: bool,
    pub(crate) platform: Option<Platform>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    /// How often each moment of a purchase was reached, over all its lives.
    moments: BTreeMap<Moment, u32>,
}

/// What is told of a run: the hash of its events, and the events themselves if somebody wants to read them.
pub(crate) struct Journal {
    pub(crate) hash: u64,
    pub(crate) events: u64,
    pub(crate) lines: Option<Vec<String>>,
    pub(crate) coverage: Coverage,
    pub(crate) used: Vec<bool>,
}

const FNV: u64 = 0x0000_0100_0000_01b3;

/// The world of a run.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) shape: Shape,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) faults: Faults,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) stored: Mutex<StoreTime>,
    pub(crate) keyring: Arc<MemoryKeyring>,
    pub(crate) shops: Vec<Mutex<Shop>>,
    pub(crate) nodes: Mutex<Vec<NodeState>>,
    pub(crate) accounts: Mutex<Vec<Option<AccountId>>>,
    /// Customers that are not done.
    pub(crate) acting: Mutex<u32>,
    pub(crate) watch: Mutex<Watch>,
    /// Since when everything but what nobody knows of has ended.
    pub(crate) quiet_us: Mutex<Option<i64>>,
    /// Until when there is no exchange rate.
    pub(crate) no_rates_until_us: Mutex<i64>,
    /// Activations of which a node has read an SMS, and who waits for that.
    pub(crate) read: Mutex<BTreeSet<(usize, u64)>>,
    pub(crate) read_one: Notify,
    pub(crate) journal: Mutex<Journal>,
    latency: Mutex<Rng>,
}

/// How the store is.
#[derive(Default)]
pub(crate) struct StoreTime {
    pub(crate) commits: u32,
    pub(crate) reads: u32,
    pub(crate) stalled_until_us: i64,
    /// Reads of each node in its present ten seconds.
    busy: BTreeMap<usize, (i64, u32)>,
}

/// Reads of one node in ten seconds of virtual time: three times what the busiest moments need. More is a loop without a
/// pause.
const READS_MAX: u32 = 12_000;

impl StoreTime {
    /// Counts a read; whether the node reads without a pause.
    pub(crate) fn is_busy(&mut self, node: usize, now_us: i64) -> bool {
        let span = now_us / 10_000_000;
        let busy = self.busy.entry(node).or_default();
        *busy = if busy.0 == span { (span, busy.1 + 1) } else { (span, 1) };
        busy.1 > READS_MAX
    }
}

impl World {
    pub(crate) fn new(plan: &Plan, enabled: &[bool], store: Arc<dyn Store>, tell: bool) -> Arc<Self> {
        let shape = plan.shape.clone();
        let shops = (0..SHOPS).map(|at| Mutex::new(Shop::new(plan.seed, &shape, at))).collect();
        let watch = Watch::new(&shape);
        Arc::new(Self {
            seed: plan.seed,
            timeline: Timeline::new(Rng::of(plan.seed, &[20])),
            faults: Faults::of(plan, enabled),
            store,
            stored: Mutex::default(),
            keyring: Arc::new(MemoryKeyring::new()),
            shops,
            nodes: Mutex::new((0..shape.nodes).map(|_| NodeState::default()).collect()),
            accounts: Mutex::new(vec![None; CUSTOMERS]),
            acting: Mutex::new(0),
            watch: Mutex::new(watch),
            quiet_us: Mutex::new(None),
            no_rates_until_us: Mutex::new(0),
            read: Mutex::default(),
            read_one: Notify::new(),
            journal: Mutex::new(Journal {
                hash: 0xcbf2_9ce4_8422_2325,
                events: 0,
                lines: tell.then(Vec::new),
                coverage: Coverage::default(),
                used: vec![false; plan.items.len()],
            }),
            latency: Mutex::new(Rng::of(plan.seed, &[21])),
            shape,
        })
    }

    /// Notes an event: into the hash, and into the list if there is one.
    pub(crate) fn tell(&self, what: &'static str, numbers: [u64; 3], say: impl FnOnce() -> String) {
        let now = self.timeline.now_us();
        let mut journal = lock(&self.journal);
        journal.events += 1;
        let bytes = now.to_be_bytes().into_iter().chain(what.bytes());
        let bytes = bytes.chain(numbers.into_iter().flat_map(u64::to_be_bytes));
        journal.hash = bytes.fold(journal.hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV));
        if let Some(lines) = &mut journal.lines {
            lines.push(format!("{:>10} s  {what}: {}", Seconds(now), say()));
        }
    }

    pub(crate) fn hit(&self, name: &'static str) {
        lock(&self.journal).coverage.hit(name);
    }

    /// An item of the plan has had its effect.
    pub(crate) fn used(&self, item: usize) {
        if let Some(used) = lock(&self.journal).used.get_mut(item) {
            *used = true;
        }
    }

    /// About so many microseconds, by the run's slowness; now and then ten times as long.
    pub(crate) fn about(&self, us: i64) -> i64 {
        let mut rng = lock(&self.latency);
        let long = if rng.chance(15) { 10 } else { 1 };
        (us * self.shape.slowness / 10 * long * rng.between(500, 1_500) / 1_000).max(1)
    }

    /// Tosses, for what no plan lists.
    pub(crate) fn toss(&self, per_mille: u64) -> bool {
        lock(&self.latency).chance(per_mille)
    }

    /// Whether there is no exchange rate now.
    pub(crate) fn has_no_rates(&self) -> bool {
        *lock(&self.no_rates_until_us) > self.timeline.now_us()
    }

    /// Whether this life of a node goes on.
    pub(crate) fn lives(&self, node: usize, life: u64) -> bool {
        lock(&self.nodes).get(node).is_some_and(|it| it.up && it.life == life)
    }

    /// A node has reached a moment of a purchase: what the plan has for it happens.
    pub(crate) fn reach(self: &Arc<Self>, node: usize, moment: Moment) {
        let nth = {
            let mut nodes = lock(&self.nodes);
            let Some(state) = nodes.get_mut(node) else { return };
            let count = state.moments.entry(moment).or_insert(0);
            *count += 1;
            *count - 1
        };
        if let Some((item, blow)) = self.faults.blows.get(&(node, moment, nth)) {
            self.used(*item);
            self.hit(match (blow, moment) {
                (Blow::Crash { .. }, Moment::Committed) => "node: crash after Calling",
                (Blow::Crash { .. }, Moment::BeforeFirstByte) => "node: crash before the first byte",
                (Blow::Crash { .. }, Moment::AfterFirstByte) => "node: crash after the first byte",
                (Blow::Pause { .. }, Moment::Committed) => "node: pause after Calling",
                (Blow::Pause { .. }, Moment::BeforeFirstByte) => "node: pause before the first byte",
                (Blow::Pause { .. }, Moment::AfterFirstByte) => "node: pause after the first byte",
            });
            crate::node::suffer(self, node, *blow);
        }
    }
}

struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.pad(&text[..text.len() - 3])
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the store on this thread, outside virtual time: stores have no clock.
pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}
