//! Which nodes work with a store, and what each of them may take of a supplier's places for paid calls: as many as there
//! are, divided by the nodes. A place is not taken by a commit of its own, so between a node's start and the others' next
//! look there may be more calls under way than the supplier has named, for a third of a lease.

use std::sync::PoisonError;

use futures_util::future::pending;
use serde::{Deserialize, Serialize};

use super::command::{Failed, Verdict, unreadable};
use super::inner::{Inner, Slot};
use crate::store::{Body, Entry, Expect, Index, Key, Kind, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// Nodes that are there.
const NODE: Kind = Kind::of("node");
/// Nodes that are counted: more than share a database. One beyond them takes part all the same.
const NODES_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct NodeRecord {
    v: u8,
    until: Timestamp,
}

impl Inner {
    /// Says for ever that this node is there, and shares the suppliers' places with the others.
    pub(super) async fn keep_presence(&self) {
        if !self.shared {
            return pending().await;
        }
        loop {
            self.clock.sleep_until(self.now().plus_ms(self.settings.lease_ms / 3)).await;
            self.share_places().await;
        }
    }

    /// One look: says that this node is there, counts those that are, and takes its share.
    pub(super) async fn share_places(&self) {
        if !self.shared {
            return;
        }
        match self.nodes().await {
            Ok(nodes) => self.suppliers.values().for_each(|slot| slot.share(nodes)),
            // the share stays what it was
            Err(error) => tracing::error!(%error, "the nodes could not be counted"),
        }
    }

    async fn nodes(&self) -> Result<usize, StoreError> {
        let here = self.be_there().await;
        match here {
            Ok(()) | Err(Failed::NotFound) => {}
            Err(Failed::Rule(error) | Failed::Store(error)) => return Err(error),
        }
        let page = self.store.scan(&Index::Kind(NODE), &Range::all(), None, NODES_MAX).await?;
        let now = self.now();
        let (mut nodes, mut gone) = (0, Vec::new());
        for row in page.rows {
            let Row::Record { key, record, .. } = row else { continue };
            let until = record.body.read::<NodeRecord>().map_err(|e| unreadable(&e))?.until;
            if until > now {
                nodes += 1;
            } else if now.ms_since(until) > self.settings.lease_ms {
                gone.push(Entry::Delete { key, expect: Expect::Version(record.version) });
            }
        }
        if !gone.is_empty() {
            match self.commit(gone, now).await {
                // another node was faster, or it is there again
                Err(error) if !error.is_conflict() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(nodes.max(1))
    }

    async fn be_there(&self) -> Result<(), Failed<StoreError>> {
        let key = Key::free(NODE, self.node.as_str());
        self.decide(&[LoadKey::Record(key.clone())], |snapshot, now| {
            let put = Entry::Put {
                key: key.clone(),
                expect: snapshot.record(&key).map_or(Expect::Absent, |stored| Expect::Version(stored.version)),
                version: self.version(),
                body: Body::write(&NodeRecord { v: 1, until: now.plus_ms(self.settings.lease_ms) })
                    .map_err(|e| unreadable(&e))?,
                terms: Vec::new(),
            };
            Ok(Verdict::Commit(vec![put], ()))
        })
        .await
    }
}

/// The places that a node has among `nodes`: at least one each, also where there are more nodes than places.
fn share_of(places: u32, nodes: usize) -> usize {
    (usize::try_from(places).unwrap_or(1) / nodes.max(1)).max(1)
}

impl Slot {
    /// Takes this node's share of the places. Calls under way keep theirs; what they hold too much goes at a later look.
    fn share(&self, nodes: usize) {
        let wanted = share_of(self.info.capabilities.concurrency, nodes);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted > state.places {
            self.calls.add_permits(wanted - state.places);
            state.places = wanted;
        } else {
            state.places -= self.calls.forget_permits(state.places - wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn each_node_has_its_share() {
        let table = [(64, 0, 64), (64, 1, 64), (64, 2, 32), (5, 2, 2), (4, 4, 1), (4, 9, 1), (0, 1, 1), (1, 1, 1)];
        for (places, nodes, share) in table {
            assert_eq!(share_of(places, nodes), share, "{places} places, {nodes} nodes");
        }
    }
}
