//! `cargo xtask test`: every layer in order, timed, with one truth at the end.

mod built;
mod layers;
mod programs;
mod setup;
mod tally;

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

    fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.failures.extend(other.failures);
    }
}

/// Runs all layers; whether everything passed within the limit.
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
    let [budget, limit] = [layers::BUDGET_MINUTES, layers::LIMIT_MINUTES].map(|it| Duration::from_secs(it * 60));
    let (table, within) = tally::table(&ran, budget, limit);
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
            let note = format!("programs: {}", picked.len());
            found = programs::run(picked);
            found.note = note;
        }
        Run::Docs => {
            let mut command = process::cargo(&workspace.root, &["test"]);
            command.args(built::EVERYTHING).args(["--doc", "--no-fail-fast"]);
            found = programs::count(command, "doc tests", |line| println!("{line}"));
        }
        Run::Deny => deny(workspace, &mut found),
    }
    found
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

    #[test]
    fn a_failed_layer_never_counts_zero_failed() {
        let mut found = Found::default();
        found.fail("a finding".to_owned());
        let ran = closed(&LAYERS[0], Duration::ZERO, found);
        assert!(!ran.well && ran.tally.failed == 1 && ran.remark == "a finding");
    }
}
