//! What may be done when; when something is due; what fits.

use super::super::decide::State;
use super::super::record::OrderRecord;
use super::super::rules::{actions, begin_window, due_at, misfit, offer_is_plain, poll_pause_ms, reasons, upcoming};
use super::super::view::Actions;
use super::{at, order};
use crate::engine::Settings;
use crate::money::{Currency, Money};
use crate::port::{Activation, ActivationId, ActivationState, Capabilities, Offer};
use crate::time::Timestamp;

fn with(state: State, change: impl FnOnce(&mut OrderRecord)) -> OrderRecord {
    let mut record = order(state);
    change(&mut record);
    record
}

#[test]
fn actions_as_the_published_table_has_them() {
    let none = Actions::default();
    let cancel = Actions { cancel: true, replace: true, ..none };
    let received = Actions { finish: true, resend: true, ..none };
    let paused = Actions { finish: true, resend_at: Some(at(130)), ..none };
    let over = Actions { finish: true, ..none };
    let waits = with(State::Received, |record| record.resend_at = Some(at(130)));
    let again = with(State::Received, |record| {
        record.awaiting_more = true;
        record.resend_at = Some(at(130));
    });
    let early = Actions { cancel_at: Some(at(125)), ..none };
    let cases = [
        ("too young", order(State::Active), at(124), early),
        ("just old enough", order(State::Active), at(125), cancel),
        ("at the window's end", order(State::Active), at(1_205), cancel),
        ("undecided cancel", order(State::Canceling), at(10), cancel),
        ("received", order(State::Received), at(61), received),
        ("received, window over", order(State::Received), at(1_205), over),
        ("paused", waits.clone(), at(129), paused),
        ("pause over", waits.clone(), at(130), received),
        ("another SMS awaited", again.clone(), at(129), paused),
        ("another SMS awaited, pause over", again, at(131), received),
        ("calling", order(State::Calling), at(10), none),
        ("unclear", order(State::Unclear), at(10), none),
        ("completed", order(State::Completed), at(10), none),
        ("cancelled", order(State::Cancelled), at(10), none),
        ("expired", order(State::Expired), at(10), none),
        ("rejected", order(State::Rejected), at(10), none),
    ];
    for (name, record, now, expected) in cases {
        assert_eq!(actions(&record, now), expected, "{name}");
    }
}

#[test]
fn reasons_say_what_actions_allow() {
    for state in State::ALL {
        for now in [0, 124, 125, 1_204, 1_205, 2_000] {
            let record = with(state, |record| record.resend_at = Some(at(125)));
            let (allowed, told) = (actions(&record, at(now)), reasons(&record, at(now)));
            let pairs = [
                ("finish", allowed.finish, None),
                ("resend", allowed.resend, allowed.resend_at),
                ("cancel", allowed.cancel, allowed.cancel_at),
            ];
            for (told, (name, allowed, from)) in told.iter().zip(pairs) {
                assert_eq!((told.action, told.allowed, told.from), (name, allowed, from), "{state:?} {now}");
                assert!(!told.reason.is_empty());
                if state.is_terminal() {
                    assert_eq!(told.reason, "it has ended", "{state:?} {name}");
                }
            }
        }
    }
}

#[test]
fn due_times() {
    let settings = Settings::default();
    let looked = |n| with(State::Unclear, move |record| record.look_ups = n);
    let late_sms = with(State::Received, |record| record.last_sms_at = Some(at(1_200)));
    let nobody = |cancel_at| {
        with(State::Active, move |record| {
            record.abandoned = true;
            record.cancel_at = Some(at(cancel_at));
        })
    };
    let scheduled = |cancel_at| {
        with(State::Active, move |record| {
            record.cancel_scheduled = true;
            record.cancel_at = Some(at(cancel_at));
        })
    };
    let cases: Vec<(&str, OrderRecord, i64, Option<i64>)> = vec![
        ("a call is over after its limit and a little", order(State::Calling), 0, Some(55)),
        ("first look-up", looked(0), 100, Some(105)),
        ("second", looked(1), 105, Some(115)),
        ("third", looked(2), 115, Some(145)),
        ("fourth", looked(3), 145, Some(220)),
        ("then each minute", looked(4), 220, Some(280)),
        ("then each minute", looked(40), 220, Some(280)),
        ("the last one at the deadline", looked(4), 1_300, Some(1_320)),
        ("whatever the pause", looked(3), 1_319, Some(1_320)),
        ("past it, if nothing could be asked, each minute", looked(4), 1_320, Some(1_380)),
        ("last check before the end", order(State::Active), 10, Some(1_200)),
        ("nobody holds it: at the earliest time", nobody(125), 30, Some(125)),
        ("nobody holds it, old enough", nobody(125), 300, Some(300)),
        ("nobody holds it, never allowed", nobody(9_000), 300, Some(1_200)),
        ("a scheduled cancel at the earliest time", scheduled(125), 30, Some(125)),
        ("a scheduled cancel that is never allowed", scheduled(9_000), 300, Some(1_200)),
        ("an undecided cancel is asked again", order(State::Canceling), 200, Some(210)),
        ("but not beyond the end", order(State::Canceling), 1_200, Some(1_205)),
        ("past the end soon again", order(State::Canceling), 1_300, Some(1_301)),
        ("an SMS keeps it to the end", order(State::Received), 100, Some(1_205)),
        ("a late SMS keeps it longer", late_sms, 1_201, Some(1_215)),
        ("ended", order(State::Completed), 100, None),
        ("ended", order(State::Cancelled), 100, None),
        ("ended", order(State::Expired), 100, None),
        ("ended", order(State::Rejected), 100, None),
    ];
    for (name, record, now, expected) in cases {
        assert_eq!(due_at(&record, &settings, at(now)), expected.map(at), "{name}");
    }
}

