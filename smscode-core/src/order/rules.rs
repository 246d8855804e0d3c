//! What may be done with an order and when: computed once, for every surface.

use super::content::Content;
use super::decide::State;
use super::record::{OrderId, OrderRecord};
use super::view::{ActionReason, Actions, Next, OrderView};
use crate::engine::Settings;
use crate::port::{Activation, Capabilities, Offer};
use crate::time::Timestamp;

/// The owner's view of a record with its opened content.
pub(crate) fn view(id: OrderId, record: &OrderRecord, content: Content, now: Timestamp) -> OrderView {
    OrderView {
        id,
        status: record.status(),
        state: record.state,
        created_at: record.created_at,
        product: record.product,
        umbrella: record.umbrella,
        country: record.country,
        service: record.service.clone(),
        price: record.price(),
        phone: content.phone,
        code: content.code,
        text: content.text,
        revision: record.revision,
        first_sms_at: record.first_sms_at,
        expires_at: record.expires_at,
        cancel_scheduled_at: record.cancel_at.filter(|_| record.cancel_scheduled),
        ended_at: record.ended_at,
        purged_at: record.ended_at,
        failed_reason: record.reason.clone(),
        awaiting_more: record.awaiting_more,
        sequence: record.sequence,
        actions: actions(record, now),
    }
}

/// What may be done now.
pub(crate) fn actions(record: &OrderRecord, now: Timestamp) -> Actions {
    let waits = |at: Option<Timestamp>| at.filter(|at| *at > now);
    match record.state {
        State::Active => {
            let cancel_at = waits(record.cancel_at);
            let cancel = cancel_at.is_none();
            Actions { cancel, replace: cancel, cancel_at, ..Actions::default() }
        }
        // undecided: the owner may ask again, as for an order that stayed active
        State::Canceling => Actions { cancel: true, replace: true, ..Actions::default() },
        State::Received => {
            let resend_at = waits(record.resend_at);
            let window_open = record.expires_at.is_some_and(|end| now < end);
            Actions { finish: true, resend: window_open && resend_at.is_none(), resend_at, ..Actions::default() }
        }
        State::Requested
        | State::Calling
        | State::Unclear
        | State::Completed
        | State::Cancelled
        | State::Expired
        | State::Rejected => Actions::default(),
    }
}

/// The same with reasons, for `explain`.
pub(crate) fn reasons(record: &OrderRecord, now: Timestamp) -> Vec<ActionReason> {
    let allowed = actions(record, now);
    let state = record.state;
    let finish = if allowed.finish {
        "an SMS has come"
    } else if state.is_terminal() {
        "it has ended"
    } else {
        "no SMS has come"
    };
    let resend = match (state, allowed.resend, allowed.resend_at) {
        (State::Received, true, _) => "an SMS has come and the window is open",
        (State::Received, false, Some(_)) => "the pause between two requests is not over",
        (State::Received, false, None) => "the window is over",
        _ if state.is_terminal() => "it has ended",
        _ => "no SMS has come",
    };
    let cancel = match (state, allowed.cancel) {
        (State::Canceling, _) => "a cancel is being decided; asking again is harmless",
        (State::Active, true) => "no SMS has come and the minimum time is over",
        (State::Active, false) => "the supplier's minimum time is not over",
        (State::Received, _) => "an SMS has come, so it is paid for",
        _ if state.is_terminal() => "it has ended",
        _ => "the purchase is not settled",
    };
    vec![
        ActionReason { action: "finish", allowed: allowed.finish, from: None, reason: finish },
        ActionReason { action: "resend", allowed: allowed.resend, from: allowed.resend_at, reason: resend },
        ActionReason { action: "cancel", allowed: allowed.cancel, from: allowed.cancel_at, reason: cancel },
    ]
}

/// What will happen by itself, for `explain`. `has_list` is whether the supplier has a list in which an unclear purchase
/// can be found.
pub(crate) fn upcoming(record: &OrderRecord, settings: &Settings, has_list: bool) -> Option<Next> {
    let (what, at) = match record.state {
        State::Calling => ("the supplier is being asked", record.call.as_ref().map(|call| call.over_at)),
        State::Unclear if has_list => (
            "the purchase is looked for in the supplier's list, and given up some time after the window",
            record.due_at,
        ),
        State::Unclear => (
            "this supplier has no list to look the purchase up in: the money goes back some time after the window",
            Some(given_up_at(record, settings)),
        ),
        State::Active if record.cancel_scheduled => {
            ("a cancel is asked for, unless an SMS comes first", record.cancel_at)
        }
        State::Active if record.abandoned => ("a cancel is asked for, since nobody waits for it", record.cancel_at),
        State::Active => ("the window ends after one last check, and the money goes back", record.expires_at),
        State::Canceling => ("the supplier is asked again, at the latest until the window ends", record.due_at),
        State::Received => ("it is completed", record.due_at),
        State::Requested | State::Completed | State::Cancelled | State::Expired | State::Rejected => return None,
    };
    Some(Next { what, at })
}

