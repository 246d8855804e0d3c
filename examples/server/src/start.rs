//! Putting the parts together, and taking them apart in order.
#![allow(clippy::disallowed_methods, reason = "the server is the host: it spawns the platform's future and waits")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smscode_core::account::AccountError;
use smscode_core::port::KeyringError;
use smscode_core::store::StoreError;
use smscode_core::token::Token;
use smscode_core::{BuildError, Platform};
use smscode_storage_postgres::PostgresStore;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::{App, Stopping};
use crate::config::Config;
use crate::door::Door;
use crate::limit::{LimitSettings, Limits};
use crate::mark::MarkError;
use crate::meter::Meters;
use crate::surface::hooks::Hooks;
use crate::waiting::when_there;
use crate::{sandbox, serve, surface};

/// Requests a minute in a sandbox: testers run loops.
const SANDBOX_REQUESTS: u32 = 6_000;
/// The platform's recovery is waited for this long before the server counts as started; then it goes on beside it.
const RECOVERY_WAIT: Duration = Duration::from_secs(5);
/// Connections to a database server get this long to say goodbye.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

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
    /// The store is not for this server.
    #[error(transparent)]
    Mark(#[from] MarkError),
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
            Self::Mark(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Keyring(_) => "keyring",
            Self::Platform(BuildError::Store(error)) => error.code(),
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
    postgres: Option<Arc<PostgresStore>>,
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
        tracing::debug!("no more requests");
        let _nobody_listens = self.stop_platform.send(());
        let _ended = self.platform.await;
        tracing::debug!("no more work");
        if let Some(postgres) = self.postgres {
            // a server that is away is not waited for
            let _closed_or_late = tokio::time::timeout(CLOSE_WAIT, postgres.close()).await;
        }
    }
}

/// Starts a server. Ready to serve when it returns.
///
/// While a store on another server is away, the address answers `/healthz` with 200 and everything else with 503, and
/// the store is tried again, for ever. Dropping the future ends that.
///
/// # Errors
///
/// [`StartError`]: whatever of the settings cannot be had.
pub async fn start(config: Config) -> Result<Running, StartError> {
    // one crypto provider for the whole process; a second start finds it there
    let _there_already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = listen(config.listen).await?;
    let addr = listener.local_addr().map_err(|error| cannot_listen(config.listen, &error))?;
    let (stop, stopping) = Stopping::channel();
    let meters = Arc::new(Meters::default());
    let door = Arc::new(Door::new(meters.clone()));
    // it ends by itself when `stop` is dropped
    let http = tokio::spawn(serve::serve(listener, door.clone(), config.http, stopping.clone()));
    let parts = when_there(&config, addr, &door).await?;
    let app = Arc::new(App {
        platform: parts.platform.clone(),
        store: parts.store,
        backups: Arc::new(Semaphore::new(1)),
        limits: Limits::new(limits(&config)),
        meters,
        hooks: Hooks::new(&config.pushes),
        sandbox: parts.sandbox,
        admin: parts.admin,
        stopping,
    });
    let (stop_platform, stopped) = oneshot::channel();
    let driver = parts.platform.clone();
    let sandboxed = app.clone();
    let run = tokio::spawn(async move {
        let work = driver.run(async {
            let _told_or_dropped = stopped.await;
        });
        match &sandboxed.sandbox {
            Some(sandbox) => sandbox.counted_work(work).await,
            None => work.await,
        }
    });
    recovered(&parts.platform).await;
    door.open(surface::router(app.clone()));
    let (demo_token, postgres) = (parts.demo_token, parts.postgres);
    Ok(Running { addr, demo_token, app, stop, stop_platform, http, platform: run, postgres })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    StartError::Listen { address, reason: error.to_string() }
}

fn limits(config: &Config) -> LimitSettings {
    let defaults = LimitSettings::default();
    config.limits.unwrap_or(if config.is_sandbox() {
        LimitSettings { requests_a_minute: SANDBOX_REQUESTS, ..defaults }
    } else {
        defaults
    })
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
