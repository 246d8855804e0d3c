//! The rules of routing, as tables.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::breaker::{Breaker, BreakerEvent, BreakerRule, BreakerState, Ratio};
use super::calls::CallKind;
use super::condition::{Condition, Ended, Standing};
use super::delivery::{Deliveries, PAIRS_MAX, Pairs};
use super::funds::Funds;
use super::window::{Tally, Window};
use super::{Figures, rank, surest_first};
use crate::catalogue::Product;
use crate::money::{Currency, Money};
use crate::order::Policy;
use crate::time::Timestamp;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000).plus_ms(ms)
}

const RULE: BreakerRule = BreakerRule {
    failures_in_row: 3,
    failures_ppm: 500_000,
    calls_min: 10,
    pause_ms: 10_000,
    pause_max_ms: 35_000,
    silence_ms: 10_000,
};

fn bought(failed: bool) -> BreakerEvent {
    BreakerEvent::Purchase { failed, recent: Ratio { part: 1, all: 9 } }
}

fn open(ms: i64) -> BreakerState {
    BreakerState::Open { until: at(ms) }
}

#[test]
fn the_breaker_step_by_step() {
    use BreakerEvent::{Begins, Other};
    use BreakerState::{Closed, HalfOpen};
    let (ok, no) = (bought(false), bought(true));
    // each line: time, event, state after it, whether a purchase is admitted then
    let story = [
        (0, Begins, Closed, true),
        (0, no, Closed, true),
        (1, no, Closed, true),
        (2, ok, Closed, true),
        (3, no, Closed, true),
        (4, no, Closed, true),
        (5, no, open(10_005), false),
        // one that began before changes nothing, whatever it says
        (6, no, open(10_005), false),
        (7, ok, open(10_005), false),
        // reads fail, too: the pause goes on until one succeeds
        (8, Other { failed: true }, open(10_005), false),
        (10_100, Other { failed: true }, open(10_005), false),
        (10_200, Other { failed: false }, HalfOpen { probing: false }, true),
        (10_300, Begins, HalfOpen { probing: true }, false),
        (10_301, Other { failed: false }, HalfOpen { probing: true }, false),
        (10_400, no, open(30_400), false),
        (30_400, Begins, HalfOpen { probing: true }, false),
        (30_500, no, open(65_500), false),
        (65_500, Begins, HalfOpen { probing: true }, false),
        (65_600, no, open(100_600), false),
        (100_600, Begins, HalfOpen { probing: true }, false),
        (100_700, ok, Closed, true),
        // the pauses begin anew
        (100_701, Other { failed: true }, Closed, true),
        (100_702, Other { failed: true }, Closed, true),
        (100_703, Other { failed: true }, open(110_703), false),
        (110_703, Other { failed: true }, open(110_703), false),
    ];
    let mut breaker = Breaker::NEW;
    for (n, (ms, event, state, admits)) in story.into_iter().enumerate() {
        breaker = breaker.step(&RULE, event, at(ms));
        assert_eq!((breaker.state(at(ms)), breaker.admits(at(ms))), (state, admits), "line {n}");
    }
    assert!(breaker.is_out_of_reach(&RULE));
}

#[test]
fn the_breaker_opens_by_a_ratio_of_enough_calls() {
    let cases = [
        // failed, all, opens
        (9, 9, false),
        (5, 10, true),
        (4, 10, false),
        (10, 19, true),
        (9, 19, false),
        (u32::MAX, u32::MAX, true),
    ];
    for (part, all, opens) in cases {
        let event = BreakerEvent::Purchase { failed: true, recent: Ratio { part, all } };
        let breaker = Breaker::NEW.step(&RULE, event, at(0));
        assert_eq!(!breaker.admits(at(0)), opens, "{part} of {all}");
    }
}

#[test]
fn pauses_never_overflow() {
    let rule = BreakerRule { pause_ms: i64::MAX / 2, pause_max_ms: 600_000, failures_in_row: 1, ..RULE };
    let mut breaker = Breaker::NEW;
    for n in 0..100 {
        breaker = breaker.step(&rule, bought(true), at(n * 600_000));
        assert_eq!(breaker.state(at(n * 600_000)), open((n + 1) * 600_000));
    }
}

