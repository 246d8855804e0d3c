//! The stored form of what an operator has said about a supplier.

use serde::{Deserialize, Serialize};

use crate::store::{Key, Kind};
use crate::time::Timestamp;

/// What operators have said about suppliers.
pub const SUPPLIER: Kind = Kind::of("supplier");

/// What an operator has said about a supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierRecord {
    /// Format.
    pub v: u8,
    /// No purchases; everything else goes on.
    pub drained: bool,
    /// Who said so last.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// The key of a supplier's record.
pub fn supplier_key(name: &str) -> Key {
    Key::free(SUPPLIER, name)
}
