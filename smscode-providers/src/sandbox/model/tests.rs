#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering};

use smscode_core::money::Currency;

use super::super::scenario::Moment;
use super::chance::code_in;
use super::*;

/// The same bytes on each run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            *byte = n.to_be_bytes()[0];
        }
    }
}

fn entropy() -> Counting {
    Counting(AtomicU64::new(1))
}

const START: Timestamp = Timestamp::from_seconds(1_780_000_000);

fn wanted(service: &str) -> Wanted<'_> {
    Wanted { country: 6, service, ceiling: None, reference: None }
}

/// Bought at the start; the stage and the number of SMS after so many milliseconds.
fn after(service: &str, ms: i64) -> (Stage, usize) {
    let mut model = Model::new(Settings::default());
    let id = model.buy(START, &entropy(), &wanted(service)).ok().unwrap().id;
    let seen = model.status(START.plus_ms(ms), id).ok().unwrap();
    (seen.stage, seen.messages.len())
}

#[test]
fn each_service_keeps_its_schedule() {
    let cases = [
        ("tg", 999, (Stage::Waiting, 0)),
        ("tg", 1_000, (Stage::Received, 1)),
        ("tg", 1_199_999, (Stage::Received, 1)),
        ("tg", 1_200_000, (Stage::Finished, 1)),
        ("sbx_code_now", 0, (Stage::Received, 1)),
        ("sbx_code_later", 9_999, (Stage::Waiting, 0)),
        ("sbx_code_later", 10_000, (Stage::Received, 1)),
        ("sbx_manual", 1_199_999, (Stage::Waiting, 0)),
        ("sbx_manual", 1_200_000, (Stage::Cancelled, 0)),
        ("sbx_two_sms", 1_000, (Stage::Received, 1)),
        ("sbx_two_sms", 9_000, (Stage::Received, 2)),
        ("sbx_text_only", 1_000, (Stage::Received, 1)),
        ("sbx_no_sms", 1_199_999, (Stage::Waiting, 0)),
        ("sbx_cancel_early", 60_000, (Stage::Waiting, 0)),
        ("sbx_timeout_charged", 59_999, (Stage::Waiting, 0)),
        ("sbx_timeout_charged", 60_000, (Stage::Received, 1)),
        ("sbx_slow", 60_000, (Stage::Received, 1)),
        ("sbx_garbled", 10_000, (Stage::Received, 1)),
        ("sbx_server_error_charged", 10_000, (Stage::Received, 1)),
        ("sbx_status_noise", 10_000, (Stage::Received, 1)),
        ("sbx_two_at_once", 999, (Stage::Waiting, 0)),
        ("sbx_two_at_once", 1_000, (Stage::Received, 2)),
        ("sbx_supplier_ends", 9_999, (Stage::Waiting, 0)),
        ("sbx_supplier_ends", 10_000, (Stage::Cancelled, 0)),
        ("sbx_sms_after_expiry", 1_229_999, (Stage::Cancelled, 0)),
        ("sbx_sms_after_expiry", 1_230_000, (Stage::Cancelled, 1)),
        ("sbx_supplier_dies", 1_199_999, (Stage::Waiting, 0)),
    ];
    for (service, ms, expected) in cases {
        assert_eq!(after(service, ms), expected, "{service} after {ms} ms");
    }
}

