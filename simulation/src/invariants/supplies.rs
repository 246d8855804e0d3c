//! The supplier's side: records that lead to nobody, each purchase booked once and for what the supplier said it costs, and
//! nothing left open at a supplier that nobody knows of.

use std::collections::BTreeMap;
use std::sync::Arc;

use smscode_core::order::supply::{Booked, SupplyRecord, SupplyState};
use smscode_core::store::{Body, House, Key, Post, TransferKind};
use smscode_providers::sandbox::model::Stage;

use super::Watch;
use super::commit::hex;
use crate::shop::Shop;
use crate::world::{World, lock};

/// A purchase as its record stands.
#[derive(Clone, Debug)]
pub(super) struct Supply {
    shop: usize,
    activation: u64,
    state: SupplyState,
    booked: Option<Booked>,
    /// What it cost; `None` if the supplier did not say so.
    cost: Option<i64>,
    assumed: bool,
    orphan: bool,
}

impl Watch {
    pub(super) fn supply(&mut self, now: i64, key: &Key, body: &Body) {
        let Ok(record) = serde_json::from_slice::<SupplyRecord>(body.as_bytes()) else {
            return self.fail(now, None, "a supplier-side record cannot be read".into());
        };
        if !key.owner.is_none() {
            self.fail(now, Some(key.owner), "a supplier-side record has an owner".into());
        }
        let text = String::from_utf8_lossy(body.as_bytes());
        if self.purses.keys().any(|owner| text.contains(&hex(*owner))) {
            self.fail(now, None, "a supplier-side record names an account".into());
        }
        let before = self.supplies.get(key).and_then(|supply| supply.booked);
        if before.is_some() && before != record.booked {
            self.fail(now, None, format!("a purchase was booked as {before:?} and is {:?} now", record.booked));
        }
        if before.is_none() && matches!(record.booked, Some(Booked::Cost | Booked::Loss)) {
            let cost = i128::from(record.cost_minor.unwrap_or(0));
            *self.booked_costs.entry(record.supplier.clone()).or_insert(0) += cost;
        }
        let told = matches!(record.state, SupplyState::Finishing | SupplyState::Cancelling);
        if told || (record.state.is_over() && record.booked.is_none()) {
            self.unsettled_supply.insert(key.clone(), record.supplier.clone());
        } else {
            self.unsettled_supply.remove(key);
        }
        let Ok(activation) = record.activation.parse() else {
            return self.fail(now, None, "a purchase has a name that no supplier gave".into());
        };
        let supply = Supply {
            shop: Self::shop_of(&record.supplier),
            activation,
            state: record.state,
            booked: record.booked,
            cost: record.cost_minor,
            assumed: record.cost_assumed,
            orphan: record.orphan,
        };
        self.supplies.insert(key.clone(), supply);
    }

    /// A transfer between house accounts of a supplier: what was taken later is counted beside the purchases.
    pub(super) fn supplier_post(&mut self, post: &Post, moved: i64) {
        let supplier = post.subject.strip_prefix("supplier:");
        if let Some(supplier) = supplier.filter(|_| post.kind == TransferKind::Cost && post.actor == "operator") {
            let taken = if post.reason == "taken_later" { moved } else { -moved };
            *self.booked_costs.entry(supplier.to_owned()).or_insert(0) += i128::from(taken);
        }
    }

    /// Activations that were sold and have no record, of one supplier.
    pub(crate) fn unknown_at(&self, shop: &Shop) -> Vec<u64> {
        let known: std::collections::BTreeSet<u64> =
            self.supplies.values().filter(|supply| supply.shop == shop.at).map(|supply| supply.activation).collect();
        shop.sold.keys().copied().filter(|id| !known.contains(id)).collect()
    }

    /// What is wrong with the supplier's side when everything has ended.
    pub(super) fn supplier_side(&self, world: &Arc<World>) -> Option<String> {
        let booked = |shop: &Shop| {
            let float = House::float(&shop.info.name);
            let spent = self.houses.get(&(float, shop.info.currency)).copied().unwrap_or(0);
            let known = self.booked_costs.get(&shop.info.name).copied().unwrap_or(0);
            (spent + known != 0).then(|| format!("{} was paid {} and {known} is booked", shop.info.name, -spent))
        };
        for shop in &world.shops {
            if let Some(wrong) = booked(&lock(shop)) {
                return Some(wrong);
            }
        }
        if let Some((shop, id)) = self.lost(world).first() {
            return Some(format!("activation {id} of supplier {shop} was bought and nobody knows of it"));
        }
        let now = world.timeline.now_us();
        self.supplies.values().find_map(|supply| {
            let mut shop = lock(&world.shops[supply.shop]);
            if shop.is_away(now).is_some() {
                return None;
            }
            let wrong = supply.against(&mut shop, now)?;
            Some(format!("activation {} of {}: {wrong}, {supply:?}", supply.activation, shop.info.name))
        })
    }

    /// What is open at a supplier and known to nobody, or ran out although it was kept open long enough to be found. Left out
    /// is what cannot be known: a supplier that is dead, and one without a list.
    pub(crate) fn lost(&self, world: &World) -> Vec<(usize, u64)> {
        let now = world.timeline.now_us();
        let mut lost = Vec::new();
        for shop in &world.shops {
            let mut shop = lock(shop);
            if shop.is_away(now).is_some() || !shop.info.capabilities.lists_active {
                continue;
            }
            for id in self.unknown_at(&shop) {
                let open = shop.stands(now, id).is_some_and(|(stage, _)| stage.is_open());
                let kept = world.shape.keeps_open && shop.sold.get(&id).is_some_and(|sale| !sale.ended);
                if open || kept {
                    lost.push((shop.at, id));
                }
            }
        }
        lost
    }

    /// What was met of orphans, for the table of coverage.
    pub(crate) fn note_orphans(&self, world: &World) {
        let found = self.supplies.values().filter(|supply| supply.orphan && supply.state == SupplyState::Cancelled);
        for _ in found {
            world.hit("orphan");
        }
    }
}

impl Supply {
    /// What does not agree with the supplier. Left to the comparison of statements, because no answer tells it: what the
    /// supplier gave back by itself (booked as lost), and an SMS that came unseen before its own end (booked as nothing).
    fn against(&self, shop: &mut Shop, now: i64) -> Option<&'static str> {
        let told_cost = shop.sold.get(&self.activation)?.told_cost;
        let (stage, messages) = shop.stands(now, self.activation)?;
        if let (Some(cost), false) = (self.cost, self.assumed)
            && Some(cost) != told_cost
        {
            return Some("booked for another cost than the supplier said");
        }
        match self.state {
            SupplyState::Open => return Some("in use by an order that has ended"),
            SupplyState::Cancelled if stage.is_open() => return Some("cancelled here and open there"),
            SupplyState::Finished if stage.is_open() && shop.info.capabilities.wants_finish => {
                return Some("finished here and open there");
            }
            _ => {}
        }
        match self.booked {
            None if self.state != SupplyState::GivenUp => Some("never booked"),
            Some(Booked::Cost) if messages == 0 => Some("booked as the cost of an SMS that never came"),
            Some(Booked::Nothing) if stage != Stage::Cancelled && messages == 0 => {
                Some("paid there and booked as nothing")
            }
            _ => None,
        }
    }
}

/// What each supplier was paid by what is booked.
pub(super) type Costs = BTreeMap<String, i128>;
