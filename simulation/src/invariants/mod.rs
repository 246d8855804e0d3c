//! What must hold after every commit that took effect, whoever made it: the invariants of the journeys (section 6) on a
//! shadow of the books that is kept from the ChangeSets alone.

mod calls;
mod commit;
mod deletion;
mod full;
mod operators;
mod orders;
mod supplies;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smscode_core::account::AccountId;
use smscode_core::money::Currency;
use smscode_core::order::OrderId;
use smscode_core::order::decide::State;
use smscode_core::port::BuyRequest;
use smscode_core::store::{ChangeSet, House, Key, OperationId, Owner, Receipt, TransferKind};
use smscode_core::time::Timestamp;

use crate::plan::Shape;
use crate::world::{World, lock};

pub(crate) use full::full_check;
use operators::Booked;
use supplies::{Costs, Supply};
pub(crate) use views::seen;

/// A node's life: nobody else may send what it has committed.
pub(crate) type Caller = (usize, u64);
/// Supplier, country and service.
type Lane = (Caller, String, u16, String);

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule is broken, in a sentence, with the order if there is one.
    pub what: String,
    /// When, in microseconds of virtual time.
    pub at_us: i64,
    /// Whose ledger tells more.
    pub(crate) account: Option<AccountId>,
}

/// An account's money as the transfers make it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Purse {
    available: i64,
    held: i64,
    debt: i64,
    /// What its open holds add up to.
    open_holds: i64,
    transfers: u64,
    events: u64,
}

/// An order as the commits make it.
#[derive(Clone, Debug)]
struct Life {
    owner: Owner,
    state: State,
    supplier: String,
    country: u16,
    service: String,
    attempt: u32,
    price: i64,
    closed: Option<TransferKind>,
    revision: u64,
    placed_by: Caller,
    /// At which node it was changed, beside the one that placed it.
    elsewhere: bool,
    activation: Option<(usize, u64)>,
    steps: usize,
    awaited_more: bool,
    undecided: bool,
    /// A cancel was asked for as soon as the supplier takes one.
    scheduled: bool,
    /// It was told that its account is deleted.
    without_reader: bool,
    /// By the clock of the node that set it.
    expires_at: Option<Timestamp>,
    ended_us: Option<i64>,
}

/// Purchases that one life of a node may send, and what came of those that it has sent.
#[derive(Clone, Debug, Default)]
struct Calls {
    unsent: u32,
    rejected: u32,
    accepted: Vec<u64>,
}

/// The shadow of the books.
pub(crate) struct Watch {
    pub(crate) violation: Option<Violation>,
    window_ms: i64,
    purses: BTreeMap<Owner, Purse>,
    houses: BTreeMap<(House, Currency), i128>,
    orders: BTreeMap<OrderId, Life>,
    open: BTreeSet<OrderId>,
    claims: BTreeMap<Key, Vec<OrderId>>,
    attached: BTreeMap<(usize, u64), OrderId>,
    /// The supplier's side of every purchase.
    supplies: BTreeMap<Key, Supply>,
    /// Of these, what is to be told or booked, by supplier.
    unsettled_supply: BTreeMap<Key, String>,
    booked_costs: Costs,
    /// Deleted accounts, and since when.
    gone: BTreeMap<Owner, i64>,
    /// Of these, those whose orders were not all told yet.
    unswept: BTreeSet<Owner>,
    /// Orders whose money was forfeited after their release.
    forfeited: BTreeSet<OrderId>,
    booked: Booked,
    /// `Calling` commits that their node has not heard of yet.
    unheard: BTreeMap<OperationId, Vec<(String, u16, String)>>,
    calls: BTreeMap<Lane, Calls>,
    references: BTreeSet<String>,
    /// Which order a customer was shown with this number last.
    phones: BTreeMap<String, OrderId>,
    /// Events of each order so far.
    sequences: BTreeMap<OrderId, u64>,
    /// When an account's money was held last.
    held_us: BTreeMap<Owner, i64>,
    pub(crate) commits: u64,
}

