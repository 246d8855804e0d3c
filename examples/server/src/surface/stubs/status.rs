//! How an activation reads in this protocol. Pure, but for the time of a further SMS.

use serde::Serialize;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::order::OrderView;

use super::reply::{Reply, word};

/// What an activation is to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No SMS yet; perhaps not even a number.
    Waiting,
    /// An SMS is there.
    Received,
    /// One was there, another was asked for.
    Retry,
    /// Over, with an SMS.
    Done,
    /// Over, without one.
    Cancelled,
}

impl Phase {
    /// Of an order.
    pub(super) const fn of(order: &OrderView) -> Self {
        match (order.status.is_terminal(), order.first_sms_at.is_some()) {
            (true, true) => Self::Done,
            (true, false) => Self::Cancelled,
            (false, false) => Self::Waiting,
            (false, true) if order.awaiting_more => Self::Retry,
            (false, true) => Self::Received,
        }
    }

    /// The number that lists show.
    pub(super) const fn number(self) -> &'static str {
        match self {
            Self::Received => "2",
            Self::Retry => "3",
            Self::Waiting => "4",
            Self::Done => "6",
            Self::Cancelled => "8",
        }
    }
}

/// `getStatus`. An SMS without a recognised code has been delivered and paid for, so it is never shown as waiting: it
/// reads as the original says it, in words, and the text is in `getFullSms` and `getStatusV2`. What has ended reads as
/// cancelled, also what was finished.
pub(super) fn status(order: &OrderView) -> Reply {
    let code = order.code.as_deref().and_then(plain);
    match (Phase::of(order), code) {
        (Phase::Waiting, _) => Reply::word(word::STATUS_WAIT_CODE),
        (Phase::Retry, Some(code)) => Reply::detail(word::STATUS_WAIT_RETRY, code),
        (Phase::Retry, None) => Reply::word(word::STATUS_WAIT_RETRY),
        (Phase::Received, code) => Reply::detail("STATUS_OK", code.as_deref().unwrap_or(word::NO_CODE)),
        (Phase::Done | Phase::Cancelled, _) => Reply::word(word::STATUS_CANCEL),
    }
}

/// A code without colons and blanks: some programs split at every colon and want two parts.
fn plain(code: &str) -> Option<String> {
    let plain: String = code.chars().filter(|c| *c != ':' && !c.is_whitespace() && !c.is_control()).collect();
    (!plain.is_empty()).then_some(plain)
}

/// `getFullSms`.
pub(super) fn full_sms(order: &OrderView) -> Reply {
    match (Phase::of(order), &order.text) {
        (Phase::Received | Phase::Retry, Some(text)) => Reply::detail("FULL_SMS", text),
        (Phase::Done | Phase::Cancelled, _) => Reply::word(word::STATUS_CANCEL),
        (Phase::Waiting | Phase::Received | Phase::Retry, _) => Reply::word(word::STATUS_WAIT_CODE),
    }
}

#[derive(Serialize)]
struct StatusV2<'a> {
    #[serde(rename = "verificationType")]
    verification_type: u8,
    sms: Option<Sms<'a>>,
    call: Option<()>,
}

#[derive(Serialize)]
struct Sms<'a> {
    #[serde(rename = "dateTime")]
    date_time: String,
    code: Option<&'a str>,
    text: &'a str,
}

/// `getStatusV2`, with the time of the newest SMS.
pub(super) fn status_v2(order: &OrderView, sms_at: Option<String>) -> Reply {
    if order.status.is_terminal() {
        return Reply::word(word::STATUS_CANCEL);
    }
    let sms = order.text.as_deref().map(|text| Sms {
        date_time: sms_at.unwrap_or_else(|| "0000-00-00 00:00:00".to_owned()),
        code: order.code.as_deref(),
        text,
    });
    Reply::json(&StatusV2 { verification_type: 0, sms, call: None })
}

/// When the newest SMS came: programs tell a second SMS from the first by it, also one with the same text. The view
/// knows the time of the first; that of a further one is in the order's history.
pub(super) async fn newest_sms_at(platform: &Platform, account: AccountId, order: &OrderView) -> Option<String> {
    let first = order.first_sms_at?;
    if order.revision <= 1 {
        return Some(first.plain());
    }
    let steps = platform.explain(account, order.id).await.map(|explained| explained.steps);
    let newest = steps.unwrap_or_default().into_iter().rev();
    let newest = newest.filter(|step| step.event == "order.otp_received").map(|step| step.time).next();
    Some(newest.unwrap_or(first).plain())
}