#[test]
fn what_counts_as_standing() {
    let buy = CallKind::Purchase;
    let end = |condition: &mut Condition, ended, ms| {
        condition.begins(buy, at(ms));
        condition.ended(buy, ended, true, 20, at(ms));
    };
    let mut condition = Condition::new(RULE);
    assert_eq!(condition.standing(at(0)), Standing::Selling);
    for ms in 0..3 {
        end(&mut condition, Ended::Failed, ms);
    }
    assert_eq!((condition.standing(at(3)), condition.admits(at(3))), (Standing::Resting, false));
    assert_eq!(condition.standing(at(10_002)), Standing::Probing);
    condition.begins(buy, at(10_003));
    assert!(!condition.admits(at(10_003)), "one at a time");
    assert!(condition.standing(at(10_003)).sells(), "its offers are shown meanwhile");
    condition.ended(buy, Ended::Fine, true, 20, at(10_004));
    assert_eq!(condition.standing(at(10_004)), Standing::Selling);
    assert_eq!(condition.calls(buy, at(10_004)).count, 0, "judged afresh");
    // money
    end(&mut condition, Ended::NoFunds(500), 20_000);
    assert_eq!(condition.standing(at(20_000)), Standing::OutOfFunds);
    condition.funds.read(Money::new(499, Currency::Usd), None, at(20_001));
    assert_eq!(condition.standing(at(20_001)), Standing::OutOfFunds, "not enough for what was refused");
    condition.funds.read(Money::new(500, Currency::Usd), None, at(20_002));
    assert_eq!(condition.standing(at(20_002)), Standing::Selling);
    // the operator's word counts before everything
    condition.drained = true;
    end(&mut condition, Ended::NoFunds(500), 20_003);
    assert_eq!((condition.standing(at(20_003)), condition.admits(at(20_003))), (Standing::Drained, false));
}

#[test]
fn who_owes_an_answer_for_long_is_silent() {
    let read = CallKind::Read;
    let mut condition = Condition::new(RULE);
    condition.begins(read, at(0));
    condition.begins(read, at(5_000));
    let silent = |condition: &Condition, ms| {
        assert_eq!(condition.is_out_of_reach(at(ms)), condition.standing(at(ms)) == Standing::Resting);
        condition.is_out_of_reach(at(ms))
    };
    assert!(!silent(&condition, 9_999));
    assert!(silent(&condition, 10_000));
    // any answer counts, also if another call is still owed one
    condition.ended(read, Ended::Fine, true, 10_000, at(10_000));
    assert!(!silent(&condition, 19_999));
    assert!(silent(&condition, 20_000));
    // a call that was given up is no answer
    condition.begins(read, at(20_000));
    condition.ended(read, Ended::Failed, false, 20_000, at(25_000));
    assert!(silent(&condition, 25_000));
    condition.ended(read, Ended::Failed, false, 5_000, at(25_001));
    assert!(!silent(&condition, 40_000), "nothing is under way");
}

