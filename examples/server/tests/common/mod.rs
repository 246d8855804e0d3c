//! A real server in this process, a real client, a real simulator behind it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests, each of which uses a part"
)]

pub mod books;
pub mod crowd;
pub mod postgres;

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use smscode_core::money::{Currency, Money};
use smscode_core::store::TransferKind;
use smscode_core::token::Token;
use smscode_providers::ApiKey;
use smscode_providers::sandbox::{Fault, Sandbox as Simulator, SandboxConfig, SandboxHandle};
use smscode_providers::sms::sms_activate::SMSCODE;
use smscode_server::config::{Customer, StoreChoice, supplier};
use smscode_server::{Config, Running, start};
use smscode_test_postgres::shared;
use tokio::task::block_in_place;

use postgres::Migrated;

/// A token as a tester would choose it.
pub const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// Whoever waits for something gives up only after this: a busy machine is no fault of ours.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until it finds what must come, and gives it. A look that does not find it says what it saw.
pub async fn wait_for<T, S: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, S>) -> T {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(begun.elapsed() < PATIENCE, "{what}: {seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Waits until it is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    wait_for(what, async || if so().await { Ok(()) } else { Err("not so") }).await;
}

/// A client of a server.
pub struct Api {
    pub running: Running,
    pub client: reqwest::Client,
    pub token: String,
    /// What must outlive it: its database, its files.
    pub kept: Option<Box<dyn Any + Send + Sync>>,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    /// The answer's data; fails for an error.
    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.body["success"], true, "{}", self.text);
        &self.body["data"]
    }

    /// The code of an error, after looking that its envelope is closed and its status is the code's.
    pub fn code(&self) -> &str {
        assert_eq!(self.body["success"], false, "{} {}", self.status, self.text);
        assert_eq!(keys(&self.body), set(&["success", "error"]));
        let error = &self.body["error"];
        let mut members = keys(error);
        if members.remove("details") {
            assert!(!error["details"].as_object().expect("an object").is_empty());
        }
        assert_eq!(members, set(&["code", "message"]));
        assert!(!error["message"].as_str().expect("a text").is_empty());
        let code = error["code"].as_str().expect("a text");
        assert_eq!(self.status.as_u16(), status_of(code), "{}", self.text);
        if matches!(self.status.as_u16(), 429 | 503) {
            self.headers["retry-after"].to_str().unwrap().parse::<u32>().expect("whole seconds");
        }
        code
    }

    pub fn details(&self) -> &Value {
        &self.body["error"]["details"]
    }
}

fn status_of(code: &str) -> u16 {
    match code {
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "VALIDATION_ERROR" | "PROVIDER_ERROR" | "NO_OFFER_AVAILABLE" | "IDEMPOTENCY_KEY_REUSED" => 422,
        "INSUFFICIENT_BALANCE" | "CONFLICT" | "CANCEL_TOO_EARLY" | "REQUEST_IN_PROGRESS" => 409,
        "RATE_LIMIT_EXCEEDED" | "TEMP_BANNED_ABUSE_GUARD" => 429,
        "SERVICE_UNAVAILABLE" | "FX_RATE_UNAVAILABLE" => 503,
        "INTERNAL_ERROR" => 500,
        other => panic!("{other} is no code of the contract"),
    }
}

pub fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("an object: {value}")).keys().cloned().collect()
}

pub fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Settings of a sandbox in memory on a free port.
pub fn sandbox() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: StoreChoice::Memory,
        rates: vec![(Currency::Usd, Currency::Idr, 16_000)],
        demo_token: Token::read(TOKEN),
        ..Config::default()
    }
}

/// Settings of a live server in memory without any rate, whose supplier is a simulator with prices in rupiah.
pub async fn without_rate() -> (Config, SandboxHandle) {
    let key = "0123456789abcdef0123456789abcdef";
    let mut simulated = SandboxConfig::new(ApiKey::new(key));
    simulated.settings.currency = Currency::Idr;
    let simulator = Simulator::start(simulated).await.unwrap();
    let config = Config {
        suppliers: vec![supplier("sim", &SMSCODE, &simulator.base_url(), key, Currency::Idr)],
        customers: vec![Customer {
            name: "shop".to_owned(),
            token: Token::read(TOKEN).unwrap(),
            opening_minor: 1_000_000,
        }],
        rates: Vec::new(),
        demo_token: None,
        ..sandbox()
    };
    (config, simulator)
}

pub async fn serve(config: Config) -> Api {
    let running = start(config).await.expect("it starts");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    Api { running, client, token: TOKEN.to_owned(), kept: None }
}

/// Settings of a sandbox on the embedded store, with its files in `dir`.
pub fn on_redb(dir: &Path) -> Config {
    let data_dir = dir.join("data");
    Config { store: StoreChoice::Redb(data_dir.join("smscode.redb")), data_dir, ..sandbox() }
}

/// Settings of a sandbox on a Postgres database, under the application's role, with its files in `dir`.
pub fn on_postgres(database: &Migrated, dir: &Path) -> Config {
    Config { store: database.choice(), data_dir: dir.join("data"), ..sandbox() }
}

/// Runs a journey on a fresh sandbox in memory, and on one in Postgres.
pub async fn each(journey: impl AsyncFn(Api)) {
    journey(Api::sandbox().await).await;
    journey(Api::postgres().await).await;
}

