//! Measures whole orders, and the placing commit alone, through core on each store, and on redb against the raw engine.
//!
//! `smscode-bench orders --store redb --callers 64 --seconds 10 --json`. See `--help`, and [`report`] for the keys.

mod args;
mod callers;
mod floor;
mod report;
mod store;
mod supplier;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::Args;

/// What a run may end with when it has no figures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let args = Args::parse();
    let report = match measure(&args) {
        Ok(report) => report,
        Err(error) => {
            complain(&format!("the measurement failed: {error}"));
            return ExitCode::FAILURE;
        }
    };
    tell(&if args.options().json { report.json() } else { report.table() });
    let exceeded = report.exceeded();
    for limit in &exceeded {
        complain(limit);
    }
    if exceeded.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(args: &Args) -> Result<report::Report, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(callers::measure(args))
}

#[allow(clippy::print_stdout, reason = "the figures are what this program is for")]
fn tell(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "a program of the command line")]
fn complain(text: &str) {
    eprintln!("smscode-bench: {text}");
}
