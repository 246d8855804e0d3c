//! The platform as a host sees it.

use std::future::Future;
use std::sync::Arc;

use super::settings::Settings;
use super::watch::Watch;
use crate::account::{AccountError, AccountId};
use crate::catalogue::Catalogue;
use crate::ledger::{Balance, StatementLine};
use crate::money::{Currency, Money};
use crate::order::{EventView, Explanation, OrderError, OrderId, OrderView, PlaceOrders, Placed, Status};
use crate::port::{Clock, Entropy, Keyring, Rate, Rates, Supplier};
use crate::store::{Store, StoreError, Totals};
use crate::time::Timestamp;
use crate::token::Token;

/// A number-rental platform inside the host's process. Cheap to clone.
#[derive(Clone)]
pub struct Platform {}

/// Builds a [`Platform`].
pub struct PlatformBuilder {}

/// Why a platform could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A part that has no default was not given.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Two suppliers of one name, or a name that is not lower-case letters, digits and `-`.
    #[error("the supplier name {0} is used twice or malformed")]
    SupplierName(String),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring could not be opened.
    #[error(transparent)]
    Keyring(#[from] crate::port::KeyringError),
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
}

#[allow(unused_variables, clippy::todo, reason = "being built")]
impl PlatformBuilder {
    /// Where everything is kept.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        todo!()
    }
    /// Adds a supplier.
    pub fn supplier(self, supplier: Arc<dyn Supplier>) -> Self {
        todo!()
    }
    /// The clock.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        todo!()
    }
    /// The source of randomness.
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        todo!()
    }
    /// Where the keys are. Without one: in memory.
    pub fn keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        todo!()
    }
    /// Exchange rates. Without them only suppliers in the ledger's currency can be sold.
    pub fn rates(self, rates: Arc<dyn Rates>) -> Self {
        todo!()
    }
    /// Settings.
    pub fn settings(self, settings: Settings) -> Self {
        todo!()
    }
    /// Opens the store and the keyring, loads the catalogue's ids, and asks the suppliers for their offers once (a
    /// supplier that does not answer in 3 s is asked again in the background).
    pub async fn build(self) -> Result<Platform, BuildError> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo, reason = "being built")]
impl Platform {
    /// Begins to build a platform.
    pub fn builder() -> PlatformBuilder {
        todo!()
    }

    /// Drives all workers until `shutdown` is ready: recovery first, then purchases, polling, due work, refreshes. Calls
    /// under way are given their time to end (at most the call limit). Run it once per platform.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        todo!()
    }

    /// The ledger's currency.
    pub fn currency(&self) -> Currency {
        todo!()
    }
    /// Now, by the platform's clock.
    pub fn now(&self) -> Timestamp {
        todo!()
    }
    /// The newest known rate.
    pub fn rate(&self, base: Currency, quote: Currency) -> Option<Rate> {
        todo!()
    }
    /// What is sold now.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        todo!()
    }
    /// How the platform is.
    pub async fn health(&self) -> Health {
        todo!()
    }
    /// Sums over the whole ledger.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        todo!()
    }

    /// Opens an account.
    pub async fn open_account(&self) -> Result<AccountId, AccountError> {
        todo!()
    }
    /// Makes a token. It is shown in this answer and never again.
    pub async fn create_token(&self, account: AccountId, name: &str) -> Result<Token, AccountError> {
        todo!()
    }
    /// Takes a token that the host has chosen. Taking the same again for the same account changes nothing.
    pub async fn adopt_token(&self, account: AccountId, name: &str, token: &Token) -> Result<(), AccountError> {
        todo!()
    }
    /// Whose token this is; `None` for every token that is not one, whatever the reason.
    pub async fn authenticate(&self, token: &str) -> Result<Option<AccountId>, AccountError> {
        todo!()
    }
    /// Books a deposit that the host has received, once per reference. `true` if it was booked now.
    pub async fn deposit(&self, account: AccountId, amount: Money, reference: &str) -> Result<bool, AccountError> {
        todo!()
    }
    /// What the account has.
    pub async fn balance(&self, account: AccountId) -> Result<Balance, AccountError> {
        todo!()
    }
    /// The account's transfers after a number, oldest first, at most 1,000.
    pub async fn statement(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StatementLine>, AccountError> {
        todo!()
    }

    /// Places orders and waits until they are settled or the answer is due.
    pub async fn place_orders(&self, account: AccountId, wanted: PlaceOrders) -> Result<Placed, OrderError> {
        todo!()
    }
    /// An order.
    pub async fn order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        todo!()
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
        todo!()
    }
    /// All open orders, newest first, at most 1,000.
    pub async fn open_orders(&self, account: AccountId) -> Result<Vec<OrderView>, OrderError> {
        todo!()
    }
    /// Asks the supplier for another SMS. `false` if the supplier did not take the request.
    pub async fn request_sms(&self, account: AccountId, order: OrderId) -> Result<(OrderView, bool), OrderError> {
        todo!()
    }
    /// Ends an order after its SMS. Finishing what is finished changes nothing.
    pub async fn finish_order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        todo!()
    }
    /// Gives the number back. Cancelled and released when this returns `Ok`; a supplier that refuses or does not answer
    /// is `Supplier`, and the order stays as it was for its owner.
    pub async fn cancel_order(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        todo!()
    }
    /// Why an order is as it is, and what may be done with it.
    pub async fn explain(&self, account: AccountId, order: OrderId) -> Result<Explanation, OrderError> {
        todo!()
    }

    /// The account's events after a number, oldest first, at most 1,000.
    pub async fn events(&self, account: AccountId, after: u64, limit: usize) -> Result<Vec<EventView>, OrderError> {
        todo!()
    }
    /// Wakes when something happens on an account.
    pub fn watch(&self, account: AccountId) -> Watch {
        todo!()
    }
}