/// The program, without what the machine has set.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smscode-server"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SMSCODE_") {
            command.env_remove(name);
        }
    }
    command
}

impl Api {
    pub async fn sandbox() -> Self {
        serve(sandbox()).await
    }

    /// A sandbox on a file of its own.
    pub async fn redb() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let api = serve(on_redb(dir.path())).await;
        Self { kept: Some(Box::new(dir)), ..api }
    }

    /// A sandbox on a Postgres database of its own.
    pub async fn postgres() -> Self {
        let database = Migrated::on(block_in_place(shared)).await;
        let dir = tempfile::tempdir().unwrap();
        let api = serve(on_postgres(&database, dir.path())).await;
        Self { kept: Some(Box::new((database, dir))), ..api }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.token)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        assert!(headers.contains_key("x-request-id"), "every answer is named");
        let text = response.text().await.expect("a whole answer");
        if status != StatusCode::PAYLOAD_TOO_LARGE && text.starts_with('{') {
            assert_eq!(headers["content-type"], "application/json");
        }
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    pub async fn create(&self, surface: &str, body: Value, key: &str) -> Answer {
        let request = self.request(Method::POST, &format!("/{surface}/orders/create"));
        self.send(request.header("idempotency-key", key).json(&body)).await
    }

    /// Creates one order of a service, and gives its create item.
    pub async fn order(&self, slug: &str) -> Value {
        let (_, umbrella) = self.product(slug).await;
        let answer = self.post("/v1/orders/create", json!({"catalog_product_id": umbrella})).await;
        answer.data()["orders"][0].clone()
    }

    pub async fn action(&self, surface: &str, action: &str, id: &Value) -> Answer {
        self.post(&format!("/{surface}/orders/{action}"), json!({"id": id})).await
    }

    /// The product of a service in Indonesia: slot and pair.
    pub async fn product(&self, slug: &str) -> (i64, i64) {
        let services = self.get("/v1/catalog/services").await;
        let services = services.data().as_array().unwrap().clone();
        let service = services.iter().find(|one| one["code"] == slug).unwrap_or_else(|| panic!("no service {slug}"));
        let path = format!("/v1/catalog/products?country_id=6&platform_id={}", service["id"]);
        let products = self.get(&path).await;
        let product = products.data()[0].clone();
        (product["id"].as_i64().unwrap(), product["catalog_product_id"].as_i64().unwrap())
    }

    pub async fn balance(&self) -> i64 {
        self.get("/v1/balance").await.data()["balance"].as_i64().unwrap()
    }

    pub async fn read(&self, id: &Value) -> Value {
        self.get(&format!("/v1/orders/{id}")).await.data().clone()
    }

    /// Reads an order until it is as wished.
    pub async fn until(&self, id: &Value, wished: impl Fn(&Value) -> bool) -> Value {
        // not `wait_for`: the future of a closure that borrows cannot be sent to another task, and customers are tasks
        let begin = Instant::now();
        loop {
            let order = self.read(id).await;
            if wished(&order) {
                return order;
            }
            assert!(begin.elapsed() < PATIENCE, "never as wished: {order}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Reads an order until its cancel is allowed.
    pub async fn until_cancellable(&self, id: &Value) {
        self.until(id, |order| order["can_cancel"] == true).await;
    }

    /// Lets an SMS arrive.
    pub async fn sms(&self, phone: &Value, text: &str) -> Answer {
        self.post("/sandbox/sms", json!({"phone": phone, "text": text})).await
    }

    /// Plans what the supplier does with purchases.
    pub fn plan(&self, times: u32, fault: Fault) {
        let sandbox = self.running.app.sandbox.as_ref().expect("a sandbox");
        sandbox.simulator().plan(Some("getNumberV2"), times, fault);
    }

    /// The same server for another customer with this much money.
    pub async fn other_token(&self, minor: i64) -> String {
        let platform = &self.running.app.platform;
        let account = platform.open_account().await.unwrap();
        let token = platform.create_token(account, "other").await.unwrap();
        if minor > 0 {
            let reference = format!("test:{}", token.reveal());
            platform.deposit(account, Money::new(minor, Currency::Idr), &reference).await.unwrap();
        }
        token.reveal().to_owned()
    }

    /// The transfers of one of the customer's orders, and that the ledger adds up.
    pub async fn assert_postings(&self, order: &Value, expected: &[TransferKind]) {
        let platform = &self.running.app.platform;
        let account = platform.authenticate(&self.token).await.unwrap().unwrap();
        let lines = platform.statement(account, 0, 1_000).await.unwrap();
        let subject = format!("order:{order}");
        let found: Vec<_> = lines.iter().filter(|line| line.subject == subject).map(|line| line.kind).collect();
        assert_eq!(found, expected, "postings of {order}");
        self.ledger_adds_up().await;
    }

    /// Whether the ledger adds up: all accounts together have nothing.
    pub async fn ledger_adds_up(&self) {
        let totals = self.running.app.platform.totals().await.unwrap();
        for (currency, sums) in &totals.currencies {
            assert_eq!(sums.sum(), 0, "{currency}: {sums:?}");
        }
    }
}
