//! The note that earlier versions kept beside a store's file: taken over into the store once, and removed.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::mark::Mode;
use crate::start::StartError;

/// What the note says.
#[derive(Debug, Deserialize)]
pub(crate) struct Note {
    pub(crate) mode: Mode,
    /// Accounts in hexadecimal, by names of the settings.
    #[serde(default)]
    pub(crate) customers: BTreeMap<String, String>,
}

impl Note {
    /// The note beside a store's file, if there is one.
    pub(crate) fn read(store: &Path) -> Result<Option<Self>, StartError> {
        let path = beside(store);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map(Some).map_err(|error| unusable(&path, error.message())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&path, &error.to_string())),
        }
    }

    /// Removes the note beside a store's file.
    pub(crate) fn remove(store: &Path) -> Result<(), StartError> {
        let path = beside(store);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(&path, &error.to_string())),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".mode");
    PathBuf::from(name)
}

fn unusable(path: &Path, reason: &str) -> StartError {
    StartError::Files { path: path.display().to_string(), reason: reason.to_owned() }
}
