//! The parts of a server: folders, store, keys, suppliers, platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::port::{Clock, FixedRates, Keyring, MemoryKeyring, Supplier};
use smscode_core::store::{MemoryStore, Store};
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::keyring::FileKeyring;
use smscode_providers::sms::sms_activate::SmsActivate;
use smscode_storage_redb::{RedbOptions, RedbStore};

use crate::config::{Config, StoreChoice};
use crate::note::{Mode, Note};
use crate::sandbox::{self, Sandbox};
use crate::start::StartError;

/// Makes the folders, and reads what the store is for.
pub(crate) fn open_note(config: &Config, mode: Mode) -> Result<Note, StartError> {
    let StoreChoice::Redb(path) = &config.store else {
        return Ok(Note::in_memory(mode));
    };
    make_folder(&config.data_dir)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    Ok(Note::open(path, mode)?)
}

fn make_folder(path: &Path) -> Result<(), StartError> {
    let mut how = std::fs::DirBuilder::new();
    how.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut how, 0o700);
    how.create(path).map_err(|error| StartError::Files { path: path.display().to_string(), reason: error.to_string() })
}

pub(crate) async fn platform(config: &Config) -> Result<(Platform, Option<Sandbox>), StartError> {
    let mut settings = config.platform.clone();
    let mut suppliers = config.suppliers.clone();
    let mut sandbox = None;
    if config.is_sandbox() {
        let (started, supplier) = Sandbox::start(SystemClock.now())
            .await
            .map_err(|error| StartError::Supplier { name: "sandbox".to_owned(), reason: error.to_string() })?;
        sandbox::adapt(&mut settings);
        suppliers.push(supplier);
        sandbox = Some(started);
    }
    let (store, keyring) = store(config)?;
    let rates =
        config.rates.iter().fold(FixedRates::new(), |rates, (base, quote, whole)| rates.with(*base, *quote, *whole));
    let mut builder = Platform::builder()
        .store(store)
        .keyring(keyring)
        .clock(Arc::new(SystemClock))
        .entropy(Arc::new(OsEntropy))
        .rates(Arc::new(rates))
        .settings(settings);
    let client = smscode_providers::http::client()
        .map_err(|error| StartError::Supplier { name: "all".to_owned(), reason: error.to_string() })?;
    for supplier in suppliers {
        let name = supplier.name.clone();
        let adapter: Arc<dyn Supplier> = match SmsActivate::new(supplier, client.clone()) {
            Ok(adapter) => Arc::new(adapter),
            Err(error) => {
                let reason = error.to_string();
                return Err(StartError::Supplier { name, reason });
            }
        };
        builder = builder.supplier(adapter);
    }
    Ok((builder.build().await?, sandbox))
}

/// A store and what holds its keys.
type Kept = (Arc<dyn Store>, Arc<dyn Keyring>);

fn store(config: &Config) -> Result<Kept, StartError> {
    match &config.store {
        StoreChoice::Memory => Ok((Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()))),
        StoreChoice::Redb(path) => {
            let options = RedbOptions { cache_bytes: config.cache_mib << 20, ..RedbOptions::default() };
            let store = RedbStore::open(path, options)?;
            let keyring = FileKeyring::open(keyring_dir(config)?)?;
            Ok((Arc::new(store), Arc::new(keyring)))
        }
    }
}

/// Where the keys are: beside the data directory, never in it.
fn keyring_dir(config: &Config) -> Result<PathBuf, StartError> {
    if let Some(dir) = &config.keyring_dir {
        return Ok(dir.clone());
    }
    let Some(name) = config.data_dir.file_name() else {
        return Err(StartError::Files {
            path: config.data_dir.display().to_string(),
            reason: "has no name to put -keys behind: name a folder for keys with --keyring-dir".to_owned(),
        });
    };
    let mut keys = name.to_owned();
    keys.push("-keys");
    Ok(config.data_dir.with_file_name(keys))
}
