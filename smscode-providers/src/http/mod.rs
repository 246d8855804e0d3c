//! The HTTP client of the adapters: a request is sent once, its reply is bounded in time and bytes, and what went wrong
//! becomes the outcome that the port wants.
//!
//! ```no_run
//! use smscode_core::port::BuyOutcome;
//! use smscode_providers::http::{Api, SignIn};
//! use smscode_providers::refusal::Refusal;
//! use smscode_providers::{ApiKey, http};
//!
//! // what the vendor's words for a refusal mean; they stand in the member `error`
//! const WORDS: &[(&str, Refusal)] = &[("sold_out", Refusal::NoNumbers)];
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let api = Api::new(http::client()?, "https://vendor.example/v1/", SignIn::Bearer, ApiKey::new("..."));
//! let request = api.post("rentals").json(r#"{"service":"tg"}"#.to_owned()).timeout_ms(30_000);
//! match request.ask("error", WORDS, |said| said.text("id")).await {
//!     Ok(id) => println!("rented as {id}"),
//!     Err(no) => println!("{:?}", BuyOutcome::from(no)), // NotSent, RejectedUncharged or Unknown, by itself
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod request;

use std::fmt;
use std::time::Duration;

use reqwest::redirect;

pub use answer::{Answer, Failure};
pub use request::{Api, Request, SignIn};

/// Time to connect, TLS included. Short: it is the only failure after which a purchase may go elsewhere at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The end of any request. The adapters set shorter limits per call; this one catches what they forget.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Idle connections are dropped before most servers drop them, so that few requests meet a dying connection.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest text of a cause in an error.
const CAUSE_LIMIT: usize = 120;
/// A client ready for the adapters: [`client`] builds the right one.
///
/// A host that brings its own (`From<reqwest::Client>`) **must** build it without redirects and without retries: a
/// redirect sends the key to another host and turns POST into GET, a retry buys twice. It should set a connect time
/// limit and no proxy, too.
#[derive(Clone)]
pub struct Client(reqwest::Client);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

impl From<reqwest::Client> for Client {
    fn from(client: reqwest::Client) -> Self {
        Self(client)
    }
}

/// Why there is no client: the TLS library could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the http client cannot be set up: {0}")]
pub struct ClientError(String);

impl ClientError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        "http_client_setup"
    }
}

/// A client that follows no redirect, retries nothing, uses no proxy, connects within 5 s, and names the library.
///
/// On a machine without any CA certificates it works for plain HTTP (the sandbox on loopback); each TLS connection then
/// fails by itself.
pub fn client() -> Result<Client, ClientError> {
    let builder = || {
        reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .user_agent(concat!("smscode/", env!("CARGO_PKG_VERSION")))
    };
    builder()
        .build()
        .or_else(|_| builder().tls_certs_only([]).build())
        .map(Client)
        .map_err(|error| ClientError(cause(&error.without_url())))
}

/// The innermost cause, cut. The outer layers only repeat that sending failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string().chars().take(CAUSE_LIMIT).collect()
}
