//! Figures for measurements. No part of the port.

use std::sync::atomic::Ordering;

use crate::PostgresStore;

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresFigures {
    /// Commits that took effect, each once.
    pub commits: u64,
    /// Groups they were made durable in, one transaction and one sync each.
    pub groups: u64,
    /// Groups that were run again: another writer was faster, or the connection was lost.
    pub repeats: u64,
}

impl PostgresStore {
    /// The store's figures.
    pub fn figures(&self) -> PostgresFigures {
        PostgresFigures {
            commits: self.tallies.commits.load(Ordering::Relaxed),
            groups: self.tallies.groups.load(Ordering::Relaxed),
            repeats: self.tallies.repeats.load(Ordering::Relaxed),
        }
    }
}
