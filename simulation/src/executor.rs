//! Virtual time and the tasks that live in it: one thread, no runtime.
//!
//! A task belongs to a **node**. Which ready task is polled next is drawn from the seed; when none is ready, time jumps to
//! the next timer. A node can be paused (its tasks are not polled, time goes on) and crashed (its tasks are dropped at
//! whatever await they are). What is on its way to the store or to a supplier is an event of the world, not of the node:
//! it arrives whoever has died meanwhile.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::rng::Rng;

/// Tasks of customers: on no node, so they outlive crashes.
pub(crate) const OUTSIDE: usize = usize::MAX;

/// Polls without time going on before it is called a livelock. A busy instant has some hundreds.
const POLLS_AT_ONCE_MAX: u32 = 200_000;

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Event = Box<dyn FnOnce() + Send>;
/// When, then the seed's order of what happens at the same time, then a serial number.
type TimerKey = (i64, u64, u64);

enum Timer {
    Wake(Waker),
    Happen(Event),
}

struct Time {
    now_us: i64,
    serial: u64,
    rng: Rng,
    timers: BTreeMap<TimerKey, Timer>,
}

/// What is asked of the executor from inside; done before the next poll.
enum Wish {
    Spawn { id: u64, node: usize, life: u64, task: Task },
    Abort(u64),
    Crash(usize),
    Pause { node: usize, until_us: i64 },
}

/// Virtual time, shared by everything in a run.
pub(crate) struct Timeline {
    time: Mutex<Time>,
    ready: Arc<Mutex<Vec<u64>>>,
    wishes: Mutex<Vec<Wish>>,
    next_task: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Timeline {
    pub(crate) fn new(rng: Rng) -> Arc<Self> {
        Arc::new(Self {
            time: Mutex::new(Time { now_us: 0, serial: 0, rng, timers: BTreeMap::new() }),
            ready: Arc::default(),
            wishes: Mutex::default(),
            next_task: AtomicU64::new(0),
        })
    }

    /// Microseconds since the run began.
    pub(crate) fn now_us(&self) -> i64 {
        lock(&self.time).now_us
    }

    /// Lets something happen after a while, whoever is alive then.
    pub(crate) fn after(&self, us: i64, event: impl FnOnce() + Send + 'static) {
        let at = self.now_us().saturating_add(us.max(0));
        lock(&self.time).insert(at, Timer::Happen(Box::new(event)));
    }

    pub(crate) fn sleep_until(self: &Arc<Self>, at_us: i64) -> Sleep {
        Sleep { timeline: Arc::clone(self), at_us, key: None }
    }

    pub(crate) fn sleep(self: &Arc<Self>, us: i64) -> Sleep {
        self.sleep_until(self.now_us().saturating_add(us))
    }

    /// Adds a task to this life of a node; it is dropped unseen if that life is over. Gives its number.
    pub(crate) fn spawn(&self, node: usize, life: u64, task: impl Future<Output = ()> + Send + 'static) -> u64 {
        let id = self.next_task.fetch_add(1, Ordering::Relaxed);
        self.wish(Wish::Spawn { id, node, life, task: Box::pin(task) });
        id
    }

    /// Drops a task.
    pub(crate) fn abort(&self, id: u64) {
        self.wish(Wish::Abort(id));
    }

    /// Drops all tasks of a node before the next poll.
    pub(crate) fn crash(&self, node: usize) {
        self.wish(Wish::Crash(node));
    }

    /// Leaves the tasks of a node alone for a while.
    pub(crate) fn pause(&self, node: usize, us: i64) {
        let until_us = self.now_us().saturating_add(us);
        self.wish(Wish::Pause { node, until_us });
        self.after(us, || {});
    }

    fn wish(&self, wish: Wish) {
        lock(&self.wishes).push(wish);
    }

    /// Forgets what would still happen: it holds the world it happens in.
    pub(crate) fn clear(&self) {
        let timers = std::mem::take(&mut lock(&self.time).timers);
        drop(timers);
        let wishes = std::mem::take(&mut *lock(&self.wishes));
        drop(wishes);
    }
}

impl Time {
    fn insert(&mut self, at: i64, timer: Timer) -> TimerKey {
        self.serial += 1;
        let key = (at, self.rng.next(), self.serial);
        self.timers.insert(key, timer);
        key
    }
}

/// Waits in virtual time. Gone without a trace when dropped.
pub(crate) struct Sleep {
    timeline: Arc<Timeline>,
    at_us: i64,
    key: Option<TimerKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timeline = Arc::clone(&self.timeline);
        let mut time = lock(&timeline.time);
        if time.now_us >= self.at_us {
            return Poll::Ready(());
        }
        if let Some(key) = self.key
            && let Some(Timer::Wake(waker)) = time.timers.get_mut(&key)
        {
            waker.clone_from(context.waker());
        } else {
            self.key = Some(time.insert(self.at_us, Timer::Wake(context.waker().clone())));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = lock(&self.timeline.time).timers.remove(&key);
            drop(gone);
        }
    }
}

