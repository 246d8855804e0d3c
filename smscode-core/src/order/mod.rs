//! Orders: placing, SMS, ending; what may be done when; why an order is as it is.

pub mod code;
pub(crate) mod content;
pub mod decide;
pub(crate) mod draft;
mod error;
pub(crate) mod number;
pub mod orphan;
pub mod phone;
mod place;
pub(crate) mod plan;
pub(crate) mod quote;
pub mod record;
pub(crate) mod rules;
pub mod supply;
#[cfg(test)]
mod tests;
mod view;

pub use decide::State;
pub use error::OrderError;
pub use number::skip_numbers;
pub use place::{Idempotency, ItemOutcome, PlaceOrders, Placed, PlacedItem, Policy, QUANTITY_MAX, Wanted};
pub use quote::{QUOTE_MS, Quote, QuoteFault, QuoteId};
pub use record::OrderId;
pub use view::{ActionReason, Actions, EventView, Explanation, Next, OrderView, Status, Step};
