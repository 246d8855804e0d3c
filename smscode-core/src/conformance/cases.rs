//! The table of cases, written once: [`CASES`] and the tests of [`conformance_suite!`](crate::conformance_suite) come from it.

use super::{
    Case, Needs, bodies, bytes, durable, port, rule_01, rule_02, rule_02_terms, rule_03, rule_04, rule_04_counters,
    rule_05, rule_06, rule_07, rule_07_scan, rule_08, rule_08_malformed, rule_09, rule_10, rule_11,
};

/// Hands the list of cases (rule, module, name, needs) to [`__conformance_use`].
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($($wanted:tt)*) => {
        $crate::__conformance_use! { ($($wanted)*)
            0 port port_describe_names_the_store Nothing,
            0 port port_a_fresh_store_is_empty Nothing,
            0 port port_load_gives_what_is_there Nothing,
            0 port port_load_gives_only_what_was_asked_for Nothing,
            0 port port_keys_are_compared_in_all_parts Nothing,
            0 bodies port_bodies_of_records_come_back_byte_for_byte Nothing,
            0 bodies port_bodies_of_events_come_back_byte_for_byte Nothing,
            0 bodies port_outcomes_come_back_byte_for_byte Nothing,
            0 bodies port_texts_come_back_as_they_were Nothing,
            0 bodies port_bodies_that_cannot_be_kept_are_refused Nothing,
            0 bytes bytes_committed_markers_are_found Nothing,
            0 bytes bytes_refused_markers_are_not_found Nothing,
            0 bytes bytes_markers_of_replays_and_losers_are_not_found Nothing,
            0 durable durable_records_and_terms_survive Durable,
            0 durable durable_money_and_numbers_go_on Durable,
            0 durable durable_transfer_ids_stay_taken Durable,
            0 durable durable_replays_are_still_answered Durable,
            0 durable durable_old_operation_ids_are_forgotten Durable,
            0 durable durable_house_sums_and_totals_survive Durable,
            0 durable durable_refused_ones_leave_nothing Durable,
            0 durable durable_families_stay_deleted Durable,
            0 durable durable_what_was_answered_is_there Durable,
            0 durable durable_commits_dropped_before_the_crash Durable,
            0 durable durable_hostile_keys_survive Durable,
            0 durable durable_an_empty_store_opens_again Durable,
            1 rule_01 rule_01_operation_id_comes_before_all_else Nothing,
            1 rule_01 rule_01_replay_comes_before_expectations Nothing,
            1 rule_01 rule_01_each_failure_hides_the_later_ones Nothing,
            1 rule_01 rule_01_order_of_entries_does_not_matter Nothing,
            1 rule_01 rule_01_expectations_in_key_order Nothing,
            1 rule_01 rule_01_every_kind_of_expectation_is_judged Nothing,
            1 rule_01 rule_01_transfer_ids_in_order Nothing,
            1 rule_01 rule_01_floors_in_account_order Nothing,
            1 rule_01 rule_01_another_currency_is_found_with_the_floors Nothing,
            1 rule_01 rule_01_counters_in_key_order Nothing,
            2 rule_02 rule_02_an_accepted_one_is_there_as_a_whole Nothing,
            2 rule_02 rule_02_expectation_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_transfer_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_floor_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_currency_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_counter_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_limit_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_malformed_refused_leaves_no_trace Nothing,
            2 rule_02 rule_02_reused_operation_leaves_no_trace Nothing,
            2 rule_02 rule_02_refused_operation_id_is_free Nothing,
            2 rule_02 rule_02_refused_first_touch_makes_no_head Nothing,
            2 rule_02 rule_02_put_replaces_the_whole_record Nothing,
            2 rule_02 rule_02_delete_makes_room Nothing,
            2 rule_02 rule_02_versions_use_all_64_bits Nothing,
            2 rule_02 rule_02_ids_are_any_bytes Nothing,
            2 rule_02 rule_02_an_empty_change_set_is_accepted Nothing,
            2 rule_02 rule_02_a_view_never_shows_half Nothing,
            2 rule_02 rule_02_money_follows_the_records Nothing,
            2 rule_02_terms rule_02_put_replaces_all_terms Nothing,
            2 rule_02_terms rule_02_only_terms_change Nothing,
            2 rule_02_terms rule_02_delete_removes_terms Nothing,
            2 rule_02_terms rule_02_equal_terms_of_two_records Nothing,
            2 rule_02_terms rule_02_a_term_given_twice_is_one_place Nothing,
            2 rule_02_terms rule_02_a_row_of_a_list_is_the_record Nothing,
            2 rule_02_terms rule_02_delete_owned_removes_records_and_terms Nothing,
            2 rule_02_terms rule_02_delete_owned_spares_the_neighbours Nothing,
            2 rule_02_terms rule_02_delete_owned_at_the_last_owner Nothing,
            2 rule_02_terms rule_02_delete_owned_of_nothing Nothing,
            2 rule_02_terms rule_02_delete_owned_keeps_what_is_put_beside_it Nothing,
            2 rule_02_terms rule_02_delete_owned_beside_a_delete_and_an_ensure Nothing,
            2 rule_02_terms rule_02_a_family_that_comes_back_has_only_its_new_terms Nothing,
            3 rule_03 rule_03_each_transfer_sees_the_earlier_ones Nothing,
            3 rule_03 rule_03_floors_are_judged_on_end_values Nothing,
            3 rule_03 rule_03_no_floor_gives_way Nothing,
            3 rule_03 rule_03_house_accounts_have_no_floor Nothing,
            3 rule_03 rule_03_all_moves_what_is_there Nothing,
            3 rule_03 rule_03_all_of_nothing_moves_nothing Nothing,
            3 rule_03 rule_03_all_of_less_than_nothing_moves_nothing Nothing,
            3 rule_03 rule_03_up_to_takes_the_remainder_from_rest Nothing,
            3 rule_03 rule_03_up_to_may_rest_on_a_house_account Nothing,
            3 rule_03 rule_03_debt_is_paid_and_never_overpaid Nothing,
            3 rule_03 rule_03_outcome_holds_what_moved_then Nothing,
            3 rule_03 rule_03_statement_has_the_balances_after_each Nothing,
            3 rule_03 rule_03_statement_keeps_every_field Nothing,
            3 rule_03 rule_03_every_kind_and_place_comes_back Nothing,
            4 rule_04 rule_04_deposits_in_parallel_do_not_conflict Nothing,
            4 rule_04 rule_04_money_runs_out_exactly Nothing,
            4 rule_04 rule_04_holds_and_closings_at_once Nothing,
            4 rule_04 rule_04_a_transfer_id_exists_once Nothing,
            4 rule_04 rule_04_a_transfer_id_once_in_a_change_set Nothing,
            4 rule_04 rule_04_transfer_ids_are_any_bytes Nothing,
            4 rule_04 rule_04_capture_and_release_are_twins Nothing,
            4 rule_04 rule_04_a_refused_transfer_leaves_its_id Nothing,
            4 rule_04 rule_04_accounts_are_numbered_apart Nothing,
            4 rule_04 rule_04_events_in_the_order_of_entries Nothing,
            4 rule_04 rule_04_events_in_parallel_have_no_gap Nothing,
            4 rule_04 rule_04_events_alone_have_no_currency Nothing,
            4 rule_04 rule_04_the_first_transfer_fixes_the_currency Nothing,
            4 rule_04 rule_04_totals_add_up_per_currency Nothing,
            4 rule_04 rule_04_totals_count_debt Nothing,
            4 rule_04 rule_04_open_holds_follow_holds_and_closings Nothing,
            4 rule_04_counters rule_04_counts_in_parallel_do_not_conflict Nothing,
            4 rule_04_counters rule_04_a_cap_runs_out_exactly Nothing,
            4 rule_04_counters rule_04_a_counter_is_never_below_zero Nothing,
            4 rule_04_counters rule_04_a_cap_binds_only_what_is_added Nothing,
            4 rule_04_counters rule_04_counts_of_one_change_set_see_each_other Nothing,
            4 rule_04_counters rule_04_counters_are_apart Nothing,
            4 rule_04_counters rule_04_counters_hold_large_values Nothing,
            5 rule_05 rule_05_sent_again_the_outcome_comes_back Nothing,
            5 rule_05 rule_05_other_content_is_refused Nothing,
            5 rule_05 rule_05_operation_ids_are_compared_whole Nothing,
            5 rule_05 rule_05_each_outcome_is_kept_apart Nothing,
            5 rule_05 rule_05_a_large_outcome_is_kept Nothing,
            5 rule_05 rule_05_a_replay_after_everything_has_changed Nothing,
            5 rule_05 rule_05_a_refusal_is_not_remembered Nothing,
            5 rule_05 rule_05_ids_are_kept_48_hours Nothing,
            5 rule_05 rule_05_ids_are_forgotten_after_48_hours Nothing,
            5 rule_05 rule_05_what_is_forgotten_gives_its_room_back Nothing,
            5 rule_05 rule_05_an_id_used_anew_outlives_its_first_meaning Nothing,
            5 rule_05 rule_05_a_clock_that_is_behind_loses_nothing Nothing,
            6 rule_06 rule_06_sent_at_once_many_times_it_happens_once Nothing,
            6 rule_06 rule_06_a_dropped_commit_is_whole_or_nothing Nothing,
            6 rule_06 rule_06_after_a_dropped_commit_it_is_sent_again Nothing,
            6 rule_06 rule_06_dropped_commits_hold_nobody_up Nothing,
            6 rule_06 rule_06_a_caller_who_leaves_leaves_the_others_served Nothing,
            6 rule_06 rule_06_dropped_reads_do_no_harm Nothing,
            7 rule_07 rule_07_a_scan_sees_every_commit_that_returned Nothing,
            7 rule_07 rule_07_a_load_sees_every_commit_that_returned Nothing,
            7 rule_07 rule_07_a_load_is_one_view Nothing,
            7 rule_07 rule_07_totals_are_one_view Nothing,
            7 rule_07 rule_07_a_page_is_one_view Nothing,
            7 rule_07 rule_07_one_version_has_one_successor Nothing,
            7 rule_07 rule_07_a_condition_holds_at_the_commit Nothing,
            7 rule_07 rule_07_two_conditions_cannot_cross Nothing,
            7 rule_07 rule_07_reads_change_nothing Nothing,
            7 rule_07_scan rule_07_scan_terms_ascend_by_bytes Nothing,
            7 rule_07_scan rule_07_scan_ranges_include_from_and_exclude_until Nothing,
            7 rule_07_scan rule_07_scan_by_prefix Nothing,
            7 rule_07_scan rule_07_scan_pages_through_one_position Nothing,
            7 rule_07_scan rule_07_scan_limit_is_cut_to_1_and_1000 Nothing,
            7 rule_07_scan rule_07_scan_says_when_there_is_no_more Nothing,
            7 rule_07_scan rule_07_scan_cursor_outlives_its_row Nothing,
            7 rule_07_scan rule_07_scan_after_the_end_is_empty Nothing,
            7 rule_07_scan rule_07_scan_a_cursor_before_the_range Nothing,
            7 rule_07_scan rule_07_scan_a_kind_by_owner_then_id Nothing,
            7 rule_07_scan rule_07_scan_heads_by_owner Nothing,
            7 rule_07_scan rule_07_scan_numbers_past_a_byte Nothing,
            7 rule_07_scan rule_07_scan_of_an_empty_store Nothing,
            8 rule_08 rule_08_entries_1024 Nothing,
            8 rule_08 rule_08_entries_1024_that_write Nothing,
            8 rule_08 rule_08_bytes_1_mib Nothing,
            8 rule_08 rule_08_bodies_64_kib Nothing,
            8 rule_08 rule_08_key_parts_128_bytes Nothing,
            8 rule_08 rule_08_terms_128_bytes_and_16 Nothing,
            8 rule_08 rule_08_transfer_ids_and_texts Nothing,
            8 rule_08 rule_08_house_names_128_bytes Nothing,
            8 rule_08 rule_08_counter_names_128_bytes Nothing,
            8 rule_08 rule_08_amounts_2_to_the_53 Nothing,
            8 rule_08 rule_08_amounts_of_a_change_set_together Nothing,
            8 rule_08 rule_08_delete_owned_1024 Nothing,
            8 rule_08 rule_08_load_2048_keys Nothing,
            8 rule_08_malformed rule_08_malformed_kinds Nothing,
            8 rule_08_malformed rule_08_malformed_twice_written Nothing,
            8 rule_08_malformed rule_08_malformed_without_owner Nothing,
            8 rule_08_malformed rule_08_malformed_transfers Nothing,
            8 rule_08_malformed rule_08_malformed_text_with_nul Nothing,
            9 rule_09 rule_09_the_only_time_is_the_header Nothing,
            9 rule_09 rule_09_the_same_commits_give_the_same_store Nothing,
            9 rule_09 rule_09_house_sums_are_right_at_every_moment Nothing,
            9 rule_09 rule_09_a_busy_house_account_adds_up Nothing,
            9 rule_09 rule_09_house_accounts_are_apart Nothing,
            10 rule_10 rule_10_one_that_fails_does_not_fail_the_others Nothing,
            10 rule_10 rule_10_twins_in_one_group Nothing,
            10 rule_10 rule_10_one_absent_key_has_one_winner Nothing,
            10 rule_10 rule_10_one_closing_wins Nothing,
            10 rule_10 rule_10_members_see_the_earlier_ones Nothing,
            10 rule_10 rule_10_put_and_deleted_in_one_group Nothing,
            10 rule_10 rule_10_a_family_deleted_and_joined_in_one_group Nothing,
            10 rule_10 rule_10_groups_of_one_take_the_same_way Nothing,
            10 rule_10 rule_10_more_than_a_group_waits Nothing,
            10 rule_10 rule_10_large_members Nothing,
            10 rule_10 rule_10_a_second_node_sees_what_returned Shared,
            10 rule_10 rule_10_twins_at_two_nodes_have_one_winner Shared,
            10 rule_10 rule_10_two_nodes_share_money_and_caps Shared,
            10 rule_10 rule_10_crossed_locks_all_end Shared,
            11 rule_11 rule_11_an_invented_kind_needs_no_adapter_code Nothing,
            11 rule_11 rule_11_an_invented_index_needs_no_adapter_code Nothing,
            11 rule_11 rule_11_kinds_are_apart Nothing,
            11 rule_11 rule_11_an_index_may_be_named_like_a_kind Nothing,
            11 rule_11 rule_11_every_kind_of_entry_in_one Nothing,
        }
    };
}

