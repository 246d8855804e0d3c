//! Re-adding an account: its transfers, one after another, must lead to what its head says, and each order's hold must be
//! closed once by what the order says of itself. Pure: fed page by page, so that an account of any size fits.

use std::collections::BTreeMap;

use crate::order::OrderId;
use crate::order::decide::State;
use crate::store::{Bucket, Head, House, Place, Transfer, TransferKind};

/// Findings kept of one account: what is wrong shows in the first of them.
pub(crate) const FINDINGS_MAX: usize = 100;
/// Orders of one account that are paired with their transfers; 40 bytes each. Of an account with more the rest is re-added
/// and not paired.
pub(crate) const ORDERS_MAX: usize = 1_000_000;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Which rule, as a stable word.
    pub rule: &'static str,
    /// The order it is about, if it is about one.
    pub order: Option<OrderId>,
    /// The number of the transfer it was seen at, if it was seen at one.
    pub transfer: Option<u64>,
    /// What should be there, in minor units or a count.
    pub expected: i64,
    /// What is there.
    pub found: i64,
}

/// What an order says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) state: State,
    pub(crate) price: i64,
}

impl Said {
    /// The transfer that must have closed its hold; `None` while it may still be open.
    const fn closing(self) -> Option<TransferKind> {
        match self.state {
            State::Received | State::Completed => Some(TransferKind::Capture),
            State::Cancelled | State::Expired | State::Rejected => Some(TransferKind::Release),
            State::Requested | State::Calling | State::Unclear | State::Active | State::Canceling => None,
        }
    }
}

/// What the transfers of an order have done so far.
#[derive(Clone, Copy, Debug)]
struct Paired {
    said: Option<Said>,
    held: Option<i64>,
    closed: Option<TransferKind>,
    forfeited: bool,
}

/// An account that is being re-added.
#[derive(Debug, Default)]
pub(crate) struct Readd {
    head: Head,
    orders: BTreeMap<u32, Paired>,
    /// Orders were not paired because there are too many.
    pub(crate) left_out: bool,
    pub(crate) findings: Vec<Finding>,
    /// How many there were, with those that were not kept.
    pub(crate) found: u64,
    pub(crate) transfers: u64,
}

impl Readd {
    /// Takes what an order says of itself. All orders that exist come before the first transfer.
    pub(crate) fn order(&mut self, id: OrderId, said: Said) {
        if self.orders.len() >= ORDERS_MAX {
            self.left_out = true;
            return;
        }
        self.orders.insert(id.0, Paired { said: Some(said), held: None, closed: None, forfeited: false });
    }

    /// Takes the next transfer.
    pub(crate) fn transfer(&mut self, transfer: &Transfer) {
        self.transfers += 1;
        let Some(entry) = transfer.entry else {
            return self.find("not_on_the_account", None, None, 1, 0);
        };
        let number = self.head.last_transfer + 1;
        let at = Some(entry.number);
        if entry.number != number {
            self.find("number", None, at, signed(number), signed(entry.number));
        }
        self.head.last_transfer = entry.number;
        self.head.currency = self.head.currency.or(Some(transfer.currency));
        if self.head.currency != Some(transfer.currency) {
            self.find("currency", None, at, 0, 0);
        }
        let (rest, moved) = match &transfer.rest {
            Some((place, rest)) => (Some((place, *rest)), transfer.amount - rest),
            None => (None, transfer.amount),
        };
        self.shift(&transfer.debit, -moved);
        if let Some((place, rest)) = rest {
            self.shift(place, -rest);
        }
        self.shift(&transfer.credit, transfer.amount);
        for (rule, expected, found) in [
            ("available_after", self.head.available, entry.available),
            ("held_after", self.head.held, entry.held),
            ("debt_after", self.head.debt, entry.debt),
        ] {
            if expected != found {
                self.find(rule, None, at, expected, found);
            }
        }
        if !moves_as_its_kind(transfer) {
            self.find("places_of_its_kind", order_of(transfer), at, 0, transfer.amount);
        }
        // what is told after it counts on from what the store says, so that one mistake is found once
        (self.head.available, self.head.held, self.head.debt) = (entry.available, entry.held, entry.debt);
        if let Some(order) = order_of(transfer) {
            self.pair(order, transfer, at);
        }
    }