/// When an unclear purchase that was never found is given up.
pub(crate) fn given_up_at(record: &OrderRecord, settings: &Settings) -> Timestamp {
    record.created_at.plus_ms(settings.window_ms + settings.unclear_grace_ms)
}

/// An order that a look-up finds with less of its window left is given back: nobody gets an SMS in it.
const REMAINS_MIN_MS: i64 = 180_000;

/// Sets the window of an order that has got its number. One that a look-up has found was bought when the order was
/// placed, so it has what remains of its window; a window that the supplier states counts from its answer.
pub(crate) fn begin_window(
    record: &mut OrderRecord,
    limits: &Capabilities,
    settings: &Settings,
    got: &Activation,
    looked_up: bool,
    now: Timestamp,
) {
    let bought_at = if looked_up { record.created_at } else { now };
    let theirs = match got.window_seconds {
        Some(seconds) => now.plus_seconds(i64::from(seconds)),
        None => bought_at.plus_seconds(i64::from(limits.window_seconds)),
    };
    let end = theirs.min(bought_at.plus_ms(settings.window_ms));
    let too_little = looked_up && end.ms_since(now) < REMAINS_MIN_MS;
    let nobody_waits = now.ms_since(record.created_at) > settings.answer_due_ms;
    record.expires_at = Some(end);
    record.cancel_at = Some(bought_at.plus_seconds(i64::from(limits.cancel_after_seconds)));
    record.abandoned = too_little || (record.abandoned && nobody_waits);
}

/// When something is due for an open order.
pub(crate) fn due_at(record: &OrderRecord, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    let end = record.expires_at.unwrap_or(now);
    match record.state {
        // a little after the sender itself would have given up
        State::Calling => record.call.as_ref().map(|call| call.over_at.plus_seconds(5)),
        State::Unclear => {
            let (next, end) = (now.plus_seconds(look_up_pause_seconds(record.look_ups)), given_up_at(record, settings));
            // the last look-up is at the deadline, not a pause after it: until then the money is held
            Some(if now < end { next.min(end) } else { next })
        }
        // nobody holds its id, or its owner has asked for it: cancelled as soon as the supplier takes a cancel
        State::Active if record.abandoned || record.cancel_scheduled => {
            let earliest = record.cancel_at.unwrap_or(now).max(now);
            Some(earliest.min(end.plus_ms(-settings.last_check_before_ms)))
        }
        State::Active => Some(end.plus_ms(-settings.last_check_before_ms)),
        State::Canceling => Some(now.plus_seconds(10).min(end.max(now.plus_seconds(1)))),
        State::Received => Some(end.max(record.last_sms_at.unwrap_or(now).plus_ms(settings.linger_ms))),
        State::Requested | State::Completed | State::Cancelled | State::Expired | State::Rejected => None,
    }
}

/// Pauses between look-ups of an unclear purchase: at 5, 15, 45, 120 s, then each minute.
const fn look_up_pause_seconds(look_ups: u32) -> i64 {
    match look_ups {
        0 => 5,
        1 => 10,
        2 => 30,
        3 => 75,
        _ => 60,
    }
}

/// How long to wait before an order is polled again, by its age.
pub(crate) const fn poll_pause_ms(settings: &Settings, age_ms: i64) -> i64 {
    if age_ms < 60_000 {
        settings.poll_first_ms
    } else if age_ms < 300_000 {
        settings.poll_then_ms
    } else {
        settings.poll_late_ms
    }
}

/// Whether what a supplier gave is what was bought in this country (id and dial code); the reason if not.
pub(crate) fn misfit(
    country: (u16, &str),
    service: &str,
    ceiling: Option<i64>,
    got: &Activation,
) -> Option<&'static str> {
    let (country, dial_code) = country;
    let digits = got.phone.bytes().all(|b| b.is_ascii_digit());
    if !digits || !(6..=15).contains(&got.phone.len()) {
        return Some("number_malformed");
    }
    if !got.phone.starts_with(dial_code) || got.country.is_some_and(|given| given != country) {
        return Some("wrong_country");
    }
    if got.service.as_ref().is_some_and(|given| !given.eq_ignore_ascii_case(service)) {
        return Some("wrong_service");
    }
    match (got.cost, ceiling) {
        (Some(cost), Some(ceiling)) if cost.minor > ceiling => Some("price_above_ceiling"),
        _ => None,
    }
}

/// Offers that a catalogue can take: a known country, a plain service code, a cost that is not negative.
pub(crate) fn offer_is_plain(offer: &Offer) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let code = offer.service.as_bytes();
    (1..=32).contains(&code.len())
        && code.iter().all(|b| plain(*b))
        && offer.cost.minor >= 0
        && crate::catalogue::countries::by_id(offer.country).is_some()
}
