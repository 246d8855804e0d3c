#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::world::answered;
use super::{CASES, Failure, Needs, find, golden, run};
use crate::store::{Effect, Refusal, StoreError};

#[test]
fn cases_are_named_after_their_rule() {
    let mut names = BTreeSet::new();
    for case in CASES {
        assert!(names.insert(case.name), "{} stands twice in the table", case.name);
        let prefix = match case.rule {
            0 => ["port_", "bytes_", "durable_"].into_iter().find(|p| case.name.starts_with(p)).map(str::to_owned),
            rule => Some(format!("rule_{rule:02}_")),
        };
        assert!(prefix.is_some_and(|prefix| case.name.starts_with(&prefix)), "{}", case.name);
        assert_eq!(case.name.starts_with("durable_"), case.needs == Needs::Durable, "{}", case.name);
    }
    for rule in 1..=11 {
        assert!(CASES.iter().filter(|case| case.rule == rule).count() >= 4, "rule {rule} has too few cases");
    }
}

/// A case that is written but not in the table would never run; the compiler says so only if nothing else uses it.
#[test]
fn every_case_is_in_the_table() {
    let sources = [
        include_str!("port.rs"),
        include_str!("bodies.rs"),
        include_str!("bytes.rs"),
        include_str!("durable.rs"),
        include_str!("rule_01.rs"),
        include_str!("rule_02.rs"),
        include_str!("rule_02_terms.rs"),
        include_str!("rule_03.rs"),
        include_str!("rule_04.rs"),
        include_str!("rule_04_counters.rs"),
        include_str!("rule_05.rs"),
        include_str!("rule_06.rs"),
        include_str!("rule_07.rs"),
        include_str!("rule_07_scan.rs"),
        include_str!("rule_08.rs"),
        include_str!("rule_08_malformed.rs"),
        include_str!("rule_09.rs"),
        include_str!("rule_10.rs"),
        include_str!("rule_11.rs"),
    ];
    let case = |line: &&str| line.starts_with("pub(super) async fn") && line.ends_with("(w: &mut World) -> Checked {");
    let written: usize = sources.iter().map(|text| text.lines().filter(case).count()).sum();
    assert_eq!(written, CASES.len());
}

#[test]
fn an_unexpected_error_is_shown_with_its_reason() {
    let away = || StoreError::Unavailable { store: "mine", effect: Effect::No, reason: "the disk is full".into() };
    let answers = [Err(Refusal::OperationReused.into()), Err(away()), Err(away())];
    let told = answered(&answers, &[("operation_reused", 3)], "twins").unwrap_err().to_string();
    let counts = r#"twins: found {"operation_reused": 1, "store_unavailable": 2}, wanted {"operation_reused": 3}; "#;
    assert!(told.starts_with(counts) && told.contains("the disk is full"), "{told}");
    assert_eq!(answered(&answers, &[("operation_reused", 1), ("store_unavailable", 2), ("done", 0)], "all"), Ok(()));
}

#[test]
fn markers_are_found_in_every_form() {
    let marker = b"marker-5f3a-\xd0\xb6";
    let text = "marker-5f3a-\u{436}";
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let hex: String = marker.iter().map(|b| format!("{b:02X}")).collect();
    let mut forms = vec![
        marker.to_vec(),
        hex.to_lowercase().into_bytes(),
        hex.into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ];
    for before in ["", "a", "ab", "abc", "abcd"] {
        for after in ["", "z", "zy", "zyx"] {
            let whole = [before.as_bytes(), marker, after.as_bytes()].concat();
            forms.push(STANDARD.encode(&whole).into_bytes());
            forms.push(STANDARD_NO_PAD.encode(&whole).into_bytes());
            forms.push(URL_SAFE.encode(&whole).into_bytes());
        }
    }
    for form in &forms {
        let raw = [&b"some bytes before"[..], form, b"and behind"].concat();
        assert!(find(&raw, marker), "{}", String::from_utf8_lossy(form));
        assert!(!find(&raw, b"marker-5f3b-\xd0\xb6"), "another marker is not there");
    }
    assert!(!find(b"abc", b""), "nothing is found nowhere");
    assert!(!find(b"", b"abc"));
}

#[test]
fn golden_files_say_how_to_bless() {
    if std::env::var(golden::BLESS).is_ok() {
        return; // a run that blesses compares nothing
    }
    let dir = std::env::temp_dir().join(format!("smscode-golden-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let missing = golden::check(&dir, "a.json", b"{}").unwrap_err().to_string();
    assert!(missing.contains("SMSCODE_BLESS=1"), "{missing}");
    std::fs::write(dir.join("a.json"), b"{\"a\":1}").unwrap();
    assert_eq!(golden::check(&dir, "a.json", b"{\"a\":1}"), Ok(()));
    let moved = golden::check(&dir, "a.json", b"{\"a\":2}").unwrap_err().to_string();
    assert!(moved.contains("byte 5") && moved.contains("SMSCODE_BLESS=1"), "{moved}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn the_executor_waits_for_other_threads() {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || send.send(7).unwrap());
        assert_eq!(run(async { receive.await.map_err(Failure::new) }), Ok(7));
    });
    assert_eq!(run(async { Err::<(), _>(Failure::new("x")) }).map_err(|f| f.to_string().starts_with('x')), Err(true));
}
