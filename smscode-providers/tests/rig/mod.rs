//! The client of the SMS-Activate protocol and its simulator, as the supplier suite wants them.
#![allow(dead_code, reason = "each test program uses a part")]

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::conformance::supplier::{Answer, Call, Needs, Say, Sold, SupplierFixture};
use smscode_core::conformance::{Excuse, Failure};
use smscode_core::money::Money;
use smscode_core::port::{ActivationId, Clock, Supplier};
use smscode_providers::clock::SystemClock;
use smscode_providers::sandbox::model::Settings;
use smscode_providers::sandbox::{Injection, Sandbox, SandboxConfig, SandboxHandle, Style};
use smscode_providers::sms::sms_activate::{
    Dialect, GRIZZLYSMS, HEROSMS, Purchase, SMS_ACTIVATE, SMSCODE, SMSHUB, SmsActivate, SmsActivateConfig,
};
use smscode_providers::{ApiKey, http};

pub(crate) const KEY: &str = "planted0key0planted0key0planted0";
/// Where the product is sold, and what it is: only injected SMS arrive at its numbers.
pub(crate) const PRODUCT: (u16, &str) = (6, "sbx_manual");
/// The adapter's time limits: some cases wait for them, and a busy machine must not run into them.
pub(crate) const LIMIT_MS: u32 = 3_000;

/// A dialect with the server that it is for, and what that server cannot do.
pub(crate) struct Line {
    pub(crate) dialect: &'static Dialect,
    pub(crate) style: Style,
    pub(crate) lacks: &'static [Needs],
    pub(crate) excuses: &'static [Excuse],
}

const fn excuse(case: &'static str, reason: &'static str) -> Excuse {
    Excuse { case, reason }
}

const LAST: &str = "the protocol shows the last SMS of an activation alone";
const SAME: &str = "the protocol has one word, BAD_STATUS, for every step that a state does not allow";
const NONE: &str = "the protocol has no list of open activations";
const ONE: &str = "without a list each status is a request of its own, so a poll is of one";
const V1: &str = "the answer to getNumber is id and phone: the price is not told";
const ID: &str = "the dialect has no reference of the buyer";
const PAST: &str = "the protocol has no list of what was bought";
const CODE: &str = "the protocol shows the code alone, not the text";

/// By the number of the fixture.
pub(crate) const DIALECTS: [Line; 5] = [
    Line {
        dialect: &SMS_ACTIVATE,
        style: Style::Plain,
        lacks: &[Needs::SmsArrived],
        excuses: &[excuse("rule_08_an_sms_that_was_faster_is_told", SAME)],
    },
    Line {
        dialect: &SMSCODE,
        style: Style::Plain,
        lacks: &[Needs::SmsArrived],
        excuses: &[excuse("rule_08_an_sms_that_was_faster_is_told", SAME)],
    },
    Line {
        dialect: &HEROSMS,
        style: Style::HeroSms,
        lacks: &[Needs::EverySms],
        excuses: &[
            excuse("rule_01_a_used_reference_is_told", ID),
            excuse("rule_06_every_sms_is_given", LAST),
            excuse("rule_06_equal_texts_are_as_many_sms", LAST),
        ],
    },
    Line {
        dialect: &GRIZZLYSMS,
        style: Style::Grizzly,
        lacks: &[Needs::EverySms, Needs::SmsArrived],
        excuses: &[
            excuse("rule_01_a_used_reference_is_told", ID),
            excuse("rule_06_every_sms_is_given", LAST),
            excuse("rule_06_equal_texts_are_as_many_sms", LAST),
            excuse("rule_08_an_sms_that_was_faster_is_told", SAME),
            excuse("rule_14_the_history_is_that_of_the_books", PAST),
            excuse("rule_14_the_history_has_every_page", PAST),
            excuse("rule_14_a_history_that_cannot_be_read_is_not_empty", PAST),
            excuse("rule_14_a_page_that_is_missing_fails_the_history", PAST),
            excuse("rule_14_a_history_that_grows_meanwhile_leaves_nothing_out", PAST),
            excuse("rule_14_what_is_kept_keeps_every_digit", PAST),
            excuse("rule_14_an_undocumented_status_decides_nothing", PAST),
        ],
    },
    Line {
        dialect: &SMSHUB,
        style: Style::SmsHub,
        lacks: &[Needs::EverySms, Needs::Text, Needs::SmsArrived],
        excuses: &[
            excuse("rule_01_ids_are_text", V1),
            excuse("rule_01_a_used_reference_is_told", ID),
            excuse("rule_01_what_is_unknown_can_be_looked_up", NONE),
            excuse("rule_04_a_charge_above_the_ceiling_is_told", V1),
            excuse("rule_06_poll_keeps_the_order", ONE),
            excuse("rule_06_an_id_that_is_asked_twice_is_answered_twice", ONE),
            excuse("rule_06_every_sms_is_given", LAST),
            excuse("rule_06_equal_texts_are_as_many_sms", LAST),
            excuse("rule_06_texts_come_as_they_were", CODE),
            excuse("rule_07_the_list_has_what_is_open", NONE),
            excuse("rule_07_the_list_has_every_page", NONE),
            excuse("rule_07_a_list_that_cannot_be_read_is_not_empty", NONE),
            excuse("rule_07_a_page_that_is_missing_fails_the_list", NONE),
            excuse("rule_07_a_list_that_moves_meanwhile_leaves_nothing_out", NONE),
            excuse("rule_08_an_sms_that_was_faster_is_told", SAME),
            excuse("rule_12_what_was_charged_keeps_every_digit", V1),
            excuse("rule_14_the_history_is_that_of_the_books", PAST),
            excuse("rule_14_the_history_has_every_page", PAST),
            excuse("rule_14_a_history_that_cannot_be_read_is_not_empty", PAST),
            excuse("rule_14_a_page_that_is_missing_fails_the_history", PAST),
            excuse("rule_14_a_history_that_grows_meanwhile_leaves_nothing_out", PAST),
            excuse("rule_14_what_is_kept_keeps_every_digit", PAST),
            excuse("rule_14_an_undocumented_status_decides_nothing", PAST),
        ],
    },
];

