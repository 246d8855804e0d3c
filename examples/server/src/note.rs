//! The note beside a store's file: whether the store is a sandbox or live, and which accounts belong to which names in
//! the settings. It belongs into the store as soon as the store can hold a host's own records.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use smscode_core::account::AccountId;

/// What a store is for, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Play money and a simulated supplier.
    Sandbox,
    /// Money and suppliers.
    Live,
}

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }
}

/// What is wrong with a note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The store is of the other kind.
    #[error("{path} is a {is} store and is never served as {wanted}: name another with --store or --data-dir{advice}")]
    OtherMode {
        /// The store.
        path: String,
        /// What it is.
        is: &'static str,
        /// What was wanted.
        wanted: &'static str,
        /// What may have gone wrong, as the end of the sentence.
        advice: &'static str,
    },
    /// There is a store but no note.
    #[error("{path} is there, but its note {note} is not: put it back, or name another store")]
    Missing {
        /// The store.
        path: String,
        /// The note.
        note: String,
    },
    /// It cannot be read or written.
    #[error("{note}: {reason}")]
    Unusable {
        /// The note.
        note: String,
        /// Why.
        reason: String,
    },
}

impl NoteError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherMode { .. } => "store_mode",
            Self::Missing { .. } => "store_note_missing",
            Self::Unusable { .. } => "store_note",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    mode: Mode,
    #[serde(default)]
    customers: BTreeMap<String, String>,
}

/// The note of an open store.
#[derive(Debug)]
pub(crate) struct Note {
    /// Nowhere for a store in memory.
    path: Option<PathBuf>,
    content: Content,
}

impl Note {
    /// For a store in memory: kept as long as it.
    pub(crate) const fn in_memory(mode: Mode) -> Self {
        Self { path: None, content: Content { mode, customers: BTreeMap::new() } }
    }

    /// Reads the note of a store's file, or writes it before there is a store.
    pub(crate) fn open(store: &Path, mode: Mode) -> Result<Self, NoteError> {
        let mut name = store.as_os_str().to_owned();
        name.push(".mode");
        let path = PathBuf::from(name);
        let exists = store.exists();
        let mut note = match fs::read_to_string(&path) {
            Ok(text) => Self {
                content: toml::from_str(&text).map_err(|error| unusable(&path, error.message()))?,
                path: Some(path.clone()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && exists => {
                return Err(NoteError::Missing { path: store.display().to_string(), note: path.display().to_string() });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let note = Self { path: Some(path), ..Self::in_memory(mode) };
                note.write()?;
                return Ok(note);
            }
            Err(error) => return Err(unusable(&path, &error.to_string())),
        };
        if !exists {
            // the store was taken away: what is made now is new
            note.content = Self::in_memory(mode).content;
            note.write()?;
        }
        note.check(store, mode)?;
        Ok(note)
    }

    fn check(&self, store: &Path, mode: Mode) -> Result<(), NoteError> {
        let is = self.content.mode;
        if is == mode {
            return Ok(());
        }
        Err(NoteError::OtherMode {
            path: store.display().to_string(),
            is: is.word(),
            wanted: mode.word(),
            advice: match mode {
                Mode::Sandbox => ". Without a supplier in the settings a server is a sandbox: is --config missing?",
                Mode::Live => "",
            },
        })
    }

    /// The account behind a name of the settings.
    pub(crate) fn account(&self, name: &str) -> Option<AccountId> {
        let hex = self.content.customers.get(name)?;
        let number = u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32)?;
        Some(AccountId::from_bytes(number.to_be_bytes()))
    }

    /// Keeps the account behind a name.
    pub(crate) fn keep_account(&mut self, name: &str, account: AccountId) -> Result<(), NoteError> {
        let hex = format!("{:032x}", u128::from_be_bytes(account.bytes()));
        self.content.customers.insert(name.to_owned(), hex);
        self.write()
    }

    /// Writes it whole, so that a crash leaves the old one or the new one.
    fn write(&self) -> Result<(), NoteError> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut text = format!(
            "# what the store beside this is for; written by the server\nmode = \"{}\"\n",
            self.content.mode.word()
        );
        text.push_str("[customers]\n");
        for (name, account) in &self.content.customers {
            // names are letters, digits and dashes, accounts hexadecimal
            text.push_str(&format!("{name} = \"{account}\"\n"));
        }
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        write_private(&unfinished, text.as_bytes())
            .and_then(|()| fs::rename(&unfinished, path))
            .map_err(|error| unusable(path, &error.to_string()))
    }
}

fn unusable(path: &Path, reason: &str) -> NoteError {
    NoteError::Unusable { note: path.display().to_string(), reason: reason.to_owned() }
}

/// Writes a file that only its user can read, replacing what is there, and syncs it.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut how = fs::OpenOptions::new();
    how.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    let mut file = how.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use smscode_core::account::AccountId;

    use super::{Mode, Note};

    #[test]
    fn a_store_stays_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("a.redb");
        let account = AccountId::from_bytes([0xA5; 16]);
        let mut note = Note::open(&store, Mode::Sandbox).unwrap();
        note.keep_account("demo", account).unwrap();
        std::fs::write(&store, b"x").unwrap();
        assert_eq!(Note::open(&store, Mode::Sandbox).unwrap().account("demo"), Some(account));
        assert_eq!(Note::open(&store, Mode::Live).unwrap_err().code(), "store_mode");
        std::fs::remove_file(&store).unwrap();
        let note = Note::open(&store, Mode::Live).unwrap();
        assert_eq!(note.account("demo"), None, "another store, other accounts");
        std::fs::write(&store, b"x").unwrap();
        assert_eq!(Note::open(&store, Mode::Sandbox).unwrap_err().code(), "store_mode");
        std::fs::remove_file(dir.path().join("a.redb.mode")).unwrap();
        assert_eq!(Note::open(&store, Mode::Live).unwrap_err().code(), "store_note_missing");
    }
}
