//! U11: what is put off while somebody else moves the order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use smscode_core::Settings;
use smscode_core::order::State;
use smscode_core::order::record::{OrderRecord, order_key};
use smscode_core::port::{CancelOutcome, MemoryKeyring};
use smscode_core::store::TransferKind::{Capture, Hold};
use smscode_core::store::{
    ChangeSet, Cursor, Index, LoadKey, MemoryStore, Page, Range, Receipt, Snapshot, Store, StoreError, StoreInfo,
    Totals,
};
use tokio::sync::Notify;

use crate::support::{TestClock, TestSupplier, World, settle};

/// Keeps the next commit waiting until it is told to go on.
#[derive(Default)]
struct Holding {
    inner: MemoryStore,
    hold: AtomicBool,
    go: Notify,
}

#[async_trait]
impl Store for Holding {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.inner.describe().await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.inner.load(keys).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        if self.hold.swap(false, Ordering::Relaxed) {
            self.go.notified().await;
        }
        self.inner.commit(change_set).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.inner.scan(index, range, after, limit).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }
}

/// The SMS comes between the supplier's refusal and the note that it is to be asked again. The order used to be due at
/// once from then on, and was looked at without a pause until its window's end.
#[tokio::test]
async fn u11_an_sms_that_comes_while_a_cancel_is_put_off() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, 1_200)];
    let store = Arc::new(Holding::default());
    let keyring = Arc::new(MemoryKeyring::new());
    let world = World::on(store.clone(), keyring, clock, suppliers, Settings::default(), None).await;
    let order = world.place().await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Refused("scripted".into()));
    assert_eq!(world.cancel(order.id).await.unwrap_err().code(), "supplier");
    store.hold.store(true, Ordering::Relaxed);
    world.clock.advance(12).await;
    assert!(!store.hold.load(Ordering::Relaxed), "nothing was put off");
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(world.order(order.id).await.state, State::Received);
    store.go.notify_one();
    settle().await;
    let key = order_key(world.account, order.id);
    let snapshot = store.load(&[LoadKey::Record(key.clone())]).await.unwrap();
    let record: OrderRecord = serde_json::from_slice(snapshot.record(&key).unwrap().body.as_bytes()).unwrap();
    assert_eq!(record.due_at, record.expires_at, "due before its window is over");
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}
