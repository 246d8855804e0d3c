//! The books of one account: its transfers added up by the audit's own rules, its events and its counter beside them.

use std::collections::BTreeMap;

use super::Subject;
use super::finding::Findings;
use super::records::json;
use crate::account::record::ACCOUNT;
use crate::ledger::readd::{Readd, Said, order_of};
use crate::order::OrderId;
use crate::order::decide::State;
use crate::order::record::{EventRecord, OPEN_ORDERS, OrderRecord, read_order_key};
use crate::store::copy::StoredRow;
use crate::store::{Event, Head, Key, Owner, Record, Transfer};

/// An account in the making. Rows come in the order of their sorts: account, head, orders, counters, transfers, events.
pub(super) struct Books {
    owner: Owner,
    known: bool,
    head: Head,
    readd: Readd,
    orders: BTreeMap<u32, Order>,
    /// The counter of open orders.
    counted: i64,
    events: u64,
}

/// What an order says of itself.
struct Order {
    state: State,
    price_minor: i64,
    /// Events that it says it has had, less those found.
    events_left: i64,
}

impl Books {
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            owner,
            known: false,
            head: Head::default(),
            readd: Readd::default(),
            orders: BTreeMap::new(),
            counted: 0,
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
        self.readd.order(id, Said { state: record.state, price: record.price_minor });
        let order = Order {
            state: record.state,
            price_minor: record.price_minor,
            events_left: i64::try_from(record.sequence).unwrap_or(i64::MAX),
        };
        self.orders.insert(id.0, order);
    }

    fn transfer(&mut self, transfer: &Transfer, findings: &mut Findings) {
        self.readd.transfer(transfer);
        // an audit may meet an order that was placed since it began; here all is of one moment
        if let Some(id) = order_of(transfer)
            && !self.orders.contains_key(&id.0)
        {
            let what = format!("a {} of no order", transfer.kind.word());
            findings.add("no_order", Subject::Order(self.owner, id.0), what);
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
    pub(super) fn end(mut self, findings: &mut Findings) {
        let (owner, head) = (self.owner, self.head);
        let at = || Subject::Account(owner);
        if !self.known {
            findings.add("no_account", at(), "there is no account of this name");
        }
        findings.same("head_event", at, "newest event", head.last_event, self.events);
        if head.available < 0 || head.held < 0 || head.debt > 0 {
            findings.add("below_floor", at(), "less than nothing is there");
        }
        let holding = self.orders.iter().filter(|(_, order)| order.state.holds_money());
        self.readd.end(head, &holding.map(|(id, order)| (*id, order.price_minor)).collect());
        for found in &self.readd.findings {
            let order = found.order.map(|OrderId(id)| Subject::Order(owner, id));
            let transfer = found.transfer.map(|number| Subject::Transfer(owner, number));
            let seen = found.transfer.map(|number| format!(", at transfer {number}")).unwrap_or_default();
            let what = format!("{} where {} should be{seen}", found.found, found.expected);
            findings.add(found.rule, order.or(transfer).unwrap_or_else(at), what);
        }
        findings.count(self.readd.found - self.readd.findings.len() as u64);
        let open = self.orders.values().filter(|order| !order.state.is_terminal()).count();
        let open = i64::try_from(open).unwrap_or(i64::MAX);
        findings.same("open_orders", at, "the counter of open orders is", self.counted, open);
        for (id, order) in &self.orders {
            let at = || Subject::Order(owner, *id);
            findings.same("sequence", at, "events that are missing:", order.events_left, 0);
        }
    }
}
