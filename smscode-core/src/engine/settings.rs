//! What an operator can set, with defaults from the journeys.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{PriceRule, ServiceEntry};
use crate::money::Currency;
use crate::routing::BreakerRule;

/// Settings of a platform.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ledger's currency.
    pub currency: Currency,
    /// How prices are made.
    pub price_rule: PriceRule,
    /// Services beside the market's.
    pub extra_services: Vec<ServiceEntry>,
    /// Codes of services that are not sold, beside the blocked categories.
    pub blocked_services: BTreeSet<String>,
    /// Codes of services that are sold although their category is blocked.
    pub allowed_services: BTreeSet<String>,
    /// Caps per account.
    pub caps: Caps,
    /// A supplier's paid call may take this long, in ms.
    pub call_limit_ms: i64,
    /// The caller's answer is due after this, in ms.
    pub answer_due_ms: i64,
    /// A next supplier is tried only while this much of `answer_due_ms` remains, in ms.
    pub next_supplier_ms: i64,
    /// Suppliers tried for one order.
    pub suppliers_max: u32,
    /// Time between polls in the first minute of an order, in ms.
    pub poll_first_ms: i64,
    /// After the first minute, in ms.
    pub poll_then_ms: i64,
    /// After five minutes, in ms.
    pub poll_late_ms: i64,
    /// The last check begins this long before the window's end, in ms.
    pub last_check_before_ms: i64,
    /// The last check may take this long, in ms.
    pub last_check_limit_ms: i64,
    /// A last check that fails is repeated for this long after the window's end, in ms.
    pub last_check_grace_ms: i64,
    /// An order does not end by itself sooner than this after its last SMS, in ms.
    pub linger_ms: i64,
    /// Pause between two requests for another SMS, in ms.
    pub resend_pause_ms: i64,
    /// An order's window never exceeds this, in ms.
    pub window_ms: i64,
    /// Time between two refreshes of the offers, in ms.
    pub offers_every_ms: i64,
    /// Orders whose purchase never became clear are given up this long after their window, in ms.
    pub unclear_grace_ms: i64,
    /// When a supplier gets no purchases for a while.
    pub breaker: BreakerRule,
    /// Time between two reads of our balance at a supplier, in ms.
    pub balance_every_ms: i64,
    /// Below this our balance at a supplier is low: by its name, in the smallest unit of its currency. One that is not named
    /// is low when it is below what was spent there in the last hour.
    pub low_balances: BTreeMap<String, i64>,
    /// What one operator may book alone by an adjustment, in minor units of the ledger's currency; above it a second one
    /// must agree.
    pub adjust_alone_max_minor: i64,
    /// Time between two audits of the books, in ms; 0 for none but those asked for.
    pub audit_every_ms: i64,
    /// Time between two comparisons of a supplier's history and balance with our books, in ms; 0 for none but those asked
    /// for.
    pub reconcile_every_ms: i64,
    /// How many days back a supplier's history is compared: 1 to 28. What a supplier takes back later than that shows in the
    /// balance alone.
    pub reconcile_days: i64,
    /// Several nodes on one store: another node takes over the background work of one that has died after this, in ms.
    pub lease_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currency: Currency::Idr,
            price_rule: PriceRule::default(),
            extra_services: Vec::new(),
            blocked_services: BTreeSet::new(),
            allowed_services: BTreeSet::new(),
            caps: Caps::default(),
            call_limit_ms: 30_000,
            answer_due_ms: 20_000,
            next_supplier_ms: 8_000,
            suppliers_max: 3,
            poll_first_ms: 3_000,
            poll_then_ms: 5_000,
            poll_late_ms: 10_000,
            last_check_before_ms: 5_000,
            last_check_limit_ms: 10_000,
            last_check_grace_ms: 60_000,
            linger_ms: 15_000,
            resend_pause_ms: 30_000,
            window_ms: 20 * 60_000,
            offers_every_ms: 60_000,
            unclear_grace_ms: 120_000,
            breaker: BreakerRule::default(),
            balance_every_ms: 300_000,
            low_balances: BTreeMap::new(),
            adjust_alone_max_minor: 500_000,
            audit_every_ms: 86_400_000,
            reconcile_every_ms: 86_400_000,
            reconcile_days: 3,
            lease_ms: 30_000,
        }
    }
}

/// Caps per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Orders open at once.
    pub open_orders: i64,
    /// Cancels on one UTC day.
    pub cancels_a_day: i64,
}

impl Default for Caps {
    fn default() -> Self {
        Self { open_orders: 1_000, cancels_a_day: 1_000 }
    }
}
