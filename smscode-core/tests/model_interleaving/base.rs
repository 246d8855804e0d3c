//! Where a world begins: what is durable, what the suppliers have, what is on its way, and nothing of a process. A crash
//! leads to one, and from there on the world is made anew: what went before need not be made again.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::port::{Entropy, EpochKey, FixedRates, Keyring, MemoryKeyring};
use smscode_core::store::{ChangeSet, MemoryStore, Owner, Store};
use smscode_core::time::Timestamp;
use smscode_core::{Platform, Settings};

use crate::canonical::{self, Digest};
use crate::choices::{Choice, Event};
use crate::hub::{Call, Hub, HubClock, Phase, UNDER_WAY_MS, What};
use crate::stored::{GatedStore, Stored};
use crate::supplier::{GatedSupplier, Shop};
use crate::world::{BEGIN, Bounds, MONEY, NAMES, Told, World, now};

/// Offers do not change here.
pub(crate) const OFFERS_EVERY_MS: i64 = 30 * 86_400_000;
/// Polls come in this rhythm: at the beginning, in the middle, and with the last check.
const POLL_MS: i64 = 117_000;
/// A node that dies and is away over the end of the window.
const AWAY_SECONDS: i64 = 250;

/// A beginning.
pub(crate) struct Base {
    pub(crate) bounds: Bounds,
    /// What led to it.
    pub(crate) before: Vec<Choice>,
    pub(crate) account: AccountId,
    pub(crate) now: Timestamp,
    pub(crate) told: Vec<Told>,
    pub(crate) used: Vec<Event>,
    pub(crate) faults: u8,
    pub(crate) shown: u64,
    /// How many processes there were.
    pub(crate) lives: u64,
    /// What took effect, oldest first.
    log: Vec<Arc<ChangeSet>>,
    keyring: MemoryKeyring,
    shops: Vec<Shop>,
    /// Requests that were sent and not taken, and until when they can be.
    on_their_way: Vec<(usize, Call, Timestamp)>,
}

impl Base {
    /// A customer with money.
    pub(crate) fn first(bounds: Bounds) -> Self {
        let shops = vec![Shop::default(); NAMES.len()];
        let hub = Hub::new(BEGIN);
        let parts = Parts::new(bounds, &hub, &[], &shops, None);
        let keyring = Arc::new(MemoryKeyring::new());
        let platform = build(&hub, &parts.store, &keyring, &parts.suppliers, 0);
        let account = now(platform.open_account()).unwrap();
        assert!(now(platform.deposit(account, Money::new(MONEY, Currency::Idr), "first")).unwrap());
        Self {
            bounds,
            before: Vec::new(),
            account,
            now: BEGIN,
            told: Vec::new(),
            used: Vec::new(),
            faults: 0,
            shown: 0,
            lives: 1,
            log: parts.store.log(),
            keyring: copied(&keyring),
            shops,
            on_their_way: Vec::new(),
        }
    }

    /// Store and suppliers as they are here.
    pub(crate) fn parts(&self, hub: &Arc<Hub>) -> Parts {
        for (supplier, call, until) in &self.on_their_way {
            hub.on_its_way(*supplier, call.clone(), *until);
        }
        Parts::new(self.bounds, hub, &self.log, &self.shops, Some(Owner(self.account.bytes())))
    }

    pub(crate) fn keyring(&self) -> Arc<MemoryKeyring> {
        Arc::new(copied(&self.keyring))
    }
}

impl World {
    /// What there is after a crash here. A commit that waits has not taken effect: one that has, and its sender does not
    /// know, is the same crash one step later, before the next.
    pub(crate) fn crashed(&self, away: bool) -> Base {
        let at = self.back_at(away);
        Base {
            bounds: self.bounds,
            before: Vec::new(),
            account: self.account,
            now: at,
            told: self.told.lock().unwrap().clone(),
            used: self.used.clone(),
            faults: self.faults,
            shown: self.shown,
            lives: self.lives + 1,
            log: self.store.log(),
            keyring: copied(&self.keyring),
            shops: self.suppliers.iter().map(|supplier| supplier.shop.lock().unwrap().clone()).collect(),
            on_their_way: self.on_their_way(at).into_iter().map(|(way, _)| way).collect(),
        }
    }

