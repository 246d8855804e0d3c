//! J5: what a round of polls costs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use smscode_core::Settings;
use smscode_core::order::record::BY_SUPPLIER;
use smscode_core::order::{State, Status};
use smscode_core::port::MemoryKeyring;
use smscode_core::store::TransferKind::{Capture, Hold};
use smscode_core::store::{
    Body, ChangeSet, Cursor, Index, LoadKey, MemoryStore, Page, Range, Receipt, Row, Snapshot, Store, StoreError,
    StoreInfo, Totals,
};

use crate::support::{TestClock, TestSupplier, World};

/// Gives each version of a record to the loop of polls once; after that its document is empty.
#[derive(Default)]
struct ReadOnce {
    inner: MemoryStore,
    seen: Mutex<BTreeSet<u64>>,
}

#[async_trait]
impl Store for ReadOnce {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.inner.describe().await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.inner.load(keys).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.inner.commit(change_set).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let mut page = self.inner.scan(index, range, after, limit).await?;
        if *index == Index::Term(BY_SUPPLIER) {
            for row in &mut page.rows {
                let Row::Record { record, .. } = row else { continue };
                if !self.seen.lock().unwrap().insert(record.version) {
                    record.body = Body::empty();
                }
            }
        }
        Ok(page)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }
}

#[tokio::test]
async fn j5_an_order_that_has_not_changed_is_not_read_again() {
    let clock = TestClock::new();
    let suppliers = vec![TestSupplier::new("alpha", &clock)];
    let store = Arc::new(ReadOnce::default());
    let world = World::on(store, Arc::new(MemoryKeyring::new()), clock, suppliers, Settings::default(), None).await;
    let order = world.place().await;
    world.clock.advance(20).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.code.as_deref()), (Status::OtpReceived, Some("415127")));
    // a version that is new is read: a second SMS comes in too
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 887766");
    world.clock.advance(4).await;
    assert_eq!(world.order(order.id).await.revision, 2);
    assert_eq!(world.finish(order.id).await.unwrap().state, State::Completed);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}
