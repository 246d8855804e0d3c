//! Plays a scenario: what a tester does over HTTP, and what must stand in the end.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use smscode_core::money::Currency;
use smscode_core::store::{House, TransferKind};
use tokio::task::JoinHandle;

use crate::common::{Answer, Api, wait_for};
use crate::table::{self, Do, Ends, Owner, Play, Told};
use crate::{advance, assert_books, explained, simulator, statement};

/// The key of the order that a play is about.
const KEY: &str = "the-one";

/// A play under way.
struct Scene<'a> {
    api: Arc<Api>,
    play: &'a Play,
    /// The pair that is ordered.
    umbrella: i64,
    /// The order that it is about, once it is known.
    id: Value,
    /// Its call, if somebody waits for its answer.
    call: Option<JoinHandle<Answer>>,
}

pub async fn on_redb(code: &str) {
    run(Api::redb().await, code).await;
}

pub async fn on_postgres(code: &str) {
    run(Api::postgres().await, code).await;
}

async fn run(api: Api, code: &str) {
    let begun = Instant::now();
    let play = table::PLAYS.iter().find(|play| play.code == code).unwrap_or_else(|| panic!("{code} has no play"));
    let (before, theirs) = (api.balance().await, simulator(&api).balance().minor);
    let (_, umbrella) = api.product(&code.replace('_', "-")).await;
    let mut scene = Scene { api: Arc::new(api), play, umbrella, id: Value::Null, call: None };
    for step in play.steps {
        scene.take(*step).await;
    }
    let api = &scene.api;
    let orders = statement(api).await;
    assert_eq!(orders.len(), play.ends.len(), "{code}: {orders:?}");
    let mut paid = 0;
    for ((id, kinds, price), ends) in orders.iter().zip(play.ends) {
        let told = explained(api, *id).await;
        assert_ended(&format!("{code}: {told:#}"), &told, ends, *price);
        let closing = if ends.is_paid() { TransferKind::Capture } else { TransferKind::Release };
        assert_eq!(kinds[..], [TransferKind::Hold, closing], "{code}");
        paid += if ends.is_paid() { *price } else { 0 };
    }
    assert_eq!(api.balance().await, before - paid, "{code}: what has an SMS is paid for, all else is back");
    assert_eq!(simulator(api).open(), 0, "{code}: nothing is left open at the supplier");
    assert_eq!(
        theirs - simulator(api).balance().minor,
        supplier_price(api, play).await,
        "{code}: the supplier's money"
    );
    assert_eq!(booked(api).await, play.owner, "{code}: what was booked of it");
    assert_eq!(simulator(api).calls("getNumberV2"), play.purchases(), "{code}: a purchase is sent once");
    assert_books(api).await;
    println!("{code} ({}) took {} ms", play.journey, begun.elapsed().as_millis());
}

/// What the supplier has of ours in the end.
async fn supplier_price(api: &Api, play: &Play) -> i64 {
    if !play.theirs {
        return 0;
    }
    let catalogue = api.running.app.platform.catalogue();
    let products = catalogue.products(Some(6), Some(play.code), smscode_core::catalogue::Sort::PriceAscending);
    products.first().expect("it is sold").cost.minor
}

/// Who bears what the supplier was paid, by our books.
async fn booked(api: &Api) -> Owner {
    let totals = api.running.app.platform.totals().await.unwrap();
    let usd = totals.currencies.get(&Currency::Usd);
    let has = |house: House| usd.is_some_and(|line| line.house(&house) != 0);
    match (has(House::cost("sandbox")), has(House::loss("sandbox"))) {
        (true, false) => Owner::Customer,
        (false, true) => Owner::Operator,
        (false, false) => Owner::Nobody,
        (true, true) => panic!("one purchase is booked as both"),
    }
}

