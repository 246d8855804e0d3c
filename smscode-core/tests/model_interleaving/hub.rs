//! What holds everything back: the gates before every commit and every supplier's call, and the clock. Only the schedule
//! opens a gate or moves the clock.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, CallError, CancelOutcome, Clock, FinishOutcome,
};
use smscode_core::store::ChangeSet;
use smscode_core::time::Timestamp;

use crate::canonical::{self, Digest};

/// A request that nobody waits for any more may still arrive, for as long as a paid call lasts.
pub(crate) const UNDER_WAY_MS: i64 = 30_000;

/// A call of a supplier.
#[derive(Clone)]
pub(crate) enum Call {
    Buy,
    Poll(Vec<ActivationId>),
    Cancel(ActivationId),
    Finish(ActivationId),
    Active,
}

impl Call {
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Poll(_) => "poll",
            Self::Cancel(_) => "cancel",
            Self::Finish(_) => "finish",
            Self::Active => "active list",
        }
    }

    /// Whether it changes something at the supplier, so that it matters if it arrives after its sender has gone.
    pub(crate) const fn has_effect(&self) -> bool {
        matches!(self, Self::Buy | Self::Cancel(_) | Self::Finish(_))
    }
}

/// What stands behind a gate.
#[derive(Clone)]
pub(crate) enum What {
    Commit(Arc<ChangeSet>),
    Call(usize, Call),
}

/// What a gate lets through.
#[derive(Clone)]
pub(crate) enum Answer {
    Go,
    Bought(BuyOutcome),
    States(Result<Vec<ActivationState>, CallError>),
    Cancelled(CancelOutcome),
    Finished(FinishOutcome),
    Active(Result<Vec<Activation>, CallError>),
}

impl Answer {
    /// What it says, without names and times.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Go => "go".into(),
            Self::Bought(BuyOutcome::Accepted(_)) => "accepted".into(),
            Self::Bought(BuyOutcome::RejectedUncharged(_)) => "rejected".into(),
            Self::Bought(BuyOutcome::NotSent(_)) => "not sent".into(),
            Self::Bought(BuyOutcome::Unknown(_)) => "unknown".into(),
            Self::States(Ok(states)) => format!("{states:?}"),
            Self::Cancelled(outcome) => format!("{outcome:?}"),
            Self::Finished(outcome) => format!("{outcome:?}"),
            Self::Active(Ok(list)) => format!("{list:?}"),
            Self::States(Err(_)) | Self::Active(Err(_)) => "no usable answer".into(),
        }
    }
}

/// How far what stands behind a gate has come.
#[derive(Clone)]
pub(crate) enum Phase {
    /// Wanted: a commit before its effect, a request on its way to the supplier.
    Asked,
    /// The supplier has done it; its answer is on its way back.
    Taken(Answer),
    /// Here. Removed as soon as its task looks.
    Here(Answer),
}

pub(crate) struct Gate {
    pub(crate) what: What,
    pub(crate) phase: Phase,
    pub(crate) label: String,
    /// What it is, without names and times.
    pub(crate) digest: u64,
    pub(crate) task: usize,
    /// Its sender has gone, and by then it has arrived or never will.
    pub(crate) orphan_until: Option<Timestamp>,
    waker: Waker,
}

pub(crate) struct Sleeper {
    pub(crate) at: Timestamp,
    /// How long it meant to sleep.
    pub(crate) ms: i64,
    pub(crate) task: usize,
    waker: Waker,
}

/// A task of the engine, known by its waker; the waker is kept, so that no other gets the same address.
struct Known {
    waker: Waker,
    /// What it has been through, so that two that wait for the same thing are told apart by what they do afterwards.
    history: u64,
    /// One of the loops that never end: what they have been through means nothing.
    root: bool,
}

pub(crate) struct State {
    pub(crate) now: Timestamp,
    /// Nothing is held back: while a world is made.
    pub(crate) passing: bool,
    pub(crate) gates: BTreeMap<u64, Gate>,
    pub(crate) sleepers: BTreeMap<u64, Sleeper>,
    /// What has just arrived, for tasks that begin because of it.
    pub(crate) birth: u64,
    tasks: Vec<Known>,
    next: u64,
}

impl State {
    fn task_of(&mut self, waker: &Waker) -> usize {
        if let Some(at) = self.tasks.iter().position(|known| known.waker.will_wake(waker)) {
            return at;
        }
        self.tasks.push(Known { waker: waker.clone(), history: self.birth, root: false });
        self.tasks.len() - 1
    }

    fn went_through(&mut self, task: usize, what: u64, end: &str) {
        let known = &mut self.tasks[task];
        let mut digest = Digest::new();
        (known.history, what, end).hash(&mut digest);
        known.history = digest.finish();
    }

