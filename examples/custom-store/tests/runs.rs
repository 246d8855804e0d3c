//! The example does what its first lines promise.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
fn the_money_is_there_after_a_restart() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-store")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!((lines[0], lines[2]), ("deposited: 50000 IDR available", "opened again: 50000 IDR available"));
}