/// An order as `explain` tells it in the end: state, steps with rules and transfers, nothing to come, nothing to read.
fn assert_ended(place: &str, told: &Value, ends: &Ends, price: i64) {
    let state = ends.steps.iter().rev().find(|step| **step != table::LATE).unwrap().state;
    assert_eq!((&told["state"], &told["order"]["status"]), (&json!(state), &json!(ends.status())), "{place}");
    let steps: Vec<Value> = told["steps"].as_array().unwrap().iter().map(without_time).collect();
    let mut sequence = 0;
    let mut expected = Vec::new();
    for step in ends.steps {
        sequence += u64::from(step.event.is_some());
        expected.push(step_json(step, sequence, price));
    }
    assert_eq!(steps, expected, "{place}");
    let times: Vec<&str> =
        told["steps"].as_array().unwrap().iter().map(|step| step["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{place}");
    assert!(told["next"].is_null(), "{place}");
    for action in told["allowed"].as_array().unwrap() {
        assert_eq!((&action["allowed"], &action["reason"]), (&json!(false), &json!("it has ended")), "{place}");
    }
    for gone in ["phone_number", "otp_code", "otp_message"] {
        assert!(told["order"][gone].is_null(), "{place}: {gone}");
    }
    assert_eq!(told["order"]["amount"], price, "{place}");
}

fn without_time(step: &Value) -> Value {
    let mut step = step.clone();
    step.as_object_mut().unwrap().remove("time");
    step
}

fn step_json(step: &Told, sequence: u64, price: i64) -> Value {
    json!({
        "sequence": sequence,
        "event": step.event,
        "state": step.state,
        "rule": step.rule,
        "transfer": step.transfer.map(|kind| format!("{kind} {price} IDR")),
    })
}

impl Scene<'_> {
    async fn take(&mut self, step: Do) {
        let (api, code) = (self.api.clone(), self.play.code);
        match step {
            Do::Order => self.id = self.create().await.data()["orders"][0]["id"].clone(),
            Do::OrderUnclear => {
                assert_eq!(self.create().await.code(), "REQUEST_IN_PROGRESS", "{code}");
                self.id = newest(&api).await;
            }
            Do::Begin => {
                let body = json!({"catalog_product_id": self.umbrella});
                let client = api.clone();
                self.call = Some(tokio::spawn(async move { client.create("v1", body, KEY).await }));
                self.id = newest(&api).await;
            }
            Do::InProgress => {
                let answer = self.call.take().expect("somebody waits").await.unwrap();
                assert_eq!(answer.code(), "REQUEST_IN_PROGRESS", "{code}");
            }
            Do::SameKey => assert_eq!(self.create().await.data()["orders"][0]["id"], self.id, "{code}"),
            Do::Refused(refusal, cause) => {
                let before = api.balance().await;
                let refused = api.create("v1", json!({"catalog_product_id": self.umbrella}), "another").await;
                assert_eq!((refused.code(), &refused.details()["cause"]), (refusal, &json!(cause)), "{code}");
                assert_eq!(api.balance().await, before, "{code}: its hold is released with the answer");
            }
            Do::Pass(seconds) => advance(&api, seconds).await,
            Do::Sms(text) => {
                let phone = api.read(&self.id).await["phone_number"].clone();
                assert_eq!(api.sms(&phone, text).await.status, 202, "{code}");
            }
            Do::Sees(status, number) => {
                let order = api.read(&self.id).await;
                assert_eq!((&order["status"], order["phone_number"].is_string()), (&json!(status), number), "{order}");
            }
            Do::Code(revision) | Do::Text(revision) => {
                self.assert_received(matches!(step, Do::Code(_)), revision).await
            }
            Do::Cancel => {
                let cancelled = api.action("v1", "cancel", &self.id).await;
                assert_eq!(cancelled.data()["status"], "CANCELED", "{code}");
            }
            Do::NoCancel(refusal) => {
                let held = api.balance().await;
                assert_eq!(api.action("v1", "cancel", &self.id).await.code(), refusal, "{code}");
                assert_eq!(api.balance().await, held, "{code}: nothing is given back on a guess");
            }
            Do::Finish => {
                let finished = api.action("v1", "finish", &self.id).await;
                assert_eq!(finished.data()["status"], "COMPLETED", "{code}");
            }
            Do::Working => {
                let id = api.order("sbx-code-now").await["id"].clone();
                advance(&api, 3).await;
                assert_eq!(api.read(&id).await["status"], "OTP_RECEIVED", "{code}");
                api.action("v1", "finish", &id).await.data();
                advance(&api, 3).await;
            }
        }
    }

    async fn create(&self) -> Answer {
        self.api.create("v1", json!({"catalog_product_id": self.umbrella}), KEY).await
    }

    /// The customer has got what was wanted, and can read it.
    async fn assert_received(&self, with_code: bool, revision: u64) {
        let order = self.api.read(&self.id).await;
        assert_eq!((&order["status"], &order["sms_revision"]), (&json!("OTP_RECEIVED"), &json!(revision)), "{order}");
        let text = order["otp_message"].as_str().expect("a text");
        match order["otp_code"].as_str() {
            Some(code) => assert!(with_code && text.contains(code), "{order}"),
            None => assert!(!with_code && !text.is_empty(), "{order}"),
        }
    }
}

/// The id of the newest order, as soon as it is in the list.
async fn newest(api: &Api) -> Value {
    wait_for("an order", async || {
        let list = api.get("/v1/orders?limit=1").await;
        list.data().get(0).map(|order| order["id"].clone()).ok_or(())
    })
    .await
}