#[test]
fn each_refusal_of_a_purchase() {
    let mut model = Model::new(Settings { balance_minor: 25_000, channels: 2, ..Settings::default() });
    let mut refusal = |wanted: &Wanted<'_>| model.buy(START, &entropy(), wanted).err();
    let cents = |n: i64| Some(Money::new(n * 10_000, Currency::Usd));
    assert_eq!(refusal(&wanted("zz")), Some(Refusal::BadService));
    assert_eq!(refusal(&Wanted { country: 999, ..wanted("tg") }), Some(Refusal::BadCountry));
    assert_eq!(refusal(&wanted("sbx_sold_out")), Some(Refusal::NoNumbers));
    let too_low = Wanted { ceiling: cents(39), ..wanted("tg") };
    assert_eq!(refusal(&too_low), cents(40).map(Refusal::PriceAboveCeiling));
    let never = Wanted { ceiling: cents(1_000), ..wanted("sbx_price_above") };
    assert_eq!(refusal(&never), cents(2_000).map(Refusal::PriceAboveCeiling));
    assert_eq!(refusal(&Wanted { ceiling: cents(40), ..wanted("tg") }), Some(Refusal::NoBalance));
    let named = Wanted { reference: Some("r1"), ..wanted("sbx_manual") };
    assert_eq!(refusal(&named), None);
    assert_eq!(refusal(&named), Some(Refusal::ReferenceUsed));
    assert_eq!(refusal(&wanted("sbx_manual")), None);
    assert_eq!(refusal(&wanted("sbx_manual")), Some(Refusal::NoBalance), "two cents are spent");
    model.balance_minor = 1_000_000;
    assert_eq!(
        model.buy(START, &entropy(), &wanted("sbx_manual")).err(),
        Some(Refusal::ChannelsLimit { open: 2, limit: 2 })
    );
}

#[test]
fn each_step_in_each_stage() {
    use Refusal::{BadStatus, SmsArrived};
    let table = [
        (Stage::Waiting, Step::Ready, Ok(Stage::Waiting)),
        (Stage::Waiting, Step::More, Err(BadStatus)),
        (Stage::Waiting, Step::Finish, Err(BadStatus)),
        (Stage::Waiting, Step::Cancel, Ok(Stage::Cancelled)),
        (Stage::Received, Step::Ready, Err(BadStatus)),
        (Stage::Received, Step::More, Ok(Stage::Retrying)),
        (Stage::Received, Step::Finish, Ok(Stage::Finished)),
        (Stage::Received, Step::Cancel, Err(SmsArrived)),
        (Stage::Retrying, Step::Ready, Err(BadStatus)),
        (Stage::Retrying, Step::More, Ok(Stage::Retrying)),
        (Stage::Retrying, Step::Finish, Ok(Stage::Finished)),
        (Stage::Retrying, Step::Cancel, Err(SmsArrived)),
        (Stage::Finished, Step::Ready, Err(BadStatus)),
        (Stage::Finished, Step::More, Err(BadStatus)),
        (Stage::Finished, Step::Finish, Ok(Stage::Finished)),
        (Stage::Finished, Step::Cancel, Err(BadStatus)),
        (Stage::Cancelled, Step::Ready, Err(BadStatus)),
        (Stage::Cancelled, Step::More, Err(BadStatus)),
        (Stage::Cancelled, Step::Finish, Err(BadStatus)),
        (Stage::Cancelled, Step::Cancel, Ok(Stage::Cancelled)),
    ];
    let late = START.plus_ms(5_000);
    for (stage, step, expected) in table {
        let mut model = Model::new(Settings::default());
        let bought = model.buy(START, &entropy(), &wanted("sbx_manual")).ok().unwrap().clone();
        match stage {
            Stage::Waiting => {}
            Stage::Cancelled => model.step(late, &entropy(), bought.id, Step::Cancel).unwrap(),
            Stage::Received | Stage::Retrying | Stage::Finished => {
                assert_eq!(model.inject(late, &bought.phone, "code 123456"), Injection::Delivered);
                if stage != Stage::Received {
                    let reach = if stage == Stage::Finished { Step::Finish } else { Step::More };
                    model.step(late, &entropy(), bought.id, reach).unwrap();
                }
            }
        }
        let done = model.step(late, &entropy(), bought.id, step);
        let seen = done.map(|()| model.activations.get(&bought.id).unwrap().stage);
        assert_eq!(seen, expected, "{stage:?} {step:?}");
    }
}