/// Makes a table or tests of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_use {
    ((table) $($rule:literal $module:ident $name:ident $needs:ident,)*) => {
        &[$(Case {
            name: stringify!($name),
            rule: $rule,
            needs: Needs::$needs,
            run: |world| Box::pin($module::$name(world)),
        },)*]
    };
    ((group $fixture:ty, $run:expr, $group:expr) $($rule:literal $module:ident $name:ident $needs:ident,)*) => {
        $(#[test]
        fn $name() -> ::std::result::Result<(), $crate::conformance::Failure> {
            ($run)($crate::conformance::case::<$fixture>(stringify!($name), $group)).map(|_| ())
        })*
    };
}

/// Makes the tests of the conformance suite for a [`Fixture`](crate::conformance::Fixture): one `#[test]` per case and
/// group size, a random model test per group size, and one that prints the number of cases and the excuses.
///
/// The second argument, a function from a future to its output, replaces [`run`](crate::conformance::run) for stores
/// that need a runtime.
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:ty) => {
        $crate::conformance_suite!($fixture, $crate::conformance::run);
    };
    ($fixture:ty, $run:expr) => {
        #[test]
        fn conformance_summary() -> ::std::result::Result<(), $crate::conformance::Failure> {
            ($run)($crate::conformance::summary::<$fixture>())
        }
        $crate::__conformance_group!(group_1 $fixture, $run, 1, 2_000);
        $crate::__conformance_group!(group_2 $fixture, $run, 2, 2_000);
        $crate::__conformance_group!(group_64 $fixture, $run, 64, 10_000);
    };
}

/// The tests of one group size.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_group {
    ($name:ident $fixture:ty, $run:expr, $group:expr, $operations:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the fixture may be named by a path")]
            use super::*;

            $crate::__conformance_cases! { group $fixture, $run, $group }

            #[allow(clippy::disallowed_methods, reason = "a test may draw its seed; it is printed")]
            #[test]
            fn random_model() -> ::std::result::Result<(), $crate::conformance::Failure> {
                // chance comes from outside core; the seed is printed and can be given
                let fresh = ::std::hash::BuildHasher::hash_one(&::std::collections::hash_map::RandomState::new(), 0);
                let seed = $crate::conformance::model::seed(fresh)?;
                ($run)($crate::conformance::model::check::<$fixture>($group, seed, $operations)).map(|_| ())
            }
        }
    };
}

/// Every case of the suite.
pub const CASES: &[Case] = crate::__conformance_cases!(table);
