//! Names of rows: kinds, owners, keys of records and of counters.

use std::borrow::Cow;
use std::fmt;

/// What sort of record it is, such as `order`. Kinds are data: an adapter stores any kind without knowing it.
///
/// Lower-case letters, digits and `_`; a host prefixes its own kinds with `host_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// A kind known at compile time.
    pub const fn of(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind read back from a store.
    pub fn read(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }

    /// The kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account that owns a row; all zero where there is none. Internal: it stands in no answer, export, mail or log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub [u8; 16]);

impl Owner {
    /// No owner.
    pub const NONE: Self = Self([0; 16]);

    /// Whether this is the owner of ownerless rows.
    pub fn is_none(&self) -> bool {
        self.0 == [0; 16]
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { "Owner(none)" } else { "Owner(..)" })
    }
}

/// The full name of a record: kind, owner and id, in this order everywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The sort of record.
    pub kind: Kind,
    /// Whose record it is.
    pub owner: Owner,
    /// Which one, 0 to 128 bytes, ordered as bytes.
    pub id: Vec<u8>,
}

impl Key {
    /// A record of an account.
    pub fn owned(kind: Kind, owner: Owner, id: impl Into<Vec<u8>>) -> Self {
        Self { kind, owner, id: id.into() }
    }

    /// A record that belongs to nobody.
    pub fn free(kind: Kind, id: impl Into<Vec<u8>>) -> Self {
        Self::owned(kind, Owner::NONE, id)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the id may be derived from something personal
        write!(f, "{:?}/{:?}/{} bytes", self.kind, self.owner, self.id.len())
    }
}

/// The name of a counter: whose, of what, and for which period (a day, or empty for always).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// Whose counter it is.
    pub owner: Owner,
    /// What is counted, such as `open_orders`.
    pub name: String,
    /// The period, such as `2026-11-22`; empty for a counter that never starts anew.
    pub period: String,
}

impl CounterKey {
    /// A counter of an account without a period.
    pub fn of(owner: Owner, name: &str) -> Self {
        Self { owner, name: name.to_owned(), period: String::new() }
    }
}

impl fmt::Debug for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}/{}", self.owner, self.name, self.period)
    }
}
