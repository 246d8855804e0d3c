//! The settings file.

use std::path::PathBuf;

use serde::Deserialize;
use toml::{Table, Value};

use super::{ConfigError, Hidden};

/// The file's form. Names are checked before, so that a misspelled one gets a better answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) store: Option<Hidden>,
    pub(super) cache_mib: Option<usize>,
    pub(super) keyring_dir: Option<PathBuf>,
    pub(super) requests_a_minute: Option<u32>,
    pub(super) attempts_a_minute: Option<u32>,
    pub(super) connections_max: Option<usize>,
    pub(super) worker_threads: Option<usize>,
    pub(super) log: Option<String>,
    pub(super) postgres: Postgres,
    pub(super) rates: Rates,
    pub(super) prices: Prices,
    pub(super) caps: Caps,
    pub(super) timing: Timing,
    pub(super) breaker: Breaker,
    pub(super) services: Services,
    pub(super) admin: Admin,
    pub(super) supplier: Vec<Supplier>,
    pub(super) customer: Vec<Customer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Postgres {
    pub(super) committers: Option<usize>,
    pub(super) readers: Option<usize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rates {
    pub(super) usd_idr: Option<i64>,
    pub(super) rub_idr: Option<i64>,
    pub(super) usdt_idr: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Prices {
    pub(super) markup_ppm: Option<u32>,
    pub(super) minimum_price: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Caps {
    pub(super) open_orders: Option<i64>,
    pub(super) cancels_a_day: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Timing {
    pub(super) poll_first_ms: Option<i64>,
    pub(super) poll_then_ms: Option<i64>,
    pub(super) poll_late_ms: Option<i64>,
    pub(super) window_ms: Option<i64>,
    pub(super) resend_pause_ms: Option<i64>,
    pub(super) offers_every_ms: Option<i64>,
    pub(super) answer_due_ms: Option<i64>,
    pub(super) call_limit_ms: Option<i64>,
    pub(super) lease_ms: Option<i64>,
    pub(super) balance_every_ms: Option<i64>,
    pub(super) audit_every_ms: Option<i64>,
    pub(super) unclear_grace_ms: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Breaker {
    pub(super) failures_in_row: Option<u32>,
    pub(super) failures_ppm: Option<u32>,
    pub(super) calls_min: Option<u32>,
    pub(super) pause_ms: Option<i64>,
    pub(super) pause_max_ms: Option<i64>,
    pub(super) silence_ms: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Services {
    pub(super) blocked: Vec<String>,
    pub(super) allowed: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    pub(super) token: Option<Hidden>,
    pub(super) alone_max: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Supplier {
    pub(super) name: String,
    pub(super) dialect: String,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) api_key_env: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) poll_floor_ms: Option<u32>,
    pub(super) cancel_after_seconds: Option<u32>,
    pub(super) requests_a_second: Option<u32>,
    pub(super) low_balance: Option<String>,
    pub(super) drain: Option<bool>,
    pub(super) push_path: Option<String>,
    pub(super) push_path_env: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) token_env: Option<String>,
    #[serde(default)]
    pub(super) opening_credit: i64,
}

impl std::fmt::Debug for Supplier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Supplier({}, {})", self.name, self.dialect)
    }
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Customer({})", self.name)
    }
}

/// Names by section; the unnamed section is the top.
const NAMES: [(&str, &[&str]); 11] = [
    (
        "",
        &[
            "listen",
            "data_dir",
            "store",
            "cache_mib",
            "keyring_dir",
            "requests_a_minute",
            "attempts_a_minute",
            "connections_max",
            "worker_threads",
            "log",
            "postgres",
            "rates",
            "prices",
            "caps",
            "timing",
            "breaker",
            "services",
            "admin",
            "supplier",
            "customer",
        ],
    ),
    ("postgres", &["committers", "readers"]),
    ("rates", &["usd_idr", "rub_idr", "usdt_idr"]),
    ("prices", &["markup_ppm", "minimum_price"]),
    ("caps", &["open_orders", "cancels_a_day"]),
    (
        "timing",
        &[
            "poll_first_ms",
            "poll_then_ms",
            "poll_late_ms",
            "window_ms",
            "resend_pause_ms",
            "offers_every_ms",
            "answer_due_ms",
            "call_limit_ms",
            "lease_ms",
            "balance_every_ms",
            "audit_every_ms",
            "unclear_grace_ms",
        ],
    ),
    ("services", &["blocked", "allowed"]),
    ("admin", &["token", "alone_max"]),
    (
        "supplier",
        &[
            "name",
            "dialect",
            "base_url",
            "api_key",
            "api_key_env",
            "currency",
            "poll_floor_ms",
            "cancel_after_seconds",
            "requests_a_second",
            "low_balance",
            "drain",
            "push_path",
            "push_path_env",
        ],
    ),
    ("breaker", &["failures_in_row", "failures_ppm", "calls_min", "pause_ms", "pause_max_ms", "silence_ms"]),
    ("customer", &["name", "token", "token_env", "opening_credit"]),
];

/// Reads a file's text.
pub(super) fn parse(path: &str, text: &str) -> Result<File, ConfigError> {
    // only the message: the long form of these errors quotes lines, and a line may hold a key
    let unreadable = |error: toml::de::Error| ConfigError::File {
        path: path.to_owned(),
        reason: match error.span() {
            Some(span) => {
                let line = 1 + text[..span.start.min(text.len())].matches('\n').count();
                format!("line {line}: {}", error.message())
            }
            None => error.message().to_owned(),
        },
    };
    let table: Table = text.parse().map_err(unreadable)?;
    check(path, "", &table)?;
    toml::from_str(text).map_err(unreadable)
}

fn check(path: &str, section: &str, table: &Table) -> Result<(), ConfigError> {
    let Some((_, names)) = NAMES.iter().find(|(known, _)| *known == section) else {
        return Ok(());
    };
    for (name, value) in table {
        if !names.contains(&name.as_str()) {
            let place = if section.is_empty() { path.to_owned() } else { format!("{path}, [{section}]") };
            return Err(ConfigError::unknown(&place, name, names.iter().copied()));
        }
        match value {
            Value::Table(inner) if section.is_empty() => check(path, name, inner)?,
            Value::Array(items) if section.is_empty() => {
                for inner in items.iter().filter_map(Value::as_table) {
                    check(path, name, inner)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
