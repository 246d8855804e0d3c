//! Building a platform.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};

use super::inner::{CatalogueIds, Inner, Keys, Numbers, Slot, SlotState, TASKS_MAX, WAKE_UPS_MAX};
use super::line::Line;
use super::platform::Platform;
use super::settings::Settings;
use super::shared_limiter::SharedLimiter;
use crate::catalogue::Catalogue;
use crate::order::content::{Epochs, hex};
use crate::port::{
    Clock, Entropy, EpochKey, FixedRates, Keyring, KeyringError, Limiter, MemoryKeyring, MemoryLimiter, Rates,
    Supplier, Wakeups,
};
use crate::privacy::keyed_hash;
use crate::store::{Store, StoreError};

/// Suppliers have this long for their first list; then the platform is built without it.
const FIRST_LIST_MS: i64 = 3_000;

/// The longest name of a supplier.
const NAME_MAX: usize = 32;

/// Why a platform could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A part that has no default was not given.
    #[error("{0} was not given to the builder")]
    Missing(&'static str),
    /// Two suppliers of one name, or a name that is not 1 to 32 lower-case letters, digits and `-`.
    #[error("the supplier name {0} is used twice or malformed")]
    SupplierName(String),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring could not be opened.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// Builds a [`Platform`]. Store, clock and entropy have no default.
#[derive(Default)]
pub struct PlatformBuilder {
    store: Option<Arc<dyn Store>>,
    suppliers: Vec<Arc<dyn Supplier>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    keyring: Option<Arc<dyn Keyring>>,
    rates: Option<Arc<dyn Rates>>,
    wakeups: Option<Arc<dyn Wakeups>>,
    limiter: Option<Arc<dyn Limiter>>,
    settings: Settings,
}

impl PlatformBuilder {
    /// Where everything is kept. One that outlives the process ([`StoreInfo::durable`](crate::store::StoreInfo)) wants a
    /// [`keyring`](Self::keyring) that does so, too.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Adds a supplier.
    #[must_use]
    pub fn supplier(mut self, supplier: Arc<dyn Supplier>) -> Self {
        self.suppliers.push(supplier);
        self
    }

    /// The clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The source of randomness.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Where the keys are: outside the store and its backups, since whoever has both can read what was erased. Without one
    /// they are in memory, which only a store in memory may do with: numbers and SMS of a durable store could not be read
    /// after a restart, and the claims of its accounts not be found. It is refused.
    #[must_use]
    pub fn keyring(mut self, keyring: Arc<dyn Keyring>) -> Self {
        self.keyring = Some(keyring);
        self
    }

    /// Exchange rates. Without them only suppliers in the ledger's currency can be sold: another one sells nothing, and its
    /// health says `no_rate`.
    #[must_use]
    pub fn rates(mut self, rates: Arc<dyn Rates>) -> Self {
        self.rates = Some(rates);
        self
    }

    /// Word of what other nodes commit to the same store. Without it, whoever waits at this node for something that happens
    /// at another sees it when he reads again.
    #[must_use]
    pub fn wakeups(mut self, wakeups: Arc<dyn Wakeups>) -> Self {
        self.wakeups = Some(wakeups);
        self
    }

    /// Permits of calls to suppliers. Without one: buckets in memory, or slices drawn from the store where other processes
    /// share it.
    #[must_use]
    pub fn limiter(mut self, limiter: Arc<dyn Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Opens the keyring, loads the catalogue's ids, and asks the suppliers for their offers once. A supplier that does
    /// not answer in 3 s is asked again in the background.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a part is missing (a keyring, if the store is durable), a supplier's name is not usable, the store or
    /// the keyring is away.
    pub async fn build(self) -> Result<Platform, BuildError> {
        let store = self.store.ok_or(BuildError::Missing("the store"))?;
        let clock = self.clock.ok_or(BuildError::Missing("the clock"))?;
        let entropy = self.entropy.ok_or(BuildError::Missing("the entropy"))?;
        let info = store.describe().await?;
        let keyring = keyring_of(self.keyring, info.durable)?;
        let limiter: Arc<dyn Limiter> = match self.limiter {
            Some(limiter) => limiter,
            None if info.shared => Arc::new(SharedLimiter::new(store.clone(), entropy.clone())),
            None => Arc::new(MemoryLimiter::new()),
        };
        let settings = self.settings;
        let standing = Arc::new(Notify::new());
        let line = |port| Line::new(port, clock.clone(), limiter.clone(), &settings, standing.clone());
        let suppliers = slots(self.suppliers, line)?;
        let mut fresh = [0; 32];
        entropy.fill(&mut fresh);
        let root = keyring.root(EpochKey::new(fresh)).await?;
        let keys = Keys {
            index: keyed_hash(root.bytes(), &[b"index"]),
            numbers: keyed_hash(root.bytes(), &[b"order numbers"]),
            quotes: keyed_hash(root.bytes(), &[b"quotes"]),
        };
        let epochs: Epochs = keyring.epochs().await?.into_iter().collect();
        let mut node = [0; 8];
        entropy.fill(&mut node);
        let catalogue =
            Catalogue::new(&settings.extra_services, &settings.blocked_services, &settings.allowed_services);
        let (tasks, waiting) = mpsc::channel(TASKS_MAX);
        let inner = Arc::new(Inner {
            store,
            shared: info.shared,
            suppliers,
            clock,
            entropy,
            keyring,
            rates: self.rates.unwrap_or_else(|| Arc::new(FixedRates::new())),
            settings,
            keys,
            catalogue: RwLock::new(Arc::new(catalogue)),
            ids: tokio::sync::Mutex::new(CatalogueIds::default()),
            epochs: RwLock::new(Arc::new(epochs)),
            beginning: tokio::sync::Mutex::new(()),
            numbers: tokio::sync::Mutex::new(Numbers::default()),
            tasks,
            waiting: Mutex::new(Some(waiting)),
            due: Notify::new(),
            due_next: AtomicI64::new(i64::MAX),
            supply: Notify::new(),
            orphans: AtomicU64::new(0),
            late_sms: AtomicU64::new(0),
            standing,
            wake_ups: broadcast::channel(WAKE_UPS_MAX).0,
            wakeups: self.wakeups,
            node: hex(&node),
            running: watch::Sender::new(false),
            stopping: AtomicBool::new(false),
        });
        inner.settle_wind_down().await?;
        inner.load_ids().await?;
        inner.read_drained().await?;
        inner.refresh_all(FIRST_LIST_MS).await;
        Ok(Platform { inner })
    }
}

fn keyring_of(given: Option<Arc<dyn Keyring>>, durable: bool) -> Result<Arc<dyn Keyring>, BuildError> {
    match given {
        Some(keyring) => Ok(keyring),
        None if durable => Err(BuildError::Missing("a keyring, which a store that outlives the process needs,")),
        None => Ok(Arc::new(MemoryKeyring::new())),
    }
}

fn slots(
    suppliers: Vec<Arc<dyn Supplier>>,
    line: impl Fn(Arc<dyn Supplier>) -> Line,
) -> Result<BTreeMap<String, Slot>, BuildError> {
    let mut slots = BTreeMap::new();
    for port in suppliers {
        let info = port.describe();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fine = (1..=NAME_MAX).contains(&info.name.len()) && info.name.bytes().all(plain);
        if !fine || slots.contains_key(&info.name) {
            return Err(BuildError::SupplierName(info.name));
        }
        let line = Arc::new(line(port));
        // until the nodes are counted
        let places = usize::try_from(info.capabilities.concurrency).unwrap_or(1).max(1);
        let slot = Slot {
            port: line.clone(),
            line,
            calls: Semaphore::new(places),
            bought: Notify::new(),
            hints: super::hints::Hints::default(),
            listing: super::listing::Listing::default(),
            state: Mutex::new(SlotState { places, ..SlotState::default() }),
            info: info.clone(),
        };
        slots.insert(info.name, slot);
    }
    Ok(slots)
}
