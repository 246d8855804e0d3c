//! The HTTP client of the adapters and what they share in using it.

use std::fmt;
use std::time::Duration;

use reqwest::redirect;

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
pub struct Client(pub(crate) reqwest::Client);

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

/// A reply as it was read: classified by the adapters by its body first, its status second, its type never.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// How long to wait, if the header `retry-after` says so in seconds.
    pub(crate) retry_after_ms: Option<u32>,
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection came about: not a byte of the request has left.
    NotConnected(String),
    /// Anything else: the request may have arrived.
    Lost(String),
    /// The body is longer than the cap.
    TooLarge { status: u16, limit: usize },
}

/// Sends once and reads at most `limit` bytes.
pub(crate) async fn send(request: reqwest::RequestBuilder, limit: usize) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(failure)?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after_ms = retry_after.and_then(|text| text.trim().parse::<u32>().ok()).map(|s| s.saturating_mul(1_000));
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(lost)? {
        if body.len() + part.len() > limit {
            return Err(Failure::TooLarge { status, limit });
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer { status, body, retry_after_ms })
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
        let request = client().unwrap().0.get(format!("http://127.0.0.1:{port}/?api_key=planted0key"));
        let Err(Failure::NotConnected(text)) = send(request, 10).await else {
            panic!("must be NotConnected");
        };
        assert!(!text.contains("planted0key") && !text.contains("127.0.0.1"), "{text}");
    }
}
