//! The engine: load, decide, commit; due work; polling; recovery. One future drives it all.

mod accounts;
mod arriving;
mod attach;
mod builder;
mod claims;
mod command;
mod due;
mod ending;
mod epochs;
mod hints;
mod inner;
mod lease;
mod numbers;
mod offers;
mod placing;
mod platform;
mod polling;
mod purchase;
mod reading;
mod receive;
mod run;
mod settings;
mod supply;
mod watch;

pub use builder::{BuildError, PlatformBuilder};
pub use platform::{Health, Platform, SupplierHealth};
pub use settings::{Caps, Settings};
pub use watch::Watch;
