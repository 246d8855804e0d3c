//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Hidden;

const AFTER: &str = "\
Every option can also be given as a variable (named above) or in the settings file, where names have _ in place of -.
An option counts before a variable, a variable before the file. Suppliers, customers, caps and timings are set in the
file only: see smscode.example.toml.

Without a supplier the server is a SANDBOX: it simulates one, opens a demo customer with 5,000,000 IDR, and prints
its token with commands to try. SMSCODE_DEMO_TOKEN (32 letters and digits) fixes that token. A store is a sandbox or
live for good and is never served the other way.

Secrets are read from the file or from variables and are not printed. The address of a Postgres database holds one: as
an option it would be seen by everybody who can list this machine's processes. Its schema and its role are made by
smscode-server migrate.";

const AFTER_MIGRATE: &str = "\
The database of the store (--store, SMSCODE_STORE or the settings file) gets the newest schema, and the role that its
address names is made, with the password there, unless it exists; it may read and write rows and nothing else. Both
addresses name the same database. Running it again changes nothing.

Exit codes: 0 it is as this program needs it; 1 the server was away, or the connection was lost: run it again; 2 the
server or a setting stands in the way, and somebody has to change that first.";

const AFTER_BACKUP: &str = "\
The keys are not in it: numbers and SMS of orders that are open are sealed. It is complete when the command ends with 0;
a file that was cut off is noticed by restore and by verify --file.

A Postgres database may be served meanwhile. A redb file has one process at a time: stop its server first.

Exit codes: 0 done; 1 the store was away: run it again; 2 a setting or a file stands in the way.";

const AFTER_RESTORE: &str = "\
The store (--store, SMSCODE_STORE or the settings file) must be empty; a Postgres database is prepared by migrate. A
backup that is damaged or not whole is refused, and nothing is written. Afterwards everything is added up again, as
verify does. Orders that the backup shows open are asked at their suppliers before they end.

Exit codes: 0 restored, everything fits; 1 the store was away: run it again; 2 refused, nothing was written; 3 restored,
but something does not fit.";

const AFTER_VERIFY: &str = "\
Nothing is changed. Accounts are told apart by a pseudonym; their ids stand in no output.

Exit codes: 0 everything fits; 1 the store was away: run it again; 2 it cannot be looked through; 3 something does not
fit.";

const AFTER_MOVE: &str = "\
Stop all servers first. The first store keeps everything and is marked: no server serves it any more. Keys stay where
they are: the server of the second store gets the same --keyring-dir. Afterwards both are compared row by row, and the
second is added up again, as verify does.

Exit codes: 0 moved, everything is there and fits; 1 a store was away: run it again; 2 refused, and the first store is
served as before; 3 moved, but something does not fit, in both.";

