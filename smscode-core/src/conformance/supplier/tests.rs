#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::CASES;
use super::line::{Fault, Line, NOWHERE, Reply};
use crate::conformance::{Failure, run};

#[test]
fn cases_are_named_after_their_rule() {
    let mut names = BTreeSet::new();
    for case in CASES {
        assert!(names.insert(case.name), "{} stands twice in the table", case.name);
        let prefix = if case.rule == 0 { "port_".to_owned() } else { format!("rule_{:02}_", case.rule) };
        assert!(case.name.starts_with(&prefix), "{}", case.name);
    }
    for rule in 1..=14 {
        assert!(CASES.iter().filter(|case| case.rule == rule).count() >= 4, "rule {rule} has too few cases");
    }
}

/// A case that is written but not in the table would never run; the compiler says so only if nothing else uses it.
#[test]
fn every_case_is_in_the_table() {
    let sources = [
        include_str!("port.rs"),
        include_str!("rule_01.rs"),
        include_str!("rule_01_wire.rs"),
        include_str!("rule_02.rs"),
        include_str!("rule_03.rs"),
        include_str!("rule_04.rs"),
        include_str!("rule_05.rs"),
        include_str!("rule_06.rs"),
        include_str!("rule_07.rs"),
        include_str!("rule_08.rs"),
        include_str!("rule_09.rs"),
        include_str!("rule_10.rs"),
        include_str!("rule_11.rs"),
        include_str!("rule_12.rs"),
        include_str!("rule_13.rs"),
        include_str!("rule_14.rs"),
    ];
    let case = |line: &&str| line.starts_with("pub(super) async fn") && line.ends_with("(w: &mut World) -> Checked {");
    let written: usize = sources.iter().map(|text| text.lines().filter(case).count()).sum();
    assert_eq!(written, CASES.len());
}

/// A simulator that answers every request of a connection of its own with its first line, in two chunks.
fn echo() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.try_clone().unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test's server")]
    std::thread::spawn(move || {
        for stream in own.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0_u8; 1000];
            let n = stream.read(&mut bytes).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
            let line = text.lines().next().unwrap_or_default();
            assert!(text.contains("connection: close"), "{text}");
            let reply =
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{line}\r\n0\r\n\r\n", line.len());
            drop(stream.write_all(reply.as_bytes()));
        }
    });
    listener
}

/// Sends a request and reads what comes, at most until the connection ends or stays quiet.
fn ask(stream: &mut TcpStream, path: &str) -> String {
    if write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").is_err() {
        return String::new(); // the other side was faster to hang up
    }
    let mut got = Vec::new();
    let mut part = [0_u8; 1000];
    while let Ok(n @ 1..) = stream.read(&mut part) {
        got.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&got);
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let whole = text.split_once("\r\n\r\n").zip(length.and_then(|text| text.parse::<usize>().ok()));
        if whole.is_some_and(|((_, body), length)| body.len() >= length) {
            break;
        }
    }
    String::from_utf8_lossy(&got).into_owned()
}

#[test]
fn the_line_passes_on_counts_and_breaks() {
    let simulator = echo();
    let line = Line::start(simulator.local_addr().unwrap()).unwrap();
    let dial = || TcpStream::connect(line.url().trim_start_matches("http://")).unwrap();
    let mut stream = dial();
    for n in 1..=3 {
        let said = ask(&mut stream, "/a");
        assert_eq!(said, "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\nGET /a HTTP/1.1", "on one connection");
        assert_eq!(line.count(), n);
    }

    line.break_after(1, Reply::body(502, "no").after());
    assert!(ask(&mut stream, "/b").ends_with("GET /b HTTP/1.1"));
    assert!(ask(&mut stream, "/b").starts_with("HTTP/1.1 502 "));
    assert!(ask(&mut stream, "/b").ends_with("\r\n\r\nno"));
    line.break_next(Reply::Cut.after());
    assert!(ask(&mut stream, "/b").ends_with("content-length: 7\r\n\r\nGET /b "));
    line.break_next(Reply::Redirect(307, "http://x".into()).before());
    assert!(ask(&mut stream, "/c?d").contains("\r\nlocation: http://x/c?d\r\n"));
    line.break_next(Reply::Echo(400, "<{}>").before());
    assert!(ask(&mut stream, "/e").ends_with("<GET /e HTTP/1.1  host: x    >"));
    assert!(ask(&mut stream, "/f").ends_with("GET /f HTTP/1.1"), "one fault breaks one request");

    line.break_next(Reply::Short.after());
    assert!(ask(&mut stream, "/b").ends_with("content-length: 15\r\n\r\nGET /b "));
    line.break_next(Reply::Closed.after());
    assert_eq!(ask(&mut dial(), "/b"), "");
}

#[test]
fn the_line_holds_until_the_other_side_hangs_up() {
    let simulator = echo();
    let line = Line::start(simulator.local_addr().unwrap()).unwrap();
    for fault in [Reply::Held.before(), Reply::Drip.before(), Reply::Endless.before()] {
        let (before, Fault { passed_on, .. }) = (line.given_up(), fault.clone());
        assert!(!passed_on);
        line.break_next(fault);
        let mut stream = TcpStream::connect(line.url().trim_start_matches("http://")).unwrap();
        write!(stream, "GET / HTTP/1.1\r\n\r\n").unwrap();
        run(async {
            line.reached(line.count().max(before + 1)).await;
            drop(stream);
            line.settled().await;
            Ok::<(), Failure>(())
        })
        .unwrap();
        assert_eq!(line.given_up(), before + 1);
    }
    let slamming = Line::slamming().unwrap();
    assert_eq!(ask(&mut TcpStream::connect(slamming.url().trim_start_matches("http://")).unwrap(), "/"), "");
    assert!(TcpStream::connect(NOWHERE.trim_start_matches("http://")).is_err());
}
