//! Hints: a supplier says by itself that something happened. It is never believed, only asked about; so nothing of it is
//! kept but the names of activations, in memory, until the next poll. A hint that is lost costs one pause between polls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::inner::Inner;
use crate::port::ActivationId;

/// Activations named between two polls; more are answered by asking about everything that is open.
const NAMED_MAX: usize = 1_000;
/// Longest name of an activation; a longer one is nobody's.
const NAME_MAX: usize = 128;

/// What a supplier has said since it was asked last.
#[derive(Default)]
pub(super) struct Hints(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    said: Said,
    taken: u64,
    unknown: u64,
}

/// Which activations are to be asked about.
#[derive(Default)]
pub(super) struct Said {
    /// With how often each was named.
    named: BTreeMap<ActivationId, u64>,
    all: bool,
}

impl Said {
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.all
    }

    pub(super) fn is_about(&self, activation: &ActivationId) -> bool {
        self.all || self.named.contains_key(activation)
    }

    /// How often something else was named than what is open.
    pub(super) fn unknown<'a>(&self, open: impl Iterator<Item = &'a ActivationId>) -> u64 {
        if self.named.is_empty() {
            return 0;
        }
        let open: BTreeSet<&ActivationId> = open.collect();
        self.named.iter().filter(|(id, _)| !open.contains(id)).map(|(_, times)| times).sum()
    }
}

impl Hints {
    /// Takes one in; none named means that anything may have happened.
    fn add(&self, activation: Option<&ActivationId>) {
        let mut kept = self.lock();
        kept.taken += 1;
        match activation {
            Some(id) if id.0.len() > NAME_MAX => kept.unknown += 1,
            Some(id) if kept.said.named.len() < NAMED_MAX => {
                *kept.said.named.entry(id.clone()).or_default() += 1;
            }
            Some(_) | None => kept.said.all = true,
        }
    }

    /// What was said since this was asked last.
    pub(super) fn take(&self) -> Said {
        std::mem::take(&mut self.lock().said)
    }

    /// So many of them were about no open order.
    pub(super) fn count_unknown(&self, count: u64) {
        self.lock().unknown += count;
    }

    /// How many came, and how many of them were about nothing that is open.
    pub(super) fn figures(&self) -> (u64, u64) {
        let kept = self.lock();
        (kept.taken, kept.unknown)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A supplier has said that something happened; `false` if there is no such supplier.
    pub(super) fn hint(&self, supplier: &str, activation: Option<&ActivationId>) -> bool {
        let Some(slot) = self.suppliers.get(supplier) else {
            return false;
        };
        slot.hints.add(activation);
        slot.bought.notify_one();
        true
    }
}
