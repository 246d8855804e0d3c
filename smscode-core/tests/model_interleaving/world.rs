//! A platform with one order, its customer and its suppliers, where nothing moves but by a choice.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::order::{ItemOutcome, OrderError, OrderId, OrderView, PlaceOrders, Wanted};
use smscode_core::port::MemoryKeyring;
use smscode_core::store::MemoryStore;
use smscode_core::time::Timestamp;

use crate::base::{Base, build};
use crate::choices::{Choice, Event, Pick};
use crate::hub::{Answer, Hub, Phase, What};
use crate::stored::{GatedStore, Planted, Stored};
use crate::supplier::{GatedSupplier, Manner};

pub(crate) const NAMES: [&str; 2] = ["alpha", "beta"];
pub(crate) const MONEY: i64 = 100_000;
pub(crate) const BEGIN: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// Turns of the executor in one step; more is a loop that never waits.
const TURNS_MAX: u32 = 20_000;
/// Instants that may pass in one step without anything happening.
const INSTANTS_MAX: u32 = 2_000;
/// The same while something is held: a stall that nobody notices ends here.
const STALL_INSTANTS: u32 = 20;

/// What can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    Nothing,
    /// The process dies, at any moment.
    Crash,
    /// An answer is lost, a request refused, or something is held back while time passes.
    Supplier,
}

/// What a search explores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// What goes wrong, at most once in one schedule.
    pub(crate) wrong: Wrong,
    /// What the outside does, each at most once.
    pub(crate) events: &'static [Event],
    pub(crate) planted: Planted,
    /// Planted bug: an adapter that takes a lost answer to a purchase for a rejection.
    pub(crate) lost_is_no: bool,
}

