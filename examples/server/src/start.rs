//! Putting the parts together, and taking them apart in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use smscode_core::account::{AccountError, AccountId};
use smscode_core::money::Money;
use smscode_core::port::{Clock, FixedRates, Keyring, KeyringError, MemoryKeyring, Supplier};
use smscode_core::store::{MemoryStore, Store, StoreError};
use smscode_core::token::Token;
use smscode_core::{BuildError, Platform};
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::keyring::FileKeyring;
use smscode_providers::sms::sms_activate::SmsActivate;
use smscode_storage_redb::{RedbOptions, RedbStore};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::{App, Stopping};
use crate::config::{Config, Customer, StoreChoice};
use crate::limit::{LimitSettings, Limits};
use crate::meter::Meters;
use crate::note::{Mode, Note, NoteError};
use crate::sandbox::{self, Sandbox};
use crate::{serve, surface};

/// Requests a minute in a sandbox: testers run loops.
const SANDBOX_REQUESTS: u32 = 6_000;
/// The platform's recovery is waited for this long before the server counts as started; then it goes on beside it.
const RECOVERY_WAIT: Duration = Duration::from_secs(5);

/// Why a server did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// A folder or file cannot be used.
    #[error("{path}: {reason}")]
    Files {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The store is of the other mode, or its note cannot be used.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The platform cannot be built.
    #[error(transparent)]
    Platform(#[from] BuildError),
    /// A supplier's settings cannot be used.
    #[error("supplier {name}: {reason}")]
    Supplier {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A customer of the settings cannot be opened.
    #[error("customer {name}: {error}")]
    Customer {
        /// The name in the settings.
        name: String,
        /// Why.
        error: AccountError,
    },
}

impl StartError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "listen",
            Self::Files { .. } => "files",
            Self::Note(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Keyring(_) => "keyring",
            Self::Platform(_) => "platform",
            Self::Supplier { .. } => "supplier",
            Self::Customer { .. } => "customer",
        }
    }
}

/// A server that serves.
pub struct Running {
    /// Where.
    pub addr: SocketAddr,
    /// The sandbox customer's token.
    pub demo_token: Option<Token>,
    /// What its handlers work with.
    pub app: Arc<App>,
    stop: watch::Sender<bool>,
    stop_platform: oneshot::Sender<()>,
    http: JoinHandle<()>,
    platform: JoinHandle<()>,
}

impl Running {
    /// What a tester needs to begin; a sandbox only.
    pub fn banner(&self) -> Option<String> {
        let token = self.demo_token.as_ref()?;
        Some(sandbox::banner(self.addr, token, &self.app.platform.catalogue()))
    }

    /// Ends streams, lets requests end, then the platform's work, and closes the store.
    pub async fn shutdown(self) {
        let _nobody_listens = self.stop.send(true);
        let _ended = self.http.await;
        let _nobody_listens = self.stop_platform.send(());
        let _ended = self.platform.await;
    }
}

