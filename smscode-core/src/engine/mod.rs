//! The engine: load, decide, commit; due work; polling; recovery. One future drives it all.

mod accounts;
mod adjust;
mod arriving;
mod attach;
mod audit;
mod builder;
mod claims;
mod command;
mod deletion;
mod due;
mod ending;
mod epochs;
mod inner;
mod lease;
mod numbers;
mod offers;
mod placing;
mod platform;
mod polling;
mod purchase;
mod queues;
mod reading;
mod receive;
mod run;
mod settings;
mod supply;
mod watch;
mod wind_down;

pub use builder::{BuildError, PlatformBuilder};
pub use lease::worked_on_until;
pub use platform::{Health, Platform, SupplierHealth};
pub use settings::{Caps, Settings};
pub use watch::Watch;
