//! Counts the calls to store and supplier that are under way: while there are none, nothing is computed and nobody is about
//! to wake, everything waits for time to pass.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use smscode_core::money::Money;
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, FinishOutcome,
    MoreOutcome, Offer, Past, Supplier, SupplierInfo,
};
use smscode_core::store::{
    ChangeSet, Cursor, Index, LoadKey, Page, Range, Receipt, Snapshot, Store, StoreError, StoreInfo, Totals,
};
use smscode_core::time::Timestamp;

/// Calls under way, to one kind of partner.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<AtomicUsize>);

/// A call under way: counted until it is dropped, however it ends.
struct UnderWay<'a>(&'a AtomicUsize);

impl Calls {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn begin(&self) -> UnderWay<'_> {
        self.0.fetch_add(1, Ordering::AcqRel);
        UnderWay(&self.0)
    }

    async fn counted<T>(&self, call: impl Future<Output = T>) -> T {
        let _under_way = self.begin();
        call.await
    }

    /// Counts while a future is computing, and not while it waits.
    pub(super) fn computing<T>(&self, work: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
        let (calls, mut work) = (self.clone(), Box::pin(work));
        poll_fn(move |context| {
            let _computing = calls.begin();
            work.as_mut().poll(context)
        })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A store whose calls are counted.
pub(super) struct CountedStore {
    pub(super) store: Arc<dyn Store>,
    pub(super) calls: Calls,
}

#[async_trait]
impl Store for CountedStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        self.calls.counted(self.store.describe()).await
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.calls.counted(self.store.load(keys)).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.calls.counted(self.store.commit(change_set)).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.calls.counted(self.store.scan(index, range, after, limit)).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.calls.counted(self.store.totals()).await
    }
}

/// A supplier whose calls are counted.
pub(super) struct CountedSupplier {
    pub(super) supplier: Arc<dyn Supplier>,
    pub(super) calls: Calls,
}

#[async_trait]
impl Supplier for CountedSupplier {
    fn describe(&self) -> SupplierInfo {
        self.supplier.describe()
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        self.calls.counted(self.supplier.offers()).await
    }

    async fn balance(&self) -> Result<Money, CallError> {
        self.calls.counted(self.supplier.balance()).await
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        self.calls.counted(self.supplier.buy(request)).await
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        self.calls.counted(self.supplier.poll(ids)).await
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        self.calls.counted(self.supplier.active()).await
    }

    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        self.calls.counted(self.supplier.history(from, until)).await
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        self.calls.counted(self.supplier.more(id)).await
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        self.calls.counted(self.supplier.cancel(id)).await
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        self.calls.counted(self.supplier.finish(id)).await
    }
}
