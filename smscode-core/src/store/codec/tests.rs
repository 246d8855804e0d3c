#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! `tests/golden/rows.txt` holds every form, a row a line as hex: what is written must equal it, what is in it must read
//! as it did.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use super::*;
use crate::conformance::golden;
use crate::money::Currency;
use crate::store::*;
use crate::time::Timestamp;

const OWNER: Owner = Owner([0xA1; 16]);

fn body() -> Body {
    Body::from_text("{\"v\":1,\"text\":\"ж\"}").unwrap()
}

fn record() -> Record {
    let term = |index, at: &[u8]| Term { index: Kind::of(index), at: at.to_vec() };
    Record {
        version: 0x0102_0304_0506_0708,
        body: body(),
        terms: vec![term("due", b"a\0b"), term("newest", &[0xFF; 3])],
    }
}

fn head() -> Head {
    Head { currency: Some(Currency::Usdt), available: 900, held: 258, debt: -7, last_transfer: 5, last_event: 1 }
}

/// Of an account, with each kind of place; between house accounts, which is written but read as nothing's.
fn transfers() -> [Transfer; 2] {
    let base = |id: &str, kind, debit, credit, rest, entry| Transfer {
        id: TransferId(id.into()),
        kind,
        subject: "order:12".into(),
        reason: "sms_received".into(),
        actor: "operator:anna".into(),
        debit,
        credit,
        currency: Currency::Rub,
        amount: 1_308,
        rest,
        time: Timestamp(1_778_490_000_000_001),
        entry,
    };
    let customer = |bucket| Place::Customer(OWNER, bucket);
    let house = |house| Place::House(house);
    let entry = StatementEntry { owner: OWNER, number: 0x0102, available: 0, held: 50, debt: -1_250 };
    let rest = Some((customer(Bucket::Debt), 1_250));
    let (bucket, host) = (customer(Bucket::Available), house(House::clearing("host")));
    [
        base("r", TransferKind::Reverse, bucket, host, rest, Some(entry)),
        base("a", TransferKind::Adjust, house(House::revenue()), house(House::adjustments()), None, None),
    ]
}

fn event() -> Event {
    Event { owner: OWNER, number: 300, body: body(), time: Timestamp(-1) }
}

fn operation() -> StoredOperation {
    let transfers = vec![Resolved { moved: 58, rest: 1_250, number: 5 }, Resolved { moved: 0, rest: 0, number: 0 }];
    let receipt = Receipt { outcome: body(), transfers, events: vec![1, 2], counters: vec![-1], replayed: false };
    StoredOperation { fingerprint: Fingerprint([0xF1; 16]), time: Timestamp(1_778_490_000_000_002), receipt }
}

fn totals() -> Totals {
    let house = BTreeMap::from([(House::clearing("host"), -1_308), (House::revenue(), 1 << 70)]);
    let line = CurrencyTotals { house, transfers: 3, open_holds: 1, ..CurrencyTotals::default() };
    Totals { currencies: BTreeMap::from([(Currency::Usd, line)]) }
}

const IDS: [OperationId; 2] = [OperationId([3; 16]), OperationId([4; 16])];

