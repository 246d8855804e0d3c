//! Permits for several nodes on one store: each draws a slice of the second's permits, so that a request costs no commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::port::{Entropy, Limiter, Permit, Urgency};
use crate::store::{Body, ChangeSet, Entry, Expect, Key, Kind, LoadKey, OperationId, Store};
use crate::time::Timestamp;

/// Permits of the present second, one record for each supplier. A record and not a counter for each second, since nothing
/// ever removes a counter.
const PERMITS: Kind = Kind::of("permits");

/// How often a draw is tried again when another node was faster.
const CONFLICTS_MAX: u32 = 5;

/// A clock of another node is not believed to be ahead by more than this.
const AHEAD_SECONDS: i64 = 30;

/// The first part of a second is for those who were refused in the one before.
const AWAITED_MS: i64 = 500;

/// When the store did not answer, it is asked again after this.
const AGAIN_MS: i64 = 250;

#[derive(Serialize, Deserialize)]
struct PermitsRecord {
    v: u8,
    /// Which second, since 1970.
    second: i64,
    /// How many of it all nodes have drawn.
    drawn: u32,
}

/// What a node has of one supplier's permits.
#[derive(Clone, Copy, Default)]
struct Slice {
    second: i64,
    left: u32,
    /// Given out in this second, and in the one before: as many are drawn at once.
    used: u32,
    used_before: u32,
    /// Nothing is left of this second at all.
    dry: bool,
    /// Somebody urgent was refused in this second, and in the one before: he comes again.
    awaited: bool,
    awaited_before: bool,
}

/// A [`Limiter`] for all nodes on one store. Whoever is slower to draw gets half of what is left, so that no node takes all.
pub(super) struct SharedLimiter {
    store: Arc<dyn Store>,
    entropy: Arc<dyn Entropy>,
    slices: Mutex<BTreeMap<String, Slice>>,
}

impl SharedLimiter {
    pub(super) fn new(store: Arc<dyn Store>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, entropy, slices: Mutex::new(BTreeMap::new()) }
    }

    /// Draws permits of this second; none if it has no more, `None` if the store would not say.
    async fn draw(&self, permit: Permit<'_>, wanted: u32, now: Timestamp) -> Option<u32> {
        let key = Key::free(PERMITS, permit.supplier);
        for _ in 0..CONFLICTS_MAX {
            let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await.ok()?;
            let stored = snapshot.record(&key);
            let record: Option<PermitsRecord> = stored.and_then(|stored| stored.body.read().ok());
            // a node whose clock is a little ahead has begun the next second for all
            let begun =
                record.as_ref().map(|record| record.second).filter(|second| *second <= now.seconds() + AHEAD_SECONDS);
            let second = begun.unwrap_or(i64::MIN).max(now.seconds());
            let drawn = record.filter(|record| record.second == second).map_or(0, |record| record.drawn);
            let rest = permit.a_second.saturating_sub(drawn);
            let drawing = wanted.min(rest.div_ceil(2));
            if drawing == 0 {
                return Some(0);
            }
            let put = Entry::Put {
                key: key.clone(),
                expect: stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version)),
                version: u64::from_be_bytes(self.random()),
                body: Body::write(&PermitsRecord { v: 1, second, drawn: drawn + drawing }).ok()?,
                terms: Vec::new(),
            };
            let mut change_set = ChangeSet::new(OperationId(self.random()), now);
            change_set.push(put);
            match self.store.commit(Arc::new(change_set.seal(Body::empty()))).await {
                Ok(_) => return Some(drawing),
                Err(error) if error.is_conflict() => {}
                // what may have been drawn is lost, and costs a fraction of a second
                Err(_) => return None,
            }
        }
        None
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

