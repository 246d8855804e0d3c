//! Leases: which node does which part of the background work. Two nodes doing it at once do no harm; it only costs.

use serde::{Deserialize, Serialize};

use super::command::{Verdict, unreadable};
use super::inner::Inner;
use crate::store::{Body, Entry, Expect, Index, Key, Kind, LoadKey, Range, Row, Store, StoreError};
use crate::time::Timestamp;

const LEASE: Kind = Kind::of("lease");
/// More lanes than there are: some, and one for each supplier.
const LANES_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct LeaseRecord {
    v: u8,
    node: String,
    until: Timestamp,
}

impl Inner {
    /// Whether this node holds the lease of a lane now; takes or renews it if it can. A store that no other process
    /// can have open needs none: whoever held it before is gone.
    pub(super) async fn holds(&self, lane: &str) -> Result<bool, StoreError> {
        if !self.shared {
            return Ok(true);
        }
        let key = Key::free(LEASE, lane);
        // renewed when less than two thirds of it remain
        let renewed_ms = self.settings.lease_ms * 2 / 3;
        let taken = self
            .decide(&[LoadKey::Record(key.clone())], |snapshot, now| {
                let stored = snapshot.record(&key);
                let lease: Option<LeaseRecord> =
                    stored.map(|record| record.body.read()).transpose().map_err(|e| unreadable(&e))?;
                if let Some(lease) = &lease {
                    let mine = lease.node == self.node;
                    if mine && lease.until.ms_since(now) > renewed_ms {
                        return Ok(Verdict::Nothing(true));
                    }
                    if !mine && lease.until > now {
                        return Ok(Verdict::Nothing(false));
                    }
                }
                let fresh = LeaseRecord { v: 1, node: self.node.clone(), until: now.plus_ms(self.settings.lease_ms) };
                let put = Entry::Put {
                    key: key.clone(),
                    expect: stored.map_or(Expect::Absent, |record| Expect::Version(record.version)),
                    version: self.version(),
                    body: Body::write(&fresh).map_err(|e| unreadable(&e))?,
                    terms: Vec::new(),
                };
                Ok(Verdict::Commit(vec![put], true))
            })
            .await;
        match taken {
            Ok(mine) => Ok(mine),
            Err(super::command::Failed::Rule(error) | super::command::Failed::Store(error)) => Err(error),
            Err(super::command::Failed::NotFound) => Ok(false),
        }
    }
}

/// Until when nodes have taken background work of a store upon themselves: later than now, if one works with it. `None` for
/// a store that only one process can have open, or that no node has worked with.
///
/// # Errors
///
/// Those of the store.
pub async fn worked_on_until(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let page = store.scan(&Index::Kind(LEASE), &Range::all(), None, LANES_MAX).await?;
    let leases = page.rows.iter().filter_map(|row| match row {
        Row::Record { record, .. } => record.body.read::<LeaseRecord>().ok(),
        Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
    });
    Ok(leases.map(|lease| lease.until).max())
}
