//! Measures whole orders, and the placing commit alone, through core on each store, and on redb against the raw engine.
//!
//! And what a dead supplier costs the others.
//!
//! `smscode-bench orders --store redb --callers 64 --seconds 10 --json`. See `--help`, and [`report`] for the keys.

mod args;
mod callers;
mod dead_supplier;
mod floor;
mod report;
mod store;
mod supplier;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, What};

/// What a run may end with when it has no figures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a run came to: what is told, and which limits were exceeded.
struct Outcome {
    text: String,
    exceeded: Vec<String>,
}

fn main() -> ExitCode {
    let outcome = match measure(&Args::parse().what) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain(&format!("the measurement failed: {error}"));
            return ExitCode::FAILURE;
        }
    };
    tell(&outcome.text);
    for limit in &outcome.exceeded {
        complain(limit);
    }
    if outcome.exceeded.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(what: &What) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(match what {
        What::Orders(options) | What::Commits(options) => {
            let report = runtime.block_on(callers::measure(options, matches!(what, What::Commits(_))))?;
            let text = if options.json { report.json() } else { report.table() };
            Outcome { text, exceeded: report.exceeded() }
        }
        What::DeadSupplier(options) => {
            let report = runtime.block_on(dead_supplier::measure(options))?;
            let text = if options.json { report.json() } else { report.table() };
            Outcome { text, exceeded: report.exceeded() }
        }
    })
}

#[allow(clippy::print_stdout, reason = "the figures are what this program is for")]
fn tell(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "a program of the command line")]
fn complain(text: &str) {
    eprintln!("smscode-bench: {text}");
}
