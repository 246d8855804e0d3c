//! The conformance suite: one macro line runs every rule of the [storage contract](crate::store) against your store.
//! The suite for suppliers is in [`supplier`].
//!
//! ```
//! use std::sync::Arc;
//! use async_trait::async_trait;
//! use smscode_core::conformance::{Excuse, Fixture};
//! use smscode_core::store::{MemoryStore, Store, StoreError};
//!
//! struct Mine(Arc<MemoryStore>);
//!
//! #[async_trait]
//! impl Fixture for Mine {
//!     async fn open(group_max: usize) -> Self {
//!         Self(Arc::new(MemoryStore::with_group_max(group_max)))
//!     }
//!     fn store(&self) -> Arc<dyn Store> {
//!         self.0.clone()
//!     }
//!     async fn reopen(self) -> Result<Self, StoreError> {
//!         Ok(self) // a durable store drops its handle here and opens the same data again
//!     }
//!     async fn raw_bytes(&self) -> Vec<u8> {
//!         self.0.raw_bytes()
//!     }
//!     async fn second(&self) -> Option<Arc<dyn Store>> {
//!         None // a shared store opens a second handle, as another process would
//!     }
//!     fn excuses() -> &'static [Excuse] {
//!         &[Excuse { case: "durable_records_and_terms_survive", reason: "nothing survives the process" }]
//!     }
//! }
//!
//! smscode_core::conformance_suite!(Mine); // in a test file: one #[test] per case and group size
//! # fn main() {}
//! ```
//!
//! Each case gets a fresh, empty store. The tests need no runtime: [`run`] is a small executor. A store that needs one
//! names it: `conformance_suite!(Mine, my_block_on)`, a function from a future to its output.
//!
//! A case whose `needs` your store does not have (it says so in [`StoreInfo`](crate::store::StoreInfo)) must be excused
//! by name with a reason. The excuses are printed; an excuse that is not needed fails.
//!
//! Cases are named after the numbered rule they show (`rule_04_...`); `port_...` is said at the trait's methods,
//! `durable_...` is what "durable on return" means, `bytes_...` is about what lies in the store's own files.

mod bodies;
mod bytes;
mod cases;
pub mod copying;
mod draft;
mod durable;
mod executor;
mod failure;
mod find;
pub mod golden;
pub mod model;
mod port;
mod rule_01;
mod rule_02;
mod rule_02_terms;
mod rule_03;
mod rule_04;
mod rule_04_counters;
mod rule_05;
mod rule_06;
mod rule_07;
mod rule_07_scan;
mod rule_08;
mod rule_08_malformed;
mod rule_09;
mod rule_10;
mod rule_11;
pub mod supplier;
#[cfg(test)]
mod tests;
mod world;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::store::{Store, StoreError};

pub use cases::CASES;
pub use copying::PortableFixture;
pub use executor::run;
pub use failure::Failure;
pub use find::find;
pub use world::World;

/// The group sizes that the suite runs with: alone, the smallest group, and what the stores use.
pub const GROUPS: [usize; 3] = [1, 2, 64];

/// How a store is opened for the suite. One value is one store with its own data.
#[async_trait]
pub trait Fixture: Send + Sync + Sized + 'static {
    /// A fresh, empty store that commits at most `group_max` ChangeSets at once.
    async fn open(group_max: usize) -> Self;

    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Gives the store up as a crash would, without a goodbye where possible, and opens the same data again. The suite
    /// holds no handle from [`Fixture::store`] at this time. Called only if the store says that it is durable.
    async fn reopen(self) -> Result<Self, StoreError>;

    /// All the bytes that the store keeps, wherever they lie: files, logs, pages that are free again.
    async fn raw_bytes(&self) -> Vec<u8>;

    /// Another handle to the same data, as a second process has it. `None` if the store is not shared.
    async fn second(&self) -> Option<Arc<dyn Store>>;

    /// The cases that cannot be run on this store.
    fn excuses() -> &'static [Excuse];
}

/// A case that a store is excused from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excuse {
    /// The case's name.
    pub case: &'static str,
    /// Why the store cannot be asked for it.
    pub reason: &'static str,
}

/// What a case needs beyond the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A store that says it is durable.
    Durable,
    /// A store that says it is shared.
    Shared,
}

/// One case of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, which says what is shown.
    pub name: &'static str,
    /// The number of the rule; 0 for what is said at the trait's methods.
    pub rule: u8,
    /// What the store must be able to do.
    pub needs: Needs,
    run: for<'a> fn(&'a mut World) -> BoxFuture<'a, Result<(), Failure>>,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The store did what the contract says.
    Passed,
    /// The store is excused.
    Excused(Excuse),
}

/// Runs one case by its name on a fresh store.
///
/// # Errors
///
/// What the store did wrong; also if there is no such case, if the store cannot do what the case needs and is not
/// excused, and if it is excused without need.
pub async fn case<F: Fixture>(name: &str, group_max: usize) -> Result<Verdict, Failure> {
    let case =
        CASES.iter().find(|case| case.name == name).ok_or_else(|| Failure::new(format!("there is no case {name}")))?;
    let mut world = World::open::<F>(group_max).await;
    let info = world.store().describe().await?;
    let able = match case.needs {
        Needs::Nothing => true,
        Needs::Durable => info.durable,
        Needs::Shared => info.shared,
    };
    let excuse = F::excuses().iter().find(|excuse| excuse.case == name);
    match (excuse, able) {
        (Some(excuse), false) => Ok(Verdict::Excused(*excuse)),
        (Some(_), true) => {
            Err(Failure::new(format!("{name} is excused, but the store says that it can do what the case needs")))
        }
        (None, false) => Err(Failure::new(format!(
            "{name} needs {:?}, the store {} is not: excuse it by name with a reason",
            case.needs, info.name
        ))),
        (None, true) => match (case.run)(&mut world).await {
            Ok(()) => Ok(Verdict::Passed),
            Err(failure) => Err(failure.within(&format!("{name} on {} in groups of {group_max}", info.name))),
        },
    }
}

/// Prints the number of cases and every excuse, and checks that each excuse names a case and has a reason.
///
/// # Errors
///
/// An excuse for a case that does not exist, or without a reason.
pub async fn summary<F: Fixture>() -> Result<(), Failure> {
    let name = F::open(1).await.store().describe().await?.name;
    let excuses = F::excuses();
    executor::say(&format!(
        "conformance of {name}: {} cases in groups of {GROUPS:?}, {} excused",
        CASES.len(),
        excuses.len()
    ));
    for excuse in excuses {
        if !CASES.iter().any(|case| case.name == excuse.case) {
            return Err(Failure::new(format!("an excuse names {}, which is no case", excuse.case)));
        }
        if excuse.reason.trim().is_empty() {
            return Err(Failure::new(format!("{} is excused without a reason", excuse.case)));
        }
        executor::say(&format!("  excused: {}: {}", excuse.case, excuse.reason));
    }
    Ok(())
}
