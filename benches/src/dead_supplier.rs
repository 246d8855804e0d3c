//! What a supplier that has died costs the others: orders at a living one, with 500 orders open at one that takes every
//! connection and answers none, and without it. Real HTTP, against the simulator.
//!
//! Two platforms with a store each, side by side in this process; the callers go from one to the other in slices, so that
//! both meet the same machine.

#![allow(clippy::disallowed_methods, reason = "measuring is what this program is for")]
#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{PlaceOrders, Wanted};
use smscode_core::port::{FixedRates, MemoryKeyring};
use smscode_core::store::{MemoryStore, Store};
use smscode_core::{Platform, Settings};
use smscode_providers::clock::{OsEntropy, SystemClock};
use smscode_providers::sandbox::{Sandbox, SandboxConfig, SandboxHandle};
use smscode_providers::sms::sms_activate::SmsActivate;
use smscode_providers::{ApiKey, http};
use smscode_storage_redb::{RedbOptions, RedbStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::Failure;
use crate::args::{DeadOptions, StoreName};

/// Slices of a run, for each platform.
const SLICES: u32 = 6;
/// No order may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_MS: i64 = 60_000;
const LATENCY_MAX_US: u64 = 120_000_000;
/// Orders opened in one call.
const AT_ONCE: u32 = 50;
/// The dead supplier is dead for this long before anything is measured with it.
const BEFORE: Duration = Duration::from_secs(15);
/// More than anybody spends here.
const MONEY: Money = Money::new(1_000_000_000_000, Currency::Idr);
/// The bound on the ratio of the two p99.
const RATIO_MAX: f64 = 1.5;
/// What the resident memory may grow by while a supplier is dead, in MiB; orders that were placed meanwhile included.
const GROWTH_MAX_MIB: f64 = 64.0;

/// What came out.
pub(crate) struct DeadReport {
    open: u32,
    callers: u32,
    with: Histogram<u64>,
    without: Histogram<u64>,
    /// Resident memory when the supplier died, and at the end, in MiB.
    before_mib: f64,
    after_mib: f64,
    standing: &'static str,
    still_open: usize,
}

impl DeadReport {
    fn ratio(&self) -> f64 {
        self.with.value_at_quantile(0.99) as f64 / self.without.value_at_quantile(0.99).max(1) as f64
    }

    pub(crate) fn json(&self) -> String {
        let ms =
            |histogram: &Histogram<u64>, part: f64| (histogram.value_at_quantile(part) as f64 / 10.0).round() / 100.0;
        json!({
            "open_at_the_dead": self.open,
            "still_open": self.still_open,
            "callers": self.callers,
            "orders_with": self.with.len(),
            "orders_without": self.without.len(),
            "place_p50_ms_with": ms(&self.with, 0.5),
            "place_p50_ms_without": ms(&self.without, 0.5),
            "place_p99_ms_with": ms(&self.with, 0.99),
            "place_p99_ms_without": ms(&self.without, 0.99),
            "p99_ratio": (self.ratio() * 1_000.0).round() / 1_000.0,
            "resident_mib_before": self.before_mib,
            "resident_mib_after": self.after_mib,
            "standing": self.standing,
        })
        .to_string()
    }

    pub(crate) fn table(&self) -> String {
        let figures: serde_json::Map<String, Value> = serde_json::from_str(&self.json()).unwrap_or_default();
        let line = |(name, value): (&String, &Value)| format!("{name:<24}{:>14}\n", value.to_string().replace('"', ""));
        figures.iter().map(line).collect()
    }

    pub(crate) fn exceeded(&self) -> Vec<String> {
        let mut exceeded = Vec::new();
        if self.ratio() > RATIO_MAX {
            exceeded.push(format!(
                "p99 of placing is {:.2} times as long with a dead supplier, above {RATIO_MAX}",
                self.ratio()
            ));
        }
        let growth = self.after_mib - self.before_mib;
        if growth > GROWTH_MAX_MIB {
            exceeded.push(format!("memory grew by {growth:.0} MiB, above {GROWTH_MAX_MIB}"));
        }
        exceeded
    }
}

/// Passes connections on until it dies; from then on they stay open and nothing comes back.
struct Relay {
    address: SocketAddr,
    dead: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Relay {
    async fn start(to: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (dead, dying) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut passed = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut dying = dying.clone();
                passed.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(to).await {
                        let died = async { drop(dying.wait_for(|dead| *dead).await) };
                        let passing = tokio::io::copy_bidirectional(&mut client, &mut server);
                        let dead = tokio::select! {
                            biased;
                            () = died => true,
                            _closed = passing => false,
                        };
                        if dead {
                            // both sockets stay open
                            tokio::time::sleep(PATIENCE * 60).await;
                        }
                    }
                });
                // what has ended is forgotten
                while passed.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, dead, task })
    }
}

/// A platform with its suppliers.
struct Shop {
    platform: Platform,
    accounts: Vec<AccountId>,
    product: u32,
    stop: oneshot::Sender<()>,
    driver: JoinHandle<()>,
    // they stop when they are dropped
    _simulators: Vec<SandboxHandle>,
}

