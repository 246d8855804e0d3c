//! Whole stores, row by row: for backups, for moving to another store, and for looking through everything.
//!
//! Beside the five methods of the port a store may be [`Portable`]: it gives every row of one moment ([`Export`]), and it
//! takes such rows while it is empty, all of them or none ([`Import`]). Rows are the same whichever store they come from,
//! and so is their order; so two stores hold the same if the [`Summary`] of both is equal.
//!
//! Here is what follows from that: [`Backup`] makes the bytes of a backup out of an export, [`Restore`] takes them apart
//! again, and [`carry`] takes everything from one store into another. Nothing here opens a file.
//!
//! # What a backup is
//!
//! The line `smscode backup 1`, 1 being the format, then frames: a byte that says what it is, four bytes of length
//! (little-endian), and so many bytes.
//!
//! | byte | frame |
//! |---|---|
//! | `H`, first | what it is of, as JSON: [`Header`] with the [`Totals`] at that moment |
//! | [`Table::byte`](super::ordered::Table::byte) | a row: the length of its key (as LEB128), key, value, both as [`codec`](super::codec) writes them |
//! | `T`, last | as JSON: how many rows of each sort, the SHA-256 of the frames of all rows, and of all bytes before this frame |
//!
//! Rows are ordered by table, then by key. What follows from other rows is left out: places in indexes, ids of transfers
//! that stand on a statement. A reader refuses another order, a newer format, and everything that is not just so.
//!
//! # What a backup reveals
//!
//! What the store reveals: the ledger, which services were ordered when, and which token has which hash. Numbers and SMS
//! of orders that were open are in it, sealed; the keys are not, they are in the keyring and gone there within 90 minutes.

mod backup;
mod carry;
mod error;
mod format;
mod restore;
mod row;
mod stream;
mod summary;
#[cfg(test)]
mod tests;
mod writes;

use async_trait::async_trait;

use super::ordered::Table;
use super::{Store, StoreError, Totals, Writes};

pub use backup::Backup;
pub use carry::{Carried, carry, summary};
pub use error::CopyError;
pub use format::Header;
pub use restore::{Inspection, Restore};
pub use row::StoredRow;
pub use stream::Rows;
pub use summary::Summary;

/// A store that can be copied as a whole.
#[async_trait]
pub trait Portable: Store {
    /// Everything there is at this moment. The store goes on; it keeps what it needs for this moment until the export is
    /// dropped.
    ///
    /// # Errors
    ///
    /// As any read.
    async fn export(&self) -> Result<Box<dyn Export>, StoreError>;

    /// Begins to fill the store; `None` if there is anything in it. Nothing is seen of it before [`Import::finish`], and
    /// nothing is left of it if it is dropped before.
    ///
    /// # Errors
    ///
    /// As a commit.
    async fn import(&self) -> Result<Option<Box<dyn Import + '_>>, StoreError>;
}

/// Every row of one moment.
#[async_trait]
pub trait Export: Send {
    /// The sums at this moment.
    fn totals(&self) -> &Totals;

    /// Some rows of a section, ascending by [`StoredRow::key`], those behind a key, which need not be there. A part may be
    /// empty and not the last: [`Part::next`] says where to go on.
    ///
    /// # Errors
    ///
    /// As any read; `Corrupt` for a row that cannot be read.
    async fn part(&mut self, section: Section, after: Option<&[u8]>) -> Result<Part, StoreError>;
}

/// Fills a store.
#[async_trait]
pub trait Import: Send {
    /// Takes rows, as what a group would have written; nothing is judged. Every row comes once.
    ///
    /// # Errors
    ///
    /// As a commit; then the import is over.
    async fn write(&mut self, writes: Writes) -> Result<(), StoreError>;

    /// Makes everything durable and visible, or nothing.
    ///
    /// # Errors
    ///
    /// As a commit.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// Some rows of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The rows.
    pub rows: Vec<StoredRow>,
    /// Go on behind this key; `None` when there is nothing more.
    pub next: Option<Vec<u8>>,
}

/// What an export is read by. Sums are no section: they are [`Export::totals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Records, by kind, owner, id.
    Records,
    /// Heads, by owner.
    Heads,
    /// Counters, by owner, name, period.
    Counters,
    /// Transfers of accounts, by owner and number.
    Transfers,
    /// Transfers between house accounts, by id.
    HouseTransfers,
    /// Events, by owner and number.
    Events,
    /// Remembered operations, by id.
    Operations,
}

impl Section {
    /// All sections, in the order in which they are copied.
    pub const ALL: [Self; 7] = [
        Self::Records,
        Self::Heads,
        Self::Counters,
        Self::Transfers,
        Self::HouseTransfers,
        Self::Events,
        Self::Operations,
    ];

    /// The table whose keys and values its rows have.
    pub const fn table(self) -> Table {
        match self {
            Self::Records => Table::Records,
            Self::Heads => Table::Heads,
            Self::Counters => Table::Counters,
            Self::Transfers => Table::Transfers,
            Self::HouseTransfers => Table::TransferIds,
            Self::Events => Table::Events,
            Self::Operations => Table::Operations,
        }
    }
}
