//! What every handler has at hand.

use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::store::copy::Portable;
use tokio::sync::{Semaphore, watch};

use crate::limit::Limits;
use crate::meter::Meters;
use crate::sandbox::Sandbox;
use crate::surface::admin::Admin;
use crate::surface::hooks::Hooks;

/// The state behind all routes; shared as `Arc<App>`.
pub struct App {
    /// The platform: everything that is not HTTP.
    pub platform: Platform,
    /// The store itself, for backups.
    pub store: Arc<dyn Portable>,
    /// Who makes a backup holds the one permit.
    pub backups: Arc<Semaphore>,
    /// How often who may ask.
    pub limits: Limits,
    /// What was counted.
    pub meters: Arc<Meters>,
    /// Suppliers that push.
    pub(crate) hooks: Hooks,
    /// The simulated supplier, in sandbox mode only.
    pub sandbox: Option<Sandbox>,
    /// What the operators' routes work with; `None`, and no such routes, without an operators' token.
    pub admin: Option<Admin>,
    /// Tells long answers to end.
    pub stopping: Stopping,
}

/// Tells when the server begins to stop. Event streams end then; other requests are given time.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// With the sender that turns it to `true`, once.
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether it has begun.
    pub fn begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins. A sender that is gone counts as begun.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        let _gone_is_stopping = receiver.wait_for(|stopping| *stopping).await;
    }
}
