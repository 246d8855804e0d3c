//! The supplier suite is sharp: adapters that are broken on purpose are caught by the cases named here.
//!
//! Each fault is one that a real adapter could have: a retry that somebody meant well, a float, a substring, a lock. They
//! are put around or into the sound client of the SMS-Activate protocol.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the table of who is caught by what")]

#[path = "rig/mod.rs"]
mod rig;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use smscode_core::conformance::supplier::{self, Board, case};
use smscode_core::conformance::{Failure, Verdict};
use smscode_core::money::{Currency, Money};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Charge, FinishOutcome,
    MoreOutcome, Offer, Past, Rejection, Supplier, SupplierInfo,
};
use smscode_core::time::Timestamp;
use smscode_providers::sms::sms_activate::SmsActivate;
use smscode_providers::{http, read};

use rig::{DIALECTS, KEY, Kind, Rig, Sound, block_on, client, config};

/// What is wrong with an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing: the wrapper itself does no harm.
    None,
    /// A purchase without an answer is sent again.
    BuysAgain,
    /// No answer in time is taken for a refusal.
    TimeoutIsNo,
    /// Whatever went wrong, nothing is said to have been sent.
    FailureIsNotSent,
    /// The ceiling is left out.
    NoCeiling,
    /// The ceiling is sent in cents.
    CeilingInCents,
    /// A status that is not recognised is an end.
    UnknownIsEnd,
    /// States come in the order of ids, not in that of the question.
    StatesSorted,
    /// Of several SMS the first is given.
    FirstSmsAlone,
    /// Codes are read as numbers.
    CodesAreNumbers,
    /// A list that cannot be read is empty.
    FailureIsEmpty,
    /// The first page of a list is taken for all.
    FirstPage,
    /// Where a later page of a list is lost, what is there so far is taken for all.
    LostPageEnds,
    /// An activation of the list whose details are lost is left out.
    LostDetailsLeaveOut,
    /// Any answer to a cancel is a success.
    AnswerCancels,
    /// Any word but a refusal is a success of a cancel.
    YesCancels,
    /// Any word but a refusal is a success of a finish.
    YesFinishes,
    /// Any word but a refusal is a success of asking for more.
    YesWaits,
    /// Too early is a refusal like any other.
    EarlyIsRefused,
    /// What is finished cannot be finished again.
    FinishesOnce,
    /// Calls may take as long as they like.
    NoTimeLimit,
    /// Redirects are followed.
    FollowsRedirects,
    /// Bodies may be as long as they like.
    NoBodyLimit,
    /// Errors say where the request went.
    UrlInErrors,
    /// The balance has been a float on its way.
    FloatBalance,
    /// `null` is no money.
    NullIsZero,
    /// An exponent may stand behind half a number.
    LooseExponent,
    /// A history that cannot be read is empty.
    FailureIsNoHistory,
    /// A vendor without a history has an empty one.
    NoneIsEmpty,
    /// The first page of a history is taken for all.
    FirstPageOfHistory,
    /// Where a page of a history is lost, what is there so far is taken for all.
    LostPageEndsHistory,
    /// A row that has moved to the next page is given twice.
    MovedRowsTwice,
    /// What is cancelled was charged, since a cost stands beside it.
    CancelledIsKept,
    /// What is not finished was given back.
    UndecidedIsReturned,
    /// What was kept has been a float on its way.
    FloatKept,
    /// One call after the other.
    OneAtATime,
    /// A call that is dropped leaves the adapter busy.
    BusyForEver,
}

/// Name, case that catches it, adapter, of each fault.
macro_rules! broken {
    ($($number:literal $fault:ident on $dialect:literal $([steps of $step:literal])? $case:ident,)*) => {
        $(impl Kind for Spoiled<$number> {
            const DIALECT: usize = $dialect;
            $(const STEP_MINOR: i64 = $step;)?

            fn supplier(base_url: &str) -> Arc<dyn Supplier> {
                Arc::new(Broken::new(Fault::$fault, $dialect, base_url))
            }
        })*

        const TABLE: &[Row] = &[$(Row {
            fault: Fault::$fault,
            case: stringify!($case),
            broken: || block_on(case::<Rig<Spoiled<$number>>>(stringify!($case))),
            sound: || block_on(case::<Rig<Unspoiled<$dialect $(, $step)?>>>(stringify!($case))),
        },)*];
    };
}

