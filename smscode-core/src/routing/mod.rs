//! Which supplier gets a purchase: health from outcomes, a circuit breaker each, money watched, offers ranked.
//!
//! Everything here is pure, and each node's own: what a node has seen it forgets when it ends. What an operator has said
//! ([`record`]) is stored.

mod breaker;
mod calls;
mod condition;
mod delivery;
mod error;
mod funds;
mod rank;
pub mod record;
#[cfg(test)]
mod tests;
mod window;

pub use breaker::{BreakerRule, BreakerState};
pub use calls::CallFigures;
pub(crate) use calls::CallKind;
pub use condition::Standing;
pub(crate) use condition::{Condition, Ended};
pub use delivery::Deliveries;
pub(crate) use delivery::Pairs;
pub use error::RoutingError;
pub(crate) use rank::{Figures, rank, surest_first};
