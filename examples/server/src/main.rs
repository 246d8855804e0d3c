//! The program: settings, threads, signals.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use smscode_server::config::{Cli, from_environment};
use smscode_server::{Config, start};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    // first of all: libraries that find none, or two, stop the process
    let _only_one = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse();
    let config = match from_environment(&cli) {
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
    let running = match start(config).await {
        Ok(running) => running,
        Err(error) => return told(error.code(), &error),
    };
    tracing::info!(address = %running.addr, "serving");
    if let Some(banner) = running.banner() {
        let mut out = std::io::stdout().lock();
        let _nobody_reads = writeln!(out, "{banner}").and_then(|()| out.flush());
    }
    tokio::select! {
        biased;
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    tracing::info!("stopping");
    tokio::select! {
        biased;
        () = running.shutdown() => ExitCode::SUCCESS,
        // asked twice: now
        _ = terminated.recv() => ExitCode::FAILURE,
        _ = interrupted.recv() => ExitCode::FAILURE,
    }
}

/// Says on one line why the program ends.
fn told(code: &str, error: &dyn std::fmt::Display) -> ExitCode {
    let _nobody_reads = writeln!(std::io::stderr(), "smscode-server: {error} [{code}]");
    ExitCode::from(2)
}
