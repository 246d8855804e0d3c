//! One ChangeSet into the shadow: money first, then records and events, then what they must agree on.

use std::collections::BTreeSet;
use std::sync::Arc;

use smscode_core::account::AccountId;
use smscode_core::account::record::ACCOUNT;
use smscode_core::order::OrderId;
use smscode_core::order::decide::State;
use smscode_core::order::record::{CLAIM, ClaimRecord, EventRecord, ORDER, OrderRecord, read_order_key};
use smscode_core::order::supply::{SUPPLY, SupplyRecord, SupplyState};
use smscode_core::store::{
    Body, Bucket, ChangeSet, Entry, Key, Owner, Place, Post, Receipt, Resolved, Term, TransferKind,
};

use super::{Caller, Seen, Watch};
use crate::shop::MARK;
use crate::world::World;

/// A record that a ChangeSet writes.
pub(super) struct Written {
    pub(super) owner: Owner,
    pub(super) id: OrderId,
    pub(super) record: OrderRecord,
    pub(super) terms: Vec<Term>,
    /// The activation that the same ChangeSet takes for it.
    pub(super) takes: Option<(usize, u64)>,
    pub(super) at_us: i64,
}

pub(super) fn commit(
    watch: &mut Watch,
    world: &Arc<World>,
    caller: Caller,
    change_set: &ChangeSet,
    receipt: &Receipt,
) -> Seen {
    let now = world.timeline.now_us();
    watch.begin_deletion(change_set);
    let touched = watch.money_and_events(world, change_set, receipt);
    watch.delete(world, change_set);
    let mut seen = Seen::default();
    let mut callings = Vec::new();
    for entry in &change_set.entries {
        match entry {
            Entry::Put { key, body, terms, .. } => {
                watch.no_clear_content(now, key, body);
                if key.kind == SUPPLY {
                    watch.supply(now, key, body);
                } else if key.kind == ACCOUNT {
                    watch.account(now, key, body);
                } else if watch.operators_record(world, key, body) {
                } else if key.kind == CLAIM
                    && let Ok(claim) = serde_json::from_slice::<ClaimRecord>(body.as_bytes())
                {
                    watch.claim(now, key, claim);
                } else if key.kind == ORDER
                    && let Some((account, id)) = read_order_key(key)
                    && let Ok(record) = serde_json::from_slice::<OrderRecord>(body.as_bytes())
                {
                    let owner = Owner(account.bytes());
                    let takes = taken(change_set);
                    let written = Written { owner, id, record, terms: terms.clone(), takes, at_us: now };
                    if let Some(call) = watch.order(world, caller, written, change_set.time) {
                        seen.callings += 1;
                        callings.push(call);
                    }
                }
            }
            Entry::Delete { .. }
            | Entry::DeleteOwned { .. }
            | Entry::Ensure { .. }
            | Entry::Count { .. }
            | Entry::Post(_)
            | Entry::Append { .. } => {}
        }
    }
    for entry in &change_set.entries {
        if let Entry::Delete { key, .. } = entry
            && key.kind == CLAIM
        {
            watch.claim_goes(now, key);
        }
    }
    if !callings.is_empty() {
        watch.unheard.insert(change_set.operation, callings);
    }
    for owner in touched {
        watch.purse(now, owner);
    }
    seen
}

/// The activation that a ChangeSet takes for an order: the supplier's side, opened with it.
fn taken(change_set: &ChangeSet) -> Option<(usize, u64)> {
    change_set.entries.iter().find_map(|entry| {
        let Entry::Put { key, body, .. } = entry else { return None };
        let record: SupplyRecord = (key.kind == SUPPLY).then(|| serde_json::from_slice(body.as_bytes()).ok())??;
        let id = record.activation.parse().ok()?;
        (record.state == SupplyState::Open).then_some((Watch::shop_of(&record.supplier), id))
    })
}

impl Watch {
    /// Money and events in the order of the entries; the accounts whose money moved.
    fn money_and_events(&mut self, world: &World, change_set: &ChangeSet, receipt: &Receipt) -> BTreeSet<Owner> {
        let now = world.timeline.now_us();
        let mut touched = BTreeSet::new();
        let mut posts = receipt.transfers.iter();
        let mut numbers = receipt.events.iter();
        for entry in &change_set.entries {
            match entry {
                Entry::Post(post) => {
                    if let Some(resolved) = posts.next() {
                        self.post(now, post, *resolved, &mut touched);
                    }
                }
                Entry::Append { owner, body } => {
                    self.event(world, now, *owner, body, numbers.next().copied().unwrap_or(0))
                }
                Entry::Put { .. }
                | Entry::Delete { .. }
                | Entry::DeleteOwned { .. }
                | Entry::Ensure { .. }
                | Entry::Count { .. } => {}
            }
        }
        touched
    }

