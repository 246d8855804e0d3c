//! The table of plays: for each scenario what a tester does, and what must stand in the end. Money is that of the journeys:
//! an SMS that is shown is paid for once, and everything else is given back.

use std::collections::BTreeSet;

use smscode_providers::sandbox::SCENARIOS;

/// A scenario as it is played.
pub struct Play {
    /// Its service.
    pub code: &'static str,
    /// The journey that it stands for.
    pub journey: &'static str,
    pub steps: &'static [Do],
    /// How the orders end, in the order of their placing.
    pub ends: &'static [Ends],
    /// Whether the supplier has the price of one purchase in the end.
    pub theirs: bool,
    /// Who bears that by our books.
    pub owner: Owner,
}

/// Who bears what the supplier was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Booked as cost: a customer has had an SMS for it.
    Customer,
    /// Booked as loss.
    Operator,
    /// Nothing was booked: it was cancelled for us, or never bought.
    Nobody,
}

/// What a tester does, or looks at.
#[derive(Clone, Copy, Debug)]
pub enum Do {
    /// Orders it and gets the order.
    Order,
    /// Orders it; the answer is `REQUEST_IN_PROGRESS`, at once.
    OrderUnclear,
    /// Begins to order it, and waits for the answer beside all else.
    Begin,
    /// The answer that was waited for is `REQUEST_IN_PROGRESS`.
    InProgress,
    /// Orders it again with the same key, and gets the same order.
    SameKey,
    /// Orders it (once more): refused with this code and cause.
    Refused(&'static str, &'static str),
    /// Lets seconds pass.
    Pass(i64),
    /// Sends an SMS to the number.
    Sms(&'static str),
    /// Sees this status, with or without a number.
    Sees(&'static str, bool),
    /// Reads a code; so many SMS have come.
    Code(u64),
    /// Reads a text without a code.
    Text(u64),
    /// Cancels.
    Cancel,
    /// Cancels: refused with this code.
    NoCancel(&'static str),
    /// Finishes.
    Finish,
    /// Orders something ordinary, and has its code.
    Working,
}

/// A step as `explain` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub state: &'static str,
    pub event: Option<&'static str>,
    pub rule: &'static str,
    pub transfer: Option<&'static str>,
}

/// How an order ends.
pub struct Ends {
    pub steps: &'static [Told],
}

impl Ends {
    pub fn is_paid(&self) -> bool {
        self.steps.iter().any(|step| step.transfer == Some("capture"))
    }

    /// The public status.
    pub fn status(&self) -> &'static str {
        let mut states = self.steps.iter().rev().map(|step| step.state);
        match states.next() {
            Some("completed") => "COMPLETED",
            Some("cancelled" | "rejected") => "CANCELED",
            Some("expired") => "EXPIRED",
            other => panic!("{other:?} is no end"),
        }
    }
}

impl Play {
    /// How often a number is bought, or tried to be.
    pub fn purchases(&self) -> u64 {
        let bought =
            |step: &&Do| matches!(step, Do::Order | Do::OrderUnclear | Do::Begin | Do::Refused(..) | Do::Working);
        self.steps.iter().filter(bought).count() as u64
    }
}

const fn told(state: &'static str, event: &'static str, rule: &'static str, transfer: Option<&'static str>) -> Told {
    Told { state, event: Some(event), rule, transfer }
}

const fn quietly(state: &'static str, rule: &'static str) -> Told {
    Told { state, event: None, rule, transfer: None }
}

const fn rejected(rule: &'static str) -> Told {
    told("rejected", "order.rejected", rule, Some("release"))
}

const PLACED: Told = told("calling", "order.placed", "the price is held before the supplier is called", Some("hold"));
const UNCLEAR: Told =
    quietly("unclear", "no clear answer: the money stays held, the purchase is looked up (no_answer)");
const BOUGHT: Told = told("active", "order.active", "the supplier has given a number", None);
const PAID: Told = told("received", "order.otp_received", "the first SMS decides: it is paid for", Some("capture"));
const FREE: Told = told("received", "order.otp_received", "a further SMS is free", None);
const FINISHED: Told = told("completed", "order.completed", "the customer has finished it", None);
const COMPLETED: Told =
    told("completed", "order.completed", "the window is over, its SMS is paid for (window_over)", None);
const ASKED: Told = quietly("canceling", "a cancel was asked for, the supplier decides");
const CANCELLED: Told =
    told("cancelled", "order.canceled", "the supplier has cancelled, the money goes back (cancelled)", Some("release"));
const CANCELLED_BY_TIME: Told = told(
    "cancelled",
    "order.canceled",
    "cancelled: the window ended without an SMS, the money goes back (window_over)",
    Some("release"),
);
const ENDED_THERE: Told = told(
    "cancelled",
    "order.canceled",
    "the supplier has ended it, the money goes back (supplier_ended)",
    Some("release"),
);
const EXPIRED: Told = told(
    "expired",
    "order.expired",
    "the window ended without an SMS, the money goes back (window_over)",
    Some("release"),
);
const GIVEN_UP: Told =
    told("expired", "order.expired", "the purchase was never found, the money goes back (unknown)", Some("release"));
pub const LATE: Told =
    told("cancelled", "order.late_sms", "an SMS came after the end: it is destroyed, and no money moves", None);

/// The life that everybody wants.
const GOOD: Ends = Ends { steps: &[PLACED, BOUGHT, PAID, FINISHED] };
/// Found after an unclear purchase.
const FOUND: Ends = Ends { steps: &[PLACED, UNCLEAR, BOUGHT, PAID, FINISHED] };
const RUN_OUT: Ends = Ends { steps: &[PLACED, BOUGHT, EXPIRED] };
const GIVEN_BACK: Ends = Ends { steps: &[PLACED, BOUGHT, ASKED, CANCELLED] };
const UNDECIDED: Ends = Ends { steps: &[PLACED, BOUGHT, ASKED, CANCELLED_BY_TIME] };
const NEVER_FOUND: Ends = Ends { steps: &[PLACED, UNCLEAR, GIVEN_UP] };

/// Time enough to tell the supplier.
const TOLD: Do = Do::Pass(20);

/// Makes the list of plays, and of each a test on every store that outlives its process.
macro_rules! plays {
    ($($code:ident ($journey:literal) [$($step:expr),* $(,)?] => [$($ends:expr),*], $theirs:literal, $owner:ident;)*) => {
        pub const PLAYS: &[Play] = &[$(Play {
            code: stringify!($code),
            journey: $journey,
            steps: &[$($step),*],
            ends: &[$($ends),*],
            theirs: $theirs,
            owner: Owner::$owner,
        }),*];

        $(mod $code {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_redb() {
                crate::play::on_redb(stringify!($code)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                crate::play::on_postgres(stringify!($code)).await;
            }
        })*
    };
}

plays! {
    // ordinary lives
    sbx_manual ("J5") [Do::Order, Do::Sees("ACTIVE", true), Do::Sms("Your code is 123456"), Do::Pass(2), Do::Code(1), Do::Finish, TOLD]
        => [GOOD], true, Customer;
    sbx_code_now ("J5") [Do::Order, Do::Pass(2), Do::Code(1), Do::Finish, TOLD] => [GOOD], true, Customer;
    sbx_code_later ("J5") [Do::Order, Do::Pass(5), Do::Sees("ACTIVE", true), Do::Pass(8), Do::Code(1), Do::Finish, TOLD]
        => [GOOD], true, Customer;
    sbx_two_sms ("J6") [Do::Order, Do::Pass(4), Do::Code(1), Do::Pass(10), Do::Code(2), Do::Finish, TOLD]
        => [Ends { steps: &[PLACED, BOUGHT, PAID, FREE, FINISHED] }], true, Customer;
    sbx_two_at_once ("U14") [Do::Order, Do::Pass(4), Do::Code(2), Do::Finish, TOLD]
        => [Ends { steps: &[PLACED, BOUGHT, PAID, FREE, FINISHED] }], true, Customer;
    // nobody ends it: it completes when its window is over
    sbx_text_only ("U15") [Do::Order, Do::Pass(4), Do::Text(1), Do::NoCancel("CONFLICT"), Do::Pass(1_230), TOLD]
        => [Ends { steps: &[PLACED, BOUGHT, PAID, COMPLETED] }], true, Customer;
    sbx_no_sms ("U13") [Do::Order, Do::Pass(1_190), Do::Sees("ACTIVE", true), Do::Pass(20), TOLD] => [RUN_OUT], false, Nobody;
    sbx_odd_form ("J5") [Do::Order, Do::Pass(4), Do::Code(1), Do::Finish, TOLD] => [GOOD], true, Customer;
    // purchases
    sbx_sold_out ("U1") [Do::Refused("NO_OFFER_AVAILABLE", "no_numbers"), TOLD]
        => [Ends { steps: &[PLACED, rejected("nothing was bought, the money goes back (no_numbers)")] }], false, Nobody;
    sbx_price_above ("U2") [Do::Refused("PROVIDER_ERROR", "price_rejected"), TOLD]
        => [Ends { steps: &[PLACED, rejected("nothing was bought, the money goes back (price_rejected)")] }], false, Nobody;
    sbx_charged_above ("U2") [Do::Refused("PROVIDER_ERROR", "price_above_ceiling"), TOLD]
        => [Ends { steps: &[PLACED, rejected("nothing was bought, the money goes back (price_above_ceiling)")] }], false, Nobody;
    sbx_wrong_country ("U8") [Do::Refused("PROVIDER_ERROR", "wrong_country"), TOLD]
        => [Ends { steps: &[PLACED, rejected("nothing was bought, the money goes back (wrong_country)")] }], false, Nobody;
    sbx_duplicate_number ("U8") [
        Do::Order, Do::Refused("PROVIDER_ERROR", "number_in_use"), Do::Sms("Your code is 246810"), Do::Pass(2), Do::Code(1), Do::Finish, TOLD,
    ] => [GOOD, Ends { steps: &[PLACED, rejected("nothing was bought, the money goes back (number_in_use)")] }], true, Customer;
    sbx_slow ("U6") [Do::Begin, Do::Pass(21), Do::InProgress, Do::Pass(5), Do::SameKey, Do::Pass(40), Do::Code(1), Do::Finish, TOLD]
        => [GOOD], true, Customer;
    sbx_timeout_charged ("U4") [
        Do::Begin, Do::Pass(21), Do::InProgress, Do::Pass(25), Do::Sees("ACTIVE", true), Do::Pass(30), Do::Code(1), Do::Finish, TOLD,
    ] => [FOUND], true, Customer;
    sbx_timeout_uncharged ("U4") [
        Do::Begin, Do::Pass(21), Do::InProgress, Do::Pass(600), Do::Sees("ACTIVE", false), Do::Pass(900), Do::Sees("EXPIRED", false), TOLD,
    ] => [NEVER_FOUND], false, Nobody;
    sbx_server_error_charged ("U4") [Do::OrderUnclear, Do::Pass(7), Do::Sees("ACTIVE", true), Do::Pass(6), Do::Code(1), Do::Finish, TOLD]
        => [FOUND], true, Customer;
    sbx_server_error_uncharged ("U4") [Do::OrderUnclear, Do::Pass(1_300), Do::Sees("ACTIVE", false), Do::Pass(200), TOLD]
        => [NEVER_FOUND], false, Nobody;
    sbx_garbled ("U5") [Do::OrderUnclear, Do::Pass(7), Do::Sees("ACTIVE", true), Do::Pass(6), Do::Code(1), Do::Finish, TOLD]
        => [FOUND], true, Customer;
    // while it waits
    sbx_status_noise ("U13") [Do::Order, Do::Pass(5), Do::Sees("ACTIVE", true), Do::Pass(20), Do::Code(1), Do::Finish, TOLD]
        => [GOOD], true, Customer;
    sbx_supplier_ends ("U19") [Do::Order, Do::Pass(5), Do::Sees("ACTIVE", true), Do::Pass(11), Do::Sees("CANCELED", false), TOLD]
        => [Ends { steps: &[PLACED, BOUGHT, ENDED_THERE] }], false, Operator;
    sbx_supplier_dies ("U21") [
        Do::Order, Do::Pass(1_190), Do::Sees("ACTIVE", true), Do::Pass(130), Do::Sees("EXPIRED", false), Do::Pass(700), Do::Working, TOLD,
    ] => [RUN_OUT, GOOD], true, Customer;
    // cancels
    sbx_cancel_early ("U9") [
        Do::Order, Do::NoCancel("CANCEL_TOO_EARLY"), Do::Pass(3), Do::NoCancel("PROVIDER_ERROR"), Do::Sees("ACTIVE", true), Do::Pass(140), TOLD,
    ] => [GIVEN_BACK], false, Nobody;
    sbx_cancel_refused ("U11") [
        Do::Order, Do::Pass(3), Do::NoCancel("PROVIDER_ERROR"), Do::Pass(300), Do::Sees("ACTIVE", true), Do::Pass(960), TOLD,
    ] => [UNDECIDED], false, Nobody;
    sbx_cancel_sham ("U11") [
        Do::Order, Do::Pass(3), Do::NoCancel("PROVIDER_ERROR"), Do::Pass(300), Do::Sees("ACTIVE", true), Do::Pass(960), TOLD,
    ] => [UNDECIDED], false, Nobody;
    sbx_cancel_lost ("U11") [Do::Order, Do::Pass(3), Do::NoCancel("PROVIDER_ERROR"), Do::Pass(30)] => [GIVEN_BACK], false, Nobody;
    sbx_cancel_sms_won ("U11") [Do::Order, Do::Pass(3), Do::NoCancel("CONFLICT"), Do::Code(1), Do::Finish, TOLD]
        => [Ends { steps: &[PLACED, BOUGHT, ASKED, PAID, FINISHED] }], true, Customer;
    // after the end
    sbx_sms_after_cancel ("U12") [Do::Order, Do::Pass(3), Do::Cancel, Do::Pass(40)] => [GIVEN_BACK], true, Nobody;
    sbx_late_sms ("U12") [Do::Order, Do::Pass(3), Do::Sees("ACTIVE", true), Do::Cancel, Do::Pass(20)]
        => [Ends { steps: &[PLACED, BOUGHT, ASKED, CANCELLED, LATE] }], false, Nobody;
    sbx_sms_after_expiry ("U12") [Do::Order, Do::Pass(1_210), Do::Sees("EXPIRED", false), Do::Pass(40)] => [RUN_OUT], true, Nobody;
    sbx_clawback ("U20") [Do::Order, Do::Pass(3), Do::Cancel, Do::Pass(40)] => [GIVEN_BACK], true, Nobody;
    sbx_silent_refund ("U20") [Do::Order, Do::Pass(4), Do::Code(1), Do::Finish, Do::Pass(40)] => [GOOD], false, Customer;
}

/// A new scenario has no test before it is in the table.
#[test]
fn each_scenario_is_played_once() {
    let played: BTreeSet<&str> = PLAYS.iter().map(|play| play.code).collect();
    let served: BTreeSet<&str> = SCENARIOS.iter().map(|one| one.code).collect();
    assert_eq!(played, served);
    assert_eq!(PLAYS.len(), served.len(), "a scenario is played twice");
}