/// Marks a task as ready.
struct Flag {
    id: u64,
    raised: AtomicBool,
    ready: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.raised.swap(true, Ordering::Relaxed) {
            lock(&self.ready).push(self.id);
        }
    }
}

struct Running {
    node: usize,
    task: Task,
    flag: Arc<Flag>,
    waker: Waker,
}

/// A node as the executor sees it.
#[derive(Clone, Copy, Default)]
struct NodeTime {
    life: u64,
    paused_until_us: i64,
}

/// Why a run of the executor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It was told to.
    Told,
    /// Nothing is left that could happen, or the limit is reached.
    TimeOver,
    /// Tasks wake each other without end while time stands still.
    Livelock,
}

/// Polls tasks and moves time.
pub(crate) struct Executor {
    timeline: Arc<Timeline>,
    rng: Rng,
    tasks: BTreeMap<u64, Running>,
    nodes: Vec<NodeTime>,
    ready: Vec<u64>,
    polls_at_once: u32,
}

impl Executor {
    pub(crate) fn new(timeline: Arc<Timeline>, rng: Rng, nodes: usize) -> Self {
        let nodes = vec![NodeTime::default(); nodes];
        Self { timeline, rng, tasks: BTreeMap::new(), nodes, ready: Vec::new(), polls_at_once: 0 }
    }

    /// Runs until `told` says so, asked after each step; the time limit is in virtual microseconds.
    pub(crate) fn run(&mut self, limit_us: i64, mut told: impl FnMut() -> bool) -> Halt {
        loop {
            self.grant();
            if told() {
                return Halt::Told;
            }
            if let Some(id) = self.pick() {
                self.polls_at_once += 1;
                if self.polls_at_once > POLLS_AT_ONCE_MAX {
                    return Halt::Livelock;
                }
                self.poll(id);
                continue;
            }
            let mut time = lock(&self.timeline.time);
            let Some(entry) = time.timers.first_entry().filter(|entry| entry.key().0 <= limit_us) else {
                return Halt::TimeOver;
            };
            let ((at_us, ..), timer) = entry.remove_entry();
            if at_us > time.now_us {
                time.now_us = at_us;
                self.polls_at_once = 0;
            }
            drop(time);
            match timer {
                Timer::Wake(waker) => waker.wake(),
                Timer::Happen(event) => event(),
            }
        }
    }

    /// Drops every task.
    pub(crate) fn end(&mut self) {
        self.tasks.clear();
        self.timeline.clear();
    }

