#![doc = include_str!("../README.md")]

pub mod account;
pub mod alarm;
pub mod catalogue;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engine;
pub mod ledger;
pub mod money;
pub mod order;
pub mod port;
mod privacy;
pub mod reconciliation;
pub mod routing;
pub mod store;
pub mod time;
pub mod token;
pub mod verify;

pub use engine::{
    BuildError, Caps, Health, Platform, PlatformBuilder, Settings, SupplierHealth, Watch, worked_on_until,
};
