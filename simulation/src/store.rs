//! The store as a node reaches it: slow, away for moments, and with commits whose effect nobody knows. What takes effect is
//! seen by the invariants at once.

use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::store::{
    ChangeSet, Cursor, Effect, Index, LoadKey, Page, Range, Receipt, Snapshot, Store, StoreError, StoreInfo, Totals,
};
use tokio::sync::oneshot;

use crate::plan::CommitFault;
use crate::world::{Moment, World, lock, wait_for};

/// One way of a request to the store, in microseconds.
const WAY_US: i64 = 600;
/// A store that stalls is given up by a node after this, the effect unknown.
const GIVEN_UP_US: i64 = 10_000_000;

/// The store of one life of a node.
pub(crate) struct NodeStore {
    pub(crate) world: Arc<World>,
    pub(crate) node: usize,
    pub(crate) life: u64,
}

fn away(effect: Effect) -> StoreError {
    StoreError::Unavailable { store: "simulated", effect, reason: "the plan wants it".into() }
}

type Committed = Result<Receipt, StoreError>;

/// A commit on its way: it arrives whoever has died.
struct Sent {
    world: Arc<World>,
    node: usize,
    life: u64,
    change_set: Arc<ChangeSet>,
}

impl Sent {
    /// The commit takes effect now.
    fn arrive(&self) -> Committed {
        let world = &self.world;
        let lives = world.lives(self.node, self.life);
        if !lives && world.shape.nodes == 1 {
            // a store that one process has for itself dies with it
            return Err(away(Effect::Unknown));
        }
        let done = wait_for(world.store.commit(Arc::clone(&self.change_set)));
        match &done {
            Ok(receipt) if !receipt.replayed => {
                if !lives {
                    world.hit("node: commit of a dead node");
                }
                let seen = crate::invariants::committed(world, (self.node, self.life), &self.change_set, receipt);
                for _ in 0..seen.callings {
                    world.reach(self.node, Moment::Committed);
                }
            }
            Ok(_) => {}
            Err(error) => {
                if error.is_conflict() {
                    world.hit("store: conflict");
                }
                world.tell("refused", [self.node as u64, 0, 0], || error.to_string());
            }
        }
        done
    }

    /// Arrives after a while, is answered after another. `hide` puts an answer in place of the true one.
    fn carry(self, there_us: i64, back_us: i64, reply: oneshot::Sender<Committed>, hide: Option<Committed>) {
        let timeline = Arc::clone(&self.world.timeline);
        let at = Arc::clone(&timeline);
        timeline.after(there_us, move || {
            let done = self.arrive();
            at.after(back_us, move || {
                if done.is_ok() && hide.is_none() && self.world.lives(self.node, self.life) {
                    lock(&self.world.watch).acknowledged((self.node, self.life), self.change_set.operation);
                }
                // the caller may be gone
                drop(reply.send(hide.unwrap_or(done)));
            });
        });
    }
}

impl NodeStore {
    /// The way to the store for a read; half of them take no time, so that a run is not only waiting.
    async fn read(&self) -> Result<(), StoreError> {
        let timeline = &self.world.timeline;
        let now = timeline.now_us();
        let (nth, stalled_until_us, busy) = {
            let mut stored = lock(&self.world.stored);
            stored.reads += 1;
            (stored.reads - 1, stored.stalled_until_us, stored.is_busy(self.node, now))
        };
        if busy {
            lock(&self.world.watch).stuck(now, format!("node {} reads the store in a loop without a pause", self.node));
        }
        if let Some(item) = self.world.faults.reads.get(&nth) {
            self.world.used(*item);
            self.world.hit("store: read fails");
            timeline.sleep(self.world.about(WAY_US)).await;
            return Err(away(Effect::No));
        }
        if stalled_until_us > timeline.now_us() {
            timeline.sleep_until(stalled_until_us).await;
        }
        self.way().await;
        Ok(())
    }

    async fn way(&self) {
        if self.world.toss(500) {
            self.world.timeline.sleep(self.world.about(WAY_US)).await;
        }
    }
}

#[async_trait]
impl Store for NodeStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        let mut info = self.world.store.describe().await?;
        info.shared = self.world.shape.nodes > 1;
        Ok(info)
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.read().await?;
        let loaded = self.world.store.load(keys).await;
        self.way().await;
        loaded
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        let world = &self.world;
        let (nth, stalled_us) = {
            let mut stored = lock(&world.stored);
            stored.commits += 1;
            (stored.commits - 1, (stored.stalled_until_us - world.timeline.now_us()).max(0))
        };
        let (reply, answer) = oneshot::channel();
        let sent = Sent { world: Arc::clone(world), node: self.node, life: self.life, change_set };
        let (there, back) = (stalled_us + world.about(WAY_US), world.about(WAY_US));
        let fault = world.faults.commits.get(&nth).map(|(item, fault)| {
            world.used(*item);
            *fault
        });
        let unknown = || Some(Err(away(Effect::Unknown)));
        match fault {
            Some(CommitFault::No) => {
                world.hit("store: refused");
                world.timeline.after(there, move || drop(reply.send(Err(away(Effect::No)))));
            }
            Some(CommitFault::UnknownNotDone) => {
                world.hit("store: unknown, not done");
                world.timeline.after(there, move || drop(reply.send(Err(away(Effect::Unknown)))));
            }
            Some(CommitFault::UnknownDone) => {
                world.hit("store: unknown, done");
                sent.carry(there, back, reply, unknown());
            }
            Some(CommitFault::UnknownLater(ms)) => {
                world.hit("store: unknown, done later");
                world.timeline.after(there, move || drop(reply.send(Err(away(Effect::Unknown)))));
                // nobody waits for the answer of the one on its way
                sent.carry(there + ms * 1_000, back, oneshot::channel().0, unknown());
            }
            Some(CommitFault::Slow(ms)) => {
                world.hit("store: slow");
                sent.carry(there + ms * 1_000, back, reply, None);
            }
            Some(CommitFault::AnswerLate(ms)) => {
                world.hit("store: answer late");
                sent.carry(there, back + ms * 1_000, reply, None);
            }
            None if stalled_us > GIVEN_UP_US => {
                world.timeline.after(GIVEN_UP_US, move || drop(reply.send(Err(away(Effect::Unknown)))));
                sent.carry(there, back, oneshot::channel().0, unknown());
            }
            None => sent.carry(there, back, reply, None),
        }
        answer.await.unwrap_or_else(|_| Err(away(Effect::Unknown)))
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read().await?;
        let page = self.world.store.scan(index, range, after, limit).await;
        self.way().await;
        page
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.read().await?;
        self.world.store.totals().await
    }
}
