//! Two servers on one database, each a process of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::common::books::books;
use crate::common::crowd::{CREDIT, Place, TOKEN, call, simulator};
use crate::common::postgres::Migrated;
use crate::common::{PATIENCE, wait_for};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use smscode_test_postgres::shared;
use tokio::task::block_in_place;

async fn data(request: RequestBuilder) -> Value {
    let (status, body) = call(request).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    body["data"].clone()
}

async fn order(client: &Client, place: &Place, product: i64) -> Value {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    let key = format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed));
    wait_for("it is placed", async || {
        let create = client.post(place.url("/v1/orders/create")).header("idempotency-key", &key);
        match call(create.json(&json!({"catalog_product_id": product}))).await {
            Some((200, body)) => Ok(body["data"]["orders"][0].clone()),
            Some((409, body)) => {
                assert_eq!(body["error"]["code"], "REQUEST_IN_PROGRESS");
                Err(body)
            }
            other => panic!("{other:?}"),
        }
    })
    .await
}

async fn read(client: &Client, place: &Place, id: &Value) -> Value {
    data(client.get(place.url(&format!("/v1/orders/{id}")))).await
}

/// Reads an order at a server until its SMS is there.
async fn received(client: &Client, place: &Place, id: &Value) -> Value {
    wait_for("its SMS", async || {
        let order = read(client, place, id).await;
        if order["status"] == "OTP_RECEIVED" { Ok(order) } else { Err(order) }
    })
    .await
}

/// Reads a stream of events until one of this name comes.
async fn hears(stream: &mut reqwest::Response, name: &str) {
    let mut text = String::new();
    while !text.contains(&format!("event: {name}\n")) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("it comes in time");
        text.push_str(std::str::from_utf8(&chunk.unwrap().expect("it goes on")).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_one_server_is_the_others_too_and_so_is_the_work_of_one_that_died() {
    let dir = tempfile::tempdir().unwrap();
    let simulator = simulator().await;
    let server = block_in_place(shared);
    let database = Migrated::on(server).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let [a, b] = ["a", "b"].map(|name| Place::new(dir.path(), name, &simulator, &database.url));
    // both at once, on an empty database: one of them opens the customer, and both go on with it
    let (mut at_a, mut at_b) = (a.start(), b.start());
    a.ready(&client).await;
    b.ready(&client).await;
    let product = a.product(&client).await;
    assert_eq!(b.product(&client).await, product, "one catalogue");
    let balance = data(client.get(b.url("/v1/balance"))).await["balance"].clone();
    assert_eq!(balance, CREDIT, "credited once");

    let mut stream = client.get(b.url("/events")).bearer_auth(TOKEN).send().await.unwrap();
    let placed = order(&client, &a, product).await;
    let (id, phone) = (&placed["id"], &placed["phone_number"]);
    assert!(phone.is_string());
    assert_eq!(read(&client, &b, id).await["phone_number"], *phone, "seen at once, with its number");
    hears(&mut stream, "order.otp_received").await;
    let there = received(&client, &b, id).await;
    assert_eq!(received(&client, &a, id).await["otp_code"], there["otp_code"]);
    let finished = data(client.post(b.url("/v1/orders/finish")).json(&json!({"id": id}))).await;
    assert_eq!(finished["status"], "COMPLETED");
    hears(&mut stream, "order.completed").await;
    assert_eq!(read(&client, &a, id).await["status"], "COMPLETED");
    let (one, other) = tokio::join!(order(&client, &a, product), order(&client, &b, product));
    assert_ne!(one["id"], other["id"]);

    // B dies, so A does all the background work soon; then A, when B is back
    at_b.kill();
    let of_a = alone(&database).await;
    works(&database, |node| node == of_a).await;
    at_b = b.start();
    b.ready(&client).await;
    at_a.kill();
    let begun = Instant::now();
    let late = order(&client, &b, product).await;
    let sms = received(&client, &b, &late["id"]).await;
    let took = begun.elapsed();
    assert!(sms["otp_code"].is_string());
    works(&database, |node| node != of_a).await;
    println!("an SMS at the other server {:.1} s after the kill, leases of 2 s", took.as_secs_f64());
    for open in [&one, &other, &late] {
        received(&client, &b, &open["id"]).await;
        data(client.post(b.url("/v1/orders/finish")).json(&json!({"id": open["id"]}))).await;
    }
    at_b.kill();
    let store = database.store().await;
    let books = books(&store, CREDIT).await;
    assert_eq!((books.holds.len(), books.open(), books.released), (4, 0, 0));
    store.close().await;
}

/// Waits until a single node is there: one that has died is missed after two leases.
async fn alone(database: &Migrated) -> String {
    let there = "SELECT encode(id, 'escape') FROM smscode.records WHERE kind = 'node'";
    wait_for("a single node", async || {
        <[String; 1]>::try_from(shared().sql(database.database.name(), there).await).map(|[node]| node)
    })
    .await
}

/// Waits until it is so of the one node that has the lease of all that is looked at all the time: due work, and polling.
async fn works(database: &Migrated, so: impl Fn(&str) -> bool) {
    let all = "SELECT body::jsonb ->> 'node' FROM smscode.records WHERE kind = 'lease'
        AND (id = 'due' OR encode(id, 'escape') LIKE 'poll:%')";
    wait_for("one node with both leases", async || {
        let nodes = shared().sql(database.database.name(), all).await;
        let [due, poll] = &*nodes else { panic!("{nodes:?}") };
        if due == poll && so(due) { Ok(()) } else { Err(nodes) }
    })
    .await;
}
