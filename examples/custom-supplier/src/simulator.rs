//! Pelican, a vendor of numbers that does not exist: its API over HTTP, and what a test does to it from behind.
//!
//! Every request has the header `authorization: Bearer <key>`, every answer is JSON. A refusal has the member `error` with
//! one of the words below; nothing is charged then, unless the word is `internal`. Amounts are text with six decimals at
//! most, in US dollars. Countries have their two letters, services the market's codes.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/balance` | `{"balance": "12.5"}` |
//! | `GET /v1/offers` | `{"offers": [{"country": "ID", "service": "tg", "price": "0.29", "count": 7}]}` |
//! | `POST /v1/rentals` with `{"country", "service", "max_price", "ref"}` | the rental |
//! | `GET /v1/rentals?ids=a,b` | `{"rentals": [...]}`, up to 50; what it does not know is left out |
//! | `GET /v1/rentals?state=open` | `{"rentals": [...]}`, all that are open; an account has 1,000 at most |
//! | `GET /v1/rentals?from=1&until=2` | `{"rentals": [...]}`, all that were rented then, in seconds since 1970 |
//! | `POST /v1/rentals/more` with `{"id"}` | `{"state": "waiting"}` |
//! | `POST /v1/rentals/cancel` with `{"id"}` | `{"state": "cancelled"}`, also if it was; `too_early`, `has_messages` |
//! | `POST /v1/rentals/finish` with `{"id"}` | `{"state": "finished"}`, also if it was |
//!
//! To every request: `unauthorised`, `rate_limited`, `internal`; to a purchase: `out_of_stock` (also for what is not sold),
//! `price_too_low`, `no_funds`, `reference_used`; to every step: `not_found`, also of a rental that is over.
//! A rental is `{"id", "phone", "country", "service", "price", "ref", "seconds_left", "state", "messages"}`; its state is one
//! of `waiting`, `received`, `cancelled` (not charged), `expired`, `finished` (both are); a message is `{"id", "from", "text", "code", "at"}`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use smscode_core::money::{Currency, Money};

/// What is sold: Telegram in Indonesia.
pub const PRODUCT: (&str, &str) = ("ID", "tg");

/// A rental in the books.
pub struct Rental {
    /// Its name, in letters.
    pub id: String,
    /// With plus.
    pub phone: String,
    /// What was charged.
    pub price: Money,
    reference: String,
    rented_at: u64,
    /// One word, see the table.
    pub state: &'static str,
    messages: Vec<Value>,
}

impl Rental {
    /// Whether it still receives.
    pub fn is_open(&self) -> bool {
        matches!(self.state, "waiting" | "received")
    }

    fn shown(&self) -> Value {
        json!({
            "id": self.id, "phone": self.phone, "country": PRODUCT.0, "service": PRODUCT.1, "price": self.price.decimal(),
            "ref": self.reference, "seconds_left": 900, "state": self.state, "messages": self.messages,
        })
    }
}

/// The books of the vendor. Whoever runs the simulator may write in them.
pub struct Books {
    key: String,
    /// The price of the product.
    pub price: Money,
    /// How many of it are left.
    pub stock: u32,
    /// The account's money.
    pub balance: Money,
    /// Every rental, oldest first.
    pub rentals: Vec<Rental>,
    /// An SMS that arrives with each rental, as in a demonstration.
    pub greeting: Option<String>,
}

impl Books {
    /// A rental by its id.
    pub fn rental(&mut self, id: &str) -> Option<&mut Rental> {
        self.rentals.iter_mut().find(|rental| rental.id == id)
    }

    /// Lets an SMS arrive.
    pub fn deliver(&mut self, id: &str, text: &str) {
        if let Some(rental) = self.rental(id).filter(|rental| rental.is_open()) {
            let code = text.split(|c: char| !c.is_ascii_digit()).find(|run| (4..=8).contains(&run.len()));
            let n = rental.messages.len();
            let at = format!("2026-04-26T20:04:{n:02}Z");
            rental
                .messages
                .push(json!({ "id": format!("m{n}"), "from": "Sender", "text": text, "code": code, "at": at }));
            rental.state = "received";
        }
    }

