//! The tables. All their keys and values are bytes made by [`smscode_core::store::codec`], never by the engine's own
//! types, so that a file does not depend on them.

use redb::TableDefinition;
use smscode_core::store::ordered::Table;

/// Version of the format of this store: the tables, their keys and values. Found under [`FORMAT_KEY`] in [`META`].
pub(crate) const FORMAT: u64 = 1;

pub(crate) const FORMAT_KEY: &str = "format";

pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Name to number. Kept readable by every future version: it tells which one is needed.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// A table of rows.
pub(crate) const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}
