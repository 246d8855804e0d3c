//! The adapter against the simulator, over real HTTP: every dialect, every scenario, every fault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "many callers are tasks, a slow supplier sleeps")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use smscode_core::money::{Currency, Money};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Clock, FinishOutcome,
    MoreOutcome, Rejection, Supplier,
};
use smscode_core::time::Timestamp;
use smscode_providers::clock::OsEntropy;
use smscode_providers::sandbox::{
    Fault, FaultReply, Injection, SCENARIOS, Sandbox, SandboxConfig, SandboxHandle, Style, model,
};
use smscode_providers::sms::sms_activate::{
    Dialect, GRIZZLYSMS, HEROSMS, SMS_ACTIVATE, SMSCODE, SMSHUB, SmsActivate, SmsActivateConfig,
};
use smscode_providers::{ApiKey, http};

const KEY: &str = "planted0key0planted0key0planted0";

/// Time passes when the test says so; a simulator that is to be slow sleeps for real.
struct ManualClock(Mutex<Timestamp>);

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let left = u64::try_from(at.ms_since(self.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(left)).await;
    }
}

struct Rig {
    sandbox: SandboxHandle,
    clock: Arc<ManualClock>,
    supplier: SmsActivate,
}

impl Rig {
    async fn new(dialect: &Dialect, style: Style) -> Self {
        Self::with(dialect, style, model::Settings::default()).await
    }

    async fn with(dialect: &Dialect, style: Style, settings: model::Settings) -> Self {
        let clock = Arc::new(ManualClock(Mutex::new(Timestamp::from_seconds(1_780_000_000))));
        let config = SandboxConfig { style, settings, ..SandboxConfig::new(ApiKey::new(KEY)) };
        let sandbox = Sandbox::start_with(config, clock.clone(), Arc::new(OsEntropy)).await.unwrap();
        let supplier = supplier(dialect, &sandbox.base_url(), KEY);
        Self { sandbox, clock, supplier }
    }

    fn pass(&self, ms: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_ms(ms);
    }

    async fn buy(&self, service: &str) -> Activation {
        match self.supplier.buy(&request(service)).await {
            BuyOutcome::Accepted(activation) => activation,
            other => panic!("{service}: {other:?}"),
        }
    }

    async fn state(&self, id: &ActivationId) -> ActivationState {
        self.supplier.poll(std::slice::from_ref(id)).await.unwrap().remove(0)
    }
}

/// A machine may stand still for some seconds without a call being given up.
fn supplier(dialect: &Dialect, base_url: &str, key: &str) -> SmsActivate {
    limited(dialect, base_url, key, 20_000)
}

/// One whose limit is waited for, at answers that come much later.
fn impatient(rig: &Rig, dialect: &Dialect) -> SmsActivate {
    limited(dialect, &rig.sandbox.base_url(), KEY, 700)
}

fn limited(dialect: &Dialect, base_url: &str, key: &str, timeout_ms: u32) -> SmsActivate {
    let mut config = SmsActivateConfig::new("under-test", dialect, ApiKey::new(key));
    config.base_url = base_url.to_owned();
    config.buy_timeout_ms = timeout_ms;
    config.read_timeout_ms = timeout_ms;
    SmsActivate::new(config, http::client().unwrap()).unwrap()
}

