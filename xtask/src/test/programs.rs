//! Running the compiled test programs: alone, or beside each other where they mostly wait.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::built::Program;
use super::layers::{self, BESIDE_MAX};
use super::tally::{self, Tally};
use super::{COMMAND_LIMIT, Found};
use crate::process;

/// Runs the programs of a layer: first those that use the machine, one after the other, then those that wait, some at the same time.
pub(super) fn run(picked: Vec<&Program>) -> Found {
    let (mut waiting, busy): (Vec<_>, Vec<_>) =
        picked.into_iter().partition(|program| layers::waits_at(&program.which()).is_some());
    let mut found = Found::default();
    for program in busy {
        println!("{}", heading(program));
        found.add(run_program(program, |line| println!("{line}")));
    }
    waiting.sort_by_key(|program| layers::waits_at(&program.which()));
    beside(waiting.into(), |program| {
        let mut said = heading(program);
        let found = run_program(program, |line| {
            said.push('\n');
            said.push_str(line);
        });
        (said, found)
    })
    .into_iter()
    .for_each(|one| found.add(one));
    found
}

/// Does some pieces of work at the same time; what each has said is printed in one piece when it is done.
fn beside<T: Send>(work: VecDeque<T>, each: impl Fn(T) -> (String, Found) + Sync) -> Vec<Found> {
    let (work, done) = (Mutex::new(work), Mutex::new(Vec::new()));
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..BESIDE_MAX {
            scope.spawn(|| {
                while let Some(piece) = next() {
                    let (said, found) = each(piece);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    println!("{said}");
                    done.push(found);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn heading(program: &Program) -> String {
    let which = program.which();
    format!("     Running {} {} of {}", which.kind, which.name, which.package)
}

/// Runs one test program where and how `cargo test` would.
fn run_program(program: &Program, shows: impl FnMut(&str)) -> Found {
    let which = program.which();
    let mut command = Command::new(&program.executable);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    command.env("CARGO_PKG_NAME", &program.package).env("CARGO_PKG_VERSION", &program.version);
    if layers::shows_figures(&which) {
        command.arg("--show-output");
    }
    count(command, &format!("{} {}", which.package, which.name), shows)
}

/// Hands on what a command that runs tests says, and adds up what it reports. One that ends badly without a failed test is
/// a failure of its own.
pub(super) fn count(command: Command, name: &str, mut shows: impl FnMut(&str)) -> Found {
    let mut found = Found::default();
    let mut tally = Tally::default();
    let mut echo = Echo::default();
    let ended = process::stream(command, COMMAND_LIMIT, |line| {
        if echo.shows(line) {
            shows(line);
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
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(script: &str) -> Found {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        count(command, "shell", |_| {})
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
    fn all_work_is_done_beside_each_other_and_counted() {
        let scripts = ["true", "exit 1", "echo 'test result: ok. 2 passed; 0 failed'", "kill -9 $$", "true"];
        let done = beside(scripts.into(), |script| (String::new(), counted(script)));
        let mut sum = Found::default();
        done.into_iter().for_each(|found| sum.add(found));
        assert_eq!((sum.tally, sum.failures.len()), (Tally { passed: 2, failed: 2 }, 2));
        // three that wait for each other can only end together
        let meet = std::sync::Barrier::new(BESIDE_MAX);
        let together = beside((0..BESIDE_MAX).collect(), |_| {
            meet.wait();
            (String::new(), Found::default())
        });
        assert_eq!(together.len(), BESIDE_MAX);
    }
}
