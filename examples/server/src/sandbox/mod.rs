//! The sandbox: a simulated supplier beside the server, reached by the same client as a real one, a demo customer, and a
//! clock that can be moved on.

mod calls;
mod time;

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use smscode_core::catalogue::{Catalogue, Category, ServiceEntry, Sort};
use smscode_core::money::Currency;
use smscode_core::port::{Clock, Entropy, Supplier};
use smscode_core::store::{Store, StoreError};
use smscode_core::token::Token;
use smscode_core::{Platform, Settings};
use smscode_providers::ApiKey;
use smscode_providers::clock::OsEntropy;
use smscode_providers::sandbox::{Injection, SCENARIOS, SandboxConfig, SandboxHandle};
use smscode_providers::sms::sms_activate::{Dialect, SMS_ACTIVATE, SmsActivateConfig};

use crate::mark::Marks;
use crate::start::StartError;
use calls::{CountedStore, CountedSupplier};
use time::Time;

pub use time::{Advanced, SECONDS_MAX};

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

/// The first scenario's id as a service: where no service of the market will come.
const FIRST_SERVICE_ID: u16 = 60_000;

/// The simulated supplier of a sandbox server, and its time. It stops when this is dropped.
pub struct Sandbox {
    simulator: SandboxHandle,
    time: Time,
}

impl Sandbox {
    /// Starts a simulator on loopback, and says how it is reached. The store's marks tell how far its clock is ahead.
    pub(crate) async fn start(marks: Marks) -> Result<(Self, SmsActivateConfig), StartError> {
        let mut key = [0; 32];
        OsEntropy.fill(&mut key);
        let key = Token::make(&key);
        let key = || ApiKey::new(key.reveal());
        let time = Time::of(marks).await?;
        let mut config = SandboxConfig::new(key());
        // activations of an earlier run are unknown to this one and must not be taken for its own
        config.settings.first_id = time.clock.now().seconds().unsigned_abs().saturating_mul(1_000);
        let started =
            smscode_providers::sandbox::Sandbox::start_with(config, time.clock.clone(), Arc::new(OsEntropy)).await;
        let simulator =
            started.map_err(|error| StartError::Supplier { name: "sandbox".to_owned(), reason: error.to_string() })?;
        let supplier = SmsActivateConfig {
            base_url: simulator.base_url(),
            currency: Currency::Usd,
            ..SmsActivateConfig::new("sandbox", &DIALECT, key())
        };
        Ok((Self { simulator, time }, supplier))
    }

    /// The clock that the platform is to live by.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.time.clock.clone()
    }

    /// The store as the platform is to have it: its calls are counted, so that time is not moved while one is under way.
    pub(crate) fn counted_store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(CountedStore { store, calls: self.time.store_calls.clone() })
    }

    /// The same of a supplier.
    pub(crate) fn counted_supplier(&self, supplier: Arc<dyn Supplier>) -> Arc<dyn Supplier> {
        Arc::new(CountedSupplier { supplier, calls: self.time.supplier_calls.clone() })
    }

    /// The platform's work as it is to be driven: time is not moved while it computes.
    pub(crate) fn counted_work(&self, work: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send {
        // as good as a call to the store that it may be about to make
        self.time.store_calls.computing(work)
    }

    /// Lets so many seconds pass at once, in the order of what is due in them, and says how many have: fewer if they take
    /// longer than 20 s.
    ///
    /// # Errors
    ///
    /// The store cannot keep how far the clock is ahead: no more time passes.
    pub async fn advance(&self, seconds: i64, platform: &Platform) -> Result<Advanced, StoreError> {
        self.time.advance(seconds, &self.simulator, platform).await
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
        .zip(&SCENARIOS)
        .map(|(id, service)| ServiceEntry {
            id,
            code: service.code.to_owned(),
            slug: service.code.replace('_', "-"),
            name: service.name.to_owned(),
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
         curl -s -d '{{\"phone\":\"+62...\",\"text\":\"Your code is 123456\"}}' {url}/sandbox/sms\n  \
         let 20 minutes pass:\n    \
         curl -s -d '{{\"seconds\":1200}}' {url}/sandbox/advance\n"
    );
    if !address.ip().is_loopback() {
        text.push_str("\n  NOTE: this sandbox can be reached from other machines, and so can its SMS.\n");
    }
    text
}
