//! One order's record into the shadow: the table's moves alone, money that fits the state, nothing left after the end, and
//! a reason for each move that the supplier's true state bears out.

use std::sync::Arc;

use smscode_core::order::decide::{Cell, Input, State, next};
use smscode_core::order::record::{BY_CREATION, BY_STATUS, OrderRecord, StepRecord};
use smscode_core::store::TransferKind;
use smscode_core::time::Timestamp;
use smscode_providers::sandbox::model::Stage;

use super::commit::Written;
use super::{Caller, Life, Watch};
use crate::world::{World, lock};

/// The last check begins so long before the window's end, by the settings' default.
const LAST_CHECK_MS: i64 = 5_000;
/// Without an answer it is repeated for so long.
const GRACE_MS: i64 = 60_000;
/// An unclear purchase is given up so long after its window.
const UNCLEAR_GRACE_MS: i64 = 120_000;
/// An order does not end by itself sooner after its last SMS.
const LINGER_MS: i64 = 15_000;

/// What may be bought: supplier, country, service.
type Call = (String, u16, String);

/// Reasons for giving a number back that was bought.
const MISFITS: [&str; 4] = ["number_malformed", "wrong_country", "wrong_service", "price_above_ceiling"];

impl Watch {
    /// An order is written. Gives the purchase that its node may send now, if it may.
    pub(super) fn order(
        &mut self,
        world: &Arc<World>,
        caller: Caller,
        written: Written,
        time: Timestamp,
    ) -> Option<Call> {
        let (now, id, owner) = (written.at_us, written.id, written.owner);
        let record = &written.record;
        let attempt = record.call.as_ref().map_or(0, |call| call.attempt);
        let before = self.orders.get(&id).cloned();
        if let Some(before) = &before {
            self.moved(world, caller, before, &written, time);
        }
        let mut life = before.clone().unwrap_or_else(|| born(caller, &written));
        life.elsewhere |= life.placed_by.0 != caller.0;
        life.state = record.state;
        life.supplier.clone_from(&record.supplier);
        life.attempt = life.attempt.max(attempt);
        life.revision = record.revision;
        life.steps = record.steps.len();
        life.awaited_more |= record.awaiting_more;
        life.activation = life.activation.or(written.takes);
        life.expires_at = record.expires_at.or(life.expires_at);
        life.scheduled |= record.cancel_scheduled;
        life.without_reader |= record.steps.iter().any(|step| step.input == Input::AccountDeleted);
        self.order_of_gone(now, owner, id, record);
        if let Some(taken) = written.takes
            && let Some(other) = self.attached.insert(taken, id).filter(|other| *other != id)
        {
            self.fail(now, Some(owner), format!("{id:?} and {other:?} have one activation"));
        }
        if record.state.is_terminal() {
            life.ended_us.get_or_insert(now);
            self.open.remove(&id);
        } else {
            self.open.insert(id);
        }
        let calls = record.state == State::Calling && before.as_ref().is_none_or(|it| attempt > it.attempt);
        let call = calls.then(|| (record.supplier.clone(), record.country, record.service.clone()));
        self.fits(now, &life, &written);
        if record.sequence != self.sequences.get(&id).copied().unwrap_or(0) {
            self.fail(now, Some(owner), format!("{id:?} counts {} events and has others", record.sequence));
        }
        self.orders.insert(id, life);
        call
    }

    /// A move of the table, for a reason that is true.
    fn moved(&mut self, world: &Arc<World>, caller: Caller, before: &Life, written: &Written, time: Timestamp) {
        let (now, id, owner) = (written.at_us, written.id, written.owner);
        let record = &written.record;
        let input = record.steps.last().map(|step| step.input);
        let attempt = record.call.as_ref().map_or(before.attempt, |call| call.attempt);
        let changed = before.state != record.state || attempt > before.attempt || record.revision > before.revision;
        world.tell("order", [u64::from(id.0), record.state as u64, u64::from(attempt)], || {
            format!("order {} {} -> {}, {input:?}, node {}", id.0, before.state.word(), record.state.word(), caller.0)
        });
        // that an SMS came too late is noted, and is no change
        let noted = record.steps.len() != before.steps && input != Some(Input::Sms);
        if before.state.is_terminal() && (changed || noted) {
            return self.fail(now, Some(owner), format!("{id:?} has ended and changes"));
        }
        // one change may make several moves: an SMS, and the end because nobody reads it
        let mut state = before.state;
        for step in record.steps.iter().skip(before.steps) {
            let legal = match next(state, step.input) {
                Cell::Move { to, .. } => to == step.state,
                Cell::Late => step.state == state && step.money.is_none(),
                Cell::Done | Cell::Refused(_) => false,
            };
            if !legal {
                let what = format!("{id:?} goes from {} to {} by {:?}", state.word(), step.state.word(), step.input);
                return self.fail(now, Some(owner), what);
            }
            if let Some(wrong) = self.unfounded(world, caller, (before, state), record, step, time) {
                self.fail(now, Some(owner), format!("{id:?}: {wrong}"));
            }
            self.note(world, caller, (before, state), written, step.input);
            state = step.state;
        }
        if state != record.state {
            let what = format!("{id:?} is {} and its steps lead to {}", record.state.word(), state.word());
            self.fail(now, Some(owner), what);
        }
    }