impl Shop {
    async fn open(
        store: Arc<dyn Store>,
        options: &DeadOptions,
        relay: Option<(&Relay, SandboxHandle)>,
    ) -> Result<Self, Failure> {
        let living = simulator(0).await?;
        let client = http::client()?;
        let mut config = living.account("living");
        config.dialect.poll_floor_ms = 250;
        config.dialect.concurrency = options.callers.max(8);
        let mut builder = Platform::builder()
            .store(store)
            .keyring(Arc::new(MemoryKeyring::new()))
            .clock(Arc::new(SystemClock))
            .entropy(Arc::new(OsEntropy))
            .rates(Arc::new(FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000)))
            .settings(Settings { poll_first_ms: 500, ..Settings::default() })
            .supplier(Arc::new(SmsActivate::new(config, client.clone())?));
        let mut simulators = vec![living];
        if let Some((relay, dying)) = relay {
            let mut config = dying.account("dying");
            config.base_url = format!("http://{}/stubs/handler_api.php", relay.address);
            config.dialect.concurrency = 64;
            builder = builder.supplier(Arc::new(SmsActivate::new(config, client)?));
            simulators.push(dying);
        }
        let platform = builder.build().await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let driver = tokio::spawn({
            let platform = platform.clone();
            async move { platform.run(async move { drop(stopped.await) }).await }
        });
        platform.ready().await;
        let mut accounts = Vec::new();
        for caller in 0..options.callers {
            let account = platform.open_account().await?;
            platform.deposit(account, MONEY, &format!("bench-{caller}")).await?;
            accounts.push(account);
        }
        let product = slot(&platform, "living")?;
        Ok(Self { platform, accounts, product, stop, driver, _simulators: simulators })
    }

    /// The callers at work for so long.
    async fn slice(&self, time: Duration, into: &mut Histogram<u64>) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut callers = JoinSet::new();
        for account in &self.accounts {
            let (platform, account, product) = (self.platform.clone(), *account, self.product);
            callers.spawn(async move {
                let mut mine = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?;
                while begun.elapsed() < time {
                    let placing = Instant::now();
                    let wanted = PlaceOrders::one(Wanted::Product(product));
                    let order =
                        tokio::time::timeout(PATIENCE, platform.place_orders(account, wanted)).await??.single()?;
                    mine.saturating_record(u64::try_from(placing.elapsed().as_micros()).unwrap_or(u64::MAX));
                    let order = platform.wait_for_sms(account, order.id, 0, PATIENCE_MS).await?;
                    if order.code.is_none() {
                        return Err("no SMS came".into());
                    }
                    platform.finish_order(account, order.id).await?;
                }
                Ok::<_, Failure>(mine)
            });
        }
        while let Some(mine) = callers.join_next().await {
            into.add(mine??)?;
        }
        Ok(())
    }

    async fn close(self) -> Result<(), Failure> {
        drop(self.stop);
        Ok(self.driver.await?)
    }
}

async fn simulator(code_after_ms: i64) -> Result<SandboxHandle, Failure> {
    let mut config = SandboxConfig::new(ApiKey::new("any"));
    config.settings.code_after_ms = code_after_ms;
    // nothing is ever sold out
    config.settings.stock = 1_000_000;
    config.settings.channels = 1_000_000;
    Ok(Sandbox::start(config).await?)
}

fn slot(platform: &Platform, supplier: &str) -> Result<u32, Failure> {
    let catalogue = platform.catalogue();
    let found =
        catalogue.offers(6, "wa").into_iter().find(|product| product.supplier == supplier).map(|product| product.id);
    found.ok_or_else(|| format!("{supplier} sells nothing").into())
}

/// Resident memory of this process, in MiB.
fn resident_mib() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system tells no memory")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok((kib / 102.4).round() / 10.0)
}

pub(crate) async fn measure(options: &DeadOptions) -> Result<DeadReport, Failure> {
    let dir = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let store = |name: &str| -> Result<Arc<dyn Store>, Failure> {
        Ok(match options.store {
            StoreName::Memory => Arc::new(MemoryStore::new()),
            StoreName::Redb => Arc::new(RedbStore::open(dir.path().join(name), RedbOptions::default())?),
            StoreName::Postgres => return Err("this is measured on memory or redb".into()),
        })
    };
    let dying = simulator(3_600_000).await?;
    let relay = Relay::start(dying.addr()).await?;
    let with = Shop::open(store("with.redb")?, options, Some((&relay, dying))).await?;
    let without = Shop::open(store("without.redb")?, options, None).await?;
    let holder = with.platform.open_account().await?;
    with.platform.deposit(holder, MONEY, "bench-holder").await?;
    let dying = slot(&with.platform, "dying")?;
    let mut opened = 0;
    while opened < options.open {
        let some = AT_ONCE.min(options.open - opened);
        let placed = with.platform.place_orders(holder, PlaceOrders::many(Wanted::Product(dying), some)).await?;
        if placed.items.len() != some as usize {
            return Err("not all of the orders were placed".into());
        }
        opened += some;
    }
    let mut ignored = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?;
    for shop in [&with, &without] {
        shop.slice(Duration::from_secs(2), &mut ignored).await?;
    }
    let before_mib = resident_mib()?;
    relay.dead.send_replace(true);
    tokio::time::sleep(BEFORE).await;
    let mut figures =
        [Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?, Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?];
    let time = Duration::from_secs(options.seconds) / SLICES;
    for _ in 0..SLICES {
        for (shop, into) in [&with, &without].into_iter().zip(&mut figures) {
            shop.slice(time, into).await?;
        }
    }
    let after_mib = resident_mib()?;
    let health = with.platform.health().await;
    let standing =
        health.suppliers.iter().find(|supplier| supplier.name == "dying").map(|supplier| supplier.standing.word());
    let still_open = with.platform.open_orders(holder).await?.len();
    let [of_with, of_without] = figures;
    relay.task.abort();
    with.close().await?;
    without.close().await?;
    Ok(DeadReport {
        open: options.open,
        callers: options.callers,
        with: of_with,
        without: of_without,
        before_mib,
        after_mib,
        standing: standing.unwrap_or("gone"),
        still_open,
    })
}