struct Row {
    fault: Fault,
    case: &'static str,
    broken: fn() -> Result<Verdict, Failure>,
    sound: fn() -> Result<Verdict, Failure>,
}

struct Spoiled<const FAULT: usize>;
struct Unspoiled<const DIALECT: usize, const STEP_MINOR: i64 = 1>;

impl<const DIALECT: usize, const STEP_MINOR: i64> Kind for Unspoiled<DIALECT, STEP_MINOR> {
    const DIALECT: usize = DIALECT;
    const STEP_MINOR: i64 = STEP_MINOR;

    fn supplier(base_url: &str) -> Arc<dyn Supplier> {
        Arc::new(Broken::new(Fault::None, DIALECT, base_url))
    }
}

broken! {
    1 BuysAgain on 0 rule_02_a_lost_reply_is_no_reason_to_send_again,
    2 TimeoutIsNo on 0 rule_01_no_reply_in_time_leaves_it_unknown,
    3 FailureIsNotSent on 0 rule_03_a_reused_connection_may_have_carried_it,
    4 NoCeiling on 4 rule_04_a_price_above_the_ceiling_is_not_paid,
    5 CeilingInCents on 0 rule_04_the_ceiling_keeps_every_digit,
    6 UnknownIsEnd on 2 rule_05_an_undocumented_status_is_no_end,
    7 StatesSorted on 0 rule_06_poll_keeps_the_order,
    8 FirstSmsAlone on 0 rule_06_every_sms_is_given,
    9 CodesAreNumbers on 3 rule_06_codes_keep_their_zeros,
    10 FailureIsEmpty on 0 rule_07_a_list_that_cannot_be_read_is_not_empty,
    11 FirstPage on 2 rule_07_the_list_has_every_page,
    12 AnswerCancels on 0 rule_08_without_the_word_it_is_unknown,
    13 EarlyIsRefused on 2 rule_08_too_early_is_told,
    14 FinishesOnce on 0 rule_09_a_finish_may_be_repeated,
    15 NoTimeLimit on 0 rule_10_every_call_has_a_time_limit,
    16 FollowsRedirects on 0 rule_10_no_redirect_is_followed,
    17 NoBodyLimit on 0 rule_10_a_body_without_end_is_given_up,
    18 UrlInErrors on 0 rule_11_no_key_and_no_address_in_any_failure,
    19 FloatBalance on 0 rule_12_the_balance_keeps_every_digit,
    20 OneAtATime on 0 rule_13_a_slow_call_holds_up_no_other,
    21 BusyForEver on 0 rule_13_a_dropped_call_leaves_the_adapter_sound,
    22 CeilingInCents on 0 [steps of 10_000] rule_04_the_ceiling_keeps_every_digit,
    23 LostPageEnds on 0 rule_07_a_page_that_is_missing_fails_the_list,
    24 LostDetailsLeaveOut on 2 rule_07_a_page_that_is_missing_fails_the_list,
    25 YesCancels on 0 rule_08_a_yes_in_another_state_is_no_success,
    26 YesFinishes on 0 rule_09_a_yes_in_another_state_is_no_success,
    27 YesWaits on 2 rule_09_a_yes_in_another_state_is_no_success,
    28 NullIsZero on 0 rule_12_what_is_no_amount_is_an_error,
    29 LooseExponent on 0 rule_12_what_is_no_amount_is_an_error,
    30 FailureIsNoHistory on 0 rule_14_a_history_that_cannot_be_read_is_not_empty,
    31 NoneIsEmpty on 4 rule_14_an_empty_history_is_told_from_none,
    32 FirstPageOfHistory on 2 rule_14_the_history_has_every_page,
    33 LostPageEndsHistory on 0 rule_14_a_page_that_is_missing_fails_the_history,
    34 MovedRowsTwice on 2 rule_14_a_history_that_grows_meanwhile_leaves_nothing_out,
    35 CancelledIsKept on 0 rule_14_the_history_is_that_of_the_books,
    36 UndecidedIsReturned on 2 rule_14_an_undocumented_status_decides_nothing,
    37 FloatKept on 0 rule_14_what_is_kept_keeps_every_digit,
}

