//! What a customer asks for, and what came of it.

use super::error::OrderError;
use super::quote::QuoteId;
use super::record::OrderId;
use super::view::OrderView;
use crate::money::Money;

/// Orders in one call at most.
pub const QUANTITY_MAX: u32 = 100;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly this slot.
    Product(u32),
    /// The best present offer for this pair.
    Umbrella(u32),
    /// The best present offer for this country and service, by the market's id and code.
    Pair {
        /// Country id.
        country: u16,
        /// Service code, any case.
        service: String,
    },
}

/// How offers are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    /// The lowest price first.
    #[default]
    Cheapest,
    /// The best recent delivery first, in classes of five percent; a supplier with few data counts as one that delivers
    /// every second order. Within a class the lowest price first.
    BestSuccess,
}

/// The caller's idempotency key with what it stands for. Made by [`PlaceOrders::with_key`], or by a surface that has the
/// request as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Which operation and surface, such as `create/v1`. A key counts within the part before the slash; the same key on
    /// another surface of it is another request, and refused.
    pub operation: &'static str,
    /// The key: 1 to 128 of letters, digits, `-`, `_`.
    pub key: String,
    /// The request as sent, in a canonical form: the same bytes for the same request. Compared instead of the fields of
    /// [`PlaceOrders`]: two calls with equal bytes are replays even if the fields differ.
    pub request: Vec<u8>,
}

impl std::fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Idempotency({})", self.operation)
    }
}

/// An order call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrders {
    /// What.
    pub wanted: Wanted,
    /// How many, 1 to 100.
    pub quantity: u32,
    /// Skip dearer offers.
    pub max_price: Option<Money>,
    /// Skip cheaper offers.
    pub min_price: Option<Money>,
    /// A soft wish for a supplier, by name, any case.
    pub prefer_supplier: Option<String>,
    /// How offers are ranked.
    pub policy: Policy,
    /// A price that was quoted to this account for this within the last minute: it is charged, whatever is on offer now, and
    /// no supplier is paid more than it allows. The price limits are compared with it.
    pub quote: Option<QuoteId>,
    /// The caller's key.
    pub idempotency: Option<Idempotency>,
    /// Whether an order that is not settled when the answer is due is cancelled and released once it is found, because
    /// nobody will hold its id.
    pub abandon_when_late: bool,
}

impl PlaceOrders {
    /// One order of a pair at any price.
    pub fn one(wanted: Wanted) -> Self {
        Self {
            wanted,
            quantity: 1,
            max_price: None,
            min_price: None,
            prefer_supplier: None,
            policy: Policy::Cheapest,
            quote: None,
            idempotency: None,
            abandon_when_late: false,
        }
    }

    /// The same, several at once: 1 to 100. Too little money for all of them refuses the whole call.
    pub fn many(wanted: Wanted, quantity: u32) -> Self {
        Self { quantity, ..Self::one(wanted) }
    }

    /// Under an idempotency key of the host's own: the same call again gives the same orders, another one under this key
    /// is refused.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        let wanted = match &self.wanted {
            Wanted::Product(id) => format!("product {id}"),
            Wanted::Umbrella(id) => format!("umbrella {id}"),
            Wanted::Pair { country, service } => format!("pair {country} {}", service.to_ascii_lowercase()),
        };
        let limit = |money: Option<Money>| money.map_or_else(|| "-".into(), |money| money.to_string());
        let policy = match self.policy {
            Policy::Cheapest => "cheapest",
            Policy::BestSuccess => "best_success",
        };
        let prefer = self.prefer_supplier.as_deref().unwrap_or("-");
        let (max, min) = (limit(self.max_price), limit(self.min_price));
        let mut request = format!("{wanted}|{}|{max}|{min}|{policy}|{prefer}", self.quantity);
        if let Some(quote) = &self.quote {
            request.push('|');
            request.push_str(quote.as_str());
        }
        self.idempotency =
            Some(Idempotency { operation: "create/host", key: key.into(), request: request.into_bytes() });
        self
    }
}

/// What came of an order call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// One item per order, in order of placing.
    pub items: Vec<PlacedItem>,
    /// Whether this is the answer to an earlier call with the same key.
    pub replayed: bool,
}

impl Placed {
    /// The order of a call for one: its view, or why it was not (or not yet) settled.
    ///
    /// # Errors
    ///
    /// The reason of the rejection; [`OrderError::InProgress`] if the answer was due before the supplier's.
    pub fn single(self) -> Result<OrderView, OrderError> {
        match self.items.into_iter().next().map(|item| item.outcome) {
            Some(ItemOutcome::Settled(view)) => Ok(view),
            Some(ItemOutcome::Pending(_)) => Err(OrderError::InProgress),
            Some(ItemOutcome::Rejected(error)) => Err(error),
            None => Err(OrderError::NotFound),
        }
    }
}

/// One order of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedItem {
    /// Its number.
    pub order: OrderId,
    /// How it stands.
    pub outcome: ItemOutcome,
}

/// How an order of a call stands when the answer is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// It has (or, in a replay, had) a number.
    Settled(OrderView),
    /// Not known yet; the view shows no number and allows nothing.
    Pending(OrderView),
    /// Rejected and released, with the reason.
    Rejected(OrderError),
}
