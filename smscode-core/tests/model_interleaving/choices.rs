//! What a schedule can choose next.

use std::fmt;
use std::hash::{Hash, Hasher};

use smscode_core::port::ActivationState;

use crate::canonical::Digest;
use crate::hub::{Answer, Call, Gate, Phase, What};
use crate::stored::Stored;
use crate::supplier::Manner;
use crate::world::{World, Wrong};

/// What comes from outside, each at most once. The order is placed at the beginning; the supplier's answers are gates,
/// the expiry is time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Event {
    Sms,
    SecondSms,
    /// An SMS that comes after the end at the supplier, which shows it.
    LateSms,
    Cancel,
    Finish,
    DeleteAccount,
}

/// A gate by its name for people: the same in a schedule of which steps were left out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Pick {
    label: String,
    taken: bool,
    pub(crate) nth: usize,
}

impl Pick {
    pub(crate) fn means(&self, gate: &Gate) -> bool {
        self.label == gate.label && self.taken == matches!(gate.phase, Phase::Taken(_))
    }
}

/// One step of a schedule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Choice {
    /// A commit takes effect.
    Commit(Pick),
    /// A supplier takes a request.
    Takes(Pick, Manner),
    /// Its answer arrives.
    Answers(Pick),
    /// Its answer is lost, and the caller knows that it is.
    Lost(Pick),
    Event(Event),
    /// Time passes until something is wanted or given up.
    Time,
    /// The process dies and begins again.
    Crash,
    /// The same, and it is away until after the window.
    CrashAway,
}

impl Choice {
    /// What it takes of the bound on faults; `held` is whether something waits at a gate, so that time is a stall.
    pub(crate) fn cost(&self, held: bool) -> u8 {
        match self {
            Self::Takes(_, Manner::Refuses) | Self::Lost(_) | Self::Crash | Self::CrashAway => 1,
            Self::Time => u8::from(held),
            Self::Commit(_) | Self::Takes(_, Manner::Does) | Self::Answers(_) | Self::Event(_) => 0,
        }
    }

    /// The kind of step, for the coverage.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Commit(_) => "commit".into(),
            Self::Takes(pick, Manner::Does) => format!("taken: {}", pick.call()),
            Self::Takes(pick, Manner::Refuses) => format!("refused: {}", pick.call()),
            Self::Answers(pick) => format!("answered: {}", pick.call()),
            Self::Lost(pick) => format!("answer lost: {}", pick.call()),
            Self::Event(event) => format!("{event:?}"),
            Self::Time => "time".into(),
            Self::Crash => "crash".into(),
            Self::CrashAway => "crash, away over the window's end".into(),
        }
    }
}

impl Pick {
    fn call(&self) -> &str {
        self.label.split(" at ").next().unwrap_or_default()
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(pick) => write!(f, "takes effect: {}", pick.label),
            Self::Takes(pick, Manner::Does) => write!(f, "the supplier takes: {}", pick.label),
            Self::Takes(pick, Manner::Refuses) => write!(f, "the supplier refuses: {}", pick.label),
            Self::Answers(pick) => write!(f, "its answer arrives: {}", pick.label),
            Self::Lost(pick) => write!(f, "its answer is lost: {}", pick.label),
            Self::Event(event) => write!(f, "from outside: {event:?}"),
            Self::Time => write!(f, "time passes"),
            Self::Crash => write!(f, "the process dies and begins again"),
            Self::CrashAway => write!(f, "the process dies and begins again after the window"),
        }
    }
}

/// What tells tasks apart that begin because of an answer.
pub(crate) fn birth(answer: &Answer) -> u64 {
    let Answer::States(Ok(states)) = answer else { return 0 };
    let mut digest = Digest::new();
    matches!(states.first(), Some(ActivationState::Ended)).hash(&mut digest);
    digest.finish()
}

impl World {
    /// Everything that can be chosen now.
    pub(crate) fn choices(&self, stored: &Stored) -> Vec<Choice> {
        let mut choices = Vec::new();
        let may = |wrong| self.faults == 0 && self.bounds.wrong == wrong;
        let (may_fail, may_crash) = (may(Wrong::Supplier), may(Wrong::Crash));
        let mut held = false;
        {
            let state = self.hub.lock();
            let mut seen: Vec<Pick> = Vec::new();
            for gate in state.gates.values() {
                held |= gate.orphan_until.is_none();
                let (label, taken) = (gate.label.clone(), matches!(gate.phase, Phase::Taken(_)));
                let nth = seen.iter().filter(|pick| pick.label == label && pick.taken == taken).count();
                let pick = Pick { label, taken, nth };
                seen.push(pick.clone());
                match (&gate.what, &gate.phase) {
                    (What::Commit(_), _) => choices.push(Choice::Commit(pick)),
                    (What::Call(_, call), Phase::Asked) => {
                        choices.push(Choice::Takes(pick.clone(), Manner::Does));
                        let may_refuse = matches!(call, Call::Buy | Call::Cancel(_));
                        if may_fail && may_refuse && gate.orphan_until.is_none() {
                            choices.push(Choice::Takes(pick, Manner::Refuses));
                        }
                    }
                    (What::Call(..), Phase::Taken(_)) => {
                        choices.push(Choice::Answers(pick.clone()));
                        if may_fail {
                            choices.push(Choice::Lost(pick));
                        }
                    }
                    (What::Call(..), Phase::Here(_)) => {}
                }
            }
        }
        let unused = self.bounds.events.iter().filter(|event| !self.used.contains(event));
        choices.extend(unused.filter(|event| self.can_happen(**event, stored)).map(|event| Choice::Event(*event)));
        let passes = self.next_instant(stored).is_some();
        if passes && (may_fail || !held) {
            choices.push(Choice::Time);
        }
        if may_crash && (passes || held) {
            choices.extend([Choice::Crash, Choice::CrashAway]);
        }
        choices
    }

    fn can_happen(&self, event: Event, stored: &Stored) -> bool {
        match event {
            Event::Sms | Event::SecondSms | Event::LateSms => {
                self.suppliers.iter().any(|supplier| supplier.can_deliver(event))
            }
            Event::Cancel | Event::Finish => stored.order.is_some(),
            Event::DeleteAccount => true,
        }
    }

    /// Nothing waits, and nothing will happen by itself.
    pub(crate) fn is_quiet(&self, stored: &Stored) -> bool {
        self.hub.lock().gates.is_empty() && self.next_instant(stored).is_none()
    }
}
