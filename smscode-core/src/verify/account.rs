//! The books of one account, added up again.

use std::collections::BTreeMap;

use super::Subject;
use super::finding::Findings;
use super::records::json;
use super::sums::moves;
use crate::account::record::ACCOUNT;
use crate::money::Currency;
use crate::order::decide::State;
use crate::order::record::{EventRecord, OPEN_ORDERS, OrderRecord, read_order_key};
use crate::store::copy::StoredRow;
use crate::store::{Bucket, Event, Head, House, Key, Owner, Place, Record, Transfer, TransferKind};

/// An account in the making. Rows come in the order of their sorts: account, head, orders, counters, transfers, events.
pub(super) struct Books {
    owner: Owner,
    known: bool,
    head: Head,
    orders: BTreeMap<u32, Order>,
    /// The counter of open orders.
    counted: i64,
    /// After the newest transfer.
    available: i128,
    held: i128,
    debt: i128,
    transfers: u64,
    events: u64,
}

/// An order, and what was found of it.
struct Order {
    state: State,
    price_minor: i64,
    currency: Currency,
    /// Events that it says it has had, less those found.
    events_left: i64,
    holds: u32,
    closing: Option<TransferKind>,
}

impl Books {
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            owner,
            known: false,
            head: Head::default(),
            orders: BTreeMap::new(),
            counted: 0,
            available: 0,
            held: 0,
            debt: 0,
            transfers: 0,
            events: 0,
        }
    }

    pub(super) fn add(&mut self, row: &StoredRow, findings: &mut Findings) {
        match row {
            StoredRow::Record(key, _) if key.kind == ACCOUNT => self.known = true,
            StoredRow::Record(key, record) => self.order(key, record),
            StoredRow::Head(_, head) => self.head = *head,
            StoredRow::Counter(counter, value) => {
                if counter.name == OPEN_ORDERS && counter.period.is_empty() {
                    self.counted = *value;
                }
            }
            StoredRow::Transfer(transfer) => self.transfer(transfer, findings),
            StoredRow::Event(event) => self.event(event, findings),
            StoredRow::Operation(..) | StoredRow::Tally { .. } | StoredRow::House(..) => {}
        }
    }

    /// One that cannot be read was told as that; its transfers will have no order.
    fn order(&mut self, key: &Key, record: &Record) {
        let (Some((_, id)), Ok(record)) = (read_order_key(key), record.body.read::<OrderRecord>()) else { return };
        let order = Order {
            state: record.state,
            price_minor: record.price_minor,
            currency: record.currency,
            events_left: i64::try_from(record.sequence).unwrap_or(i64::MAX),
            holds: 0,
            closing: None,
        };
        self.orders.insert(id.0, order);
    }

    fn transfer(&mut self, transfer: &Transfer, findings: &mut Findings) {
        let Some(entry) = transfer.entry else { return };
        let owner = self.owner;
        let at = || Subject::Transfer(owner, entry.number);
        findings.same("transfer_number", at, "the number is", entry.number, self.transfers + 1);
        let currency = self.head.currency.unwrap_or(transfer.currency);
        findings.same("currency", at, "it is in", transfer.currency, currency);
        for (place, by) in moves(transfer) {
            match place {
                Place::Customer(_, Bucket::Available) => self.available += by,
                Place::Customer(_, Bucket::Held) => self.held += by,
                Place::Customer(_, Bucket::Debt) => self.debt += by,
                Place::House(_) => {}
            }
        }
        let after = [
            ("available", &mut self.available, entry.available),
            ("held", &mut self.held, entry.held),
            ("owed", &mut self.debt, entry.debt),
        ];
        for (what, added, said) in after {
            findings.same("balance", at, &format!("{what} after it"), i128::from(said), *added);
            // from what stands there on, so that one wrong line is one finding
            *added = i128::from(said);
        }
        self.transfers = entry.number;
        if matches!(transfer.kind, TransferKind::Hold | TransferKind::Capture | TransferKind::Release) {
            self.of_an_order(transfer, at(), findings);
        }
    }

    /// A hold, capture or release.
    fn of_an_order(&mut self, transfer: &Transfer, at: Subject, findings: &mut Findings) {
        let bucket = |bucket| Place::Customer(self.owner, bucket);
        let (available, held) = (bucket(Bucket::Available), bucket(Bucket::Held));
        let legs = match transfer.kind {
            TransferKind::Hold => (available, held),
            TransferKind::Capture => (held, Place::House(House::revenue())),
            _ => (held, available),
        };
        if (&transfer.debit, &transfer.credit) != (&legs.0, &legs.1) || transfer.rest.is_some() {
            findings.add("legs", at.clone(), format!("a {} between other places", transfer.kind.word()));
        }
        let id: u32 = transfer.subject.strip_prefix("order:").and_then(|id| id.parse().ok()).unwrap_or(0);
        let Some(order) = self.orders.get_mut(&id) else {
            findings.add("no_order", at, format!("a {} of no order", transfer.kind.word()));
            return;
        };
        if (transfer.amount, transfer.currency) != (order.price_minor, order.currency) {
            let what = format!("{} of {}, its price is {}", transfer.kind.word(), transfer.amount, order.price_minor);
            findings.add("amount", Subject::Order(self.owner, id), what);
        }
        match transfer.kind {
            TransferKind::Hold => order.holds += 1,
            closing => {
                if let Some(before) = order.closing.replace(closing) {
                    let what = format!("closed by a {} and a {}", before.word(), closing.word());
                    findings.add("closing", Subject::Order(self.owner, id), what);
                }
            }
        }
    }

    fn event(&mut self, event: &Event, findings: &mut Findings) {
        let owner = self.owner;
        let at = || Subject::Event(owner, event.number);
        findings.same("event_number", at, "the number is", event.number, self.events + 1);
        self.events = event.number;
        if let Err(error) = json(&event.body) {
            findings.add("unreadable", at(), error.to_string());
        }
        // events of other sorts are nobody's here
        if let Ok(read) = event.body.read::<EventRecord>()
            && let Some(order) = self.orders.get_mut(&read.order.0)
        {
            order.events_left -= 1;
        }
    }

    /// All rows were there.
    pub(super) fn end(self, findings: &mut Findings) {
        let at = || Subject::Account(self.owner);
        if !self.known {
            findings.add("no_account", at(), "there is no account of this name");
        }
        let head = self.head;
        findings.same("head", at, "available", i128::from(head.available), self.available);
        findings.same("head", at, "held", i128::from(head.held), self.held);
        findings.same("head", at, "owed", i128::from(head.debt), self.debt);
        findings.same("head", at, "newest transfer", head.last_transfer, self.transfers);
        findings.same("head", at, "newest event", head.last_event, self.events);
        if head.available < 0 || head.held < 0 || head.debt > 0 {
            findings.add("below_floor", at(), "less than nothing is there");
        }
        let (mut held, mut open) = (0, 0);
        for (id, order) in &self.orders {
            order.check(Subject::Order(self.owner, *id), findings);
            held += if order.state.holds_money() { i128::from(order.price_minor) } else { 0 };
            open += i64::from(!order.state.is_terminal());
        }
        findings.same("held", at, "held", i128::from(head.held), held);
        findings.same("open_orders", at, "the counter of open orders is", self.counted, open);
    }
}

impl Order {
    fn check(&self, at: Subject, findings: &mut Findings) {
        findings.same("hold", || at.clone(), "holds:", self.holds, 1);
        let wanted = match self.state {
            State::Requested | State::Calling | State::Unclear | State::Active | State::Canceling => None,
            State::Received | State::Completed => Some(TransferKind::Capture),
            State::Cancelled | State::Expired | State::Rejected => Some(TransferKind::Release),
        };
        let word = |kind: Option<TransferKind>| kind.map_or("nothing", TransferKind::word);
        let what = format!("it is {} and closed by", self.state.word());
        findings.same("closing", || at.clone(), &what, word(self.closing), word(wanted));
        findings.same("sequence", || at.clone(), "events that are missing:", self.events_left, 0);
    }
}
