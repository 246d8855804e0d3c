//! The suite of this store is the one that the guide shows: to the letter.
#![allow(clippy::panic, reason = "tests")]

const SUITE: &str = include_str!("conformance.rs");
const GUIDE: &str = include_str!("../../../docs/adapters.md");

#[test]
fn the_guide_shows_this_suite() {
    let Some(begin) = SUITE.find("use std::path::PathBuf;") else {
        panic!("the suite begins otherwise");
    };
    assert!(GUIDE.contains(&SUITE[begin..]), "docs/adapters.md shows another suite than tests/conformance.rs");
}