    /// Why a move has no ground, if it has none.
    fn unfounded(
        &mut self,
        world: &Arc<World>,
        caller: Caller,
        (before, state): (&Life, State),
        record: &OrderRecord,
        step: &StepRecord,
        time: Timestamp,
    ) -> Option<String> {
        let stands =
            before.activation.and_then(|(shop, id)| lock(&world.shops[shop]).stands(world.timeline.now_us(), id));
        let closed = stands.is_none_or(|(stage, _)| matches!(stage, Stage::Cancelled | Stage::Finished));
        match step.input {
            Input::NextSupplier | Input::Reject => {
                let in_use =
                    record.reason.as_deref() == Some("number_in_use") || step.note.as_deref() == Some("number_in_use");
                // a look-up has found what was bought, by our reference, and it is not what was wanted: it goes back
                let found =
                    state == State::Unclear && record.reason.as_deref().is_some_and(|reason| MISFITS.contains(&reason));
                let certain = found || self.take_rejection(caller, before, in_use);
                (!certain).then(|| format!("{:?} without a certain rejection", step.input))
            }
            Input::Sms if stands.is_none_or(|(_, messages)| messages == 0) => Some("an SMS that never came".into()),
            Input::CancelConfirmed if !closed => Some("cancelled here and open at its supplier".into()),
            Input::SupplierEnded if !closed => Some("ended by a supplier that has it open".into()),
            Input::LookUpOver if time < record.created_at.plus_ms(self.window_ms + UNCLEAR_GRACE_MS) => {
                Some("given up before its time".into())
            }
            Input::AutoEnd if record.last_sms_at.is_some_and(|at| time < at.plus_ms(LINGER_MS)) => {
                Some("ended by itself right after an SMS".into())
            }
            Input::AskCancel if record.cancel_at.is_some_and(|at| time < at) => {
                Some("a cancel is asked for before the supplier's earliest time".into())
            }
            Input::WindowOver => last_checked(world, caller, before, record, time),
            _ => None,
        }
    }

    /// Money and content that fit the state.
    fn fits(&mut self, now: i64, life: &Life, written: &Written) {
        let record = &written.record;
        let wanted = match life.state {
            State::Completed | State::Received => Some(TransferKind::Capture),
            State::Cancelled | State::Expired | State::Rejected => Some(TransferKind::Release),
            State::Requested | State::Calling | State::Unclear | State::Active | State::Canceling => None,
        };
        let mut wrong = Vec::new();
        if life.closed != wanted {
            wrong.push(format!("is {} with its hold {:?}", life.state.word(), life.closed));
        }
        if wanted == Some(TransferKind::Capture) && (record.revision == 0 || record.first_sms_at.is_none()) {
            wrong.push("is paid for without an SMS".into());
        }
        if wanted == Some(TransferKind::Release) && record.revision > 0 {
            wrong.push("is given back after an SMS".into());
        }
        if life.state.is_terminal() {
            let left = record.key.is_some()
                || record.link.is_some()
                || record.phone.is_some()
                || !record.phone_claims.is_empty()
                || !record.messages.is_empty();
            if left {
                wrong.push("has ended and keeps content, key or link".into());
            }
            if written.terms.iter().any(|term| term.index != BY_CREATION && term.index != BY_STATUS) {
                wrong.push("has ended and stands in an index that leads to it".into());
            }
        }
        if life.price != record.price_minor || life.owner != written.owner {
            wrong.push("changes its price or owner".into());
        }
        for what in wrong {
            self.fail(now, Some(written.owner), format!("{:?} {what}", written.id));
        }
    }