#[async_trait]
impl Limiter for SharedLimiter {
    async fn take(&self, permit: Permit<'_>, now: Timestamp) -> Result<(), Timestamp> {
        // held while drawing: who comes meanwhile is served from what was drawn
        let mut slices = self.slices.lock().await;
        let slice = slices.entry(permit.supplier.to_owned()).or_default();
        let second = now.seconds();
        if slice.second != second {
            let before = if slice.second == second - 1 { *slice } else { Slice::default() };
            let (used_before, awaited_before) = (before.used, before.awaited);
            *slice = Slice { second, used_before, awaited_before, ..Slice::default() };
        }
        let next_second = Timestamp::from_seconds(second + 1);
        let half = Timestamp::from_seconds(second).plus_ms(AWAITED_MS);
        if permit.urgency == Urgency::Later && slice.awaited_before && now < half {
            return Err(half);
        }
        let kept = match permit.urgency {
            Urgency::First => 0,
            // half of what this node used, for those who wait
            Urgency::Later => slice.used_before.min(permit.a_second) / 2,
        };
        if slice.left <= kept && !slice.dry {
            // as many as in the second before; a node that wakes up doubles
            let wanted = slice.used_before.saturating_sub(slice.used).max(slice.used).max(kept + 1);
            match self.draw(permit, wanted, now).await {
                Some(0) => slice.dry = true,
                Some(drawn) => slice.left += drawn,
                None => return Err(now.plus_ms(AGAIN_MS)),
            }
        }
        // in a dry second polls leave the rest alone, unless nobody urgent was there to want it
        if slice.left == 0 || (slice.dry && slice.left <= kept) {
            slice.awaited |= permit.urgency == Urgency::First;
            return Err(next_second);
        }
        slice.left -= 1;
        slice.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::SharedLimiter;
    use crate::port::{Entropy, Limiter, Permit, Urgency};
    use crate::store::{MemoryStore, Store};
    use crate::time::Timestamp;

    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for chunk in buffer.chunks_mut(8) {
                let number = self.0.fetch_add(1, Ordering::Relaxed);
                chunk.copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[..chunk.len()]);
            }
        }
    }

    fn node(store: &Arc<MemoryStore>, seed: u64) -> SharedLimiter {
        let store: Arc<dyn Store> = store.clone();
        SharedLimiter::new(store, Arc::new(Counting(AtomicU64::new(seed << 32))))
    }

    async fn through(node: &SharedLimiter, asked: u32, urgency: Urgency, ms: i64) -> u32 {
        let now = Timestamp::from_seconds(1_000_000).plus_ms(ms);
        let mut through = 0;
        for _ in 0..asked {
            let permit = Permit { supplier: "alpha", a_second: 20, urgency };
            match node.take(permit, now).await {
                Ok(()) => through += 1,
                Err(again) => assert!(again > now),
            }
        }
        through
    }

    #[tokio::test]
    async fn two_nodes_have_one_second_between_them() {
        let store = Arc::new(MemoryStore::new());
        let (one, other) = (node(&store, 1), node(&store, 2));
        for second in 0..10 {
            let ms = second * 1_000;
            let (mut first, mut then) = (0, 0);
            for _ in 0..30 {
                first += through(&one, 1, Urgency::First, ms).await;
                then += through(&other, 1, Urgency::First, ms).await;
            }
            assert_eq!(first + then, 20, "second {second}");
            assert!(first >= 5 && then >= 5, "second {second}: {first} and {then}");
        }
        let commits = store.figures().commits;
        assert!(commits <= 10 * 12, "{commits} commits for 200 permits");
    }

    #[tokio::test]
    async fn one_node_alone_gets_all_of_it_and_commits_seldom() {
        let store = Arc::new(MemoryStore::new());
        let node = node(&store, 1);
        for second in 0..5 {
            assert_eq!(through(&node, 40, Urgency::First, second * 1_000).await, 20, "second {second}");
        }
        // half of the rest at a time: 10, 5, 3, 1, 1, and a look that finds nothing
        let commits = store.figures().commits;
        assert!(commits <= 20 + 4 * 5, "{commits}");
    }

    #[tokio::test]
    async fn polls_leave_half_to_who_waits() {
        let store = Arc::new(MemoryStore::new());
        let node = node(&store, 1);
        assert_eq!(through(&node, 20, Urgency::First, 0).await, 20);
        let polls = through(&node, 30, Urgency::Later, 1_000).await;
        assert!((8..=12).contains(&polls), "{polls}");
        assert_eq!(polls + through(&node, 30, Urgency::First, 1_500).await, 20);
    }
}
