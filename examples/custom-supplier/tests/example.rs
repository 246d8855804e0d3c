//! The example does what it says, is as short as it says, and is what the guide shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Command;

const GUIDE: &str = include_str!("../../../docs/adapters.md");
const ADAPTER: &str = include_str!("../src/adapter.rs");
const SIMULATOR: &str = include_str!("../src/simulator.rs");
const FIXTURE: &str = include_str!("conformance.rs");
/// What the kit must make possible: a longer adapter means that it lacks something.
const ADAPTER_LINES_MAX: usize = 120;

#[test]
fn rents_a_number_and_reads_its_code() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-supplier")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let [rented, code] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(rented.starts_with("rented +62812") && rented.ends_with(" IDR"), "{rented}");
    assert_eq!(code, "the code is 415127");
}

#[test]
fn the_adapter_is_short() {
    let lines = ADAPTER.lines().count();
    assert!(lines <= ADAPTER_LINES_MAX, "the adapter has {lines} lines, at most {ADAPTER_LINES_MAX}");
}

#[test]
fn the_guide_shows_these_files() {
    for (name, file, begin) in
        [("src/adapter.rs", ADAPTER, "use serde_json"), ("tests/conformance.rs", FIXTURE, "use std::net")]
    {
        let shown = &file[file.find(begin).expect("the file begins otherwise")..];
        assert!(GUIDE.contains(shown.trim_end()), "docs/adapters.md shows another {name}");
    }
    for (name, file) in [("adapter.rs", ADAPTER), ("simulator.rs", SIMULATOR), ("conformance.rs", FIXTURE)] {
        let row = GUIDE.lines().find(|line| line.starts_with('|') && line.contains(name)).expect("a row of the table");
        let lines = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        assert_eq!(lines, file.lines().count().to_string(), "lines of {name} in docs/adapters.md");
    }
    let cases = smscode_core::conformance::supplier::CASES.len();
    assert!(GUIDE.contains(&format!("a suite of {cases} cases")), "docs/adapters.md counts other than {cases} cases");
}
