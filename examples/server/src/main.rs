//! The program: settings, threads, signals.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use smscode_server::config::{Cli, Migrate, Task, address_from_environment, from_environment};
use smscode_server::migrate::migrate;
use smscode_server::{Config, start, task};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    // first of all: libraries that find none, or two, stop the process
    let _only_one = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    match &cli.task {
        Some(Task::Migrate(settings)) => migrated(&cli, settings),
        Some(Task::Backup(_) | Task::Restore(_) | Task::Verify(_) | Task::Move(_)) => with_store(&cli),
        None => served(&cli),
    }
}

/// Says what is wrong with the options, or shows the help that was asked for. An address that stands where none
/// belongs may hold a password: it is not repeated.
fn misused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && error.to_string().contains("://") {
        return told("options", &"an address stands where none is expected; see --help");
    }
    let _nobody_reads = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn migrated(cli: &Cli, settings: &Migrate) -> ExitCode {
    let store = match address_from_environment(cli) {
        Ok(store) => store,
        Err(error) => return told(error.code(), &error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told("threads", &error),
    };
    match runtime.block_on(migrate(&settings.admin_url, &store)) {
        Ok(done) => {
            let _nobody_reads = writeln!(std::io::stdout(), "{done}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let told = told(error.code(), &error);
            if error.is_passing() { ExitCode::FAILURE } else { told }
        }
    }
}

/// Something was done, and what was looked at does not fit.
const DOES_NOT_FIT: u8 = 3;

/// Does something with a store, and says what.
fn with_store(cli: &Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told("threads", &error),
    };
    match runtime.block_on(task::run(cli)) {
        Some(Ok(done)) => {
            if !done.text.is_empty() {
                let _nobody_reads = writeln!(std::io::stdout(), "{}", done.text);
            }
            if done.clean { ExitCode::SUCCESS } else { ExitCode::from(DOES_NOT_FIT) }
        }
        Some(Err(error)) => {
            let told = told(error.code(), &error);
            if error.is_passing() { ExitCode::FAILURE } else { told }
        }
        None => ExitCode::SUCCESS,
    }
}

fn served(cli: &Cli) -> ExitCode {
    let config = match from_environment(cli) {
        Ok(config) => config,
        Err(error) => return told(error.code(), &error),
    };
    let Ok(filter) = tracing_subscriber::EnvFilter::try_new(&config.log) else {
        return told("setting_value", &"log: not a filter, such as info or info,access=debug");
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.worker_threads)
        .thread_name("smscode")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(config)),
        Err(error) => told("threads", &error),
    }
}

async fn run(config: Config) -> ExitCode {
    let (mut terminated, mut interrupted) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(terminated), Ok(interrupted)) => (terminated, interrupted),
        (Err(error), _) | (_, Err(error)) => return told("signals", &error),
    };
    let started = tokio::select! {
        biased;
        // it may be waiting for its store
        () = asked(&mut terminated, &mut interrupted) => return ExitCode::SUCCESS,
        started = start(config) => started,
    };
    let running = match started {
        Ok(running) => running,
        Err(error) => return told(error.code(), &error),
    };
    tracing::info!(address = %running.addr, "serving");
    if let Some(banner) = running.banner() {
        let mut out = std::io::stdout().lock();
        let _nobody_reads = writeln!(out, "{banner}").and_then(|()| out.flush());
    }
    asked(&mut terminated, &mut interrupted).await;
    tracing::info!("stopping");
    tokio::select! {
        biased;
        () = running.shutdown() => ExitCode::SUCCESS,
        // asked twice: now
        () = asked(&mut terminated, &mut interrupted) => ExitCode::FAILURE,
    }
}

/// Waits until the process is asked to stop.
async fn asked(terminated: &mut Signal, interrupted: &mut Signal) {
    tokio::select! {
        biased;
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
}

/// Says on one line why the program ends.
fn told(code: &str, error: &dyn std::fmt::Display) -> ExitCode {
    let _nobody_reads = writeln!(std::io::stderr(), "smscode-server: {error} [{code}]");
    ExitCode::from(2)
}
