//! The HTTP client of the adapters: a request is sent once, its reply is bounded in time and bytes, and what went wrong
//! becomes the outcome that the port wants.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use smscode_core::port::{BuyOutcome, CallError};
//! use smscode_providers::{ApiKey, http};
//!
//! let (client, key) = (http::client()?, ApiKey::new("..."));
//! let request = client.post("https://vendor.example/v1/rentals").bearer(&key).json(r#"{"service":"tg"}"#.into());
//! let outcome: BuyOutcome = match request.timeout_ms(30_000).send().await {
//!     Ok(answer) => BuyOutcome::Unknown(format!("read answer.body, {} bytes", answer.body.len())),
//!     Err(failure) => failure.into(), // NotSent or Unknown, by itself
//! };
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use reqwest::redirect;
use smscode_core::port::{BuyOutcome, CallError, CancelOutcome, FinishOutcome, MoreOutcome};

use crate::secret::ApiKey;

/// Time to connect, TLS included. Short: it is the only failure after which a purchase may go elsewhere at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The end of any request. The adapters set shorter limits per call; this one catches what they forget.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Idle connections are dropped before most servers drop them, so that few requests meet a dying connection.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest text of a cause in an error.
const CAUSE_LIMIT: usize = 120;
/// The most bytes of a body, if a request does not say: enough for one activation with its SMS, and for an error page.
const BODY_LIMIT: usize = 64 * 1024;

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

impl Client {
    /// A GET of this address, sent by [`Request::send`].
    pub fn get(&self, url: &str) -> Request {
        Request::of(self.0.get(url))
    }

    /// A POST to this address.
    pub fn post(&self, url: &str) -> Request {
        Request::of(self.0.post(url))
    }

    /// A PUT to this address.
    pub fn put(&self, url: &str) -> Request {
        Request::of(self.0.put(url))
    }

    /// A DELETE of this address.
    pub fn delete(&self, url: &str) -> Request {
        Request::of(self.0.delete(url))
    }
}

/// A request that is sent once.
#[must_use = "nothing happens before `send`"]
pub struct Request {
    builder: reqwest::RequestBuilder,
    body_limit: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(..)")
    }
}

impl Request {
    fn of(builder: reqwest::RequestBuilder) -> Self {
        Self { builder, body_limit: BODY_LIMIT }
    }

    fn with(self, build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { builder: build(self.builder), ..self }
    }

    /// Signs in with the header `authorization: Bearer ...`.
    pub fn bearer(self, key: &ApiKey) -> Self {
        self.with(|builder| builder.bearer_auth(key.reveal()))
    }

    /// Signs in with a header of this name.
    pub fn key_header(self, name: &str, key: &ApiKey) -> Self {
        self.with(|builder| builder.header(name, key.reveal()))
    }

    /// Signs in with a parameter of this name in the address.
    pub fn key_query(self, name: &str, key: &ApiKey) -> Self {
        self.with(|builder| builder.query(&[(name, key.reveal())]))
    }

    /// Parameters in the address.
    pub fn query(self, parameters: &[(&str, &str)]) -> Self {
        self.with(|builder| builder.query(parameters))
    }

    /// A header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// A body of JSON, as text.
    pub fn json(self, body: String) -> Self {
        self.with(|builder| builder.header(reqwest::header::CONTENT_TYPE, "application/json").body(body))
    }

    /// A body of form parameters.
    pub fn form(self, parameters: &[(&str, &str)]) -> Self {
        self.with(|builder| builder.form(parameters))
    }

    /// The limit on the whole exchange, in milliseconds; 60 s if it is not set.
    pub fn timeout_ms(self, timeout_ms: u32) -> Self {
        self.with(|builder| builder.timeout(Duration::from_millis(u64::from(timeout_ms))))
    }

    /// The most bytes of the reply's body; 64 KiB if it is not set.
    pub fn body_limit(self, bytes: usize) -> Self {
        Self { body_limit: bytes, ..self }
    }

    /// Sends it once and reads the reply.
    ///
    /// # Errors
    ///
    /// [`Failure::NotConnected`] if nothing can have arrived, anything else if it may have.
    pub async fn send(self) -> Result<Answer, Failure> {
        let limit = self.body_limit;
        let mut response = self.builder.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let seconds = retry_after.and_then(|text| text.trim().parse::<u32>().ok());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(lost)? {
            if body.len() + part.len() > limit {
                return Err(Failure::TooLarge { status, limit });
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status, body, retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1_000)) })
    }
}

