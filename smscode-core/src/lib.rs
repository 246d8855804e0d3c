#![doc = include_str!("../README.md")]

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod money;
pub mod order;
pub mod port;
pub mod store;
pub mod time;
