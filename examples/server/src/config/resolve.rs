//! From flags, variables and file to the settings that count.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::routing::BreakerRule;
use smscode_core::token::Token;
use smscode_providers::ApiKey;
use smscode_providers::sms::sms_activate::{ALL, SmsActivateConfig, dialect};
use smscode_storage_postgres::PostgresOptions;

use super::file::{self, File};
use super::{Cli, Config, ConfigError, Customer, Hidden, PushPath, STORE_FILE, StoreChoice};

/// The variable that fixes the sandbox customer's token.
const DEMO_TOKEN: &str = "SMSCODE_DEMO_TOKEN";
/// The variable that holds the operators' token.
const ADMIN_TOKEN: &str = "SMSCODE_ADMIN_TOKEN";
/// Shorter ones could be guessed.
const ADMIN_TOKEN_MIN: usize = 32;
/// A header has room for this.
const ADMIN_TOKEN_MAX: usize = 256;
const PREFIX: &str = "SMSCODE_";
/// A settings file is not larger than this.
const FILE_MAX: u64 = 1_000_000;

/// Settings from the command line, the process's variables and the file that they name.
pub fn from_environment(cli: &Cli) -> Result<Config, ConfigError> {
    let file = cli.config.as_deref().map(read_file).transpose()?;
    let variable = |name: &str| std::env::var(name).ok();
    resolve(cli, file.as_ref().map(|(path, text)| (&**path, &**text)), variable_names(), &variable)
}

/// The address of the Postgres database from the same places: all of the settings that `migrate` needs.
pub fn address_from_environment(cli: &Cli) -> Result<Hidden, ConfigError> {
    match store_from_environment(cli)? {
        StoreChoice::Postgres(address) => Ok(address),
        StoreChoice::Memory | StoreChoice::Redb(_) => {
            Err(ConfigError::value("store", "migrate needs the address of a Postgres database here, in SMSCODE_STORE"))
        }
    }
}

/// The store from the same places: all of the settings that tasks of the store need.
pub fn store_from_environment(cli: &Cli) -> Result<StoreChoice, ConfigError> {
    let file = match cli.config.as_deref().map(read_file).transpose()? {
        Some((path, text)) => file::parse(&path, &text)?,
        None => File::default(),
    };
    check_variables(variable_names(), &file)?;
    let data_dir = cli.data_dir.clone().or(file.data_dir.clone()).unwrap_or(Config::default().data_dir);
    store(cli.store.as_ref().or(file.store.as_ref()), &data_dir)
}

/// The store that a text names.
pub fn store_of(text: &Hidden) -> Result<StoreChoice, ConfigError> {
    store(Some(text), Path::new(""))
}

fn variable_names() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

