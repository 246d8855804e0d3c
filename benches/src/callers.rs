//! The callers, and the clock beside them.
//!
//! The time is cut into slices, and after each slice of ours comes one of the floor: so both meet the same machine, also
//! when it has other things to do.

#![allow(clippy::disallowed_methods, reason = "measuring is what this program is for")]
#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::order::{PlaceOrders, Wanted};
use tokio::task::JoinSet;

use crate::Failure;
use crate::args::{Options, StoreName};
use crate::floor::Floor;
use crate::report::Report;
use crate::store::{Counts, Measured};
use crate::supplier::{CODE, COUNTRY, SERVICE};
use crate::world::World;

/// Slices of a run.
const SLICES: u32 = 5;
/// Nothing here may take longer; then the run has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_MS: i64 = 60_000;
/// Histograms hold latencies up to this, in microseconds.
const LATENCY_MAX_US: u64 = 120_000_000;
/// Suppliers may still be told of finished orders for so long after the last one.
const SETTLE: Duration = Duration::from_secs(60);
/// The platform is at rest when nothing is written between so many looks in a row: one alone may see a thread that had to wait.
const QUIET_LOOKS: u32 = 5;
const QUIET_LOOK: Duration = Duration::from_millis(40);

/// What the slices of a run add up to.
#[derive(Default)]
struct Sum {
    operations: u64,
    seconds: f64,
    /// Commits while the callers were at it; the supplier is told of the last orders after that.
    commits: u64,
    floor_operations: u64,
    floor_seconds: f64,
}

/// `commit_alone` measures the placing commit, otherwise whole orders.
pub(crate) async fn measure(options: &Options, commit_alone: bool) -> Result<Report, Failure> {
    let dir = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let store = Measured::open(options, dir.path()).await?;
    let floor = Floor::open(&store, dir.path()).await?;
    let world = World::start(&store, options).await?;
    warm_up(&world, commit_alone).await?;
    let before = store.counts().await?;
    let mut sum = Sum::default();
    let mut latency = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?;
    for slice in 0..SLICES {
        let quota = options.orders.map_or(u64::MAX, |orders| share(orders, slice));
        if quota == 0 {
            continue;
        }
        let counted = store.progress()?;
        let time = Duration::from_secs(options.seconds) / SLICES;
        // so many operations were asked for, however long they take
        let limit = if options.orders.is_some() { Duration::MAX } else { time };
        run_slice(&world, commit_alone, quota, limit, &mut sum, &mut latency).await?;
        let seen = store.progress()?.since(&counted);
        sum.commits += seen.commits;
        settle(&store).await?;
        if let Some(floor) = &floor {
            let (operations, seconds) = floor.run(group_size(&seen), time / 2).await?;
            sum.floor_operations += operations;
            sum.floor_seconds += seconds;
        }
    }
    let done = store.counts().await?.since(&before);
    world.stop().await?;
    Ok(Report {
        mode: if commit_alone { "commits" } else { "orders" },
        store: match options.store {
            StoreName::Memory => "memory",
            StoreName::Redb => "redb",
            StoreName::Postgres => "postgres",
        },
        callers: options.callers,
        operations: sum.operations,
        seconds: sum.seconds,
        commits_in_time: sum.commits,
        counts: done,
        p50_us: latency.value_at_quantile(0.50),
        p99_us: latency.value_at_quantile(0.99),
        max_us: latency.max(),
        pgbench_per_s: floor.as_ref().and_then(Floor::pgbench_per_s),
        floor_per_s: floor.map(|_| sum.floor_operations as f64 / sum.floor_seconds),
    })
}

/// A slice's part of all operations.
fn share(orders: u64, slice: u32) -> u64 {
    let slices = u64::from(SLICES);
    orders / slices + u64::from(u64::from(slice) < orders % slices)
}

fn group_size(counts: &Counts) -> usize {
    let rounded = (counts.commits + counts.groups / 2) / counts.groups.max(1);
    usize::try_from(rounded).unwrap_or(1).max(1)
}

/// One operation of each caller, uncounted: the catalogue is warm, the epoch begun, the tables exist.
async fn warm_up(world: &World, commit_alone: bool) -> Result<(), Failure> {
    let mut ignored = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?;
    let quota = world.accounts.len() as u64;
    run_slice(world, commit_alone, quota, PATIENCE, &mut Sum::default(), &mut ignored).await
}

async fn run_slice(
    world: &World,
    commit_alone: bool,
    quota: u64,
    time: Duration,
    sum: &mut Sum,
    latency: &mut Histogram<u64>,
) -> Result<(), Failure> {
    let taken = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for account in &world.accounts {
        let (platform, account, taken) = (world.platform.clone(), *account, taken.clone());
        callers.spawn(async move {
            let mut mine = Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?;
            while begun.elapsed() < time && taken.fetch_add(1, Ordering::Relaxed) < quota {
                let start = Instant::now();
                tokio::time::timeout(PATIENCE, one(&platform, account, commit_alone)).await??;
                mine.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Ok::<_, Failure>(mine)
        });
    }
    while let Some(mine) = callers.join_next().await {
        let mine = mine??;
        sum.operations += mine.len();
        latency.add(mine)?;
    }
    sum.seconds += begun.elapsed().as_secs_f64();
    Ok(())
}

async fn one(platform: &Platform, account: AccountId, commit_alone: bool) -> Result<(), Failure> {
    let wanted = PlaceOrders::one(Wanted::Pair { country: COUNTRY, service: SERVICE.into() });
    if commit_alone {
        platform.commit_orders(account, wanted).await?;
        return Ok(());
    }
    let order = platform.place_orders(account, wanted).await?.single()?;
    let order = platform.wait_for_sms(account, order.id, 0, PATIENCE_MS).await?;
    if order.code.as_deref() != Some(CODE) {
        return Err("the code was not read from the SMS".into());
    }
    platform.finish_order(account, order.id).await?;
    Ok(())
}

/// Waits until the platform has nothing left to write: the supplier is told of finished orders after they have ended.
async fn settle(store: &Measured) -> Result<(), Failure> {
    let quiet = async {
        let (mut before, mut quiet) = (store.progress()?.commits, 0);
        while quiet < QUIET_LOOKS {
            tokio::time::sleep(QUIET_LOOK).await;
            let now = store.progress()?.commits;
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
        }
        Ok(())
    };
    tokio::time::timeout(SETTLE, quiet).await?
}
