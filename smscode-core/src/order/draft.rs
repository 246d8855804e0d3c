//! A change of one order in the making: the table's move becomes record, transfer, event and counters.

use super::decide::{Cell, Input, Money as Moved, State, next};
use super::phone::{PhoneClaim, claim_entries};
use super::record::{EventRecord, OPEN_ORDERS, OrderId, OrderRecord, STEPS_MAX, StepRecord, order_key};
use crate::account::AccountId;
use crate::store::{
    Amount, Body, BodyError, Bucket, CounterKey, Entry, Expect, House, Place, Post, TransferId, TransferKind,
};
use crate::time::Timestamp;

/// An order that is being changed.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) account: AccountId,
    pub(crate) id: OrderId,
    /// The version that was loaded; `None` for a new order.
    version: Option<u64>,
    /// The claims on its number that are in the store.
    claimed: Vec<PhoneClaim>,
    /// The record as it will be.
    pub(crate) record: OrderRecord,
    entries: Vec<Entry>,
    put_off: Option<Timestamp>,
    /// Its account is deleted.
    without_reader: bool,
}

/// The reason of everything that follows from the deletion of an account.
pub(crate) const ACCOUNT_DELETED: &str = "account_deleted";

/// The event of an SMS that came after the end.
const LATE_SMS: &str = "order.late_sms";

/// Why a move was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// It has happened already.
    Done,
    /// An SMS for an order that has ended.
    Late,
    /// Not possible.
    Refused(&'static str),
}

impl Draft {
    /// Of a stored order.
    pub(crate) fn of(account: AccountId, id: OrderId, version: u64, record: OrderRecord) -> Self {
        Self { claimed: record.phone_claims.clone(), version: Some(version), ..Self::new(account, id, record) }
    }

    /// Of a new order.
    pub(crate) fn new(account: AccountId, id: OrderId, record: OrderRecord) -> Self {
        Self {
            account,
            id,
            version: None,
            claimed: Vec::new(),
            record,
            entries: Vec::new(),
            put_off: None,
            without_reader: false,
        }
    }

    /// Says whether the order's account is deleted: then what is released is forfeited in the same ChangeSet.
    pub(crate) fn without_reader(mut self, without_reader: bool) -> Self {
        self.without_reader = without_reader;
        self
    }

    /// The last step of a change of an order whose account is deleted: with an SMS it ends, and the content of this very
    /// change goes with it; without one it is to be cancelled as soon as it may be. `true` if it has ended here.
    pub(crate) fn lose_reader(&mut self, now: Timestamp) -> bool {
        if !self.without_reader || self.record.state.is_terminal() {
            return false;
        }
        if self.record.state == State::Received || !self.has_lost_reader() {
            let _every_open_state_has_a_cell =
                self.advance(Input::AccountDeleted, Some(ACCOUNT_DELETED), "engine", now);
        }
        let ended = self.record.state.is_terminal();
        self.record.abandoned |= !ended;
        ended
    }

    /// Whether it has been told that nobody reads it any more.
    pub(crate) fn has_lost_reader(&self) -> bool {
        self.record.steps.iter().any(|step| step.input == Input::AccountDeleted)
    }

    /// Makes the table's move. `note` is a further reason as a stable word, `actor` who caused it.
    pub(crate) fn advance(
        &mut self,
        input: Input,
        note: Option<&str>,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), Stay> {
        let (to, money, event) = match next(self.record.state, input) {
            Cell::Move { to, money, event, rule: _ } => (to, money, event),
            Cell::Done => return Err(Stay::Done),
            Cell::Late => return Err(Stay::Late),
            Cell::Refused(reason) => return Err(Stay::Refused(reason)),
        };
        self.record.state = to;
        // asked for, or not possible any more
        self.record.cancel_scheduled = input == Input::ScheduleCancel;
        self.post(money, note, actor);
        self.step(StepRecord {
            at: now,
            input,
            state: to,
            event: event.map(str::to_owned),
            money: word(money, self.without_reader).map(str::to_owned),
            note: note.map(str::to_owned),
        });
        if to.is_terminal() {
            self.end(note, now);
        }
        match event {
            Some(name) => self.event(name).map_err(|_| Stay::Refused("the event could not be written")),
            None => Ok(()),
        }
    }

