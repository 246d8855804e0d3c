//! A store that a task works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smscode_core::store::copy::Portable;
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_storage_redb::{RedbOptions, RedbStore};

use super::TaskError;
use crate::config::StoreChoice;
use crate::mark::Marks;
use crate::parts::make_folder;

/// A store that is open.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Portable>,
    /// Its name for people.
    pub(super) shown: String,
    /// To be closed at the end.
    postgres: Option<Arc<PostgresStore>>,
    /// The file, if it was made just now: taken away again if nothing comes into it.
    made: Option<PathBuf>,
}

/// Whether a store must be there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    /// It is read.
    Exist,
    /// It is filled.
    BeEmpty,
}

impl Opened {
    pub(super) async fn open(choice: &StoreChoice, must: Must) -> Result<Self, TaskError> {
        let shown = choice.shown();
        match choice {
            StoreChoice::Memory => Err(TaskError::Memory),
            StoreChoice::Postgres(address) => {
                let options = PostgresOptions { committers: 1, readers: 1, ..PostgresOptions::default() };
                let store = Arc::new(PostgresStore::open(address.reveal(), options).await?);
                Ok(Self { store: store.clone(), shown, postgres: Some(store), made: None })
            }
            StoreChoice::Redb(path) => {
                let exists = path.exists();
                if !exists {
                    if must == Must::Exist {
                        return Err(TaskError::files(path, &"there is no such file"));
                    }
                    make_parent(path)?;
                }
                let opened = RedbStore::open(path, RedbOptions::default());
                let store = Arc::new(opened.map_err(|error| TaskError::Open { error })?);
                Ok(Self { store, shown, postgres: None, made: (!exists).then(|| path.clone()) })
            }
        }
    }

    pub(super) fn marks(&self) -> Marks {
        Marks::of(self.store.clone(), self.shown.clone())
    }

    /// Whether nobody else can have it open.
    pub(super) const fn is_alone(&self) -> bool {
        self.postgres.is_none()
    }

    /// There is something in it now.
    pub(super) fn keep(&mut self) {
        self.made = None;
    }

    pub(super) async fn close(self) {
        if let Some(postgres) = &self.postgres {
            postgres.close().await;
        }
        let made = self.made.clone();
        drop(self.store);
        if let Some(file) = made {
            // empty, and made by us
            let _gone_already = std::fs::remove_file(file);
        }
    }
}

fn make_parent(path: &Path) -> Result<(), TaskError> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => make_folder(folder).map_err(|error| TaskError::files(folder, &error)),
        None => Ok(()),
    }
}