fn request(service: &str) -> BuyRequest {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let reference = format!("{:032x}", COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    BuyRequest { country: 6, service: service.to_owned(), ceiling: usd(5_000_000), reference }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

/// Each dialect with the server that it is for.
const PAIRS: [(&Dialect, Style); 5] = [
    (&SMS_ACTIVATE, Style::Plain),
    (&SMSCODE, Style::Plain),
    (&HEROSMS, Style::HeroSms),
    (&GRIZZLYSMS, Style::Grizzly),
    (&SMSHUB, Style::SmsHub),
];

/// The states in which an activation shows at most its last SMS, in the status or in the list.
fn is_v2(dialect: &Dialect) -> bool {
    dialect.active.is_some()
}

#[tokio::test]
async fn every_dialect_rents_a_number_reads_two_codes_and_finishes() {
    for (dialect, style) in PAIRS {
        let rig = Rig::new(dialect, style).await;
        let before = rig.supplier.balance().await.unwrap();
        assert_eq!(before, rig.sandbox.balance());

        let bought = rig.buy("tg").await;
        assert!(bought.phone.starts_with("62810"), "{}", dialect.name);
        assert!(bought.id.0.parse::<u64>().unwrap() > u64::from(u32::MAX) / 2);
        if is_v2(dialect) {
            assert_eq!((bought.cost, bought.country), (Some(usd(400_000)), Some(6)), "{}", dialect.name);
        }
        assert_eq!(bought.window_seconds, matches!(style, Style::HeroSms | Style::Grizzly).then_some(1_200));
        assert_eq!(bought.reference.is_some(), style == Style::Plain);
        assert_eq!(rig.state(&bought.id).await, ActivationState::Waiting);

        rig.pass(1_000);
        let ActivationState::Received(first) = rig.state(&bought.id).await else { panic!("{}", dialect.name) };
        let code = first[0].code.clone().unwrap();
        assert!(first.len() == 1 && code.len() == 6 && first[0].text.contains(&code), "{}", dialect.name);
        assert_eq!(first[0].at.is_some(), is_v2(dialect), "{}", dialect.name);

        assert_eq!(rig.supplier.more(&bought.id).await, MoreOutcome::Waiting);
        let between = rig.state(&bought.id).await;
        assert!(between.sms().iter().all(|sms| first.contains(sms)), "{}: the old code is no new SMS", dialect.name);
        rig.pass(1_000);
        let ActivationState::Received(second) = rig.state(&bought.id).await else { panic!("{}", dialect.name) };
        assert_ne!(second.last(), first.last(), "{}", dialect.name);

        assert_eq!(rig.supplier.finish(&bought.id).await, FinishOutcome::Finished);
        assert_eq!(rig.supplier.finish(&bought.id).await, FinishOutcome::Finished, "{}: twice", dialect.name);
        assert_eq!(rig.state(&bought.id).await, ActivationState::Ended);
        assert_eq!(rig.supplier.cancel(&bought.id).await, CancelOutcome::NotOpen);
        assert_eq!(rig.supplier.balance().await.unwrap().minor, before.minor - 400_000);
        rig.sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn every_dialect_cancels_when_it_may() {
    for (dialect, style) in PAIRS {
        let rig = Rig::new(dialect, style).await;
        let before = rig.sandbox.balance();
        let bought = rig.buy("sbx_cancel_early").await;
        rig.pass(119_000);
        assert_eq!(rig.supplier.cancel(&bought.id).await, CancelOutcome::TooEarly);
        rig.pass(1_000);
        for _ in 0..2 {
            assert_eq!(rig.supplier.cancel(&bought.id).await, CancelOutcome::Cancelled, "{}", dialect.name);
        }
        assert_eq!(rig.sandbox.balance(), before);
        assert_eq!(rig.state(&bought.id).await, ActivationState::Ended);
        let never = ActivationId("12345".to_owned());
        assert_eq!(rig.supplier.cancel(&never).await, CancelOutcome::NotOpen);
        assert_eq!(rig.state(&never).await, ActivationState::NotFound);
        assert!(matches!(rig.supplier.more(&never).await, MoreOutcome::Refused(_)));

        let bought = rig.buy("sbx_manual").await;
        rig.pass(2_000);
        assert_eq!(rig.sandbox.inject(&format!("+{}", bought.phone), "hello"), Injection::Delivered);
        let refused = rig.supplier.cancel(&bought.id).await;
        let expected = if style == Style::HeroSms { CancelOutcome::SmsArrived } else { CancelOutcome::NotOpen };
        assert_eq!(refused, expected, "{}", dialect.name);
    }
}

#[tokio::test]
async fn every_scenario_plays_over_every_dialect() {
    for (dialect, style) in PAIRS {
        let rig = Rig::new(dialect, style).await;
        let texts = |state: &ActivationState| state.sms().len();

        let now = rig.buy("sbx_code_now").await;
        assert_eq!(texts(&rig.state(&now.id).await), 1);

        let (later, manual) = (rig.buy("sbx_code_later").await, rig.buy("sbx_manual").await);
        let (two, nothing) = (rig.buy("sbx_two_sms").await, rig.buy("sbx_no_sms").await);
        let wordy = rig.buy("sbx_text_only").await;
        rig.pass(9_000);
        let ids = [&later, &manual, &two, &nothing, &wordy].map(|activation| activation.id.clone());
        let states = rig.supplier.poll(&ids).await.unwrap();
        let all = is_v2(dialect) && style == Style::Plain;
        let counts: Vec<usize> = states.iter().map(texts).collect();
        assert_eq!(counts, [0, 0, if all { 2 } else { 1 }, 0, 1], "{}", dialect.name);
        assert_eq!(states[4].sms()[0].code, None, "{}", dialect.name);
        if is_v2(dialect) {
            assert!(!states[4].sms()[0].text.is_empty() && states[4].sms()[0].text != "Нет кода");
        }
        rig.pass(1_000);
        assert_eq!(texts(&rig.state(&later.id).await), 1);

        assert_eq!(rig.sandbox.inject(&manual.phone, "Your code: 004512"), Injection::Delivered);
        let injected = rig.state(&manual.id).await;
        assert_eq!(injected.sms()[0].code.as_deref(), Some("004512"), "leading zeros matter");
        assert_eq!(rig.sandbox.inject("62999", "x"), Injection::NoOpenNumber);

        rig.pass(1_200_000);
        let states = rig.supplier.poll(&ids).await.unwrap();
        assert!(states.iter().all(|state| *state == ActivationState::Ended), "{}: {states:?}", dialect.name);
        assert_eq!(rig.sandbox.open(), 0);
    }
}

#[tokio::test]
async fn every_refusal_of_a_purchase_is_typed_and_buys_nothing() {
    for (dialect, style) in PAIRS {
        let settings = model::Settings { channels: 1, balance_minor: 450_000, ..model::Settings::default() };
        let rig = Rig::with(dialect, style, settings).await;
        let buy = async |request: BuyRequest| match rig.supplier.buy(&request).await {
            BuyOutcome::RejectedUncharged(rejection) => rejection,
            other => panic!("{}: {other:?}", dialect.name),
        };
        assert_eq!(buy(request("sbx_sold_out")).await, Rejection::NoNumbers);
        let Rejection::PriceAboveCeiling(Some(price)) = buy(request("sbx_price_above")).await else { panic!() };
        assert_eq!(price, usd(10_000_000));
        let low = BuyRequest { ceiling: usd(399_999), ..request("tg") };
        assert_eq!(buy(low).await, Rejection::PriceAboveCeiling(Some(usd(400_000))));
        let not_sold = if style == Style::HeroSms {
            Rejection::BadRequest("UNPROCESSABLE_ENTITY".to_owned())
        } else {
            Rejection::NotSold
        };
        assert_eq!(buy(request("zz")).await, not_sold, "{}", dialect.name);
        assert_eq!(buy(BuyRequest { country: 999, ..request("tg") }).await, not_sold);
        assert_eq!(buy(request("wb")).await, Rejection::NoFunds);
        let first = request("sbx_manual");
        assert!(matches!(rig.supplier.buy(&first).await, BuyOutcome::Accepted(_)));
        if dialect.order_id {
            assert_eq!(buy(first).await, Rejection::ReferenceUsed);
        }
        assert_eq!(buy(request("sbx_manual")).await, Rejection::Throttled);
        assert_eq!(rig.sandbox.open(), 1);

        let stranger = supplier(dialect, &rig.sandbox.base_url(), "another");
        let refused = stranger.buy(&request("tg")).await;
        assert_eq!(refused, BuyOutcome::RejectedUncharged(Rejection::Credentials));
        assert!(matches!(stranger.balance().await, Err(CallError::Credentials(_))));
        assert!(matches!(stranger.offers().await, Err(CallError::Credentials(_))));
        assert!(matches!(stranger.poll(&[ActivationId("1".to_owned())]).await, Err(CallError::Credentials(_))));

        let other = BuyRequest { ceiling: Money::new(1, Currency::Idr), ..request("tg") };
        assert!(matches!(rig.supplier.buy(&other).await, BuyOutcome::NotSent(_)));
    }
}

#[tokio::test]
async fn every_dialect_lists_what_it_sells() {
    for (dialect, style) in PAIRS {
        let rig = Rig::new(dialect, style).await;
        let offers = rig.supplier.offers().await.unwrap();
        assert_eq!(offers.len(), 14 * (27 + SCENARIOS.len()), "{}", dialect.name);
        let cheapest = offers.iter().min_by_key(|offer| offer.cost.minor).unwrap();
        assert_eq!((cheapest.service.as_str(), cheapest.country, cheapest.cost), ("sbx_manual", 6, usd(10_000)));
        for country in [0, 6, 187] {
            let tg = offers.iter().find(|offer| offer.country == country && offer.service == "tg").unwrap();
            assert!(tg.count == 1_000 && tg.cost.minor >= 400_000, "{}", dialect.name);
        }
    }
}

#[tokio::test]
async fn a_poll_of_many_is_one_call_per_page_and_what_the_list_lacks_is_asked_for() {
    for (dialect, style, pages) in
        [(&SMS_ACTIVATE, Style::Plain, 1), (&GRIZZLYSMS, Style::Grizzly, 1), (&HEROSMS, Style::HeroSms, 3)]
    {
        let rig = Rig::new(dialect, style).await;
        let mut ids = Vec::new();
        for _ in 0..205 {
            ids.push(rig.buy("tg").await.id);
        }
        rig.pass(1_000);
        let states = rig.supplier.poll(&ids).await.unwrap();
        assert!(states.iter().all(|state| state.sms().len() == 1), "{}", dialect.name);
        assert_eq!(rig.sandbox.calls("getActiveActivations"), pages, "{}", dialect.name);
        assert_eq!(rig.sandbox.calls("getStatusV2"), 0);

        assert_eq!(rig.supplier.finish(&ids[3]).await, FinishOutcome::Finished);
        let foreign = ActivationId("77".to_owned());
        let asked = [ids[3].clone(), foreign, ids[4].clone()];
        let states = rig.supplier.poll(&asked).await.unwrap();
        let words: Vec<&str> = states.iter().map(ActivationState::word).collect();
        assert_eq!(words, ["ended", "not_found", "received"], "in the order asked");
        assert_eq!(rig.sandbox.calls("getStatusV2"), 2, "only those that the list lacks");

        let active = rig.supplier.active().await.unwrap();
        assert_eq!(active.len(), 204);
        for activation in &active {
            assert!(activation.phone.starts_with("62") && activation.service.as_deref() == Some("tg"));
            assert_eq!((activation.cost, activation.country), (Some(usd(400_000)), Some(6)));
            assert_eq!(activation.reference.is_some(), style == Style::Plain);
        }
    }
    let rig = Rig::new(&SMSHUB, Style::SmsHub).await;
    assert_eq!(rig.supplier.active().await, Err(CallError::Unsupported));
    let capabilities = rig.supplier.describe().capabilities;
    assert!(!capabilities.lists_active && capabilities.poll_batch == 1);
}

/// Everything that can come back in place of a reply.
fn replies() -> Vec<FaultReply> {
    vec![
        FaultReply::Lost,
        FaultReply::Truncated,
        FaultReply::Garbage,
        FaultReply::Huge(100_000),
        FaultReply::Body(200, "<html><body>maintenance</body></html>".to_owned()),
        FaultReply::Body(500, "<html>NO_NUMBERS</html>".to_owned()),
        FaultReply::Body(502, String::new()),
        FaultReply::Body(200, String::new()),
        FaultReply::Body(500, "SERVER_ERROR".to_owned()),
        FaultReply::Body(200, "[1,2,3]".to_owned()),
        FaultReply::Body(200, "{\"activationId\":true,\"phoneNumber\":{}}".to_owned()),
        FaultReply::Body(200, "null".to_owned()),
        FaultReply::Body(200, "\"x\"".to_owned()),
        FaultReply::Body(200, "ACCESS_NUMBER:".to_owned()),
        FaultReply::Redirect("http://127.0.0.1:9/stubs/handler_api.php".to_owned()),
    ]
}

#[tokio::test]
async fn a_purchase_without_a_readable_reply_is_unclear_and_is_sent_once() {
    for (dialect, style) in PAIRS {
        let action = if is_v2(dialect) { "getNumberV2" } else { "getNumber" };
        let rig = Rig::new(dialect, style).await;
        rig.buy("sbx_manual").await;
        let mut sent = 1;
        for reply in replies() {
            for fault in [Fault::after_effect(reply.clone()), Fault::without_effect(reply.clone())] {
                let (open, effect) = (rig.sandbox.open(), fault.effect);
                rig.sandbox.plan(Some(action), 1, fault);
                let outcome = rig.supplier.buy(&request("sbx_manual")).await;
                sent += 1;
                let BuyOutcome::Unknown(why) = &outcome else { panic!("{} {reply:?}: {outcome:?}", dialect.name) };
                assert!(!why.is_empty() && !why.contains(KEY) && !why.contains("127.0.0.1"), "{why}");
                assert_eq!(rig.sandbox.calls(action), sent, "{reply:?}: no retry, no other call");
                assert_eq!(rig.sandbox.open() - open, usize::from(effect), "{reply:?}");
            }
        }
        assert_eq!(rig.sandbox.calls("getNumber") + rig.sandbox.calls("getNumberV2"), sent, "no fall-back");
    }
}

#[tokio::test]
async fn a_slow_purchase_is_unclear_and_found_by_its_reference() {
    let rig = Rig::new(&SMSCODE, Style::Plain).await;
    rig.sandbox.plan(Some("getNumberV2"), 1, Fault::slow(3_000));
    let request = request("sbx_manual");
    let outcome = impatient(&rig, &SMSCODE).buy(&request).await;
    assert_eq!(outcome, BuyOutcome::Unknown("no reply in time".to_owned()));
    let found = rig.supplier.active().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].reference.as_ref(), Some(&request.reference));
    let again = rig.supplier.buy(&request).await;
    assert_eq!(again, BuyOutcome::RejectedUncharged(Rejection::ReferenceUsed));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (rig, other) = (Rig::new(&SMSHUB, Style::SmsHub).await, Rig::new(&SMSHUB, Style::SmsHub).await);
    let to = format!("{}?api_key={KEY}&action=getBalance", other.sandbox.base_url());
    rig.sandbox.plan(None, 2, Fault::without_effect(FaultReply::Redirect(to)));
    assert!(matches!(rig.supplier.balance().await, Err(CallError::Unusable(_))));
    assert!(matches!(rig.supplier.buy(&request("tg")).await, BuyOutcome::Unknown(_)));
    assert_eq!(other.sandbox.calls("getBalance"), 0);
}

#[tokio::test]
async fn no_connection_means_not_sent() {
    // a port that is never handed out, so that nobody listens there
    let gone = supplier(&SMS_ACTIVATE, "http://127.0.0.1:1/stubs/handler_api.php", KEY);
    let BuyOutcome::NotSent(why) = gone.buy(&request("tg")).await else { panic!("certain that nothing was bought") };
    assert!(!why.contains(KEY) && !why.contains("127.0.0.1"), "{why}");
    assert!(matches!(gone.balance().await, Err(CallError::Unusable(_))));
    assert!(matches!(gone.poll(&[ActivationId("1".to_owned())]).await, Err(CallError::Unusable(_))));
    assert!(matches!(gone.cancel(&ActivationId("1".to_owned())).await, CancelOutcome::Unknown(_)));
    let nowhere = supplier(&SMS_ACTIVATE, "http://nowhere.invalid/stubs/handler_api.php", KEY);
    assert!(matches!(nowhere.buy(&request("tg")).await, BuyOutcome::NotSent(_)));
}

#[tokio::test]
async fn a_read_without_a_readable_reply_ends_no_activation() {
    for (dialect, style) in PAIRS {
        let rig = Rig::new(dialect, style).await;
        let ids = [rig.buy("sbx_manual").await.id, rig.buy("sbx_manual").await.id];
        for reply in replies() {
            let fault = Fault::without_effect(reply.clone());
            rig.sandbox.plan(None, 8, fault.clone());
            let polled = rig.supplier.poll(&ids).await;
            let waiting = |states: &Vec<ActivationState>| states.iter().all(|s| *s == ActivationState::Waiting);
            assert!(polled.as_ref().map_or_else(|e| e.code() == "supplier_unusable", waiting), "{reply:?}: {polled:?}");
            assert!(rig.supplier.active().await.is_err(), "{reply:?}");
            assert!(matches!(rig.supplier.cancel(&ids[0]).await, CancelOutcome::Unknown(_)), "{reply:?}");
            // use up what is left of the fault
            while rig.supplier.balance().await.is_err() {}
            assert_eq!(rig.supplier.poll(&ids).await.unwrap(), [ActivationState::Waiting, ActivationState::Waiting]);
        }
        for action in ["getBalance", "getPrices", "getPricesV3"] {
            rig.sandbox.plan(Some(action), 1, Fault::slow(2_000));
        }
        let impatient = impatient(&rig, dialect);
        assert_eq!(impatient.balance().await, Err(CallError::Unusable("no reply in time".to_owned())));
        assert!(matches!(impatient.offers().await, Err(CallError::Unusable(_))));
    }
}

#[tokio::test]
async fn a_broken_list_falls_back_to_single_calls() {
    let rig = Rig::new(&HEROSMS, Style::HeroSms).await;
    let ids = [rig.buy("sbx_code_now").await.id, rig.buy("sbx_no_sms").await.id];
    let object = r#"{"status":"success","activeActivations":{"num_rows":2,"row":{"id":"1"}}}"#;
    rig.sandbox.plan(Some("getActiveActivations"), 1, Fault::without_effect(FaultReply::Body(200, object.to_owned())));
    let states = rig.supplier.poll(&ids).await.unwrap();
    assert_eq!(states.iter().map(ActivationState::word).collect::<Vec<_>>(), ["received", "waiting"]);
    assert_eq!(rig.sandbox.calls("getStatusV2"), 2);

    // one bad row does not stop the others
    rig.sandbox.plan(Some("getActiveActivations"), 1, Fault::without_effect(FaultReply::Garbage));
    rig.sandbox.plan(Some("getStatusV2"), 1, Fault::without_effect(FaultReply::Garbage));
    let states = rig.supplier.poll(&ids).await.unwrap();
    assert!(states.iter().all(|state| *state != ActivationState::Ended));
}

#[tokio::test]
async fn single_calls_stop_when_asking_on_is_no_use() {
    let one_by_one = Dialect { concurrency: 1, ..SMSHUB };
    let rig = Rig::new(&one_by_one, Style::SmsHub).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(rig.buy("sbx_code_now").await.id);
    }
    let says = |word: &str| Fault::without_effect(FaultReply::Body(200, word.to_owned()));

    rig.sandbox.plan(Some("getStatus"), 1, Fault::slow(0));
    rig.sandbox.plan(Some("getStatus"), 1, says("RATE_LIMIT"));
    let states = rig.supplier.poll(&ids).await.unwrap();
    let words: Vec<&str> = states.iter().map(ActivationState::word).collect();
    assert_eq!(words[0], "received", "what is known counts");
    assert!(words[1..].iter().all(|word| *word == "waiting"), "what was not asked has not ended");
    assert_eq!(rig.sandbox.calls("getStatus"), 2, "asking on makes it worse");

    rig.sandbox.plan(Some("getStatus"), 1, says("RATE_LIMIT"));
    assert_eq!(rig.supplier.poll(&ids).await, Err(CallError::Throttled(None)));
    rig.sandbox.plan(Some("getStatus"), 4, says("<html>"));
    assert!(matches!(rig.supplier.poll(&ids).await, Err(CallError::Unusable(_))));
    assert_eq!(rig.sandbox.calls("getStatus"), 7, "four bad answers are enough");
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut() {
    let rig = Rig::new(&SMS_ACTIVATE, Style::Plain).await;
    rig.sandbox.plan(Some("getPrices"), 1, Fault::without_effect(FaultReply::Huge(40 * 1024 * 1024)));
    rig.sandbox.plan(Some("getBalance"), 1, Fault::without_effect(FaultReply::Huge(70_000)));
    let patient = {
        let mut config = SmsActivateConfig::new("patient", &SMS_ACTIVATE, ApiKey::new(KEY));
        config.base_url = rig.sandbox.base_url();
        SmsActivate::new(config, http::client().unwrap()).unwrap()
    };
    let Err(CallError::Unusable(why)) = patient.offers().await else { panic!() };
    assert_eq!(why, "a body above 33554432 bytes (HTTP 200)");
    let Err(CallError::Unusable(why)) = patient.balance().await else { panic!() };
    assert_eq!(why, "a body above 65536 bytes (HTTP 200)");
}

#[tokio::test]
async fn the_key_is_in_nothing_that_is_printed() {
    let rig = Rig::new(&SMS_ACTIVATE, Style::Plain).await;
    let mut printed = format!("{:?}", rig.supplier);
    assert!(printed.contains("under-test"), "the rest is shown");
    for reply in replies() {
        rig.sandbox.plan(None, 6, Fault::without_effect(reply));
        printed += &format!("{:?}", rig.supplier.buy(&request("tg")).await);
        printed += &format!("{:?}", rig.supplier.balance().await);
        printed += &rig.supplier.offers().await.map_or_else(|error| error.to_string(), |_| String::new());
        printed += &format!("{:?}", rig.supplier.cancel(&ActivationId("5".to_owned())).await);
        printed += &format!("{:?}", rig.supplier.more(&ActivationId("5".to_owned())).await);
        printed += &format!("{:?}", rig.supplier.finish(&ActivationId("5".to_owned())).await);
    }
    let echo = format!("<html>GET /stubs/handler_api.php?api_key={KEY}</html>");
    rig.sandbox.plan(None, 1, Fault::without_effect(FaultReply::Body(400, echo)));
    printed += &format!("{:?}", rig.supplier.buy(&request("tg")).await);
    let config = SandboxConfig::new(ApiKey::new(KEY));
    printed += &format!("{config:?}");
    assert!(!printed.contains(KEY) && printed.len() > 2_000);
}

#[tokio::test]
async fn the_simulator_reads_requests_as_existing_programs_send_them() {
    let rig = Rig::new(&SMS_ACTIVATE, Style::Plain).await;
    // without roots: a bare machine has none
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let url = rig.sandbox.base_url();
    let text = async |request: reqwest::RequestBuilder| request.send().await.unwrap().text().await.unwrap();
    let key = ("api_key", KEY);
    assert_eq!(text(client.get(&url).query(&[key, ("action", "getBalance")])).await, "ACCESS_BALANCE:100000");
    assert_eq!(text(client.post(&url).query(&[key, ("action", "getBalance")])).await, "ACCESS_BALANCE:100000");
    assert_eq!(text(client.post(&url).form(&[key, ("action", "getBalance")])).await, "ACCESS_BALANCE:100000");
    let mixed = client.post(&url).query(&[key]).form(&[("action", "getNumber"), ("service ", "SBX_MANUAL")]);
    let bought = text(mixed.query(&[("country ", " 6"), ("ref", "x"), ("maxPrice", "1.00")])).await;
    let fields: Vec<&str> = bought.split(':').collect();
    assert_eq!((fields[0], fields.len()), ("ACCESS_NUMBER", 3), "{bought}");
    let call = async |pairs: &[(&str, &str)]| text(client.get(&url).query(&[key]).query(pairs)).await;
    let id = ("id", fields[1]);
    assert_eq!(call(&[("action", "setStatus"), id, ("status", "1")]).await, "ACCESS_READY");
    assert_eq!(call(&[("action", "getStatus"), id]).await, "STATUS_WAIT_CODE");
    assert_eq!(call(&[("action", "setStatus"), id, ("status", "-1")]).await, "EARLY_CANCEL_DENIED");
    assert_eq!(call(&[("action", "setStatus"), id, ("status", "5")]).await, "BAD_STATUS");
    assert_eq!(call(&[("action", "getStatus"), ("id", "abc")]).await, "NO_ACTIVATION");
    assert_eq!(call(&[("action", "buyPartnerProduct")]).await, "BAD_ACTION");
    assert_eq!(call(&[("action", "getPrices"), ("service", "zz")]).await, "[]");
    assert_eq!(
        call(&[("action", "getPrices"), ("service", "tg"), ("country", "6")]).await,
        r#"{"6":{"tg":{"cost":0.4,"count":1000,"physicalCount":1000}}}"#
    );
    let status = call(&[("action", "getNumbersStatus"), ("country", "6")]).await;
    assert!(status.contains(r#""wa":1000"#) && status.contains(r#""ym_1":0"#) && status.contains(r#""zz_0":0"#));
    assert!(call(&[("action", "getCountries")]).await.contains(r#""eng":"Indonesia""#));
    assert!(call(&[("action", "getServicesList")]).await.contains(r#"{"code":"tg","name":"Telegram"}"#));
    assert_eq!(text(client.get(&url)).await, "BAD_KEY");

    let sms = url.replace("/stubs/handler_api.php", "/sandbox/sms");
    let inject = async |body: String| {
        let response = client.post(&sms).body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let delivered = inject(format!(r#"{{"phone":"+{}","text":"code: 12345"}}"#, fields[2])).await;
    assert_eq!(delivered, (200, r#"{"delivered":true}"#.to_owned()));
    assert_eq!(call(&[("action", "getStatus"), id]).await, "STATUS_OK:12345");
    assert_eq!(inject(r#"{"phone":"1","text":"x"}"#.to_owned()).await.0, 404);
    assert_eq!(inject(r#"{"phone":1}"#.to_owned()).await.0, 400);
    assert_eq!(inject("x".repeat(100_000)).await.0, 413);
    assert_eq!(inject(r#"{"phone":"1","text":""}"#.to_owned()).await.0, 400);
}

#[tokio::test]
async fn many_callers_at_once_get_different_numbers() {
    let rig = Arc::new(Rig::new(&SMS_ACTIVATE, Style::Plain).await);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move {
                let mut bought = Vec::new();
                for _ in 0..4 {
                    bought.push(rig.buy("tg").await);
                }
                bought
            })
        })
        .collect();
    let mut phones = std::collections::BTreeSet::new();
    for caller in callers {
        phones.extend(caller.await.unwrap().into_iter().map(|activation| activation.phone));
    }
    assert_eq!((phones.len(), rig.sandbox.open()), (200, 200));
}
