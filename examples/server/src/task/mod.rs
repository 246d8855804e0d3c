//! What the program does with a store instead of serving it: back it up, restore it, look through it, move it.

mod backup;
mod look;
mod moving;
mod opened;
mod restore;

use smscode_core::store::StoreError;
use smscode_core::store::copy::CopyError;
use smscode_core::time::Timestamp;

use crate::config::{Cli, ConfigError, Task, store_from_environment, store_of};
use crate::mark::MarkError;

pub use backup::backup;
pub(crate) use backup::begin;
pub use look::{inspect, verify};
pub use moving::{move_store, undo};
pub use restore::restore;

/// What a task has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What is said of it.
    pub text: String,
    /// Whether everything fits.
    pub clean: bool,
}

impl Done {
    fn clean(text: String) -> Self {
        Self { text, clean: true }
    }
}

/// Why a task was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    Files {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// A store in memory ends with its process.
    #[error("a store in memory has nothing to back up, to restore into or to move: name redb:PATH or a database")]
    Memory,
    /// The file of the store cannot be opened.
    #[error("{error}. A file has one process at a time: if a server has it open, stop it first")]
    Open {
        /// Why.
        error: StoreError,
    },
    /// Something is wrong with a store, or with a backup.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The store was moved.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// A server works with the store.
    #[error("a server works with {store}, or did until {until}: stop all servers, wait until then, and try again")]
    InUse {
        /// The store.
        store: String,
        /// Until when its work is its own.
        until: Timestamp,
    },
    /// Somebody has written to the store while it was moved.
    #[error("{store} was written to while it was moved, so nothing was moved: stop all servers and try again")]
    WrittenTo {
        /// The store.
        store: String,
    },
    /// The move cannot be taken back.
    #[error("{reason}; nothing was changed")]
    NoWayBack {
        /// Why.
        reason: String,
    },
}

impl TaskError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Files { .. } => "files",
            Self::Memory => "store_memory",
            Self::Open { error } => error.code(),
            Self::Copy(error) => error.code(),
            Self::Mark(error) => error.code(),
            Self::InUse { .. } => "store_in_use",
            Self::WrittenTo { .. } => "store_written_to",
            Self::NoWayBack { .. } => "move_no_way_back",
        }
    }

    /// Whether doing it again may help, with nothing changed.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Copy(CopyError::Store(StoreError::Unavailable { .. }))
                | Self::Mark(MarkError::Store(StoreError::Unavailable { .. }))
        )
    }

    pub(crate) fn files(path: &std::path::Path, error: &dyn std::fmt::Display) -> Self {
        Self::Files { path: path.display().to_string(), reason: error.to_string() }
    }
}

impl From<StoreError> for TaskError {
    fn from(error: StoreError) -> Self {
        Self::Copy(CopyError::Store(error))
    }
}

/// Does a task of the command line; `None` for one that is none of a store.
///
/// # Errors
///
/// [`TaskError`]: it was not done.
pub async fn run(cli: &Cli) -> Option<Result<Done, TaskError>> {
    let task = cli.task.as_ref()?;
    let store = || store_from_environment(cli).map_err(TaskError::from);
    Some(match task {
        Task::Migrate(_) => return None,
        Task::Backup(settings) => match store() {
            Ok(store) => backup(&store, &settings.to).await,
            Err(error) => Err(error),
        },
        Task::Restore(settings) => match store() {
            Ok(store) => restore(&store, &settings.from).await,
            Err(error) => Err(error),
        },
        Task::Verify(settings) => match (&settings.file, store()) {
            (Some(file), _) => inspect(file, settings.json),
            (None, Ok(store)) => verify(&store, settings.at_rest, settings.json).await,
            (None, Err(error)) => Err(error),
        },
        Task::Move(settings) => match (store_of(&settings.from), store_of(&settings.to)) {
            (Ok(from), Ok(to)) if settings.undo => undo(&from, &to).await,
            (Ok(from), Ok(to)) => move_store(&from, &to).await,
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
        },
    })
}
