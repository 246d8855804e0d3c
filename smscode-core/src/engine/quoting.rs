//! Offers and quotes: what a call would cost, and a price that holds for a minute.

use super::command::read_account;
use super::inner::Inner;
use crate::account::AccountId;
use crate::account::record::{AccountStatus, account_key};
use crate::catalogue::Product;
use crate::order::{OrderError, PlaceOrders, Quote, plan, quote};
use crate::store::LoadKey;

impl Inner {
    /// The offer that is asked first for a call, at the price that is charged, and whether others may be tried after it.
    pub(super) fn offer(&self, account: AccountId, wanted: &PlaceOrders) -> Result<(Product, bool), OrderError> {
        let key = &self.keys.quotes;
        let terms = wanted.quote.as_ref().map(|quote| quote::read(key, account, quote, self.now()));
        let terms = terms.transpose().map_err(OrderError::Quote)?;
        let figures = |product: &Product| self.figures(product);
        plan::offer(&self.catalogue(), wanted, self.settings.currency, terms.as_ref(), &figures)
    }

    /// A price for one order of this call, binding for a minute.
    pub(super) async fn quote(&self, account: AccountId, wanted: &PlaceOrders) -> Result<Quote, OrderError> {
        let snapshot = self.store.load(&[LoadKey::Record(account_key(account))]).await?;
        let active =
            read_account(&snapshot, account)?.is_some_and(|(_, record)| record.status == AccountStatus::Active);
        if !active {
            return Err(OrderError::AccountInactive);
        }
        // a quote is for what is on offer now: one on a quote would last for ever
        let wanted = PlaceOrders { quote: None, ..wanted.clone() };
        let (product, routed) = self.offer(account, &wanted)?;
        let slot = (!routed).then_some(product.id);
        let pair = (product.country, &*product.service);
        let made = quote::make(&self.keys.quotes, account, slot, pair, product.price, self.now());
        made.ok_or_else(|| OrderError::Unavailable("the quote could not be written down".into()))
    }
}