fn read_file(path: &Path) -> Result<(String, String), ConfigError> {
    let name = path.display().to_string();
    let told = |reason: String| ConfigError::File { path: name.clone(), reason };
    let meta = std::fs::metadata(path).map_err(|error| told(error.to_string()))?;
    if !meta.is_file() || meta.len() > FILE_MAX {
        return Err(told("not a file of at most 1 MB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    Ok((name, text))
}

/// Settings from their parts: the command line (with the variables that clap knows), the file's name and text, the names
/// of all variables, and their values.
pub fn resolve(
    cli: &Cli,
    file: Option<(&str, &str)>,
    variables: impl Iterator<Item = String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, ConfigError> {
    let file = match file {
        Some((path, text)) => file::parse(path, text)?,
        None => File::default(),
    };
    check_variables(variables, &file)?;
    let defaults = Config::default();
    let data_dir = cli.data_dir.clone().or(file.data_dir.clone()).unwrap_or(defaults.data_dir);
    let suppliers = file.supplier.iter().map(|one| supplier(one, variable)).collect::<Result<Vec<_>, _>>()?;
    let drains = file.supplier.iter().filter_map(|one| Some((one.name.clone(), one.drain?))).collect();
    let sandbox = suppliers.is_empty();
    let mut config = Config {
        listen: listen(cli, &file)?.unwrap_or(defaults.listen),
        store: store(cli.store.as_ref().or(file.store.as_ref()), &data_dir)?,
        data_dir,
        cache_mib: within("cache_mib", cli.cache_mib.or(file.cache_mib).unwrap_or(defaults.cache_mib), 1, 65_536)?,
        postgres: postgres(&file)?,
        keyring_dir: cli.keyring_dir.clone().or(file.keyring_dir.clone()),
        pushes: pushes(&file, variable)?,
        customers: customers(&file, variable)?,
        rates: rates(cli, &file, sandbox)?,
        platform: platform(cli, &file, &suppliers)?,
        suppliers,
        drains,
        limits: limits(cli, &file),
        admin_token: admin_token(&file, variable)?,
        demo_token: variable(DEMO_TOKEN).map(|text| token(DEMO_TOKEN, &text)).transpose()?,
        worker_threads: cli.worker_threads.or(file.worker_threads).unwrap_or(defaults.worker_threads),
        log: cli.log.clone().or(file.log.clone()).unwrap_or(defaults.log),
        http: defaults.http,
    };
    config.worker_threads = within("worker_threads", config.worker_threads, 1, 256)?;
    let connections = cli.connections_max.or(file.connections_max);
    config.http.connections_max =
        within("connections_max", connections.unwrap_or(defaults.http.connections_max), 1, 1_000_000)?;
    if config.demo_token.is_some() && !sandbox {
        let reason = "there is a demo customer in a sandbox only; customers of a live server go into the settings file";
        return Err(ConfigError::value(DEMO_TOKEN, reason));
    }
    if !config.customers.is_empty() && sandbox {
        let reason = "a sandbox has its demo customer only; customers need a supplier";
        return Err(ConfigError::value("customer", reason));
    }
    Ok(config)
}

/// A variable with our prefix that means nothing was meant to mean something.
fn check_variables(variables: impl Iterator<Item = String>, file: &File) -> Result<(), ConfigError> {
    let command = Cli::command();
    let arguments = command.get_arguments().chain(command.get_subcommands().flat_map(|task| task.get_arguments()));
    let mut known: Vec<String> =
        arguments.filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned())).collect();
    known.extend([DEMO_TOKEN, ADMIN_TOKEN].map(str::to_owned));
    let named =
        file.supplier.iter().flat_map(|one| one.api_key_env.clone().into_iter().chain(one.push_path_env.clone()));
    known.extend(named.chain(file.customer.iter().filter_map(|one| one.token_env.clone())));
    let mut unknown: Vec<String> = variables.filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect();
    unknown.sort();
    match unknown.first() {
        Some(name) => Err(ConfigError::unknown("variables", name, known.iter().map(String::as_str))),
        None => Ok(()),
    }
}

fn listen(cli: &Cli, file: &File) -> Result<Option<SocketAddr>, ConfigError> {
    let from_file = || file.listen.as_deref().map(str::parse).transpose();
    cli.listen.map_or_else(from_file, |address| Ok(Some(address))).map_err(|_| {
        ConfigError::value("listen", "an address with a port is needed, such as 127.0.0.1:8080 or [::]:8080")
    })
}

fn store(text: Option<&Hidden>, data_dir: &Path) -> Result<StoreChoice, ConfigError> {
    let Some(hidden) = text else {
        return Ok(StoreChoice::Redb(data_dir.join(STORE_FILE)));
    };
    match hidden.reveal() {
        "memory" => Ok(StoreChoice::Memory),
        text if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            Ok(StoreChoice::Postgres(hidden.clone()))
        }
        text => match text.strip_prefix("redb:") {
            Some(path) if !path.is_empty() => Ok(StoreChoice::Redb(PathBuf::from(path))),
            // it may be an address with a password: it is not repeated
            _ => {
                Err(ConfigError::value("store", "must be redb:PATH, memory or postgres://user:password@host/database"))
            }
        },
    }
}

fn postgres(file: &File) -> Result<PostgresOptions, ConfigError> {
    let defaults = PostgresOptions::default();
    let (committers, readers) = (file.postgres.committers, file.postgres.readers);
    Ok(PostgresOptions {
        committers: within("committers", committers.unwrap_or(defaults.committers), 1, 32)?,
        readers: within("readers", readers.unwrap_or(defaults.readers), 1, 32)?,
        ..defaults
    })
}

fn rates(cli: &Cli, file: &File, sandbox: bool) -> Result<Vec<(Currency, Currency, i64)>, ConfigError> {
    /// What the sandbox takes a dollar for.
    const SANDBOX_USD_IDR: i64 = 16_000;
    let usd = cli.usd_idr.or(file.rates.usd_idr).or(sandbox.then_some(SANDBOX_USD_IDR));
    let rates = [
        ("usd_idr", Currency::Usd, usd),
        ("usdt_idr", Currency::Usdt, file.rates.usdt_idr),
        ("rub_idr", Currency::Rub, file.rates.rub_idr),
    ];
    let mut found = Vec::new();
    for (name, base, rate) in rates {
        if let Some(rate) = rate {
            found.push((base, Currency::Idr, within(name, rate, 1, 1_000_000_000)?));
        }
    }
    Ok(found)
}

fn platform(cli: &Cli, file: &File, suppliers: &[SmsActivateConfig]) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    let rule = &mut settings.price_rule;
    rule.markup_ppm = cli.markup_ppm.or(file.prices.markup_ppm).unwrap_or(rule.markup_ppm);
    rule.minimum_minor = cli.minimum_price.or(file.prices.minimum_price).unwrap_or(rule.minimum_minor);
    within("minimum_price", rule.minimum_minor, 1, 1_000_000_000)?;
    times(&mut settings, file)?;
    breaker(&mut settings.breaker, &file.breaker)?;
    settings.low_balances = low_balances(file, suppliers)?;
    if let Some(alone_max) = file.admin.alone_max {
        settings.adjust_alone_max_minor = within("alone_max", alone_max, 0, 1_000_000_000_000)?;
    }
    settings.blocked_services = file.services.blocked.iter().map(|code| code.to_ascii_lowercase()).collect();
    settings.allowed_services = file.services.allowed.iter().map(|code| code.to_ascii_lowercase()).collect();
    Ok(settings)
}

