#![doc = include_str!("../README.md")]

pub mod money;
pub mod order;
pub mod port;
pub mod store;
pub mod time;
