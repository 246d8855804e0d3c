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
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::{App, Stopping};
use crate::config::Config;
use crate::customers::{demo_customer, open_customer};
use crate::limit::{LimitSettings, Limits};
use crate::meter::Meters;
use crate::note::{Mode, NoteError};
use crate::parts::{open_note, platform};
use crate::{sandbox, serve, surface};

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
        tracing::debug!("no more requests");
        let _nobody_listens = self.stop_platform.send(());
        let _ended = self.platform.await;
        tracing::debug!("no more work");
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
    let addr = listener.local_addr().map_err(|error| cannot_listen(config.listen, &error))?;
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
    let http = tokio::spawn(serve::serve(listener, surface::router(app.clone()), config.http, stopping));
    Ok(Running { addr, demo_token, app, stop, stop_platform, http, platform: run })
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
