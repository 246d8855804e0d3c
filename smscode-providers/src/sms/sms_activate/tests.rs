//! Replies as tables. What is told over HTTP is tested in `tests/sms_activate.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use smscode_core::money::{Currency, Money};
use smscode_core::port::{Rejection, SupplierSms};

use super::*;
use crate::http;

const FRAME: Frame<'static> = Frame { dialect: &SMS_ACTIVATE, currency: Currency::Usd };
const HERO: Frame<'static> = Frame { dialect: &HEROSMS, currency: Currency::Usd };

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec(), retry_after_ms: None }
}

fn buy(frame: Frame<'_>, status: u16, body: &str) -> BuyOutcome {
    outcome::bought(frame, &Ok(answer(status, body)))
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

fn accepted(outcome: BuyOutcome) -> Activation {
    match outcome {
        BuyOutcome::Accepted(activation) => activation,
        other => panic!("{other:?}"),
    }
}

/// A word in every envelope that occurs, with the HTTP status that goes with it.
fn envelopes(word: &str) -> Vec<(u16, String)> {
    vec![
        (200, word.to_owned()),
        (200, format!("{word}:detail: more")),
        (200, format!("\u{feff} \r\n{word}\n")),
        (200, format!("\"{word}\"")),
        (200, format!(r#"{{"status":"error","error":"{word}"}}"#)),
        (200, format!(r#"{{"status":"error","message":"{word}"}}"#)),
        (200, format!(r#"{{"status":"error","msg":"{word}"}}"#)),
        (200, format!(r#"{{"status":"false","msg":"{word}"}}"#)),
        (200, format!(r#"{{"status":false,"error":"{word}"}}"#)),
        (200, format!(r#"{{"success":false,"message":"{word}"}}"#)),
        (200, format!(r#"{{"error":"{word}"}}"#)),
        (404, format!(r#"{{"title":"{word}","details":"human text","info":{{"a":[1]}}}}"#)),
        (500, format!(" {{\"title\" : \"{word}\", \"details\":null}} ")),
        (403, word.to_owned()),
    ]
}

#[test]
fn a_word_means_the_same_in_every_envelope() {
    let words = [
        ("NO_NUMBERS", Rejection::NoNumbers),
        ("NO_BALANCE", Rejection::NoFunds),
        ("NO_MONEY", Rejection::NoFunds),
        ("BAD_KEY", Rejection::Credentials),
        ("NO_KEY", Rejection::Credentials),
        ("BAD_API_KEY", Rejection::Credentials),
        ("BANNED", Rejection::Credentials),
        ("ACCOUNT_INACTIVE", Rejection::Credentials),
        ("BAD_SERVICE", Rejection::NotSold),
        ("WRONG_COUNTRY", Rejection::NotSold),
        ("SERVICE_UNAVAILABLE_REGION", Rejection::NotSold),
        ("service is incorrect", Rejection::NotSold),
        ("CHANNELS_LIMIT", Rejection::Throttled),
        ("RATE_LIMIT", Rejection::Throttled),
        ("1020", Rejection::Throttled),
        ("ORDER_ALREADY_EXISTS", Rejection::ReferenceUsed),
        ("BAD_ACTION", Rejection::BadRequest("BAD_ACTION".to_owned())),
        ("UNPROCESSABLE_ENTITY", Rejection::BadRequest("UNPROCESSABLE_ENTITY".to_owned())),
    ];
    for (word, rejection) in words {
        for (status, body) in envelopes(word) {
            for frame in [FRAME, HERO] {
                assert_eq!(buy(frame, status, &body), BuyOutcome::RejectedUncharged(rejection.clone()), "{body}");
            }
        }
    }
}

#[test]
fn a_word_of_one_dialect_means_nothing_in_another() {
    let sentence = "The service is prohibited for sale by administration";
    let grizzly = Frame { dialect: &GRIZZLYSMS, ..FRAME };
    for (status, body) in envelopes(sentence) {
        assert_eq!(buy(grizzly, status, &body), BuyOutcome::RejectedUncharged(Rejection::NotSold), "{body}");
        assert!(matches!(buy(FRAME, status, &body), BuyOutcome::Unknown(_)), "{body}");
    }
}

#[test]
fn a_ceiling_that_is_too_low_names_the_price_that_would_do() {
    let cases = [
        (200, "WRONG_MAX_PRICE:0.35", Some(usd(350_000))),
        (200, "WRONG_MAX_PRICE", None),
        (200, "WRONG_MAX_PRICE:soon", None),
        (200, r#"{"status":"error","error":"WRONG_MAX_PRICE:0.35"}"#, Some(usd(350_000))),
        (400, r#"{"title":"WRONG_MAX_PRICE","info":{"min":0.3500001}}"#, Some(usd(350_001))),
        (400, r#"{"title":"WRONG_MAX_PRICE","info":{"min":"3.5e-1"}}"#, Some(usd(350_000))),
        (400, "MAX_PRICE_EXCEEDED", None),
    ];
    for (status, body, price) in cases {
        let expected = BuyOutcome::RejectedUncharged(Rejection::PriceAboveCeiling(price));
        assert_eq!(buy(HERO, status, body), expected, "{body}");
    }
    let one_pair = r#"{"title":"BANNED","info":{"scope":"specific","retry_after_seconds":1800}}"#;
    assert_eq!(buy(HERO, 403, one_pair), BuyOutcome::RejectedUncharged(Rejection::NoNumbers));
    let all = r#"{"title":"BANNED","info":{"scope":"global"}}"#;
    assert_eq!(buy(HERO, 403, all), BuyOutcome::RejectedUncharged(Rejection::Credentials));
    assert_eq!(buy(FRAME, 200, "BANNED:'2026-2-13 12-00-00'"), BuyOutcome::RejectedUncharged(Rejection::Credentials));
}

#[test]
fn whatever_is_not_understood_leaves_a_purchase_unclear() {
    let bodies = [
        "",
        " \n ",
        "<html>NO_NUMBERS</html>",
        "<br />Warning: NO_NUMBERS",
        "NO_NUMBERS_LEFT",
        "no_numbers",
        "SORRY NO_NUMBERS",
        "NO_NUMBERS, sorry",
        "ERROR_SQL",
        "SERVER_ERROR",
        "SERVER ERROR",
        "STATUS_CANCEL",
        "NO_ACTIVATION",
        "ACCESS_CANCEL",
        "ACCESS_NUMBER",
        "ACCESS_NUMBER:",
        "ACCESS_NUMBER:123",
        "ACCESS_NUMBER:abc:79584120021",
        "ACCESS_NUMBER:123:7958412xxxx",
        "ACCESS_NUMBER:123:7958412****",
        "ACCESS_NUMBER:123:79584120021:more",
        "ACCESS_NUMBER:123:12345",
        "ACCESS_NUMBER:123:1234567890123456",
        "ACCESS_NUMBERS:123:79584120021",
        "{}",
        "[]",
        "null",
        "true",
        "[{\"phone\":\"79161112233\",\"activation\":\"10054\"}]",
        "{\"activationId\":1",
        "{\"activationId\":1,\"phoneNumber\":\"79584120021\"}}",
        r#"{"status":"success"}"#,
        r#"{"status":"error"}"#,
        r#"{"status":"error","error":{"code":1}}"#,
        r#"{"title":"SOMETHING_NEW"}"#,
        r#"{"activationId":null,"phoneNumber":"79584120021"}"#,
        r#"{"activationId":1.5,"phoneNumber":"79584120021"}"#,
        r#"{"activationId":"a b","phoneNumber":"79584120021"}"#,
        r#"{"activationId":1,"phoneNumber":"7958412****"}"#,
        r#"{"activationId":1}"#,
        r#"{"activationId":1,"phoneNumber":"79584120021","error":"SOMETHING"}"#,
        "\"ACCESS_NUMBER",
        "\u{0}\u{1}\u{2}",
    ];
    for body in bodies {
        for status in [200, 400, 500, 502] {
            assert!(matches!(buy(HERO, status, body), BuyOutcome::Unknown(_)), "{status} {body}");
        }
    }
    for status in [301, 302, 307, 308] {
        assert!(matches!(buy(FRAME, status, "NO_NUMBERS"), BuyOutcome::Unknown(_)), "a redirect is no answer");
    }
    assert!(matches!(buy(HERO, 204, ""), BuyOutcome::Unknown(_)));
    assert!(matches!(buy(FRAME, 429, "<html>"), BuyOutcome::Unknown(_)), "its statuses mean nothing");
    assert_eq!(buy(HERO, 429, "<html>"), BuyOutcome::RejectedUncharged(Rejection::Throttled));
    let lost = outcome::bought(FRAME, &Err(Failure::Lost("no reply in time".to_owned())));
    assert_eq!(lost, BuyOutcome::Unknown("no reply in time".to_owned()));
    let huge = outcome::bought(FRAME, &Err(Failure::TooLarge { status: 200, limit: 9 }));
    assert_eq!(huge, BuyOutcome::Unknown("a body above 9 bytes (HTTP 200)".to_owned()));
    let unsent = outcome::bought(FRAME, &Err(Failure::NotConnected("refused".to_owned())));
    assert_eq!(unsent, BuyOutcome::NotSent("refused".to_owned()));
}

#[test]
fn a_number_in_every_form() {
    let cases = [
        "ACCESS_NUMBER:635468024:79584120021",
        "ACCESS_NUMBER:635468024:+79584120021",
        "ACCESS_NUMBER|635468024|79584120021\n",
        "\"ACCESS_NUMBER:635468024:79584120021\"",
        r#"{"activationId":635468024,"phoneNumber":"79584120021"}"#,
        r#"{"activationId":"635468024","phoneNumber":79584120021}"#,
        r#"{"activationId":635468024,"phoneNumber":"+7 958 412-00-21\n","status":4,"error":null,"title":""}"#,
    ];
    for body in cases {
        // the body decides, whatever the status says
        for status in [200, 201, 500] {
            let activation = accepted(buy(FRAME, status, body));
            assert_eq!((activation.id.0.as_str(), activation.phone.as_str()), ("635468024", "79584120021"), "{body}");
            assert_eq!((activation.cost, activation.window_seconds), (None, None));
        }
    }
    let big = accepted(buy(FRAME, 200, r#"{"activationId":90071992547409931234,"phoneNumber":"79584120021"}"#));
    assert_eq!(big.id.0, "90071992547409931234", "ids are text");
}

#[test]
fn the_purchases_seen_in_the_wild() {
    let original = accepted(buy(
        FRAME,
        200,
        r#"{"activationId":635468024,"phoneNumber":"79584120021","activationCost":12.50,"currency":840,"countryCode":"2",
        "canGetAnotherSms":"1","activationTime":"2022-06-01 17:30:57","activationOperator":"mtt"}"#,
    ));
    assert_eq!((original.cost, original.country, original.window_seconds), (Some(usd(12_500_000)), Some(2), None));

    let hero = accepted(buy(
        HERO,
        200,
        r#"{"activationId":"316232158","phoneNumber":"66812345678","activationCost":0.0608,"currency":840,"countryCode":52,
        "canGetAnotherSms":true,"activationTime":"2026-04-26 19:57:12","activationEndTime":"2026-04-26 20:17:12",
        "activationOperator":"truemove","serviceCode":"DR","subtype":1}"#,
    ));
    assert_eq!((hero.cost, hero.country), (Some(usd(60_800)), Some(52)));
    assert_eq!((hero.window_seconds, hero.service.as_deref()), (Some(1_200), Some("dr")));

    let price = |fields: &str| {
        accepted(buy(FRAME, 200, &format!(r#"{{"activationId":1,"phoneNumber":"79584120021",{fields}}}"#)))
    };
    assert_eq!(price(r#""activationCost":6.08e-2"#).cost, Some(usd(60_800)));
    assert_eq!(price(r#""activationCost":"0.06080049""#).cost, Some(usd(60_801)), "rounded up");
    assert_eq!(price(r#""activationCost":12.5,"currency":643"#).cost, None, "another currency is not believed");
    assert_eq!(price(r#""activationCost":12.5,"currency":"840""#).cost, Some(usd(12_500_000)));
    assert_eq!(price(r#""activationCost":"12,5""#).cost, None);
    assert_eq!(price(r#""orderId":"f00d""#).reference.as_deref(), Some("f00d"));
    assert_eq!(price(r#""countryCode":0"#).country, Some(0), "0 is a country");
    let zoned = r#""activationTime":"2026-04-26T19:57:12+03:00","activationEndTime":"2026-04-26T17:17:12Z""#;
    assert_eq!(price(zoned).window_seconds, Some(1_200));
    let backwards = r#""activationTime":"2026-04-26 19:57:12","activationEndTime":"0000-00-00 00:00:00""#;
    assert_eq!(price(backwards).window_seconds, None);
    assert_eq!(price(r#""activationEndTime":"2026-04-26 19:57:12""#).window_seconds, None, "one time alone is nothing");
}

fn state(body: &str) -> Result<ActivationState, CallError> {
    outcome::state(FRAME, &answer(200, body))
}

fn sms(text: &str, code: Option<&str>, at: Option<&str>) -> SupplierSms {
    SupplierSms {
        text: text.to_owned(),
        code: code.map(str::to_owned),
        at: at.map(str::to_owned),
        ..SupplierSms::default()
    }
}

/// Text, code and time of an SMS.
type OpenedSms = (String, Option<String>, Option<String>);

/// What a state carries, in the open: its own `Debug` shows nothing.
fn opened(state: &ActivationState) -> (&'static str, Vec<OpenedSms>) {
    let all = state.sms().iter().map(|sms| (sms.text.clone(), sms.code.clone(), sms.at.clone()));
    (state.word(), all.collect())
}

#[test]
fn a_status_in_words() {
    let received = |text: &str, code: Option<&str>| ActivationState::Received(vec![sms(text, code, None)]);
    let cases = [
        ("STATUS_WAIT_CODE", ActivationState::Waiting),
        ("STATUS_WAIT_RETRY:123456", ActivationState::Waiting),
        ("STATUS_WAIT_RETRY", ActivationState::Waiting),
        ("STATUS_WAIT_RESEND", ActivationState::Waiting),
        ("STATUS_WAIT_READY", ActivationState::Waiting),
        ("STATUS_ACCESS_SCREEN", ActivationState::Waiting),
        (r#"{"status":"error","message":"STATUS_WAIT_CODE"}"#, ActivationState::Waiting),
        ("STATUS_OK:004512", received("004512", Some("004512"))),
        ("STATUS_OK:G-415127", received("G-415127", Some("G-415127"))),
        ("STATUS_OK:Your code: 12\n34", received("Your code: 12\n34", None)),
        ("STATUS_OK:Нет кода", received("Нет кода", None)),
        ("STATUS_OK:", ActivationState::Waiting),
        ("STATUS_OK", ActivationState::Waiting),
        ("\"STATUS_OK:415127\"", received("415127", Some("415127"))),
        ("STATUS_CANCEL", ActivationState::Ended),
        ("ACCESS_CANCEL", ActivationState::Ended),
        ("NO_ACTIVATION", ActivationState::NotFound),
        ("WRONG_ACTIVATION_ID", ActivationState::NotFound),
        (r#"{"title":"NOT_FOUND","details":""}"#, ActivationState::NotFound),
    ];
    for (body, expected) in cases {
        assert_eq!(state(body).map(|state| opened(&state)), Ok(opened(&expected)), "{body}");
    }
}

#[test]
fn a_status_in_json() {
    let at = Some("2026-04-26 20:04:05");
    let cases = [
        (r#"{"verificationType":0,"sms":null,"call":null}"#, vec![]),
        (r#"{"verificationType":"sms","data":[]}"#, vec![]),
        (
            r#"{"verificationType":0,"sms":{"dateTime":"2026-04-26 20:04:05","code":"415127","text":"Your code: 415127"}}"#,
            vec![sms("Your code: 415127", Some("415127"), at)],
        ),
        (
            r#"{"verificationType":0,"sms":{"dateTime":"0000-00-00 00:00:00","code":null,"text":"a\u0000b"}}"#,
            vec![sms("ab", None, None)],
        ),
        (
            r#"{"verificationType":"sms","data":{"id":5,"phoneFrom":"Shop","code":4151,"text":"","date":"2026-04-26 20:04:05"}}"#,
            vec![sms("4151", Some("4151"), at)],
        ),
        (
            r#"{"verificationType":2,"sms":null,"call":{"from":"79180230628","text":"four one five","code":"415"}}"#,
            vec![sms("four one five", Some("415"), None)],
        ),
        (r#"{"verificationType":2,"sms":null,"call":{"from":"79180230628","text":null,"code":null}}"#, vec![]),
        (r#"{"sms":{"code":"Нет кода","text":"Welcome"}}"#, vec![sms("Welcome", None, None)]),
    ];
    for (body, expected) in cases {
        let expected = if expected.is_empty() { ActivationState::Waiting } else { ActivationState::Received(expected) };
        assert_eq!(state(body).map(|state| opened(&state)), Ok(opened(&expected)), "{body}");
    }
    let full = state(r#"{"data":{"id":5,"phoneFrom":"Shop","text":"hi"}}"#).unwrap();
    assert_eq!((full.sms()[0].id.as_deref(), full.sms()[0].sender.as_deref()), (Some("5"), Some("Shop")));
    let long = "я".repeat(5_000);
    let cut = state(&format!(r#"{{"sms":{{"text":"{long}"}}}}"#)).unwrap();
    assert_eq!(cut.sms()[0].text.len(), 4_096);
}

#[test]
fn a_read_without_an_answer_is_an_error_of_its_kind() {
    let cases = [
        (200, "BAD_KEY", "supplier_credentials"),
        (401, "<html>", "supplier_credentials"),
        (403, r#"{"title":"BANNED"}"#, "supplier_credentials"),
        (200, "RATE_LIMIT", "supplier_throttled"),
        (429, "<html>", "supplier_throttled"),
        (429, "", "supplier_throttled"),
        (200, "BAD_ACTION", "supplier_unsupported"),
        (200, "ERROR_SQL", "supplier_unusable"),
        (200, "<html>STATUS_CANCEL", "supplier_unusable"),
        (200, "", "supplier_unusable"),
        (500, "oops", "supplier_unusable"),
        (200, "SOMETHING_NEW", "supplier_unusable"),
        (200, "[1,2]", "supplier_unusable"),
        (200, r#"{"a":1}"#, "supplier_unusable"),
        (200, r#"{"sms":"#, "supplier_unusable"),
        (302, "STATUS_CANCEL", "supplier_unusable"),
    ];
    for (status, body, code) in cases {
        let found = outcome::state(HERO, &answer(status, body));
        assert_eq!(found.map_err(|error| error.code()), Err(code), "{status} {body}");
    }
    let wait = Answer { retry_after_ms: Some(7_000), ..answer(429, "") };
    assert_eq!(outcome::state(FRAME, &wait), Err(CallError::Throttled(Some(7_000))));
}

#[test]
fn errors_repeat_nothing_of_a_reply_but_harmless_words() {
    let secrets = ["79584120021", "415127", "0123456789abcdef0123456789abcdef", "ABCDEF0123456789ABCDEF0123456789"];
    for secret in secrets {
        for body in [
            secret.to_owned(),
            format!("ERROR at /stubs?api_key={secret}"),
            format!("SOMETHING_{secret}"),
            format!("ACCESS_NUMBER:x:{secret}"),
            format!("<html>{secret}</html>"),
            format!(r#"{{"title":"{secret}"}}"#),
            format!(r#"{{"error":"UNKNOWN {secret}"}}"#),
            format!(r#"{{"other":"{secret}"}}"#),
        ] {
            let bought = format!("{:?}", buy(FRAME, 200, &body));
            let read = format!("{:?}", outcome::state(FRAME, &answer(200, &body)));
            let listed = format!("{:?}", outcome::rows(FRAME, &answer(200, &body)).map(|rows| rows.len()));
            let step = format!("{:?}", outcome::cancelled(FRAME, &Ok(answer(200, &body))));
            for told in [bought, read, listed, step] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
    let told = format!("{:?}", buy(FRAME, 200, "SOMETHING_NEW:79584120021"));
    assert!(told.contains("SOMETHING_NEW"), "a word helps the operator: {told}");
}

fn rows(body: &str) -> Result<Vec<(String, &'static str, usize)>, &'static str> {
    let rows = outcome::rows(FRAME, &answer(200, body)).map_err(|error| error.code())?;
    Ok(rows.into_iter().map(|row| (row.id.0, row.state.word(), row.state.sms().len())).collect())
}

#[test]
fn a_list_in_every_envelope() {
    let row =
        r#"{"activationId":"5","phoneNumber":"79161112233","activationStatus":"4","smsCode":null,"smsText":null}"#;
    let one = Ok(vec![("5".to_owned(), "waiting", 0)]);
    let artefact = r#"{"affected_rows":1,"num_rows":1,"row":{"id":"5"},"rows":[]}"#;
    for body in [
        format!("[{row}]"),
        format!(r#"{{"status":"success","activeActivations":[{row}]}}"#),
        format!(r#"{{"status":"success","data":[{row}],"activeActivations":{artefact}}}"#),
        format!(r#"{{"status":"success","data":[{row}],"activeActivations":[{row}]}}"#),
        format!(r#"{{"status":"success","activeActivations":{{"0":{row}}}}}"#),
        format!(r#"{{"status":"success","data":[],"activeActivations":[{row}]}}"#),
    ] {
        assert_eq!(rows(&body), one, "{body}");
    }
    for empty in [
        "NO_ACTIVATIONS",
        r#"{"status":"error","error":"NO_ACTIVATIONS"}"#,
        "[]",
        r#"{"status":"success","activeActivations":[],"data":[]}"#,
        r#"{"status":"success","activeActivations":[]}"#,
        r#"{"status":"success","activeActivations":null}"#,
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":[],"activeActivations":{"affected_rows":0,"num_rows":0,"rows":[]}}"#,
    ] {
        assert_eq!(rows(empty), Ok(vec![]), "{empty}");
    }
    for unreadable in [
        "{}",
        "NO_ACTIVATION",
        "NO_NUMBERS",
        "<html>",
        "",
        r#"{"status":"error","error":"SOMETHING"}"#,
        r#"{"status":"success","activeActivations":{"a":1}}"#,
        r#"{"status":"success","data":[],"activeActivations":{"num_rows":1,"row":{}}}"#,
        r#"{"status":"success","activeActivations":"soon"}"#,
        r#"[{"phoneNumber":"79161112233"}]"#,
        "[5]",
    ] {
        assert!(rows(unreadable).is_err(), "an unreadable list is not an empty list: {unreadable}");
    }
}

#[test]
fn rows_carry_their_sms() {
    let of = |fields: &str| rows(&format!(r#"[{{"activationId":5,"phoneNumber":"x",{fields}}}]"#)).unwrap()[0].clone();
    let cases = [
        (r#""activationStatus":"4""#, "waiting", 0),
        (r#""activationStatus":"2","smsCode":["1","2"],"smsText":["a","b"]"#, "received", 2),
        (r#""activationStatus":2,"smsCode":"1","smsText":"[Shop] your code is 1""#, "received", 1),
        (r#""activationStatus":"3","smsCode":["1"],"smsText":null"#, "received", 1),
        (r#""activationStatus":"2","smsCode":[null],"smsText":["welcome"]"#, "received", 1),
        (r#""activationStatus":"2","smsCode":[],"smsText":[]"#, "waiting", 0),
        (r#""activationStatus":"6""#, "ended", 0),
        (r#""activationStatus":"6","smsCode":"1""#, "received", 1),
        (r#""activationStatus":"8","smsCode":"1""#, "ended", 0),
        (r#""activationStatus":10"#, "ended", 0),
        (r#""activationStatus":"77""#, "waiting", 0),
        (r#""smsText":"""#, "waiting", 0),
    ];
    for (fields, word, count) in cases {
        assert_eq!(of(fields), ("5".to_owned(), word, count), "{fields}");
    }
}

#[test]
fn prices_in_every_form() {
    let offers = |body: &str| {
        let json = crate::json::Json::parse(body).unwrap();
        prices::offers(FRAME, json)
            .map(|all| all.into_iter().map(|o| (o.country, o.service, o.cost.minor, o.count)).collect::<Vec<_>>())
    };
    let tg = |cost: i64, count: u32| Some(vec![(2, "tg".to_owned(), cost, count)]);
    let cases = [
        (r#"{"2":{"tg":{"cost":0.42,"count":1104,"physicalCount":533}}}"#, tg(420_000, 1_104)),
        (r#"{"2":{"TG":{"cost":"0.42","count":"12"}}}"#, tg(420_000, 12)),
        (r#"{"2":{"tg":{"price":4.2e-1,"qty":7}}}"#, tg(420_000, 7)),
        (r#"{"2":{"tg":{"price":0.42,"quant":7}}}"#, tg(420_000, 7)),
        (r#"{"2":{"tg":{"cost":0.42}}}"#, tg(420_000, 0)),
        (r#"{"2":{"tg":{"0.55":5,"0.42":3,"0.40":0}}}"#, tg(420_000, 3)),
        (r#"{"2":{"tg":{"price":0.42,"count":5,"providers":{"17":{"price":[0.42],"count":5}}}}}"#, tg(420_000, 5)),
        (r#"{"2":{"tg":{"cost":0.42,"count":99999999999}}}"#, tg(420_000, u32::MAX)),
        (r#"{"2":{"tg":{"cost":0.42,"count":1},"wa":{"cost":"soon","count":1},"x y":{"cost":1}}}"#, tg(420_000, 1)),
        (r#"{"2":{"tg":{"cost":0.42,"count":1}},"3":[]}"#, tg(420_000, 1)),
        ("{}", Some(vec![])),
        ("[]", Some(vec![])),
        (r#"{"2":[]}"#, Some(vec![])),
        (r#"{"2":{}}"#, Some(vec![])),
        (r#"{"tg":{"2":{"count":1,"price":"x"}}}"#, None),
        (r#"{"2":{"tg":{"cost":"soon"}}}"#, None),
        ("[1]", None),
        ("5", None),
        ("\"x\"", None),
    ];
    for (body, expected) in cases {
        assert_eq!(offers(body), expected, "{body}");
    }
}

#[test]
fn steps_succeed_by_the_exact_word_only() {
    let cancel = |frame, status, body: &str| outcome::cancelled(frame, &Ok(answer(status, body)));
    for (status, body) in envelopes("ACCESS_CANCEL").into_iter().filter(|(_, body)| !body.contains("detail")) {
        assert_eq!(cancel(FRAME, status, &body), CancelOutcome::Cancelled, "{body}");
    }
    let refused = |word: &str| CancelOutcome::Refused(word.to_owned());
    let cases = [
        ("EARLY_CANCEL_DENIED", CancelOutcome::TooEarly),
        (r#"{"title":"EARLY_CANCEL_DENIED","info":{"minActivationTime":120}}"#, CancelOutcome::TooEarly),
        ("OTP_RECEIVED", CancelOutcome::SmsArrived),
        (r#"{"title":"NEW_OTP_RECEIVED","data":[{"code":"1"}]}"#, CancelOutcome::SmsArrived),
        ("NO_ACTIVATION", CancelOutcome::NotOpen),
        ("BAD_STATUS", CancelOutcome::NotOpen),
        ("STATUS_CANCEL", CancelOutcome::NotOpen),
        ("ACCESS_READY", refused("ACCESS_READY")),
        ("ACCESS_ACTIVATION", refused("ACCESS_ACTIVATION")),
        ("FREE_CANCELLATION_EXPIRED", refused("FREE_CANCELLATION_EXPIRED")),
        ("BAD_KEY", refused("BAD_KEY")),
    ];
    for (body, expected) in cases {
        assert_eq!(cancel(HERO, 409, body), expected, "{body}");
    }
    for body in ["ACCESS_CANCELLED", "OK", "{\"status\":\"success\"}", "<html>", "ERROR_SQL", "RATE_LIMIT", ""] {
        assert!(matches!(cancel(FRAME, 200, body), CancelOutcome::Unknown(_)), "{body}");
    }
    assert_eq!(cancel(HERO, 204, ""), CancelOutcome::Cancelled);
    assert!(matches!(cancel(FRAME, 204, ""), CancelOutcome::Unknown(_)));

    let finish = |body: &str| outcome::finished(FRAME, &Ok(answer(200, body)));
    assert_eq!(finish("ACCESS_ACTIVATION"), (FinishOutcome::Finished, false));
    assert_eq!(finish("NO_ACTIVATION"), (FinishOutcome::Finished, false));
    assert_eq!(finish("BAD_STATUS"), (FinishOutcome::Refused("BAD_STATUS".to_owned()), true), "a read must tell");
    assert!(matches!(finish("ACCESS_READY"), (FinishOutcome::Refused(_), false)));
    assert!(matches!(finish("<html>"), (FinishOutcome::Unknown(_), false)));

    let more = |body: &str| outcome::more(FRAME, &Ok(answer(200, body)));
    assert_eq!(more("ACCESS_RETRY_GET"), MoreOutcome::Waiting);
    assert_eq!(more("BAD_STATUS"), MoreOutcome::Refused("BAD_STATUS".to_owned()));
    assert!(matches!(more("SOON"), MoreOutcome::Unknown(_)));
}

#[test]
fn dialects_are_found_by_name_and_map_their_countries() {
    for known in ALL {
        assert_eq!(dialect(known.name).map(|found| found.name), Some(known.name));
    }
    assert!(dialect("SMSHUB").is_none() && dialect("").is_none());
    let mapped = Dialect { countries: &[(187, 1), (12, 2)], ..SMS_ACTIVATE };
    assert_eq!((mapped.country_out(187), mapped.country_out(12), mapped.country_out(6)), (1, 2, 6));
    assert_eq!((mapped.country_in(1), mapped.country_in(2), mapped.country_in(6)), (187, 12, 6));
}

#[test]
fn a_configuration_is_checked() {
    let config = |name: &str, url: &str, key: &str| {
        let mut config = SmsActivateConfig::new(name, &SMSCODE, crate::ApiKey::new(key));
        config.base_url = url.to_owned();
        SmsActivate::new(config, http::client().unwrap()).map(|_| ())
    };
    let url = "https://example.com/stubs/handler_api.php";
    assert_eq!(config("main-1", url, "k"), Ok(()));
    for name in ["", "Main", "a b", "ä", "a123456789012345678901234567890123"] {
        assert_eq!(config(name, url, "k"), Err(ConfigError::Name), "{name}");
    }
    for bad in ["", "example.com", "ftp://example.com/", "https://u:p@example.com/", "https://example.com/?api_key=k"] {
        assert_eq!(config("a", bad, "k"), Err(ConfigError::BaseUrl), "{bad}");
    }
    assert_eq!(config("a", url, " "), Err(ConfigError::ApiKey));
}

#[test]
fn deep_nesting_is_only_an_unreadable_reply() {
    let deep = format!("{{\"1\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(matches!(buy(FRAME, 200, &deep), BuyOutcome::Unknown(_)));
    assert!(rows(&deep).is_err());
    assert!(outcome::state(FRAME, &answer(200, &deep)).is_err());
    assert!(matches!(buy(FRAME, 200, &"[".repeat(200_000)), BuyOutcome::Unknown(_)));
}
