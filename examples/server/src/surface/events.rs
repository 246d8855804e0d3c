//! `GET /events`: what happens on the caller's own account, as server-sent events.
//!
//! A message's `id` is the account's event number, without gaps. A client that comes back names the last one it has seen,
//! in `Last-Event-ID` (as browsers do by themselves) or `?after=`, and misses nothing. Without either a stream begins
//! with what happens next. Events hold no content; the order is read when its message is sent, so a message that is
//! late shows the order as it is then, and never what has been purged.
#![allow(clippy::disallowed_methods, reason = "streams wait for their clients in real time; nothing is decided by it")]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use smscode_core::Watch;
use smscode_core::account::AccountId;
use smscode_core::order::{EventView, OrderError};
use tokio::time::{Sleep, sleep};

use super::v1v2::input::Parameters;
use super::v1v2::{order_on_v1, refused};
use crate::answer::{Code, Failure};
use crate::app::App;
use crate::auth::Caller;

/// Streams of one account at once: some devices with some windows each.
const STREAMS_PER_ACCOUNT_MAX: usize = 16;
/// Streams of all accounts at once, each with a connection and a task.
const STREAMS_MAX: usize = 4_096;
/// Events read at once.
const PAGE: usize = 100;
/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Wake-ups make it fast; this makes it correct when one is lost.
const READ_AGAIN: Duration = Duration::from_secs(10);
/// A stream ends after this, so that a token that was given up does not read on for ever. Clients come back by themselves.
const STREAM_LIFE: Duration = Duration::from_secs(3_600);
/// What clients wait before they come back.
const COME_BACK: Duration = Duration::from_secs(2);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The one route.
pub fn router() -> Router<Arc<App>> {
    let streams = Arc::new(Streams::default());
    Router::new().route("/events", get(events)).layer(Extension(streams))
}

async fn events(
    State(app): State<Arc<App>>,
    Caller(account): Caller,
    Extension(streams): Extension<Arc<Streams>>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Failure> {
    let after = after(&headers, &parameters)?;
    let place = Place::take(streams, account)?;
    // before the first read: what happens in between is seen by one of them
    let watch = app.platform.watch(account);
    let reader = Reader {
        after: begin(&app, account, after).await.map_err(|error| refused(&error))?,
        app,
        account,
        watch,
        read: VecDeque::new(),
        over: Box::pin(sleep(STREAM_LIFE)),
        _place: place,
    };
    let hello = stream::once(async { Ok(Event::default().comment("ok").retry(COME_BACK)) });
    let messages = hello.chain(stream::unfold(reader, Reader::next));
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    let headers = [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(messages).keep_alive(keep_alive)).into_response())
}

/// The last event that the client has seen. The header wins: a browser that comes back repeats the old address.
fn after(headers: &HeaderMap, parameters: &Parameters) -> Result<Option<u64>, Failure> {
    let header = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?").trim());
    let (name, text) = match header.filter(|text| !text.is_empty()) {
        Some(text) => ("last-event-id", text),
        None => match parameters.text("after") {
            Some(text) => ("after", text),
            None => return Ok(None),
        },
    };
    // numbers of events fit the integers of JSON documents
    match text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(Failure::input(name, format!("{name} must be the number of an event"))),
    }
}

/// Where a stream begins: after what the client has seen, or with what comes next. A number that was never given out
/// (of another server, of a store that was restored) counts as none.
async fn begin(app: &App, account: AccountId, after: Option<u64>) -> Result<u64, OrderError> {
    match after {
        Some(0) => return Ok(0),
        Some(seen) if there(app, account, seen).await? => return Ok(seen),
        _ => {}
    }
    let mut search = Search::default();
    while let Some(number) = search.asks() {
        search.told(there(app, account, number).await?);
    }
    Ok(search.known)
}

/// Whether the event with this number, 1 or above, has happened.
async fn there(app: &App, account: AccountId, number: u64) -> Result<bool, OrderError> {
    Ok(!app.platform.events(account, number - 1, 1).await?.is_empty())
}

/// The search for the number of the newest event. Numbers have no gaps, so it takes some reads for a few events and some
/// sixty for a billion: doubling until nothing is there, then halving.
#[derive(Default)]
struct Search {
    /// It has happened, or is 0.
    known: u64,
    /// It has not.
    beyond: Option<u64>,
}

impl Search {
    /// The number to ask for next; `None` when `known` is the newest.
    const fn asks(&self) -> Option<u64> {
        match self.beyond {
            None if self.known == 0 => Some(1),
            None => Some(self.known * 2),
            Some(beyond) if beyond - self.known > 1 => Some(self.known + (beyond - self.known) / 2),
            Some(_) => None,
        }
    }