    /// Notes that an SMS came after the end: the event and the step say that and when, and nothing else of it is kept.
    pub(crate) fn late_sms(&mut self, now: Timestamp) -> Result<(), BodyError> {
        self.step(StepRecord {
            at: now,
            input: Input::Sms,
            state: self.record.state,
            event: Some(LATE_SMS.to_owned()),
            money: None,
            note: None,
        });
        self.event(LATE_SMS)
    }

    fn step(&mut self, step: StepRecord) {
        if self.record.steps.len() < STEPS_MAX {
            self.record.steps.push(step);
        }
    }

    /// Appends an event of this order.
    fn event(&mut self, name: &str) -> Result<(), BodyError> {
        self.record.sequence += 1;
        let event = EventRecord { v: 1, order: self.id, sequence: self.record.sequence, name: name.to_owned() };
        self.entries.push(Entry::Append { owner: self.account.0, body: Body::write(&event)? });
        Ok(())
    }

    /// Sets when it is looked at again, whatever its state would say.
    pub(crate) fn put_off(&mut self, at: Timestamp) {
        self.put_off = Some(at);
    }

    /// When it is looked at again, if that was set.
    pub(crate) fn put_off_until(&self) -> Option<Timestamp> {
        self.put_off
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// The entries of the change, with a fresh version for the record. Claims on the number follow the record.
    pub(crate) fn entries(self, version: u64) -> Result<Vec<Entry>, BodyError> {
        let mut entries = self.entries;
        entries.extend(claim_entries(&self.claimed, &self.record.phone_claims)?);
        entries.push(Entry::Put {
            key: order_key(self.account, self.id),
            expect: self.version.map_or(Expect::Absent, Expect::Version),
            version,
            body: Body::write(&self.record)?,
            terms: self.record.terms(self.account, self.id),
        });
        Ok(entries)
    }

    /// The end: everything that leads to the number or the SMS goes, and the key with it.
    fn end(&mut self, note: Option<&str>, now: Timestamp) {
        let record = &mut self.record;
        record.ended_at = Some(now);
        record.key = None;
        record.link = None;
        record.phone = None;
        record.phone_claims.clear();
        record.messages.clear();
        record.call = None;
        record.due_at = None;
        record.awaiting_more = false;
        record.resend_at = None;
        if record.state != State::Completed {
            record.reason = note.map(str::to_owned);
        }
        self.put_off = None;
        let counter = CounterKey::of(self.account.0, OPEN_ORDERS);
        self.entries.push(Entry::Count { counter, delta: -1, max: None });
    }

    fn post(&mut self, money: Moved, note: Option<&str>, actor: &str) {
        let available = Place::Customer(self.account.0, Bucket::Available);
        let held = Place::Customer(self.account.0, Bucket::Held);
        let (kind, debit, credit) = match money {
            Moved::None => return,
            Moved::Hold => (TransferKind::Hold, available, held),
            Moved::Capture => (TransferKind::Capture, held, Place::House(House::revenue())),
            Moved::Release => (TransferKind::Release, held, available),
        };
        // capture and release share an id, so the store itself refuses a second closing
        let side = if money == Moved::Hold { "hold" } else { "close" };
        self.entries.push(Entry::Post(Post {
            id: TransferId(format!("{side}/{}", self.id.0).into_bytes()),
            kind,
            subject: format!("order:{}", self.id.0),
            reason: note.unwrap_or(self.record.state.word()).to_owned(),
            actor: actor.to_owned(),
            debit,
            credit,
            currency: self.record.currency,
            amount: Amount::Exact(self.record.price_minor),
        }));
        if money == Moved::Release && self.without_reader {
            self.forfeit();
        }
    }

    /// What has just been released to nobody: given up with the account, under the same consent.
    fn forfeit(&mut self) {
        self.entries.push(Entry::Post(Post {
            id: TransferId(format!("forfeit/{}", self.id.0).into_bytes()),
            kind: TransferKind::Forfeit,
            subject: format!("order:{}", self.id.0),
            reason: ACCOUNT_DELETED.to_owned(),
            actor: "engine".to_owned(),
            debit: Place::Customer(self.account.0, Bucket::Available),
            credit: Place::House(House::forfeits()),
            currency: self.record.currency,
            amount: Amount::Exact(self.record.price_minor),
        }));
    }
}

const fn word(money: Moved, without_reader: bool) -> Option<&'static str> {
    match money {
        Moved::None => None,
        Moved::Hold => Some("hold"),
        Moved::Capture => Some("capture"),
        Moved::Release if without_reader => Some("release and forfeit"),
        Moved::Release => Some("release"),
    }
}
