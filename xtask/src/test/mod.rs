//! `cargo xtask test`: every layer in order, timed, with one truth at the end.

mod built;
mod layers;
mod setup;
mod tally;

use std::process::Command;
use std::time::{Duration, Instant};

use self::built::Program;
use self::layers::{LAYERS, Layer, Run};
use self::tally::{Ran, Tally};
use crate::workspace::Workspace;
use crate::{process, tidy};

const COMMAND_LIMIT: Duration = Duration::from_secs(layers::COMMAND_MINUTES * 60);

/// What a layer found: its tests, and failures that are no tests.
#[derive(Debug, Default)]
struct Found {
    tally: Tally,
    failures: Vec<String>,
    /// Said in the table although nothing failed.
    note: String,
}

impl Found {
    /// A failure that is not a test of its own still counts as one, so that the closing line never says 0 failed of a failed run.
    fn fail(&mut self, reason: String) {
        self.tally.failed += 1;
        self.failures.push(reason);
    }
}

/// Runs all layers; whether everything passed within the budget.
pub(crate) fn run(workspace: &Workspace) -> bool {
    let mut programs = Vec::new();
    let mut ran: Vec<Ran> = Vec::new();
    for (at, layer) in LAYERS.iter().enumerate() {
        println!("\n=== {}", layer.name);
        let started = Instant::now();
        let found = run_layer(workspace, at, layer, &mut programs);
        let build_failed = matches!(layer.run, Run::Build) && !found.failures.is_empty();
        ran.push(closed(layer, started.elapsed(), found));
        if build_failed {
            println!("the build failed, so no test can run");
            break;
        }
    }
    let (table, within) = tally::table(&ran, Duration::from_secs(layers::BUDGET_MINUTES * 60));
    let mut sum = Tally::default();
    for layer in &ran {
        sum.add(layer.tally);
    }
    println!("\n{table}\n{}", sum.line());
    within && ran.iter().all(|layer| layer.well)
}

fn closed(layer: &Layer, took: Duration, found: Found) -> Ran {
    let well = found.tally.failed == 0 && found.failures.is_empty();
    let remark = if well { found.note } else { found.failures.join("; ") };
    Ran { name: layer.name, took, tally: found.tally, remark, well }
}

fn run_layer(workspace: &Workspace, at: usize, layer: &Layer, programs: &mut Vec<Program>) -> Found {
    let mut found = Found::default();
    match layer.run {
        Run::SetUp => {
            let set_up = setup::run();
            set_up.notes.iter().for_each(|note| println!("{note}"));
            found.note = set_up.notes.join("; ");
            set_up.failures.into_iter().for_each(|reason| found.fail(reason));
        }
        Run::Tidy => tidy::run(workspace, false).iter().for_each(|rule| found.fail((*rule).to_owned())),
        Run::Build => match built::build(workspace, COMMAND_LIMIT) {
            Ok(mut built) => {
                built.sort_by(|one, other| one.which().cmp(&other.which()));
                found.note = format!("test programs: {}", built.len());
                *programs = built;
            }
            Err(reason) => found.fail(reason),
        },
        Run::Targets(_) => {
            let picked: Vec<&Program> =
                programs.iter().filter(|it| layers::layer_of(&it.which()) == Some(at)).collect();
            found.note = format!("programs: {}", picked.len());
            for program in picked {
                run_program(program, &mut found);
            }
        }
        Run::Docs => {
            let mut command = process::cargo(&workspace.root, &["test"]);
            command.args(built::EVERYTHING).args(["--doc", "--no-fail-fast"]);
            count(command, "doc tests", &mut found);
        }
        Run::Deny => deny(workspace, &mut found),
    }
    found
}

/// Runs one test program where and how `cargo test` would.
fn run_program(program: &Program, found: &mut Found) {
    let which = program.which();
    println!("     Running {} {} of {}", which.kind, which.name, which.package);
    let mut command = Command::new(&program.executable);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    command.env("CARGO_PKG_NAME", &program.package).env("CARGO_PKG_VERSION", &program.version);
    if layers::shows_figures(&which) {
        command.arg("--show-output");
    }
    count(command, &format!("{} {}", which.package, which.name), found);
}