    /// What was met, for the table of coverage.
    fn note(
        &mut self,
        world: &World,
        caller: Caller,
        (before, state): (&Life, State),
        written: &Written,
        input: Input,
    ) {
        let record = &written.record;
        let mut hits = self.note_of_gone(written.owner, state, record, input);
        match input {
            Input::CallUnclear if before.placed_by != caller => hits.push("U5"),
            Input::Accept if state == State::Unclear => hits.push("U4 found"),
            Input::LookUpOver => hits.push("U4 given up"),
            Input::Finish => hits.push("J5"),
            Input::ScheduleCancel => hits.push("U9 scheduled"),
            Input::CancelConfirmed => {
                hits.push("U10");
                if before.scheduled {
                    hits.push("U9 cancelled");
                }
                if before.undecided {
                    hits.push("U11");
                }
            }
            Input::SupplierEnded => hits.push("U19"),
            Input::Sms => {
                if record.revision > 1 && before.awaited_more {
                    hits.push("J6");
                }
                if state == State::Canceling {
                    hits.push("U11");
                }
                if before.scheduled && record.revision == 1 {
                    hits.push("U9 lost");
                }
                let last = record.last_sms_at.unwrap_or_default();
                if record.expires_at.is_some_and(|end| end.ms_since(last).abs() < 3_000) {
                    hits.push("U13");
                }
            }
            Input::WindowOver => {
                if state == State::Canceling {
                    hits.push("U11");
                }
                let end = record.expires_at.unwrap_or_default();
                if record.ended_at.is_some_and(|at| at.ms_since(end) > 20_000) {
                    hits.push("U23");
                }
                let away = before.activation.and_then(|(shop, _)| lock(&world.shops[shop]).is_away(written.at_us));
                hits.extend(away.map(|_| "U21"));
            }
            Input::Reject | Input::NextSupplier => hits.extend(rejected(record, input)),
            _ => {}
        }
        let goes_back = matches!(record.state, State::Cancelled | State::Expired | State::Rejected);
        if goes_back && world.has_no_rates() {
            hits.push("U25");
        }
        if record.state.is_terminal() && before.elsewhere {
            hits.push("O1");
        }
        if record.state.is_terminal() && world.shape.skews.iter().any(|skew| skew.offset_us.abs() > 5_000_000) {
            hits.push("U24");
        }
        for hit in hits {
            world.hit(hit);
        }
    }

    /// An order's cancel was not decided at once.
    pub(crate) fn undecided(&mut self, id: smscode_core::order::OrderId) {
        if let Some(life) = self.orders.get_mut(&id) {
            life.undecided = true;
        }
    }
}

/// Which journey a certain rejection belongs to.
fn rejected(record: &OrderRecord, input: Input) -> Option<&'static str> {
    let reason = record.reason.as_deref().unwrap_or_default();
    let note = record.steps.last().and_then(|step| step.note.as_deref()).unwrap_or(reason);
    match note {
        "no_numbers" if input == Input::Reject && !record.tried.is_empty() => Some("U1"),
        "price_rejected" | "price_above_ceiling" => Some("U2"),
        "number_in_use" | "wrong_country" | "number_malformed" => Some("U8"),
        _ => None,
    }
}

fn born(caller: Caller, written: &Written) -> Life {
    let record = &written.record;
    Life {
        owner: written.owner,
        state: record.state,
        supplier: record.supplier.clone(),
        country: record.country,
        service: record.service.clone(),
        attempt: 0,
        price: record.price_minor,
        closed: None,
        revision: 0,
        placed_by: caller,
        elsewhere: false,
        activation: None,
        steps: 0,
        awaited_more: false,
        undecided: false,
        scheduled: false,
        without_reader: false,
        expires_at: None,
        ended_us: None,
    }
}

/// An order runs out only after a check that was answered and showed no SMS, made in the last seconds of its window or
/// later; or after the whole grace without an answer. By the clock of the node that ends it.
fn last_checked(
    world: &Arc<World>,
    caller: Caller,
    before: &Life,
    record: &OrderRecord,
    time: Timestamp,
) -> Option<String> {
    let end = record.expires_at?;
    if time >= end.plus_ms(GRACE_MS) {
        return None;
    }
    let (shop, id) = before.activation?;
    let read_us = lock(&world.shops[shop]).sold.get(&id).and_then(|sale| sale.empty_read_us);
    let skew = world.shape.skews.get(caller.0).copied().unwrap_or_default();
    let checked = read_us.is_some_and(|us| skew.show(us) >= end.plus_ms(-LAST_CHECK_MS));
    (!checked).then(|| "run out without the last check".into())
}
