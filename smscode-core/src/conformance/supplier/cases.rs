//! The table of cases, written once: [`CASES`] and the tests of [`supplier_suite!`](crate::supplier_suite) come from it.

use super::{
    Case, Needs, port, rule_01, rule_01_wire, rule_02, rule_03, rule_04, rule_05, rule_06, rule_07, rule_08, rule_09,
    rule_10, rule_11, rule_12, rule_13, rule_14,
};

/// Hands the list of cases (rule, module, name, needs) to [`__supplier_use`].
#[doc(hidden)]
#[macro_export]
macro_rules! __supplier_cases {
    ($($wanted:tt)*) => {
        $crate::__supplier_use! { ($($wanted)*)
            0 port port_it_introduces_itself_without_a_call Nothing,
            0 port port_offers_name_the_product_as_the_market_does Nothing,
            0 port port_what_is_sold_out_is_not_offered Nothing,
            0 port port_the_balance_follows_a_purchase Nothing,
            1 rule_01 rule_01_a_number_that_is_sold_is_accepted Nothing,
            1 rule_01 rule_01_each_purchase_is_another_number Nothing,
            1 rule_01 rule_01_ids_are_text Cost,
            1 rule_01 rule_01_out_of_stock_is_uncharged Nothing,
            1 rule_01 rule_01_what_is_not_sold_is_uncharged Nothing,
            1 rule_01 rule_01_no_funds_is_uncharged Nothing,
            1 rule_01 rule_01_a_refused_key_is_uncharged Unauthorised,
            1 rule_01 rule_01_a_request_to_slow_down_is_uncharged RateLimited,
            1 rule_01 rule_01_a_used_reference_is_told Reference,
            1 rule_01 rule_01_a_broken_vendor_leaves_it_unknown Broken,
            1 rule_01 rule_01_an_undocumented_word_leaves_it_unknown Undocumented,
            1 rule_01_wire rule_01_a_lost_request_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_a_lost_reply_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_no_reply_in_time_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_a_page_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_a_404_page_leaves_it_unknown ErrorBody,
            1 rule_01_wire rule_01_half_a_reply_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_another_shape_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_nothing_said_leaves_it_unknown Nothing,
            1 rule_01_wire rule_01_what_is_unknown_can_be_looked_up ActiveList,
            2 rule_02 rule_02_one_purchase_is_one_number Nothing,
            2 rule_02 rule_02_no_answer_in_time_is_no_reason_to_send_again Nothing,
            2 rule_02 rule_02_a_lost_reply_is_no_reason_to_send_again Nothing,
            2 rule_02 rule_02_an_unusable_reply_is_no_reason_to_send_again Nothing,
            2 rule_02 rule_02_a_refusal_is_no_reason_to_send_again Nothing,
            2 rule_02 rule_02_a_redirect_is_no_reason_to_send_again Nothing,
            3 rule_03 rule_03_a_refused_connection_is_not_sent Nothing,
            3 rule_03 rule_03_a_refused_connection_fails_the_other_calls Nothing,
            3 rule_03 rule_03_a_connection_that_closes_may_have_carried_it Nothing,
            3 rule_03 rule_03_a_reused_connection_may_have_carried_it Nothing,
            4 rule_04 rule_04_a_price_at_the_ceiling_is_paid Nothing,
            4 rule_04 rule_04_a_price_above_the_ceiling_is_not_paid Nothing,
            4 rule_04 rule_04_the_ceiling_keeps_every_digit Nothing,
            4 rule_04 rule_04_a_charge_above_the_ceiling_is_told Cost,
            4 rule_04 rule_04_a_ceiling_in_another_currency_is_not_sent Nothing,
            5 rule_05 rule_05_an_undocumented_status_is_no_end Status,
            5 rule_05 rule_05_an_undocumented_word_is_no_end Undocumented,
            5 rule_05 rule_05_an_end_is_told Nothing,
            5 rule_05 rule_05_an_id_that_is_not_known_is_not_found Nothing,
            5 rule_05 rule_05_a_failed_read_ends_nothing Nothing,
            5 rule_05 rule_05_a_404_page_ends_nothing ErrorBody,
            5 rule_05 rule_05_a_refused_key_is_told_by_every_call Unauthorised,
            5 rule_05 rule_05_a_request_to_slow_down_is_told_by_every_call RateLimited,
            6 rule_06 rule_06_poll_keeps_the_order Batch,
            6 rule_06 rule_06_an_id_that_is_asked_twice_is_answered_twice Batch,
            6 rule_06 rule_06_every_sms_is_given EverySms,
            6 rule_06 rule_06_equal_texts_are_as_many_sms EverySms,
            6 rule_06 rule_06_sms_are_given_each_time Nothing,
            6 rule_06 rule_06_codes_keep_their_zeros Nothing,
            6 rule_06 rule_06_texts_come_as_they_were Text,
            6 rule_06 rule_06_another_sms_can_be_asked_for More,
            7 rule_07 rule_07_an_empty_list_is_told_from_none Nothing,
            7 rule_07 rule_07_the_list_has_what_is_open ActiveList,
            7 rule_07 rule_07_the_list_has_every_page ActiveList,
            7 rule_07 rule_07_a_list_that_cannot_be_read_is_not_empty ActiveList,
            7 rule_07 rule_07_a_page_that_is_missing_fails_the_list ActiveList,
            7 rule_07 rule_07_a_list_that_moves_meanwhile_leaves_nothing_out ActiveList,
            8 rule_08 rule_08_a_cancel_gives_the_money_back Nothing,
            8 rule_08 rule_08_too_early_is_told TooEarly,
            8 rule_08 rule_08_after_an_sms_it_is_not_cancelled Nothing,
            8 rule_08 rule_08_an_sms_that_was_faster_is_told SmsArrived,
            8 rule_08 rule_08_what_is_not_there_is_not_cancelled Nothing,
            8 rule_08 rule_08_without_the_word_it_is_unknown Word,
            8 rule_08 rule_08_a_404_page_cancels_nothing ErrorBody,
            8 rule_08 rule_08_another_word_is_no_success Undocumented,
            8 rule_08 rule_08_a_yes_in_another_state_is_no_success StillOpen,
            9 rule_09 rule_09_a_cancel_may_be_repeated Nothing,
            9 rule_09 rule_09_a_cancel_without_answer_is_found_done Nothing,
            9 rule_09 rule_09_a_cancel_of_what_has_ended_is_not_open Nothing,
            9 rule_09 rule_09_a_finish_keeps_the_charge Finish,
            9 rule_09 rule_09_a_finish_may_be_repeated Finish,
            9 rule_09 rule_09_a_finish_without_answer_is_found_done Finish,
            9 rule_09 rule_09_a_finish_without_the_word_is_unknown Finish,
            9 rule_09 rule_09_more_without_the_word_is_unknown More,
            9 rule_09 rule_09_a_yes_in_another_state_is_no_success StillOpenAfterSms,
            10 rule_10 rule_10_every_call_has_a_time_limit Nothing,
            10 rule_10 rule_10_the_limit_is_on_the_whole_reply Nothing,
            10 rule_10 rule_10_a_body_without_end_is_given_up Nothing,
            10 rule_10 rule_10_no_redirect_is_followed Nothing,
            11 rule_11 rule_11_no_key_even_if_the_vendor_repeats_it Nothing,
            11 rule_11 rule_11_no_key_and_no_address_in_any_failure Nothing,
            11 rule_11 rule_11_no_number_and_no_text_in_any_failure Nothing,
            11 rule_11 rule_11_debug_hides_the_key Nothing,
            11 rule_11 rule_11_ids_are_not_repeated Nothing,
            12 rule_12 rule_12_prices_keep_every_digit Nothing,
            12 rule_12 rule_12_the_balance_keeps_every_digit Nothing,
            12 rule_12 rule_12_what_was_charged_keeps_every_digit Cost,
            12 rule_12 rule_12_what_is_no_amount_is_an_error NoAmount,
            13 rule_13 rule_13_a_dropped_call_leaves_the_adapter_sound Nothing,
            13 rule_13 rule_13_a_dropped_purchase_goes_no_further Nothing,
            13 rule_13 rule_13_purchases_at_once_are_different_numbers Nothing,
            13 rule_13 rule_13_a_slow_call_holds_up_no_other Nothing,
            14 rule_14 rule_14_an_empty_history_is_told_from_none Nothing,
            14 rule_14 rule_14_the_history_is_that_of_the_books History,
            14 rule_14 rule_14_the_history_has_every_page History,
            14 rule_14 rule_14_a_history_that_cannot_be_read_is_not_empty History,
            14 rule_14 rule_14_a_page_that_is_missing_fails_the_history History,
            14 rule_14 rule_14_a_history_that_grows_meanwhile_leaves_nothing_out History,
            14 rule_14 rule_14_what_is_kept_keeps_every_digit History,
            14 rule_14 rule_14_an_undocumented_status_decides_nothing PastStatus,
        }
    };
}

