//! A platform on the memory store with a clock that the test moves and a supplier that the test scripts.
#![allow(dead_code, unreachable_pub, reason = "each test target uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

pub mod books;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::order::orphan::WATCH;
use smscode_core::order::{Idempotency, OrderError, OrderId, OrderView, PlaceOrders, Placed, Wanted};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, Alarm, AlarmError, Alarms, BuyOutcome, BuyRequest, CallError,
    CancelOutcome, Capabilities, Charge, Clock, Entropy, FinishOutcome, FixedRates, Keyring, MemoryKeyring,
    MoreOutcome, Offer, Past, Rate, Rates, Rejection, Supplier, SupplierInfo, SupplierSms,
};
use smscode_core::routing::BreakerRule;
use smscode_core::store::{
    ChangeSet, Cursor, Effect, House, Index, LoadKey, MemoryStore, Page, Range, Receipt, Snapshot, Store, StoreError,
    StoreInfo, Totals, TransferKind,
};
use smscode_core::time::Timestamp;
use smscode_core::{Platform, Settings};
use tokio::sync::{Notify, oneshot};

/// A clock that stands still until the test moves it.
pub struct TestClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Timestamp::from_seconds(1_800_000_000)), moved: Notify::new() })
    }

    /// Moves the clock in small steps, and lets everything that wakes do its work at each.
    pub async fn advance(&self, seconds: i64) {
        self.step(seconds * 4, 250).await;
    }

    /// The same with steps of another length.
    pub async fn step(&self, steps: i64, ms: i64) {
        for _ in 0..steps {
            {
                let mut now = self.now.lock().unwrap();
                *now = now.plus_ms(ms);
            }
            self.moved.notify_waiters();
            settle().await;
        }
    }

    /// Moves the clock while nothing runs: the time for which a process was away.
    pub fn skip(&self, seconds: i64) {
        let mut now = self.now.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }
}

/// Lets all other tasks of the runtime run until they wait.
pub async fn settle() {
    for _ in 0..60 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}

/// Random bytes from a seed (splitmix64).
pub struct TestEntropy(AtomicU64);

impl TestEntropy {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seed)))
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// Where a test's operators are told.
#[derive(Default)]
pub struct TestAlarms {
    pub fails: AtomicBool,
    pub hangs: AtomicBool,
    pub tries: AtomicU64,
    told: Mutex<Vec<Alarm>>,
}

impl TestAlarms {
    /// What was told: cause, what about, how often.
    pub fn told(&self) -> Vec<(String, Option<String>, u64)> {
        let told = self.told.lock().unwrap();
        told.iter().map(|alarm| (alarm.cause.clone(), alarm.about.clone(), alarm.count)).collect()
    }
}

#[async_trait]
impl Alarms for TestAlarms {
    async fn tell(&self, alarm: &Alarm) -> Result<(), AlarmError> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::Relaxed) {
            return Err(AlarmError("scripted".into()));
        }
        self.told.lock().unwrap().push(alarm.clone());
        Ok(())
    }
}

/// A rate that can go missing.
pub struct TestRates {
    pub missing: AtomicBool,
    fixed: FixedRates,
}

impl Rates for TestRates {
    fn rate(&self, base: Currency, quote: Currency) -> Option<Rate> {
        let missing = base != quote && self.missing.load(Ordering::Relaxed);
        if missing { None } else { self.fixed.rate(base, quote) }
    }
}

