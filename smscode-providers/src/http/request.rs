//! Requests: built by an [`Api`], signed by it, sent once.

use std::fmt;
use std::time::Duration;

use super::answer::{Answer, Failure};
use super::{Client, cause};
use crate::json::Json;
use crate::refusal::{self, No, Refusal, Refused, Said};
use crate::secret::ApiKey;

/// The most bytes of a body, if a request does not say: a list of some thousand open activations.
const BODY_LIMIT: usize = 4 << 20;
/// The limit of a request, if neither it nor its [`Api`] says.
const TIMEOUT_MS: u32 = 15_000;

/// How a request shows the account's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// In the header `authorization: Bearer ...`.
    Bearer,
    /// In a header of this name.
    Header(&'static str),
    /// In a parameter of this name in the address.
    Query(&'static str),
}

/// An account at a vendor's HTTP API: where it is, and the key that each request is signed with.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base_url: String,
    sign_in: SignIn,
    key: ApiKey,
    timeout_ms: u32,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({:?}, limit {} ms)", self.sign_in, self.timeout_ms)
    }
}

impl Api {
    /// An account. The client comes from [`super::client`], or from the host: then it must follow no redirect and retry
    /// nothing (see [`Client`]). Paths are put behind the base url as they are.
    pub fn new(client: impl Into<Client>, base_url: &str, sign_in: SignIn, key: ApiKey) -> Self {
        Self { client: client.into(), base_url: base_url.to_owned(), sign_in, key, timeout_ms: TIMEOUT_MS }
    }

