//! What must hold after every step, for this one order: section 6 of the journeys.

use smscode_core::money::Currency;
use smscode_core::order::decide::{Input, State};
use smscode_core::order::record::{EventRecord, OrderRecord};
use smscode_core::order::supply::{Booked, SupplyRecord, SupplyState};
use smscode_core::order::{OrderError, OrderId};
use smscode_core::store::{CurrencyTotals, Event, House, Transfer, TransferKind};

use crate::choices;
use crate::stored::Stored;
use crate::supplier::{End, Sold};
use crate::world::{MONEY, NAMES, Told, World, now};

/// An order that its customer does not finish stays so long after its last SMS.
const LINGER_MS: i64 = 15_000;

/// Parts of every number and of every SMS.
const TRACES: [&str; 4] = ["62812000", "415127", "998877", "330044"];

/// A broken promise, in a sentence.
pub(crate) type Broken = String;

fn hold_that(fine: bool, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if fine { Ok(()) } else { Err(what()) }
}

/// What the ledger says of the order.
struct Books {
    holds: usize,
    captured: bool,
    released: bool,
}

impl World {
    /// After every step. Reads the order as its customer would, and remembers what was shown.
    pub(crate) fn check(&mut self, stored: &Stored) -> Result<(), Broken> {
        self.check_sums(stored)?;
        self.check_suppliers()?;
        let Some((id, record)) = &stored.order else {
            let there = if stored.deleted_at().is_some() { 0 } else { MONEY };
            return hold_that(stored.head.available == there && stored.head.held == 0, || {
                "money moved before an order was placed".into()
            });
        };
        self.read_as_customer(stored, *id)?;
        let books = self.check_books(stored, *id, record)?;
        self.check_events(stored, *id, record)?;
        check_content(record)?;
        self.check_linger(stored, record)?;
        check_deleted(stored, id.0, record)?;
        self.check_told(record, &books, stored.deleted_at().is_some())
    }

    /// When nothing will happen any more by itself.
    pub(crate) fn check_end(&self, stored: &Stored) -> Result<(), Broken> {
        if let Some((_, record)) = &stored.order {
            hold_that(record.state.is_terminal(), || format!("it never ends: {}", record.state.word()))?;
        }
        if let Some((id, _)) = stored.order.as_ref().filter(|_| stored.deleted_at().is_none()) {
            let told =
                now(self.platform.explain(self.account, *id)).map_err(|error| format!("not explained: {error}"))?;
            hold_that(told.next.is_none() && !told.steps.is_empty(), || {
                "an order that has ended has something next".into()
            })?;
        }
        for supply in &stored.supplies {
            hold_that(supply.booked.is_some(), || "what a purchase has cost is not booked".into())?;
            let over = matches!(supply.state, SupplyState::Finished | SupplyState::Cancelled | SupplyState::Ended);
            hold_that(over, || format!("the purchase stays {:?} on our side", supply.state))?;
        }
        let at = self.hub.lock().now;
        let left = self.sold().iter().any(|sold| !sold.is_over(at));
        hold_that(!left, || "an activation is left open at the supplier".into())?;
        let kept = stored.bodies.iter().any(|body| TRACES.iter().any(|trace| body.contains(trace)));
        hold_that(!kept, || "number or SMS can be read in what is left".into())
    }

    fn sold(&self) -> Vec<Sold> {
        self.suppliers.iter().flat_map(|supplier| supplier.shop.lock().unwrap().sold.clone()).collect()
    }

    fn read_as_customer(&mut self, stored: &Stored, id: OrderId) -> Result<(), Broken> {
        let read = now(self.platform.order(self.account, id));
        if stored.deleted_at().is_some() {
            return hold_that(read == Err(OrderError::NotFound), || "an order of a deleted account is shown".into());
        }
        let view = read.map_err(|error| format!("the order is unreadable: {error}"))?;
        let shown = view.phone.is_some() || view.text.is_some() || view.code.is_some();
        let ended = view.state.is_terminal();
        hold_that(!ended || !shown && view.purged_at.is_some(), || "content is shown after the end".into())?;
        if view.text.is_some() || view.code.is_some() {
            self.shown = self.shown.max(view.revision);
            hold_that(view.phone.is_some(), || "an SMS is shown without its number".into())?;
        }
        Ok(())
    }