/// The sound client with a fault.
struct Broken {
    inner: SmsActivate,
    fault: Fault,
    url: String,
    finished: AtomicUsize,
    turn: tokio::sync::Mutex<()>,
    busy: AtomicBool,
}

impl Broken {
    fn new(fault: Fault, dialect: usize, base_url: &str) -> Self {
        let line = &DIALECTS[dialect];
        let mut account = config(line, base_url);
        let inner = match fault {
            Fault::NoTimeLimit => {
                (account.buy_timeout_ms, account.read_timeout_ms) = (60_000, 60_000);
                SmsActivate::new(account, http::client().unwrap()).unwrap()
            }
            Fault::FollowsRedirects => {
                let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
                SmsActivate::new(account, client).unwrap()
            }
            _ => client(line, base_url),
        };
        let url = format!("{base_url}/stubs/handler_api.php?api_key={KEY}&action=getBalance");
        let (finished, turn, busy) = (AtomicUsize::new(0), tokio::sync::Mutex::new(()), AtomicBool::new(false));
        Self { inner, fault, url, finished, turn, busy }
    }

    /// The balance by a hand-written call and in the words of the vendor, without a limit on its length.
    async fn balance_text(&self) -> Result<String, CallError> {
        let failed = |_: reqwest::Error| CallError::Unusable("no answer".to_owned());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().map_err(failed)?;
        let limit = std::time::Duration::from_secs(20);
        let body = client.get(&self.url).timeout(limit).send().await.map_err(failed)?.text().await.map_err(failed)?;
        let amount = body.strip_prefix("ACCESS_BALANCE:").map(str::to_owned);
        amount.ok_or_else(|| CallError::Unusable("no balance".to_owned()))
    }

    /// The balance, by a reading of its text.
    async fn balance_by(&self, read: impl Fn(&str, Currency) -> Option<Money>) -> Result<Money, CallError> {
        let (text, currency) = (self.balance_text().await?, self.inner.describe().currency);
        read(&text, currency).ok_or_else(|| CallError::Unusable("no amount".to_owned()))
    }

    /// A list that is read by the row, a part of it with each request; another call stands for these.
    async fn parts(&self, mut list: Vec<Activation>, rows: usize) -> Result<Vec<Activation>, CallError> {
        let mut found = Vec::new();
        while !list.is_empty() {
            let rest = list.split_off(rows.min(list.len()));
            match (self.fault, self.inner.balance().await) {
                (_, Ok(_)) => found.append(&mut list),
                (Fault::LostDetailsLeaveOut, Err(_)) => {}
                (_, Err(error)) if found.is_empty() => return Err(error),
                (_, Err(_)) => break,
            }
            list = rest;
        }
        Ok(found)
    }
}

/// Puts the digit that is missing beside a dot, where an exponent follows.
fn loosely(text: &str, currency: Currency) -> Option<Money> {
    let Some((mantissa, exponent)) = text.split_once('e') else { return read::balance(text, currency) };
    let mantissa =
        if mantissa.starts_with('.') { format!("0{mantissa}") } else { mantissa.trim_end_matches('.').into() };
    read::balance(&format!("{mantissa}e{exponent}"), currency)
}

/// What a float makes of an amount.
#[allow(clippy::float_arithmetic, clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the fault")]
fn through_a_float(money: Money) -> Money {
    let unit = 10_f64.powi(i32::try_from(money.currency.exponent()).unwrap());
    let float = money.minor as f64 / unit;
    Money::new((float * unit) as i64, money.currency)
}

#[async_trait]
impl Supplier for Broken {
    fn describe(&self) -> SupplierInfo {
        self.inner.describe()
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        self.inner.offers().await
    }

