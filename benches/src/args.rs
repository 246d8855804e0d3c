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

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum StoreName {
    /// In memory, lost at the end.
    Memory,
    /// One file, durable.
    Redb,
    /// A throw-away Postgres server, durable, in the system's folder for temporary files.
    Postgres,
}

impl Args {
    pub(crate) fn options(&self) -> &Options {
        match &self.what {
            What::Orders(options) | What::Commits(options) => options,
        }
    }

    pub(crate) fn mode(&self) -> &'static str {
        match self.what {
            What::Orders(_) => "orders",
            What::Commits(_) => "commits",
        }
    }
}
