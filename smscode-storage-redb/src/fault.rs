//! What can go wrong with the file, and how it is told.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smscode_core::store::codec::Unreadable;
use smscode_core::store::{Effect, StoreError};

/// The store's name in errors and in [`smscode_core::store::StoreInfo`].
pub(crate) const STORE: &str = "redb";

/// A failure inside this crate, before it is known what it means for the caller.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine failed. Boxed: it is large and rare.
    Engine(Box<redb::Error>),
    /// The engine panicked: the structure of the file is damaged.
    Panicked,
    /// A row is not in its stored form.
    Unreadable(Unreadable),
    /// Already told as the port tells it.
    Told(StoreError),
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

macro_rules! from_engine {
    ($($error:ty),+) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Engine(Box::new(error.into()))
            }
        })+
    };
}

from_engine!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);

impl From<Unreadable> for Fault {
    fn from(what: Unreadable) -> Self {
        Self::Unreadable(what)
    }
}

/// Runs a step of the engine, which panics over some damages of a file instead of saying so. After that the engine is
/// opened again before anything else, so no state of a half done step is met.
pub(crate) fn guarded<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or(Err(Fault::Panicked))
}

impl Fault {
    /// Whether the engine refuses everything from now on, until the file is opened again.
    pub(crate) fn needs_reopening(&self) -> bool {
        use redb::Error::{Backend, Io, PreviousIo};
        // not DatabaseClosed: that is a view from before the engine was opened again
        match self {
            Self::Engine(error) => matches!(**error, Io(_) | PreviousIo | Backend(_)),
            Self::Panicked => true,
            Self::Unreadable(_) | Self::Told(_) => false,
        }
    }

    /// As the port tells it.
    pub(crate) fn tell(self, effect: Effect) -> StoreError {
        match self {
            Self::Told(error) => error,
            Self::Unreadable(what) => what.in_store(STORE),
            Self::Panicked => corrupt("a file whose structure is damaged"),
            Self::Engine(error) => match *error {
                redb::Error::Corrupted(what) => corrupt(&what),
                redb::Error::Io(error) => unavailable(effect, describe_io(&error)),
                other => unavailable(effect, other.to_string()),
            },
        }
    }
}

pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

pub(crate) fn unavailable(effect: Effect, reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { store: STORE, effect, reason: reason.into() }
}

fn describe_io(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => format!(
            "there is no room on the disk ({error}); what was committed is safe, and commits go on as soon as there is room"
        ),
        _ => error.to_string(),
    }
}