#[test]
fn what_comes_next_is_told_of_everything_that_is_open() {
    let settings = Settings::default();
    for state in State::ALL {
        let next = upcoming(&order(state), &settings, true);
        let open = !state.is_terminal() && state != State::Requested;
        assert_eq!(next.is_some(), open, "{state:?}");
        assert!(next.is_none_or(|next| !next.what.is_empty() && next.at.is_some()), "{state:?}");
    }
    let blind = upcoming(&order(State::Unclear), &settings, false).unwrap();
    assert!(blind.what.contains("no list"), "{}", blind.what);
    assert_eq!(blind.at, Some(at(1_320)), "window and grace");
    let scheduled = with(State::Active, |record| record.cancel_scheduled = true);
    assert_eq!(upcoming(&scheduled, &settings, true).unwrap().at, Some(at(125)));
}

#[test]
fn poll_pauses_by_age() {
    let settings = Settings::default();
    let cases = [(0, 3_000), (59_999, 3_000), (60_000, 5_000), (299_999, 5_000), (300_000, 10_000), (i64::MAX, 10_000)];
    for (age_ms, expected) in cases {
        assert_eq!(poll_pause_ms(&settings, age_ms), expected, "{age_ms}");
    }
}

fn bought(phone: &str) -> Activation {
    Activation {
        id: ActivationId("1".into()),
        phone: phone.into(),
        cost: Some(Money::new(100, Currency::Usd)),
        window_seconds: None,
        reference: None,
        country: Some(6),
        service: Some("wa".into()),
        state: ActivationState::Waiting,
    }
}

#[test]
fn what_does_not_fit() {
    let fine = || bought("6281234567890");
    let cases = [
        (fine(), None),
        (Activation { country: None, service: None, cost: None, ..fine() }, None),
        (Activation { service: Some("WA".into()), ..fine() }, None),
        (bought(""), Some("number_malformed")),
        (bought("62812"), Some("number_malformed")),
        (bought("+6281234567890"), Some("number_malformed")),
        (bought("62 812 3456"), Some("number_malformed")),
        (bought("6281234567890123"), Some("number_malformed")),
        (bought("٦٢٨١٢٣٤٥"), Some("number_malformed")),
        (bought("79120000001"), Some("wrong_country")),
        (Activation { country: Some(0), ..fine() }, Some("wrong_country")),
        (Activation { service: Some("tg".into()), ..fine() }, Some("wrong_service")),
        (Activation { cost: Some(Money::new(101, Currency::Usd)), ..fine() }, Some("price_above_ceiling")),
    ];
    for (n, (got, expected)) in cases.into_iter().enumerate() {
        assert_eq!(misfit((6, "62"), "wa", Some(100), &got), expected, "case {n}");
    }
    assert_eq!(misfit((6, "62"), "wa", None, &bought("6281234567890")), None, "no rate, no ceiling");
}

#[test]
fn windows_of_bought_and_of_found_numbers() {
    let limits = Capabilities {
        cancel_after_seconds: 120,
        window_seconds: 900,
        lists_active: true,
        lists_history: false,
        reference_is_unique: false,
        poll_batch: 1,
        poll_floor_ms: 0,
        further_sms_free: true,
        wants_finish: true,
        concurrency: 1,
        requests_a_second: 0,
    };
    let settings = Settings::default();
    // stated window, looked up, now, abandon_when_late: end, cancel, abandoned; all from the placing
    let cases = [
        (None, false, 5, false, 905, 125, false),
        (Some(600), false, 5, false, 605, 125, false),
        (Some(9_000), false, 5, false, 1_205, 125, false),
        (None, false, 25, true, 925, 145, true),
        (None, false, 19, true, 919, 139, false),
        (None, true, 60, false, 900, 120, false),
        (None, true, 720, false, 900, 120, false),
        (None, true, 721, false, 900, 120, true),
        (Some(500), true, 60, false, 560, 120, false),
        (Some(179), true, 60, false, 239, 120, true),
        (Some(9_000), true, 60, false, 1_200, 120, false),
    ];
    for (n, (stated, looked_up, now, wanted, end, cancel, abandoned)) in cases.into_iter().enumerate() {
        let mut record = with(State::Calling, |record| record.abandoned = wanted);
        let got = Activation { window_seconds: stated, ..bought("6281234567890") };
        begin_window(&mut record, &limits, &settings, &got, looked_up, at(now));
        let found = (record.expires_at, record.cancel_at, record.abandoned);
        assert_eq!(found, (Some(at(end)), Some(at(cancel)), abandoned), "case {n}");
    }
}

#[test]
fn offers_that_a_catalogue_can_take() {
    let offer = |country, service: &str, minor| Offer {
        country,
        service: service.into(),
        cost: Money::new(minor, Currency::Usd),
        count: 1,
    };
    let long = "a".repeat(33);
    let cases = [
        (offer(6, "wa", 0), true),
        (offer(6, "a_1", 5), true),
        (offer(6, "", 5), false),
        (offer(6, "WA", 5), false),
        (offer(6, "w/a", 5), false),
        (offer(6, &long, 5), false),
        (offer(6, "wa", -1), false),
        (offer(65_000, "wa", 5), false),
    ];
    for (offer, expected) in cases {
        assert_eq!(offer_is_plain(&offer), expected, "{offer:?}");
    }
}

#[test]
fn times_at_the_suppliers_side_lead_nowhere() {
    use super::super::supply::coarse;
    for micros in [0, 1, 59_999_999] {
        assert_eq!(coarse(Timestamp(at(120).0 + micros)), at(120));
    }
    assert_eq!(coarse(at(180)), at(180));
}
