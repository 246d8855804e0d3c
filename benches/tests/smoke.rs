//! The program with tiny numbers on both stores: its keys and its limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use std::process::Command;

use serde_json::Value;

const KEYS: [&str; 11] = [
    "store",
    "callers",
    "orders_per_s",
    "commits_per_s",
    "p50_ms",
    "p99_ms",
    "commits_per_sync",
    "rows_per_order",
    "bytes_per_order",
    "floor_per_s",
    "ratio",
];

fn run(mode: &str, store: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_smscode-bench"))
        .args([mode, "--store", store, "--callers", "8", "--orders", "100", "--seconds", "5", "--json"])
        .args(["--dir", env!("CARGO_TARGET_TMPDIR")])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    // a floor that other work on this machine has blurred says nothing about the program; its figures are there all the same
    let blurred = !complaint.is_empty() && complaint.lines().all(|line| line.contains("it does not count"));
    assert!(output.status.success() || blurred, "{mode} {store}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(mode: &str, store: &str) -> Value {
    let figures = run(mode, store);
    for key in KEYS {
        assert!(figures.get(key).is_some(), "{mode} {store}: {key} is missing");
    }
    let number = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("{mode} {store}: {key}"));
    assert_eq!((figures["store"].as_str(), number("callers")), (Some(store), 8.0));
    assert_eq!(number("orders"), 100.0);
    assert!(number("orders_per_s") > 0.0 && number("commits_per_s") > 0.0);
    assert!(number("p50_ms") > 0.0 && number("p99_ms") >= number("p50_ms"));
    assert!(number("rows_per_order") <= 30.0 && number("bytes_per_order") <= 6.0 * 1_024.0);
    figures
}

#[test]
fn whole_orders() {
    for store in ["memory", "redb", "postgres"] {
        let figures = check("orders", store);
        // placed, active, SMS, finished, supplier told; now and then a block of order numbers
        let commits = figures["commits_per_order"].as_f64().unwrap();
        assert!((5.0..5.2).contains(&commits), "{commits}");
        // order, supply record, four events, two transfers with their ids, terms, remembered operations
        let rows = figures["rows_per_order"].as_f64().unwrap();
        assert!(rows >= 12.0, "{rows}");
    }
}

#[test]
fn placing_commits_alone() {
    let memory = check("commits", "memory");
    assert_eq!((&memory["floor_per_s"], &memory["ratio"]), (&Value::Null, &Value::Null));
    let redb = check("commits", "redb");
    let commits = redb["commits_per_order"].as_f64().unwrap();
    assert!((1.0..1.1).contains(&commits), "{commits}");
    let (rate, floor) = (redb["commits_per_s"].as_f64().unwrap(), redb["floor_per_s"].as_f64().unwrap());
    let ratio = redb["ratio"].as_f64().unwrap();
    assert!((ratio - rate / floor).abs() < 0.01, "{ratio} is not {rate} by {floor}");
}

#[test]
fn refuses_what_it_does_not_know() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_smscode-bench")).args(["orders", "--store", "tape"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("tape"));
}