type Rows = Vec<(&'static str, Vec<u8>, Vec<u8>)>;

fn rows() -> Rows {
    let mut rows = Rows::new();
    let mut add = |name, key: &[u8], put: &dyn Fn(&mut Vec<u8>)| {
        let mut value = Vec::new();
        put(&mut value);
        rows.push((name, key.to_vec(), value));
    };
    let key = keys::record(&Key::owned(Kind::of("order"), OWNER, b"\0one"));
    add("record", &key, &|out| put_record(out, &record()));
    for term in record().terms {
        add("term", &keys::term(&term.index, &term.at, &key), &|_| ());
    }
    add("terms", b"", &|out| put_terms(out, &record().terms));
    add("head", &OWNER.0, &|out| put_head(out, &head()));
    let counter = CounterKey { owner: OWNER, name: "cancels".into(), period: "2026-11-22".into() };
    add("counter", &keys::counter(&counter), &|out| put_counter(out, -258));
    for transfer in transfers() {
        let key = transfer.entry.map_or(transfer.id.0.clone(), |e| keys::numbered(e.owner, e.number).to_vec());
        add("transfer", &key, &|out| put_transfer(out, &transfer));
    }
    add("event", &keys::numbered(OWNER, event().number), &|out| put_event(out, &event()));
    add("operation", &[3; 16], &|out| put_operation(out, &operation()));
    add("group", &keys::group(operation().time, IDS[0]), &|out| put_group(out, IDS));
    for (currency, line) in totals().currencies {
        let tally = Tally { transfers: line.transfers, open_holds: 1 };
        add("total", &keys::tally(currency), &|out| add_tally(out, None, &tally).unwrap());
        for (house, sum) in line.house {
            add("total", &keys::house(currency, &house), &|out| {
                // sums are wider than what one group adds
                let before = (sum - 1).to_le_bytes();
                add_house(out, Some(&before), 1).unwrap();
            });
        }
    }
    rows
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn the_written_forms_have_not_moved() {
    let text = rows().iter().fold(String::new(), |mut text, (name, key, value)| {
        writeln!(text, "{name} {} {}", hex(key), hex(value)).unwrap();
        text
    });
    golden::check(folder(), "rows.txt", text.as_bytes()).unwrap();
}

/// Reads the rows of the file, not what is written today.
#[test]
fn the_kept_forms_read_as_they_did() {
    let text = std::fs::read_to_string(folder().join("rows.txt")).unwrap();
    let mut sums = Totals::default();
    let mut seen = BTreeMap::<&str, u32>::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let (key, value) = (&bytes(parts[1])[..], &bytes(parts[2])[..]);
        let count = seen.entry(parts[0]).or_default();
        *count += 1;
        match parts[0] {
            "record" => {
                assert_eq!(keys::read_record(key).unwrap(), Key::owned(Kind::of("order"), OWNER, b"\0one"));
                assert_eq!(read_record(value).unwrap(), record());
            }
            "term" => {
                let (at, of) = keys::read_term(key).unwrap();
                assert_eq!(at, record().terms[*count as usize - 1].at);
                assert_eq!(keys::read_record(of).unwrap().id, b"\0one");
            }
            "terms" => assert_eq!(read_terms(value).unwrap(), record().terms),
            "head" => assert_eq!(read_head(value).unwrap(), head()),
            "counter" => {
                assert_eq!(keys::read_counter(key).unwrap().period, "2026-11-22");
                assert_eq!(read_counter(value).unwrap(), -258);
            }
            "transfer" if *count == 1 => assert_eq!(read_transfer(key, value).unwrap(), transfers()[0]),
            "transfer" => {
                assert_eq!(key, transfers()[1].id.0);
                assert_eq!(read_house_transfer(value).unwrap(), transfers()[1]);
            }
            "event" => assert_eq!(read_event(key, value).unwrap(), event()),
            "operation" => {
                assert_eq!(read_operation(value).unwrap(), operation());
                assert_eq!(read_operation_time(value).unwrap(), operation().time);
            }
            "group" => {
                assert_eq!(keys::read_group(key).unwrap(), operation().time);
                assert_eq!(read_group(value).unwrap(), IDS);
            }
            "total" => add_total(&mut sums, key, value).unwrap(),
            other => panic!("no reader for {other}"),
        }
    }
    assert_eq!(sums, totals());
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[test]
fn sums_go_on_from_what_is_there() {
    let mut tally = Vec::new();
    add_tally(&mut tally, None, &Tally { transfers: 3, open_holds: 2 }).unwrap();
    let mut next = Vec::new();
    add_tally(&mut next, Some(&tally), &Tally { transfers: 4, open_holds: -1 }).unwrap();
    let mut sums = Totals::default();
    add_total(&mut sums, &keys::tally(Currency::Idr), &next).unwrap();
    let line = &sums.currencies[&Currency::Idr];
    assert_eq!((line.transfers, line.open_holds), (7, 1));
    assert!(add_tally(&mut next, Some(&tally[1..]), &Tally::default()).is_err());
    assert!(add_house(&mut next, Some(&tally[1..]), 1).is_err());
}

/// Damage never reads as a row of its own, and never panics. A body runs to the end, so rows with one may lose a part
/// of it unseen: that is the engine's to notice.
#[test]
fn what_is_cut_off_is_not_read() {
    for (name, key, value) in rows() {
        for length in 0..value.len() {
            let cut = &value[..length];
            let read = match name {
                "terms" => read_terms(cut).is_ok(),
                "head" => read_head(cut).is_ok(),
                "counter" => read_counter(cut).is_ok(),
                "transfer" => read_transfer(&keys::numbered(OWNER, 1), cut).is_ok() || read_house_transfer(cut).is_ok(),
                "total" => add_total(&mut Totals::default(), &key, cut).is_ok(),
                "group" => read_group(cut).is_ok() && length % 16 != 0,
                "record" => read_record(cut).is_ok_and(|found| found.terms != record().terms),
                "operation" => read_operation(cut).is_ok_and(|found| found.receipt.events != [1, 2]),
                "event" => read_event(&key, cut).is_ok() && length < 8,
                _ => false,
            };
            assert!(!read, "{name} cut to {length} bytes is read");
        }
    }
    // an account's transfer is not one between house accounts
    let mut of_an_account = Vec::new();
    put_transfer(&mut of_an_account, &transfers()[0]);
    assert!(read_house_transfer(&of_an_account).is_err());
    // a length of 2^35 reserves nothing
    assert!(read_terms(&[0xFF, 0xFF, 0xFF, 0xFF, 0x7F]).is_err());
    let corrupt = Unreadable("a head").in_store("mine");
    assert_eq!(corrupt.code(), "store_corrupt");
    assert!(corrupt.to_string().contains("mine") && corrupt.to_string().contains("a head"));
}

#[test]
fn keys_sort_as_what_they_name() {
    let mut texts = vec![Vec::new()];
    for length in 0..3 {
        let longer: Vec<Vec<u8>> = texts.iter().filter(|text| text.len() == length).cloned().collect();
        texts.extend(longer.iter().flat_map(|text| [0, 1, 0xFE, 0xFF].map(|byte| [&text[..], &[byte]].concat())));
    }
    texts.sort();
    assert_eq!(texts.len(), 1 + 4 + 16 + 64);
    let owners = [Owner::NONE, OWNER, Owner([0xFF; 16])];
    let mut names = Vec::new();
    for kind in ["a", "a_b", "ab", "b"] {
        for owner in owners {
            names.extend(texts.iter().map(|id| Key::owned(Kind::of(kind), owner, id.clone())));
        }
    }
    names.sort();
    let written: Vec<Vec<u8>> = names.iter().map(keys::record).collect();
    assert!(written.is_sorted_by(|a, b| a < b), "records sort by kind, owner, id");
    assert!(written.iter().zip(&names).all(|(bytes, key)| keys::read_record(bytes).unwrap() == *key));
    let terms: Vec<Vec<u8>> = texts
        .iter()
        .flat_map(|at| written.iter().step_by(97).map(|record| keys::term(&Kind::of("due"), at, record)))
        .collect();
    assert!(terms.is_sorted_by(|a, b| a < b), "terms sort by position, then record");
    assert!(keys::numbered(OWNER, 255) < keys::numbered(OWNER, 256));
    assert!(keys::group(Timestamp(255), IDS[1]) < keys::group(Timestamp(256), IDS[0]));
}
