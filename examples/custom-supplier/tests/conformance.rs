//! The supplier suite on the adapter, against the simulator of its vendor.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use custom_supplier::adapter::Pelican;
use custom_supplier::simulator::Simulator;
use serde_json::json;
use smscode_core::conformance::supplier::{Answer, Call, Needs, Say, Sold, SupplierFixture};
use smscode_core::conformance::{Excuse, Failure};
use smscode_core::money::Money;
use smscode_core::port::{ActivationId, Supplier};
use smscode_providers::ApiKey;
use smscode_providers::http::{self, Api, SignIn};

const KEY: &str = "planted-key-of-pelican-5f3a";

struct Fixture(Simulator);

fn pelican(base_url: &str) -> Pelican {
    let (client, url) = (http::client().unwrap(), format!("{base_url}/v1/"));
    Pelican(Api::new(client, &url, SignIn::Bearer, ApiKey::new(KEY)).timeout_ms(3_000))
}

#[async_trait]
impl SupplierFixture for Fixture {
    async fn open() -> Self {
        Self(Simulator::start(KEY).await.expect("a simulator on loopback"))
    }

    fn address(&self) -> SocketAddr {
        self.0.address
    }

    fn supplier(&self, base_url: &str) -> Arc<dyn Supplier> {
        Arc::new(pelican(base_url))
    }

    fn secret(&self) -> String {
        KEY.to_owned()
    }

    fn shown(&self) -> String {
        format!("{:?}", pelican("http://127.0.0.1"))
    }

    fn product(&self) -> (u16, String) {
        (6, "tg".to_owned())
    }

    fn step_minor(&self) -> i64 {
        1 // a millionth of a dollar, as the vendor has six decimals
    }

    fn many(&self) -> usize {
        3 // its list has no pages
    }

    async fn set_price(&self, price: Money) {
        self.0.books().price = price;
    }

    async fn set_stock(&self, count: u32) {
        self.0.books().stock = count;
    }

    async fn set_balance(&self, balance: Money) {
        self.0.books().balance = balance;
    }

    async fn deliver(&self, id: &ActivationId, text: &str) {
        self.0.books().deliver(&id.0, text);
    }

    async fn end(&self, id: &ActivationId) {
        self.0.books().rental(&id.0).expect("a rental of this simulator").state = "expired";
    }

    async fn sold(&self) -> Vec<Sold> {
        let books = self.0.books();
        let sold = books.rentals.iter().map(|rental| Sold {
            id: ActivationId(rental.id.clone()),
            phone: rental.phone.replace(['+', ' ', '-'], ""),
            charged: rental.price,
            is_open: rental.is_open(),
        });
        sold.collect()
    }

    fn answer(&self, call: Call, say: Say<'_>) -> Option<Answer> {
        let refusal = |status: u16, word: &str| (status, json!({ "error": word }));
        let rental = |sold: &Sold, price: Money, state: &str| {
            json!({ "id": sold.id.0, "phone": sold.phone, "country": "ID", "service": "tg", "price": price.decimal(),
                "ref": null, "seconds_left": 900, "state": state, "messages": [] })
        };
        let (status, body) = match say {
            Say::Unauthorised => refusal(401, "unauthorised"),
            Say::RateLimited => refusal(429, "rate_limited"),
            Say::Broken => refusal(500, "internal"),
            Say::Undocumented => refusal(409, "something_new"),
            Say::TooEarly => refusal(409, "too_early"),
            Say::Status(sold) if matches!(call, Call::Poll | Call::History) => {
                (200, json!({ "rentals": [rental(sold, sold.charged, "something_new")] }))
            }
            Say::Status(_) => return None,
            Say::SoldFor(sold, price) => (200, rental(sold, price, "waiting")),
            Say::StillOpen(sold) if call == Call::Cancel => (200, rental(sold, sold.charged, "waiting")),
            Say::StillOpen(sold) => (200, rental(sold, sold.charged, "received")),
            Say::NoAmount(text) => return Some(Answer { status: 200, body: format!(r#"{{"balance":{text}}}"#) }),
        };
        Some(Answer { status, body: body.to_string() })
    }

    fn lacks() -> &'static [Needs] {
        &[]
    }

    fn excuses() -> &'static [Excuse] {
        &[]
    }
}

/// The HTTP client wants a runtime.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

smscode_core::supplier_suite!(Fixture, block_on);
