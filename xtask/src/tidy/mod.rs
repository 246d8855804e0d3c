//! `cargo xtask tidy`: the rules of the house.

mod commands;
mod exceptions;
mod files;
mod journeys;
mod lengths;
mod marks;
mod names;
pub(crate) mod signatures;

use std::fmt;
use std::time::Instant;

use self::exceptions::{EXCEPTIONS, Exception};
use self::files::SourceFile;
use crate::workspace::Workspace;

/// One rule.
struct Rule {
    name: &'static str,
    /// Left out by `--fast`.
    slow: bool,
    check: Check,
}

enum Check {
    Files(fn(&[SourceFile]) -> Outcome),
    Workspace(fn(&Workspace) -> Outcome),
}

/// A rule that runs always.
const fn always(name: &'static str, check: Check) -> Rule {
    Rule { name, slow: false, check }
}

/// A rule that `--fast` leaves out.
const fn slow(name: &'static str, check: Check) -> Rule {
    Rule { name, slow: true, check }
}

/// Every rule in the order it runs.
const RULES: &[Rule] = &[
    always("formatting", Check::Workspace(commands::formatting)),
    always("file length", Check::Files(lengths::files)),
    always("function length", Check::Files(lengths::functions)),
    always("line length", Check::Files(lengths::lines)),
    always("names", Check::Files(names::names)),
    always("journeys", Check::Files(journeys::journeys)),
    always("marks", Check::Files(marks::marks)),
    always("workplace paths", Check::Files(marks::workplace)),
    always("clippy", Check::Workspace(commands::clippy)),
    always("banned crates", Check::Workspace(commands::banned)),
    slow("packages", Check::Workspace(commands::packages)),
    slow("features alone", Check::Workspace(commands::features)),
    slow("public signatures", Check::Workspace(signatures::signatures)),
];

/// What a rule found, and a line on what it looked at.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) summary: String,
    pub(crate) findings: Vec<Finding>,
}

/// One violation. Its place, without the line, is what an exception names.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl Finding {
    fn of_file(file: &SourceFile, message: String) -> Self {
        Self { place: file.path.clone(), line: None, message }
    }

    fn of_name(file: &SourceFile, name: &str, line: usize, message: String) -> Self {
        Self { place: format!("{}::{name}", file.path), line: Some(line), message }
    }

    fn plain(place: &str, message: &str) -> Self {
        Self { place: place.to_owned(), line: None, message: message.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place.as_str(), self.line) {
            ("", _) => write!(out, "{}", self.message),
            (place, None) => write!(out, "{place}: {}", self.message),
            (place, Some(line)) => write!(out, "{place}:{line}: {}", self.message),
        }
    }
}

#[cfg(test)]
impl Outcome {
    fn places(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.place.as_str()).collect()
    }
}

/// Runs the rules and prints what they found; the names of those that found something.
pub(crate) fn run(workspace: &Workspace, fast: bool) -> Vec<&'static str> {
    let files = match files::read(&workspace.root) {
        Ok(files) => files,
        Err(reason) => {
            println!("FAIL reading the files: {reason}");
            return vec!["reading the files"];
        }
    };
    let mut failed = Vec::new();
    let started = Instant::now();
    for rule in RULES.iter().filter(|rule| !(fast && rule.slow)) {
        let rule_started = Instant::now();
        let outcome = match rule.check {
            Check::Files(check) => check(&files),
            Check::Workspace(check) => check(workspace),
        };
        let outcome = without_exceptions(rule.name, outcome, EXCEPTIONS);
        let word = if outcome.findings.is_empty() { "ok  " } else { "FAIL" };
        println!("{word} {:<18}{:>6} ms  {}", rule.name, rule_started.elapsed().as_millis(), outcome.summary);
        for finding in &outcome.findings {
            println!("     {finding}");
        }
        if !outcome.findings.is_empty() {
            failed.push(rule.name);
        }
    }
    println!("tidy took {} ms", started.elapsed().as_millis());
    failed
}

/// Drops findings that are exceptions, and finds the exceptions of this rule that nothing needs any more.
fn without_exceptions(rule: &str, mut outcome: Outcome, exceptions: &[Exception]) -> Outcome {
    for exception in exceptions.iter().filter(|exception| exception.rule == rule) {
        let before = outcome.findings.len();
        outcome.findings.retain(|finding| finding.place != exception.place);
        if outcome.findings.len() == before {
            let message = format!("is an exception that nothing needs any more ({})", exception.reason);
            outcome.findings.push(Finding::plain(exception.place, &message));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_hide_their_own_place_and_go_stale() {
        let found = || Outcome {
            summary: String::new(),
            findings: vec![Finding::plain("a.rs", "long"), Finding::plain("b.rs", "long")],
        };
        let exception = |rule, place| Exception { rule, place, reason: "a table" };
        let table: &[(&[Exception], &[&str])] = &[
            (&[], &["a.rs", "b.rs"]),
            (&[exception("file length", "a.rs")], &["b.rs"]),
            (&[exception("names", "a.rs")], &["a.rs", "b.rs"]),
            (&[exception("file length", "c.rs")], &["a.rs", "b.rs", "c.rs"]),
        ];
        for (exceptions, left) in table {
            assert_eq!(without_exceptions("file length", found(), exceptions).places(), *left);
        }
    }

    #[test]
    fn exceptions_name_a_rule_and_have_a_reason() {
        for exception in EXCEPTIONS {
            assert!(
                RULES.iter().any(|rule| rule.name == exception.rule) && !exception.reason.is_empty(),
                "{exception:?}"
            );
        }
    }

    #[test]
    fn findings_print_their_place() {
        let finding = Finding { place: "a.rs::f".to_owned(), line: Some(3), message: "long".to_owned() };
        assert_eq!(finding.to_string(), "a.rs::f:3: long");
        assert_eq!(Finding::plain("", "as cargo said").to_string(), "as cargo said");
    }
}