#[test]
fn a_cancel_is_refused_until_its_time_and_refunds_once() {
    for (service, locked_ms) in [("tg", 2_000_i64), ("sbx_cancel_early", 120_000)] {
        let settings = Settings { code_after_ms: 600_000, ..Settings::default() };
        let mut model = Model::new(settings);
        let before = model.balance();
        let sold = model.buy(START, &entropy(), &wanted(service)).ok().unwrap().clone();
        assert_eq!(model.balance().minor, before.minor - sold.cost.minor);
        let early = model.step(START.plus_ms(locked_ms - 1), &entropy(), sold.id, Step::Cancel);
        assert_eq!(early, Err(Refusal::TooEarly { after_seconds: locked_ms / 1_000 }));
        for _ in 0..2 {
            model.step(START.plus_ms(locked_ms), &entropy(), sold.id, Step::Cancel).unwrap();
            assert_eq!(model.balance(), before);
        }
        assert_eq!(model.inject(START.plus_ms(locked_ms), &sold.phone, "late"), Injection::NoOpenNumber);
        assert_eq!(model.count(6, service), 1_000);
    }
}

#[test]
fn another_sms_follows_when_it_is_asked_for() {
    let mut model = Model::new(Settings::default());
    let id = model.buy(START, &entropy(), &wanted("tg")).ok().unwrap().id;
    let asked = START.plus_ms(1_500);
    model.step(asked, &entropy(), id, Step::More).unwrap();
    assert_eq!(model.next_due(), Some(asked.plus_ms(1_000)));
    assert_eq!(model.status(asked.plus_ms(999), id).ok().unwrap().stage, Stage::Retrying);
    let seen = model.status(asked.plus_ms(1_000), id).ok().unwrap();
    assert_eq!((seen.stage, seen.messages.len()), (Stage::Received, 2));

    let id = model.buy(START, &entropy(), &wanted("sbx_two_sms")).ok().unwrap().id;
    model.step(asked, &entropy(), id, Step::More).unwrap();
    let seen = model.status(asked.plus_ms(1_000), id).ok().unwrap();
    assert_eq!(seen.messages.len(), 2, "sooner than by itself");
}

#[test]
fn numbers_of_open_activations_differ_and_codes_can_be_read() {
    let mut model = Model::new(Settings { channels: 5_000, stock: 5_000, ..Settings::default() });
    let entropy = entropy();
    let mut phones = BTreeSet::new();
    for country in PLACES.iter().map(|place| place.country) {
        for _ in 0..60 {
            let sold = model.buy(START, &entropy, &Wanted { country, ..wanted("tg") }).ok().unwrap();
            assert!(phones.insert(sold.phone.clone()), "{}", sold.phone);
            assert!(sold.phone.bytes().all(|b| b.is_ascii_digit()));
        }
    }
    let later = START.plus_ms(1_000);
    for activation in model.active(later) {
        let code = activation.messages[0].code.clone().unwrap();
        assert!(code.len() == 6 && activation.messages[0].text.contains(&code));
    }
    assert_eq!(code_in("G-415127 is yours"), Some("415127".to_owned()));
    assert_eq!(code_in("no 123 or 123456789"), None);
}

#[test]
fn the_same_randomness_gives_the_same_supplier() {
    let run = || {
        let (mut model, entropy) = (Model::new(Settings::default()), entropy());
        let mut told = String::new();
        for (step, (country, service)) in model.pairs().take(60).collect::<Vec<_>>().into_iter().enumerate() {
            let now = START.plus_ms(i64::try_from(step).unwrap() * 100);
            if let Ok(sold) = model.buy(now, &entropy, &Wanted { country, ..wanted(service) }) {
                told.push_str(&sold.phone);
            }
        }
        for activation in model.active(START.plus_seconds(30)) {
            told.extend(activation.messages.iter().map(|message| message.text.as_str()));
        }
        told
    };
    assert_eq!(run(), run());
    assert!(run().len() > 1_000);
}

#[test]
fn what_is_remembered_has_a_limit() {
    let mut model = Model::new(Settings { cancel_after_ms: 0, ..Settings::default() });
    let entropy = entropy();
    for n in 0..CLOSED_LIMIT + 10 {
        let reference = n.to_string();
        let wanted = Wanted { reference: Some(&reference), ..wanted("sbx_manual") };
        let id = model.buy(START, &entropy, &wanted).ok().unwrap().id;
        model.step(START, &entropy, id, Step::Cancel).unwrap();
    }
    assert_eq!(model.activations.len(), CLOSED_LIMIT);
    assert_eq!(model.by_reference.len(), CLOSED_LIMIT);
    assert!(model.agenda.is_empty() && model.open_by_phone.is_empty());
    assert_eq!(model.balance().minor, model.settings.balance_minor);
}

