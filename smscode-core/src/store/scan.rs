//! Lists: one page after another, ascending by bytes.

use super::{Event, Head, Key, Kind, Owner, Record, Transfer};

/// What is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Index {
    /// The records that have a term in this index, by term, then key.
    Term(Kind),
    /// All records of a kind, by owner, then id.
    Kind(Kind),
    /// All heads, by owner.
    Heads,
    /// The transfers of an account, by number.
    Transfers(Owner),
    /// The events of an account, by number.
    Events(Owner),
}

/// Which part of an index: positions from `from` (included) up to `until` (excluded).
///
/// A position is the term's bytes; for [`Index::Kind`] owner and id joined; for [`Index::Heads`] the owner; for transfers
/// and events the number as eight big-endian bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// The first position wanted.
    pub from: Vec<u8>,
    /// The first position no longer wanted; `None` for all.
    pub until: Option<Vec<u8>>,
}

impl Range {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// All positions that begin with these bytes.
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut until = prefix.to_vec();
        while let Some(last) = until.last_mut() {
            if *last < u8::MAX {
                *last += 1;
                return Self { from: prefix.to_vec(), until: Some(until) };
            }
            until.pop();
        }
        Self { from: prefix.to_vec(), until: None }
    }

    /// This one position.
    pub fn only(position: &[u8]) -> Self {
        Self { from: position.to_vec(), until: Some([position, &[0]].concat()) }
    }

    /// Numbers above `number`, for transfers and events.
    pub fn after_number(number: u64) -> Self {
        Self { from: number.saturating_add(1).to_be_bytes().to_vec(), until: None }
    }

    /// Whether a position is wanted.
    pub fn contains(&self, position: &[u8]) -> bool {
        position >= self.from.as_slice() && self.until.as_deref().is_none_or(|until| position < until)
    }
}

/// Where a page ended: the position of its last row, and its key where several rows can share a position.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cursor {
    /// Position of the last row.
    pub position: Vec<u8>,
    /// Key of the last row; `None` for heads, transfers and events.
    pub key: Option<Key>,
}

/// One page of a scan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// At most as many rows as were asked for (and at most 1,000).
    pub rows: Vec<Row>,
    /// Where to go on; `None` when there is nothing more.
    pub next: Option<Cursor>,
}

impl Page {
    /// A page of at most `limit` rows, from rows of which one more was read to see whether there is more.
    pub fn cut(mut rows: Vec<Row>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(Row::cursor);
        Self { rows, next }
    }
}

/// A row of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// Of [`Index::Term`] and [`Index::Kind`].
    Record {
        /// Its position in the index.
        position: Vec<u8>,
        /// Its key.
        key: Key,
        /// The record.
        record: Record,
    },
    /// Of [`Index::Heads`].
    Head(Owner, Head),
    /// Of [`Index::Transfers`].
    Transfer(Transfer),
    /// Of [`Index::Events`].
    Event(Event),
}

impl Row {
    /// The cursor that goes on after this row.
    pub fn cursor(&self) -> Cursor {
        match self {
            Self::Record { position, key, .. } => Cursor { position: position.clone(), key: Some(key.clone()) },
            Self::Head(owner, _) => Cursor { position: owner.0.to_vec(), key: None },
            Self::Transfer(transfer) => {
                let number = transfer.entry.map_or(0, |entry| entry.number);
                Cursor { position: number.to_be_bytes().to_vec(), key: None }
            }
            Self::Event(event) => Cursor { position: event.number.to_be_bytes().to_vec(), key: None },
        }
    }
}

/// The position of a record in [`Index::Kind`].
pub fn kind_position(key: &Key) -> Vec<u8> {
    [&key.owner.0[..], &key.id].concat()
}