/// What a scripted supplier does with the next purchase.
#[derive(Clone, Debug)]
pub enum Buy {
    Sell,
    Reject(Rejection),
    NotSent,
    /// Sells, but the answer is lost.
    SellSilently,
    /// Sells nothing, and the answer is lost.
    Silence,
    /// Sells this number.
    Number(&'static str),
    /// Sells this number, but the answer is lost.
    NumberSilently(&'static str),
    /// Sells at this cost.
    Cost(i64),
    /// Gives out the newest activation once more.
    Again,
    /// Sells a number of this country.
    Country(u16),
}

#[derive(Clone)]
pub struct Sold {
    pub request: BuyRequest,
    pub phone: String,
    pub sms: Vec<SupplierSms>,
    pub ended: bool,
    pub finished: bool,
    pub cancelled: bool,
    /// When.
    pub at: Timestamp,
    /// Its history does not have it.
    pub unlisted: bool,
}

#[derive(Default)]
pub struct Script {
    pub buys: Vec<Buy>,
    pub sold: BTreeMap<String, Sold>,
    pub cancel: Option<CancelOutcome>,
    pub offers: Vec<Offer>,
    pub polls: u64,
    pub poll_fails: bool,
    pub next: u64,
    pub requests: Vec<BuyRequest>,
    /// Purchases under way, and the most there were at once.
    pub under_way: usize,
    pub most_under_way: usize,
    /// A purchase takes this long before it is made.
    pub slow_ms: i64,
    /// The answer to a purchase takes this long after it was made.
    pub answer_ms: i64,
    /// An answer to a poll is this old when it arrives.
    pub poll_ms: i64,
    pub more_refused: bool,
    pub finish_fails: bool,
    pub finishes: u64,
    pub cancels: u64,
    /// How often its list was read.
    pub lists: u64,
    /// The list of what is open takes so long.
    pub list_takes_ms: i64,
    /// Its list is behind: what is open does not show.
    pub list_hides: bool,
    pub list_fails: bool,
    /// It has no list at all; said when the platform is built.
    pub no_list: bool,
    /// It has no history; said when the platform is built.
    pub no_history: bool,
    pub history_fails: bool,
    /// How often its history was read.
    pub histories: u64,
    /// What its history says of some, in place of what happened.
    pub past: BTreeMap<String, Charge>,
    /// The time of the newest purchase.
    pub now: Timestamp,
    /// Its list gives back our references.
    pub gives_references: bool,
    /// It says with each number how long it lives, in seconds.
    pub states_window: Option<u32>,
    /// It does not say what it takes.
    pub silent_on_cost: bool,
    /// Nothing can be asked of it any more, and nothing bought.
    pub gone: bool,
    /// Takes every call and answers none.
    pub dead: bool,
    /// Our money there, in millionths of a dollar.
    pub balance: Option<i64>,
    pub balances: u64,
    /// When purchases came in.
    pub bought_at: Vec<Timestamp>,
}

pub struct TestSupplier {
    pub name: &'static str,
    pub script: Mutex<Script>,
    pub clock: Arc<TestClock>,
    pub cancel_after: u32,
    pub window_seconds: u32,
    pub requests_a_second: u32,
}

pub const COST: i64 = 100_000;
/// Purchases that a supplier takes at once, from all nodes together.
pub const CONCURRENCY: u32 = 64;

impl TestSupplier {
    pub fn new(name: &'static str, clock: &Arc<TestClock>) -> Arc<Self> {
        Self::timed(name, clock, 120, 1_200)
    }

    /// With another minimum time before a cancel and another window.
    pub fn timed(name: &'static str, clock: &Arc<TestClock>, cancel_after: u32, window_seconds: u32) -> Arc<Self> {
        Arc::new(Self::made(name, clock, cancel_after, window_seconds))
    }

    /// With a limit of calls a second.
    pub fn limited(name: &'static str, clock: &Arc<TestClock>, requests_a_second: u32) -> Arc<Self> {
        Arc::new(Self { requests_a_second, ..Self::made(name, clock, 120, 1_200) })
    }

    fn made(name: &'static str, clock: &Arc<TestClock>, cancel_after: u32, window_seconds: u32) -> Self {
        let offer = |service: &str, country| Offer {
            country,
            service: service.into(),
            cost: Money::new(COST, Currency::Usd),
            count: 100,
        };
        let offers = vec![offer("wa", 6), offer("tg", 6), offer("wa", 0), offer("ts", 6)];
        let script = Script {
            offers,
            // no two suppliers have the same numbers
            next: u64::from(name.as_bytes()[0]) * 1_000,
            ..Script::default()
        };
        let (script, clock) = (Mutex::new(script), clock.clone());
        Self { name, script, clock, cancel_after, window_seconds, requests_a_second: 0 }
    }

    pub fn plan(&self, buys: impl IntoIterator<Item = Buy>) {
        self.script.lock().unwrap().buys.extend(buys);
    }

    pub fn deliver(&self, phone: &str, id: Option<&str>, text: &str) {
        let mut script = self.script.lock().unwrap();
        let sold = script.sold.values_mut().rev().find(|sold| sold.phone == phone).expect("no such number");
        let at = Some(format!("t{}", sold.sms.len()));
        sold.sms.push(SupplierSms { id: id.map(str::to_owned), text: text.into(), at, ..SupplierSms::default() });
    }

    /// Delivers an SMS as it is.
    pub fn deliver_sms(&self, phone: &str, sms: SupplierSms) {
        let mut script = self.script.lock().unwrap();
        let found = script.sold.values_mut().rev().find(|sold| sold.phone == phone);
        found.expect("no such number").sms.push(sms);
    }

    /// The supplier ends an activation on its side.
    pub fn end(&self, phone: &str) {
        let mut script = self.script.lock().unwrap();
        let found = script.sold.values_mut().rev().find(|sold| sold.phone == phone);
        found.expect("no such number").ended = true;
    }

    pub fn sold(&self) -> Vec<Sold> {
        self.script.lock().unwrap().sold.values().cloned().collect()
    }

    fn sell(script: &mut Script, request: &BuyRequest, phone: Option<&str>) -> Activation {
        script.next += 1;
        let (id, dial) = (script.next, if request.country == 6 { "62" } else { "7" });
        let phone = phone.map_or_else(|| format!("{dial}81200{:06}", script.next), str::to_owned);
        let sold = Sold {
            request: request.clone(),
            phone: phone.clone(),
            sms: Vec::new(),
            ended: false,
            finished: false,
            cancelled: false,
            at: script.now,
            unlisted: false,
        };
        script.sold.insert(id.to_string(), sold);
        Activation {
            id: ActivationId(id.to_string()),
            phone,
            cost: (!script.silent_on_cost).then_some(Money::new(COST, Currency::Usd)),
            window_seconds: script.states_window,
            reference: None,
            country: Some(request.country),
            service: Some(request.service.clone()),
            state: ActivationState::Waiting,
        }
    }

    /// Somebody else buys a number with the same account at this supplier; its name there.
    pub fn sell_to_somebody_else(&self, service: &str) -> String {
        let mut script = self.script.lock().unwrap();
        let ceiling = Money::new(COST, Currency::Usd);
        let request = BuyRequest { country: 6, service: service.into(), ceiling, reference: String::new() };
        Self::sell(&mut script, &request, None).id.0
    }

    /// Lets a test change the script.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }
}

impl TestSupplier {
    /// Answers, unless it is dead.
    async fn live(&self) {
        if self.script.lock().unwrap().dead {
            std::future::pending::<()>().await;
        }
    }

    async fn pause(&self, ms: i64) {
        if ms > 0 {
            self.clock.sleep_until(self.clock.now().plus_ms(ms)).await;
        }
    }

    fn bought(&self, request: &BuyRequest) -> BuyOutcome {
        let mut script = self.script.lock().unwrap();
        script.requests.push(request.clone());
        script.bought_at.push(self.clock.now());
        script.now = self.clock.now();
        if script.gone {
            return BuyOutcome::NotSent("no connection".into());
        }
        let plan = if script.buys.is_empty() { Buy::Sell } else { script.buys.remove(0) };
        match plan {
            Buy::Sell => BuyOutcome::Accepted(Self::sell(&mut script, request, None)),
            Buy::Number(phone) => BuyOutcome::Accepted(Self::sell(&mut script, request, Some(phone))),
            Buy::Cost(minor) => BuyOutcome::Accepted(Activation {
                cost: Some(Money::new(minor, Currency::Usd)),
                ..Self::sell(&mut script, request, None)
            }),
            Buy::Again => {
                let (id, sold) = script.sold.last_key_value().expect("nothing was sold");
                BuyOutcome::Accepted(Activation {
                    id: ActivationId(id.clone()),
                    phone: sold.phone.clone(),
                    cost: Some(Money::new(COST, Currency::Usd)),
                    window_seconds: None,
                    reference: None,
                    country: None,
                    service: None,
                    state: ActivationState::Waiting,
                })
            }
            Buy::Country(country) => {
                BuyOutcome::Accepted(Activation { country: Some(country), ..Self::sell(&mut script, request, None) })
            }
            Buy::Reject(rejection) => BuyOutcome::RejectedUncharged(rejection),
            Buy::NotSent => BuyOutcome::NotSent("refused".into()),
            Buy::SellSilently => {
                Self::sell(&mut script, request, None);
                BuyOutcome::Unknown("the answer was lost".into())
            }
            Buy::NumberSilently(phone) => {
                Self::sell(&mut script, request, Some(phone));
                BuyOutcome::Unknown("the answer was lost".into())
            }
            Buy::Silence => BuyOutcome::Unknown("the answer was lost".into()),
        }
    }

    fn states(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let mut script = self.script.lock().unwrap();
        script.polls += 1;
        if script.poll_fails || script.gone {
            return Err(CallError::Unusable("scripted".into()));
        }
        Ok(ids.iter().map(|id| script.sold.get(&id.0).map_or(ActivationState::NotFound, state_of)).collect())
    }
}

/// An honest history: what had an SMS is paid for.
fn charge_of(sold: &Sold) -> Charge {
    if !(sold.ended || sold.cancelled || sold.finished) {
        Charge::Undecided
    } else if sold.sms.is_empty() {
        Charge::Returned
    } else {
        Charge::Kept(Some(Money::new(COST, Currency::Usd)))
    }
}

fn state_of(sold: &Sold) -> ActivationState {
    if sold.ended || sold.cancelled || sold.finished {
        ActivationState::Ended
    } else if sold.sms.is_empty() {
        ActivationState::Waiting
    } else {
        ActivationState::Received(sold.sms.clone())
    }
}

#[async_trait]
impl Supplier for TestSupplier {
    fn describe(&self) -> SupplierInfo {
        let script = self.script.lock().unwrap();
        SupplierInfo {
            name: self.name.into(),
            currency: Currency::Usd,
            capabilities: Capabilities {
                cancel_after_seconds: self.cancel_after,
                window_seconds: self.window_seconds,
                lists_active: !script.no_list,
                lists_history: !script.no_history,
                reference_is_unique: false,
                poll_batch: 50,
                poll_floor_ms: 100,
                further_sms_free: true,
                wants_finish: true,
                concurrency: CONCURRENCY,
                requests_a_second: self.requests_a_second,
            },
        }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        self.live().await;
        let script = self.script.lock().unwrap();
        if script.gone {
            return Err(CallError::Unusable("scripted".into()));
        }
        Ok(script.offers.clone())
    }

    async fn balance(&self) -> Result<Money, CallError> {
        self.live().await;
        let mut script = self.script.lock().unwrap();
        script.balances += 1;
        Ok(Money::new(script.balance.unwrap_or(1_000_000_000), Currency::Usd))
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        self.live().await;
        let slow_ms = {
            let mut script = self.script.lock().unwrap();
            script.under_way += 1;
            script.most_under_way = script.most_under_way.max(script.under_way);
            script.slow_ms
        };
        self.pause(slow_ms).await;
        let outcome = self.bought(request);
        let answer_ms = self.script.lock().unwrap().answer_ms;
        self.pause(answer_ms).await;
        self.script.lock().unwrap().under_way -= 1;
        outcome
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        self.live().await;
        let states = self.states(ids);
        let poll_ms = self.script.lock().unwrap().poll_ms;
        self.pause(poll_ms).await;
        states
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        self.live().await;
        let takes_ms = self.script.lock().unwrap().list_takes_ms;
        self.pause(takes_ms).await;
        let mut script = self.script.lock().unwrap();
        script.lists += 1;
        if script.no_list {
            return Err(CallError::Unsupported);
        }
        if script.list_fails || script.gone {
            return Err(CallError::Unusable("scripted".into()));
        }
        if script.list_hides {
            return Ok(Vec::new());
        }
        let open = script.sold.iter().filter(|(_, sold)| !sold.ended && !sold.cancelled && !sold.finished);
        Ok(open
            .map(|(id, sold)| Activation {
                id: ActivationId(id.clone()),
                phone: sold.phone.clone(),
                cost: None,
                window_seconds: None,
                reference: script.gives_references.then(|| sold.request.reference.clone()),
                country: Some(sold.request.country),
                service: Some(sold.request.service.clone()),
                state: state_of(sold),
            })
            .collect())
    }

    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        self.live().await;
        let mut script = self.script.lock().unwrap();
        script.histories += 1;
        if script.no_history {
            return Err(CallError::Unsupported);
        }
        if script.history_fails || script.gone {
            return Err(CallError::Unusable("scripted".into()));
        }
        let told = |(id, sold): (&String, &Sold)| Past {
            id: ActivationId(id.clone()),
            charge: script.past.get(id).copied().unwrap_or_else(|| charge_of(sold)),
        };
        Ok(script
            .sold
            .iter()
            .filter(|(_, sold)| (from..until).contains(&sold.at) && !sold.unlisted)
            .map(told)
            .collect())
    }

    async fn more(&self, _id: &ActivationId) -> MoreOutcome {
        self.live().await;
        if self.script.lock().unwrap().more_refused {
            return MoreOutcome::Refused("scripted".into());
        }
        MoreOutcome::Waiting
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        self.live().await;
        let mut script = self.script.lock().unwrap();
        script.cancels += 1;
        if script.gone {
            return CancelOutcome::Unknown("no connection".into());
        }
        if let Some(outcome) = script.cancel.clone() {
            return outcome;
        }
        match script.sold.get_mut(&id.0) {
            Some(sold) if sold.ended || sold.finished => CancelOutcome::NotOpen,
            Some(sold) if !sold.sms.is_empty() => CancelOutcome::SmsArrived,
            Some(sold) => {
                sold.cancelled = true;
                CancelOutcome::Cancelled
            }
            None => CancelOutcome::NotOpen,
        }
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        self.live().await;
        let mut script = self.script.lock().unwrap();
        script.finishes += 1;
        if script.finish_fails || script.gone {
            return FinishOutcome::Unknown("scripted".into());
        }
        if let Some(sold) = script.sold.get_mut(&id.0) {
            sold.finished = true;
        }
        FinishOutcome::Finished
    }
}

/// A store whose every step takes a while, by a seed, so that commands overlap in many ways; and that can refuse writes.
pub struct SlowStore {
    inner: Arc<MemoryStore>,
    dice: AtomicU64,
    pub broken: AtomicBool,
    /// Says of itself that other processes may use it too.
    pub shared: AtomicBool,
    pub commits: AtomicU64,
    /// Whether what is committed is kept for the test to look at.
    pub keeps: AtomicBool,
    kept: Mutex<Vec<Arc<ChangeSet>>>,
    /// For each of the next commits whether it takes effect before the store is away; nobody is answered.
    away: Mutex<VecDeque<bool>>,
}

impl SlowStore {
    pub fn new(inner: Arc<MemoryStore>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            inner,
            dice: AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            broken: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            keeps: AtomicBool::new(false),
            kept: Mutex::new(Vec::new()),
            away: Mutex::new(VecDeque::new()),
        })
    }

    /// The next commit takes effect without an answer, and then the store is away for so many.
    pub fn go_away(&self, commits: usize) {
        self.away.lock().unwrap().extend(std::iter::once(true).chain(std::iter::repeat_n(false, commits)));
    }

    /// What was committed while it was kept.
    pub fn kept(&self) -> Vec<Arc<ChangeSet>> {
        self.kept.lock().unwrap().clone()
    }

    async fn pause(&self) {
        let z = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for _ in 0..(z ^ (z >> 27)) % 4 {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Store for SlowStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        let mut info = self.inner.describe().await?;
        info.shared = self.shared.load(Ordering::Relaxed);
        Ok(info)
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        self.pause().await;
        let loaded = self.inner.load(keys).await;
        self.pause().await;
        loaded
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable {
                store: "slow",
                effect: Effect::No,
                reason: "the disk is full".into(),
            });
        }
        let away = self.away.lock().unwrap().pop_front();
        if let Some(takes_effect) = away {
            let mut effect = Effect::No;
            if takes_effect {
                self.inner.commit(change_set).await?;
                effect = Effect::Unknown;
            }
            return Err(StoreError::Unavailable { store: "slow", effect, reason: "it is away".into() });
        }
        self.pause().await;
        let committed = self.inner.commit(change_set.clone()).await;
        if committed.is_ok() && self.keeps.load(Ordering::Relaxed) {
            self.kept.lock().unwrap().push(change_set);
        }
        self.pause().await;
        committed
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.pause().await;
        let page = self.inner.scan(index, range, after, limit).await;
        self.pause().await;
        page
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }
}