    fn pair(&mut self, order: OrderId, transfer: &Transfer, at: Option<u64>) {
        if self.orders.len() >= ORDERS_MAX && !self.orders.contains_key(&order.0) {
            self.left_out = true;
            return;
        }
        // an order that is placed while this goes on is paired by its transfers alone
        let paired =
            self.orders.entry(order.0).or_insert(Paired { said: None, held: None, closed: None, forfeited: false });
        let before = *paired;
        match transfer.kind {
            TransferKind::Hold => paired.held = Some(transfer.amount),
            TransferKind::Capture | TransferKind::Release => paired.closed = Some(transfer.kind),
            TransferKind::Forfeit => paired.forfeited = true,
            TransferKind::Deposit | TransferKind::Reverse | TransferKind::Adjust | TransferKind::Cost => {}
        }
        let amount = transfer.amount;
        let mut wrong = |rule, expected, found| self.find(rule, Some(order), at, expected, found);
        match transfer.kind {
            TransferKind::Hold => {
                if before.held.is_some() {
                    wrong("held_twice", 1, 2);
                }
                if let Some(said) = before.said.filter(|said| said.price != amount) {
                    wrong("hold_is_the_price", said.price, amount);
                }
            }
            TransferKind::Capture | TransferKind::Release => {
                match before.held {
                    None => wrong("closed_without_a_hold", 1, 0),
                    Some(held) if held != amount => wrong("closed_as_held", held, amount),
                    Some(_) => {}
                }
                if before.closed.is_some() {
                    wrong("closed_twice", 1, 2);
                }
                let said = before.said.and_then(Said::closing);
                if said.is_some_and(|said| said != transfer.kind) {
                    wrong("closed_as_the_order_says", 0, amount);
                }
            }
            TransferKind::Forfeit => {
                let released = before.closed == Some(TransferKind::Release) && before.held == Some(amount);
                if !released || before.forfeited {
                    wrong("forfeited_as_released", before.held.unwrap_or(0), amount);
                }
            }
            TransferKind::Deposit | TransferKind::Reverse | TransferKind::Adjust | TransferKind::Cost => {
                wrong("kind_of_an_order", 0, amount);
            }
        }
    }

    /// Compares with the head, and with the orders that were open at the head's moment. `open` are their prices.
    pub(crate) fn end(&mut self, head: Head, open: &BTreeMap<u32, i64>) {
        let last = Some(head.last_transfer);
        for (rule, expected, found) in [
            ("head_available", self.head.available, head.available),
            ("head_held", self.head.held, head.held),
            ("head_debt", self.head.debt, head.debt),
            ("head_number", signed(self.head.last_transfer), signed(head.last_transfer)),
            ("held_is_what_open_orders_hold", open.values().sum(), head.held),
        ] {
            if expected != found {
                self.find(rule, None, last, expected, found);
            }
        }
        let orders = std::mem::take(&mut self.orders);
        for (id, paired) in &orders {
            let id = Some(OrderId(*id));
            let holds = paired.held.is_some() && paired.closed.is_none();
            let is_open = id.and_then(|id| open.get(&id.0));
            match (paired.held, is_open) {
                // placed before this began, so its hold is among the transfers
                (None, _) if paired.said.is_some() => self.find("an_order_has_a_hold", id, None, 1, 0),
                (Some(held), None) if holds => self.find("a_hold_belongs_to_an_open_order", id, None, 0, held),
                (Some(_), Some(price)) if !holds => self.find("an_open_order_holds", id, None, *price, 0),
                _ => {}
            }
            if let Some(closing) = paired.said.and_then(Said::closing)
                && paired.closed.is_none()
            {
                let by = i64::from(closing == TransferKind::Capture);
                self.find("an_ended_order_is_closed", id, None, by, 0);
            }
        }
    }

    fn shift(&mut self, place: &Place, by: i64) {
        if let Place::Customer(_, bucket) = place {
            let value = self.head.bucket_mut(*bucket);
            *value = value.saturating_add(by);
        }
    }

    fn find(&mut self, rule: &'static str, order: Option<OrderId>, transfer: Option<u64>, expected: i64, found: i64) {
        self.found += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { rule, order, transfer, expected, found });
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The order that a transfer is about.
pub(crate) fn order_of(transfer: &Transfer) -> Option<OrderId> {
    transfer.subject.strip_prefix("order:")?.parse().ok().map(OrderId)
}

/// Whether a transfer goes from where to where its kind says.
pub(crate) fn moves_as_its_kind(transfer: &Transfer) -> bool {
    use Bucket::{Available, Debt, Held};
    let customer = |place: &Place, wanted: Bucket| matches!(place, Place::Customer(_, bucket) if *bucket == wanted);
    let house = |place: &Place, wanted: &House| matches!(place, Place::House(house) if house == wanted);
    let (debit, credit) = (&transfer.debit, &transfer.credit);
    match transfer.kind {
        TransferKind::Hold => customer(debit, Available) && customer(credit, Held),
        TransferKind::Capture => customer(debit, Held) && house(credit, &House::revenue()),
        TransferKind::Release => customer(debit, Held) && customer(credit, Available),
        // what is owed is filled from what came in, and a bonus comes from promotions
        TransferKind::Deposit => {
            (matches!(debit, Place::House(_)) && customer(credit, Available))
                || (customer(debit, Available) && customer(credit, Debt))
        }
        TransferKind::Forfeit => customer(debit, Available) && house(credit, &House::forfeits()),
        TransferKind::Reverse => customer(debit, Available) && matches!(credit, Place::House(_)),
        // between house accounts alone
        TransferKind::Cost => false,
        TransferKind::Adjust => {
            let ours = |place: &Place| house(place, &House::adjustments());
            (ours(debit) && customer(credit, Available)) || (customer(debit, Available) && ours(credit))
        }
    }
}