    /// Sets the limit of its requests, in milliseconds; 15 s if it is not set.
    #[must_use]
    pub fn timeout_ms(self, timeout_ms: u32) -> Self {
        Self { timeout_ms, ..self }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request(reqwest::Method::GET, path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Request {
        self.request(reqwest::Method::POST, path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Request {
        self.request(reqwest::Method::PUT, path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Request {
        self.request(reqwest::Method::DELETE, path)
    }

    fn request(&self, method: reqwest::Method, path: &str) -> Request {
        let (key, builder) = (self.key.reveal(), self.client.0.request(method, format!("{}{path}", self.base_url)));
        let builder = match self.sign_in {
            SignIn::Bearer => builder.bearer_auth(key),
            SignIn::Header(name) => builder.header(name, key),
            SignIn::Query(name) => builder.query(&[(name, key)]),
        };
        Request { builder, body_limit: BODY_LIMIT }.timeout_ms(self.timeout_ms)
    }
}

/// A request that is sent once.
#[must_use = "nothing happens before it is sent"]
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
    fn with(self, build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { builder: build(self.builder), ..self }
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

    /// The limit on the whole exchange, in milliseconds.
    pub fn timeout_ms(self, timeout_ms: u32) -> Self {
        self.with(|builder| builder.timeout(Duration::from_millis(u64::from(timeout_ms))))
    }

    /// The most bytes of the reply's body; 4 MiB if it is not set.
    pub fn body_limit(self, bytes: usize) -> Self {
        Self { body_limit: bytes, ..self }
    }

    /// Sends it once and reads the reply, whatever it says.
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

    /// Sends it once and reads an answer in JSON: a refusal in the vendor's words, or what `read` makes of it.
    ///
    /// `member` is the one that only refusals have; one inside another is written with a dot: `error.code`. `words` are what
    /// may stand in it, with their meaning by the vendor's documentation.
    ///
    /// # Errors
    ///
    /// [`No::Refused`] by one of the words; [`No::Failed`] for everything else, also for a word that is not among them and
    /// for an answer of which `read` makes nothing.
    pub async fn ask<T>(
        self,
        member: &str,
        words: &[(&'static str, Refusal)],
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Result<T, No> {
        let answer = self.send().await.map_err(No::Failed)?;
        judge(&answer, |it| refusal::said(it, member, words), read)
    }

    /// As [`Request::ask`], for a vendor that has a code in every answer: `{"code": 0, ...}`. `member` is where it stands,
    /// `success` the code of an answer that is no refusal; `words` has the others. A number is written as its digits.
    ///
    /// # Errors
    ///
    /// Those of [`Request::ask`]; an answer without a code is [`No::Failed`], too.
    pub async fn ask_coded<T>(
        self,
        member: &str,
        success: &str,
        words: &[(&'static str, Refusal)],
        read: impl FnOnce(Json<'_>) -> Option<T>,
    ) -> Result<T, No> {
        let answer = self.send().await.map_err(No::Failed)?;
        judge(&answer, |it| refusal::coded(it, member, success, words), read)
    }
}

/// What an answer says: a refusal, or what `read` makes of it.
fn judge<T>(
    answer: &Answer,
    said: impl FnOnce(Json<'_>) -> Said,
    read: impl FnOnce(Json<'_>) -> Option<T>,
) -> Result<T, No> {
    let unreadable = |why: &'static str| Err(No::Failed(answer.unreadable(why)));
    let text = answer.text();
    if (300..=399).contains(&answer.status) {
        return unreadable("a redirect");
    }
    let Some(parsed) = Json::parse(&text) else {
        return unreadable(match text.bytes().next() {
            None => "an empty body",
            Some(b'<') => "a page",
            Some(_) => "no JSON",
        });
    };
    match said(parsed) {
        Said::Refused(word, refusal) => {
            let (status, retry_after_ms) = (answer.status, answer.retry_after_ms);
            Err(No::Refused(Refused { refusal, word, status, price: None, retry_after_ms }))
        }
        Said::Unknown => unreadable("a word for a refusal that is not among ours"),
        Said::Nothing => unreadable("no code in it"),
        Said::Success => read(parsed)
            .map_or_else(|| unreadable("not what was asked for: a member is missing or of another form"), Ok),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::http::client;
    use smscode_core::port::BuyOutcome;

    #[test]
    fn an_answer_that_means_nothing_says_why() {
        let judged = |status: u16, body: &str| {
            let answer = Answer { status, body: body.as_bytes().to_vec(), retry_after_ms: None };
            judge(&answer, |it| refusal::coded(it, "code", "0", &[("7", Refusal::NoNumbers)]), |it| it.whole("n"))
        };
        assert_eq!(judged(200, r#"{"code":0,"n":1}"#), Ok(1));
        let refused = judged(409, r#"{"code":7}"#);
        assert!(matches!(refused, Err(No::Refused(Refused { word: "7", status: 409, .. }))), "{refused:?}");
        let table = [
            (302, r#"{"code":0,"n":1}"#, "a redirect"),
            (200, "", "an empty body"),
            (502, "<html></html>", "a page"),
            (200, r#"{"code":0,"n":1"#, "no JSON"),
            (200, r#"{"code":8}"#, "a word for a refusal that is not among ours"),
            (200, r#"{"n":1}"#, "no code in it"),
            (200, r#"{"code":0}"#, "not what was asked for: a member is missing or of another form"),
        ];
        for (status, body, wanted) in table {
            let Err(No::Failed(Failure::Unreadable { why, .. })) = judged(status, body) else { panic!("{body}") };
            assert_eq!(why, wanted, "{body}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_is_not_sent_and_tells_no_url() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        for sign_in in [SignIn::Bearer, SignIn::Header("x-key"), SignIn::Query("api_key")] {
            let url = format!("http://127.0.0.1:{port}");
            let api = Api::new(client().unwrap(), &url, sign_in, ApiKey::new("planted0key"));
            let request = api.get("/");
            let shown = format!("{api:?} {request:?}");
            let Err(Failure::NotConnected(text)) = request.send().await else {
                panic!("must be NotConnected");
            };
            for told in [shown, text] {
                assert!(!told.contains("planted0key") && !told.contains("127.0.0.1"), "{told}");
            }
        }
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_not_sent() {
        for url in ["", "nowhere", "http://", "ftp://127.0.0.1/"] {
            let api = Api::new(client().unwrap(), url, SignIn::Bearer, ApiKey::new("planted0key"));
            let failure = api.get("").send().await.unwrap_err();
            assert!(matches!(BuyOutcome::from(failure.clone()), BuyOutcome::NotSent(_)), "{url}: {failure}");
        }
    }
}