/// Echoes a command that runs tests and adds up what it reports. One that ends badly without a failed test is a failure of its own.
fn count(command: Command, name: &str, found: &mut Found) {
    let mut tally = Tally::default();
    let mut echo = Echo::default();
    let ended = process::stream(command, COMMAND_LIMIT, |line| {
        if echo.shows(line) {
            println!("{line}");
        }
        if let Some(counts) = tally::result_line(line) {
            tally.add(counts);
        }
    });
    found.tally.add(tally);
    match ended {
        Ok(true) => {}
        Ok(false) if tally.failed > 0 => found.failures.push(format!("{name}: {} failed", tally.failed)),
        Ok(false) => found.fail(format!("{name}: ended with a failure outside its tests")),
        Err(reason) => found.fail(reason),
    }
}

/// With `--show-output` a test program lists its passed tests a second time, below their output; that list is left out.
#[derive(Debug, Default)]
struct Echo {
    headings: u8,
}

impl Echo {
    fn shows(&mut self, line: &str) -> bool {
        const OUTPUTS: u8 = 1;
        const LIST: u8 = 2;
        if line == "successes:" {
            self.headings = self.headings.saturating_add(1);
            return self.headings < LIST;
        }
        if line == "failures:" || line.starts_with("test result:") {
            self.headings = 0;
        }
        let blank_between = self.headings == OUTPUTS && line.is_empty();
        self.headings < LIST && !blank_between
    }
}

/// Advisories need a downloaded database, so they are not part of a run that must work without a network.
fn deny(workspace: &Workspace, found: &mut Found) {
    if !process::cargo_has("deny") {
        found.note = "skipped: cargo-deny is not installed".to_owned();
        println!("{}", found.note);
        return;
    }
    let arguments = ["deny", "--all-features", "--offline", "--locked", "check", "bans", "licenses", "sources"];
    let complaints = process::complaints(process::cargo(&workspace.root, &arguments));
    for line in &complaints {
        println!("{line}");
    }
    match complaints.first() {
        Some(first) => found.fail(first.clone()),
        None => found.note = "bans, licenses, sources".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(script: &str) -> Found {
        let mut found = Found::default();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        count(command, "shell", &mut found);
        found
    }

    #[test]
    fn programs_are_counted_by_what_they_say_and_how_they_end() {
        let table = [
            ("echo 'test result: ok. 2 passed; 0 failed; 0 ignored'", (2, 0), 0),
            ("echo 'test result: FAILED. 1 passed; 3 failed; 0 ignored'; exit 101", (1, 3), 1),
            ("echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 1", (2, 1), 1),
            ("kill -9 $$", (0, 1), 1),
        ];
        for (script, (passed, failed), failures) in table {
            let found = counted(script);
            assert_eq!(found.tally, Tally { passed, failed }, "{script}");
            assert_eq!(found.failures.len(), failures, "{script}");
        }
    }

    #[test]
    fn output_of_passed_tests_is_shown_and_their_second_list_is_not() {
        let said = [
            "running 2 tests",
            "test a ... ok",
            "",
            "successes:",
            "",
            "---- a stdout ----",
            "seed 7",
            "",
            "successes:",
            "    a",
            "",
            "failures:",
            "---- b stdout ----",
            "failures:",
            "    b",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored",
        ];
        let mut echo = Echo::default();
        let shown: Vec<&str> = said.into_iter().filter(|line| echo.shows(line)).collect();
        let expected = [
            "running 2 tests",
            "test a ... ok",
            "",
            "successes:",
            "---- a stdout ----",
            "seed 7",
            "failures:",
            "---- b stdout ----",
            "failures:",
            "    b",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_failed_layer_never_counts_zero_failed() {
        let mut found = Found::default();
        found.fail("a finding".to_owned());
        let ran = closed(&LAYERS[0], Duration::ZERO, found);
        assert!(!ran.well && ran.tally.failed == 1 && ran.remark == "a finding");
    }
}
