//! The command line.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

/// Measures smscode on this machine. Fails if an order leaves more than 30 rows or 6 KiB behind.
#[derive(Parser, Debug)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Subcommand, Debug)]
pub(crate) enum What {
    /// Whole orders: placed, SMS read, finished, against a supplier that answers at once.
    Orders(Options),
    /// The placing commit alone: load, decision, sealing and one durable ChangeSet, without the purchase.
    Commits(Options),
    /// Orders at one supplier while another one has died with orders open, and without it. Fails if the p99 of placing is
    /// more than 1.5 times as long, or memory grows by more than 64 MiB.
    DeadSupplier(DeadOptions),
}

#[derive(Group, Debug)]
pub(crate) struct Options {
    /// Where the orders are kept.
    #[arg(long, value_enum, default_value = "redb")]
    pub(crate) store: StoreName,
    /// Callers at once, each with an account of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2_048))]
    pub(crate) callers: u32,
    /// Stop after so many operations, whatever --seconds says.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) orders: Option<u64>,
    /// Measure for so long; the floor takes half of it again.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
    /// Where the files are made; on the disk that is to be measured. Removed at the end.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Tasks that commit to Postgres.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) committers: u32,
    /// Tasks that read from Postgres.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) readers: u32,
    /// A supplier that does not want to hear of finished orders saves one commit per order.
    #[arg(long)]
    pub(crate) no_finish_call: bool,
    /// One JSON document instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Group, Debug)]
pub(crate) struct DeadOptions {
    /// Where the orders are kept: memory or redb.
    #[arg(long, value_enum, default_value = "redb")]
    pub(crate) store: StoreName,
    /// Orders open at the supplier that dies.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) open: u32,
    /// Callers at once, each with an account of its own.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) callers: u32,
    /// Measure each of the two for so long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
    /// Where the files are made. Removed at the end.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// One JSON document instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum StoreName {
    /// In memory, lost at the end.
    Memory,
    /// One file, durable.
    Redb,
    /// A throw-away Postgres server, durable, in the system's folder for temporary files.
    Postgres,
}
