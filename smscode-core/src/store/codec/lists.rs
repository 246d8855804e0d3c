//! Where the rows of a list lie.

use std::ops::Bound;

use super::{Unreadable, keys, read_event, read_head, read_record, read_transfer};
use crate::store::{Cursor, Index, Kind, Owner, Range, Record, Row, kind_position};

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

/// The part of a table that a page of a list is read from: ascending, from [`Part::bounds`], each row told by
/// [`Part::row`].
#[derive(Clone, Debug)]
pub struct Part<'a> {
    index: &'a Index,
    from: Bound<Vec<u8>>,
    until: Vec<u8>,
}

impl<'a> Part<'a> {
    /// What a scan of this index reads.
    pub fn of(index: &'a Index, range: &Range, after: Option<&Cursor>) -> Self {
        match index {
            Index::Term(name) => Self::terms(index, name, range, after),
            Index::Kind(kind) => Self::plain(index, &keys::kind_prefix(kind), range, after),
            Index::Heads => Self::plain(index, &[], range, after),
            Index::Transfers(owner) | Index::Events(owner) => Self::plain(index, &owner.0, range, after),
        }
    }

    /// A list whose keys are a prefix and the position.
    fn plain(index: &'a Index, prefix: &[u8], range: &Range, after: Option<&Cursor>) -> Self {
        let at = |position: &[u8]| [prefix, position].concat();
        let until = range.until.as_deref().map_or_else(|| after_all(prefix), at);
        Self::between(index, at(&range.from), after.map(|cursor| Bound::Excluded(at(&cursor.position))), until)
    }

    fn terms(index: &'a Index, name: &Kind, range: &Range, after: Option<&Cursor>) -> Self {
        let at = |position: &[u8]| keys::term_prefix(name, position);
        let after = after.map(|cursor| match &cursor.key {
            Some(key) => Bound::Excluded(keys::term(name, &cursor.position, &keys::record(key))),
            None => Bound::Included(at(&cursor.position)),
        });
        let until = range.until.as_deref().map_or_else(|| after_all(&keys::kind_prefix(name)), at);
        Self::between(index, at(&range.from), after, until)
    }

    /// Keys from `from` on, or after `after` if that is further on.
    fn between(index: &'a Index, from: Vec<u8>, after: Option<Bound<Vec<u8>>>, until: Vec<u8>) -> Self {
        let from = match after {
            Some(Bound::Excluded(after)) if after >= from => Bound::Excluded(after),
            Some(Bound::Included(after)) if after > from => Bound::Included(after),
            _ => Bound::Included(from),
        };
        match &from {
            // nothing: said so that an ordered map takes it
            Bound::Included(key) | Bound::Excluded(key) if *key >= until => {
                Self { index, from: Bound::Included(until.clone()), until }
            }
            Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded => Self { index, from, until },
        }
    }

    /// Which rows it is a part of.
    pub fn table(&self) -> Table {
        match self.index {
            Index::Term(_) => Table::Terms,
            Index::Kind(_) => Table::Records,
            Index::Heads => Table::Heads,
            Index::Transfers(_) => Table::Transfers,
            Index::Events(_) => Table::Events,
        }
    }

    /// Its first key and the first key behind it. Never turned round, so that `BTreeMap::range` takes them.
    pub fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.from.as_ref().map(Vec::as_slice), Bound::Excluded(&self.until))
    }

    /// The row of the list that stands under a key. `record` finds the record of a term by its key, in the same view.
    ///
    /// # Errors
    ///
    /// Key or value is not in its stored form, a term has no record, or `record` failed.
    pub fn row<E: From<Unreadable>>(
        &self,
        key: &[u8],
        value: &[u8],
        record: impl FnOnce(&[u8]) -> Result<Option<Record>, E>,
    ) -> Result<Row, E> {
        Ok(match self.index {
            Index::Term(_) => {
                let (position, record_key) = keys::read_term(key)?;
                let record = record(record_key)?.ok_or(Unreadable("a term without its record"))?;
                Row::Record { position, key: keys::read_record(record_key)?, record }
            }
            Index::Kind(_) => {
                let key = keys::read_record(key)?;
                Row::Record { position: kind_position(&key), record: read_record(value)?, key }
            }
            Index::Heads => {
                let owner = key.try_into().map_err(|_| Unreadable("the key of a head"))?;
                Row::Head(Owner(owner), read_head(value)?)
            }
            Index::Transfers(_) => Row::Transfer(read_transfer(key, value)?),
            Index::Events(_) => Row::Event(read_event(key, value)?),
        })
    }
}

/// Bytes after all keys that begin with these; no key here has 256 bytes FF.
fn after_all(prefix: &[u8]) -> Vec<u8> {
    Range::prefix(prefix).until.unwrap_or_else(|| vec![0xFF; 256])
}
