#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::decide::Judged::{Agree, Differ, Leave};
use super::decide::Ours::{Pending, Taken, Unknown};
use super::decide::What::{KeptThere, OtherAmount, ReturnedThere, UnknownHere, UnknownThere};
use super::decide::{Next, Span, judge, look, narrow, next};
use super::record::{DifferenceRecord, ReconciliationRecord, difference_key};
use crate::money::{Currency, Money};
use crate::port::Charge::{self, Kept, Returned, Undecided};
use crate::time::Timestamp;

const fn kept(minor: i64) -> Charge {
    Kept(Some(Money::new(minor, Currency::Usd)))
}

#[test]
fn one_activation_at_both_sides() {
    // ours, settled before, theirs, judged; it may have cost 9
    let table = [
        (Unknown, None, Some(Undecided), Leave),
        (Unknown, None, Some(kept(0)), Agree),
        (Unknown, None, Some(Returned), Agree),
        (Unknown, None, Some(kept(5)), Differ(UnknownHere, Some(5))),
        (Unknown, None, Some(Kept(None)), Differ(UnknownHere, Some(9))),
        (Pending, None, Some(kept(5)), Leave),
        (Pending, None, Some(Returned), Leave),
        (Pending, None, None, Leave),
        (Pending, Some(5), None, Leave),
        (Taken(0), None, Some(Undecided), Leave),
        (Taken(0), None, Some(Returned), Agree),
        (Taken(0), None, Some(kept(0)), Agree),
        (Taken(0), None, None, Agree),
        (Taken(0), None, Some(kept(5)), Differ(KeptThere, Some(5))),
        (Taken(0), None, Some(Kept(None)), Differ(KeptThere, Some(9))),
        (Taken(5), None, Some(Undecided), Leave),
        (Taken(5), None, Some(kept(5)), Agree),
        (Taken(5), None, Some(Kept(None)), Agree),
        (Taken(5), None, Some(kept(7)), Differ(OtherAmount, Some(2))),
        (Taken(5), None, Some(kept(3)), Differ(OtherAmount, Some(-2))),
        (Taken(5), None, Some(Returned), Differ(ReturnedThere, Some(-5))),
        (Taken(5), None, None, Differ(UnknownThere, Some(-5))),
        // what was settled counts as ours
        (Taken(0), Some(5), Some(kept(5)), Agree),
        (Taken(0), Some(5), Some(Kept(None)), Agree),
        (Taken(0), Some(0), Some(Kept(None)), Agree),
        (Taken(0), Some(5), Some(kept(6)), Differ(OtherAmount, Some(1))),
        (Taken(0), Some(5), Some(Returned), Differ(ReturnedThere, Some(-5))),
        (Taken(5), Some(-5), Some(Returned), Agree),
        (Taken(5), Some(-5), None, Agree),
        (Taken(5), Some(-5), Some(kept(5)), Differ(KeptThere, Some(5))),
        (Unknown, Some(5), Some(kept(5)), Agree),
        (Unknown, Some(5), Some(Returned), Differ(ReturnedThere, Some(-5))),
        // an orphan that was found and booked after its difference was
        (Taken(5), Some(5), Some(kept(5)), Differ(OtherAmount, Some(-5))),
    ];
    for (ours, settled, theirs, expected) in table {
        assert_eq!(judge(ours, settled, theirs, Some(9)), expected, "{ours:?} {settled:?} {theirs:?}");
    }
    assert_eq!(judge(Unknown, None, Some(Kept(None)), None), Differ(UnknownHere, None), "nobody knows how much");
    let most = judge(Taken(i64::MAX), Some(i64::MAX), Some(kept(i64::MIN)), None);
    assert_eq!(most, Differ(OtherAmount, Some(i64::MIN)), "no sum overflows");
}

fn record(taken_minor: Option<i64>, is_open: bool, settled_minor: i64) -> DifferenceRecord {
    DifferenceRecord {
        v: 1,
        case: "old".into(),
        supplier: "alpha".into(),
        activation: Some("1".into()),
        what: KeptThere,
        taken_minor,
        currency: Currency::Usd,
        settled_minor,
        noted_minor: 0,
        settled_at: (settled_minor != 0).then_some(Timestamp::from_seconds(60)),
        is_open,
        since: Timestamp::from_seconds(60),
    }
}

