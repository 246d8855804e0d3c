//! Figures for measurements. No part of the port.

use super::{Data, Key, MemoryStore};

/// What a [`MemoryStore`] has done, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryFigures {
    /// Commits that took effect, each once.
    pub commits: u64,
    /// Groups they were judged and written in.
    pub groups: u64,
    /// Rows, counted as an adapter with tables has them: an index term and a transfer's id are rows, too.
    pub rows: u64,
    /// Bytes of keys and documents, numbers at their width. What the maps cost beyond that is not in it.
    pub bytes: u64,
}

impl MemoryStore {
    /// The store's figures. Walks over everything: for measurements only.
    pub fn figures(&self) -> MemoryFigures {
        let data = self.lock();
        let sizes = data.sizes();
        MemoryFigures {
            commits: data.commits,
            groups: data.groups,
            rows: sizes.iter().map(|(rows, _)| *rows as u64).sum(),
            bytes: sizes.iter().map(|(_, bytes)| *bytes as u64).sum(),
        }
    }
}

impl Data {
    /// Rows and bytes of each map.
    fn sizes(&self) -> [(usize, usize); 8] {
        const NUMBER: usize = size_of::<u64>();
        const OWNER: usize = 16;
        let key = |key: &Key| key.kind.as_str().len() + OWNER + key.id.len();
        let records = self.records.iter();
        let records = records.map(|(at, record)| key(at) + NUMBER + record.body.as_bytes().len());
        let terms = self.terms.iter();
        let terms = terms.map(|(index, at, of)| index.as_str().len() + at.len() + key(of));
        let counters = self.counters.keys();
        let counters = counters.map(|at| OWNER + at.name.len() + at.period.len() + NUMBER);
        let transfers = self.transfers.values();
        let transfers = transfers.map(|it| {
            // number, time, amount and three buckets, both places
            let numbers = OWNER + 6 * NUMBER + 2 * OWNER;
            numbers + it.id.0.len() + it.subject.len() + it.reason.len() + it.actor.len()
        });
        let events = self.events.values();
        let events = events.map(|event| OWNER + 2 * NUMBER + event.body.as_bytes().len());
        let operations = self.operations.values().map(|operation| {
            let receipt = &operation.receipt;
            let numbers = receipt.transfers.len() * 3 + receipt.events.len() + receipt.counters.len();
            // id, fingerprint, time
            OWNER + 32 + NUMBER + numbers * NUMBER + receipt.outcome.as_bytes().len()
        });
        [
            (self.records.len(), records.sum()),
            (self.terms.len(), terms.sum()),
            (self.heads.len(), self.heads.len() * (OWNER + 6 * NUMBER)),
            (self.counters.len(), counters.sum()),
            (self.transfers.len(), transfers.sum()),
            (self.transfer_ids.len(), self.transfer_ids.iter().map(|id| id.0.len()).sum()),
            (self.events.len(), events.sum()),
            (self.operations.len(), operations.sum()),
        ]
    }
}
