//! A1 over HTTP: an account is deleted by its token while orders are open.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use smscode_core::account::AccountId;
use smscode_core::store::TransferKind::{Capture, Deposit, Forfeit, Hold, Release};
use smscode_core::store::{Index, Owner, Range, Row, TransferKind};
use smscode_server::Config;
use smscode_server::config::Hidden;
use smscode_test_postgres::shared;
use tokio::task::block_in_place;

use crate::common::postgres::Migrated;
use crate::common::{Answer, Api, TOKEN, on_postgres, on_redb, serve};
use crate::{advance, assert_books, simulator};

const ADMIN: &str = "operators-0123456789abcdef0123456789";

async fn delete(api: &Api, body: Value) -> Answer {
    api.send(api.request(Method::DELETE, "/account").json(&body)).await
}

/// What the platform owes to all customers together, as operators see it: available and held.
async fn owed(api: &Api) -> (i64, i64) {
    let request = api.client.get(api.url("/admin/liabilities")).bearer_auth(ADMIN);
    let answer = api.send(request).await;
    let lines = answer.data()["currencies"].as_array().unwrap();
    let line = lines.iter().find(|line| line["currency"] == "IDR").unwrap();
    (line["available"].as_i64().unwrap_or_default(), line["held"].as_i64().unwrap_or_default())
}

/// Kinds of transfers by what they are about.
type Postings = BTreeMap<String, Vec<TransferKind>>;

/// Those of an account, read from the store itself.
async fn postings(api: &Api, account: AccountId) -> Postings {
    let index = Index::Transfers(Owner(account.bytes()));
    let page = api.running.app.store.scan(&index, &Range::all(), None, 1_000).await.unwrap();
    let mut found = Postings::new();
    for row in page.rows {
        let Row::Transfer(transfer) = row else { panic!("a transfer") };
        found.entry(transfer.subject).or_default().push(transfer.kind);
    }
    found
}

async fn assert_postings(api: &Api, (account, expected): &(AccountId, Postings)) {
    assert_eq!(postings(api, *account).await, *expected);
    assert_books(api).await;
}

/// Deletes the account; which one, and what must stand in its books in the end.
async fn delete_with_open_orders(api: &Api) -> (AccountId, Postings) {
    let platform = &api.running.app.platform;
    let account = platform.authenticate(&api.token).await.unwrap().unwrap();
    let received = api.order("sbx-code-now").await;
    advance(api, 2).await;
    // none that could be cancelled before all this has been looked at
    let (waiting, refused) = (api.order("sbx-cancel-early").await, api.order("sbx-cancel-refused").await);
    let (_, umbrella) = api.product("sbx-server-error-uncharged").await;
    let begun = api.create("v1", json!({"catalog_product_id": umbrella}), "unclear").await;
    assert_eq!(begun.code(), "REQUEST_IN_PROGRESS");
    let unclear = api.get("/v1/orders?limit=1").await.data()[0]["id"].clone();
    let (balance, price) = (api.balance().await, waiting["amount"].as_i64().unwrap());

    let told = api.get("/account/deletion").await;
    let told = told.data();
    assert_eq!((&told["available"], &told["held"], &told["debt"]), (&json!(balance), &json!(3 * price), &json!(0)));
    let becomes = |id: &Value| {
        let orders = told["orders"].as_array().unwrap();
        let order = orders.iter().find(|order| order["order_id"] == *id).unwrap();
        (order["becomes"].as_str().unwrap().to_owned(), order["held"].as_i64().unwrap())
    };
    assert_eq!(becomes(&received["id"]), ("completed".into(), 0));
    assert_eq!(becomes(&waiting["id"]), ("cancelled".into(), price));
    assert_eq!(becomes(&unclear), ("looked_up".into(), price));
    assert_eq!(owed(api).await, (balance, 3 * price));

    for body in [json!({}), json!({"forfeit": false}), json!({"forfeit": "yes"}), json!({"forfeit": true, "all": 1})] {
        assert_eq!(delete(api, body.clone()).await.code(), "VALIDATION_ERROR", "{body}");
    }
    assert_eq!(api.balance().await, balance, "nothing has changed");

    assert_eq!(delete(api, json!({"forfeit": true})).await.data(), &json!({"deleted": true}));
    assert_eq!(owed(api).await, (0, 3 * price), "what is held goes on without a reader");
    for path in ["/v1/balance", "/v1/orders", "/account/deletion", &format!("/account/orders/{unclear}/explain")] {
        assert_eq!(api.get(path).await.code(), "UNAUTHORIZED", "{path}");
    }
    assert_eq!(delete(api, json!({"forfeit": true})).await.code(), "UNAUTHORIZED", "it is deleted");
    let older = api.client.get(api.url(&format!("/stubs/handler_api.php?api_key={TOKEN}&action=getBalance")));
    assert_eq!(api.send(older).await.text, "BAD_KEY");

    advance(api, 1_500).await;
    assert_eq!(owed(api).await, (0, 0), "nobody is owed anything");
    assert_eq!(simulator(api).open(), 0);
    let subject = |id: &Value| format!("order:{id}");
    let expected = Postings::from([
        ("account".to_owned(), vec![Forfeit]),
        ("deposit:opening:demo".to_owned(), vec![Deposit]),
        (subject(&received["id"]), vec![Hold, Capture]),
        (subject(&waiting["id"]), vec![Hold, Release, Forfeit]),
        (subject(&refused["id"]), vec![Hold, Release, Forfeit]),
        (subject(&unclear), vec![Hold, Release, Forfeit]),
    ]);
    (account, expected)
}

fn with_operators(config: Config) -> Config {
    Config { admin_token: Some(Hidden::new(ADMIN)), ..config }
}

/// And whoever starts the sandbox again begins anew, with the same token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a1_delete_with_open_orders_on_redb() {
    let dir = tempfile::tempdir().unwrap();
    let api = serve(with_operators(on_redb(dir.path()))).await;
    let deleted = delete_with_open_orders(&api).await;
    assert_postings(&api, &deleted).await;
    api.running.shutdown().await;
    for _again in 0..2 {
        let api = serve(with_operators(on_redb(dir.path()))).await;
        assert_eq!(api.balance().await, 5_000_000, "play money, once");
        assert_eq!(api.get("/v1/orders").await.data(), &json!([]), "nothing of the account before");
        assert_postings(&api, &deleted).await;
        api.running.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a1_delete_with_open_orders_on_postgres() {
    let database = Migrated::on(block_in_place(shared)).await;
    let dir = tempfile::tempdir().unwrap();
    let api = serve(with_operators(on_postgres(&database, dir.path()))).await;
    let deleted = delete_with_open_orders(&api).await;
    assert_postings(&api, &deleted).await;
}
