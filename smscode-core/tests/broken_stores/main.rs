//! The suite is sharp: stores that are broken on purpose are caught, each by a case of the rule that it breaks.
//!
//! Each fault is one that a real adapter could have: a bound that is off by one, a cache that is stale, a table that was
//! forgotten, rows locked in no order. The table below says which rule it breaks and which case sees it.

#![allow(clippy::print_stdout, reason = "a test says what it found")]

/// The faults of a family, numbered, since a fixture is a type.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is wrong with a store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

mod at_the_port;
mod inside;

use std::collections::BTreeSet;

use smscode_core::conformance::{CASES, Fixture, Needs, Verdict, case, model, run};

/// The cases that fail on a store. It is excused from nothing, so what it cannot do is not asked of it.
fn caught<F: Fixture>() -> BTreeSet<&'static str> {
    let shared = run(async { Ok(F::open(1).await.store().describe().await?.shared) }).unwrap_or(false);
    CASES
        .iter()
        .filter(|case| case.needs == Needs::Nothing || (case.needs == Needs::Shared && shared))
        .filter(|known| run(case::<F>(known.name, 64)).is_err())
        .map(|known| known.name)
        .collect()
}

/// A fault, the rule that it breaks (0: what is said at the port's methods), and the cases that must catch it, of which
/// the first is one of that rule.
struct Broken {
    fault: &'static str,
    rule: u8,
    cases: &'static [&'static str],
}

fn check<F: Fixture>(broken: &Broken) {
    let Broken { fault, rule, cases } = broken;
    let caught = caught::<F>();
    println!("rule {rule:2}: {fault} is caught by {} cases, such as {}", caught.len(), cases[0]);
    for case in *cases {
        assert!(caught.contains(case), "{fault} passes {case}; caught by {caught:?}");
    }
}

macro_rules! broken {
    ($($test:ident: $family:ident $fault:ident breaks $rule:literal: $($case:ident)*;)*) => {
        const BROKEN: &[Broken] = &[$(Broken {
            fault: concat!(stringify!($family), " ", stringify!($fault)),
            rule: $rule,
            cases: &[$(stringify!($case)),*],
        },)*];

        broken_tests! { 0usize, $($test $family $fault;)* }
    };
}

macro_rules! broken_tests {
    ($at:expr,) => {};
    ($at:expr, $test:ident $family:ident $fault:ident; $($rest:tt)*) => {
        #[test]
        fn $test() {
            check::<$family::Faulty<{ $family::Fault::$fault as usize }>>(&BROKEN[$at]);
        }
        broken_tests! { $at + 1usize, $($rest)* }
    };
}

