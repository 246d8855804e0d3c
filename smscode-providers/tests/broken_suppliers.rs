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
use smscode_core::conformance::supplier::case;
use smscode_core::conformance::{Failure, Verdict};
use smscode_core::money::Money;
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, FinishOutcome,
    MoreOutcome, Offer, Rejection, Supplier, SupplierInfo,
};
use smscode_providers::http;
use smscode_providers::sms::sms_activate::SmsActivate;

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
    /// Any answer to a cancel is a success.
    AnswerCancels,
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
    /// One call after the other.
    OneAtATime,
    /// A call that is dropped leaves the adapter busy.
    BusyForEver,
}

/// Name, case that catches it, adapter, of each fault.
macro_rules! broken {
    ($($number:literal $fault:ident on $dialect:literal $case:ident,)*) => {
        $(impl Kind for Spoiled<$number> {
            const DIALECT: usize = $dialect;

            fn supplier(base_url: &str) -> Arc<dyn Supplier> {
                Arc::new(Broken::new(Fault::$fault, $dialect, base_url))
            }
        })*

        const TABLE: &[Row] = &[$(Row {
            fault: Fault::$fault,
            case: stringify!($case),
            broken: || block_on(case::<Rig<Spoiled<$number>>>(stringify!($case))),
            sound: || block_on(case::<Rig<Unspoiled<$dialect>>>(stringify!($case))),
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
struct Unspoiled<const DIALECT: usize>;

impl<const DIALECT: usize> Kind for Unspoiled<DIALECT> {
    const DIALECT: usize = DIALECT;

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

    /// The balance by a hand-written call.
    async fn long_balance(&self) -> Result<Money, CallError> {
        let failed = |_: reqwest::Error| CallError::Unusable("no answer".to_owned());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().map_err(failed)?;
        let limit = std::time::Duration::from_secs(20);
        let body = client.get(&self.url).timeout(limit).send().await.map_err(failed)?.text().await.map_err(failed)?;
        let currency = self.inner.describe().currency;
        let amount = body.strip_prefix("ACCESS_BALANCE:").and_then(|text| Money::parse(text, currency));
        amount.ok_or_else(|| CallError::Unusable("no balance".to_owned()))
    }
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
            Fault::NoBodyLimit => self.long_balance().await,
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
            (_, list) => list,
        }
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        self.inner.more(id).await
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        match (self.fault, self.inner.cancel(id).await) {
            (Fault::AnswerCancels, CancelOutcome::Unknown(why)) if !why.contains("connection") => {
                CancelOutcome::Cancelled
            }
            (Fault::EarlyIsRefused, CancelOutcome::TooEarly) => CancelOutcome::Refused("too early".to_owned()),
            (_, outcome) => outcome,
        }
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        if self.fault == Fault::FinishesOnce && self.finished.fetch_add(1, Ordering::AcqRel) > 0 {
            return FinishOutcome::Refused("not open".to_owned());
        }
        self.inner.finish(id).await
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
    assert_eq!(rules.len(), 13);
}

#[test]
fn what_cannot_be_run_must_be_excused_by_name_and_only_that() {
    use smscode_core::conformance::supplier::SupplierFixture;

    let run = |name: &str| block_on(case::<Rig<Sound<4>>>(name));
    let excused = run("rule_07_the_list_has_every_page");
    assert!(matches!(excused, Ok(Verdict::Excused(excuse)) if excuse.reason.contains("no list")), "{excused:?}");
    assert!(run("rule_99_no_such_case").is_err());
    assert_eq!(Rig::<Sound<4>>::excuses().len(), 16);
}
