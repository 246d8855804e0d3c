//! Project tasks, run as `cargo xtask <task>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks on its output")]
#![allow(clippy::disallowed_methods, reason = "timing the layers of the tests needs the machine's clock")]

mod prerequisites;
mod process;
mod simulate;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

tasks
  test           The whole truth: every layer of checks and tests, in order, each timed. Ends with a table of minutes against the
                 budget and one line `N passed, N failed`. All layers run after a failure, except after a failed build.
  tidy           The rules of the house: formatting, clippy, lengths of files, functions and lines, names, marks left behind,
                 banned crates, packages, each provider feature alone, foreign types in public signatures. Prints each finding with
                 its place.
  tidy --fast    The same without the three slow rules (packages, features, signatures).
  simulate       The whole platform in virtual time: `--seeds N` seeds, from `--seed S` on, `--store memory|redb`. Fails on a
                 broken rule, with the shortest run that breaks it, and on a journey or fault that no seed has met.

options
  -h, --help     This text.

exit codes
  0 all well     1 something failed     2 the task could not start (wrong arguments, a missing tool)

The layers are a table in xtask/src/test/layers.rs, the rules one in xtask/src/tidy/mod.rs, and exceptions to the rules are data with
a reason in xtask/src/tidy/exceptions.rs.

Needed: a C compiler, and the toolchain's rustfmt and clippy. The tests start Postgres (14 or later) and PgBouncer by themselves; what
is missing is installed with apt-get as root with CI=true, else told. TEST_DATABASE_URL gives the tests a server to share instead of
one of their own. Used if installed: cargo-deny.
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Test,
    Tidy {
        fast: bool,
    },
    /// With the options of the simulation.
    Simulate(Vec<String>),
}

fn main() -> ExitCode {
    if let Some(code) = tidy::signatures::rustdoc_stand_in() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match parse(&arguments).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[&str]) -> Result<Task, String> {
    match arguments {
        [] | ["-h" | "--help" | "help"] | ["test" | "tidy", "-h" | "--help"] => Ok(Task::Help),
        ["test"] => Ok(Task::Test),
        ["tidy"] => Ok(Task::Tidy { fast: false }),
        ["tidy", "--fast"] => Ok(Task::Tidy { fast: true }),
        ["simulate", options @ ..] => Ok(Task::Simulate(options.iter().map(|&option| option.to_owned()).collect())),
        other => Err(format!("unknown arguments `{}`; `cargo xtask --help` lists the tasks", other.join(" "))),
    }
}

/// Runs the task; whether all is well, or why it could not start.
fn run(task: Task) -> Result<bool, String> {
    if task == Task::Help {
        print!("{HELP}");
        return Ok(true);
    }
    prerequisites::check()?;
    let workspace = workspace::read()?;
    match task {
        Task::Help => Ok(true),
        Task::Test => Ok(test::run(&workspace)),
        Task::Tidy { fast } => Ok(tidy::run(&workspace, fast).is_empty()),
        Task::Simulate(options) => simulate::run(&workspace, &options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let table: &[(&[&str], Option<Task>)] = &[
            (&[], Some(Task::Help)),
            (&["--help"], Some(Task::Help)),
            (&["test", "--help"], Some(Task::Help)),
            (&["test"], Some(Task::Test)),
            (&["tidy"], Some(Task::Tidy { fast: false })),
            (&["tidy", "--fast"], Some(Task::Tidy { fast: true })),
            (&["simulate"], Some(Task::Simulate(Vec::new()))),
            (&["simulate", "--seeds", "5"], Some(Task::Simulate(vec!["--seeds".into(), "5".into()]))),
            (&["tidy", "--fats"], None),
            (&["tests"], None),
            (&["test", "extra"], None),
        ];
        for (arguments, task) in table {
            assert_eq!(parse(arguments).ok(), *task, "{arguments:?}");
        }
    }
}