broken! {
    documents_that_are_rewritten: at_the_port BodiesAreRewritten breaks 0:
        port_bodies_of_records_come_back_byte_for_byte port_bodies_of_events_come_back_byte_for_byte;

    a_condition_that_is_ignored: at_the_port EnsureIgnored breaks 1:
        rule_01_every_kind_of_expectation_is_judged rule_07_two_conditions_cannot_cross;
    caps_that_are_judged_before_money: inside CountersBeforeFloors breaks 1:
        rule_01_each_failure_hides_the_later_ones rule_01_order_of_entries_does_not_matter;
    expectations_in_the_order_of_entries: inside ExpectationsAsListed breaks 1:
        rule_01_expectations_in_key_order;

    places_that_stay: at_the_port TermsAreKept breaks 2:
        rule_02_put_replaces_all_terms rule_10_members_see_the_earlier_ones;
    ids_that_end_at_zero: at_the_port IdsEndAtZero breaks 2: rule_02_ids_are_any_bytes;
    half_of_a_refused_one: at_the_port HalfOnRefusal breaks 2:
        rule_02_floor_refused_leaves_no_trace rule_02_counter_refused_leaves_no_trace;
    a_lost_term_of_a_family: inside FamilyTermsStay breaks 2: rule_02_a_family_that_comes_back_has_only_its_new_terms;
    an_id_that_a_refusal_takes: inside RefusedIdStays breaks 2: rule_02_refused_operation_id_is_free;

    floors_judged_per_leg: inside FloorsPerLeg breaks 3: rule_03_floors_are_judged_on_end_values;
    a_statement_that_shows_the_end: inside StatementShowsEnd breaks 3: rule_03_statement_has_the_balances_after_each;

    totals_without_the_house: at_the_port TotalsForgetHouse breaks 4:
        rule_04_totals_add_up_per_currency rule_09_a_busy_house_account_adds_up;
    totals_without_debt: at_the_port TotalsForgetDebt breaks 4: rule_04_totals_count_debt;
    totals_without_open_holds: at_the_port TotalsForgetOpenHolds breaks 4: rule_04_open_holds_follow_holds_and_closings;
    accounts_that_conflict: inside AccountsConflict breaks 4: rule_04_deposits_in_parallel_do_not_conflict;
    house_transfers_without_an_id: inside HouseIdsForgotten breaks 4: rule_04_a_transfer_id_exists_once;

    a_replay_that_looks_new: at_the_port ReplayFlagLost breaks 5:
        rule_05_sent_again_the_outcome_comes_back rule_10_twins_in_one_group;
    a_replay_without_its_outcome: at_the_port ReplayOutcomeLost breaks 5:
        rule_05_sent_again_the_outcome_comes_back port_outcomes_come_back_byte_for_byte;
    a_fingerprint_that_is_ignored: at_the_port FingerprintIgnored breaks 5:
        rule_05_other_content_is_refused rule_01_operation_id_comes_before_all_else;
    ids_that_are_kept_for_a_day: inside IdsKeptOneDay breaks 5: rule_05_ids_are_kept_48_hours;
    ids_that_are_kept_for_ever: inside IdsKeptForEver breaks 5: rule_05_what_is_forgotten_gives_its_room_back;

    a_commit_that_applies_twice: at_the_port CommitsTwice breaks 6:
        rule_06_sent_at_once_many_times_it_happens_once rule_05_sent_again_the_outcome_comes_back;
    a_retry_that_is_taken_as_new: inside RetryIsNew breaks 6: rule_06_after_a_dropped_commit_it_is_sent_again;
    a_commit_in_two_transactions: at_the_port TwoTransactions breaks 6: rule_06_a_dropped_commit_is_whole_or_nothing;

    a_scan_that_drops_its_last_row: at_the_port ScanDropsLastRow breaks 7:
        rule_07_scan_terms_ascend_by_bytes rule_07_scan_limit_is_cut_to_1_and_1000;
    a_cursor_that_skips_equal_places: at_the_port CursorSkipsShared breaks 7:
        rule_07_scan_pages_through_one_position rule_07_scan_cursor_outlives_its_row;
    a_cursor_that_is_lost: at_the_port CursorLost breaks 7:
        rule_07_scan_limit_is_cut_to_1_and_1000 rule_07_scan_terms_ascend_by_bytes;
    a_range_that_includes_its_end: at_the_port UntilIncluded breaks 7:
        rule_07_scan_ranges_include_from_and_exclude_until;
    a_limit_that_is_not_cut: at_the_port LimitNotCut breaks 7: rule_07_scan_limit_is_cut_to_1_and_1000;
    a_head_that_is_stale: at_the_port LoadsStaleHeads breaks 7: rule_07_a_scan_sees_every_commit_that_returned;
    a_load_that_is_no_view: at_the_port LoadsKeyByKey breaks 7:
        rule_07_a_load_is_one_view rule_02_a_view_never_shows_half;
    a_scan_that_misses_a_finished_commit: inside ScanMissesFinished breaks 7:
        rule_07_a_scan_sees_every_commit_that_returned;
    totals_in_two_views: inside TotalsInTwoViews breaks 7: rule_07_totals_are_one_view;

    a_family_that_is_cut_at_a_page: inside FamilyCutAt1000 breaks 8: rule_08_delete_owned_1024;
    a_load_without_a_limit: inside LoadWithoutLimit breaks 8: rule_08_load_2048_keys;

    times_in_milliseconds: inside TimesInMilliseconds breaks 9: rule_09_the_only_time_is_the_header;
    a_fold_that_forgets: inside FoldForgets breaks 9: rule_09_a_busy_house_account_adds_up;

    a_store_that_gives_up_when_busy: at_the_port GivesUpWhenBusy breaks 10: rule_10_more_than_a_group_waits;
    half_a_group: inside HalfAGroup breaks 10: rule_10_more_than_a_group_waits;
    one_that_fails_all: inside OneFailsAll breaks 10: rule_10_one_that_fails_does_not_fail_the_others;
    ids_that_each_node_knows_alone: inside IdsPerNode breaks 10: rule_10_twins_at_two_nodes_have_one_winner;
    a_node_that_caches: inside NodeCaches breaks 10: rule_10_a_second_node_sees_what_returned;
    nodes_that_judge_apart: inside NodesJudgeApart breaks 10: rule_10_two_nodes_share_money_and_caps;
    locks_in_the_order_of_entries: inside LocksAsListed breaks 10: rule_10_crossed_locks_all_end;

    a_family_that_stays: at_the_port DeleteOwnedIgnored breaks 11:
        rule_11_every_kind_of_entry_in_one rule_02_delete_owned_removes_records_and_terms
        rule_10_a_family_deleted_and_joined_in_one_group;
    kinds_that_must_be_known: inside KnownKindsOnly breaks 11: rule_11_an_invented_kind_needs_no_adapter_code;
}