/// A reply as it was read, whatever its status. Judge it by its body first, its status second, its type never.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait, if the header `retry-after` says so in seconds.
    pub retry_after_ms: Option<u32>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer(HTTP {}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// The body as text, without byte order mark and outer blanks. A byte that is no UTF-8 must not cost an SMS.
    pub fn text(&self) -> Cow<'_, str> {
        match String::from_utf8_lossy(&self.body) {
            Cow::Borrowed(text) => Cow::Borrowed(stripped(text)),
            Cow::Owned(text) => Cow::Owned(stripped(&text).to_owned()),
        }
    }

    /// What is said of a reply that means nothing to the adapter. It holds nothing of its body.
    pub fn unreadable(&self) -> Failure {
        let Self { status, body, retry_after_ms } = self;
        Failure::Unreadable { status: *status, length: body.len(), retry_after_ms: *retry_after_ms }
    }
}

/// Why there is no usable reply. It turns into the outcome of any call (`.into()`); nothing of the request or of the reply
/// is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection came about: not a byte of the request has left.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// Anything else: the request may have arrived.
    #[error("{0}")]
    Lost(String),
    /// The body is longer than the limit.
    #[error("a body above {limit} bytes (HTTP {status})")]
    TooLarge {
        /// HTTP status.
        status: u16,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A reply that means nothing to the adapter.
    #[error("an answer of {length} bytes that means nothing to us (HTTP {status})")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// Length of the body, in bytes.
        length: usize,
        /// How long to wait, if it said so, in milliseconds.
        retry_after_ms: Option<u32>,
    },
}

impl Failure {
    /// Stable code of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConnected(_) => "http_not_connected",
            Self::Lost(_) => "http_lost",
            Self::TooLarge { .. } => "http_too_large",
            Self::Unreadable { .. } => "http_unreadable",
        }
    }
}

impl From<Failure> for BuyOutcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotConnected(why) => Self::NotSent(why),
            unclear => Self::Unknown(unclear.to_string()),
        }
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreadable { status: 429, retry_after_ms, .. } => Self::Throttled(retry_after_ms),
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl From<Failure> for CancelOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

impl From<Failure> for FinishOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

impl From<Failure> for MoreOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

fn stripped(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        return Failure::NotConnected(cause(&error.without_url()));
    }
    lost(error)
}

fn lost(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Lost("no reply in time".to_owned());
    }
    Failure::Lost(cause(&error.without_url()))
}

/// The innermost cause, cut. The outer layers only repeat that sending failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string().chars().take(CAUSE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn a_refused_connection_is_not_sent_and_tells_no_url() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (client, key) = (client().unwrap(), ApiKey::new("planted0key"));
        let request = client.get(&format!("http://127.0.0.1:{port}/")).key_query("api_key", &key).bearer(&key);
        assert_eq!(format!("{request:?}"), "Request(..)");
        let Err(Failure::NotConnected(text)) = request.send().await else {
            panic!("must be NotConnected");
        };
        assert!(!text.contains("planted0key") && !text.contains("127.0.0.1"), "{text}");
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_not_sent() {
        for url in ["", "nowhere", "http://", "ftp://127.0.0.1/"] {
            let failure = client().unwrap().get(url).send().await.unwrap_err();
            assert!(matches!(BuyOutcome::from(failure.clone()), BuyOutcome::NotSent(_)), "{url}: {failure}");
        }
    }

    #[test]
    fn answers_are_text_without_what_is_around_it() {
        let answer = |body: &[u8]| Answer { status: 200, body: body.to_vec(), retry_after_ms: None };
        assert_eq!(answer(b"\xef\xbb\xbf \r\nWORD\n").text(), "WORD");
        assert_eq!(answer(b" a\xffb ").text(), "a\u{fffd}b");
        assert_eq!(format!("{:?}", answer(b"secret")), "Answer(HTTP 200, 6 bytes)");
        let slow = Answer { status: 429, retry_after_ms: Some(7), ..answer(b"secret") };
        assert_eq!(CallError::from(slow.unreadable()), CallError::Throttled(Some(7)));
        let page = Answer { status: 502, ..answer(b"secret") };
        let said = "an answer of 6 bytes that means nothing to us (HTTP 502)";
        assert_eq!(BuyOutcome::from(page.unreadable()), BuyOutcome::Unknown(said.to_owned()));
    }
}