#[test]
fn calls_of_five_minutes_with_classes_of_time() {
    let mut condition = Condition::new(RULE);
    let none = condition.calls(CallKind::Read, at(0)).figures();
    assert_eq!((none.calls, none.half_within_ms, none.most_within_ms), (0, None, None));
    for (n, took_ms) in [10, 40, 60, 900, 99_000].into_iter().enumerate() {
        condition.begins(CallKind::Read, at(0));
        condition.ended(CallKind::Read, if n == 4 { Ended::Failed } else { Ended::Fine }, true, took_ms, at(0));
    }
    let some = condition.calls(CallKind::Read, at(0)).figures();
    assert_eq!((some.calls, some.failed, some.half_within_ms, some.most_within_ms), (5, 1, Some(100), Some(u32::MAX)));
    assert_eq!(condition.calls(CallKind::Read, at(270_000)).count, 5);
    assert_eq!(condition.calls(CallKind::Read, at(300_000)).count, 0);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sum(u32);

impl Tally for Sum {
    fn add(&mut self, other: &Self) {
        self.0 += other.0;
    }
}

#[test]
fn a_window_forgets_what_is_old_and_survives_any_clock() {
    let mut window: Window<Sum, 3> = Window::new(1_000);
    let cases = [
        // ms, added, sum then, sum a second later
        (0, 1, 1, 1),
        (999, 1, 2, 2),
        (1_000, 1, 3, 3),
        (2_500, 1, 4, 2),
        (3_000, 1, 3, 2),
        // set back: counts into the newest
        (0, 1, 4, 4),
        (1_000_000, 1, 1, 1),
        (1_002_999, 1, 2, 1),
    ];
    for (ms, added, sum, later) in cases {
        window.now(at(ms)).0 += added;
        assert_eq!((window.sum(at(ms)).0, window.sum(at(ms + 1_000)).0), (sum, later), "at {ms}");
    }
    window.now(Timestamp(i64::MAX)).0 += 1;
    assert_eq!(window.sum(Timestamp(i64::MAX)).0, 1);
    assert_eq!(Window::<Sum, 3>::new(0).sum(Timestamp(i64::MIN)).0, 0);
}

#[test]
fn what_is_low() {
    let usd = |minor| Money::new(minor, Currency::Usd);
    let mut funds = Funds::new();
    let cases = [
        // minute, spent, balance, threshold, low
        (0, 0, 1_000, None, false),
        (1, 600, 1_000, None, false),
        (2, 500, 1_000, None, true),
        (3, 0, 1_000, None, true),
        (61, 0, 1_000, None, false),
        (62, 0, 1_000, Some(1_001), true),
        (123, 0, 1_001, Some(1_001), false),
        (124, 0, 0, Some(0), false),
    ];
    for (minute, spent, balance, threshold, low) in cases {
        let now = at(minute * 60_000);
        funds.spent(spent, now);
        funds.read(usd(balance), threshold, now);
        assert_eq!(funds.is_low(), low, "minute {minute}");
    }
    funds.refused(300);
    funds.refused(200);
    assert!(funds.is_out());
    for (balance, threshold, out) in [(0, None, true), (299, None, true), (300, Some(301), true), (300, None, false)] {
        funds.read(usd(balance), threshold, at(7_500_000));
        assert_eq!(funds.is_out(), out, "{balance}");
    }
    funds.refused(300);
    funds.cannot_be_read();
    assert!(!funds.is_out());
}

#[test]
fn few_deliveries_are_neutral() {
    let cases = [
        // delivered, ended, rank
        (0, 0, 10),
        (1, 1, 10),
        (0, 1, 9),
        (3, 3, 12),
        (0, 10, 5),
        (10, 10, 15),
        (60, 100, 11),
        (95, 100, 18),
        (0, 1_000_000, 0),
        (1_000_000, 1_000_000, 19),
    ];
    for (delivered, ended, rank) in cases {
        assert_eq!(Deliveries { ended, delivered }.rank(), rank, "{delivered} of {ended}");
    }
}

#[test]
fn pairs_are_bounded_and_the_least_recent_goes() {
    let mut pairs = Pairs::default();
    for n in 0..PAIRS_MAX as i64 {
        pairs.ended(6, &format!("s{n}"), n % 2 == 0, at(n));
    }
    pairs.ended(6, "s0", true, at(10_000));
    for n in 0..10 {
        pairs.not_sold(7, &format!("s{n}"), at(10_001 + n));
    }
    assert_eq!(pairs.len(), PAIRS_MAX);
    assert_eq!(pairs.of(6, "s0", at(10_020)), Deliveries { ended: 2, delivered: 2 });
    assert_eq!(pairs.of(6, "s1", at(10_020)), Deliveries::default(), "it made room");
    assert_eq!(pairs.all(at(10_020)).ended, 1 + PAIRS_MAX as u32 - 10);
    assert!(pairs.is_not_sold(7, "s9", at(600_009)) && !pairs.is_not_sold(7, "s9", at(610_010)));
    assert_eq!(pairs.of(6, "s0", at(10_000 + 7_200_000)), Deliveries::default(), "two hours later");
}

fn product(id: u32, supplier: &str, price: i64) -> Product {
    Product {
        id,
        umbrella: 1,
        country: 6,
        service: "wa".into(),
        supplier: supplier.into(),
        cost: Money::new(price, Currency::Idr),
        price: Money::new(price, Currency::Idr),
        available: 5,
    }
}

#[test]
fn offers_by_policy() {
    use Policy::{BestSuccess, Cheapest};
    // alpha is cheap and delivers seldom, beta and gamma deliver alike, delta is new, eps does not sell it
    let offers = [
        product(1, "alpha", 100),
        product(2, "beta", 300),
        product(3, "gamma", 200),
        product(4, "delta", 150),
        product(5, "eps", 50),
        product(6, "zeta", 100),
    ];
    let figures = |product: &Product| {
        let (delivered, ended) = match product.supplier.as_str() {
            "alpha" => (10, 100),
            "beta" => (90, 100),
            "gamma" => (89, 100),
            _ => (0, 0),
        };
        let (not_sold, shaky) = (product.supplier == "eps", product.supplier == "gamma");
        Figures { deliveries: Deliveries { ended, delivered }, not_sold, shaky }
    };
    let cases = [
        // policy, preferred, order, order after a refusal
        (Cheapest, None, [1, 6, 4, 3, 2], [1, 6, 4, 2, 3]),
        (BestSuccess, None, [3, 2, 6, 4, 1], [2, 6, 4, 1, 3]),
        (Cheapest, Some("Beta"), [2, 1, 6, 4, 3], [2, 1, 6, 4, 3]),
        (BestSuccess, Some("alpha"), [1, 3, 2, 6, 4], [1, 2, 6, 4, 3]),
        (BestSuccess, Some("nobody"), [3, 2, 6, 4, 1], [2, 6, 4, 1, 3]),
    ];
    for (n, (policy, prefer, first, later)) in cases.into_iter().enumerate() {
        let ids = |ranked: &[&Product]| ranked.iter().map(|product| product.id).collect::<Vec<_>>();
        let mut ranked = rank(offers.iter().collect(), policy, prefer, &figures);
        assert_eq!(ids(&ranked), first, "case {n}");
        surest_first(&mut ranked, &figures);
        assert_eq!(ids(&ranked), later, "case {n}");
    }
}