    /// Crashes of one digest lead to one base: of a process nothing is left but what is in here.
    pub(crate) fn crash_digest(&self, away: bool, stored: &Stored) -> u64 {
        let at = self.back_at(away);
        let mut digest = Digest::new();
        canonical::known(self, &mut digest);
        canonical::stored(stored, &mut digest);
        canonical::suppliers(&self.suppliers, &mut digest);
        let mut on_their_way: Vec<_> =
            self.on_their_way(at).iter().map(|((_, _, until), what)| (*what, *until)).collect();
        on_their_way.sort_unstable();
        (at, on_their_way).hash(&mut digest);
        digest.finish()
    }

    fn back_at(&self, away: bool) -> Timestamp {
        self.hub.lock().now.plus_seconds(if away { AWAY_SECONDS } else { 0 })
    }

    /// Requests with an effect that were sent and not taken, and may still be when the node is back. Of the others, and of
    /// answers, nothing is left.
    fn on_their_way(&self, back_at: Timestamp) -> Vec<((usize, Call, Timestamp), u64)> {
        let state = self.hub.lock();
        let ways = state.gates.values().filter_map(|gate| match (&gate.what, &gate.phase) {
            (What::Call(supplier, call), Phase::Asked) if call.has_effect() => {
                let until = gate.orphan_until.unwrap_or_else(|| state.now.plus_ms(UNDER_WAY_MS));
                Some(((*supplier, call.clone(), until), gate.digest))
            }
            _ => None,
        });
        ways.filter(|((_, _, until), _)| *until > back_at).collect()
    }
}

/// What a platform stands on.
pub(crate) struct Parts {
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) store: Arc<GatedStore>,
    pub(crate) suppliers: Vec<Arc<GatedSupplier>>,
}

impl Parts {
    fn new(bounds: Bounds, hub: &Arc<Hub>, log: &[Arc<ChangeSet>], shops: &[Shop], owner: Option<Owner>) -> Self {
        let memory = Arc::new(MemoryStore::new());
        for set in log {
            now(memory.commit(set.clone())).unwrap();
        }
        let (planted, log) = (bounds.planted, Mutex::new(log.to_vec()));
        let store = Arc::new(GatedStore { memory: memory.clone(), hub: hub.clone(), owner, planted, log });
        let suppliers = shops.iter().zip(NAMES).enumerate().map(|(place, (shop, name))| {
            let shop = Mutex::new(shop.clone());
            Arc::new(GatedSupplier { name, place, shop, hub: hub.clone(), lost_is_no: bounds.lost_is_no })
        });
        Self { memory, store, suppliers: suppliers.collect() }
    }
}

fn copied(keyring: &MemoryKeyring) -> MemoryKeyring {
    let copy = MemoryKeyring::new();
    let root = now(keyring.root(EpochKey::new([0; 32]))).unwrap();
    now(copy.root(root)).unwrap();
    for (id, key) in now(keyring.epochs()).unwrap() {
        now(copy.add(id, key)).unwrap();
    }
    copy
}

/// A platform as its process begins.
pub(crate) fn build(
    hub: &Arc<Hub>,
    store: &Arc<GatedStore>,
    keyring: &Arc<MemoryKeyring>,
    suppliers: &[Arc<GatedSupplier>],
    life: u64,
) -> Platform {
    let settings = Settings {
        poll_first_ms: POLL_MS,
        poll_then_ms: POLL_MS,
        poll_late_ms: POLL_MS,
        offers_every_ms: OFFERS_EVERY_MS,
        balance_every_ms: OFFERS_EVERY_MS,
        audit_every_ms: 0,
        window_ms: 240_000,
        unclear_grace_ms: 20_000,
        last_check_grace_ms: 15_000,
        ..Settings::default()
    };
    let rates = FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000);
    let mut builder = Platform::builder()
        .store(store.clone())
        .clock(Arc::new(HubClock(hub.clone())))
        .entropy(Arc::new(Seed(Mutex::new(life))))
        .keyring(keyring.clone())
        .rates(Arc::new(rates))
        .settings(settings);
    for supplier in suppliers {
        builder = builder.supplier(supplier.clone());
    }
    now(builder.build()).unwrap()
}

struct Seed(Mutex<u64>);

impl Entropy for Seed {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}