    fn check_sums(&self, stored: &Stored) -> Result<(), Broken> {
        let totals = now(self.platform.totals()).map_err(|e| e.to_string())?;
        for (currency, line) in &totals.currencies {
            hold_that(line.sum() == 0, || format!("the sum of {currency} is {}", line.sum()))?;
        }
        let spent: i64 = stored.supplies.iter().filter_map(Self::spent).sum();
        let line = totals.currencies.get(&Currency::Usd);
        let of_float =
            |line: &CurrencyTotals| NAMES.iter().filter_map(|name| line.house.get(&House::float(name))).sum();
        let booked: i128 = line.map_or(0, of_float);
        hold_that(booked == -i128::from(spent), || format!("{spent} was spent at suppliers, {booked} is booked"))?;
        let head = stored.head;
        hold_that(head.available >= 0 && head.held >= 0 && head.debt == 0, || format!("floors: {head:?}"))?;
        let price = stored.order.as_ref().filter(|(_, record)| record.state.holds_money());
        let open = price.map_or(0, |(_, record)| record.price_minor);
        hold_that(head.held == open, || format!("{} are held, the open order holds {open}", head.held))
    }

    /// What a purchase that is booked has cost.
    fn spent(supply: &SupplyRecord) -> Option<i64> {
        match supply.booked? {
            Booked::Cost | Booked::Loss => supply.cost_minor,
            Booked::Nothing => None,
        }
    }

    fn check_suppliers(&self) -> Result<(), Broken> {
        let (mut open, mut asked) = (0, 0);
        for supplier in &self.suppliers {
            let shop = supplier.shop.lock().unwrap();
            open += shop.asked - shop.refused;
            asked = asked.max(shop.asked);
        }
        hold_that(asked <= 1, || format!("a supplier was asked {asked} times"))?;
        hold_that(open <= 1, || format!("{open} purchases that were not refused for certain"))?;
        hold_that(self.sold().len() <= 1, || "two numbers were bought for one order".into())
    }

    fn check_books(&self, stored: &Stored, id: OrderId, record: &OrderRecord) -> Result<Books, Broken> {
        let subject = format!("order:{}", id.0);
        let numbered =
            stored.transfers.iter().zip(1..).all(|(one, number)| one.entry.is_some_and(|e| e.number == number));
        let all = stored.transfers.len() as u64 == stored.head.last_transfer;
        hold_that(numbered && all, || "gaps in the statement".into())?;
        let mine: Vec<&Transfer> = stored.transfers.iter().filter(|one| one.subject == subject).collect();
        let count = |kind| mine.iter().filter(|one| one.kind == kind).count();
        let (holds, captures, releases) =
            (count(TransferKind::Hold), count(TransferKind::Capture), count(TransferKind::Release));
        hold_that(holds == 1, || format!("{holds} holds"))?;
        hold_that(captures + releases <= 1, || format!("{captures} captures and {releases} releases"))?;
        let all_of_it = mine.iter().all(|one| one.amount == record.price_minor);
        hold_that(all_of_it, || "a transfer of another amount than the price".into())?;
        let closed = captures + releases == 1;
        hold_that(closed != record.state.holds_money(), || {
            format!("{}, and the hold is {}", record.state.word(), if closed { "closed" } else { "open" })
        })?;
        if captures == 1 {
            hold_that(record.revision > 0 && record.first_sms_at.is_some(), || "captured without an SMS".into())?;
            let in_time = record.ended_at.is_none_or(|end| record.first_sms_at.is_some_and(|first| first <= end));
            hold_that(in_time, || "the SMS was recorded after the end".into())?;
            let came = self.sold().iter().any(|sold| sold.sms.len() as u64 >= record.revision);
            hold_that(came, || "captured for an SMS that never came".into())?;
        }
        if releases == 1 {
            hold_that(record.revision == 0, || "released although an SMS was recorded".into())?;
            hold_that(self.shown == 0, || "released although the SMS was shown".into())?;
        }
        Ok(Books { holds, captured: captures == 1, released: releases == 1 })
    }

    fn check_events(&self, stored: &Stored, id: OrderId, record: &OrderRecord) -> Result<(), Broken> {
        let numbered = stored.events.iter().zip(1..).all(|(event, number)| event.number == number);
        let all = stored.events.len() as u64 == stored.head.last_event;
        hold_that(numbered && all, || "gaps in the account's events".into())?;
        let read = |event: &Event| serde_json::from_slice::<EventRecord>(event.body.as_bytes()).unwrap();
        let mine: Vec<EventRecord> = stored.events.iter().map(read).filter(|event| event.order == id).collect();
        let numbered = mine.iter().zip(1..).all(|(event, sequence)| event.sequence == sequence);
        hold_that(numbered && mine.len() as u64 == record.sequence, || "gaps in the order's events".into())?;
        let ends = ["order.completed", "order.canceled", "order.expired", "order.rejected"];
        let ended = mine.iter().filter(|event| ends.contains(&event.name.as_str())).count();
        hold_that(ended == usize::from(record.state.is_terminal()), || format!("{ended} events of an end"))
    }

