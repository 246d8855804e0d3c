//! The platform as a host sees it.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use super::builder::PlatformBuilder;
use super::inner::Inner;
use super::watch::Watch;
use crate::account::{AccountError, AccountId};
use crate::catalogue::{Catalogue, Sort};
use crate::ledger::{Balance, StatementLine};
use crate::money::{Currency, Money};
use crate::order::{EventView, Explanation, OrderError, OrderId, OrderView, PlaceOrders, Placed, Status};
use crate::port::{ActivationId, Rate};
use crate::store::{StoreError, Totals};
use crate::time::Timestamp;
use crate::token::Token;

/// A number-rental platform inside the host's process. Cheap to clone.
///
/// Nothing happens by itself: [`Platform::run`] is one future that drives purchases, polling, due work and clean-up.
#[derive(Clone)]
pub struct Platform {
    pub(super) inner: Arc<Inner>,
}

/// How the platform is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the store answers.
    pub store: Result<(), StoreError>,
    /// Each supplier.
    pub suppliers: Vec<SupplierHealth>,
    /// Whether recovery has been through once and `run` is driving.
    pub running: bool,
    /// Age of the oldest epoch key, in seconds.
    pub oldest_epoch_seconds: i64,
}

/// How a supplier is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierHealth {
    /// Its name.
    pub name: String,
    /// When its offers were last read.
    pub offers_at: Option<Timestamp>,
    /// Code of the newest error, if the newest call failed.
    pub error: Option<&'static str>,
    /// How many products it has in stock.
    pub products: usize,
    /// How often it has said by itself that something happened ([`Platform::supplier_hint`]), at this node.
    pub hints: u64,
    /// Of these, how many named an activation of no open order.
    pub hints_unknown: u64,
}

impl Platform {
    /// Begins to build a platform.
    pub fn builder() -> PlatformBuilder {
        PlatformBuilder::default()
    }

