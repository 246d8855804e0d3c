//! `GET /events` over real HTTP, against the sandbox.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use common::{Api, PATIENCE, TOKEN, keys, set, until};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// A stream as a client reads it.
struct Stream {
    response: Response,
    text: String,
}

/// One message of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

impl Stream {
    /// Opens a stream and reads its hello.
    async fn open(api: &Api, query: &str, last: Option<&str>) -> Self {
        Self::open_as(api, TOKEN, query, last).await
    }

    async fn open_as(api: &Api, token: &str, query: &str, last: Option<&str>) -> Self {
        let mut request = api.client.get(api.url(&format!("/events{query}"))).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut stream = Self { response, text: String::new() };
        let hello = stream.block().await.expect("a hello");
        assert!(hello.lines().any(|line| line == ": ok"), "{hello}");
        stream
    }

    /// The next block up to an empty line; `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("it comes in time");
            match chunk {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next message; comments are passed over.
    async fn next(&mut self) -> Message {
        loop {
            let block = self.block().await.expect("the stream goes on");
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(id), Some(event), Some(data)) = (field("id:"), field("event:"), field("data:")) {
                let message = Message {
                    id: id.parse().unwrap(),
                    event: event.to_owned(),
                    data: serde_json::from_str(data).unwrap(),
                };
                assert_eq!(
                    keys(&message.data),
                    set(&["event", "number", "order_id", "sequence", "timestamp", "order"])
                );
                assert_eq!(message.data["event"], *message.event);
                assert_eq!(message.data["number"], message.id);
                return message;
            }
        }
    }

    /// Messages up to the one with this name.
    async fn until(&mut self, event: &str) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            all.push(self.next().await);
            if all.last().is_some_and(|message| message.event == event) {
                return all;
            }
        }
    }
}

fn names(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.event).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_told_as_it_happens_and_again_from_any_place() {
    let api = Api::sandbox().await;
    let mut stream = Stream::open(&api, "", None).await;
    let order = api.order("sbx-manual").await;
    let mut seen = stream.until("order.active").await;
    assert_eq!(names(&seen), ["order.placed", "order.active"]);
    api.sms(&order["phone_number"], "Your code is 415127").await;
    seen.extend(stream.until("order.otp_received").await);
    let told = &seen.last().unwrap().data;
    assert_eq!((&told["order_id"], &told["order"]["otp_code"]), (&order["id"], &json!("415127")));
    assert_eq!(told["order"], api.read(&order["id"]).await, "the order is shown as /v1 shows it");
    api.action("v1", "finish", &order["id"]).await;
    seen.extend(stream.until("order.completed").await);
    let ended = &seen.last().unwrap().data["order"];
    assert!(ended["phone_number"].is_null() && ended["otp_code"].is_null() && ended["otp_message"].is_null());
    let numbers: Vec<u64> = seen.iter().map(|message| message.id).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "no number is skipped");
    let sequence: Vec<u64> = seen.iter().map(|message| message.data["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequence, numbers, "one order: its own numbers are the same");

    // from the beginning, from the middle, and by the header, which goes before the address
    let mut again = Stream::open(&api, "?after=0", None).await;
    assert_eq!(names(&again.until("order.completed").await), names(&seen));
    for (query, last) in [("?after=2", None), ("", Some("2")), ("?after=0", Some("2"))] {
        let mut rest = Stream::open(&api, query, last).await;
        let rest = rest.until("order.completed").await;
        assert_eq!(rest.first().unwrap().id, 3);
        assert_eq!(names(&rest), names(&seen[2..]));
        // what has been purged is in no message that is sent later
        assert!(rest.iter().all(|message| message.data["order"]["otp_message"].is_null()));
    }

    // without a place, with the newest one, and with one that was never given out: only what comes next
    let newest = seen.len().to_string();
    for (query, last) in [("", Some(&*newest)), ("", None), ("?after=9000", None), ("", Some("9223372036854775807"))] {
        let mut fresh = Stream::open(&api, query, last).await;
        let order = api.order("sbx-manual").await;
        let first = fresh.next().await;
        assert_eq!((&*first.event, &first.data["order_id"]), ("order.placed", &order["id"]), "{query} {last:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused() {
    let api = Api::sandbox().await;
    let anonymous = api.client.get(api.url("/events"));
    assert_eq!(api.send(anonymous).await.code(), "UNAUTHORIZED");
    let by_key = api.client.get(api.url(&format!("/events?api_key={TOKEN}&token={TOKEN}")));
    assert_eq!(api.send(by_key).await.code(), "UNAUTHORIZED");
    for after in ["x", "-1", "1.5", "99999999999999999999"] {
        assert_eq!(api.get(&format!("/events?after={after}")).await.code(), "VALIDATION_ERROR", "{after}");
        let header = api.request(Method::GET, "/events").header("last-event-id", after);
        assert_eq!(api.send(header).await.code(), "VALIDATION_ERROR", "{after}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_shows_nothing_of_another_account() {
    let api = Api::sandbox().await;
    let other = api.other_token(1_000_000).await;
    let mut own = Stream::open(&api, "", None).await;
    let mut foreign = Stream::open_as(&api, &other, "?after=0", None).await;
    let order = api.order("sbx-manual").await;
    assert_eq!(own.next().await.data["order_id"], order["id"]);
    let (_, umbrella) = api.product("sbx-manual").await;
    let theirs = api.client.post(api.url("/v1/orders/create")).bearer_auth(&other);
    let theirs = api.send(theirs.json(&json!({"catalog_product_id": umbrella}))).await;
    let first = foreign.next().await;
    assert_eq!((first.id, &first.data["order_id"]), (1, &theirs.data()["orders"][0]["id"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_account_are_limited_and_places_come_back() {
    let api = Api::sandbox().await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        streams.push(Stream::open(&api, "", None).await);
    }
    assert_eq!(api.get("/events").await.code(), "RATE_LIMIT_EXCEEDED");
    let other = api.other_token(0).await;
    let _others_are_not_limited = Stream::open_as(&api, &other, "", None).await;
    streams.pop();
    // the server sees it when it writes next or the connection is closed
    let taken = async || api.request(Method::GET, "/events").send().await.unwrap().status() == 200;
    until("the place comes back", taken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_the_server_stops() {
    let api = Api::sandbox().await;
    let mut stream = Stream::open(&api, "", None).await;
    let stopping = tokio::time::timeout(PATIENCE, api.running.shutdown());
    let (stopped, rest) = tokio::join!(stopping, stream.block());
    stopped.expect("an open stream does not hold the server up");
    assert_eq!(rest, None);
}
