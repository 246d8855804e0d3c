//! The table of an order's life, walked whole.

use std::collections::BTreeSet;

use super::super::decide::{Cell, Input, Money, State, next};
use super::super::draft::{Draft, Stay};
use super::{ACCOUNT, ACTIVATION, CODE, ORDER, PHONE, REFERENCE, TEXT, at, order};
use crate::store::{Amount, Bucket, Entry, House, Place, Post, TransferKind};

/// What has become of the held money.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Open {
    Nothing,
    Held,
    Captured,
    Released,
}

fn moved(state: State, input: Input) -> Option<(State, Money, Option<&'static str>)> {
    match next(state, input) {
        Cell::Move { to, money, event, rule } => {
            assert!(!rule.is_empty());
            Some((to, money, event))
        }
        Cell::Done | Cell::Late | Cell::Refused(_) => None,
    }
}

#[test]
fn all_moves_as_designed_and_no_others() {
    use Input::*;
    use State::*;
    let moves: &[(State, Input, State, Money, Option<&str>)] = &[
        (Requested, Place, Calling, Money::Hold, Some("order.placed")),
        (Calling, NextSupplier, Calling, Money::None, None),
        (Calling, CallUnclear, Unclear, Money::None, None),
        (Calling, Accept, Active, Money::None, Some("order.active")),
        (Calling, Reject, Rejected, Money::Release, Some("order.rejected")),
        (Unclear, Accept, Active, Money::None, Some("order.active")),
        (Unclear, Reject, Rejected, Money::Release, Some("order.rejected")),
        (Unclear, LookUpOver, Expired, Money::Release, Some("order.expired")),
        (Calling, AccountDeleted, Calling, Money::None, None),
        (Unclear, AccountDeleted, Unclear, Money::None, None),
        (Active, AccountDeleted, Active, Money::None, None),
        (Canceling, AccountDeleted, Canceling, Money::None, None),
        (Active, Sms, Received, Money::Capture, Some("order.otp_received")),
        (Active, AskCancel, Canceling, Money::None, None),
        (Active, ScheduleCancel, Active, Money::None, Some("order.cancel_scheduled")),
        (Active, SupplierEnded, Cancelled, Money::Release, Some("order.canceled")),
        (Active, WindowOver, Expired, Money::Release, Some("order.expired")),
        (Canceling, Sms, Received, Money::Capture, Some("order.otp_received")),
        (Canceling, CancelConfirmed, Cancelled, Money::Release, Some("order.canceled")),
        (Canceling, SupplierEnded, Cancelled, Money::Release, Some("order.canceled")),
        (Canceling, WindowOver, Cancelled, Money::Release, Some("order.canceled")),
        (Received, Sms, Received, Money::None, Some("order.otp_received")),
        (Received, AskMore, Received, Money::None, Some("order.resend")),
        (Received, Finish, Completed, Money::None, Some("order.completed")),
        (Received, AutoEnd, Completed, Money::None, Some("order.completed")),
        (Received, SupplierEnded, Completed, Money::None, Some("order.completed")),
        (Received, AccountDeleted, Completed, Money::None, Some("order.completed")),
    ];
    for state in State::ALL {
        for input in Input::ALL {
            let expected = moves.iter().find(|m| (m.0, m.1) == (state, input));
            let expected = expected.map(|(_, _, to, money, event)| (*to, *money, *event));
            assert_eq!(moved(state, input), expected, "{state:?} {input:?}");
        }
    }
}

#[test]
fn no_cell_leads_out_of_an_end() {
    for state in State::ALL.into_iter().filter(|state| state.is_terminal()) {
        for input in Input::ALL {
            let cell = next(state, input);
            match input {
                Input::Sms => assert_eq!(cell, Cell::Late, "{state:?}"),
                _ => assert!(matches!(cell, Cell::Done | Cell::Refused(_)), "{state:?} {input:?}"),
            }
        }
    }
}

