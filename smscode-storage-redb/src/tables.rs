//! The tables. All their keys and values are bytes made by [`smscode_core::store::codec`], never by the engine's own
//! types, so that a file does not depend on them.

use redb::TableDefinition;

/// Version of the format of this store: the tables, their keys and values. Found under [`FORMAT_KEY`] in [`META`].
pub(crate) const FORMAT: u64 = 1;

pub(crate) const FORMAT_KEY: &str = "format";

pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Name to number. Kept readable by every future version: it tells which one is needed.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// kind, owner, id → version, terms, body.
pub(crate) const RECORDS: Definition = TableDefinition::new("records");
/// index, position, key of the record → nothing.
pub(crate) const TERMS: Definition = TableDefinition::new("terms");
/// owner → head.
pub(crate) const HEADS: Definition = TableDefinition::new("heads");
/// owner, name, period → number.
pub(crate) const COUNTERS: Definition = TableDefinition::new("counters");
/// owner, number → transfer.
pub(crate) const TRANSFERS: Definition = TableDefinition::new("transfers");
/// transfer id → nothing; between house accounts, which have no statement, the transfer.
pub(crate) const TRANSFER_IDS: Definition = TableDefinition::new("transfer_ids");
/// owner, number → time, body.
pub(crate) const EVENTS: Definition = TableDefinition::new("events");
/// operation id → fingerprint, time, receipt.
pub(crate) const OPERATIONS: Definition = TableDefinition::new("operations");
/// newest time of a group, its first operation id → all its operation ids. One row for a whole group, read only to forget it.
pub(crate) const OPERATION_GROUPS: Definition = TableDefinition::new("operation_groups");
/// currency → tally; currency, house account → sum.
pub(crate) const TOTALS: Definition = TableDefinition::new("totals");

/// All tables but [`META`].
pub(crate) const ALL: [(&str, Definition); 10] = [
    ("records", RECORDS),
    ("terms", TERMS),
    ("heads", HEADS),
    ("counters", COUNTERS),
    ("transfers", TRANSFERS),
    ("transfer_ids", TRANSFER_IDS),
    ("events", EVENTS),
    ("operations", OPERATIONS),
    ("operation_groups", OPERATION_GROUPS),
    ("totals", TOTALS),
];
