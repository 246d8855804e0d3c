#![allow(clippy::unwrap_used, reason = "tests")]

use super::decide::{raise, tried};
use super::record::{AlarmRecord, alarm_key};
use crate::time::Timestamp;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn a_cause_is_alarmed_once_an_hour() {
    let cause = ("ledger_mismatch", None);
    let first = raise(None, cause, "one", at(1_000)).unwrap();
    assert_eq!((first.count, first.due_at, first.text.as_str()), (1, Some(at(1_000)), "one"));
    for (now, again) in [(1_000, false), (4_599, false), (900, false), (4_600, true), (99_000, true)] {
        let raised = raise(Some(&first), cause, "two", at(now));
        assert_eq!(raised.is_some(), again, "{now}");
        if let Some(raised) = raised {
            assert_eq!(
                (raised.count, raised.at, raised.due_at, raised.text.as_str()),
                (2, at(now), Some(at(now)), "two")
            );
        }
    }
    assert_ne!(alarm_key("supplier_funds", Some("alpha")), alarm_key("supplier_funds", Some("beta")));
}

#[test]
fn an_alarm_is_told_until_it_has_arrived() {
    let mut record = raise(None, ("supplier_funds", Some("alpha")), "low", at(0)).unwrap();
    let mut now = at(0);
    let mut pauses = Vec::new();
    loop {
        tried(&mut record, false, now);
        let Some(due) = record.due_at else { break };
        pauses.push(due.ms_since(now) / 1_000);
        now = due;
    }
    assert_eq!(pauses[..6], [10, 60, 300, 900, 3_600, 3_600]);
    assert!((80_000..100_000).contains(&now.seconds()), "given up after a day: {}", now.seconds());
    assert!(record.terms().is_empty());
    let mut told = raise(None, ("supplier_funds", None), "low", at(0)).unwrap();
    assert_eq!(told.terms().len(), 1);
    tried(&mut told, true, at(5));
    assert_eq!((told.due_at, told.tries), (None, 0));
}

#[test]
fn records_of_earlier_programs_are_read() {
    let old: AlarmRecord = serde_json::from_str(r#"{"v":1,"at":60000000}"#).unwrap();
    assert_eq!((old.at, old.count, old.due_at), (at(60), 0, None));
    assert_eq!(raise(Some(&old), ("ledger_mismatch", None), "one", at(61)), None);
}