#[cfg(test)]
pub(super) mod tests {
    use smscode_core::money::{Currency, Money};
    use smscode_core::order::{Actions, OrderId, OrderView, State};
    use smscode_core::time::Timestamp;

    use super::super::reply::Reply;
    use super::{full_sms, status, status_v2};

    /// An order in a state, with what came.
    pub(in super::super) fn order(
        state: State,
        awaiting_more: bool,
        code: Option<&str>,
        text: Option<&str>,
    ) -> OrderView {
        let at = Timestamp::from_seconds(1_778_490_000);
        let received = matches!(state, State::Received | State::Completed);
        OrderView {
            id: OrderId(635_468_024),
            status: state.status(awaiting_more),
            state,
            created_at: at,
            product: 1,
            umbrella: 2,
            country: 6,
            service: "tg".to_owned(),
            price: Money::new(2_500, Currency::Idr),
            phone: Some("6281234567890".to_owned()),
            code: code.map(str::to_owned),
            text: text.map(str::to_owned),
            revision: u64::from(received),
            first_sms_at: received.then(|| at.plus_seconds(40)),
            expires_at: Some(at.plus_seconds(1_200)),
            cancel_scheduled_at: None,
            ended_at: state.is_terminal().then(|| at.plus_seconds(60)),
            purged_at: None,
            failed_reason: None,
            awaiting_more,
            sequence: 3,
            actions: Actions::default(),
        }
    }

    #[test]
    fn words_for_states() {
        let cases = [
            (State::Calling, false, None, "STATUS_WAIT_CODE"),
            (State::Unclear, false, None, "STATUS_WAIT_CODE"),
            (State::Active, false, None, "STATUS_WAIT_CODE"),
            (State::Canceling, false, None, "STATUS_WAIT_CODE"),
            (State::Received, false, Some("41527"), "STATUS_OK:41527"),
            (State::Received, false, Some("G-41527"), "STATUS_OK:G-41527"),
            (State::Received, false, Some("4:1 5\n27"), "STATUS_OK:41527"),
            (State::Received, false, Some(" : "), "STATUS_OK:Нет кода"),
            (State::Received, false, None, "STATUS_OK:Нет кода"),
            (State::Received, true, Some("41527"), "STATUS_WAIT_RETRY:41527"),
            (State::Received, true, None, "STATUS_WAIT_RETRY"),
            (State::Completed, false, None, "STATUS_CANCEL"),
            (State::Cancelled, false, None, "STATUS_CANCEL"),
            (State::Expired, false, None, "STATUS_CANCEL"),
            (State::Rejected, false, None, "STATUS_CANCEL"),
        ];
        for (state, awaiting, code, expected) in cases {
            let view = order(state, awaiting, code, code);
            assert_eq!(status(&view), Reply::Word(expected.into()), "{state:?}");
        }
    }

    #[test]
    fn texts_for_states() {
        let received = order(State::Received, false, Some("41527"), Some("Your code: 41527"));
        assert_eq!(full_sms(&received), Reply::Word("FULL_SMS:Your code: 41527".into()));
        assert_eq!(full_sms(&order(State::Active, false, None, None)), Reply::word("STATUS_WAIT_CODE"));
        assert_eq!(full_sms(&order(State::Completed, false, None, None)), Reply::word("STATUS_CANCEL"));
        let waiting = r#"{"verificationType":0,"sms":null,"call":null}"#;
        assert_eq!(status_v2(&order(State::Active, false, None, None), None), Reply::Json(waiting.into()));
        let there =
            r#"{"verificationType":0,"sms":{"dateTime":"T","code":"41527","text":"Your code: 41527"},"call":null}"#;
        assert_eq!(status_v2(&received, Some("T".into())), Reply::Json(there.into()));
        let ended = status_v2(&order(State::Expired, false, None, None), None);
        assert_eq!(ended, Reply::word("STATUS_CANCEL"));
    }
}
