//! The items of a plan that have a time of their own, and what they do to the world.

use std::sync::Arc;

use crate::node;
use crate::plan::{Item, When};
use crate::push;
use crate::run::DEAD_US;
use crate::shop::Away;
use crate::world::{Blow, World, lock};
use crate::{customer, leaving, operator};

/// A supplier that is not sold out has so many numbers of each pair.
const STOCK: u32 = 1_000;

/// Lets an item happen at its time. What waits for a call, a sale, a commit or a moment of a purchase is found there.
pub(crate) fn schedule(world: &Arc<World>, at: usize, item: &Item) {
    let ms = match item {
        Item::Visit(visit) => {
            let visit = visit.clone();
            return customer::begin(world, |world| customer::visit(world, at, visit));
        }
        Item::Deposit(deposit) => {
            let deposit = deposit.clone();
            return customer::begin(world, |world| customer::deposit(world, at, deposit));
        }
        Item::Delete(delete) => {
            let delete = delete.clone();
            return customer::begin(world, |world| leaving::delete(world, at, delete));
        }
        Item::Adjust(adjustment) => {
            let adjustment = adjustment.clone();
            return customer::begin(world, |world| operator::adjust(world, at, adjustment));
        }
        Item::Clawback { shop, at_ms, minor, reference } => {
            let (shop, at_ms, minor, reference) = (*shop, *at_ms, *minor, *reference);
            return customer::begin(world, |world| operator::clawback(world, at, at_ms, (shop, minor, reference)));
        }
        Item::WindDown { at_ms, for_ms } => {
            let (at_ms, for_ms) = (*at_ms, *for_ms);
            return customer::begin(world, |world| operator::wind_down(world, at, at_ms, for_ms));
        }
        Item::Outage { from_ms, .. } => *from_ms,
        Item::Crash { when: When::At(ms), .. } | Item::Pause { when: When::At(ms), .. } => *ms,
        Item::Reprice { at_ms, .. }
        | Item::SoldOut { at_ms, .. }
        | Item::Restart { at_ms, .. }
        | Item::NoRates { at_ms, .. }
        | Item::Forged { at_ms, .. }
        | Item::Stall { at_ms, .. } => *at_ms,
        Item::Call { .. }
        | Item::Sms { .. }
        | Item::Ends { .. }
        | Item::Commit { .. }
        | Item::Read { .. }
        | Item::Crash { .. }
        | Item::Pause { .. } => return,
    };
    let (later, item) = (Arc::clone(world), item.clone());
    world.timeline.after(ms.saturating_mul(1_000), move || {
        later.used(at);
        happen(&later, &item);
    });
}

fn happen(world: &Arc<World>, item: &Item) {
    let now = world.timeline.now_us();
    match *item {
        Item::Outage { shop, for_ms, hangs, .. } => {
            let for_us = for_ms.saturating_mul(1_000);
            lock(&world.shops[shop]).away = Some(Away { until_us: now.saturating_add(for_us), hangs });
            world.hit(match (for_us > DEAD_US, hangs) {
                (true, _) => "shop: dies for good",
                (_, true) => "shop: away, hangs",
                _ => "shop: away, refuses",
            });
            let say = || format!("supplier {shop} for {} s", for_ms / 1_000);
            world.tell("outage", [shop as u64, u64::from(hangs), 0], say);
        }
        Item::Reprice { shop, percent, .. } => {
            lock(&world.shops[shop]).reprice(percent);
            if lock(&world.watch).open_orders() > 0 {
                world.hit("U28");
            }
            let say = || format!("supplier {shop}: {percent} %");
            world.tell("prices", [shop as u64, percent.unsigned_abs(), 0], say);
        }
        Item::SoldOut { shop, for_ms, .. } => {
            lock(&world.shops[shop]).stock(0);
            let say = || format!("supplier {shop} for {} s", for_ms / 1_000);
            world.tell("sold out", [shop as u64, 0, 0], say);
            let again = Arc::clone(world);
            world.timeline.after(for_ms * 1_000, move || lock(&again.shops[shop]).stock(STOCK));
        }
        Item::Crash { node, down_ms, .. } => {
            world.hit("node: crash");
            node::suffer(world, node, Blow::Crash { down_ms });
        }
        Item::Pause { node, for_ms, .. } => {
            world.hit("node: pause");
            node::suffer(world, node, Blow::Pause { for_ms });
        }
        Item::Restart { node, down_ms, .. } => node::restart(world, node, down_ms),
        Item::Stall { for_ms, .. } => {
            world.hit("store: stall");
            lock(&world.stored).stalled_until_us = now + for_ms * 1_000;
            world.tell("stall", [for_ms.unsigned_abs(), 0, 0], || format!("the store for {for_ms} ms"));
        }
        Item::NoRates { for_ms, .. } => {
            *lock(&world.no_rates_until_us) = now + for_ms * 1_000;
            world.tell("no rates", [for_ms.unsigned_abs(), 0, 0], || format!("for {} s", for_ms / 1_000));
        }
        Item::Forged { shop, node, what, .. } => push::forged(world, shop, node, what),
        Item::Visit(_)
        | Item::Deposit(_)
        | Item::Delete(_)
        | Item::Adjust(_)
        | Item::Clawback { .. }
        | Item::WindDown { .. }
        | Item::Call { .. }
        | Item::Sms { .. }
        | Item::Ends { .. }
        | Item::Commit { .. }
        | Item::Read { .. } => {}
    }
}