/// Starts a server. Ready to serve when it returns.
///
/// # Errors
///
/// [`StartError`]: whatever of the settings cannot be had.
pub async fn start(config: Config) -> Result<Running, StartError> {
    // one crypto provider for the whole process; a second start finds it there
    let _there_already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = listen(config.listen).await?;
    let addr = listener
        .local_addr()
        .map_err(|error| cannot_listen(config.listen, &error))?;
    let mode = if config.is_sandbox() { Mode::Sandbox } else { Mode::Live };
    let mut note = open_note(&config, mode)?;
    let (platform, sandbox) = platform(&config).await?;
    let demo_token = match mode {
        Mode::Sandbox => Some(demo_customer(&config, &platform, &mut note).await?),
        Mode::Live => None,
    };
    for customer in &config.customers {
        open_customer(&platform, &mut note, customer).await?;
    }
    let (stop, stopping) = Stopping::channel();
    let app = Arc::new(App {
        platform: platform.clone(),
        limits: Limits::new(limits(&config)),
        meters: Meters::default(),
        sandbox,
        stopping: stopping.clone(),
    });
    let (stop_platform, stopped) = oneshot::channel();
    let driver = platform.clone();
    let run = tokio::spawn(async move {
        driver
            .run(async {
                let _told_or_dropped = stopped.await;
            })
            .await;
    });
    recovered(&platform).await;
    let http = tokio::spawn(serve::serve(
        listener,
        surface::router(app.clone()),
        config.http,
        stopping,
    ));
    Ok(Running {
        addr,
        demo_token,
        app,
        stop,
        stop_platform,
        http,
        platform: run,
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    StartError::Listen {
        address,
        reason: error.to_string(),
    }
}

fn limits(config: &Config) -> LimitSettings {
    let defaults = LimitSettings::default();
    config.limits.unwrap_or(if config.is_sandbox() {
        LimitSettings {
            requests_a_minute: SANDBOX_REQUESTS,
            ..defaults
        }
    } else {
        defaults
    })
}

/// Makes the folders, and reads what the store is for.
fn open_note(config: &Config, mode: Mode) -> Result<Note, StartError> {
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
    how.create(path).map_err(|error| StartError::Files {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

async fn platform(config: &Config) -> Result<(Platform, Option<Sandbox>), StartError> {
    let mut settings = config.platform.clone();
    let mut suppliers = config.suppliers.clone();
    let mut sandbox = None;
    if config.is_sandbox() {
        let (started, supplier) = Sandbox::start(SystemClock.now())
            .await
            .map_err(|error| StartError::Supplier {
                name: "sandbox".to_owned(),
                reason: error.to_string(),
            })?;
        sandbox::adapt(&mut settings);
        suppliers.push(supplier);
        sandbox = Some(started);
    }
    let (store, keyring) = store(config)?;
    let rates = config
        .rates
        .iter()
        .fold(FixedRates::new(), |rates, (base, quote, whole)| {
            rates.with(*base, *quote, *whole)
        });
    let mut builder = Platform::builder()
        .store(store)
        .keyring(keyring)
        .clock(Arc::new(SystemClock))
        .entropy(Arc::new(OsEntropy))
        .rates(Arc::new(rates))
        .settings(settings);
    let client = smscode_providers::http::client().map_err(|error| StartError::Supplier {
        name: "all".to_owned(),
        reason: error.to_string(),
    })?;
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

fn store(config: &Config) -> Result<(Arc<dyn Store>, Arc<dyn Keyring>), StartError> {
    match &config.store {
        StoreChoice::Memory => Ok((Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()))),
        StoreChoice::Redb(path) => {
            let options = RedbOptions {
                cache_bytes: config.cache_mib << 20,
                ..RedbOptions::default()
            };
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

async fn demo_customer(config: &Config, platform: &Platform, note: &mut Note) -> Result<Token, StartError> {
    let place = match config.store {
        StoreChoice::Memory => None,
        StoreChoice::Redb(_) => Some(config.data_dir.as_path()),
    };
    let token = sandbox::token(config.demo_token.clone(), place).map_err(|error| StartError::Files {
        path: config.data_dir.join(sandbox::TOKEN_FILE).display().to_string(),
        reason: error.to_string(),
    })?;
    let customer = Customer {
        name: sandbox::CUSTOMER.to_owned(),
        token: token.clone(),
        opening_minor: sandbox::CREDIT_MINOR,
    };
    open_customer(platform, note, &customer).await?;
    Ok(token)
}

/// Opens a customer once; later its token is added if it is new.
async fn open_customer(platform: &Platform, note: &mut Note, customer: &Customer) -> Result<(), StartError> {
    let told = |error| StartError::Customer {
        name: customer.name.clone(),
        error,
    };
    let account = match known_account(platform, note, customer).await.map_err(told)? {
        Some(account) => account,
        None => {
            let account = platform.open_account().await.map_err(told)?;
            note.keep_account(&customer.name, account)?;
            platform
                .adopt_token(account, &customer.name, &customer.token)
                .await
                .map_err(told)?;
            account
        }
    };
    if customer.opening_minor == 0 {
        return Ok(());
    }
    let amount = Money::new(customer.opening_minor, platform.currency());
    match platform
        .deposit(account, amount, &format!("opening:{}", customer.name))
        .await
    {
        Ok(_) => Ok(()),
        Err(AccountError::ReferenceUsed) => {
            tracing::warn!(
                customer = customer.name,
                "the opening credit was booked before, with another amount"
            );
            Ok(())
        }
        Err(error) => Err(told(error)),
    }
}

/// The customer's account of an earlier start, with the token added.
async fn known_account(
    platform: &Platform,
    note: &Note,
    customer: &Customer,
) -> Result<Option<AccountId>, AccountError> {
    let Some(account) = note.account(&customer.name) else {
        return Ok(None);
    };
    match platform.adopt_token(account, &customer.name, &customer.token).await {
        Ok(()) => Ok(Some(account)),
        Err(AccountError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until the platform's recovery is through, but not for ever.
async fn recovered(platform: &Platform) {
    let through = async {
        while !platform.health().await.running {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    if tokio::time::timeout(RECOVERY_WAIT, through).await.is_err() {
        tracing::warn!("recovery takes long; serving meanwhile");
    }
}