/// A running platform.
pub struct World {
    pub platform: Platform,
    pub clock: Arc<TestClock>,
    pub store: Arc<dyn Store>,
    pub keyring: Arc<dyn Keyring>,
    pub rates: Arc<TestRates>,
    pub alarms: Arc<TestAlarms>,
    pub suppliers: Vec<Arc<TestSupplier>>,
    pub account: AccountId,
    stop: Option<oneshot::Sender<()>>,
    driver: tokio::task::JoinHandle<()>,
}

/// The price of everything the test suppliers sell: 0.10 USD at 16,000 and 30 %.
pub const PRICE: i64 = 2_080;
pub const MONEY: i64 = 100_000;

impl World {
    pub async fn new() -> Self {
        Self::with(1, Settings::default()).await
    }

    /// One supplier with this minimum time before a cancel and this window.
    pub async fn timed(cancel_after: u32, window_seconds: u32, settings: Settings) -> Self {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::timed("alpha", &clock, cancel_after, window_seconds)];
        Self::on(Arc::new(MemoryStore::new()), Arc::new(MemoryKeyring::new()), clock, suppliers, settings, None).await
    }

    pub async fn with(suppliers: usize, settings: Settings) -> Self {
        let clock = TestClock::new();
        let names = ["alpha", "beta", "gamma"];
        let suppliers = names[..suppliers].iter().map(|name| TestSupplier::new(name, &clock)).collect();
        let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::new());
        Self::on(Arc::new(MemoryStore::new()), keyring, clock, suppliers, settings, None).await
    }

    /// One supplier without a minimum time, a window of 20 s, on a store whose every step takes its time.
    pub async fn hurried(seed: u64) -> Self {
        Self::slow(seed, 20).await
    }

    /// The same with a window of so many seconds.
    pub async fn slow(seed: u64, window_seconds: u32) -> Self {
        let clock = TestClock::new();
        let suppliers = vec![TestSupplier::timed("alpha", &clock, 0, window_seconds)];
        let store = SlowStore::new(Arc::new(MemoryStore::new()), seed);
        // it is for races: a supplier is bought from, whatever it answers
        let breaker = BreakerRule { failures_in_row: u32::MAX, calls_min: u32::MAX, ..BreakerRule::default() };
        let settings = Settings { breaker, ..Settings::default() };
        Self::on(store, Arc::new(MemoryKeyring::new()), clock, suppliers, settings, None).await
    }

    /// On a given store: also a second life of the same platform.
    pub async fn on(
        store: Arc<dyn Store>,
        keyring: Arc<dyn Keyring>,
        clock: Arc<TestClock>,
        suppliers: Vec<Arc<TestSupplier>>,
        settings: Settings,
        account: Option<AccountId>,
    ) -> Self {
        // the first life is the same in every run; another life or node must not draw the same ids again
        let seed = account.map_or(7, |_| 8 + clock.now().0.unsigned_abs());
        let fixed = FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000);
        let rates = Arc::new(TestRates { missing: AtomicBool::new(false), fixed });
        let alarms = Arc::new(TestAlarms::default());
        let mut builder = Platform::builder()
            .store(store.clone())
            .clock(clock.clone())
            .entropy(TestEntropy::new(seed))
            .keyring(keyring.clone())
            .rates(rates.clone())
            .alarms(alarms.clone())
            .settings(settings);
        for supplier in &suppliers {
            builder = builder.supplier(supplier.clone());
        }
        let platform = builder.build().await.unwrap();
        let account = match account {
            Some(account) => account,
            None => {
                let account = platform.open_account().await.unwrap();
                let money = Money::new(MONEY, Currency::Idr);
                assert!(platform.deposit(account, money, "first").await.unwrap());
                account
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let driving = platform.clone();
        let driver = tokio::spawn(async move {
            driving.run(async move { drop(stopped.await) }).await;
        });
        // recovery takes as long as the store does
        platform.ready().await;
        settle().await;
        Self { platform, clock, store, keyring, rates, alarms, suppliers, account, stop: Some(stop), driver }
    }

    /// Ends this life as a crash does: nothing is finished.
    pub async fn crash(self) -> (Arc<dyn Store>, Arc<dyn Keyring>, Arc<TestClock>, Vec<Arc<TestSupplier>>, AccountId) {
        self.driver.abort();
        drop(self.driver.await);
        (self.store, self.keyring, self.clock, self.suppliers, self.account)
    }

    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(20), self.driver).await.unwrap().unwrap();
    }

    pub fn supplier(&self) -> &TestSupplier {
        &self.suppliers[0]
    }

    pub fn whatsapp() -> PlaceOrders {
        PlaceOrders::one(Wanted::Pair { country: 6, service: "wa".into() })
    }

    /// The same under a key of the caller's.
    pub fn keyed(key: &str, operation: &'static str, request: &str) -> PlaceOrders {
        PlaceOrders {
            idempotency: Some(Idempotency { operation, key: key.into(), request: request.into() }),
            ..Self::whatsapp()
        }
    }

    pub async fn place_orders(&self, wanted: PlaceOrders) -> Result<Placed, OrderError> {
        self.platform.place_orders(self.account, wanted).await
    }

    pub async fn cancel(&self, id: OrderId) -> Result<OrderView, OrderError> {
        self.platform.cancel_order(self.account, id).await
    }

    pub async fn schedule_cancel(&self, id: OrderId) -> Result<OrderView, OrderError> {
        self.platform.cancel_order_when_allowed(self.account, id).await
    }

    pub async fn finish(&self, id: OrderId) -> Result<OrderView, OrderError> {
        self.platform.finish_order(self.account, id).await
    }

    /// Ends this life as a crash does and begins the next on the same store; `away` seconds later.
    pub async fn reborn(self, away: i64, settings: Settings) -> Self {
        let (store, keyring, clock, suppliers, account) = self.crash().await;
        clock.skip(away);
        Self::on(store, keyring, clock, suppliers, settings, Some(account)).await
    }

    /// Places one order of WhatsApp in Indonesia.
    pub async fn place(&self) -> OrderView {
        let placed = self.platform.place_orders(self.account, Self::whatsapp()).await.unwrap();
        match &placed.items[0].outcome {
            smscode_core::order::ItemOutcome::Settled(view) => view.clone(),
            other => panic!("not settled: {other:?}"),
        }
    }

    /// Places one order, whatever becomes of it.
    pub async fn place_one(&self) -> OrderId {
        self.place_orders(Self::whatsapp()).await.unwrap().items[0].order
    }

    pub async fn order(&self, id: OrderId) -> OrderView {
        self.platform.order(self.account, id).await.unwrap()
    }

    pub async fn available(&self) -> i64 {
        self.platform.balance(self.account).await.unwrap().available.minor
    }

    pub async fn held(&self) -> i64 {
        self.platform.balance(self.account).await.unwrap().held.minor
    }

    /// What closed the order's only hold.
    pub async fn closing(&self, id: OrderId) -> TransferKind {
        let subject = format!("order:{}", id.0);
        let lines = self.platform.statement(self.account, 0, 1_000).await.unwrap();
        let kinds: Vec<_> = lines.iter().filter(|line| line.subject == subject).map(|line| line.kind).collect();
        assert_eq!((kinds.len(), kinds[0]), (2, TransferKind::Hold), "{id:?}: {kinds:?}");
        kinds[1]
    }

    /// The postings of one order, and that the books balance; also of a deleted account.
    pub async fn assert_postings(&self, id: OrderId, expected: &[TransferKind]) {
        assert_eq!(self.postings(id).await, expected, "postings of {id:?}");
        self.assert_balanced().await;
    }

    /// What was booked of this supplier's numbers: what brought an SMS, and what did not. Nothing else was taken from the
    /// money there.
    pub async fn assert_supplier(&self, name: &str, cost: i64, loss: i64) {
        let totals = self.platform.totals().await.unwrap();
        let line = totals.currencies.get(&Currency::Usd).cloned().unwrap_or_default();
        let booked = [House::cost(name), House::loss(name), House::float(name)].map(|house| line.house(&house));
        assert_eq!(booked, [cost, loss, -cost - loss].map(i128::from), "cost, loss and float of {name}");
    }

    /// How many purchases that were given up are watched.
    pub async fn watches(&self) -> usize {
        let page = self.store.scan(&Index::Kind(WATCH), &Range::all(), None, 1_000).await.unwrap();
        page.rows.len()
    }

    /// The sum of all accounts is zero, what is held is what open orders hold.
    pub async fn assert_balanced(&self) {
        let totals = self.platform.totals().await.unwrap();
        for (currency, line) in &totals.currencies {
            assert_eq!(line.sum(), 0, "{currency}");
        }
        let orders = books::orders(&*self.store, self.account).await;
        let open = orders.iter().filter(|(_, order)| order.state.holds_money()).map(|(_, order)| order.price_minor);
        assert_eq!(books::head(&*self.store, self.account).await.held, open.sum::<i64>(), "held money");
    }

    /// Events of an order, in order; their sequence has no gap.
    pub async fn events(&self, id: OrderId) -> Vec<String> {
        let events = self.platform.events(self.account, 0, 1_000).await.unwrap();
        let mine: Vec<_> = events.into_iter().filter(|event| event.order == id).collect();
        for (n, event) in (1..).zip(&mine) {
            assert_eq!(event.sequence, n, "sequence of {event:?}");
        }
        mine.into_iter().map(|event| event.name).collect()
    }
}
