//! The engine: load, decide, commit; due work; polling; recovery. One future drives it all.

mod platform;
mod settings;
mod watch;

pub use platform::{BuildError, Health, Platform, PlatformBuilder, SupplierHealth};
pub use settings::{Caps, Settings};
pub use watch::Watch;