/// Rent temporary phone numbers for verification SMS: the reference server of smscode.
#[derive(Clone, Debug, Default, Parser)]
#[command(version, about, after_help = AFTER, hide_possible_values = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub task: Option<Task>,

    /// Settings file, in TOML
    #[arg(long, global = true, value_name = "FILE", env = "SMSCODE_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "SMSCODE_LISTEN", hide_env_values = true)]
    pub listen: Option<SocketAddr>,

    /// Folder for this server's files [default: data]
    #[arg(long, global = true, value_name = "DIR", env = "SMSCODE_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,

    /// Where everything is kept: redb:PATH (one file, one process), memory (gone when it ends), or the address of a
    /// Postgres database, postgres://user:password@host/database, better given as the variable or in the file
    /// [default: redb:<data-dir>/smscode.redb]
    #[arg(long, global = true, value_name = "STORE", env = "SMSCODE_STORE", hide_env_values = true)]
    pub store: Option<Hidden>,

    /// Memory for pages of the redb file, in MiB [default: 32]
    #[arg(long, value_name = "MIB", env = "SMSCODE_CACHE_MIB", hide_env_values = true)]
    pub cache_mib: Option<usize>,

    /// Folder for keys. Keep it out of backups of the data: whoever has both can read what was erased
    /// [default: <data-dir>-keys]
    #[arg(long, value_name = "DIR", env = "SMSCODE_KEYRING_DIR", hide_env_values = true)]
    pub keyring_dir: Option<PathBuf>,

    /// Rupiah per US dollar, for suppliers in dollars and for the view of /v2 [sandbox default: 16000]
    #[arg(long, value_name = "RATE", env = "SMSCODE_USD_IDR", hide_env_values = true)]
    pub usd_idr: Option<i64>,

    /// Added to a supplier's cost, in parts per million: 300000 is 30 % [default: 300000]
    #[arg(long, value_name = "PPM", env = "SMSCODE_MARKUP_PPM", hide_env_values = true)]
    pub markup_ppm: Option<u32>,

    /// No price is below this, in rupiah [default: 1]
    #[arg(long, value_name = "IDR", env = "SMSCODE_MINIMUM_PRICE", hide_env_values = true)]
    pub minimum_price: Option<i64>,

    /// Requests of one customer a minute [default: 300; sandbox: 6000]
    #[arg(long, value_name = "N", env = "SMSCODE_REQUESTS_A_MINUTE", hide_env_values = true)]
    pub requests_a_minute: Option<u32>,

    /// Requests without a valid token from one address a minute; 0 for no limit, where a proxy in front has its own
    /// [default: 60]
    #[arg(long, value_name = "N", env = "SMSCODE_ATTEMPTS_A_MINUTE", hide_env_values = true)]
    pub attempts_a_minute: Option<u32>,

    /// Connections at once [default: 4096]
    #[arg(long, value_name = "N", env = "SMSCODE_CONNECTIONS_MAX", hide_env_values = true)]
    pub connections_max: Option<usize>,

    /// Threads that serve [default: 2]
    #[arg(long, value_name = "N", env = "SMSCODE_WORKER_THREADS", hide_env_values = true)]
    pub worker_threads: Option<usize>,

    /// What is logged, such as info, or info,access=debug for a line per request [default: info]
    #[arg(long, value_name = "FILTER", env = "SMSCODE_LOG", hide_env_values = true)]
    pub log: Option<String>,
}

/// What the program does instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Bring the Postgres database of the store to this program's schema, and make the role that the server runs under
    #[command(after_help = AFTER_MIGRATE)]
    Migrate(Migrate),
    /// Write everything that is in the store into a file, as it is at one moment
    #[command(after_help = AFTER_BACKUP)]
    Backup(Backup),
    /// Fill an empty store with a backup
    #[command(after_help = AFTER_RESTORE)]
    Restore(Restore),
    /// Add everything in the store up again, and say what does not fit
    #[command(after_help = AFTER_VERIFY)]
    Verify(Verify),
    /// Carry everything from one store into another, an empty one
    #[command(after_help = AFTER_MOVE)]
    Move(Move),
}

/// Settings of `backup`.
#[derive(Clone, Debug, Args)]
pub struct Backup {
    /// The file, which must not be there yet; - for the standard output
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// Settings of `restore`.
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// The backup; - for the standard input
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
}

/// Settings of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// Look whether this backup is whole, instead of looking through the store
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Say it as JSON
    #[arg(long)]
    pub json: bool,

    /// No server works with the database now: look through its indexes, too. Those of a redb file are always looked through
    #[arg(long)]
    pub at_rest: bool,
}

/// Settings of `move`.
#[derive(Clone, Debug, Args)]
pub struct Move {
    /// The store that is moved: redb:PATH or the address of a Postgres database, better given as the variable
    #[arg(long, value_name = "STORE", env = "SMSCODE_MOVE_FROM", hide_env_values = true)]
    pub from: Hidden,

    /// The store that it is moved into, which must be empty: redb:PATH or the address of a database that migrate has
    /// prepared, better given as the variable
    #[arg(long, value_name = "STORE", env = "SMSCODE_MOVE_TO", hide_env_values = true)]
    pub to: Hidden,

    /// Take an earlier move back, if nothing was done in the second store since: the first is served again
    #[arg(long)]
    pub undo: bool,
}

/// Settings of `migrate`.
#[derive(Clone, Debug, Args)]
pub struct Migrate {
    /// Address of the same database for a role that may create schemas and roles, such as
    /// postgres://postgres:password@host/database; better given as the variable
    #[arg(long, value_name = "URL", env = "SMSCODE_ADMIN_URL", hide_env_values = true)]
    pub admin_url: Hidden,
}