/// A supplier that has sold one number of a service, which was cancelled after five seconds; its balance before.
fn cancelled(service: &str) -> (Model, Activation, Money) {
    let mut model = Model::new(Settings::default());
    let before = model.balance();
    let sold = model.buy(START, &entropy(), &wanted(service)).ok().unwrap().clone();
    model.step(START.plus_ms(5_000), &entropy(), sold.id, Step::Cancel).unwrap();
    assert_eq!(model.balance(), before, "{service}: given back");
    (model, sold, before)
}

#[test]
fn what_follows_an_end() {
    let after = START.plus_ms(35_000);
    let (mut model, sold, before) = cancelled("sbx_sms_after_cancel");
    model.advance(after.plus_ms(-1));
    assert_eq!((model.balance(), model.take_arrivals()), (before, Vec::new()));
    model.advance(after);
    assert_eq!(model.take_arrivals(), [Arrival { id: sold.id, message: 0 }]);
    assert_eq!(model.find(sold.id).unwrap().stage, Stage::Cancelled, "it stays cancelled");
    assert_eq!(model.balance().minor, before.minor - sold.cost.minor, "and is charged");
    assert!(model.agenda.is_empty());

    let (mut model, sold, before) = cancelled("sbx_clawback");
    model.advance(after);
    assert_eq!(model.balance().minor, before.minor - sold.cost.minor);
    assert!(model.take_arrivals().is_empty());

    let mut model = Model::new(Settings::default());
    let sold = model.buy(START, &entropy(), &wanted("sbx_silent_refund")).ok().unwrap().clone();
    model.step(START.plus_ms(5_000), &entropy(), sold.id, Step::Finish).unwrap();
    assert_eq!(model.balance().minor, before.minor - sold.cost.minor);
    model.advance(after);
    assert_eq!(model.balance(), before, "given back without a word");
}

#[test]
fn cancels_that_do_not_cancel() {
    let late = START.plus_ms(5_000);
    let mut model = Model::new(Settings::default());
    let refusing = model.buy(START, &entropy(), &wanted("sbx_cancel_refused")).ok().unwrap().id;
    for _ in 0..3 {
        assert_eq!(model.step(late, &entropy(), refusing, Step::Cancel), Err(Refusal::BadStatus));
    }
    assert_eq!(model.status(late, refusing).ok().unwrap().stage, Stage::Waiting);
    let racing = model.buy(START, &entropy(), &wanted("sbx_cancel_sms_won")).ok().unwrap().id;
    assert_eq!(model.step(late, &entropy(), racing, Step::Cancel), Err(Refusal::SmsArrived));
    let seen = model.status(late, racing).ok().unwrap();
    assert_eq!((seen.stage, seen.messages.len()), (Stage::Received, 1));
    let moment = |model: &mut Model, at, id| model.moment_of_cancel(at, id).map(|(_, moment)| moment);
    assert_eq!(moment(&mut model, START, refusing), None, "too early is the model's own refusal");
    assert_eq!(moment(&mut model, late, refusing), Some(Moment::Cancel { again: false }));
    model.end(late, refusing);
    assert_eq!(moment(&mut model, late, refusing), Some(Moment::Cancel { again: true }));
}