    async fn balance(&self) -> Result<Money, CallError> {
        match self.fault {
            Fault::NoBodyLimit => self.balance_by(Money::parse).await,
            Fault::LooseExponent => self.balance_by(loosely).await,
            Fault::NullIsZero => {
                let or_null = |text: &str, currency| match text {
                    "null" => Some(Money::new(0, currency)),
                    _ => read::balance(text, currency),
                };
                self.balance_by(or_null).await
            }
            Fault::OneAtATime => {
                let _turn = self.turn.lock().await;
                self.inner.balance().await
            }
            Fault::BusyForEver => {
                if self.busy.swap(true, Ordering::AcqRel) {
                    return Err(CallError::Unusable("a call is under way".to_owned()));
                }
                let balance = self.inner.balance().await;
                self.busy.store(false, Ordering::Release);
                balance
            }
            Fault::FloatBalance => self.inner.balance().await.map(through_a_float),
            Fault::UrlInErrors => self.inner.balance().await.map_err(|error| match error {
                CallError::Unusable(why) => CallError::Unusable(format!("{why} for url ({})", self.url)),
                other => other,
            }),
            _ => self.inner.balance().await,
        }
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        let mut request = request.clone();
        match self.fault {
            Fault::NoCeiling => request.ceiling.minor = i64::MAX / 2,
            Fault::CeilingInCents => request.ceiling.minor = (request.ceiling.minor + 9_999) / 10_000 * 10_000,
            _ => {}
        }
        let outcome = self.inner.buy(&request).await;
        match (self.fault, outcome) {
            (Fault::BuysAgain, BuyOutcome::Unknown(_)) => self.inner.buy(&request).await,
            (Fault::TimeoutIsNo, BuyOutcome::Unknown(why)) if why.contains("in time") => {
                BuyOutcome::RejectedUncharged(Rejection::NoNumbers)
            }
            (Fault::FailureIsNotSent, BuyOutcome::Unknown(why)) => BuyOutcome::NotSent(why),
            (_, outcome) => outcome,
        }
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let mut states = match (self.fault, self.inner.poll(ids).await) {
            (Fault::UnknownIsEnd, Err(CallError::Unusable(_))) => vec![ActivationState::Ended; ids.len()],
            (_, states) => states?,
        };
        if self.fault == Fault::StatesSorted {
            let by_id: BTreeMap<_, _> = ids.iter().zip(states).collect();
            states = by_id.into_values().collect();
        }
        for state in &mut states {
            let ActivationState::Received(sms) = state else { continue };
            match self.fault {
                Fault::FirstSmsAlone => sms.truncate(1),
                Fault::CodesAreNumbers => {
                    for code in sms.iter_mut().filter_map(|sms| sms.code.as_mut()) {
                        *code = code.parse::<u64>().map_or_else(|_| code.clone(), |number| number.to_string());
                    }
                }
                _ => {}
            }
        }
        Ok(states)
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        match (self.fault, self.inner.active().await) {
            (Fault::FailureIsEmpty, Err(_)) => Ok(Vec::new()),
            (Fault::FirstPage, Ok(mut list)) => {
                list.truncate(100);
                Ok(list)
            }
            (Fault::LostPageEnds, Ok(list)) => self.parts(list, 1).await,
            (Fault::LostDetailsLeaveOut, Ok(list)) => self.parts(list, 50).await,
            (_, list) => list,
        }
    }

    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        let history = self.inner.history(from, until);
        match self.fault {
            Fault::FailureIsNoHistory => Ok(history.await.unwrap_or_default()),
            Fault::NoneIsEmpty => history.await.or_else(|error| match error {
                CallError::Unsupported => Ok(Vec::new()),
                other => Err(other),
            }),
            Fault::FirstPageOfHistory => history.await.map(|mut all| {
                all.truncate(50);
                all
            }),
            // the requests are one for each row and one that finds none: another call stands for each
            Fault::LostPageEndsHistory => {
                let mut all = history.await?;
                let rows = all.len();
                for row in 0..rows {
                    if self.inner.balance().await.is_err() {
                        all.truncate(row);
                        break;
                    }
                }
                Ok(all)
            }
            Fault::MovedRowsTwice => {
                let mut all = history.await?;
                // it has grown since
                if self.inner.history(from, until).await?.len() > all.len() {
                    all.extend(all.last().cloned());
                }
                Ok(all)
            }
            _ => {
                let mut all = history.await?;
                for past in &mut all {
                    past.charge = match (self.fault, past.charge) {
                        (Fault::CancelledIsKept, Charge::Returned) => Charge::Kept(None),
                        (Fault::UndecidedIsReturned, Charge::Undecided) => Charge::Returned,
                        (Fault::FloatKept, Charge::Kept(Some(cost))) => Charge::Kept(Some(through_a_float(cost))),
                        (_, charge) => charge,
                    };
                }
                Ok(all)
            }
        }
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        match (self.fault, self.inner.more(id).await) {
            (Fault::YesWaits, MoreOutcome::Unknown(word)) if word.starts_with("ACCESS") => MoreOutcome::Waiting,
            (_, outcome) => outcome,
        }
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        match (self.fault, self.inner.cancel(id).await) {
            (Fault::AnswerCancels, CancelOutcome::Unknown(why)) if !why.contains("connection") => {
                CancelOutcome::Cancelled
            }
            (Fault::YesCancels, CancelOutcome::Refused(word)) if word.starts_with("ACCESS") => CancelOutcome::Cancelled,
            (Fault::EarlyIsRefused, CancelOutcome::TooEarly) => CancelOutcome::Refused("too early".to_owned()),
            (_, outcome) => outcome,
        }
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        if self.fault == Fault::FinishesOnce && self.finished.fetch_add(1, Ordering::AcqRel) > 0 {
            return FinishOutcome::Refused("not open".to_owned());
        }
        match (self.fault, self.inner.finish(id).await) {
            (Fault::YesFinishes, FinishOutcome::Refused(word)) if word.starts_with("ACCESS") => FinishOutcome::Finished,
            (_, outcome) => outcome,
        }
    }
}

