//! The example does what its first lines promise.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::sync::Arc;

use custom_store::JournalStore;
use smscode_core::conformance::{Failure, run};
use smscode_core::{BuildError, Platform};
use smscode_providers::clock::{OsEntropy, SystemClock};

#[test]
fn the_money_is_there_after_a_restart() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-store")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!((lines[0], lines[2]), ("deposited: 50000 IDR available", "opened again: 50000 IDR available"));
}

#[test]
fn without_keys_that_last_as_long_there_is_no_platform() {
    let path = std::env::temp_dir().join(format!("custom-store-keyless-{}.journal", std::process::id()));
    let store = Arc::new(JournalStore::open(&path, 64).unwrap());
    let parts = Platform::builder().store(store).clock(Arc::new(SystemClock)).entropy(Arc::new(OsEntropy));
    let built = run(async { Ok::<_, Failure>(parts.build().await.map(drop)) }).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(matches!(built, Err(BuildError::Missing(what)) if what.contains("keyring")), "{built:?}");
}
