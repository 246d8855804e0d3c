//! Suppliers that say by themselves that an SMS came: twice, late, never, to whichever node hears it; and others who say so.

use std::sync::Arc;

use smscode_core::port::ActivationId;

use crate::plan::Forgery;
use crate::world::{World, lock};

/// From a supplier to a node, in microseconds.
const WAY_US: i64 = 150_000;
/// A push that is late is so late at most.
const LATE_US: i64 = 40_000_000;
/// Names in a flood: more than a node keeps of one supplier.
const FLOOD: u32 = 1_050;

/// A supplier has got an SMS for a number. What it says is nothing but the name of its activation, since nothing else of a
/// push is used.
pub(crate) fn after_sms(world: &Arc<World>, shop: usize, id: u64) {
    if !world.shape.pushes[shop] || world.toss(80) {
        return;
    }
    let late = world.toss(150);
    let way_us = world.about(if late { LATE_US } else { WAY_US });
    say(world, shop, id, way_us, if late { "U17 late" } else { "U17" });
    if world.toss(250) {
        say(world, shop, id, world.about(WAY_US), "U17 twice");
    }
}

fn say(world: &Arc<World>, shop: usize, id: u64, after_us: i64, row: &'static str) {
    let later = Arc::clone(world);
    world.timeline.after(after_us, move || {
        let node = usize::from(later.toss(500)) % later.shape.nodes.max(1);
        if hint(&later, shop, node, Some(ActivationId(id.to_string()))) {
            later.hit(row);
        }
    });
}

/// A push that nobody meant.
pub(crate) fn forged(world: &Arc<World>, shop: usize, node: usize, what: Forgery) {
    let named = |id: u64| Some(ActivationId(id.to_string()));
    let heard = match what {
        Forgery::Unknown => hint(world, shop, node, named(7)),
        Forgery::Nameless => hint(world, shop, node, None),
        Forgery::Open => {
            let open = lock(&world.shops[shop]).model.sold().filter(|it| it.stage.is_open()).last().map(|it| it.id);
            open.is_some_and(|id| hint(world, shop, node, named(id)))
        }
        Forgery::Flood => (0..FLOOD).all(|n| hint(world, shop, node, named(u64::from(n)))),
    };
    world.tell("push", [shop as u64, node as u64, what as u64], || format!("forged at node {node}: {what:?}"));
    if heard {
        world.hit("U17 forged");
    }
}

/// Whether a node has heard it.
fn hint(world: &Arc<World>, shop: usize, node: usize, activation: Option<ActivationId>) -> bool {
    let platform = lock(&world.nodes).get(node).and_then(|state| state.platform.clone());
    let name = lock(&world.shops[shop]).info.name.clone();
    platform.is_some_and(|platform| platform.supplier_hint(&name, activation.as_ref()))
}