    fn grant(&mut self) {
        loop {
            let wishes = std::mem::take(&mut *lock(&self.timeline.wishes));
            if wishes.is_empty() {
                return;
            }
            for wish in wishes {
                match wish {
                    Wish::Spawn { id, node, life, task } => self.start(id, node, life, task),
                    Wish::Abort(id) => drop(self.tasks.remove(&id)),
                    Wish::Crash(node) => self.crash(node),
                    Wish::Pause { node, until_us } => {
                        if let Some(at) = self.nodes.get_mut(node) {
                            at.paused_until_us = at.paused_until_us.max(until_us);
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, id: u64, node: usize, life: u64, task: Task) {
        if self.nodes.get(node).is_some_and(|at| at.life != life) {
            return;
        }
        let ready = Arc::clone(&self.timeline.ready);
        let flag = Arc::new(Flag { id, raised: AtomicBool::new(false), ready });
        let waker = Waker::from(Arc::clone(&flag));
        waker.wake_by_ref();
        self.tasks.insert(id, Running { node, task, flag, waker });
    }

    fn crash(&mut self, node: usize) {
        if let Some(at) = self.nodes.get_mut(node) {
            *at = NodeTime { life: at.life + 1, paused_until_us: 0 };
        }
        let dead: Vec<u64> = self.tasks.iter().filter(|(_, it)| it.node == node).map(|(id, _)| *id).collect();
        for id in dead {
            drop(self.tasks.remove(&id));
        }
    }

    /// One of the ready tasks whose node is not paused.
    fn pick(&mut self) -> Option<u64> {
        self.ready.append(&mut lock(&self.timeline.ready));
        self.ready.retain(|id| self.tasks.contains_key(id));
        if self.ready.is_empty() {
            return None;
        }
        let now = self.timeline.now_us();
        let awake = |id: &u64| {
            let node = self.tasks.get(id).and_then(|it| self.nodes.get(it.node));
            node.is_none_or(|at| at.paused_until_us <= now)
        };
        let awake: Vec<usize> = (0..self.ready.len()).filter(|at| awake(&self.ready[*at])).collect();
        let at = awake.get(usize::try_from(self.rng.below(awake.len() as u64)).unwrap_or(0)).copied()?;
        Some(self.ready.swap_remove(at))
    }

    fn poll(&mut self, id: u64) {
        let Some(running) = self.tasks.get_mut(&id) else { return };
        running.flag.raised.store(false, Ordering::Relaxed);
        let waker = running.waker.clone();
        let mut context = Context::from_waker(&waker);
        if running.task.as_mut().poll(&mut context).is_ready() {
            drop(self.tasks.remove(&id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> (Arc<Timeline>, Executor) {
        let timeline = Timeline::new(Rng::of(1, &[1]));
        (Arc::clone(&timeline), Executor::new(timeline, Rng::of(1, &[2]), 1))
    }

    #[test]
    fn time_jumps_and_a_crash_drops_at_the_await() {
        let (timeline, mut executor) = timeline();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for (node, life) in [(0, 0), (OUTSIDE, 0)] {
            let (timeline, seen) = (Arc::clone(&timeline), Arc::clone(&seen));
            let clock = Arc::clone(&timeline);
            timeline.spawn(node, life, async move {
                clock.sleep(10).await;
                lock(&seen).push((node, clock.now_us()));
                clock.sleep(90).await;
                lock(&seen).push((node, clock.now_us()));
            });
        }
        let clock = Arc::clone(&timeline);
        timeline.after(50, move || clock.crash(0));
        assert_eq!(executor.run(1_000, || false), Halt::TimeOver);
        let mut seen = lock(&seen).clone();
        seen.sort_unstable();
        assert_eq!(seen, [(0, 10), (OUTSIDE, 10), (OUTSIDE, 100)]);
        assert!(lock(&timeline.time).timers.is_empty(), "a dropped sleep leaves a timer");
    }

    #[test]
    fn a_paused_node_goes_on_later() {
        let (timeline, mut executor) = timeline();
        let seen = Arc::new(Mutex::new(0));
        let (clock, at) = (Arc::clone(&timeline), Arc::clone(&seen));
        timeline.spawn(0, 0, async move {
            clock.sleep(10).await;
            *lock(&at) = clock.now_us();
        });
        timeline.pause(0, 70);
        executor.run(1_000, || false);
        // it is polled for the first time when the pause is over
        assert_eq!(*lock(&seen), 80);
    }
}
