//! The whole platform in one thread and in virtual time, everything from one seed.
//!
//! # How it works
//!
//! A [`Plan`] is drawn from the seed up front, as data: ten customers and what they do, three suppliers and which of their
//! calls go wrong how, which SMS come when, when nodes die, pause and come back, which commits fail, take effect unknown to
//! their node, or late. [`run()`] plays it:
//!
//! - `executor` is virtual time and a scheduler: which ready task is polled next is drawn from the seed; a node is a set of
//!   tasks that can be paused, or dropped at whatever await they are and built anew on the same store;
//! - `node` builds real platforms ([`smscode_core::Platform`]), each with a `clock` that is off and drifts;
//! - `store` puts a real store behind a road on which answers are slow, lost or unknown, and shows each commit that took
//!   effect to the invariants;
//! - `supplier` and `shop` are three suppliers over the one pure model (`smscode_providers::sandbox::model`), with different
//!   capabilities; a request on its way arrives whoever has died;
//! - `customer` acts from outside, as clients do; `leaving` are customers that delete their accounts, `operator` is who books by
//!   hand, corrects and winds down, `push` what suppliers say by themselves, and others in their name;
//! - `invariants` keeps a shadow of the books from the ChangeSets alone and checks the journeys' section 6 after every
//!   commit; now and then, and at the end, the books of the store are compared with it.
//!
//! A run is over when every order has ended, every supplier that is alive has been told, and nothing is open there that nobody
//! knows of; if that never comes, the run has failed. `tampered` then audits a copy of the books that was tampered with. A run that breaks a rule is made shorter (`shrink`) by leaving out items of its plan, and printed with its events
//! and the account's ledger (`report`). [`Coverage`] counts which journeys and faults were met.

mod clock;
mod coverage;
mod customer;
mod draw;
mod executor;
mod happen;
mod invariants;
mod leaving;
mod node;
mod operator;
mod plan;
mod push;
pub mod report;
mod rng;
mod run;
mod shop;
mod shrink;
mod store;
mod supplier;
mod tampered;
mod world;

pub use coverage::{Coverage, JUDGED_FROM_SEEDS};
pub use invariants::Violation;
pub use plan::Plan;
pub use run::{Outcome, StoreKind, run};
pub use shrink::{Shrunk, shrink};