    pub(crate) fn is_root(&self, task: usize) -> bool {
        self.tasks[task].root
    }

    pub(crate) fn history(&self, task: usize) -> u64 {
        self.tasks[task].history
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Shared by everything in a world.
pub(crate) struct Hub(Mutex<State>);

impl Hub {
    pub(crate) fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            now,
            passing: true,
            gates: BTreeMap::new(),
            sleepers: BTreeMap::new(),
            birth: 0,
            tasks: Vec::new(),
            next: 0,
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Makes a task known: a loop for ever, or a command of the customer's.
    pub(crate) fn introduce(&self, waker: &Waker, root: bool, name: &str) {
        let mut digest = Digest::new();
        name.hash(&mut digest);
        let history = digest.finish();
        self.lock().tasks.push(Known { waker: waker.clone(), history, root });
    }

    /// A request of a life that has ended, still on its way.
    pub(crate) fn on_its_way(&self, supplier: usize, call: Call, until: Timestamp) {
        let what = What::Call(supplier, call);
        let (label, digest) = canonical::what(&what);
        let waker = Waker::noop().clone();
        let mut state = self.lock();
        let number = state.number();
        let gate = Gate { what, phase: Phase::Asked, label, digest, task: 0, orphan_until: Some(until), waker };
        state.gates.insert(number, gate);
    }

    /// Waits at a gate.
    pub(crate) fn wait(self: &Arc<Self>, what: What) -> Waiting {
        Waiting { hub: self.clone(), what, number: None }
    }

    /// Sets how far a gate has come, and wakes who waits there.
    pub(crate) fn set(&self, number: u64, phase: Phase) {
        let mut state = self.lock();
        let Some(gate) = state.gates.get_mut(&number) else { return };
        if gate.orphan_until.is_some() {
            // nobody hears the answer
            state.gates.remove(&number);
            return;
        }
        let here = matches!(phase, Phase::Here(_));
        gate.phase = phase;
        let waker = gate.waker.clone();
        drop(state);
        if here {
            waker.wake();
        }
    }

    /// Moves the clock and wakes who has slept until then.
    pub(crate) fn move_to(&self, at: Timestamp) {
        let mut state = self.lock();
        state.now = at;
        state.gates.retain(|_, gate| gate.orphan_until.is_none_or(|until| at < until));
        let wakers: Vec<Waker> =
            state.sleepers.values().filter(|sleeper| sleeper.at <= at).map(|sleeper| sleeper.waker.clone()).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A wait at a gate.
pub(crate) struct Waiting {
    hub: Arc<Hub>,
    what: What,
    number: Option<u64>,
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let hub = self.hub.clone();
        let mut state = hub.lock();
        if state.passing {
            return Poll::Ready(Answer::Go);
        }
        let Some(number) = self.number else {
            let number = state.number();
            let task = state.task_of(context.waker());
            let (label, digest) = canonical::what(&self.what);
            let waker = context.waker().clone();
            let what = self.what.clone();
            let gate = Gate { what, phase: Phase::Asked, label, digest, task, orphan_until: None, waker };
            state.gates.insert(number, gate);
            self.number = Some(number);
            return Poll::Pending;
        };
        let gate = state.gates.get_mut(&number).expect("a gate is there as long as somebody waits");
        let Phase::Here(answer) = gate.phase.clone() else {
            gate.waker = context.waker().clone();
            return Poll::Pending;
        };
        let gate = state.gates.remove(&number).expect("it was just found");
        state.went_through(gate.task, gate.digest, &answer.word());
        self.number = None;
        Poll::Ready(answer)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.hub.lock();
        let Some(gate) = state.gates.remove(&number) else { return };
        state.went_through(gate.task, gate.digest, "given up");
    }
}

struct Sleep {
    hub: Arc<Hub>,
    at: Timestamp,
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let hub = self.hub.clone();
        let mut state = hub.lock();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        let number = match self.number {
            Some(number) => number,
            None => state.number(),
        };
        self.number = Some(number);
        let (task, ms) = (state.task_of(context.waker()), self.at.ms_since(state.now));
        let fresh = Sleeper { at: self.at, ms, task, waker: context.waker().clone() };
        let sleeper = state.sleepers.entry(number).or_insert(fresh);
        sleeper.waker = context.waker().clone();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.hub.lock().sleepers.remove(&number);
        }
    }
}

/// The clock of a world.
pub(crate) struct HubClock(pub(crate) Arc<Hub>);

#[async_trait]
impl Clock for HubClock {
    fn now(&self) -> Timestamp {
        self.0.lock().now
    }

    async fn sleep_until(&self, at: Timestamp) {
        Sleep { hub: self.0.clone(), at, number: None }.await;
    }
}
