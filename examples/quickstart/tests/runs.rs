//! The example does what its first lines promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Command;

#[test]
fn rents_reads_and_pays_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    let [rented, code, left] = lines.as_slice() else {
        panic!("{said}");
    };
    let number = |text: &str| text.parse::<i64>().unwrap();
    let (phone, price) = rented.strip_prefix("rented +62").unwrap().split_once(" for ").unwrap();
    assert!(phone.len() >= 8 && phone.bytes().all(|b| b.is_ascii_digit()), "{rented}");
    let code = code.strip_prefix("the code is ").unwrap();
    assert!(code.len() >= 4 && code.bytes().any(|b| b.is_ascii_digit()), "{code}");
    let price = number(price.strip_suffix(" IDR").unwrap());
    let left = number(left.strip_suffix(" IDR left").unwrap());
    assert!(price > 0);
    assert_eq!(left, 50_000 - price, "paid once");
}