    fn post(&mut self, now: i64, post: &Post, resolved: Resolved, touched: &mut BTreeSet<Owner>) {
        self.operators_post(now, post);
        self.supplier_post(post, resolved.moved);
        let mut add = |place: &Place, amount: i64| match place {
            Place::Customer(owner, bucket) => {
                touched.insert(*owner);
                let purse = self.purses.entry(*owner).or_default();
                match bucket {
                    Bucket::Available => purse.available += amount,
                    Bucket::Held => purse.held += amount,
                    Bucket::Debt => purse.debt += amount,
                }
            }
            Place::House(house) => {
                *self.houses.entry((house.clone(), post.currency)).or_insert(0) += i128::from(amount);
            }
        };
        add(&post.debit, -resolved.moved);
        add(&post.credit, resolved.moved + resolved.rest);
        if let smscode_core::store::Amount::UpTo(_, rest) = &post.amount {
            add(rest, -resolved.rest);
        }
        let owner = [&post.debit, &post.credit].into_iter().find_map(|place| match place {
            Place::Customer(owner, _) => Some(*owner),
            Place::House(_) => None,
        });
        if let Some(owner) = owner {
            let purse = self.purses.entry(owner).or_default();
            purse.transfers += 1;
            if resolved.number != purse.transfers {
                let what =
                    format!("an account's transfer has number {} after {}", resolved.number, purse.transfers - 1);
                self.fail(now, Some(owner), what);
            }
        }
        let order = post.subject.strip_prefix("order:").and_then(|id| id.parse().ok()).map(OrderId);
        if let (Some(id), Some(owner)) = (order, owner) {
            self.order_money(now, owner, id, post.kind, resolved.moved);
        }
        if let Some(owner) = owner {
            self.money_of_gone(now, owner, post, order, resolved.moved);
        }
    }

    /// Holds and closings of orders: one hold, one closing, of the same amount.
    fn order_money(&mut self, now: i64, owner: Owner, id: OrderId, kind: TransferKind, amount: i64) {
        let by = match kind {
            TransferKind::Hold => amount,
            TransferKind::Capture | TransferKind::Release => -amount,
            _ => return,
        };
        self.purses.entry(owner).or_default().open_holds += by;
        if kind == TransferKind::Hold {
            if self.orders.contains_key(&id) {
                self.fail(now, Some(owner), format!("{id:?} is held twice"));
            }
            self.held_us.insert(owner, now);
            // the record follows in the same ChangeSet
            return;
        }
        let Some(life) = self.orders.get_mut(&id) else {
            return self.fail(now, Some(owner), format!("{id:?} is closed and was never held"));
        };
        let fine = life.closed.is_none() && life.price == amount && life.owner == owner;
        life.closed.get_or_insert(kind);
        if !fine {
            self.fail(now, Some(owner), format!("{id:?}: {} of {amount} closes it again or wrongly", kind.word()));
        }
    }

    fn event(&mut self, world: &World, now: i64, owner: Owner, body: &Body, number: u64) {
        let purse = self.purses.entry(owner).or_default();
        purse.events += 1;
        if number != purse.events {
            let what = format!("an account's event has number {number} after {}", purse.events - 1);
            self.fail(now, Some(owner), what);
        }
        let Ok(event) = serde_json::from_slice::<EventRecord>(body.as_bytes()) else { return };
        let last = self.sequences.entry(event.order).or_insert(0);
        *last += 1;
        if event.sequence != *last {
            let what = format!("{:?}: event {} after {}", event.order, event.sequence, *last - 1);
            self.fail(now, Some(owner), what);
        }
        if event.name == "order.late_sms" {
            world.hit("U12");
        }
        world.tell("event", [u64::from(event.order.0), event.sequence, number], || {
            format!("order {}: {}", event.order.0, event.name)
        });
    }

    fn claim(&mut self, now: i64, key: &Key, claim: ClaimRecord) {
        let owner = Some(key.owner);
        let settled = |id: &OrderId| self.orders.get(id).is_some_and(|it| it.state == State::Rejected);
        let taken = self.claims.get(key).is_some_and(|old| *old != claim.orders && !old.iter().all(settled));
        self.claims.insert(key.clone(), claim.orders);
        if taken {
            self.fail(now, owner, "an idempotency key stands for a second set of orders".into());
        }
    }

    fn claim_goes(&mut self, now: i64, key: &Key) {
        let orders = self.claims.remove(key).unwrap_or_default();
        let rejected = |id: &OrderId| self.orders.get(id).is_none_or(|it| it.state == State::Rejected);
        if !orders.iter().all(rejected) {
            self.fail(now, Some(key.owner), "an idempotency key is forgotten although its orders had an effect".into());
        }
    }

    /// No text of an SMS stands anywhere as it is.
    fn no_clear_content(&mut self, now: i64, key: &Key, body: &Body) {
        let mark = MARK.as_bytes();
        if body.as_bytes().windows(mark.len()).any(|part| part == mark) {
            let owner = (!key.owner.is_none()).then_some(key.owner);
            self.fail(now, owner, format!("a record of kind {:?} holds the text of an SMS", key.kind));
        }
    }

    pub(super) fn purse(&mut self, now: i64, owner: Owner) {
        let purse = self.purses.get(&owner).copied().unwrap_or_default();
        if purse.available < 0 || purse.held < 0 || purse.debt > 0 {
            self.fail(now, Some(owner), format!("an account has {purse:?}"));
        }
        if self.gone.contains_key(&owner) && purse.available != 0 {
            let what = format!("a deleted account has {} that was not forfeited", purse.available);
            self.fail(now, Some(owner), what);
        }
        if purse.held != purse.open_holds {
            let what = format!("an account holds {} and its open orders {}", purse.held, purse.open_holds);
            self.fail(now, Some(owner), what);
        }
    }
}

pub(super) fn hex(owner: Owner) -> String {
    AccountId::from_bytes(owner.0).bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
