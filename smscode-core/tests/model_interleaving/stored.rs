//! What is durable, read past all gates; and the store with a gate before every commit that concerns the order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use smscode_core::account::AccountId;
use smscode_core::account::record::{AccountRecord, account_key};
use smscode_core::order::OrderId;
use smscode_core::order::orphan::WATCH;
use smscode_core::order::record::{ORDER, OrderRecord};
use smscode_core::order::supply::{SUPPLY, SupplyRecord};
use smscode_core::store::{
    Body, Bucket, ChangeSet, Cursor, Entry, Event, Expect, Head, Index, Key, LoadKey, MemoryStore, Owner, Page, Place,
    Range, Receipt, Row, Snapshot, Store, StoreError, StoreInfo, Totals, Transfer, TransferKind,
};
use smscode_core::time::Timestamp;

use crate::hub::{Hub, What};
use crate::world::now;

/// Everything durable that this one order is about.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) account: Option<AccountRecord>,
    pub(crate) order: Option<(OrderId, OrderRecord)>,
    pub(crate) supplies: Vec<SupplyRecord>,
    /// Purchases that were given up and are watched.
    pub(crate) watches: usize,
    pub(crate) head: Head,
    /// What is stored with an owner, as text.
    pub(crate) bodies: Vec<String>,
    /// The account's transfers and events, oldest first.
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) events: Vec<Event>,
    /// Versions of these records, to see what is stale.
    pub(crate) versions: BTreeMap<Key, u64>,
}

impl Stored {
    /// When the account was deleted.
    pub(crate) fn deleted_at(&self) -> Option<Timestamp> {
        self.account.as_ref()?.deleted_at
    }

    pub(crate) fn read(store: &MemoryStore, account: AccountId) -> Self {
        let owner = Owner(account.bytes());
        let mut stored = Self::default();
        let account = account_key(account);
        let snapshot = now(store.load(&[LoadKey::Record(account.clone()), LoadKey::Head(owner)])).unwrap();
        if let Some(record) = snapshot.record(&account) {
            stored.account = Some(serde_json::from_slice(record.body.as_bytes()).unwrap());
            stored.versions.insert(account, record.version);
        }
        stored.head = snapshot.head(owner);
        for index in [Index::Transfers(owner), Index::Events(owner)] {
            for row in now(store.scan(&index, &Range::all(), None, 1_000)).unwrap().rows {
                match row {
                    Row::Transfer(transfer) => stored.transfers.push(transfer),
                    Row::Event(event) => {
                        stored.bodies.push(String::from_utf8_lossy(event.body.as_bytes()).into_owned());
                        stored.events.push(event);
                    }
                    Row::Record { .. } | Row::Head(..) => {}
                }
            }
        }
        for kind in [ORDER, SUPPLY, WATCH] {
            let page = now(store.scan(&Index::Kind(kind), &Range::all(), None, 10)).unwrap();
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let body = record.body.as_bytes();
                if key.kind == ORDER {
                    stored.bodies.push(String::from_utf8_lossy(body).into_owned());
                    let id = OrderId(u32::from_be_bytes(key.id.as_slice().try_into().unwrap()));
                    assert!(stored.order.is_none(), "one order was placed");
                    stored.order = Some((id, serde_json::from_slice(body).unwrap()));
                } else if key.kind == WATCH {
                    stored.watches += 1;
                } else {
                    stored.supplies.push(serde_json::from_slice(body).unwrap());
                }
                stored.versions.insert(key, record.version);
            }
        }
        stored
    }
}

/// A bug that is put into a store to see that the search finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Planted {
    #[default]
    Nothing,
    /// Writes an order without looking whether it has changed since it was read.
    BlindWrites,
    /// Keeps the sealed number of an order that has ended.
    KeepsTheNumber,
    /// Takes for a release what should have been a capture.
    ReleasesEverything,
    /// Does not give up what comes back after the account was deleted.
    ForgetsTheForfeit,
}

/// The store of a world.
pub(crate) struct GatedStore {
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) owner: Option<Owner>,
    pub(crate) planted: Planted,
    /// What took effect.
    pub(crate) log: Mutex<Vec<Arc<ChangeSet>>>,
}

impl GatedStore {
    pub(crate) fn log(&self) -> Vec<Arc<ChangeSet>> {
        self.log.lock().unwrap().clone()
    }

    /// What concerns the account or a purchase waits; order numbers, ids of products, leases and the like pass.
    fn is_gated(&self, set: &ChangeSet) -> bool {
        let owner = self.owner;
        set.entries.iter().any(|entry| match entry {
            Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } => {
                Some(key.owner) == owner || key.kind == SUPPLY
            }
            Entry::DeleteOwned { owner: whose, .. } | Entry::Append { owner: whose, .. } => Some(*whose) == owner,
            Entry::Count { .. } | Entry::Post(_) => false,
        })
    }

    fn spoiled(&self, set: Arc<ChangeSet>) -> Arc<ChangeSet> {
        if self.planted == Planted::Nothing {
            return set;
        }
        let mut set = ChangeSet::clone(&set);
        for entry in &mut set.entries {
            self.spoil(entry);
        }
        let forgotten = |entry: &Entry| matches!(entry, Entry::Post(post) if post.kind == TransferKind::Forfeit && post.subject != "account");
        set.entries.retain(|entry| self.planted != Planted::ForgetsTheForfeit || !forgotten(entry));
        let outcome = set.outcome.clone();
        Arc::new(set.seal(outcome))
    }

    fn spoil(&self, entry: &mut Entry) {
        match (self.planted, entry) {
            (Planted::BlindWrites, Entry::Put { key, expect, .. }) if key.kind == ORDER => {
                let snapshot = now(self.memory.load(&[LoadKey::Record(key.clone())])).unwrap();
                *expect = snapshot.record(key).map_or(Expect::Absent, |record| Expect::Version(record.version));
            }
            (Planted::KeepsTheNumber, Entry::Put { key, body, .. }) if key.kind == ORDER => {
                let snapshot = now(self.memory.load(&[LoadKey::Record(key.clone())])).unwrap();
                let Some(before) = snapshot.record(key) else { return };
                let before: serde_json::Value = serde_json::from_slice(before.body.as_bytes()).unwrap();
                let mut after: serde_json::Value = serde_json::from_slice(body.as_bytes()).unwrap();
                if after["phone"].is_null() && !before["phone"].is_null() {
                    after["phone"] = before["phone"].clone();
                    *body = Body::from_text(&after.to_string()).unwrap();
                }
            }
            (Planted::ReleasesEverything, Entry::Post(post)) => {
                if post.kind == TransferKind::Capture
                    && let Place::Customer(owner, _) = post.debit
                {
                    post.kind = TransferKind::Release;
                    post.credit = Place::Customer(owner, Bucket::Available);
                }
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Store for GatedStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.memory.describe().await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.memory.load(keys).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        if self.is_gated(&change_set) {
            self.hub.wait(What::Commit(change_set.clone())).await;
        }
        let change_set = self.spoiled(change_set);
        let receipt = self.memory.commit(change_set.clone()).await?;
        self.log.lock().unwrap().push(change_set);
        Ok(receipt)
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.memory.scan(index, range, after, limit).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.memory.totals().await
    }
}
