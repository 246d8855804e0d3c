//! Suppliers of numbers, one folder per protocol.

pub mod sms_activate;
