//! Where the rows of a list lie.

use std::ops::Bound;

use super::{Table, View};
use crate::store::codec::{self, Unreadable, keys};
use crate::store::{Cursor, Index, Kind, Owner, Range, Row, kind_position};

/// The part of a table that a page of a list is read from.
pub(super) struct Part<'a> {
    index: &'a Index,
    from: Bound<Vec<u8>>,
    until: Vec<u8>,
}

impl<'a> Part<'a> {
    /// What a scan of this index reads.
    pub(super) fn of(index: &'a Index, range: &Range, after: Option<&Cursor>) -> Self {
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
    pub(super) fn table(&self) -> Table {
        match self.index {
            Index::Term(_) => Table::Terms,
            Index::Kind(_) => Table::Records,
            Index::Heads => Table::Heads,
            Index::Transfers(_) => Table::Transfers,
            Index::Events(_) => Table::Events,
        }
    }

    /// Its first key and the first key behind it, never turned round.
    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.from.as_ref().map(Vec::as_slice), Bound::Excluded(&self.until))
    }

    /// The row of the list that stands under a key. The record of a term is in the same view.
    pub(super) fn row<V: View>(&self, view: &V, key: &[u8], value: &[u8]) -> Result<Row, V::Error> {
        Ok(match self.index {
            Index::Term(_) => {
                let (position, record_key) = keys::read_term(key)?;
                let record = view.get(Table::Records, record_key, codec::read_record)?;
                let record = record.ok_or(Unreadable("a term without its record"))?;
                Row::Record { position, key: keys::read_record(record_key)?, record }
            }
            Index::Kind(_) => {
                let key = keys::read_record(key)?;
                Row::Record { position: kind_position(&key), record: codec::read_record(value)?, key }
            }
            Index::Heads => {
                let owner = key.try_into().map_err(|_| Unreadable("the key of a head"))?;
                Row::Head(Owner(owner), codec::read_head(value)?)
            }
            Index::Transfers(_) => Row::Transfer(codec::read_transfer(key, value)?),
            Index::Events(_) => Row::Event(codec::read_event(key, value)?),
        })
    }
}

/// Bytes after all keys that begin with these; no key here has 256 bytes FF.
fn after_all(prefix: &[u8]) -> Vec<u8> {
    Range::prefix(prefix).until.unwrap_or_else(|| vec![0xFF; 256])
}
