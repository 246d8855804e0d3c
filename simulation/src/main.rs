//! `cargo xtask simulate`: plays seeds, prints what was met, and on a broken rule the shortest run that breaks it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks on its output")]
#![allow(clippy::disallowed_methods, reason = "seeds are played on several threads, and their speed is measured")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use smscode_simulation::{Coverage, JUDGED_FROM_SEEDS, Plan, StoreKind, report, run};

/// Plays whole platforms in virtual time, each from one seed: customers, suppliers with faults, nodes that die, and checks
/// every invariant after every commit.
#[derive(Parser, Debug)]
#[command(name = "simulate")]
struct Options {
    /// How many seeds are played.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the books are kept.
    #[arg(long, value_enum, default_value_t = Books::Memory)]
    store: Books,
    /// Threads; each seed is played on one. By default as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Tells which rule a seed breaks, and does not look for the shortest run that does.
    #[arg(long)]
    no_shrink: bool,
    /// Goes on after a seed that breaks a rule.
    #[arg(long)]
    go_on: bool,
    /// Prints the events of each seed.
    #[arg(long)]
    events: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Books {
    Memory,
    Redb,
}

#[derive(Default)]
struct Sum {
    coverage: Coverage,
    orders: u64,
    /// Orders of the seed with the fewest, and which one that is.
    fewest: Option<(u64, u64)>,
    commits: u64,
    events: u64,
    orphans: u64,
    seconds: i64,
    hash: u64,
    failed: Vec<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match simulate(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("simulate: {reason}");
            ExitCode::from(2)
        }
    }
}

fn simulate(options: &Options) -> Result<bool, String> {
    let kind = match options.store {
        Books::Memory => StoreKind::Memory,
        Books::Redb => StoreKind::Redb,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = options.threads.unwrap_or(cores).max(1);
    let began = Instant::now();
    let sum = Mutex::new(Sum::default());
    let (next, broken) = (AtomicU64::new(0), AtomicBool::new(false));
    let error = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !broken.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= options.seeds {
                        return;
                    }
                    if let Err(reason) = play(options, kind, options.seed + at, &sum, &broken) {
                        error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
                        return;
                    }
                }
            });
        }
    });
    if let Some(reason) = error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(reason);
    }
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(tell(options, kind, &sum, began.elapsed().as_millis().try_into().unwrap_or(u64::MAX)))
}

fn play(options: &Options, kind: StoreKind, seed: u64, sum: &Mutex<Sum>, broken: &AtomicBool) -> Result<(), String> {
    let plan = Plan::of(seed);
    let outcome = run(&plan, &[], kind, options.events)?;
    if options.events {
        outcome.lines.iter().for_each(|line| println!("{seed}: {line}"));
    }
    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
    sum.coverage.add(&outcome.coverage);
    sum.orders += outcome.orders;
    sum.fewest = Some(sum.fewest.unwrap_or((u64::MAX, seed)).min((outcome.orders, seed)));
    sum.commits += outcome.commits;
    sum.events += outcome.events;
    sum.orphans += outcome.orphans;
    sum.seconds += outcome.seconds;
    // in any order of seeds
    sum.hash = sum.hash.wrapping_add(outcome.hash);
    if outcome.violation.is_some() {
        sum.failed.push(seed);
        broken.store(!options.go_on, Ordering::Relaxed);
        drop(sum);
        println!("seed {seed}: {}", outcome.violation.as_ref().map_or("", |it| &it.what));
        if !options.no_shrink {
            println!("{}", report::violation(&plan, &outcome, kind)?);
        }
    }
    Ok(())
}

fn tell(options: &Options, kind: StoreKind, sum: &Sum, took_ms: u64) -> bool {
    println!("met over all seeds:\n{}", sum.coverage.table());
    let per_minute = sum.orders * 60_000 / took_ms.max(1);
    println!(
        "{} seeds from {} on ({kind:?}): {} orders ({} at least), {} commits, {} events, {} h of virtual time in {}.{:03} s; {per_minute} orders a \
         minute; {} numbers sold that became nobody's; events {:016x}",
        options.seeds,
        options.seed,
        sum.orders,
        sum.fewest.map_or(0, |(orders, _)| orders),
        sum.commits,
        sum.events,
        sum.seconds / 3_600,
        took_ms / 1_000,
        took_ms % 1_000,
        sum.orphans,
        sum.hash,
    );
    let missing = report::never_met(&sum.coverage, options.seeds);
    if !sum.failed.is_empty() {
        println!("broken by seed {:?}", sum.failed);
        return false;
    }
    if !missing.is_empty() {
        println!("never met (judged from {JUDGED_FROM_SEEDS} seeds on): {}", missing.join(", "));
        return false;
    }
    println!("no violation");
    true
}
