//! What can be rented: countries, services, products with stable ids, and what they cost.

pub mod countries;
mod price;
pub mod record;
pub mod services;
mod view;

pub use countries::Country;
pub use price::{PriceRule, ceiling, price};
pub use services::Category;
pub use view::{Catalogue, Product, ServiceEntry, Sort};