/// What the customer was told, in a word, for good.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Told {
    Placed(&'static str),
    Cancel(&'static str),
    Finish(&'static str),
    Delete(&'static str),
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    flag: Arc<Flag>,
    /// One for all its polls: it is what the task is known by.
    waker: Waker,
}

/// The value of a future that waits for nothing that is held back.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("it waits for something");
}

pub(crate) struct World {
    pub(crate) bounds: Bounds,
    pub(crate) hub: Arc<Hub>,
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) suppliers: Vec<Arc<GatedSupplier>>,
    pub(crate) account: AccountId,
    pub(crate) platform: Platform,
    pub(crate) told: Arc<Mutex<Vec<Told>>>,
    pub(crate) used: Vec<Event>,
    pub(crate) faults: u8,
    /// SMS that the customer has seen.
    pub(crate) shown: u64,
    pub(crate) store: Arc<GatedStore>,
    pub(crate) keyring: Arc<MemoryKeyring>,
    pub(crate) lives: u64,
    tasks: Vec<Task>,
}

impl World {
    /// A world from a base on, in which the customer has just ordered.
    pub(crate) fn of(base: &Base) -> Self {
        let hub = Hub::new(base.now);
        let (parts, keyring) = (base.parts(&hub), base.keyring());
        let platform = build(&hub, &parts.store, &keyring, &parts.suppliers, base.lives);
        hub.lock().passing = false;
        let mut world = Self {
            bounds: base.bounds,
            hub,
            memory: parts.memory,
            suppliers: parts.suppliers,
            account: base.account,
            platform,
            told: Arc::new(Mutex::new(base.told.clone())),
            used: base.used.clone(),
            faults: base.faults,
            shown: base.shown,
            store: parts.store,
            keyring,
            lives: base.lives,
            tasks: Vec::new(),
        };
        world.run();
        if base.lives == 1 {
            world.place();
        }
        world
    }

    /// Begins to drive the platform.
    fn run(&mut self) {
        let platform = self.platform.clone();
        self.spawn(true, "run", async move { platform.run(std::future::pending()).await });
        self.settle();
    }

    fn spawn(&mut self, root: bool, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        self.hub.introduce(&waker, root, name);
        self.tasks.push(Task { future: Box::pin(future), flag, waker });
    }

    fn place(&mut self) {
        let (platform, account, told) = (self.platform.clone(), self.account, self.told.clone());
        self.spawn(false, "place", async move {
            let wanted = PlaceOrders::one(Wanted::Pair { country: 6, service: "wa".into() });
            let answer = platform.place_orders(account, wanted).await;
            let word = match answer.map(|placed| placed.items.into_iter().next().map(|item| item.outcome)) {
                Ok(Some(ItemOutcome::Settled(_))) => "settled",
                Ok(Some(ItemOutcome::Pending(_))) => "pending",
                Ok(Some(ItemOutcome::Rejected(_))) => "rejected",
                Ok(None) => "nothing",
                Err(_) => "error",
            };
            told.lock().unwrap().push(Told::Placed(word));
        });
        self.settle();
    }

    /// Lets everything run until all waits for a choice.
    fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            let Some(at) = self.tasks.iter().position(|task| task.flag.0.swap(false, Ordering::Relaxed)) else {
                return;
            };
            let task = &mut self.tasks[at];
            if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
                drop(self.tasks.remove(at));
            }
        }
        panic!("a loop that never waits");
    }

    /// Nobody waits at a gate.
    pub(crate) fn is_free(&self) -> bool {
        self.waiting().is_empty()
    }

    pub(crate) fn stored(&self) -> Stored {
        Stored::read(&self.memory, self.account)
    }

    /// Gates at which somebody of this life waits.
    fn waiting(&self) -> Vec<u64> {
        let state = self.hub.lock();
        state.gates.iter().filter(|(_, gate)| gate.orphan_until.is_none()).map(|(number, _)| *number).collect()
    }

    /// The next time at which something may happen by itself.
    pub(crate) fn next_instant(&self, stored: &Stored) -> Option<Timestamp> {
        let state = self.hub.lock();
        let order = stored.order.as_ref().map(|(_, record)| record);
        let listens = order.is_some_and(|record| record.state.listens());
        let due = order.and_then(|record| record.due_at).into_iter();
        let due = due.chain(stored.account.as_ref().and_then(|account| account.due_at));
        let due: Vec<Timestamp> = due.chain(stored.supplies.iter().filter_map(|supply| supply.due_at)).collect();
        // a watch over a purchase that was given up reads lists for a day; it matters while there is something to find
        let watched = stored.watches > 0 && self.has_strangers(stored);
        // what is held may be just that
        let held = state.gates.values().any(|gate| gate.orphan_until.is_none());
        let overdue = !held && (watched || due.iter().any(|at| *at <= state.now));
        let sleepers = state.sleepers.values().filter(|sleeper| {
            let looks = crate::canonical::only_looks(&state, sleeper.task, sleeper.ms);
            let root = state.is_root(sleeper.task);
            overdue && root || !looks && (listens || !root)
        });
        let wakes = sleepers.map(|sleeper| sleeper.at);
        wakes.chain(due).filter(|at| *at > state.now).min()
    }

    /// Whether a supplier has something open that is not recorded.
    fn has_strangers(&self, stored: &Stored) -> bool {
        let shops = self.suppliers.iter().map(|supplier| supplier.shop.lock().unwrap());
        let open: usize = shops.map(|shop| shop.sold.iter().filter(|sold| sold.end.is_none()).count()).sum();
        open > stored.supplies.len()
    }

    /// Lets time pass until something is wanted or given up.
    fn pass_time(&mut self) {
        let before = self.waiting();
        let most = if before.is_empty() { INSTANTS_MAX } else { STALL_INSTANTS };
        for _ in 0..most {
            let Some(at) = self.next_instant(&self.stored()) else { return };
            self.hub.move_to(at);
            self.settle();
            if self.waiting() != before {
                return;
            }
        }
        if !before.is_empty() {
            return;
        }
        let state = self.hub.lock();
        let sleepers: Vec<_> = state.sleepers.values().map(|one| (one.ms, state.is_root(one.task))).collect();
        let order = self.stored().order.map(|(_, record)| record);
        panic!("time passes and nothing happens at {}, though something is due: {sleepers:?}, {order:?}", state.now.0);
    }

    /// Makes a choice; `false` if it is not there to be made.
    pub(crate) fn apply(&mut self, choice: &Choice) -> bool {
        let stored = self.stored();
        if !self.choices(&stored).contains(choice) {
            return false;
        }
        self.make(choice);
        true
    }

    /// Makes a choice that is there.
    pub(crate) fn make(&mut self, choice: &Choice) {
        self.faults += choice.cost(!self.waiting().is_empty());
        self.hub.lock().birth = 0;
        match choice {
            Choice::Commit(pick) => self.answer(pick, Answer::Go),
            Choice::Takes(pick, manner) => self.take(pick, *manner),
            Choice::Answers(pick) => {
                let Some(Phase::Taken(answer)) = self.find(pick).map(|(_, _, phase)| phase) else { return };
                self.hub.lock().birth = crate::choices::birth(&answer);
                self.answer(pick, answer);
            }
            Choice::Lost(pick) => {
                let Some((_, What::Call(supplier, call), _)) = self.find(pick) else { return };
                let answer = self.suppliers[supplier].lost(&call);
                self.answer(pick, answer);
            }
            Choice::Event(event) => self.happen(*event),
            Choice::Time => self.pass_time(),
            Choice::Crash | Choice::CrashAway => *self = Self::of(&self.crashed(*choice == Choice::CrashAway)),
        }
        self.settle();
    }

    /// The gate that a pick means.
    fn find(&self, pick: &Pick) -> Option<(u64, What, Phase)> {
        let state = self.hub.lock();
        let mut alike = state.gates.iter().filter(|(_, gate)| pick.means(gate));
        alike.nth(pick.nth).map(|(number, gate)| (*number, gate.what.clone(), gate.phase.clone()))
    }

    fn answer(&self, pick: &Pick, answer: Answer) {
        if let Some((number, _, _)) = self.find(pick) {
            self.hub.set(number, Phase::Here(answer));
        }
    }

    fn take(&self, pick: &Pick, manner: Manner) {
        if let Some((number, What::Call(supplier, call), _)) = self.find(pick) {
            let answer = self.suppliers[supplier].take(&call, manner);
            self.hub.set(number, Phase::Taken(answer));
        }
    }

    fn happen(&mut self, event: Event) {
        self.used.push(event);
        match event {
            Event::Sms | Event::SecondSms | Event::LateSms => {
                for supplier in &self.suppliers {
                    supplier.deliver(event);
                }
            }
            Event::Cancel => self.command("cancel", |platform, account, order| {
                Box::pin(async move { Told::Cancel(word(&platform.cancel_order(account, order).await)) })
            }),
            Event::DeleteAccount => {
                let (platform, account, told) = (self.platform.clone(), self.account, self.told.clone());
                self.spawn(false, "delete", async move {
                    let word = platform.delete_account(account).await.map_or_else(|error| error.code(), |()| "deleted");
                    told.lock().unwrap().push(Told::Delete(word));
                });
            }
            Event::Finish => self.command("finish", |platform, account, order| {
                Box::pin(async move { Told::Finish(word(&platform.finish_order(account, order).await)) })
            }),
        }
    }

    fn command(
        &mut self,
        name: &str,
        command: impl FnOnce(Platform, AccountId, OrderId) -> Pin<Box<dyn Future<Output = Told> + Send>>,
    ) {
        let Some((order, _)) = self.stored().order else { return };
        let (told, running) = (self.told.clone(), command(self.platform.clone(), self.account, order));
        self.spawn(false, name, async move {
            let said = running.await;
            told.lock().unwrap().push(said);
        });
    }
}

/// What a command of the customer's ended in.
fn word(answer: &Result<OrderView, OrderError>) -> &'static str {
    match answer {
        Ok(view) => view.state.word(),
        Err(OrderError::Conflict { status, .. }) => status.word(),
        Err(error) => error.code(),
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World({} faults, {:?})", self.faults, self.used)
    }
}
