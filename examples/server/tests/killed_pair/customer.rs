//! Customers: each order is wanted by one who asks whichever server answers, again and again under one key, and who then
//! finishes, cancels, or forgets it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::SemaphorePermit;
use tokio::time::sleep;

use super::dice::Dice;
use super::supplier::drawn;
use super::world::{CUSTOMERS, World};

/// The end of a key whose purchase was refused for certain.
pub const REFUSED: &str = "REFUSED";
/// An order that has not ended after so long is stuck: its window, the last check with its grace, and a busy machine.
const STUCK: Duration = Duration::from_secs(400);
/// Nobody is kept from ordering by one who waits for longer.
const LONG: Duration = Duration::from_secs(5);
/// A refused purchase is wanted this often.
const TRIES: u32 = 4;

/// What an order's owner saw of it.
pub struct Seen {
    pub key: String,
    /// `None` if its purchase was refused.
    pub id: Option<i64>,
    pub end: String,
    /// When it was first asked for, from the begin on, and how long until its end.
    pub placed_at: Duration,
    pub lasted: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Finish,
    Cancel,
    Forget,
}

/// One order, or the wish for one.
struct Customer<'a> {
    world: &'a World,
    dice: Dice,
    customer: u64,
    key: String,
    begun: Instant,
}

/// All orders, as they have ended.
pub async fn customers(world: &World, orders: u64) -> Vec<Seen> {
    let opened = Instant::now();
    join_all((0..orders).map(|n| async move {
        let mut dice = Dice::new(world.seed, n);
        let wish = match dice.below(10) {
            0..=5 => Wish::Finish,
            6..=7 => Wish::Cancel,
            _ => Wish::Forget,
        };
        let placing = world.placing.acquire().await.unwrap();
        let mut customer =
            Customer { world, dice, customer: n % CUSTOMERS, key: format!("key-{n}"), begun: Instant::now() };
        let id = customer.place(placing).await;
        let end = match id {
            Some(id) => customer.end(id, wish).await,
            None => REFUSED.to_owned(),
        };
        let (placed_at, lasted) = (customer.begun - opened, customer.begun.elapsed());
        Seen { key: customer.key, id, end, placed_at, lasted }
    }))
    .await
}

impl Customer<'_> {
    async fn pause(&mut self, from: u64, to: u64) {
        sleep(Duration::from_millis(self.dice.between((from, to)))).await;
    }

    /// Orders until it is known what came of it. Others may begin once this one has its first answer.
    async fn place(&mut self, placing: SemaphorePermit<'_>) -> Option<i64> {
        let product = self.world.products[drawn(&mut self.dice).slug];
        let (mut placing, mut refused) = (Some(placing), 0);
        loop {
            let key = self.key.clone();
            let create = |client: &Client, url| {
                client.post(url).header("idempotency-key", &key).json(&json!({"catalog_product_id": product}))
            };
            let answer = self.world.ask(&mut self.dice, self.customer, create, "/v1/orders/create").await;
            match answer {
                Some((200, body)) => return Some(body["data"]["orders"][0]["id"].as_i64().expect("an id")),
                Some((409, body)) => {
                    assert_eq!(body["error"]["code"], "REQUEST_IN_PROGRESS", "{body}");
                    placing = None;
                    self.pause(300, 1_500).await;
                }
                Some((422, body)) => {
                    let code = body["error"]["code"].as_str().unwrap();
                    assert!(matches!(code, "PROVIDER_ERROR" | "NO_OFFER_AVAILABLE"), "{body}");
                    refused += 1;
                    if refused == TRIES {
                        return None;
                    }
                    self.pause(300, 1_500).await;
                }
                Some((503, _)) | None => self.pause(50, 250).await,
                Some((status, body)) => panic!("{}: {status} {body}", self.key),
            }
            assert!(self.begun.elapsed() < STUCK, "{} is in progress for ever", self.key);
            drop(placing.take_if(|_| self.begun.elapsed() > LONG));
        }
    }

    /// Does with an order what its owner wants, and reads it until it has ended.
    async fn end(&mut self, id: i64, wish: Wish) -> String {
        let mut shown = false;
        let cancel_after = Duration::from_millis(self.dice.below(4_000));
        let placed = Instant::now();
        loop {
            let Some((200, body)) = self.get(&format!("/v1/orders/{id}")).await else {
                self.pause(50, 250).await;
                continue;
            };
            let order = &body["data"];
            shown |= !order["otp_code"].is_null();
            let status = order["status"].as_str().expect("a status");
            match status {
                "COMPLETED" | "CANCELED" | "EXPIRED" => {
                    assert!(!shown || status == "COMPLETED", "order {id} showed its code and is {status}");
                    return status.to_owned();
                }
                "OTP_RECEIVED" if wish == Wish::Finish => self.act("finish", id).await,
                "ACTIVE" if wish == Wish::Cancel && placed.elapsed() > cancel_after => self.act("cancel", id).await,
                "ACTIVE" | "OTP_RECEIVED" => {}
                other => panic!("order {id} is {other}"),
            }
            if self.begun.elapsed() > STUCK {
                let why = self.get(&format!("/account/orders/{id}/explain")).await;
                panic!("order {id} has not ended: {why:?}");
            }
            self.pause(400, 1_200).await;
        }
    }

    async fn get(&mut self, path: &str) -> Option<(u16, Value)> {
        self.world.ask(&mut self.dice, self.customer, |client: &Client, url| client.get(url), path).await
    }

    /// The answer may be lost, and may be a refusal: the next read tells how the order stands.
    async fn act(&mut self, action: &str, id: i64) {
        let post = |client: &Client, url| client.post(url).json(&json!({"id": id}));
        drop(self.world.ask(&mut self.dice, self.customer, post, &format!("/v1/orders/{action}")).await);
    }
}
