//! What the test is played with: Postgres, a supplier, two places for servers, customers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use smscode_providers::sandbox::SandboxHandle;
use smscode_test_postgres::{Server, shared};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::block_in_place;

use super::dice::Dice;
use super::supplier;
use crate::common::crowd::{KEY, Place, call_as};
use crate::common::postgres::Migrated;

/// Customers with money of their own.
pub const CUSTOMERS: u64 = 10;
pub const CREDIT: i64 = 100_000_000;
pub const OPERATOR: &str = "operator-of-this-test-0123456789ab";
/// Customers who are new at once; those who have waited for long wait beside them.
const NEW_AT_ONCE: usize = 64;
/// Indonesia.
const COUNTRY: u16 = 6;

/// A window is short, a purchase that nobody can find is given up soon, and the money of all that is held comes back within
/// a minute; leases are short, and the books are audited all the time. The breaker is patient: a supplier that fails as
/// often as this one would get no purchases, and it is purchases that are to go wrong.
const SETTINGS: &str = "
log = \"error\"
caps.open_orders = 100000
caps.cancels_a_day = 1000000
[postgres]
committers = 2
readers = 2
[timing]
poll_first_ms = 300
poll_then_ms = 500
poll_late_ms = 500
offers_every_ms = 5000
window_ms = 15000
unclear_grace_ms = 5000
answer_due_ms = 2000
call_limit_ms = 3000
lease_ms = 2000
audit_every_ms = 5000
[breaker]
failures_in_row = 60
failures_ppm = 1000000
pause_ms = 500
pause_max_ms = 1000
silence_ms = 3600000
";

pub fn token(customer: u64) -> String {
    format!("Customer{customer:024}")
}

/// Everything there is.
pub struct World {
    pub seed: u64,
    pub simulator: SandboxHandle,
    pub database: Migrated,
    pub server: &'static Server,
    pub places: [Place; 2],
    pub client: Client,
    /// Umbrella products by the service's slug.
    pub products: BTreeMap<String, i64>,
    pub placing: Semaphore,
    /// Answers by status; 0 stands for none.
    answers: BTreeMap<u16, AtomicU64>,
    _files: TempDir,
}

impl World {
    pub async fn make(seed: u64) -> Self {
        let files = tempfile::tempdir().unwrap();
        let simulator = supplier::start().await;
        let server = block_in_place(shared);
        let database = Migrated::on(server).await;
        let mut settings = format!(
            "{SETTINGS}\n[admin]\ntoken = \"{OPERATOR}\"\n[[supplier]]\nname = \"sim\"\ndialect = \"smscode\"\n\
             base_url = \"{}\"\napi_key = \"{KEY}\"\ncurrency = \"USD\"\npoll_floor_ms = 200\ncancel_after_seconds = 1\n",
            simulator.base_url()
        );
        for customer in 0..CUSTOMERS {
            let token = token(customer);
            write!(settings, "[[customer]]\nname = \"c{customer}\"\ntoken = \"{token}\"\nopening_credit = {CREDIT}\n")
                .unwrap();
        }
        let places = ["one", "other"].map(|name| Place::with(files.path(), name, &database.url, &settings));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
        let answers = [0, 200, 409, 422, 503].map(|status| (status, AtomicU64::new(0))).into();
        let placing = Semaphore::new(NEW_AT_ONCE);
        let products = BTreeMap::new();
        Self { seed, simulator, database, server, places, client, products, placing, answers, _files: files }
    }

    /// Waits for both servers, and for what they sell.
    pub async fn open(mut self) -> Self {
        for place in &self.places {
            place.ready(&self.client).await;
        }
        let get = async |path: &str| {
            let begun = Instant::now();
            loop {
                if let Some((200, body)) = call_as(&token(0), self.client.get(self.places[0].url(path))).await
                    && !body["data"].as_array().unwrap().is_empty()
                {
                    return body["data"].clone();
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "nothing is sold: {path}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let services = get("/v1/catalog/services").await;
        let mut products = BTreeMap::new();
        for play in supplier::PLAYS {
            let service = services.as_array().unwrap().iter().find(|one| one["code"] == play.slug);
            let id = &service.unwrap_or_else(|| panic!("{} is not sold", play.slug))["id"];
            let found = get(&format!("/v1/catalog/products?country_id={COUNTRY}&platform_id={id}")).await;
            products.insert(play.slug.to_owned(), found[0]["catalog_product_id"].as_i64().unwrap());
        }
        self.products = products;
        self
    }

    /// Sends a request of a customer to one of the servers, whichever chance says; `None` without a whole answer.
    pub async fn ask(
        &self,
        dice: &mut Dice,
        customer: u64,
        request: impl Fn(&Client, String) -> reqwest::RequestBuilder,
        path: &str,
    ) -> Option<(u16, Value)> {
        let place = &self.places[usize::from(dice.one_in(2))];
        let answer = call_as(&token(customer), request(&self.client, place.url(path))).await;
        let status = answer.as_ref().map_or(0, |(status, _)| *status);
        self.answers.get(&status).unwrap_or_else(|| panic!("{path}: {answer:?}")).fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// Reads the database itself.
    pub async fn sql(&self, text: &str) -> Vec<String> {
        self.server.sql(self.database.database.name(), text).await
    }

    /// What came back from the servers.
    pub fn told(&self) -> String {
        let counts = self.answers.iter().map(|(status, count)| match status {
            0 => format!("{} without an answer", count.load(Ordering::Relaxed)),
            status => format!("{} of {status}", count.load(Ordering::Relaxed)),
        });
        format!("answers: {}", counts.collect::<Vec<_>>().join(", "))
    }
}
