//! Settings: flags, then variables `SMSCODE_...`, then a TOML file, then defaults; the first that says something counts.

mod cli;
mod file;
mod hidden;
mod resolve;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use smscode_core::Settings;
use smscode_core::money::Currency;
use smscode_core::token::Token;
use smscode_providers::ApiKey;
use smscode_providers::sms::sms_activate::{Dialect, SmsActivateConfig};
use smscode_storage_postgres::PostgresOptions;

pub use cli::{Backup, Cli, Migrate, Move, Restore, Task, Verify};
pub use hidden::Hidden;
pub use resolve::{address_from_environment, from_environment, resolve, store_from_environment, store_of};

use crate::limit::LimitSettings;

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChoice {
    /// In memory: gone with the process.
    Memory,
    /// In a file of the embedded store.
    Redb(PathBuf),
    /// In a Postgres database, by its address.
    Postgres(Hidden),
}

impl StoreChoice {
    /// Its name for people, without anything secret.
    pub fn shown(&self) -> String {
        match self {
            Self::Memory => "the store in memory".to_owned(),
            Self::Redb(path) => path.display().to_string(),
            Self::Postgres(_) => "the Postgres database".to_owned(),
        }
    }
}

/// A customer that the operator opens by the settings.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its name here: lower-case letters, digits, `-`.
    pub name: String,
    /// Its token.
    pub token: Token,
    /// Money that is booked once, in the smallest unit of the ledger's currency.
    pub opening_minor: i64,
}

/// A path under `/hooks/sms` on which a supplier tells of SMS.
#[derive(Clone, Debug)]
pub struct PushPath {
    /// The supplier's name.
    pub supplier: String,
    /// The path, which is a secret between it and us.
    pub path: Hidden,
}

/// Limits of the HTTP side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Connections at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// The head of a request has to be there after this; also how long an idle connection is kept.
    pub head_limit_ms: u64,
    /// Requests under way may end for this long when the server stops.
    pub drain_limit_ms: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { connections_max: 4_096, head_limit_ms: 15_000, drain_limit_ms: 10_000 }
    }
}

/// Everything a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where files are kept that belong to this server alone.
    pub data_dir: PathBuf,
    /// Where everything is kept.
    pub store: StoreChoice,
    /// Memory for pages of the embedded store, in MiB.
    pub cache_mib: usize,
    /// How a Postgres database is worked with.
    pub postgres: PostgresOptions,
    /// Where keys are kept; `None` means beside the data directory, with `-keys` behind its name.
    pub keyring_dir: Option<PathBuf>,
    /// Suppliers. Without one the server is a sandbox.
    pub suppliers: Vec<SmsActivateConfig>,
    /// Suppliers of which the settings say whether they get purchases: `true` for none. Of the others the store knows.
    pub drains: Vec<(String, bool)>,
    /// Where which of them push.
    pub pushes: Vec<PushPath>,
    /// Customers that are opened at the start.
    pub customers: Vec<Customer>,
    /// Rates: base, quote, whole units of quote per unit of base.
    pub rates: Vec<(Currency, Currency, i64)>,
    /// Settings of the platform; in a sandbox only the price rule and the caps count.
    pub platform: Settings,
    /// How often who may ask; `None` means what fits the mode.
    pub limits: Option<LimitSettings>,
    /// Limits of the HTTP side.
    pub http: HttpSettings,
    /// The operators' token; `None`, and there are no routes for operators.
    pub admin_token: Option<Hidden>,
    /// The sandbox customer's token; `None` makes one.
    pub demo_token: Option<Token>,
    /// Threads that serve.
    pub worker_threads: usize,
    /// What is logged, in the words of `tracing_subscriber::EnvFilter`.
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        let data_dir = PathBuf::from("data");
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            store: StoreChoice::Redb(data_dir.join(STORE_FILE)),
            data_dir,
            cache_mib: 32,
            postgres: PostgresOptions::default(),
            keyring_dir: None,
            suppliers: Vec::new(),
            drains: Vec::new(),
            pushes: Vec::new(),
            customers: Vec::new(),
            rates: Vec::new(),
            platform: Settings::default(),
            limits: None,
            http: HttpSettings::default(),
            admin_token: None,
            demo_token: None,
            worker_threads: 2,
            log: "info".to_owned(),
        }
    }
}

impl Config {
    /// Whether nothing is for sale but what the simulator sells.
    pub fn is_sandbox(&self) -> bool {
        self.suppliers.is_empty()
    }
}

/// The store's file within the data directory.
pub const STORE_FILE: &str = "smscode.redb";

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting that does not exist, with the nearest right one.
    #[error("{place}: there is no setting {name}{hint}")]
    Unknown {
        /// Where it was found.
        place: String,
        /// What was written.
        name: String,
        /// What may have been meant, as the end of the sentence.
        hint: String,
    },
    /// A value that cannot be used.
    #[error("{name}: {reason}")]
    Value {
        /// Which setting.
        name: String,
        /// What is wrong with it; never the value of a secret.
        reason: String,
    },
    /// The file cannot be read, or is not TOML.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ConfigError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "setting_unknown",
            Self::Value { .. } => "setting_value",
            Self::File { .. } => "settings_file",
        }
    }

    fn value(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value { name: name.into(), reason: reason.into() }
    }

    fn unknown<'a>(place: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let hint = match crate::nearest::nearest(name, known) {
            Some(right) => format!("; did you mean {right}?"),
            None => String::new(),
        };
        Self::Unknown { place: place.to_owned(), name: name.to_owned(), hint }
    }
}

/// A supplier of this protocol at an address, for tests and hosts that build their settings themselves.
pub fn supplier(name: &str, dialect: &Dialect, base_url: &str, api_key: &str, currency: Currency) -> SmsActivateConfig {
    SmsActivateConfig {
        base_url: base_url.to_owned(),
        currency,
        ..SmsActivateConfig::new(name, dialect, ApiKey::new(api_key))
    }
}
