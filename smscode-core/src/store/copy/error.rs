//! Why something was not copied.

use crate::store::StoreError;
use crate::store::codec::Unreadable;

/// Why a backup was not made, not taken, or a store not copied. Nothing was written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// A store is away, or holds something unreadable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store that was to be filled has something in it.
    #[error("the store is not empty; only an empty one is filled")]
    NotEmpty,
    /// The bytes are not those of a backup.
    #[error("this is not a backup of smscode")]
    NotABackup,
    /// A newer program made the backup.
    #[error(
        "the backup has format {found}, this program reads up to {known}: use the program that made it, or a newer one"
    )]
    Newer {
        /// Its format.
        found: u64,
        /// The newest format known.
        known: u64,
    },
    /// The backup ends before its end: it was cut off, or never finished.
    #[error("the backup is cut off after {bytes} bytes: its end is missing")]
    CutOff {
        /// How many bytes there were.
        bytes: u64,
    },
    /// The backup is damaged.
    #[error("the backup is damaged: {what} (in the {bytes} bytes read so far)")]
    Damaged {
        /// What was found.
        what: String,
        /// How many bytes had been read.
        bytes: u64,
    },
    /// What arrived is not what was there.
    #[error("the copy is not equal to what was copied: {what}")]
    Unequal {
        /// In what they differ.
        what: String,
    },
}

impl CopyError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::NotEmpty => "store_not_empty",
            Self::NotABackup => "backup_foreign",
            Self::Newer { .. } => "backup_newer",
            Self::CutOff { .. } => "backup_cut_off",
            Self::Damaged { .. } => "backup_damaged",
            Self::Unequal { .. } => "copy_unequal",
        }
    }
}

impl From<Unreadable> for CopyError {
    fn from(what: Unreadable) -> Self {
        Self::Damaged { what: what.to_string(), bytes: 0 }
    }
}