/// A future on a runtime of its own.
#[allow(clippy::expect_used, reason = "a test without a runtime cannot go on")]
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Which adapter is tested.
pub(crate) trait Kind: Send + Sync + 'static {
    /// The number of its dialect.
    const DIALECT: usize;
    /// The smallest step of prices and balances, in the smallest unit of the currency.
    const STEP_MINOR: i64 = 1;

    /// The adapter.
    fn supplier(base_url: &str) -> Arc<dyn Supplier>;
}

/// The client as it is, in the dialect of this number.
pub(crate) struct Sound<const N: usize>;

impl<const N: usize> Kind for Sound<N> {
    const DIALECT: usize = N;

    fn supplier(base_url: &str) -> Arc<dyn Supplier> {
        Arc::new(client(&DIALECTS[N], base_url))
    }
}

/// The simulator of the adapter's dialect.
pub(crate) struct Rig<K> {
    sandbox: SandboxHandle,
    kind: PhantomData<K>,
}

impl<K: Kind> Rig<K> {
    const LINE: &'static Line = &DIALECTS[K::DIALECT];
}

/// The client with its configuration as the suite wants it.
pub(crate) fn config(line: &Line, base_url: &str) -> SmsActivateConfig {
    let mut config = SmsActivateConfig::new(line.dialect.name, line.dialect, ApiKey::new(KEY));
    config.base_url = format!("{base_url}/stubs/handler_api.php");
    config.buy_timeout_ms = LIMIT_MS;
    config.read_timeout_ms = LIMIT_MS;
    config
}

#[allow(clippy::expect_used, reason = "tests")]
pub(crate) fn client(line: &Line, base_url: &str) -> SmsActivate {
    SmsActivate::new(config(line, base_url), http::client().expect("a client")).expect("a good configuration")
}

fn number(id: &ActivationId) -> u64 {
    id.0.parse().unwrap_or_default()
}

/// The simulator as every fixture of this protocol has it.
#[allow(clippy::panic, clippy::expect_used, reason = "tests")]
pub(crate) mod sim {
    use super::*;

    pub(crate) async fn open(line: &Line) -> SandboxHandle {
        // where the list of what is open has no pages, three numbers are to fill more than two of the history
        let history_page = line.dialect.active.and_then(|list| list.page).map_or(1, |rows| usize::from(rows) / 2);
        let settings = Settings { cancel_after_ms: 0, history_page, ..Settings::default() };
        let config = SandboxConfig { style: line.style, settings, ..SandboxConfig::new(ApiKey::new(KEY)) };
        Sandbox::start(config).await.expect("a simulator on loopback")
    }

    pub(crate) fn deliver(sandbox: &SandboxHandle, id: &ActivationId, text: &str) {
        let found =
            sandbox.with_model(|model| model.sold().find(|sold| sold.id == number(id)).map(|s| s.phone.clone()));
        let phone = found.expect("an activation of this simulator");
        assert_eq!(sandbox.inject(&phone, text), Injection::Delivered);
    }

    pub(crate) fn sold(sandbox: &SandboxHandle) -> Vec<Sold> {
        sandbox.with_model(|model| {
            let sold = model.sold().map(|sold| Sold {
                id: ActivationId(sold.id.to_string()),
                phone: sold.phone.clone(),
                charged: sold.taken,
                is_open: sold.stage.is_open(),
            });
            sold.collect()
        })
    }

