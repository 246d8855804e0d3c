//! Everything of a store but the engine, for engines that keep bytes under ordered keys: a file, an embedded database, an
//! SQL table of two blobs.
//!
//! Such an adapter implements [`View`], two methods, and writes what [`changes`] lists, all or nothing. The rest is here:
//! what the judge wants to see ([`rows`]), and the reads of the port ([`load`], [`scan`], [`totals`]). Keys and values are
//! those of [`codec`](super::codec).
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::ops::{Bound, ControlFlow};
//! use smscode_core::store::codec::Unreadable;
//! use smscode_core::store::ordered::{self, Change, Table, View};
//! use smscode_core::store::{ChangeSet, Names, Receipt, Refusal, judge_group};
//!
//! #[derive(Default)]
//! struct Map(BTreeMap<(Table, Vec<u8>), Vec<u8>>);
//!
//! impl View for Map {
//!     type Error = Unreadable; // an engine that can fail has its own
//!
//!     fn get<T>(
//!         &self,
//!         table: Table,
//!         key: &[u8],
//!         read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
//!     ) -> Result<Option<T>, Unreadable> {
//!         self.0.get(&(table, key.to_vec())).map(|value| read(value)).transpose()
//!     }
//!
//!     fn walk(
//!         &self,
//!         table: Table,
//!         from: Bound<&[u8]>,
//!         until: Bound<&[u8]>,
//!         mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Unreadable>,
//!     ) -> Result<(), Unreadable> {
//!         let rows = self.0.iter().filter(|((of, _), _)| *of == table).map(|((_, key), value)| (key, value));
//!         for (key, value) in rows {
//!             let wanted = std::ops::RangeBounds::<[u8]>::contains(&(from, until), key.as_slice());
//!             if wanted && each(key, value)?.is_break() {
//!                 break;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! fn commit(map: &mut Map, group: &[ChangeSet]) -> Result<Vec<Result<Receipt, Refusal>>, Unreadable> {
//!     let (writes, results) = judge_group(ordered::rows(map, &Names::of(group))?, group);
//!     for Change { table, key, value } in ordered::changes(map, &writes)? {
//!         match value {
//!             Some(value) => map.0.insert((table, key), value),
//!             None => map.0.remove(&(table, key)),
//!         };
//!     }
//!     Ok(results)
//! }
//! # use smscode_core::store::{Body, OperationId};
//! # use smscode_core::time::Timestamp;
//! # let mut map = Map::default();
//! # let set = ChangeSet::new(OperationId([1; 16]), Timestamp::EPOCH).seal(Body::empty());
//! # assert!(matches!(commit(&mut map, &[set.clone()])?.as_slice(), [Ok(receipt)] if !receipt.replayed));
//! # assert!(matches!(commit(&mut map, &[set])?.as_slice(), [Ok(receipt)] if receipt.replayed));
//! # Ok::<(), Unreadable>(())
//! ```

mod changes;
mod copying;
mod part;
mod read;

use std::ops::{Bound, ControlFlow};

use super::codec::Unreadable;

pub use changes::{Change, changes};
pub use copying::{imported, is_empty, part};
pub use read::{add_heads, load, rows, scan, sums, totals};

/// One consistent view of the rows.
pub trait View {
    /// Why the engine did not answer.
    type Error: From<Unreadable>;

    /// What `read` makes of the value under a key; `None` if nothing stands there.
    ///
    /// # Errors
    ///
    /// Those of the engine and of `read`.
    fn get<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Self::Error>;

    /// Hands the rows of a table between two bounds, key and value, to `each`, ascending by the bytes of their keys, until
    /// it breaks. `each` may call [`View::get`]. The bounds are never turned round; `from` may be unbounded, `until` too.
    ///
    /// # Errors
    ///
    /// Those of the engine and of `each`, which end the walk.
    fn walk(
        &self,
        table: Table,
        from: Bound<&[u8]>,
        until: Bound<&[u8]>,
        each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Self::Error>,
    ) -> Result<(), Self::Error>;
}

/// A sort of row: a table of its own, or a first byte before its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// kind, owner, id → version, terms, body.
    Records,
    /// index, position, key of the record → nothing.
    Terms,
    /// owner → head.
    Heads,
    /// owner, name, period → number.
    Counters,
    /// owner, number → transfer.
    Transfers,
    /// transfer id → nothing; between house accounts, which have no statement, the transfer.
    TransferIds,
    /// owner, number → time, body.
    Events,
    /// operation id → fingerprint, time, receipt.
    Operations,
    /// newest time of a group, its first operation id → all its operation ids. One row for a whole group, read only to
    /// forget it.
    OperationGroups,
    /// currency → tally; currency, house account → sum.
    Totals,
}

impl Table {
    /// All tables, in a fixed order.
    pub const ALL: [Self; 10] = [
        Self::Records,
        Self::Terms,
        Self::Heads,
        Self::Counters,
        Self::Transfers,
        Self::TransferIds,
        Self::Events,
        Self::Operations,
        Self::OperationGroups,
        Self::Totals,
    ];

    /// A name for the table: lower-case letters and `_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Terms => "terms",
            Self::Heads => "heads",
            Self::Counters => "counters",
            Self::Transfers => "transfers",
            Self::TransferIds => "transfer_ids",
            Self::Events => "events",
            Self::Operations => "operations",
            Self::OperationGroups => "operation_groups",
            Self::Totals => "totals",
        }
    }

    /// A byte for the table, for engines with one ordered map: it stands before the key.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Records => 1,
            Self::Terms => 2,
            Self::Heads => 3,
            Self::Counters => 4,
            Self::Transfers => 5,
            Self::TransferIds => 6,
            Self::Events => 7,
            Self::Operations => 8,
            Self::OperationGroups => 9,
            Self::Totals => 10,
        }
    }
}