    /// Drives all workers until `shutdown` is ready: recovery first, then purchases, polling, due work, refreshes. Calls
    /// under way are given their time to end (at most the call limit). Run it once per platform.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        self.inner.run(shutdown).await;
    }

    /// Waits until [`Platform::run`] has been through recovery and takes commands. For ever, if nobody runs it.
    pub async fn ready(&self) {
        // the sender lives in the platform, so this does not fail
        drop(self.inner.running.subscribe().wait_for(|running| *running).await);
    }

    /// The ledger's currency.
    pub fn currency(&self) -> Currency {
        self.inner.settings.currency
    }
    /// Now, by the platform's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.now()
    }
    /// The newest known rate.
    pub fn rate(&self, base: Currency, quote: Currency) -> Option<Rate> {
        self.inner.rates.rate(base, quote)
    }
    /// What is sold now.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.inner.catalogue()
    }
    /// How the platform is.
    pub async fn health(&self) -> Health {
        self.inner.health().await
    }
    /// Sums over the whole ledger.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.store.totals().await
    }

    /// Opens an account.
    pub async fn open_account(&self) -> Result<AccountId, AccountError> {
        self.inner.open_account().await
    }
    /// Makes a token. It is shown in this answer and never again.
    pub async fn create_token(&self, account: AccountId, name: &str) -> Result<Token, AccountError> {
        self.inner.create_token(account, name).await
    }
    /// Takes a token that the host has chosen. Taking the same again for the same account changes nothing.
    pub async fn adopt_token(&self, account: AccountId, name: &str, token: &Token) -> Result<(), AccountError> {
        self.inner.adopt_token(account, name, token).await
    }
    /// Whose token this is; `None` for every token that is not one, whatever the reason.
    pub async fn authenticate(&self, token: &str) -> Result<Option<AccountId>, AccountError> {
        self.inner.authenticate(token).await
    }
    /// Books a deposit that the host has received, once per reference. `true` if it was booked now.
    pub async fn deposit(&self, account: AccountId, amount: Money, reference: &str) -> Result<bool, AccountError> {
        self.inner.deposit(account, amount, reference).await
    }
    /// What the account has.
    pub async fn balance(&self, account: AccountId) -> Result<Balance, AccountError> {
        self.inner.balance(account).await
    }
    /// The account's transfers after a number, oldest first, at most 1,000.
    pub async fn statement(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StatementLine>, AccountError> {
        self.inner.statement(account, after, limit).await
    }

    /// Places orders and waits until they are settled or the answer is due. The money of all of them is held first, and
    /// durably, before a supplier hears of it. A call under a key that was used before gives the orders of that call.
    ///
    /// # Errors
    ///
    /// [`OrderError`]: nothing was charged. An order that its supplier refused is no error of the call but an item
    /// [`Rejected`](crate::order::ItemOutcome::Rejected), its money released.
    pub async fn place_orders(&self, account: AccountId, wanted: PlaceOrders) -> Result<Placed, OrderError> {
        self.inner.place(account, wanted).await
    }
    /// The first commit of [`Platform::place_orders`] and nothing after it: the purchases are never sent, and the orders
    /// stay as a crash would leave them. For measurements only.
    #[cfg(feature = "bench")]
    #[doc(hidden)]
    pub async fn commit_orders(&self, account: AccountId, wanted: PlaceOrders) -> Result<(), OrderError> {
        self.inner.place_commit_alone(account, wanted).await
    }
    /// An order.
    pub async fn order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        self.inner.view(account, order).await
    }
    /// Orders, newest first; those that never got a number are left out. `limit` is cut to 100; an `offset` above 10,000
    /// gives nothing.
    pub async fn orders(
        &self,
        account: AccountId,
        status: Option<Status>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<OrderView>, OrderError> {
        self.inner.list(account, status, offset, limit).await
    }
    /// All open orders, newest first, at most 1,000.
    pub async fn open_orders(&self, account: AccountId) -> Result<Vec<OrderView>, OrderError> {
        self.inner.open(account).await
    }
    /// Asks the supplier for another SMS. `false` if the supplier did not take the request.
    pub async fn request_sms(&self, account: AccountId, order: OrderId) -> Result<(OrderView, bool), OrderError> {
        self.inner.more(account, order).await
    }
    /// Ends an order after its SMS. Finishing what is finished changes nothing.
    pub async fn finish_order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        self.inner.finish(account, order).await
    }
    /// Gives the number back. Cancelled and released when this returns `Ok`; a supplier that refuses or does not answer
    /// is `Supplier`, and the order stays as it was for its owner.
    pub async fn cancel_order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        self.inner.cancel(account, order).await
    }
    /// Why an order is as it is, and what may be done with it.
    pub async fn explain(&self, account: AccountId, order: OrderId) -> Result<Explanation, OrderError> {
        self.inner.explained(account, order).await
    }

    /// A supplier says by itself that something happened to an activation, or to one that is not named. Nothing of it is
    /// believed: the supplier is asked, within some 100 ms and not more often than it likes to be asked, and what it answers
    /// counts. Costs no commit; a thousand of them at once are one question. `false` if there is no supplier of this name.
    pub fn supplier_hint(&self, supplier: &str, activation: Option<&ActivationId>) -> bool {
        self.inner.hint(supplier, activation)
    }

    /// The account's events after a number, oldest first, at most 1,000.
    pub async fn events(&self, account: AccountId, after: u64, limit: usize) -> Result<Vec<EventView>, OrderError> {
        self.inner.events_after(account, after, limit).await
    }
    /// Waits until an order has more SMS than `after_revision`, or has ended, or `limit_ms` are over; gives its view then.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotFound`], or `Unavailable` when the store is away.
    pub async fn wait_for_sms(
        &self,
        account: AccountId,
        order: OrderId,
        after_revision: u64,
        limit_ms: i64,
    ) -> Result<OrderView, OrderError> {
        let limit = self.inner.now().plus_ms(limit_ms);
        let mut watch = self.watch(account);
        loop {
            let view = self.order(account, order).await?;
            if view.revision > after_revision || view.status.is_terminal() {
                return Ok(view);
            }
            if self.inner.until(limit, watch.changed()).await != Some(true) {
                return self.order(account, order).await;
            }
        }
    }

    /// Wakes when something happens on an account.
    pub fn watch(&self, account: AccountId) -> Watch {
        Watch { account, receiver: self.inner.wake_ups.subscribe() }
    }
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("suppliers", &self.inner.suppliers.keys()).finish_non_exhaustive()
    }
}

impl Inner {
    async fn health(&self) -> Health {
        let catalogue = self.catalogue();
        let in_stock = catalogue.products(None, None, Sort::PriceAscending);
        let suppliers = self.suppliers.iter().map(|(name, slot)| {
            let state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (hints, hints_unknown) = slot.hints.figures();
            SupplierHealth {
                name: name.clone(),
                offers_at: state.offers_at,
                error: state.error,
                products: in_stock.iter().filter(|product| product.supplier == *name).count(),
                hints,
                hints_unknown,
            }
        });
        let suppliers = suppliers.collect();
        Health {
            store: self.store.describe().await.map(|_| ()),
            suppliers,
            running: *self.running.borrow(),
            oldest_epoch_seconds: self.oldest_epoch_seconds(),
        }
    }
}
