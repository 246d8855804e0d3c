//! The simulator behind HTTP.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use smscode_core::port::{Clock, Entropy};
use smscode_core::time::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::answer::{self, Answer, Style};
use super::fault::{Fault, FaultReply};
use super::model::{Injection, Model};
use super::protocol::{Call, Parameters};
use super::script::Script;
use crate::secret::ApiKey;

/// Connections at once: above what any client pool of ours opens.
const CONNECTION_LIMIT: usize = 2_048;
/// A request has a few parameters; an injected SMS is short.
const BODY_LIMIT: usize = 64 * 1024;
/// The longest text that can be injected.
const TEXT_LIMIT: usize = 2_000;
/// A client that does not finish its request's head is dropped.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a failed accept: mostly too many open files.
const ACCEPT_PAUSE_MS: i64 = 50;
/// Names of actions that are counted; callers may invent more.
const COUNTED_LIMIT: usize = 100;

/// What the requests share.
pub(super) struct Shared {
    pub(super) style: Style,
    pub(super) key: ApiKey,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) model: Mutex<Model>,
    pub(super) script: Mutex<Script>,
    pub(super) calls: Mutex<BTreeMap<String, u64>>,
    /// Calls whose answer is kept back until a time.
    pub(super) held: AtomicUsize,
    /// Something may have arrived: for whoever tells of it.
    pub(super) changed: Notify,
}

impl Shared {
    /// Lets an SMS arrive at an open number.
    pub(super) fn inject(&self, phone: &str, text: &str) -> Injection {
        let injected = lock(&self.model).inject(self.clock.now(), phone, text);
        self.changed.notify_one();
        injected
    }

    /// Keeps an answer back.
    async fn hold_until(&self, at: Timestamp) {
        /// Counts also when the caller goes away meanwhile.
        struct Held<'a>(&'a AtomicUsize);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::AcqRel);
            }
        }
        self.held.fetch_add(1, Ordering::AcqRel);
        let _held = Held(&self.held);
        self.clock.sleep_until(at).await;
    }
}

/// A lock that outlives a panic of another holder.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Marks a reply that is not to be sent: the connection is closed instead.
#[derive(Clone)]
struct CloseConnection;

/// Serves until the sender of `stop` speaks or goes.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stop: oneshot::Receiver<()>) {
    let clock = Arc::clone(&shared.clock);
    let router = Router::new()
        .route("/stubs/handler_api.php", any(handle))
        .route("/sandbox/sms", post(inject))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) if connections.len() < CONNECTION_LIMIT => {
                connections.spawn(connection(stream, router.clone()));
            }
            Ok(_) => {}
            Err(_) => clock.sleep_until(clock.now().plus_ms(ACCEPT_PAUSE_MS)).await,
        }
    }
}

/// One connection. An error of the service makes hyper close it without a reply, which is what a lost reply is.
async fn connection(stream: TcpStream, router: Router) {
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<CloseConnection>().is_some() {
                return Err(io::Error::other("the reply is to be lost"));
            }
            Ok(response)
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    let _closed = http
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The protocol: GET or POST, parameters in the query, in a form, or in both.
async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    let is_post = request.method() == axum::http::Method::POST;
    let form = match is_post {
        true => Form::<Vec<(String, String)>>::from_request(request, &()).await.map(|form| form.0).unwrap_or_default(),
        false => Vec::new(),
    };
    let parameters = Parameters::new(query.into_iter().chain(form));
    let action = parameters.get(&["action"]).unwrap_or_default();
    count(&shared, action);
    let dead = lock(&shared.model).silent_until(shared.clock.now());
    if let Some(until) = dead {
        shared.hold_until(until).await;
        return lost();
    }
    let (fault, answer) = run(&shared, action, &parameters);
    shared.changed.notify_one();
    broken(&shared, fault, answer).await
}

