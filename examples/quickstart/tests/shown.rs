//! The program is the first code of the README and of core's page: to the letter.
#![allow(clippy::panic, reason = "tests")]

const PROGRAM: &str = include_str!("../src/main.rs");
const PAGES: [(&str, &str); 2] = [
    ("README.md", include_str!("../../../README.md")),
    ("smscode-core/README.md", include_str!("../../../smscode-core/README.md")),
];

#[test]
fn the_pages_show_this_program() {
    let Some(begin) = PROGRAM.find("use std::error::Error;") else {
        panic!("the program begins otherwise");
    };
    for (name, page) in PAGES {
        assert!(page.contains(&PROGRAM[begin..]), "{name} shows another program than examples/quickstart/src/main.rs");
    }
}