/// Makes a table or tests of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __supplier_use {
    ((table) $($rule:literal $module:ident $name:ident $needs:ident,)*) => {
        &[$(Case {
            name: stringify!($name),
            rule: $rule,
            needs: Needs::$needs,
            run: |world| Box::pin($module::$name(world)),
        },)*]
    };
    ((tests $fixture:ty, $run:expr) $($rule:literal $module:ident $name:ident $needs:ident,)*) => {
        $(#[test]
        fn $name() -> ::std::result::Result<(), $crate::conformance::Failure> {
            let run = || ($run)($crate::conformance::supplier::case::<$fixture>(stringify!($name)));
            SUPPLIER_BOARD.verdict(stringify!($name), run).map(|_| ())
        })*
    };
}

/// Makes the tests of the supplier suite for a [`SupplierFixture`](crate::conformance::supplier::SupplierFixture): one
/// `#[test]` per case, and `score_card`, which prints what came of all of them.
///
/// The second argument, a function from a future to its output, replaces [`run`](crate::conformance::run) for adapters
/// whose HTTP client wants a runtime. One module can hold one suite.
#[macro_export]
macro_rules! supplier_suite {
    ($fixture:ty) => {
        $crate::supplier_suite!($fixture, $crate::conformance::run);
    };
    ($fixture:ty, $run:expr) => {
        /// Each case is run once, by whichever test asks first.
        static SUPPLIER_BOARD: $crate::conformance::supplier::Board = $crate::conformance::supplier::Board::new();

        $crate::__supplier_cases! { tests $fixture, $run }

        #[test]
        fn score_card() -> ::std::result::Result<(), $crate::conformance::Failure> {
            SUPPLIER_BOARD.score_card::<$fixture>(
                || ($run)($crate::conformance::supplier::name::<$fixture>()),
                |case| ($run)($crate::conformance::supplier::case::<$fixture>(case)),
            )
        }
    };
}

/// Every case of the suite.
pub const CASES: &[Case] = crate::__supplier_cases!(table);
