//! Many clients of a server that is a process of its own, who want their orders whatever happens to it.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smscode_providers::ApiKey;
use smscode_providers::sandbox::{Sandbox, SandboxConfig, SandboxHandle};
use smscode_test_postgres::free_port;
use tokio::task::JoinSet;

pub const TOKEN: &str = "Kill0Test1Token2Of3Thirty2Chars0";
pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const CREDIT: i64 = 50_000_000;
/// One client waits so long for an order: far beyond a restart and the first look-ups of an unclear purchase. A purchase
/// that was never sent stays open with its hold until its window ends.
const PATIENCE: Duration = Duration::from_secs(45);

/// A supplier with numbers for everybody and a quick code.
pub async fn simulator() -> SandboxHandle {
    let mut config = SandboxConfig::new(ApiKey::new(KEY));
    config.settings.stock = 100_000;
    config.settings.code_after_ms = 200;
    Sandbox::start(config).await.unwrap()
}

/// A server's settings, and where it is.
pub struct Place {
    pub dir: PathBuf,
    pub addr: SocketAddr,
    config: PathBuf,
}

impl Place {
    /// A live server whose files are in `dir`. Several of one store are told apart by their names and share its keys.
    pub fn new(dir: &Path, name: &str, simulator: &SandboxHandle, store: &str) -> Self {
        let settings = format!(
            "log = \"warn\"\n[caps]\nopen_orders = 5000\n\
             [timing]\npoll_first_ms = 300\npoll_then_ms = 500\npoll_late_ms = 500\n\
             answer_due_ms = 3000\ncall_limit_ms = 3000\nlease_ms = 2000\n\
             [[supplier]]\nname = \"sim\"\ndialect = \"sms-activate\"\nbase_url = \"{base}\"\napi_key = \"{KEY}\"\n\
             currency = \"USD\"\npoll_floor_ms = 200\n\
             [[customer]]\nname = \"shop\"\ntoken = \"{TOKEN}\"\nopening_credit = {CREDIT}\n",
            base = simulator.base_url(),
        );
        Self::with(dir, name, store, &settings)
    }

