//! The sandbox: a simulated supplier beside the server, reached by the same client as a real one, and a demo customer.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use smscode_core::Settings;
use smscode_core::catalogue::{Catalogue, Category, ServiceEntry, Sort};
use smscode_core::money::Currency;
use smscode_core::port::Entropy;
use smscode_core::time::Timestamp;
use smscode_core::token::Token;
use smscode_providers::ApiKey;
use smscode_providers::clock::OsEntropy;
use smscode_providers::sandbox::{Injection, SandboxConfig, SandboxError, SandboxHandle};
use smscode_providers::sms::sms_activate::{Dialect, SMS_ACTIVATE, SmsActivateConfig};

/// The demo customer's name in the marks of a store.
pub const CUSTOMER: &str = "demo";
/// What the demo customer is given, once per store.
pub const CREDIT_MINOR: i64 = 5_000_000;
/// Where a token that the server has made is kept, within the data directory. In clear, and therefore for the sandbox's
/// play money only: it lets a tester restart without looking for the token again.
pub const TOKEN_FILE: &str = "sandbox-token";

/// The simulator's dialect: the original, asked often, because it is on this machine.
const DIALECT: Dialect =
    Dialect { name: "sandbox", poll_floor_ms: 250, cancel_after_seconds: 2, concurrency: 64, ..SMS_ACTIVATE };

/// The scenarios as services: code and name. Ids begin where no service of the market will come.
const SERVICES: [(&str, &str); 9] = [
    ("sbx_manual", "Sandbox: only injected SMS"),
    ("sbx_code_now", "Sandbox: code at once"),
    ("sbx_code_later", "Sandbox: code after a while"),
    ("sbx_two_sms", "Sandbox: two SMS"),
    ("sbx_text_only", "Sandbox: text without a code"),
    ("sbx_no_sms", "Sandbox: no SMS"),
    ("sbx_sold_out", "Sandbox: sold out"),
    ("sbx_price_above", "Sandbox: price above the ceiling"),
    ("sbx_cancel_early", "Sandbox: cancel refused for two minutes"),
];
const FIRST_SERVICE_ID: u16 = 60_000;

/// The simulated supplier of a sandbox server. It stops when this is dropped.
pub struct Sandbox {
    simulator: SandboxHandle,
}

impl Sandbox {
    /// Starts a simulator on loopback, and says how it is reached.
    pub async fn start(now: Timestamp) -> Result<(Self, SmsActivateConfig), SandboxError> {
        let mut key = [0; 32];
        OsEntropy.fill(&mut key);
        let key = Token::make(&key);
        let key = || ApiKey::new(key.reveal());
        let mut config = SandboxConfig::new(key());
        // activations of an earlier run are unknown to this one and must not be taken for its own
        config.settings.first_id = now.seconds().unsigned_abs().saturating_mul(1_000);
        let simulator = smscode_providers::sandbox::Sandbox::start(config).await?;
        let supplier = SmsActivateConfig {
            base_url: simulator.base_url(),
            currency: Currency::Usd,
            ..SmsActivateConfig::new("sandbox", &DIALECT, key())
        };
        Ok((Self { simulator }, supplier))
    }

    /// Lets an SMS arrive on an open order's number: digits, with or without plus.
    pub fn inject(&self, phone: &str, text: &str) -> Injection {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        self.simulator.inject(&digits, text)
    }

    /// The simulator itself, for tests that plan faults.
    pub const fn simulator(&self) -> &SandboxHandle {
        &self.simulator
    }
}

/// Makes a platform's settings fit a simulator on this machine: codes show within a second or two.
pub fn adapt(settings: &mut Settings) {
    settings.poll_first_ms = 500;
    settings.poll_then_ms = 1_000;
    settings.poll_late_ms = 2_000;
    settings.resend_pause_ms = 2_000;
    settings.extra_services = (FIRST_SERVICE_ID..)
        .zip(SERVICES)
        .map(|(id, (code, name))| ServiceEntry {
            id,
            code: code.to_owned(),
            slug: code.replace('_', "-"),
            name: name.to_owned(),
            category: Category::Other,
            blocked: false,
        })
        .collect();
}

/// The demo customer's token: the one that was asked for, the one that was kept, or a new one, which is kept if there is
/// a place.
pub fn token(asked: Option<Token>, place: Option<&Path>) -> std::io::Result<Token> {
    if let Some(token) = asked {
        return Ok(token);
    }
    let file = place.map(|place| place.join(TOKEN_FILE));
    let kept = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
    if let Some(token) = kept.and_then(|text| Token::read(text.trim())) {
        return Ok(token);
    }
    let mut random = [0; 32];
    OsEntropy.fill(&mut random);
    let token = Token::make(&random);
    if let Some(file) = file {
        write_private(&file, format!("{}\n", token.reveal()).as_bytes())?;
    }
    Ok(token)
}

/// Writes a file that only its user can read, replacing what is there, and syncs it.
fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut how = fs::OpenOptions::new();
    how.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    let mut file = how.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// What a tester needs to begin: address, token, three commands.
pub fn banner(address: SocketAddr, token: &Token, catalogue: &Catalogue) -> String {
    let (url, token) = (format!("http://{address}"), token.reveal());
    let auth = format!("-H 'Authorization: Bearer {token}'");
    let cheapest = |service: &str| {
        let found = catalogue.products(None, Some(service), Sort::PriceAscending);
        found.first().map_or(0, |product| product.umbrella)
    };
    let (whatsapp, manual) = (cheapest("wa"), cheapest("sbx_manual"));
    let mut text = format!(
        "\n  smscode sandbox: numbers, SMS and money are not real\n\n  address  {url}\n  token    {token}\n\n  \
         balance:\n    curl -s {auth} {url}/v1/balance\n  \
         order a number for WhatsApp:\n    curl -s {auth} -d '{{\"catalog_product_id\":{whatsapp}}}' {url}/v1/orders/create\n  \
         read the code, a second or two later:\n    curl -s {auth} '{url}/v1/orders?limit=1'\n\n  \
         The cheapest product ({manual}, sbx_manual) waits for an SMS that you send:\n    \
         curl -s -d '{{\"phone\":\"+62...\",\"text\":\"Your code is 123456\"}}' {url}/sandbox/sms\n"
    );
    if !address.ip().is_loopback() {
        text.push_str("\n  NOTE: this sandbox can be reached from other machines, and so can its SMS.\n");
    }
    text
}