/// What a commit was about, for whoever lets things happen at such moments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Orders that may be bought now.
    pub(crate) callings: u32,
}

impl Watch {
    pub(crate) fn new(shape: &Shape) -> Self {
        Self {
            violation: None,
            window_ms: shape.window_ms,
            purses: BTreeMap::new(),
            houses: BTreeMap::new(),
            orders: BTreeMap::new(),
            open: BTreeSet::new(),
            claims: BTreeMap::new(),
            attached: BTreeMap::new(),
            supplies: BTreeMap::new(),
            unsettled_supply: BTreeMap::new(),
            booked_costs: Costs::new(),
            gone: BTreeMap::new(),
            unswept: BTreeSet::new(),
            forfeited: BTreeSet::new(),
            booked: Booked::default(),
            unheard: BTreeMap::new(),
            calls: BTreeMap::new(),
            references: BTreeSet::new(),
            phones: BTreeMap::new(),
            sequences: BTreeMap::new(),
            held_us: BTreeMap::new(),
            commits: 0,
        }
    }

    fn fail(&mut self, at_us: i64, owner: Option<Owner>, what: String) {
        let account = owner.map(|owner| AccountId::from_bytes(owner.0));
        self.violation.get_or_insert(Violation { what, at_us, account });
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.open.len()
    }

    /// Orders that were placed.
    pub(crate) fn placed(&self) -> u64 {
        self.orders.len() as u64
    }

    /// Orders that are still open, with their state.
    pub(crate) fn still_open(&self) -> Vec<(OrderId, State)> {
        self.open.iter().filter_map(|id| Some((*id, self.orders.get(id)?.state))).collect()
    }

    /// Purchases of which a supplier is still to be told, by supplier.
    pub(crate) fn to_be_told(&self) -> impl Iterator<Item = &str> {
        self.unsettled_supply.values().map(String::as_str)
    }

    /// An order of another account.
    pub(crate) fn somebody_elses(&self, account: AccountId) -> Option<OrderId> {
        let owner = Owner(account.bytes());
        self.orders.iter().rev().find(|(_, life)| life.owner != owner).map(|(id, _)| *id)
    }

    /// The activation that an order has or had.
    pub(crate) fn activation(&self, id: OrderId) -> Option<(usize, u64)> {
        self.orders.get(&id).and_then(|life| life.activation)
    }

    /// Whether an account's money was held within the last second.
    pub(crate) fn held_lately(&self, account: AccountId, now_us: i64) -> bool {
        self.held_us.get(&Owner(account.bytes())).is_some_and(|at| now_us - at < 1_000_000)
    }

    /// A customer has seen something that is wrong.
    pub(crate) fn tells(&mut self, at_us: i64, account: AccountId, what: String) {
        self.fail(at_us, Some(Owner(account.bytes())), what);
    }

    /// The run does not come to its end.
    pub(crate) fn stuck(&mut self, at_us: i64, what: String) {
        let owner = self.open.first().and_then(|id| self.orders.get(id)).map(|life| life.owner);
        self.fail(at_us, owner, what);
    }

    fn shop_of(supplier: &str) -> usize {
        ["alpha", "beta", "gamma"].iter().position(|name| *name == supplier).unwrap_or(0)
    }
}

/// A commit has taken effect.
pub(crate) fn committed(world: &Arc<World>, caller: Caller, change_set: &ChangeSet, receipt: &Receipt) -> Seen {
    let mut watch = lock(&world.watch);
    watch.commits += 1;
    commit::commit(&mut watch, world, caller, change_set, receipt)
}

/// The first byte of a purchase leaves a node.
pub(crate) fn sent(world: &Arc<World>, caller: Caller, shop: usize, request: &BuyRequest) {
    let now = world.timeline.now_us();
    lock(&world.watch).sent(now, caller, shop, request);
}