fn count(shared: &Shared, action: &str) {
    let mut calls = lock(&shared.calls);
    if calls.len() < COUNTED_LIMIT || calls.contains_key(action) {
        *calls.entry(action.to_owned()).or_default() += 1;
    }
}

/// The fault that is planned or that the scenario brings, and the reply unless the call is to have no effect.
fn run(shared: &Shared, action: &str, parameters: &Parameters) -> (Option<Fault>, Option<Answer>) {
    let planned = lock(&shared.script).take(action);
    if planned.as_ref().is_some_and(|fault| !fault.effect) {
        return (planned, None);
    }
    let style = shared.style;
    match parameters.get(&["api_key"]) {
        None if style == Style::Grizzly => return (planned, Some(answer::word(style, "NO_KEY"))),
        Some(key) if key == shared.key.reveal() => {}
        _ => return (planned, Some(answer::error(style, 401, "BAD_KEY", None))),
    }
    let call = Call { style, now: shared.clock.now(), entropy: shared.entropy.as_ref(), action, parameters };
    let mut model = lock(&shared.model);
    let fault = planned.or_else(|| call.fault(&mut model));
    match &fault {
        Some(fault) if !fault.effect => (Some(fault.clone()), None),
        _ => (fault, Some(call.run(&mut model))),
    }
}

/// The reply, or what the fault makes of it.
async fn broken(shared: &Shared, fault: Option<Fault>, answer: Option<Answer>) -> Response {
    let fault = fault.unwrap_or(Fault { effect: true, delay_ms: 0, reply: FaultReply::True });
    if fault.delay_ms > 0 {
        shared.hold_until(shared.clock.now().plus_ms(i64::from(fault.delay_ms))).await;
    }
    let plain = |status: u16, body: Bytes| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "text/html")], body).into_response()
    };
    match (fault.reply, answer) {
        (FaultReply::True, Some(answer)) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
            (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
        }
        (FaultReply::Truncated, Some(answer)) => {
            let bytes = answer.body.into_bytes();
            plain(answer.status, Bytes::copy_from_slice(bytes.get(..bytes.len() / 2).unwrap_or_default()))
        }
        (FaultReply::True | FaultReply::Truncated, None) => plain(503, Bytes::new()),
        (FaultReply::Lost, _) => lost(),
        (FaultReply::Garbage, _) => plain(200, Bytes::from_static(b"\x00\xff\xfe\x9f\x8b\x08ACCESS\x00\xc3\x28")),
        (FaultReply::Huge(bytes), _) => plain(200, Bytes::from(vec![b'x'; bytes])),
        (FaultReply::Redirect(to), _) => (StatusCode::FOUND, [(header::LOCATION, to)], "moved").into_response(),
        (FaultReply::Body(status, body), _) => plain(status, Bytes::from(body)),
    }
}

fn lost() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

#[derive(serde::Deserialize)]
struct InjectedSms {
    phone: String,
    text: String,
}

/// `POST /sandbox/sms` with `{"phone": "...", "text": "..."}`.
async fn inject(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let told = |status: StatusCode, body: &str| {
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_owned()).into_response()
    };
    let Ok(sms) = serde_json::from_slice::<InjectedSms>(&body) else {
        return told(StatusCode::BAD_REQUEST, r#"{"error":"expected {\"phone\":\"digits\",\"text\":\"...\"}"}"#);
    };
    if sms.text.is_empty() || sms.text.len() > TEXT_LIMIT {
        return told(StatusCode::BAD_REQUEST, r#"{"error":"the text must have 1 to 2000 bytes"}"#);
    }
    match shared.inject(&sms.phone, &sms.text) {
        Injection::Delivered => told(StatusCode::OK, r#"{"delivered":true}"#),
        Injection::NoOpenNumber => told(StatusCode::NOT_FOUND, r#"{"error":"no open number"}"#),
        Injection::TooMany => told(StatusCode::CONFLICT, r#"{"error":"the number has too many SMS"}"#),
    }
}