    /// What servers of this protocol say, word for word.
    pub(crate) fn answer(line: &Line, call: Call, say: Say<'_>) -> Option<Answer> {
        let hero = line.style == Style::HeroSms;
        let word = |status: u16, word: &str| match hero {
            true => Answer { status, body: format!(r#"{{"title":"{word}","details":"in words","info":{{}}}}"#) },
            false => Answer { status: 200, body: word.to_owned() },
        };
        Some(match say {
            Say::Unauthorised => word(401, "BAD_KEY"),
            Say::RateLimited => word(429, if hero { "RATE_LIMITED" } else { "RATE_LIMIT" }),
            Say::Broken => word(500, if hero { "SERVER_ERROR" } else { "ERROR_SQL" }),
            Say::Undocumented => word(400, "SOMETHING_NEW"),
            Say::TooEarly => word(409, "EARLY_CANCEL_DENIED"),
            Say::NoAmount(text) => Answer { status: 200, body: format!("ACCESS_BALANCE:{text}") },
            // some servers say it to refuse politely
            Say::StillOpen(_) => Answer { status: 200, body: "ACCESS_READY".to_owned() },
            Say::Status(_) if call == Call::History && !line.dialect.history => return None,
            Say::Status(sold) if call == Call::History => {
                let body = format!(r#"[{{"id":"{}","cost":1.5,"status":"77","currency":840}}]"#, sold.id.0);
                Answer { status: 200, body }
            }
            Say::Status(_) if line.style != Style::Plain => {
                Answer { status: 200, body: "STATUS_SOMETHING_NEW".to_owned() }
            }
            Say::Status(sold) => {
                let row = row(sold, sold.charged);
                let list = format!(r#"{{"status":"success","activeActivations":[{{{row},"activationStatus":"77"}}]}}"#);
                Answer { status: 200, body: list }
            }
            Say::SoldFor(..) if line.dialect.purchase == Purchase::V1 => return None,
            Say::SoldFor(sold, cost) => {
                assert_eq!(call, Call::Buy);
                Answer { status: 200, body: format!("{{{}}}", row(sold, cost)) }
            }
        })
    }

    fn row(sold: &Sold, cost: Money) -> String {
        let (id, phone, cost) = (&sold.id.0, &sold.phone, cost.decimal());
        format!(
            r#""activationId":{id},"phoneNumber":"{phone}","activationCost":{cost},"currency":840,"countryCode":"6","serviceCode":"{}""#,
            PRODUCT.1
        )
    }
}

#[async_trait]
impl<K: Kind> SupplierFixture for Rig<K> {
    async fn open() -> Self {
        Self { sandbox: sim::open(Self::LINE).await, kind: PhantomData }
    }

    fn address(&self) -> SocketAddr {
        self.sandbox.addr()
    }

    fn supplier(&self, base_url: &str) -> Arc<dyn Supplier> {
        K::supplier(base_url)
    }

    fn secret(&self) -> String {
        KEY.to_owned()
    }

    fn shown(&self) -> String {
        format!("{:?} {:?}", config(Self::LINE, "http://x"), client(Self::LINE, "http://x"))
    }

    fn product(&self) -> (u16, String) {
        (PRODUCT.0, PRODUCT.1.to_owned())
    }

    fn step_minor(&self) -> i64 {
        K::STEP_MINOR
    }

    fn many(&self) -> usize {
        Self::LINE.dialect.active.and_then(|list| list.page).map_or(3, |rows| 2 * usize::from(rows) + 1)
    }

    async fn set_price(&self, price: Money) {
        self.sandbox.with_model(|model| model.set_price(PRODUCT.0, PRODUCT.1, price));
    }

    async fn set_stock(&self, count: u32) {
        self.sandbox.with_model(|model| model.set_stock(PRODUCT.0, PRODUCT.1, count));
    }

    async fn set_balance(&self, balance: Money) {
        self.sandbox.with_model(|model| model.set_balance(balance));
    }

    async fn deliver(&self, id: &ActivationId, text: &str) {
        sim::deliver(&self.sandbox, id, text);
    }

    async fn end(&self, id: &ActivationId) {
        self.sandbox.with_model(|model| model.end(SystemClock.now(), number(id)));
    }

    async fn sold(&self) -> Vec<Sold> {
        sim::sold(&self.sandbox)
    }

    fn answer(&self, call: Call, say: Say<'_>) -> Option<Answer> {
        sim::answer(Self::LINE, call, say)
    }

    fn lacks() -> &'static [Needs] {
        Self::LINE.lacks
    }

    fn excuses() -> &'static [Excuse] {
        Self::LINE.excuses
    }
}
