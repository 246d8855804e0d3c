//! What can be rented: countries and services of the market.

pub mod countries;
pub mod services;