/// Every rule has a broken store, and every broken store is named for a case of the rule that it breaks.
#[test]
fn the_table_of_broken_stores() {
    println!("{} broken stores: rule | fault | caught by", BROKEN.len());
    for Broken { fault, rule, cases } in BROKEN {
        println!("  {rule:2} | {fault} | {}", cases[0]);
        let case = CASES.iter().find(|case| case.name == cases[0]);
        assert_eq!(case.map(|case| case.rule), Some(*rule), "{fault}: {} is no case of rule {rule}", cases[0]);
    }
    let rules: BTreeSet<u8> = BROKEN.iter().map(|broken| broken.rule).filter(|rule| *rule > 0).collect();
    assert_eq!(rules, (1..=11).collect());
    let names: BTreeSet<&str> = BROKEN.iter().map(|broken| broken.fault).collect();
    let sound = ["at_the_port None", "at_the_port Shuffles", "inside None"];
    let faults = at_the_port::Fault::ALL.len() + inside::Fault::ALL.len();
    assert_eq!(names.len() + sound.len(), faults, "every fault stands in the table, once");
}

#[test]
fn the_wrapper_itself_is_sound() {
    type Sound = at_the_port::Faulty<{ at_the_port::Fault::None as usize }>;
    assert_eq!(caught::<Sound>(), BTreeSet::new());
    // what it is not excused from by name, it fails
    let known = run(case::<Sound>("durable_records_and_terms_survive", 1));
    assert!(known.is_err(), "a store that cannot do it must be excused by name");
    assert_eq!(run(case::<Sound>("rule_05_other_content_is_refused", 1)), Ok(Verdict::Passed));
    assert!(run(case::<Sound>("rule_99_no_such_case", 1)).is_err());
}

/// The adapter is sound but for its faults, alone and as two nodes, in groups of every size.
#[test]
fn the_adapter_itself_is_sound() {
    type Sound = inside::Faulty<{ inside::Fault::None as usize }>;
    assert_eq!(caught::<Sound>(), BTreeSet::new());
    for case_of_two in CASES.iter().filter(|case| case.needs == Needs::Shared) {
        for group_max in [1, 2, 64] {
            assert_eq!(run(case::<Sound>(case_of_two.name, group_max)), Ok(Verdict::Passed));
        }
    }
    let found = run(model::check::<Sound>(64, 1, 3_000));
    assert!(found.is_ok(), "{found:?}");
}

/// A store may judge a crowd in any order: neither the cases nor the model take offence.
#[test]
fn a_store_that_shuffles_is_sound() {
    type Shuffling = at_the_port::Faulty<{ at_the_port::Fault::Shuffles as usize }>;
    assert_eq!(caught::<Shuffling>(), BTreeSet::new());
    for (seed, group) in [(1, 64), (2, 1), (3, 2), (102, 64)] {
        let found = run(model::check::<Shuffling>(group, seed, 2_000));
        assert!(found.is_ok(), "{found:?}");
    }
}

/// The random model finds them too, the ones that random ChangeSets can show.
#[test]
fn the_random_model_catches_broken_stores() {
    macro_rules! finds {
        ($($family:ident $fault:ident,)*) => {
            [$((
                stringify!($fault),
                run(model::check::<$family::Faulty<{ $family::Fault::$fault as usize }>>(64, 1, 3_000)),
            ),)*]
        };
    }
    let finds = finds![
        at_the_port ScanDropsLastRow,
        at_the_port ReplayFlagLost,
        at_the_port CommitsTwice,
        at_the_port FingerprintIgnored,
        at_the_port TotalsForgetHouse,
        at_the_port DeleteOwnedIgnored,
        at_the_port TermsAreKept,
        at_the_port HalfOnRefusal,
        inside CountersBeforeFloors,
        inside FloorsPerLeg,
        inside FamilyTermsStay,
        inside HalfAGroup,
    ];
    for (fault, found) in &finds {
        let text = found.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains("SMSCODE_SEED=1"), "{fault} passes, or its seed is not named: {text}");
    }
}