#[test]
fn what_becomes_of_a_difference() {
    let now = Timestamp::from_seconds(600);
    let after = |old: Option<&DifferenceRecord>, judged| next(old, judged, ("alpha", "1", Currency::Usd), "new", now);
    let (open, settled, again) = (record(Some(5), true, 0), record(None, false, 5), record(Some(-5), true, 5));
    let fresh = DifferenceRecord { case: "new".into(), since: now, ..open.clone() };
    let table = [
        (None, Leave, Next::Same),
        (None, Agree, Next::Same),
        (None, Differ(KeptThere, Some(5)), Next::Write(fresh.clone())),
        (Some(&open), Leave, Next::Same),
        (Some(&open), Agree, Next::Remove),
        (Some(&open), Differ(KeptThere, Some(5)), Next::Same),
        // another amount is the same case, still waiting since it was found
        (
            Some(&open),
            Differ(KeptThere, Some(6)),
            Next::Write(DifferenceRecord { taken_minor: Some(6), ..open.clone() }),
        ),
        (Some(&settled), Leave, Next::Same),
        (Some(&settled), Agree, Next::Same),
        // what comes after it was settled is another case
        (
            Some(&settled),
            Differ(ReturnedThere, Some(-5)),
            Next::Write(DifferenceRecord {
                what: ReturnedThere,
                taken_minor: Some(-5),
                settled_minor: 5,
                settled_at: settled.settled_at,
                ..fresh
            }),
        ),
        // and if that is none any more, what was settled first is remembered
        (Some(&again), Agree, Next::Write(DifferenceRecord { taken_minor: None, is_open: false, ..again.clone() })),
    ];
    for (old, judged, expected) in table {
        assert_eq!(after(old, judged), expected, "{old:?} {judged:?}");
    }
}

#[test]
fn what_is_not_booked_of_a_difference() {
    assert_eq!(record(Some(5), true, 0).unbooked_minor(), 5);
    assert_eq!(record(None, true, 0).unbooked_minor(), 0, "nobody knows how much");
    assert_eq!(record(None, false, 5).unbooked_minor(), 0, "booked");
    let noted = DifferenceRecord { noted_minor: 5, ..record(None, false, 5) };
    assert_eq!(noted.unbooked_minor(), 5);
    assert_eq!(DifferenceRecord { taken_minor: Some(-5), is_open: true, ..noted }.unbooked_minor(), 0, "given back");
    assert_eq!(record(Some(5), true, 0).terms().len(), 2, "it waits");
    assert!(record(None, false, 5).terms().is_empty());
}

#[test]
fn looks_at_a_balance_make_what_came_in_narrower() {
    let span = |low, high| Span { low, high };
    // known before, a look, known after, what was taken
    let table = [
        (None, look(90, 10, 0), span(100, 100), 0),
        (None, look(90, 10, 5), span(100, 105), 0),
        // ten bought, all of it booked, or under way
        (Some(span(100, 100)), look(80, 20, 0), span(100, 100), 0),
        (Some(span(100, 100)), look(80, 10, 10), span(100, 100), 0),
        (Some(span(100, 105)), look(80, 23, 30), span(103, 105), 0),
        (Some(span(100, 105)), look(80, 18, 4), span(100, 102), 0),
        // a top-up, and money that went
        (Some(span(100, 100)), look(580, 20, 0), span(600, 600), -500),
        (Some(span(100, 100)), look(70, 20, 0), span(90, 90), 10),
        // as much as is sure
        (Some(span(100, 105)), look(70, 20, 4), span(90, 94), 6),
        (Some(span(100, 105)), look(90, 20, 4), span(110, 114), -5),
    ];
    for (before, now, after, taken) in table {
        assert_eq!(narrow(before, now), (after, taken), "{before:?} {now:?}");
    }
    assert_eq!(look(i64::MAX, i64::MAX, i64::MAX), span(i64::MAX, i64::MAX));
}

#[test]
fn ids_of_any_length_and_records_of_later_programs() {
    let key = difference_key("alpha", &"7".repeat(500));
    assert!(key.id.len() <= 128);
    assert_ne!(difference_key("alpha", "1"), super::record::balance_key("alpha", "1"));
    let state = ReconciliationRecord::new(Timestamp::from_seconds(60));
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(text, r#"{"v":1,"due_at":60000000}"#);
    let later: ReconciliationRecord = serde_json::from_str(r#"{"v":1,"due_at":60000000,"more":1}"#).unwrap();
    assert_eq!(later, state);
    let told = format!("{:?}", record(Some(5), true, 0));
    assert!(!told.contains("old") && told.contains("KeptThere"), "{told}");
    let stored = serde_json::to_string(&record(None, false, 0)).unwrap();
    assert!(!stored.contains("taken") && !stored.contains("settled"), "{stored}");
}