    fn rent(&mut self, wanted: &Wanted) -> Result<Value, &'static str> {
        let max = Money::parse(&wanted.max_price, Currency::Usd).ok_or("internal")?;
        if self.rentals.iter().any(|rental| rental.reference == wanted.reference) {
            return Err("reference_used");
        }
        if (wanted.country.as_str(), wanted.service.as_str()) != PRODUCT || self.stock == 0 {
            return Err("out_of_stock");
        }
        if max.minor < self.price.minor {
            return Err("price_too_low");
        }
        if self.balance.minor < self.price.minor {
            return Err("no_funds");
        }
        self.balance.minor -= self.price.minor;
        self.stock -= 1;
        let n = self.rentals.len();
        let (id, phone) = (format!("pel-{n}"), format!("+62 812-9000-{n:04}"));
        let (reference, price, messages) = (wanted.reference.clone(), self.price, Vec::new());
        let rented_at = seconds_now();
        self.rentals.push(Rental { id: id.clone(), phone, price, reference, rented_at, state: "waiting", messages });
        if let Some(text) = self.greeting.clone() {
            self.deliver(&id, &text);
        }
        self.rental(&id).map(|rental| rental.shown()).ok_or("internal")
    }

    fn step(&mut self, id: &str, step: Step) -> Result<Value, &'static str> {
        let rental = self.rental(id).ok_or("not_found")?;
        let (open, has_messages, done) = (rental.is_open(), !rental.messages.is_empty(), step.done());
        match step {
            _ if rental.state == done && step != Step::More => {}
            _ if !open => return Err("not_found"),
            Step::Cancel if has_messages => return Err("has_messages"),
            Step::Cancel | Step::Finish => rental.state = done,
            Step::More => {}
        }
        let refund = if step == Step::Cancel && open { std::mem::replace(&mut rental.price.minor, 0) } else { 0 };
        self.balance.minor += refund;
        Ok(json!({ "state": done }))
    }
}

#[allow(clippy::disallowed_methods, reason = "the vendor's clock is the machine's")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    Cancel,
    Finish,
}

impl Step {
    fn done(self) -> &'static str {
        match self {
            Self::More => "waiting",
            Self::Cancel => "cancelled",
            Self::Finish => "finished",
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    country: String,
    service: String,
    max_price: String,
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Which {
    ids: Option<String>,
    from: Option<u64>,
    until: Option<u64>,
}

type Shared = Arc<Mutex<Books>>;

fn lock(books: &Shared) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running simulator, until the runtime that it was started on ends.
pub struct Simulator {
    /// Where it listens.
    pub address: SocketAddr,
    books: Shared,
}

impl Simulator {
    /// Starts it on a free port of loopback, with an account of 100 dollars that shows this key.
    #[allow(clippy::disallowed_methods, reason = "a server of its own needs a task of its own")]
    pub async fn start(key: &str) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let books: Shared = Arc::new(Mutex::new(Books {
            key: key.to_owned(),
            price: Money::new(290_000, Currency::Usd),
            stock: 1_000,
            balance: Money::new(100_000_000, Currency::Usd),
            rentals: Vec::new(),
            greeting: None,
        }));
        let router = Router::new()
            .route("/v1/balance", get(balance))
            .route("/v1/offers", get(offers))
            .route("/v1/rentals", get(list).post(rent))
            .route("/v1/rentals/more", post(async |books, headers, id| take(books, headers, id, Step::More)))
            .route("/v1/rentals/cancel", post(async |books, headers, id| take(books, headers, id, Step::Cancel)))
            .route("/v1/rentals/finish", post(async |books, headers, id| take(books, headers, id, Step::Finish)))
            .with_state(books.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, books })
    }

    /// The books, for reading and writing.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }
}

/// The answer of an account that shows its key.
fn answer(
    books: &Shared,
    headers: &HeaderMap,
    say: impl FnOnce(&mut Books) -> Result<Value, &'static str>,
) -> Response {
    let mut books = lock(books);
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown != Some(&format!("Bearer {}", books.key)) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorised" }))).into_response();
    }
    match say(&mut books) {
        Ok(said) => Json(said).into_response(),
        Err(word) => (StatusCode::CONFLICT, Json(json!({ "error": word }))).into_response(),
    }
}

async fn balance(State(books): State<Shared>, headers: HeaderMap) -> Response {
    answer(&books, &headers, |books| Ok(json!({ "balance": books.balance.decimal() })))
}

async fn offers(State(books): State<Shared>, headers: HeaderMap) -> Response {
    answer(&books, &headers, |books| {
        let (country, service) = PRODUCT;
        let price = books.price.decimal();
        let offer =
            |country: &str| json!({ "country": country, "service": service, "price": price, "count": books.stock });
        // Antarctica, too, which the market does not have
        Ok(json!({ "offers": [offer("AQ"), offer(country)] }))
    })
}

async fn rent(State(books): State<Shared>, headers: HeaderMap, Json(wanted): Json<Wanted>) -> Response {
    answer(&books, &headers, |books| books.rent(&wanted))
}

async fn list(State(books): State<Shared>, headers: HeaderMap, Query(which): Query<Which>) -> Response {
    answer(&books, &headers, |books| {
        let wanted = |rental: &&Rental| match (&which.ids, which.from, which.until) {
            (Some(ids), ..) => ids.split(',').any(|id| id == rental.id),
            (None, None, None) => rental.is_open(),
            (None, from, until) => (from.unwrap_or(0)..until.unwrap_or(u64::MAX)).contains(&rental.rented_at),
        };
        Ok(json!({ "rentals": books.rentals.iter().filter(wanted).map(Rental::shown).collect::<Vec<_>>() }))
    })
}

fn take(State(books): State<Shared>, headers: HeaderMap, Json(named): Json<Named>, step: Step) -> Response {
    answer(&books, &headers, |books| books.step(&named.id, step))
}
