//! A node's lives: built on the store, run, crashed, paused, stopped, and built again.

use std::sync::Arc;

use smscode_core::money::Currency;
use smscode_core::port::{FixedRates, Rate, Rates, Supplier};
use smscode_core::{BuildError, Platform, Settings};
use tokio::sync::oneshot;

use crate::clock::NodeClock;
use crate::plan::SHOPS;
use crate::rng::{Rng, Seeded};
use crate::store::NodeStore;
use crate::supplier::NodeSupplier;
use crate::world::{Blow, World, lock};

/// A node that could not be built tries again after this.
const AGAIN_US: i64 = 700_000;

/// What one operator may book alone.
pub(crate) const ADJUST_ALONE_MAX: i64 = 50_000;

/// Exchange rates that are missing for a while.
struct WorldRates {
    world: Arc<World>,
    rates: FixedRates,
}

impl Rates for WorldRates {
    fn rate(&self, base: Currency, quote: Currency) -> Option<Rate> {
        if base != quote && self.world.has_no_rates() { None } else { self.rates.rate(base, quote) }
    }
}

/// Begins a node's present life.
pub(crate) fn start(world: &Arc<World>, node: usize) {
    let (stop, stopped) = oneshot::channel::<()>();
    let life = {
        let mut nodes = lock(&world.nodes);
        let Some(state) = nodes.get_mut(node) else { return };
        state.up = true;
        state.stop = Some(stop);
        state.life
    };
    world.tell("node starts", [node as u64, life, 0], || format!("node {node}, life {life}"));
    let inside = Arc::clone(world);
    world.timeline.spawn(node, life, async move {
        let platform = loop {
            match build(&inside, node, life).await {
                Ok(platform) => break platform,
                Err(_) => inside.timeline.sleep(AGAIN_US).await,
            }
        };
        if let Some(state) = lock(&inside.nodes).get_mut(node) {
            state.platform = Some(platform.clone());
        }
        platform.run(async move { drop(stopped.await) }).await;
    });
}

async fn build(world: &Arc<World>, node: usize, life: u64) -> Result<Platform, BuildError> {
    let rates = FixedRates::new().with(Currency::Usd, Currency::Idr, 16_000).with(Currency::Rub, Currency::Idr, 190);
    let settings = Settings {
        window_ms: world.shape.window_ms,
        audit_every_ms: world.shape.audit_every_ms,
        adjust_alone_max_minor: ADJUST_ALONE_MAX,
        ..Settings::default()
    };
    let clock = NodeClock { timeline: Arc::clone(&world.timeline), skew: world.shape.skews[node] };
    let mut builder = Platform::builder()
        .store(Arc::new(NodeStore { world: Arc::clone(world), node, life }))
        .clock(Arc::new(clock))
        .entropy(Arc::new(Seeded::new(Rng::of(world.seed, &[30, node as u64, life]))))
        .keyring(world.keyring.clone())
        .rates(Arc::new(WorldRates { world: Arc::clone(world), rates }))
        .settings(settings);
    for shop in 0..SHOPS {
        let supplier: Arc<dyn Supplier> = Arc::new(NodeSupplier { world: Arc::clone(world), node, life, shop });
        builder = builder.supplier(supplier);
    }
    builder.build().await
}

/// What a plan does to a node.
pub(crate) fn suffer(world: &Arc<World>, node: usize, blow: Blow) {
    match blow {
        Blow::Pause { for_ms } => {
            world.tell("pause", [node as u64, for_ms.unsigned_abs(), 0], || format!("node {node} for {for_ms} ms"));
            world.timeline.pause(node, for_ms * 1_000);
        }
        Blow::Crash { down_ms } => {
            if down(world, node) {
                if lock(&world.watch).open_orders() > 0 {
                    world.hit("O2");
                }
                world.tell("crash", [node as u64, down_ms.unsigned_abs(), 0], || {
                    format!("node {node} for {down_ms} ms")
                });
                up_later(world, node, down_ms);
            }
        }
    }
}

/// Stops a node as it should be; it comes back.
pub(crate) fn restart(world: &Arc<World>, node: usize, down_ms: i64) {
    let life = {
        let mut nodes = lock(&world.nodes);
        let Some(state) = nodes.get_mut(node).filter(|it| it.up && it.platform.is_some()) else { return };
        drop(state.stop.take());
        state.life
    };
    world.hit("node: stop and start");
    world.tell("stop", [node as u64, 0, 0], || format!("node {node}"));
    let later = Arc::clone(world);
    // as long as a stop may take, and some more; whoever has not stopped by then is killed
    world.timeline.after(31_000_000, move || {
        if later.lives(node, life) && down(&later, node) {
            up_later(&later, node, down_ms);
        }
    });
}

/// Ends a node's life; whether it had one.
fn down(world: &Arc<World>, node: usize) -> bool {
    let platform = {
        let mut nodes = lock(&world.nodes);
        let Some(state) = nodes.get_mut(node).filter(|it| it.up) else { return false };
        state.up = false;
        state.life += 1;
        drop(state.stop.take());
        state.platform.take()
    };
    drop(platform);
    world.timeline.crash(node);
    true
}

fn up_later(world: &Arc<World>, node: usize, down_ms: i64) {
    let later = Arc::clone(world);
    world.timeline.after(down_ms * 1_000, move || start(&later, node));
}