#[test]
fn purchases_that_are_not_what_was_wanted() {
    let (mut model, entropy) = (Model::new(Settings::default()), entropy());
    let before = model.balance();
    let mut buy = |service: &str, country: u16| {
        let ceiling = Some(Money::new(50_000, Currency::Usd));
        let wanted = Wanted { country, ceiling, ..wanted(service) };
        model.buy(START, &entropy, &wanted).ok().unwrap().clone()
    };
    let dear = buy("sbx_charged_above", 6);
    assert_eq!(dear.cost, Money::new(100_000, Currency::Usd));
    for (place, next) in PLACES.iter().zip(PLACES.iter().cycle().skip(1)) {
        let dial_code = |id| smscode_core::catalogue::countries::by_id(id).unwrap().dial_code;
        assert!(!next.pattern.starts_with(dial_code(place.country)), "{}", place.country);
        let elsewhere = buy("sbx_wrong_country", place.country);
        assert!(!elsewhere.phone.starts_with(dial_code(place.country)) && elsewhere.country == place.country);
    }
    let odd = buy("sbx_odd_form", 6);
    assert!(odd.id > 1 << 53 && odd.written() == format!("+{}", odd.phone));
    let (first, other) = (buy("sbx_duplicate_number", 6), buy("sbx_duplicate_number", 0));
    let second = buy("sbx_duplicate_number", 6);
    assert_eq!((&second.phone, second.id == first.id), (&first.phone, false));
    assert_ne!(other.phone, first.phone);
    assert_eq!(model.inject(START, &first.phone, "code 123456"), Injection::Delivered);
    assert_eq!(model.find(first.id).unwrap().messages.len(), 1, "the older one has it");
    let late = START.plus_ms(5_000);
    model.step(late, &entropy, second.id, Step::Cancel).unwrap();
    assert_eq!(model.open_with(&first.phone), Some(first.id), "the first one stays open");
    model.step(late, &entropy, dear.id, Step::Cancel).unwrap();
    let open: i64 = model.active(late).iter().map(|open| open.cost.minor).sum();
    assert_eq!(model.balance().minor, before.minor - open);
}

#[test]
fn a_supplier_dies_after_it_has_told_the_number_and_comes_back() {
    let mut model = Model::new(Settings::default());
    assert_eq!(model.silent_until(START), None);
    model.buy(START, &entropy(), &wanted("sbx_supplier_dies")).ok().unwrap();
    let back = START.plus_ms(1_800_000);
    let table = [(0, None), (1, Some(back)), (1_799_999, Some(back)), (1_800_000, None)];
    for (ms, expected) in table {
        assert_eq!(model.silent_until(START.plus_ms(ms)), expected, "after {ms} ms");
    }
}

#[test]
fn the_first_reads_are_spoilt_one_after_another() {
    let mut model = Model::new(Settings::default());
    let id = model.buy(START, &entropy(), &wanted("sbx_status_noise")).ok().unwrap().id;
    let mut before = |id| match model.moment_of_read(START, id) {
        Some((Scenario::StatusNoise, Moment::Read { before })) => Some(before),
        _ => None,
    };
    assert_eq!(before(Some(1)), None, "another one's are not");
    let seen = [before(None), before(Some(id)), before(None), before(Some(id)), before(None), before(None)];
    assert_eq!(seen, [Some(0), Some(1), Some(2), Some(3), Some(4), None]);
}

#[test]
fn the_read_that_brings_the_sms_is_spoilt_and_a_cancel_granted_meanwhile() {
    let (mut model, entropy) = (Model::new(Settings::default()), entropy());
    let before = model.balance();
    let id = model.buy(START, &entropy, &wanted("sbx_late_sms")).ok().unwrap().id;
    assert_eq!(model.moment_of_read(START, None), None, "there is nothing in it");
    let there = START.plus_ms(1_000);
    assert_eq!(model.moment_of_read(there, None), Some((Scenario::LateSms, Moment::Read { before: 0 })));
    assert_eq!(model.moment_of_read(there, Some(id)), None, "one of them");
    let seen = model.status(there, id).ok().unwrap();
    assert_eq!((seen.stage, seen.messages.len()), (Stage::Received, 1));
    model.step(START.plus_ms(3_000), &entropy, id, Step::Cancel).unwrap();
    assert_eq!((model.find(id).unwrap().stage, model.balance()), (Stage::Cancelled, before));
}

#[test]
fn who_is_told_of_arrivals_has_a_limit() {
    let mut model = Model::new(Settings { stock: 2_000, ..Settings::default() });
    let entropy = entropy();
    for _ in 0..ARRIVALS_LIMIT + 5 {
        model.buy(START, &entropy, &wanted("sbx_code_now")).ok().unwrap();
    }
    model.advance(START);
    assert_eq!(model.take_arrivals().len(), ARRIVALS_LIMIT);
    assert!(model.take_arrivals().is_empty());
}
