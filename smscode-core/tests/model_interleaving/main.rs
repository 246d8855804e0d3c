//! Exhaustive interleaving for one order: all orders of the supplier's answers, SMS, a second and a late one, cancel,
//! finish, expiry and deletion, with a crash between any two steps.
//!
//! It runs the real engine on a memory store. Every commit that concerns the order and every call of a supplier waits at
//! a gate; a schedule chooses what happens next, and a search makes every schedule within its bounds, each distinct
//! state once. A supplier's call has two gates: before the supplier takes it, and before its answer arrives. Reads of the
//! store pass, since what was read is judged at the commit.
//!
//! What the bounds leave out: more than one order, one node, one thing that goes wrong in a schedule; sets of events that
//! no search lists ([`SEARCHES`]); a commit that ends without a word, unless its process dies with it (the whole-platform
//! simulation has those); and while a step is held back time does not pass, unless that is what goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod base;
mod canonical;
mod choices;
mod hub;
mod invariants;
mod search;
mod stored;
mod supplier;
mod world;

use std::collections::HashSet;

use choices::Event::{self, Cancel, DeleteAccount, Finish, LateSms, SecondSms, Sms};
use search::{explore, shrink, tell};
use stored::Planted;
use world::{Bounds, Wrong};

/// Threads of one search: what a small machine has.
const WORKERS: usize = 2;

/// Fewer distinct states than these, and the searches do not search any more.
const STATES_MIN: usize = 20_000;

const fn bounds(wrong: Wrong, events: &'static [Event]) -> Bounds {
    Bounds { wrong, events, planted: Planted::Nothing, lost_is_no: false }
}

const SEARCHES: [Bounds; 7] = [
    bounds(Wrong::Nothing, &[Sms, SecondSms, LateSms, Cancel]),
    bounds(Wrong::Nothing, &[Sms, Cancel, Finish]),
    bounds(Wrong::Nothing, &[Sms, DeleteAccount]),
    bounds(Wrong::Crash, &[Sms]),
    bounds(Wrong::Crash, &[Cancel]),
    bounds(Wrong::Crash, &[DeleteAccount]),
    bounds(Wrong::Supplier, &[Cancel]),
];

/// With this set to `1` the wider searches are made, too: minutes with an optimised core, an hour without.
const WIDE: &str = "SMSCODE_INTERLEAVING_WIDE";

const WIDE_SEARCHES: [Bounds; 6] = [
    bounds(Wrong::Crash, &[Sms, Cancel]),
    bounds(Wrong::Crash, &[Sms, Finish]),
    bounds(Wrong::Crash, &[Sms, SecondSms]),
    bounds(Wrong::Crash, &[Sms, DeleteAccount]),
    bounds(Wrong::Nothing, &[Sms, Cancel, DeleteAccount]),
    bounds(Wrong::Nothing, &[Sms, SecondSms, LateSms, Cancel, Finish, DeleteAccount]),
];

#[test]
fn all_orders_of_everything() {
    let wide = std::env::var(WIDE).is_ok_and(|value| value == "1");
    let mut states = HashSet::new();
    for bounds in SEARCHES.into_iter().chain(WIDE_SEARCHES.into_iter().filter(|_| wide)) {
        let report = explore(bounds, WORKERS);
        println!("{bounds:?}: {report}");
        if let Some(found) = report.found {
            panic!("{}", tell(bounds, &shrink(bounds, found)));
        }
        states.extend(report.states);
    }
    println!("exhaustive interleaving: {} distinct states, no violation", states.len());
    assert!(states.len() >= STATES_MIN, "{} states", states.len());
}

/// A search that cannot fail proves nothing: each of these bugs is found, with a short schedule.
#[test]
fn planted_bugs_are_found() {
    let planted = |planted, events| Bounds { planted, ..bounds(Wrong::Nothing, events) };
    let cases = [
        ("an order is written without a look whether it has changed", planted(Planted::BlindWrites, &[Sms, Cancel])),
        ("the number stays in the record of an order that has ended", planted(Planted::KeepsTheNumber, &[])),
        ("the money goes back although an SMS came", planted(Planted::ReleasesEverything, &[Sms])),
        ("what comes back after the deletion is not given up", planted(Planted::ForgetsTheForfeit, &[DeleteAccount])),
        ("an adapter takes a lost answer for a rejection", Bounds { lost_is_no: true, ..bounds(Wrong::Supplier, &[]) }),
    ];
    for (bug, bounds) in cases {
        let report = explore(bounds, 1);
        let states = report.states.len();
        let found = report.found.unwrap_or_else(|| panic!("not found: {bug}"));
        let found = shrink(bounds, found);
        println!("planted: {bug}: found after {states} states, with {} steps", found.schedule.len());
        println!("{}", tell(bounds, &found));
    }
}
