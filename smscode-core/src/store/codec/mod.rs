//! The stored form of rows, for adapters over an engine that keeps bytes under ordered keys. They need no form of their
//! own: [`keys`] names rows so that they sort as the port wants its lists sorted, and the functions here write and read
//! what stands under them; [`ordered`](super::ordered) does both for a whole group. A store with typed columns may keep
//! columns instead, and take from here only what it has no type for, such as the terms of a record or a remembered
//! operation.
//!
//! | [`Table`](super::ordered::Table) | key | value |
//! |---|---|---|
//! | `Records` | [`keys::record`] | [`put_record`] |
//! | `Terms` | [`keys::term`] | nothing |
//! | `Heads` | the owner's 16 bytes | [`put_head`] |
//! | `Counters` | [`keys::counter`] | [`put_counter`] |
//! | `Transfers` | [`keys::numbered`] | [`put_transfer`] |
//! | `TransferIds` | the id's own bytes | nothing; between house accounts, which have no statement, [`put_transfer`] |
//! | `Events` | [`keys::numbered`] | [`put_event`] |
//! | `Operations` | the 16 bytes of the id | [`put_operation`] |
//! | `OperationGroups` | [`keys::group`] | [`put_group`] |
//! | `Totals` | [`keys::tally`], [`keys::house`] | [`add_tally`], [`add_house`] |
//!
//! Keys of two tables can be alike.
//!
//! `put_…` appends to a buffer, so that one serves a whole group; `read_…` takes the bytes as they were written. What is
//! written here is on disks: golden files hold every form, and one that moves is a new format of every store that keeps
//! it. An adapter numbers its own format and refuses a newer one.
//!
//! ```
//! use smscode_core::store::codec::{self, keys};
//! use smscode_core::store::{Head, Key, Kind, Owner};
//!
//! # fn main() -> Result<(), codec::Unreadable> {
//! let mut value = Vec::new();
//! codec::put_head(&mut value, &Head { available: 900, ..Head::default() });
//! assert_eq!(codec::read_head(&value)?.available, 900);
//!
//! let key = |id: &str| keys::record(&Key::owned(Kind::of("order"), Owner([7; 16]), id));
//! assert!(key("2026-11-22/1") < key("2026-11-22/2"));
//! assert!(codec::read_head(b"something else").is_err());
//! # Ok(()) }
//! ```

mod bytes;
pub mod keys;
#[cfg(all(test, feature = "conformance"))]
mod tests;
mod values;

use super::StoreError;

pub use values::{
    add_house, add_tally, add_total, put_counter, put_event, put_group, put_head, put_house, put_operation, put_record,
    put_tally, put_terms, put_transfer, read_counter, read_event, read_group, read_head, read_house,
    read_house_transfer, read_operation, read_operation_time, read_record, read_tally, read_terms, read_transfer,
};

/// A row that is not in the form that is written here, by what it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not in its stored form")]
pub struct Unreadable(pub &'static str);

impl Unreadable {
    /// As the port tells it, by the store of that name.
    pub fn in_store(self, store: &'static str) -> StoreError {
        StoreError::Corrupt { store, what: self.0.to_owned() }
    }
}