    /// The same with all settings but where it is, what it keeps where and for how many.
    pub fn with(dir: &Path, name: &str, store: &str, settings: &str) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let config = dir.join(format!("{name}.toml"));
        let text = format!(
            "listen = \"{addr}\"\ndata_dir = \"{data}\"\nkeyring_dir = \"{keys}\"\nstore = \"{store}\"\n\
             requests_a_minute = 1000000\nattempts_a_minute = 0\nrates.usd_idr = 16000\n{settings}",
            data = dir.join(name).display(),
            keys = dir.join("keys").display(),
        );
        fs::write(&config, text).unwrap();
        Self { dir: dir.to_owned(), addr, config }
    }

    pub fn start(&self) -> Server {
        let mut command = super::program();
        command.arg("--config").arg(&self.config).current_dir(&self.dir);
        Server(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub async fn ready(&self, client: &reqwest::Client) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Ok(answer) = client.get(self.url("/readyz")).send().await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server is not ready after a minute");
    }

    /// The pair that everybody wants.
    pub async fn product(&self, client: &reqwest::Client) -> i64 {
        let begun = Instant::now();
        loop {
            let list = client.get(self.url("/v1/catalog/products?country_id=6&limit=100"));
            let (_, body) = call(list).await.unwrap();
            let products = body["data"].as_array().unwrap();
            let sold = products.iter().find(|product| product["name"].as_str().unwrap().starts_with("WhatsApp"));
            if let Some(product) = sold {
                return product["catalog_product_id"].as_i64().unwrap();
            }
            // the first list may be late; the next is asked for after a minute
            assert!(begun.elapsed() < 3 * super::PATIENCE, "WhatsApp is not sold");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A process that is killed when nobody needs it any more.
pub struct Server(Child);

impl Server {
    /// Ends it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// What one client saw of one of its orders.
pub struct Seen {
    pub key: String,
    /// `None` if it was still in progress when the client gave up.
    pub id: Option<i64>,
    pub completed: bool,
}

/// What all clients saw.
#[derive(Default)]
pub struct Progress {
    /// Orders that a client is done with.
    pub done: AtomicU64,
    /// Answers 503 with a `Retry-After`.
    pub away: AtomicU64,
}

/// Sends a request as the customer; `None` without a whole answer.
pub async fn call(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    call_as(TOKEN, request).await
}

/// The same as whoever has this token.
pub async fn call_as(token: &str, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let answer = request.bearer_auth(token).send().await.ok()?;
    let status = answer.status().as_u16();
    if status == 503 {
        let seconds = answer.headers().get("retry-after").expect("503 says when to come back");
        seconds.to_str().unwrap().parse::<u32>().expect("whole seconds");
    }
    Some((status, answer.json().await.ok()?))
}

/// Places an order under one key until it is answered, whatever happens to the server, waits for its SMS and finishes.
async fn one_order(client: &reqwest::Client, place: &Place, key: String, product: i64, progress: &Progress) -> Seen {
    let begun = Instant::now();
    let pause = || tokio::time::sleep(Duration::from_millis(100));
    let id = loop {
        let request = client
            .post(place.url("/v1/orders/create"))
            .header("idempotency-key", &key)
            .json(&json!({"catalog_product_id": product}));
        match call(request).await {
            Some((200, body)) => break body["data"]["orders"][0]["id"].as_i64().expect("an id"),
            Some((409, body)) if body["error"]["code"] == "REQUEST_IN_PROGRESS" => {
                if begun.elapsed() > PATIENCE {
                    return Seen { key, id: None, completed: false };
                }
                pause().await;
            }
            // refused, or not offered for a while: a server that has just begun may have no list yet
            Some((422, body))
                if matches!(body["error"]["code"].as_str(), Some("PROVIDER_ERROR" | "NO_OFFER_AVAILABLE")) =>
            {
                pause().await;
            }
            Some((503, body)) => {
                assert_eq!(body["error"]["code"], "SERVICE_UNAVAILABLE", "{body}");
                progress.away.fetch_add(1, Ordering::Relaxed);
                pause().await;
            }
            None => pause().await,
            Some((status, body)) => panic!("{key}: {status} {body}"),
        }
    };
    loop {
        if begun.elapsed() > PATIENCE {
            return Seen { key, id: Some(id), completed: false };
        }
        let Some((200, body)) = call(client.get(place.url(&format!("/v1/orders/{id}")))).await else {
            pause().await;
            continue;
        };
        match body["data"]["status"].as_str() {
            Some("OTP_RECEIVED") => {
                let finish = client.post(place.url("/v1/orders/finish")).json(&json!({"id": id}));
                drop(call(finish).await); // its answer may be lost; the next read tells
            }
            Some("COMPLETED") => {
                return Seen { key, id: Some(id), completed: true };
            }
            Some("CANCELED" | "EXPIRED") => {
                return Seen { key, id: Some(id), completed: false };
            }
            _ => pause().await,
        }
    }
}

/// So many clients place so many orders each, one after another.
pub async fn clients(
    client: &reqwest::Client,
    place: &Arc<Place>,
    product: i64,
    (number, each): (usize, usize),
    progress: &Arc<Progress>,
) -> Crowd {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..number {
        let (client, place, progress) = (client.clone(), Arc::clone(place), Arc::clone(progress));
        tasks.spawn(async move {
            let mut seen = Vec::new();
            for m in 0..each {
                seen.push(one_order(&client, &place, format!("client-{n}-{m}"), product, &progress).await);
                progress.done.fetch_add(1, Ordering::Relaxed);
            }
            seen
        });
    }
    let mut seen = Vec::new();
    while let Some(some) = tasks.join_next().await {
        seen.extend(some.unwrap());
    }
    assert_eq!(seen.len(), number * each);
    Crowd { seen, took: begun.elapsed() }
}

/// What became of all orders.
pub struct Crowd {
    pub seen: Vec<Seen>,
    pub took: Duration,
}

impl Crowd {
    /// The numbers of the orders, after looking that each key has one or is unclear.
    pub fn ids(&self) -> BTreeSet<i64> {
        let keys: BTreeSet<&str> = self.seen.iter().map(|seen| &*seen.key).collect();
        assert_eq!(keys.len(), self.seen.len());
        let ids: BTreeSet<i64> = self.seen.iter().filter_map(|seen| seen.id).collect();
        assert_eq!(ids.len() + self.unclear(), keys.len(), "an order for each key");
        ids
    }

    pub fn completed(&self) -> usize {
        self.seen.iter().filter(|seen| seen.completed).count()
    }

    pub fn unclear(&self) -> usize {
        self.seen.iter().filter(|seen| seen.id.is_none()).count()
    }
}
