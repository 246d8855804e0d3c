//! The one error type of stores.

use super::{Bucket, CounterKey, Expect, Key};
use crate::money::Currency;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The ChangeSet was judged and refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store could not be reached or could not write.
    #[error("the store {store} is unavailable (effect: {effect:?}): {reason}")]
    Unavailable {
        /// The store's name.
        store: &'static str,
        /// Whether the commit may have taken effect all the same.
        effect: Effect,
        /// What happened, for the operator; no personal data.
        reason: String,
    },
    /// The store is there, but this program cannot use it as things are: a password, a right, a setting of the server.
    /// Nothing was done, and waiting does not help: somebody has to change something.
    #[error("the store {store} cannot be used: {reason}")]
    Unusable {
        /// The store's name.
        store: &'static str,
        /// What is to be changed, for the operator; no personal data, no secret.
        reason: String,
    },
    /// The store's format is newer than this program, or older and to be migrated first.
    #[error("the store {store} has format {found}, this program reads up to {known}: {advice}")]
    Format {
        /// The store's name.
        store: &'static str,
        /// The format found.
        found: u64,
        /// The newest format known.
        known: u64,
        /// What to do.
        advice: String,
    },
    /// What was read makes no sense, or is another program's.
    #[error("the store {store} holds something unreadable: {what}")]
    Corrupt {
        /// The store's name.
        store: &'static str,
        /// What and where, without its content.
        what: String,
    },
}

impl StoreError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Unavailable { .. } => "store_unavailable",
            Self::Unusable { .. } => "store_unusable",
            Self::Format { .. } => "store_format",
            Self::Corrupt { .. } => "store_corrupt",
        }
    }

    /// Whether reloading and deciding again may help: somebody else was faster.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(Refusal::Expectation { .. } | Refusal::TransferExists { .. }))
    }
}

/// Whether an unavailable store may have taken the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Certainly not.
    No,
    /// Nobody knows: send the same ChangeSet again.
    Unknown,
}

/// Why a judged ChangeSet was refused. First failure wins, in the order of rule 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operation id was used for another ChangeSet.
    #[error("the operation id was used before with other content")]
    OperationReused,
    /// A record is not as expected.
    #[error("{key:?} is not as expected: wanted {expected:?}, found version {found:?}")]
    Expectation {
        /// Which record.
        key: Key,
        /// What was wanted.
        expected: Expect,
        /// Its version, `None` if it is absent.
        found: Option<u64>,
    },
    /// A transfer of that id exists.
    #[error("{subject}: a transfer with this id exists")]
    TransferExists {
        /// What the transfer was about.
        subject: String,
    },
    /// A bucket would leave its bounds.
    #[error("{bucket:?} would become {would_be} {currency}")]
    Floor {
        /// Which bucket.
        bucket: Bucket,
        /// Its currency.
        currency: Currency,
        /// What is in it now.
        now: i64,
        /// What would be in it.
        would_be: i64,
    },
    /// The account has another currency.
    #[error("the account has {has}, the transfer is in {wanted}")]
    Currency {
        /// The account's.
        has: Currency,
        /// The transfer's.
        wanted: Currency,
    },
    /// A counter would exceed its cap.
    #[error("{counter:?} would become {would_be}, above {max}")]
    Counter {
        /// Which counter.
        counter: CounterKey,
        /// What it would become.
        would_be: i64,
        /// The cap.
        max: i64,
    },
    /// Too large or not well formed.
    #[error("{what}: {found} is beyond the limit of {max}; {advice}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// Its size.
        found: usize,
        /// The limit.
        max: usize,
        /// What to do.
        advice: &'static str,
    },
    /// The entries contradict each other or make no sense.
    #[error("the ChangeSet makes no sense: {0}")]
    Malformed(&'static str),
}

impl Refusal {
    /// Stable code of the refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OperationReused => "operation_reused",
            Self::Expectation { .. } => "expectation",
            Self::TransferExists { .. } => "transfer_exists",
            Self::Floor { .. } => "floor",
            Self::Currency { .. } => "currency",
            Self::Counter { .. } => "counter",
            Self::Limit { .. } => "limit",
            Self::Malformed(_) => "malformed",
        }
    }
}