fn breaker(rule: &mut BreakerRule, given: &file::Breaker) -> Result<(), ConfigError> {
    /// An hour: no pause is longer.
    const HOUR_MS: i64 = 3_600_000;
    let counts: [(&str, &mut u32, Option<u32>, u32); 3] = [
        ("failures_in_row", &mut rule.failures_in_row, given.failures_in_row, 1_000_000),
        ("failures_ppm", &mut rule.failures_ppm, given.failures_ppm, 1_000_000),
        ("calls_min", &mut rule.calls_min, given.calls_min, 1_000_000),
    ];
    for (name, place, given, max) in counts {
        if let Some(given) = given {
            *place = within(name, given, 1, max)?;
        }
    }
    let times: [(&str, &mut i64, Option<i64>); 3] = [
        ("pause_ms", &mut rule.pause_ms, given.pause_ms),
        ("pause_max_ms", &mut rule.pause_max_ms, given.pause_max_ms),
        ("silence_ms", &mut rule.silence_ms, given.silence_ms),
    ];
    for (name, place, given) in times {
        if let Some(given) = given {
            *place = within(name, given, 100, HOUR_MS)?;
        }
    }
    Ok(())
}

/// Balances that are low, in the smallest unit of the supplier's currency.
fn low_balances(file: &File, suppliers: &[SmsActivateConfig]) -> Result<BTreeMap<String, i64>, ConfigError> {
    let mut low = BTreeMap::new();
    for (one, supplier) in file.supplier.iter().zip(suppliers) {
        let Some(text) = &one.low_balance else { continue };
        let money = Money::parse(text, supplier.currency).ok_or_else(|| {
            ConfigError::value(
                format!("supplier {}, low_balance", one.name),
                "must be an amount in its currency, such as \"5.00\"",
            )
        })?;
        low.insert(one.name.clone(), money.minor);
    }
    Ok(low)
}

