//! Stored forms of the catalogue: ids only. Prices and stock are the suppliers' and live in memory.

use serde::{Deserialize, Serialize};

use crate::store::{Key, Kind};

/// A product: one slot, a supplier's offer of a service in a country. Its id is never pointed at anything else.
pub const PRODUCT: Kind = Kind::of("product");

/// An umbrella: the pair of country and service.
pub const UMBRELLA: Kind = Kind::of("umbrella");

/// The stored form of both: the id that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRecord {
    /// Format.
    pub v: u8,
    /// The id.
    pub id: u32,
}

/// The key of a product.
pub fn product_key(supplier: &str, country: u16, service: &str) -> Key {
    Key::free(PRODUCT, format!("{country}/{service}/{supplier}"))
}

/// The key of an umbrella.
pub fn umbrella_key(country: u16, service: &str) -> Key {
    Key::free(UMBRELLA, format!("{country}/{service}"))
}

/// Reads a key back into country, service and (of a product) supplier.
pub fn read_key(key: &Key) -> Option<(u16, String, Option<String>)> {
    let text = std::str::from_utf8(&key.id).ok()?;
    let mut parts = text.splitn(3, '/');
    let country = parts.next()?.parse().ok()?;
    let service = parts.next()?.to_owned();
    Some((country, service, parts.next().map(str::to_owned)))
}
