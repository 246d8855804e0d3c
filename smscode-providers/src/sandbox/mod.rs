//! A simulated supplier that speaks the SMS-Activate protocol over HTTP: for trying a platform without money, and for tests.
//!
//! The code of a service chooses what happens (see [`SCENARIOS`]); SMS can be injected by [`SandboxHandle::inject`] or by
//! `POST /sandbox/sms`; [`Fault`]s are planned as data; each SMS can be pushed to an address ([`Pushes`]).

mod answer;
mod fault;
pub mod model;
mod protocol;
mod push;
mod scenario;
mod script;
mod serve;
mod stock;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use smscode_core::money::Money;
use smscode_core::port::{Clock, Entropy};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

pub use answer::Style;
pub use fault::{Fault, FaultReply};
pub use model::Injection;
pub use push::Pushes;
pub use scenario::{Moment, SCENARIOS, Scenario, ScenarioEntry};

use crate::clock::{OsEntropy, SystemClock};
use crate::secret::ApiKey;
#[cfg(feature = "sms-activate")]
use crate::sms::sms_activate::{self, SmsActivateConfig};
use model::{Model, Settings};
use serve::{Shared, lock};

/// How a simulated supplier is started.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where it listens; a port of 0 takes a free one. Keep it on loopback: whoever reaches it can inject SMS.
    pub listen: SocketAddr,
    /// The key that it demands.
    pub api_key: ApiKey,
    /// Whose server it imitates.
    pub style: Style,
    /// Its prices, stock and times.
    pub settings: Settings,
    /// Who is told of each SMS; nobody if there is none.
    pub pushes: Option<Pushes>,
}

impl SandboxConfig {
    /// On a free port of loopback, in the style of the original, with USD and times fit for trying.
    pub fn new(api_key: ApiKey) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_key,
            style: Style::Plain,
            settings: Settings::default(),
            pushes: None,
        }
    }
}

/// Why a simulator did not start: the address cannot be listened on, or there is no client for pushes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox cannot start on {0}: {1}")]
pub struct SandboxError(SocketAddr, String);

impl SandboxError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        "sandbox_listen"
    }
}

/// Starts simulators.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts one on the current tokio runtime, with the system's clock and randomness.
    pub async fn start(config: SandboxConfig) -> Result<SandboxHandle, SandboxError> {
        Self::start_with(config, Arc::new(SystemClock), Arc::new(OsEntropy)).await
    }

    /// The same with a clock and randomness of the caller: a test lets hours pass at once.
    #[allow(clippy::disallowed_methods, reason = "a server of its own needs a task of its own")]
    pub async fn start_with(
        config: SandboxConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<SandboxHandle, SandboxError> {
        let refused = |error: std::io::Error| SandboxError(config.listen, error.to_string());
        let receiver = config.pushes.as_ref().map(push::receiver).transpose();
        let receiver = receiver.map_err(|error| SandboxError(config.listen, error.to_string()))?;
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(Shared {
            style: config.style,
            key: config.api_key,
            clock,
            entropy,
            model: Mutex::new(Model::new(config.settings)),
            script: Mutex::default(),
            calls: Mutex::new(BTreeMap::new()),
            held: AtomicUsize::new(0),
            changed: Notify::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = serve::serve(listener, Arc::clone(&shared), stopped);
        let times = config.pushes.map_or(0, |pushes| pushes.times);
        let telling = receiver.map(|api| push::tell(Arc::clone(&shared), api, times));
        let task = tokio::spawn(async move {
            match telling {
                None => serving.await,
                Some(telling) => tokio::select! {
                    biased;
                    () = serving => {}
                    () = telling => {}
                },
            }
        });
        Ok(SandboxHandle { addr, shared, stop, task })
    }
}

/// A running simulator. It stops when this is dropped.
pub struct SandboxHandle {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl SandboxHandle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address to configure a supplier with.
    pub fn base_url(&self) -> String {
        format!("http://{}/stubs/handler_api.php", self.addr)
    }

    /// An account here, for the client of this protocol: its dialect, address and key.
    #[cfg(feature = "sms-activate")]
    pub fn account(&self, name: &str) -> SmsActivateConfig {
        let dialect = match self.shared.style {
            Style::Plain => &sms_activate::SMS_ACTIVATE,
            Style::HeroSms => &sms_activate::HEROSMS,
            Style::Grizzly => &sms_activate::GRIZZLYSMS,
            Style::SmsHub => &sms_activate::SMSHUB,
        };
        let mut config = SmsActivateConfig::new(name, dialect, self.shared.key.clone());
        config.base_url = self.base_url();
        config
    }

    /// Lets an SMS arrive at an open number.
    pub fn inject(&self, phone: &str, text: &str) -> Injection {
        self.shared.inject(phone, text)
    }

    /// Plans a fault for the next calls of this action (`getNumberV2`, ...), or of any action.
    pub fn plan(&self, action: Option<&str>, times: u32, fault: Fault) {
        lock(&self.shared.script).plan(action, times, fault);
    }

    /// The account's money, as it is now.
    pub fn balance(&self) -> Money {
        let now = self.shared.clock.now();
        self.with_model(|model| {
            model.advance(now);
            model.balance()
        })
    }

    /// How many activations are open.
    pub fn open(&self) -> usize {
        let now = self.shared.clock.now();
        self.with_model(|model| model.active(now).len())
    }

    /// How many calls it keeps waiting at this moment, by a fault or because it is silent.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Acquire)
    }

    /// How often an action has been called.
    pub fn calls(&self, action: &str) -> u64 {
        lock(&self.shared.calls).get(action).copied().unwrap_or_default()
    }

    /// Looks at the model itself, or changes it.
    pub fn with_model<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut lock(&self.shared.model))
    }

    /// Stops: no new connection, and the open ones are closed.
    pub async fn shutdown(self) {
        let _stopped = self.stop.send(());
        let _ended = self.task.await;
    }
}
