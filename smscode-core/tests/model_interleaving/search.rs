//! Every schedule within the bounds, each state once.
//!
//! Depth first. A world cannot be copied, so a branch is entered by making its choices again from the beginning; the
//! first branch of every state goes on in the world that is there.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Condvar, Mutex};

use crate::base::Base;
use crate::canonical::{self, Digest};
use crate::choices::Choice;
use crate::invariants::Broken;
use crate::stored::Stored;
use crate::world::{Bounds, World};

/// Runs of one shrinking at most.
const SHRINK_MAX: usize = 300;

/// A schedule, newest step first: branches share their beginnings.
struct Path {
    choice: Choice,
    /// SMS that the customer had seen before this step: a run that is made again need not read.
    shown_before: u64,
    before: Option<Arc<Self>>,
}

/// A branch to be entered.
struct Branch {
    base: Arc<Base>,
    path: Option<Arc<Path>>,
}

/// What a search has seen.
#[derive(Default)]
pub(crate) struct Report {
    /// Digests of the distinct states.
    pub(crate) states: HashSet<u64>,
    pub(crate) steps: u64,
    runs: u64,
    deepest: usize,
    /// States in which nothing will happen any more by itself, by the order's state.
    ends: BTreeMap<String, u64>,
    /// Steps by their kind.
    kinds: BTreeMap<String, u64>,
    pub(crate) found: Option<Found>,
    remade: u64,
    /// Distinct states in which a new process finds itself.
    bases: usize,
}

impl Report {
    fn remade(&mut self, steps: usize) {
        self.runs += 1;
        self.remade += steps as u64;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (states, bases) = (self.states.len(), self.bases);
        writeln!(
            f,
            "{states} distinct states, {bases} crashes that differ; {} steps, deepest {}",
            self.steps, self.deepest
        )?;
        writeln!(f, "  {} runs with {} steps made again", self.runs, self.remade)?;
        writeln!(f, "  ends: {:?}", self.ends)?;
        write!(f, "  steps: {:?}", self.kinds)
    }
}

/// A violation.
pub(crate) struct Found {
    pub(crate) broken: Broken,
    pub(crate) schedule: Vec<Choice>,
}

#[derive(Default)]
struct Shared {
    todo: Vec<Branch>,
    seen: HashSet<u64>,
    /// Beginnings of a new process.
    crashes: HashSet<u64>,
    working: usize,
    report: Report,
}

struct Search {
    shared: Mutex<Shared>,
    more: Condvar,
}

/// Explores everything within the bounds, or up to the first violation.
pub(crate) fn explore(bounds: Bounds, workers: usize) -> Report {
    let first = Branch { base: Arc::new(Base::first(bounds)), path: None };
    let shared = Shared { todo: vec![first], ..Shared::default() };
    let search = Search { shared: Mutex::new(shared), more: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| search.work());
        }
    });
    let mut shared = search.shared.into_inner().unwrap();
    shared.report.states = shared.seen;
    shared.report.bases = shared.crashes.len();
    shared.report
}

impl Search {
    fn next(&self) -> Option<Branch> {
        let mut shared = self.shared.lock().unwrap();
        loop {
            if shared.report.found.is_some() {
                return None;
            }
            if let Some(branch) = shared.todo.pop() {
                shared.working += 1;
                return Some(branch);
            }
            if shared.working == 0 {
                return None;
            }
            shared = self.more.wait(shared).unwrap();
        }
    }