/// Caps and timings.
fn times(settings: &mut Settings, file: &File) -> Result<(), ConfigError> {
    /// A day: no timing is longer.
    const DAY_MS: i64 = 86_400_000;
    let caps = &mut settings.caps;
    let timing = &file.timing;
    let all: [(&str, &mut i64, Option<i64>, i64, i64); 14] = [
        ("open_orders", &mut caps.open_orders, file.caps.open_orders, 1, 1_000_000),
        ("cancels_a_day", &mut caps.cancels_a_day, file.caps.cancels_a_day, 0, 1_000_000),
        ("poll_first_ms", &mut settings.poll_first_ms, timing.poll_first_ms, 100, DAY_MS),
        ("poll_then_ms", &mut settings.poll_then_ms, timing.poll_then_ms, 100, DAY_MS),
        ("poll_late_ms", &mut settings.poll_late_ms, timing.poll_late_ms, 100, DAY_MS),
        ("window_ms", &mut settings.window_ms, timing.window_ms, 10_000, DAY_MS),
        ("resend_pause_ms", &mut settings.resend_pause_ms, timing.resend_pause_ms, 0, DAY_MS),
        ("offers_every_ms", &mut settings.offers_every_ms, timing.offers_every_ms, 1_000, DAY_MS),
        ("answer_due_ms", &mut settings.answer_due_ms, timing.answer_due_ms, 1_000, 30_000),
        ("call_limit_ms", &mut settings.call_limit_ms, timing.call_limit_ms, 1_000, 300_000),
        ("lease_ms", &mut settings.lease_ms, timing.lease_ms, 1_000, DAY_MS),
        ("balance_every_ms", &mut settings.balance_every_ms, timing.balance_every_ms, 1_000, DAY_MS),
        ("audit_every_ms", &mut settings.audit_every_ms, timing.audit_every_ms, 0, 30 * DAY_MS),
        ("unclear_grace_ms", &mut settings.unclear_grace_ms, timing.unclear_grace_ms, 1_000, DAY_MS),
    ];
    for (name, place, given, min, max) in all {
        if let Some(given) = given {
            *place = within(name, given, min, max)?;
        }
    }
    Ok(())
}

/// The operators' token: the variable counts before the file.
fn admin_token(file: &File, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Hidden>, ConfigError> {
    let Some(token) = variable(ADMIN_TOKEN).map(Hidden::new).or_else(|| file.admin.token.clone()) else {
        return Ok(None);
    };
    let text = token.reveal();
    let length = (ADMIN_TOKEN_MIN..=ADMIN_TOKEN_MAX).contains(&text.len());
    if length && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Some(token));
    }
    Err(ConfigError::value("admin token", "must be 32 to 256 letters, digits and signs without blanks"))
}

fn limits(cli: &Cli, file: &File) -> Option<crate::limit::LimitSettings> {
    let requests = cli.requests_a_minute.or(file.requests_a_minute);
    let attempts = cli.attempts_a_minute.or(file.attempts_a_minute);
    if requests.is_none() && attempts.is_none() {
        return None;
    }
    let defaults = crate::limit::LimitSettings::default();
    Some(crate::limit::LimitSettings {
        requests_a_minute: requests.unwrap_or(defaults.requests_a_minute).max(1),
        attempts_a_minute: attempts.unwrap_or(defaults.attempts_a_minute),
    })
}