    const fn told(&mut self, there: bool) {
        match (self.asks(), there) {
            (Some(number), true) => self.known = number,
            (number, false) => self.beyond = number,
            (None, true) => {}
        }
    }
}

/// One stream. It holds one page of events at most and reads on when that is sent, as fast as its client takes them.
struct Reader {
    app: Arc<App>,
    account: AccountId,
    after: u64,
    watch: Watch,
    read: VecDeque<EventView>,
    over: Pin<Box<Sleep>>,
    _place: Place,
}

impl Reader {
    /// The next message. `None`, and so the stream's end, when the server stops, the stream's time is over, or the store
    /// is away: the client comes back and goes on where it was.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.app.stopping.begun() || self.over.is_elapsed() {
                return None;
            }
            if let Some(event) = self.read.pop_front() {
                let message = self.message(&event).await?;
                self.after = event.number;
                return Some((Ok(message), self));
            }
            match self.app.platform.events(self.account, self.after, PAGE).await {
                Ok(page) if page.is_empty() => self.wait().await,
                Ok(page) => self.read = page.into(),
                Err(error) => {
                    tracing::warn!(code = error.code(), "a stream of events could not be read on");
                    return None;
                }
            }
        }
    }

    /// Until something may have happened.
    async fn wait(&mut self) {
        tokio::select! {
            biased;
            () = self.app.stopping.wait() => {}
            () = self.over.as_mut() => {}
            alive = self.watch.changed() => if !alive {
                // the platform is gone, which is as good as stopping; do not spin until that is said
                sleep(COME_BACK).await;
            },
            () = sleep(READ_AGAIN) => {}
        }
    }

    async fn message(&self, event: &EventView) -> Option<Event> {
        let order = match self.app.platform.order(self.account, event.order).await {
            Ok(order) => Some(order),
            Err(OrderError::NotFound) => None,
            Err(_) => return None,
        };
        let data = Message {
            event: &event.name,
            number: event.number,
            order_id: event.order.0,
            sequence: event.sequence,
            timestamp: event.time.rfc3339(),
            order: order.as_ref().map(order_on_v1),
        };
        let data = serde_json::to_string(&data).ok()?;
        // a line break in a field of this format would end it
        let name = event.name.replace(['\r', '\n'], " ");
        Some(Event::default().id(event.number.to_string()).event(name).data(data))
    }
}

#[derive(Serialize)]
struct Message<'a, O> {
    event: &'a str,
    number: u64,
    order_id: u32,
    sequence: u64,
    timestamp: String,
    order: Option<O>,
}

/// Who reads how many streams.
#[derive(Default)]
struct Streams(Mutex<BTreeMap<AccountId, usize>>);

/// A place among the streams, given back when it is dropped.
struct Place {
    streams: Arc<Streams>,
    account: AccountId,
}

impl Place {
    fn take(streams: Arc<Streams>, account: AccountId) -> Result<Self, Failure> {
        let mut all = streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Failure::new(Code::Unavailable, "too many event streams are open on this server"));
        }
        let own = all.entry(account).or_default();
        if *own >= STREAMS_PER_ACCOUNT_MAX {
            let message = format!("{STREAMS_PER_ACCOUNT_MAX} event streams of this account are open already");
            return Err(Failure::new(Code::RateLimit, message));
        }
        *own += 1;
        drop(all);
        Ok(Self { streams, account })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(&self.account) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                all.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use smscode_core::account::AccountId;

    use super::{Place, STREAMS_PER_ACCOUNT_MAX, Search, Streams};

    #[test]
    fn the_newest_number_is_found_in_few_reads() {
        for last in [0, 1, 2, 3, 4, 7, 8, 9, 1_000, 1_000_000_000] {
            let (mut search, mut reads) = (Search::default(), 0);
            while let Some(number) = search.asks() {
                reads += 1;
                search.told(number <= last);
            }
            assert_eq!(search.known, last);
            assert!(reads <= 60, "{reads} reads for {last}");
        }
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let streams = Arc::new(Streams::default());
        let (one, other) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
        let mut taken: Vec<Place> =
            (0..STREAMS_PER_ACCOUNT_MAX).map(|_| Place::take(streams.clone(), one).unwrap()).collect();
        assert!(Place::take(streams.clone(), one).is_err());
        assert!(Place::take(streams.clone(), other).is_ok());
        taken.pop();
        assert!(Place::take(streams.clone(), one).is_ok());
        taken.clear();
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
