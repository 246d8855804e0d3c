//! Sealing: content is readable only with a key that can be destroyed.
//!
//! Each order has a key of its own, kept wrapped by an epoch key that lives in the keyring, outside the store. Deleting a
//! row leaves bytes in freed pages, logs and backups; destroying the epoch key makes them unreadable.

mod seal;

pub(crate) use seal::{NONCE_BYTES, OrderKey, Sealed, keyed_hash, open, seal};