fn supplier(one: &file::Supplier, variable: &dyn Fn(&str) -> Option<String>) -> Result<SmsActivateConfig, ConfigError> {
    let setting = |member: &str| format!("supplier {}, {member}", one.name);
    let known = || ALL.into_iter().map(|dialect| dialect.name);
    let Some(spoken) = dialect(&one.dialect) else {
        let names: Vec<&str> = known().collect();
        let hint = match crate::nearest::nearest(&one.dialect, known()) {
            Some(right) => format!("there is no such dialect; did you mean {right}?"),
            None => format!("there is no such dialect; there are {}", names.join(", ")),
        };
        return Err(ConfigError::value(setting("dialect"), hint));
    };
    let key = secret(&setting("api_key"), one.api_key.as_deref(), one.api_key_env.as_deref(), variable)?;
    let mut config = SmsActivateConfig::new(&one.name, spoken, ApiKey::new(&key));
    if let Some(url) = &one.base_url {
        config.base_url.clone_from(url);
    }
    if config.base_url.is_empty() {
        return Err(ConfigError::value(setting("base_url"), "this dialect has no address of its own: it is needed"));
    }
    if let Some(code) = &one.currency {
        let read = Currency::from_code(code);
        config.currency =
            read.ok_or_else(|| ConfigError::value(setting("currency"), "must be IDR, USD, USDT or RUB"))?;
    }
    if let Some(floor) = one.poll_floor_ms {
        config.dialect.poll_floor_ms = within(&setting("poll_floor_ms"), floor, 100, 600_000)?;
    }
    if let Some(seconds) = one.cancel_after_seconds {
        config.dialect.cancel_after_seconds = within(&setting("cancel_after_seconds"), seconds, 0, 86_400)?;
    }
    if let Some(limit) = one.requests_a_second {
        config.dialect.requests_a_second = within(&setting("requests_a_second"), limit, 0, 100_000)?;
    }
    Ok(config)
}

/// The paths of suppliers that push. Long enough not to be guessed, and nobody's twice.
fn pushes(file: &File, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<PushPath>, ConfigError> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let mut found: Vec<PushPath> = Vec::new();
    for one in file.supplier.iter().filter(|one| one.push_path.is_some() || one.push_path_env.is_some()) {
        let name = format!("supplier {}, push_path", one.name);
        let path = secret(&name, one.push_path.as_deref(), one.push_path_env.as_deref(), variable)?;
        if !(32..=128).contains(&path.len()) || !path.bytes().all(fine) {
            return Err(ConfigError::value(name, "must be 32 to 128 random letters, digits, - or _"));
        }
        if found.iter().any(|other| other.path.reveal() == path) {
            return Err(ConfigError::value(name, "must differ from the other suppliers' paths"));
        }
        found.push(PushPath { supplier: one.name.clone(), path: Hidden::new(&path) });
    }
    Ok(found)
}

fn customers(file: &File, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Customer>, ConfigError> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let mut found: Vec<Customer> = Vec::new();
    for one in &file.customer {
        let setting = |member: &str| format!("customer {}, {member}", one.name);
        let well_named = (1..=32).contains(&one.name.len()) && one.name.bytes().all(fine);
        if !well_named || found.iter().any(|other| other.name == one.name) {
            let reason = "must be 1 to 32 lower-case letters, digits or dashes, and different from the others";
            return Err(ConfigError::value(setting("name"), reason));
        }
        let text = secret(&setting("token"), one.token.as_deref(), one.token_env.as_deref(), variable)?;
        found.push(Customer {
            name: one.name.clone(),
            token: token(&setting("token"), &text)?,
            opening_minor: within(&setting("opening_credit"), one.opening_credit, 0, 1_000_000_000_000)?,
        });
    }
    Ok(found)
}

/// A secret that is written down, or that is in a variable.
fn secret(
    name: &str,
    written: Option<&str>,
    from: Option<&str>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ConfigError> {
    match (written, from) {
        (Some(text), None) => Ok(text.to_owned()),
        (None, Some(from)) => {
            variable(from).ok_or_else(|| ConfigError::value(name, format!("the variable {from} is not set")))
        }
        (Some(_), Some(_)) => Err(ConfigError::value(name, "is given twice: written down, and by a variable")),
        (None, None) => Err(ConfigError::value(name, "is missing; name a variable that holds it with ..._env")),
    }
}

fn token(name: &str, text: &str) -> Result<Token, ConfigError> {
    Token::read(text.trim()).ok_or_else(|| ConfigError::value(name, "must be 32 letters and digits"))
}

fn within<T: PartialOrd + std::fmt::Display>(name: &str, value: T, min: T, max: T) -> Result<T, ConfigError> {
    if value < min || value > max {
        return Err(ConfigError::value(name, format!("{value} is not from {min} to {max}")));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
