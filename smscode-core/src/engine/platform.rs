//! The platform as a host sees it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::builder::PlatformBuilder;
use super::inner::Inner;
use super::watch::Watch;
use crate::account::{AccountError, AccountId, DeletionPreview};
use crate::catalogue::{Catalogue, Sort};
use crate::ledger::{
    AccountAudit, Adjust, AdjustError, AuditEntry, AuditSummary, Balance, CorrectionError, Liabilities, MoneyException,
    OperatorError, QueuePage, StatementLine, StuckPurchase, UnclearPurchase, WindDown,
};
use crate::money::{Currency, Money};
use crate::order::{EventView, Explanation, OrderError, OrderId, OrderView, PlaceOrders, Placed, Quote, Status};
use crate::port::{ActivationId, Rate};
use crate::routing::{BreakerState, CallFigures, CallKind, Deliveries, RoutingError, Standing};
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
    /// Orphans found and cancelled by this node since its start.
    pub orphans: u64,
    /// SMS that came after the end and were destroyed by this node since its start.
    pub late_sms: u64,
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
    /// Activations in its list that are not ours, when it was last read for orphans. Nothing is ever done about them.
    pub strangers: usize,
    /// Whether purchases are sent to it, and if not, why.
    pub standing: Standing,
    /// Its circuit breaker.
    pub breaker: BreakerState,
    /// The operator wants no purchases.
    pub drained: bool,
    /// Our money there as it was last read, and when.
    pub balance: Option<(Money, Timestamp)>,
    /// That is little: see `Settings::low_balances`.
    pub low_balance: bool,
    /// Purchases of the last five minutes, at this node.
    pub purchases: CallFigures,
    /// Reads: polls, lists, prices, balances.
    pub reads: CallFigures,
    /// Cancels, finishes, requests for another SMS.
    pub words: CallFigures,
    /// Orders with a number of this supplier that have ended at this node in the last two hours.
    pub deliveries: Deliveries,
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
    /// Until when nothing that is stored wants anything, six hours at most; `None` while an order is open or something is
    /// due. For hosts whose clock can be moved on: up to then it may go in one step, without changing the order of things.
    pub async fn quiet_until(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.quiet_until().await
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
    /// Books what a supplier's statement shows and our ledger does not: what it has taken later (above zero), such as a
    /// claw-back, or given back later (below zero), for whatever was settled before. An entry between house accounts, once
    /// per reference; no order and no customer is touched. `true` if it was booked now.
    ///
    /// # Errors
    ///
    /// [`CorrectionError`]: nothing was booked.
    pub async fn correct_supplier(
        &self,
        supplier: &str,
        taken: Money,
        reference: &str,
    ) -> Result<bool, CorrectionError> {
        self.inner.correct_supplier(supplier, taken, reference).await
    }
    /// Begins or ends that a supplier gets no purchases; polls, cancels and everything else for its open orders go on. It is
    /// stored, so it outlives this process. This node acts at once, others within 5 s. `actor` is who says so, such as
    /// `operator:anna`, 1 to 64 bytes. Saying the same again changes nothing.
    ///
    /// # Errors
    ///
    /// [`RoutingError`]: nothing has changed.
    pub async fn drain_supplier(&self, name: &str, drained: bool, actor: &str) -> Result<(), RoutingError> {
        self.inner.drain_supplier(name, drained, actor).await
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
    /// Books an adjustment by an operator: on the customer's statement, and in the operators' log. `false` if the same was
    /// booked before under this reference.
    ///
    /// # Errors
    ///
    /// [`AdjustError`]: nothing was booked.
    pub async fn adjust(&self, wanted: &Adjust) -> Result<bool, AdjustError> {
        self.inner.adjust(wanted).await
    }
    /// What operators did before a time, newest first, at most 100.
    pub async fn audit_log(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.audit_log(before, limit).await
    }
    /// Audits the books of all accounts now, beside everything else. Accounts whose books do not add up may not order until
    /// they do again, or an operator [lifts](Platform::lift_freeze) it. The engine does this by itself, daily.
    pub async fn audit(&self) -> Result<AuditSummary, StoreError> {
        self.inner.audit_all().await
    }
    /// The same for one account; `None` if money moved on it all the time.
    pub async fn audit_account(&self, account: AccountId) -> Result<Option<AccountAudit>, StoreError> {
        self.inner.audit_account(account).await
    }
    /// Reads the books of a case of [`Platform::exceptions`] once more; changes nothing. `None` if it is about all accounts
    /// together, or money moved all the time.
    pub async fn audit_case(&self, case: &str) -> Result<Option<AccountAudit>, OperatorError> {
        self.inner.audit_case(case).await
    }
    /// An operator allows new orders of an account again whose books do not add up. The next audit judges afresh.
    pub async fn lift_freeze(&self, case: &str, actor: &str, reason: &str) -> Result<(), OperatorError> {
        self.inner.lift_freeze(case, actor, reason).await
    }
    /// The operators' queue of books that do not add up, oldest first, at most 100 on a page.
    pub async fn exceptions(&self, after: Option<&str>, limit: usize) -> Result<QueuePage<MoneyException>, StoreError> {
        self.inner.exceptions(after, limit).await
    }
    /// The operators' queue of purchases that are unclear for five minutes, at most 100 on a page.
    pub async fn unclear_purchases(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<UnclearPurchase>, StoreError> {
        self.inner.unclear_queue(after, limit).await
    }
    /// The operators' queue of purchases that their suppliers would not settle with us, at most 100 on a page.
    pub async fn stuck_purchases(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<StuckPurchase>, StoreError> {
        self.inner.stuck_queue(after, limit).await
    }
    /// Begins the wind-down: no new deposits and orders at any node from its next command on, while open orders, cancels,
    /// refunds and finishes go on. `false` if it has begun.
    pub async fn begin_wind_down(&self, actor: &str, reason: &str) -> Result<bool, OperatorError> {
        self.inner.set_wind_down(true, actor, reason).await
    }
    /// Ends the wind-down. `false` if there is none.
    pub async fn end_wind_down(&self, actor: &str, reason: &str) -> Result<bool, OperatorError> {
        self.inner.set_wind_down(false, actor, reason).await
    }
    /// The wind-down, if there is one.
    pub async fn wind_down(&self) -> Result<Option<WindDown>, StoreError> {
        self.inner.wind_down().await
    }
    /// What is owed to all customers together, by currency. Reads every account, or what a store keeps in its place.
    pub async fn liabilities(&self) -> Result<BTreeMap<Currency, Liabilities>, StoreError> {
        self.inner.liabilities().await
    }
    /// What [`Platform::delete_account`] would do now: what is forfeited, what becomes of open orders, what stays.
    pub async fn deletion_preview(&self, account: AccountId) -> Result<DeletionPreview, AccountError> {
        self.inner.deletion_preview(account).await
    }
    /// Deletes an account, its ledger's and its orders' part. At once and as a whole: what is available is forfeited, all
    /// tokens are gone, and to every read the account is not there. Orders that have had their SMS end. The others go on
    /// without a reader: they are cancelled as soon as their supplier allows it, or run out, and what is released is
    /// forfeited with the release; an SMS that still comes is paid for and never shown. There is no way back. Deleting
    /// what is deleted changes nothing.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] for an account that never was, `Unavailable` when the store or the engine is away.
    pub async fn delete_account(&self, account: AccountId) -> Result<(), AccountError> {
        self.inner.delete_account(account).await
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

    /// What one order of this call costs, binding for 60 s: with [`PlaceOrders::quote`] that price is charged, whatever is on
    /// offer by then. Once or more often, by this account alone. If nobody sells at that price any more the order is
    /// rejected and released. Nothing is held or stored.
    ///
    /// # Errors
    ///
    /// [`OrderError`], as the same call to [`Platform::place_orders`] would give.
    pub async fn quote(&self, account: AccountId, wanted: &PlaceOrders) -> Result<Quote, OrderError> {
        self.inner.quote(account, wanted).await
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
    /// Gives the number back as soon as the supplier takes it back: at once if the minimum time is over, as
    /// [`Platform::cancel_order`]; else at that time, by itself, unless an SMS comes first. Asking again changes nothing,
    /// and there is no way to take it back. The view shows when, in `cancel_scheduled_at`.
    ///
    /// # Errors
    ///
    /// As [`Platform::cancel_order`], without `CancelTooEarly`. It counts against the day's cap when it is scheduled.
    pub async fn cancel_order_when_allowed(&self, account: AccountId, order: OrderId) -> Result<OrderView, OrderError> {
        self.inner.cancel_when_allowed(account, order).await
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
        let (catalogue, now) = (self.catalogue(), self.now());
        let in_stock = catalogue.products(None, None, Sort::PriceAscending);
        let suppliers = self.suppliers.iter().map(|(name, slot)| {
            let condition = slot.line.condition();
            let state = slot.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (hints, hints_unknown) = slot.hints.figures();
            SupplierHealth {
                name: name.clone(),
                offers_at: state.offers_at,
                error: state.error,
                strangers: state.strangers,
                products: in_stock.iter().filter(|product| product.supplier == *name).count(),
                standing: condition.standing(now),
                breaker: condition.breaker(now),
                drained: condition.drained,
                balance: condition.funds.balance(),
                low_balance: condition.funds.is_low() || condition.funds.is_out(),
                purchases: condition.calls(CallKind::Purchase, now).figures(),
                reads: condition.calls(CallKind::Read, now).figures(),
                words: condition.calls(CallKind::Word, now).figures(),
                deliveries: slot.line.pairs().all(now),
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
            orphans: self.orphans.load(Ordering::Relaxed),
            late_sms: self.late_sms.load(Ordering::Relaxed),
        }
    }
}