/// Rows that are tried at once: most of their time they wait.
const AT_ONCE: usize = 8;

#[test]
fn every_broken_supplier_is_caught_by_its_case() {
    let mut wrong = Vec::new();
    for rows in TABLE.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let tried: Vec<_> = rows.iter().map(|row| (row, scope.spawn(|| ((row.broken)(), (row.sound)())))).collect();
            for (row, tried) in tried {
                let (broken, sound) = tried.join().unwrap();
                match broken {
                    Err(failure) => println!("{:<18}{failure}", format!("{:?}", row.fault)),
                    Ok(_) => wrong.push(format!("{:?} passes {}", row.fault, row.case)),
                }
                if sound != Ok(Verdict::Passed) {
                    wrong.push(format!("the sound one does not pass {}: {sound:?}", row.case));
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // each rule has somebody who breaks it
    let rules: std::collections::BTreeSet<_> = TABLE.iter().map(|row| &row.case[..7]).collect();
    assert_eq!(rules.len(), 14);
}

/// An adapter that cannot even be made.
struct Panicking;

impl Kind for Panicking {
    const DIALECT: usize = 0;

    fn supplier(_: &str) -> Arc<dyn Supplier> {
        panic!("no configuration")
    }
}

#[test]
fn what_panics_has_failed_and_the_card_is_printed_all_the_same() {
    let board = Board::new();
    let name = || block_on(supplier::name::<Rig<Panicking>>());
    let first = supplier::CASES[0].name;
    let one_panics = |name| if name == first { block_on(case::<Rig<Panicking>>(name)) } else { Ok(Verdict::Passed) };
    let card = board.score_card::<Rig<Panicking>>(name, one_panics).unwrap_err().to_string();
    assert!(card.starts_with(&format!("1 of {} cases failed", supplier::CASES.len())), "{card}");
    let again = board.verdict(first, || Ok(Verdict::Passed)).unwrap_err().to_string();
    assert!(again.contains("panicked: no configuration"), "{again}");
}

#[test]
fn what_cannot_be_run_must_be_excused_by_name_and_only_that() {
    use smscode_core::conformance::supplier::SupplierFixture;

    let run = |name: &str| block_on(case::<Rig<Sound<4>>>(name));
    let excused = run("rule_07_the_list_has_every_page");
    assert!(matches!(excused, Ok(Verdict::Excused(excuse)) if excuse.reason.contains("no list")), "{excused:?}");
    assert!(run("rule_99_no_such_case").is_err());
    assert_eq!(Rig::<Sound<4>>::excuses().len(), 23);
}
