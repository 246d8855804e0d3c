//! Orders.

pub mod code;