#[test]
fn every_path_closes_its_hold_exactly_once() {
    let mut seen = BTreeSet::from([(State::Requested, Open::Nothing)]);
    let mut waiting: Vec<_> = seen.iter().copied().collect();
    while let Some((state, open)) = waiting.pop() {
        // what a state says of money is what happened on every way to it
        let expected = match state {
            State::Requested => Open::Nothing,
            State::Received | State::Completed => Open::Captured,
            State::Cancelled | State::Expired | State::Rejected => Open::Released,
            State::Calling | State::Unclear | State::Active | State::Canceling => Open::Held,
        };
        assert_eq!((open, state.holds_money()), (expected, expected == Open::Held), "{state:?}");
        for input in Input::ALL {
            let Some((to, money, _)) = moved(state, input) else {
                continue;
            };
            let after = match (open, money) {
                (_, Money::None) => open,
                (Open::Nothing, Money::Hold) => Open::Held,
                (Open::Held, Money::Capture) => Open::Captured,
                (Open::Held, Money::Release) => Open::Released,
                (open, money) => panic!("{state:?} {input:?}: {money:?} while {open:?}"),
            };
            if money == Money::Capture {
                assert_eq!(input, Input::Sms, "only an SMS is paid for");
            }
            if seen.insert((to, after)) {
                waiting.push((to, after));
            }
        }
    }
    let reached: BTreeSet<State> = seen.iter().map(|(state, _)| *state).collect();
    assert_eq!(reached.len(), State::ALL.len(), "a state that nothing leads to");
    assert_eq!(seen.len(), State::ALL.len(), "a state that is reached with different money");
}

#[test]
fn every_open_state_can_end() {
    let mut ends: BTreeSet<State> = State::ALL.into_iter().filter(|state| state.is_terminal()).collect();
    for _ in State::ALL {
        for state in State::ALL {
            let leads = |input| moved(state, input).is_some_and(|(to, _, _)| ends.contains(&to));
            if Input::ALL.into_iter().any(leads) {
                ends.insert(state);
            }
        }
    }
    assert_eq!(ends.len(), State::ALL.len());
}

#[test]
fn asking_twice_is_done_or_refused_and_never_moves_twice() {
    for state in State::ALL {
        for input in Input::ALL {
            let Some((to, money, _)) = moved(state, input) else {
                continue;
            };
            let Some((_, again, _)) = moved(to, input) else {
                continue;
            };
            // only a free step may repeat
            assert_eq!(again, Money::None, "{state:?} {input:?}");
            assert_ne!(money, Money::Release);
        }
    }
}

fn posts(entries: &[Entry]) -> Vec<&Post> {
    let mut found = Vec::new();
    for entry in entries {
        if let Entry::Post(post) = entry {
            found.push(post);
        }
    }
    found
}

#[test]
fn a_draft_posts_what_the_table_says() {
    let cases = [
        (State::Requested, Input::Place, TransferKind::Hold, "hold/1234567", "customer"),
        (State::Active, Input::Sms, TransferKind::Capture, "close/1234567", "engine"),
        (State::Canceling, Input::CancelConfirmed, TransferKind::Release, "close/1234567", "engine"),
        (State::Active, Input::WindowOver, TransferKind::Release, "close/1234567", "engine"),
        (State::Unclear, Input::LookUpOver, TransferKind::Release, "close/1234567", "engine"),
        (State::Calling, Input::Reject, TransferKind::Release, "close/1234567", "engine"),
    ];
    let customer = |bucket| Place::Customer(ACCOUNT.0, bucket);
    for (state, input, kind, id, actor) in cases {
        let mut draft = Draft::of(ACCOUNT, ORDER, 9, order(state));
        draft.advance(input, Some("why"), actor, at(70)).unwrap();
        let entries = draft.entries(10).unwrap();
        let [post] = posts(&entries)[..] else { panic!("{state:?} {input:?}") };
        let (debit, credit) = match kind {
            TransferKind::Hold => (customer(Bucket::Available), customer(Bucket::Held)),
            TransferKind::Capture => (customer(Bucket::Held), Place::House(House::revenue())),
            _ => (customer(Bucket::Held), customer(Bucket::Available)),
        };
        assert_eq!((post.kind, post.id.0.as_slice(), post.actor.as_str()), (kind, id.as_bytes(), actor));
        assert_eq!((&post.debit, &post.credit, &post.amount), (&debit, &credit, &Amount::Exact(2_080)));
        assert_eq!((post.subject.as_str(), post.reason.as_str()), ("order:1234567", "why"));
    }
}

#[test]
fn a_refused_step_leaves_no_trace() {
    for state in State::ALL {
        for input in Input::ALL {
            if moved(state, input).is_some() {
                continue;
            }
            let mut draft = Draft::of(ACCOUNT, ORDER, 9, order(state));
            let stay = draft.advance(input, Some("why"), "engine", at(70)).unwrap_err();
            let late = state.is_terminal() && input == Input::Sms;
            assert_eq!(stay == Stay::Late, late, "{state:?} {input:?}");
            assert_eq!(draft.record, order(state));
            assert_eq!(draft.entries(10).unwrap().len(), 1, "{state:?} {input:?}");
        }
    }
}