    /// An SMS that is paid for can be read for a while, unless the customer has finished.
    fn check_linger(&self, stored: &Stored, record: &OrderRecord) -> Result<(), Broken> {
        let (Some(last), Some(end)) = (record.last_sms_at, record.ended_at) else { return Ok(()) };
        let unread = stored.deleted_at().is_some() || self.used.contains(&choices::Event::Finish);
        let long_enough = unread || end.ms_since(last) >= LINGER_MS;
        hold_that(long_enough, || "it ended by itself less than 15 s after its last SMS".into())
    }

    fn check_told(&self, record: &OrderRecord, books: &Books, deleted: bool) -> Result<(), Broken> {
        for told in self.told.lock().unwrap().iter() {
            let fine = match told {
                Told::Placed("settled") => record.state != State::Rejected,
                Told::Placed("rejected") => books.released && record.state == State::Rejected,
                Told::Placed(_) => books.holds == 1,
                // "cancelled": the money is back; "COMPLETED" and the like: why it could not be
                Told::Cancel("cancelled" | "CANCELED" | "EXPIRED") => books.released,
                Told::Cancel("COMPLETED" | "OTP_RECEIVED") => books.captured,
                Told::Finish("completed") => books.captured && record.state == State::Completed,
                Told::Finish("CANCELED" | "EXPIRED") => books.released,
                Told::Delete("deleted") => deleted,
                Told::Cancel(_) | Told::Finish(_) | Told::Delete(_) => true,
            };
            hold_that(fine, || format!("the customer was told {told:?}, and the order is {}", record.state.word()))?;
        }
        let finished_without_sms =
            self.sold().iter().any(|sold| sold.end == Some(End::Finished) && sold.sms.is_empty());
        hold_that(!finished_without_sms, || "finished at the supplier without an SMS".into())
    }
}

fn check_content(record: &OrderRecord) -> Result<(), Broken> {
    let kept = [record.key.is_some(), record.link.is_some(), record.phone.is_some(), !record.phone_claims.is_empty()];
    let kept = kept.contains(&true) || !record.messages.is_empty();
    hold_that(!record.state.is_terminal() || !kept, || {
        "the record of an order that has ended keeps number, SMS or key".into()
    })
}

/// After the deletion of the account: nothing can be spent, what is released is forfeited in the same breath, and an SMS
/// ends the order at once.
fn check_deleted(stored: &Stored, id: u32, record: &OrderRecord) -> Result<(), Broken> {
    let kinds: Vec<TransferKind> = stored.transfers.iter().map(|one| one.kind).collect();
    let at = |kind| kinds.iter().position(|found| *found == kind);
    let forfeits = stored.transfers.iter().filter(|one| one.kind == TransferKind::Forfeit);
    let of_the_order: Vec<&Transfer> = forfeits.filter(|one| one.subject == format!("order:{id}")).collect();
    let Some(account) = stored.account.as_ref().filter(|account| account.deleted_at.is_some()) else {
        return hold_that(at(TransferKind::Forfeit).is_none(), || "a forfeit without a deletion".into());
    };
    hold_that(stored.head.available == 0, || format!("{} are left after the deletion", stored.head.available))?;
    let of_the_account = at(TransferKind::Forfeit).unwrap_or(usize::MAX);
    let released_later = at(TransferKind::Release).filter(|at| *at > of_the_account);
    let wanted = released_later.map_or(0, |_| 1);
    hold_that(of_the_order.len() == wanted, || "a release after the deletion without its forfeit".into())?;
    if let Some(released) = released_later {
        let follows = kinds.get(released + 1) == Some(&TransferKind::Forfeit);
        let same = of_the_order.iter().all(|one| one.amount == record.price_minor);
        hold_that(follows && same, || "what was released is not what was forfeited right after it".into())?;
    }
    let left = record.steps.iter().position(|step| step.input == Input::AccountDeleted);
    let sms_after = left.is_some_and(|left| record.steps[left..].iter().any(|step| step.input == Input::Sms));
    let lingers = record.state == State::Received && (sms_after || account.due_at.is_none());
    hold_that(!lingers, || "an SMS came for nobody, and the order goes on".into())
}
