//! What a supplier of this protocol is configured with.

use smscode_core::money::Currency;

use super::dialects::Dialect;
use crate::secret::ApiKey;

/// The longest name of a supplier.
const NAME_LIMIT: usize = 32;
/// A purchase may take long: each time limit of ours on it makes an unclear case.
const BUY_TIMEOUT_MS: u32 = 30_000;
/// Reads are repeated anyway.
const READ_TIMEOUT_MS: u32 = 15_000;

/// An account at a supplier. [`SmsActivateConfig::new`] takes everything that has no default.
#[derive(Clone, Debug)]
pub struct SmsActivateConfig {
    /// Its name in our configuration, stable: lower-case letters, digits, `-`, at most 32.
    pub name: String,
    /// Where it answers, with path (`.../stubs/handler_api.php`), `http` or `https`, without query.
    pub base_url: String,
    /// The account's key.
    pub api_key: ApiKey,
    /// How it speaks.
    pub dialect: Dialect,
    /// The account's currency: replies do not name it, and amounts in another are not believed.
    pub currency: Currency,
    /// Limit of a purchase, in milliseconds.
    pub buy_timeout_ms: u32,
    /// Limit of every other call, in milliseconds.
    pub read_timeout_ms: u32,
}

impl SmsActivateConfig {
    /// With the dialect's address and usual currency and the time limits of 30 and 15 seconds.
    pub fn new(name: &str, dialect: &Dialect, api_key: ApiKey) -> Self {
        Self {
            name: name.to_owned(),
            base_url: dialect.base_url.to_owned(),
            api_key,
            dialect: *dialect,
            currency: dialect.currency,
            buy_timeout_ms: BUY_TIMEOUT_MS,
            read_timeout_ms: READ_TIMEOUT_MS,
        }
    }

    /// Whether everything is in order.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.name.is_empty() || self.name.len() > NAME_LIMIT || !self.name.bytes().all(fine) {
            return Err(ConfigError::Name);
        }
        if self.api_key.reveal().is_empty() {
            return Err(ConfigError::ApiKey);
        }
        let url = reqwest::Url::parse(&self.base_url).map_err(|_| ConfigError::BaseUrl)?;
        let plain = url.query().is_none() && url.username().is_empty() && url.password().is_none();
        if !plain || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(ConfigError::BaseUrl);
        }
        Ok(())
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The name is empty, too long, or has other signs than lower-case letters, digits and `-`.
    #[error("the supplier's name must be 1 to 32 lower-case letters, digits or dashes")]
    Name,
    /// The address is missing, is no `http` or `https` address, or has a query or a login in it.
    #[error("the supplier's base url must be an http or https address without query and login")]
    BaseUrl,
    /// The key is empty.
    #[error("the supplier's key is empty")]
    ApiKey,
}

impl ConfigError {
    /// Stable code of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "supplier_name",
            Self::BaseUrl => "supplier_base_url",
            Self::ApiKey => "supplier_api_key",
        }
    }
}