/// What may stay of an order: the accounting facts, the times, the revision, the steps
const STAYS: [&str; 24] = [
    "v",
    "state",
    "created_at",
    "product",
    "umbrella",
    "country",
    "service",
    "price_minor",
    "currency",
    "supplier",
    "routed",
    "tried",
    "look_ups",
    "revision",
    "first_sms_at",
    "last_sms_at",
    "expires_at",
    "cancel_at",
    "abandoned",
    "ended_at",
    "reason",
    "claim",
    "sequence",
    "steps",
];

#[test]
fn the_end_clears_every_field_of_content() {
    let mut ends = 0;
    for state in State::ALL.into_iter().filter(|state| !state.is_terminal()) {
        for input in Input::ALL {
            let Some((to, _, _)) = moved(state, input) else {
                continue;
            };
            if !to.is_terminal() {
                continue;
            }
            ends += 1;
            let mut full = order(State::Received);
            full.call = order(State::Calling).call;
            full.awaiting_more = true;
            full.resend_at = Some(at(100));
            full.state = state;
            let hash = full.phone_claims[0].hash.clone();
            let mut draft = Draft::of(ACCOUNT, ORDER, 9, full);
            draft.advance(input, Some("why"), "engine", at(70)).unwrap();
            let json = serde_json::to_value(&draft.record).unwrap();
            for name in json.as_object().unwrap().keys() {
                assert!(STAYS.contains(&name.as_str()), "{name} stays after {state:?} {input:?}");
            }
            assert_eq!((draft.record.ended_at, draft.record.due_at), (Some(at(70)), None));
            assert_eq!(draft.record.reason.is_some(), to != State::Completed);
            let terms = draft.record.terms(ACCOUNT, ORDER);
            assert!(terms.iter().all(|term| ["order_list", "order_status"].contains(&term.index.as_str())));
            let entries = draft.entries(10).unwrap();
            let places: Vec<i64> = entries
                .iter()
                .filter_map(|entry| match entry {
                    Entry::Count { counter, delta, .. } if counter.name == "open_orders" => Some(*delta),
                    _ => None,
                })
                .collect();
            assert_eq!(places, [-1], "{state:?} {input:?}");
            let all = format!("{json}{entries:?}");
            for secret in [PHONE, TEXT, CODE, ACTIVATION, REFERENCE, &hash] {
                assert!(!all.contains(secret), "{state:?} {input:?}");
            }
        }
    }
    assert_eq!(ends, 12);
}

#[test]
fn events_are_numbered_without_gaps_and_name_the_order_alone() {
    let mut draft = Draft::of(ACCOUNT, ORDER, 9, order(State::Active));
    draft.advance(Input::Sms, None, "engine", at(60)).unwrap();
    draft.advance(Input::Sms, None, "engine", at(61)).unwrap();
    draft.advance(Input::AskMore, None, "customer", at(62)).unwrap();
    draft.advance(Input::Finish, None, "customer", at(63)).unwrap();
    let entries = draft.entries(10).unwrap();
    let events: Vec<String> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Append { body, .. } => Some(String::from_utf8(body.as_bytes().to_vec()).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(
        events,
        [
            r#"{"v":1,"order":1234567,"sequence":2,"name":"order.otp_received"}"#,
            r#"{"v":1,"order":1234567,"sequence":3,"name":"order.otp_received"}"#,
            r#"{"v":1,"order":1234567,"sequence":4,"name":"order.resend"}"#,
            r#"{"v":1,"order":1234567,"sequence":5,"name":"order.completed"}"#,
        ]
    );
    assert_eq!(posts(&entries).len(), 1, "one capture");
}

#[test]
fn public_words_of_states() {
    use super::super::view::Status;
    for state in State::ALL {
        for awaiting in [false, true] {
            assert_eq!(state.status(awaiting).is_terminal(), state.is_terminal(), "{state:?}");
        }
    }
    assert_eq!(State::Received.status(false), Status::OtpReceived);
    assert_eq!(State::Received.status(true), Status::Active);
    for status in Status::ALL {
        assert_eq!(Status::from_word(&status.word().to_lowercase()), Some(status));
    }
    assert_eq!(Status::from_word("CANCELLED"), None, "the published API has one L");
}