    fn work(&self) {
        /// Whoever waits must not wait for one that has failed.
        struct Done<'a>(&'a Search);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                if let Ok(mut shared) = self.0.shared.lock() {
                    shared.working -= 1;
                }
                self.0.more.notify_all();
            }
        }
        while let Some(branch) = self.next() {
            let _done = Done(self);
            self.run(branch);
        }
    }

    /// Makes a branch again from its base on, and goes on from there until a state that was seen before.
    fn run(&self, branch: Branch) {
        let Branch { base, mut path } = branch;
        let mut world = World::of(&base);
        let mut steps: Vec<Arc<Path>> = std::iter::successors(path.clone(), |path| path.before.clone()).collect();
        steps.reverse();
        for step in &steps {
            world.shown = step.shown_before;
            world.make(&step.choice);
        }
        let mut depth = base.before.len() + steps.len();
        self.shared.lock().unwrap().report.remade(steps.len());
        loop {
            let stored = world.stored();
            if !self.arrive(fingerprint(&world, &stored), path.as_deref(), depth) {
                return;
            }
            if let Err(broken) = self.judge(&mut world, &stored) {
                let schedule = schedule(&base, path.as_ref());
                self.shared.lock().unwrap().report.found.get_or_insert(Found { broken, schedule });
                return self.more.notify_all();
            }
            let (crashes, choices): (Vec<Choice>, Vec<Choice>) = world
                .choices(&stored)
                .into_iter()
                .partition(|choice| matches!(choice, Choice::Crash | Choice::CrashAway));
            for crash in crashes {
                self.crash(&world, &stored, crash, &base, path.as_ref());
            }
            let mut branches = choices.into_iter().map(|choice| {
                let next = Path { choice, shown_before: world.shown, before: path.clone() };
                Branch { base: base.clone(), path: Some(Arc::new(next)) }
            });
            let Some(first) = branches.next() else { return };
            let others: Vec<Branch> = branches.collect();
            if !others.is_empty() {
                self.shared.lock().unwrap().todo.extend(others);
                self.more.notify_all();
            }
            path = first.path;
            if let Some(path) = &path {
                world.make(&path.choice);
            }
            depth += 1;
        }
    }

    /// Notes a state; whether it is new and there is something to be done.
    fn arrive(&self, state: u64, path: Option<&Path>, depth: usize) -> bool {
        let mut shared = self.shared.lock().unwrap();
        let Shared { seen, report, .. } = &mut *shared;
        report.steps += 1;
        report.deepest = report.deepest.max(depth);
        if let Some(path) = path {
            *report.kinds.entry(path.choice.kind()).or_default() += 1;
        }
        report.found.is_none() && seen.insert(state)
    }

    fn judge(&self, world: &mut World, stored: &Stored) -> Result<(), Broken> {
        world.check(stored)?;
        if world.is_quiet(stored) {
            world.check_end(stored)?;
            let word = stored.order.as_ref().map_or("never placed", |(_, record)| record.state.word());
            *self.shared.lock().unwrap().report.ends.entry(word.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// A crash that leads to something new.
    fn crash(&self, world: &World, stored: &Stored, choice: Choice, base: &Arc<Base>, path: Option<&Arc<Path>>) {
        let away = choice == Choice::CrashAway;
        if !self.shared.lock().unwrap().crashes.insert(world.crash_digest(away, stored)) {
            return;
        }
        let mut crashed = world.crashed(away);
        crashed.faults += choice.cost(false);
        crashed.before = schedule(base, path);
        crashed.before.push(choice);
        self.shared.lock().unwrap().todo.push(Branch { base: Arc::new(crashed), path: None });
        self.more.notify_all();
    }
}

fn schedule(base: &Base, path: Option<&Arc<Path>>) -> Vec<Choice> {
    let newest_first = std::iter::successors(path, |path| path.before.as_ref());
    let mut steps: Vec<Choice> = newest_first.map(|path| path.choice.clone()).collect();
    steps.reverse();
    [base.before.clone(), steps].concat()
}

/// Two worlds with the same fingerprint have the same future.
fn fingerprint(world: &World, stored: &Stored) -> u64 {
    let mut digest = Digest::new();
    canonical::known(world, &mut digest);
    canonical::stored(stored, &mut digest);
    canonical::suppliers(&world.suppliers, &mut digest);
    let quiet = world.is_quiet(stored);
    let listens = stored.order.as_ref().is_some_and(|(_, record)| record.state.listens());
    let state = world.hub.lock();
    if !quiet {
        state.now.hash(&mut digest);
    }
    canonical::under_way(&state, stored, listens, &mut digest);
    digest.finish()
}

/// Runs a schedule, leaving out what is not there to be chosen, and then the world to its end; what broke, and the steps
/// that were made.
fn replay(bounds: Bounds, schedule: &[Choice]) -> (Option<Broken>, Vec<Choice>, World) {
    let mut world = World::of(&Base::first(bounds));
    let mut made = Vec::new();
    let mut rest = schedule.iter();
    loop {
        let stored = world.stored();
        let mut checked = world.check(&stored);
        if checked.is_ok() && world.is_quiet(&stored) {
            checked = world.check_end(&stored);
        }
        if let Err(broken) = checked {
            return (Some(broken), made, world);
        }
        let chosen = rest.find(|choice| world.apply(choice)).cloned();
        let chosen = chosen.or_else(|| {
            let choices = world.choices(&stored);
            let free = choices
                .into_iter()
                .find(|choice| !matches!(choice, Choice::Event(_)) && choice.cost(!world.is_free()) == 0)?;
            world.make(&free);
            Some(free)
        });
        match chosen {
            Some(choice) => made.push(choice),
            None => return (None, made, world),
        }
    }
}

/// A schedule as short as leaving out steps makes it, that still breaks a promise.
pub(crate) fn shrink(bounds: Bounds, found: Found) -> Found {
    let mut best = found;
    let mut tries = 0;
    let mut length = best.schedule.len() / 2;
    while length > 0 {
        let mut from = 0;
        while from < best.schedule.len() && tries < SHRINK_MAX {
            tries += 1;
            let end = (from + length).min(best.schedule.len());
            let shorter = [&best.schedule[..from], &best.schedule[end..]].concat();
            let (broken, made, _) = replay(bounds, &shorter);
            match broken {
                Some(broken) if made.len() < best.schedule.len() => best = Found { broken, schedule: made },
                _ => from += length,
            }
        }
        length /= 2;
    }
    best
}

/// The schedule with the order's state after every step, then why it is as it is, and the ledger.
pub(crate) fn tell(bounds: Bounds, found: &Found) -> String {
    let mut world = World::of(&Base::first(bounds));
    let mut text = format!("BROKEN: {}\n", found.broken);
    for (choice, number) in found.schedule.iter().zip(1..) {
        world.make(choice);
        let stored = world.stored();
        let state = stored.order.as_ref().map_or("nothing", |(_, record)| record.state.word());
        let at = world.hub.lock().now.ms_since(crate::world::BEGIN) / 1_000;
        let head = stored.head;
        let _ = writeln!(
            text,
            "{number:3}. {choice}\n       at {at} s: {state}, {} free, {} held",
            head.available, head.held
        );
    }
    let stored = world.stored();
    for one in &stored.transfers {
        let (number, after) = one.entry.map_or((0, (0, 0)), |entry| (entry.number, (entry.available, entry.held)));
        let _ = writeln!(text, "ledger {number}: {:?} {} ({}), then {after:?}", one.kind, one.amount, one.reason);
    }
    let _ = writeln!(text, "told: {:?}; {world:?}", world.told.lock().unwrap());
    text
}
