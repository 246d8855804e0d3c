//! The parts of a server: folders, store, keys, suppliers, platform, customers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::port::{Clock, Entropy, EpochKey, FixedRates, Keyring, MemoryKeyring, Supplier, Wakeups};
use smscode_core::store::copy::Portable;
use smscode_core::store::{MemoryStore, Store};
use smscode_core::token::Token;
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::keyring::FileKeyring;
use smscode_providers::sms::sms_activate::{SmsActivate, SmsActivateConfig};
use smscode_storage_postgres::PostgresStore;
use smscode_storage_redb::{RedbOptions, RedbStore};

use crate::config::{Config, StoreChoice};
use crate::customers::{demo_customer, open_customer};
use crate::mark::{MarkError, Marks, Mode};
use crate::note::Note;
use crate::sandbox::{self, Sandbox};
use crate::start::StartError;
use crate::surface::admin::Admin;

/// Who speaks by the settings file.
const SETTINGS: &str = "settings";

/// Everything that a server serves with.
pub(crate) struct Parts {
    pub(crate) platform: Platform,
    pub(crate) store: Arc<dyn Portable>,
    pub(crate) sandbox: Option<Sandbox>,
    /// What the operators' routes work with.
    pub(crate) admin: Option<Admin>,
    /// The sandbox customer's token.
    pub(crate) demo_token: Option<Token>,
    /// To be closed at the end; the other stores end with their last user.
    pub(crate) postgres: Option<Arc<PostgresStore>>,
}

/// Opens everything. May be done again after a failure: what is there already is found.
pub(crate) async fn open(config: &Config) -> Result<Parts, StartError> {
    let mode = if config.is_sandbox() { Mode::Sandbox } else { Mode::Live };
    let (kept, note) = keep(config).await?;
    let marks = Marks::of(kept.store.clone(), config.store.shown());
    let settled = marks.settle(mode, note.as_ref()).await;
    if let StoreChoice::Redb(path) = &config.store
        && !matches!(settled, Err(MarkError::Store(_)))
    {
        // what it said is in the store now, also if that is not what was wanted
        Note::remove(path)?;
    }
    settled?;
    if kept.postgres.is_some() {
        let mut fresh = [0; 32];
        OsEntropy.fill(&mut fresh);
        marks.settle_keyring(&kept.keyring.root(EpochKey::new(fresh)).await?).await?;
    }
    let (postgres, store) = (kept.postgres.clone(), kept.store.clone());
    let (platform, sandbox) = platform(config, kept, &marks).await?;
    let demo_token = match mode {
        Mode::Sandbox => Some(demo_customer(config, &platform, &marks).await?),
        Mode::Live => None,
    };
    for (name, drained) in &config.drains {
        platform
            .drain_supplier(name, *drained, SETTINGS)
            .await
            .map_err(|error| StartError::Supplier { name: name.clone(), reason: error.to_string() })?;
    }
    for customer in &config.customers {
        open_customer(&platform, &marks, customer).await?;
    }
    let admin = config.admin_token.clone().map(|token| Admin::new(token, marks));
    Ok(Parts { platform, store, sandbox, admin, demo_token, postgres })
}

/// A store and what holds its keys.
struct Kept {
    store: Arc<dyn Portable>,
    keyring: Arc<dyn Keyring>,
    postgres: Option<Arc<PostgresStore>>,
}

/// Opens the store, with the note of an earlier version if one lies beside it.
async fn keep(config: &Config) -> Result<(Kept, Option<Note>), StartError> {
    match &config.store {
        StoreChoice::Memory => {
            let (store, keyring) = (Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()));
            Ok((Kept { store, keyring, postgres: None }, None))
        }
        StoreChoice::Postgres(address) => {
            make_folder(&config.data_dir)?;
            let keyring = Arc::new(FileKeyring::open(keyring_dir(config)?)?);
            let store = Arc::new(PostgresStore::open(address.reveal(), config.postgres.clone()).await?);
            Ok((Kept { store: store.clone(), keyring, postgres: Some(store) }, None))
        }
        StoreChoice::Redb(path) => {
            make_folder(&config.data_dir)?;
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                make_folder(folder)?;
            }
            // without its store a note speaks of one that was taken away
            let note = if path.exists() { Note::read(path)? } else { None };
            let options = RedbOptions { cache_bytes: config.cache_mib << 20, ..RedbOptions::default() };
            let store = Arc::new(RedbStore::open(path, options)?);
            let keyring = Arc::new(FileKeyring::open(keyring_dir(config)?)?);
            Ok((Kept { store, keyring, postgres: None }, note))
        }
    }
}

pub(crate) fn make_folder(path: &Path) -> Result<(), StartError> {
    let mut how = std::fs::DirBuilder::new();
    how.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut how, 0o700);
    how.create(path).map_err(|error| StartError::Files { path: path.display().to_string(), reason: error.to_string() })
}

async fn platform(config: &Config, kept: Kept, marks: &Marks) -> Result<(Platform, Option<Sandbox>), StartError> {
    let mut settings = config.platform.clone();
    let mut suppliers = config.suppliers.clone();
    let (mut store, mut clock): (Arc<dyn Store>, Arc<dyn Clock>) = (kept.store, Arc::new(SystemClock));
    let mut sandbox = None;
    if config.is_sandbox() {
        let (started, supplier) = Sandbox::start(marks.clone()).await?;
        sandbox::adapt(&mut settings);
        suppliers.push(supplier);
        (store, clock) = (started.counted_store(store), started.clock());
        sandbox = Some(started);
    }
    let rates =
        config.rates.iter().fold(FixedRates::new(), |rates, (base, quote, whole)| rates.with(*base, *quote, *whole));
    let mut builder = Platform::builder()
        .store(store)
        .keyring(kept.keyring)
        .clock(clock)
        .entropy(Arc::new(OsEntropy))
        .rates(Arc::new(rates))
        .settings(settings);
    if let Some(postgres) = kept.postgres {
        let wakeups: Arc<dyn Wakeups> = postgres;
        builder = builder.wakeups(wakeups);
    }
    for supplier in adapters(suppliers)? {
        builder = builder.supplier(match &sandbox {
            Some(sandbox) => sandbox.counted_supplier(supplier),
            None => supplier,
        });
    }
    Ok((builder.build().await?, sandbox))
}

fn adapters(suppliers: Vec<SmsActivateConfig>) -> Result<Vec<Arc<dyn Supplier>>, StartError> {
    let client = smscode_providers::http::client()
        .map_err(|error| StartError::Supplier { name: "all".to_owned(), reason: error.to_string() })?;
    let mut adapters: Vec<Arc<dyn Supplier>> = Vec::new();
    for supplier in suppliers {
        let name = supplier.name.clone();
        match SmsActivate::new(supplier, client.clone()) {
            Ok(adapter) => adapters.push(Arc::new(adapter)),
            Err(error) => return Err(StartError::Supplier { name, reason: error.to_string() }),
        }
    }
    Ok(adapters)
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
