//! `backup`, `restore`, `verify` and `move`: on real stores, while a server works with them where that is possible.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::postgres::{Migrated, PASSWORD};
use common::{Api, program, serve, until};
use serde_json::{Value, json};
use smscode_core::money::Currency;
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use smscode_server::config::StoreChoice;
use smscode_server::limit::LimitSettings;
use smscode_server::{Config, start};
use smscode_test_postgres::shared;
use tokio::task::block_in_place;

/// Customers of these tests are impatient.
const NO_LIMITS: LimitSettings = LimitSettings { requests_a_minute: 1_000_000, attempts_a_minute: 0 };

fn redb(path: &Path) -> String {
    format!("redb:{}", path.display())
}

fn on_disk(dir: &Path) -> Config {
    Config { limits: Some(NO_LIMITS), ..common::on_redb(dir) }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("data").join("smscode.redb")
}

fn command(arguments: &[&str], store: &str) -> Command {
    let mut command = program();
    command.args(arguments).env("SMSCODE_STORE", store);
    command
}

/// Runs the program on a store; its exit code and what it said.
fn run(arguments: &[&str], store: &str) -> (i32, String) {
    ended(&command(arguments, store).output().unwrap())
}

fn ended(output: &Output) -> (i32, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(PASSWORD), "a password is printed: {said}");
    (output.status.code().unwrap(), said)
}

fn moves(from: &str, to: &str, undo: bool) -> (i32, String) {
    let mut command = program();
    command.arg("move").args(undo.then_some("--undo"));
    ended(&command.env("SMSCODE_MOVE_FROM", from).env("SMSCODE_MOVE_TO", to).output().unwrap())
}

/// Looks through a store; what was found.
fn verified(store: &str) -> Value {
    let (code, said) = run(&["verify", "--json", "--at-rest"], store);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((code, &report["clean"]), (0, &json!(true)), "{said}");
    report
}

/// One order that is finished, one that was given back, one that waits for its SMS.
async fn some_orders(api: &Api) -> [Value; 3] {
    let done = api.order("sbx-manual").await;
    api.sms(&done["phone_number"], "Your code is 424242").await;
    api.until(&done["id"], |order| order["otp_code"] == "424242").await;
    api.action("v1", "finish", &done["id"]).await.data();
    let back = api.order("sbx-manual").await;
    api.until_cancellable(&back["id"]).await;
    api.action("v1", "cancel", &back["id"]).await.data();
    [done, back, api.order("sbx-manual").await]
}

async fn assert_postings(api: &Api, orders: &[Value; 3]) {
    let [done, back, open] = orders;
    api.assert_postings(&done["id"], &[Hold, Capture]).await;
    api.assert_postings(&back["id"], &[Hold, Release]).await;
    api.assert_postings(&open["id"], &[Hold]).await;
}

/// Tries again until the leases of the server that was stopped have run out.
async fn when_free(tries: impl Fn() -> (i32, String)) -> (i32, String) {
    let began = std::time::Instant::now();
    loop {
        let (code, said) = tries();
        if !said.contains("store_in_use") || began.elapsed() > Duration::from_secs(60) {
            return (code, said);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o3_move_redb_to_postgres_and_on_to_redb() {
    let database = Migrated::on(block_in_place(shared)).await;
    let dir = tempfile::tempdir().unwrap();
    let config = on_disk(dir.path());
    let api = serve(config.clone()).await;
    let orders = some_orders(&api).await;
    let open = &orders[2];
    let (balance, totals) = (api.balance().await, api.running.app.platform.totals().await.unwrap());
    api.running.shutdown().await;

    let first = redb(&file(dir.path()));
    let (code, said) = moves(&first, &database.url, false);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("row by row") && said.contains("everything fits"), "{said}");
    assert_eq!(verified(&database.url)["totals"]["IDR"]["transfers"], totals.currencies[&Currency::Idr].transfers);
    let refused = start(config.clone()).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), "store_moved");
    assert!(refused.to_string().contains("was moved to the Postgres database at "), "{refused}");

    // the same keys, the same customer, the same open order with its number
    let mut served = Config { store: database.choice(), ..config.clone() };
    served.platform.lease_ms = 2_000;
    let api = serve(served).await;
    assert_eq!(api.running.app.platform.totals().await.unwrap(), totals);
    assert_eq!(api.balance().await, balance);
    let order = api.read(&open["id"]).await;
    assert_eq!((&order["status"], &order["phone_number"]), (&json!("ACTIVE"), &open["phone_number"]));
    assert_postings(&api, &orders).await;
    assert_eq!(moves(&database.url, &redb(&dir.path().join("early.redb")), false).0, 2, "while a server works with it");
    api.running.shutdown().await;

    // something was done there, so the way back is another move
    let (code, said) = when_free(|| moves(&first, &database.url, true)).await;
    assert!(code == 2 && said.contains("move_no_way_back") && said.contains("nothing was changed"), "{said}");
    let again = redb(&dir.path().join("again").join("smscode.redb"));
    let (code, said) = when_free(|| moves(&database.url, &again, false)).await;
    assert_eq!(code, 0, "{said}");
    verified(&again);
    let config = Config { store: StoreChoice::Redb(dir.path().join("again").join("smscode.redb")), ..config };
    let api = serve(config).await;
    assert_eq!(api.running.app.platform.totals().await.unwrap(), totals);
    assert_eq!(api.read(&open["id"]).await["phone_number"], open["phone_number"]);
    assert_postings(&api, &orders).await;
    api.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o3_a_move_is_taken_back_while_nothing_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let config = on_disk(dir.path());
    let api = serve(config.clone()).await;
    let orders = some_orders(&api).await;
    api.running.shutdown().await;
    let (first, second) = (redb(&file(dir.path())), redb(&dir.path().join("second.redb")));
    assert_eq!(moves(&first, &second, true).0, 2, "it was not moved");
    assert_eq!(moves(&first, &first, false).0, 2, "a file is not opened twice");
    let (code, said) = moves(&first, &second, false);
    assert_eq!(code, 0, "{said}");
    let (code, said) = moves(&first, &second, false);
    assert!(code == 2 && said.contains("store_not_empty"), "moved twice: {said}");
    let (code, said) = moves(&first, &redb(&dir.path().join("third.redb")), false);
    assert!(code == 2 && said.contains("store_moved"), "{said}");
    assert!(!dir.path().join("third.redb").exists(), "nothing came into it");
    let (code, said) = moves(&first, &second, true);
    assert_eq!(code, 0, "{said}");
    let api = serve(config.clone()).await;
    assert_postings(&api, &orders).await;
    api.running.shutdown().await;
    let refused = start(Config { store: StoreChoice::Redb(dir.path().join("second.redb")), ..config }).await;
    assert_eq!(refused.map(drop).unwrap_err().code(), "store_moved");
}

/// Customers at once.
const CUSTOMERS: usize = 8;

/// Customers who order, read their code and finish, until they are told to stop.
async fn customers(api: &Arc<Api>, stop: &Arc<AtomicBool>, done: &Arc<AtomicUsize>) -> tokio::task::JoinSet<()> {
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..CUSTOMERS {
        let (api, stop, done) = (api.clone(), stop.clone(), done.clone());
        crowd.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let order = api.order("sbx-code-now").await;
                api.until(&order["id"], |order| !order["otp_code"].is_null()).await;
                api.action("v1", "finish", &order["id"]).await.data();
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    crowd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_under_load_restore_to_clean_stores() {
    let database = Migrated::on(block_in_place(shared)).await;
    let dir = tempfile::tempdir().unwrap();
    let on_postgres = Config { limits: Some(NO_LIMITS), ..common::on_postgres(&database, dir.path()) };
    for (n, config) in [on_disk(dir.path()), on_postgres].into_iter().enumerate() {
        let api = Arc::new(serve(config).await);
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let mut crowd = customers(&api, &stop, &done).await;
        let mut files = Vec::new();
        for round in 0..4 {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let to = dir.path().join(format!("{n}-{round}.backup"));
            if n == 1 {
                // a database is read by the command itself
                let task = ["backup", "--to", to.to_str().unwrap()];
                let (code, said) = block_in_place(|| run(&task, &database.url));
                assert_eq!(code, 0, "{said}");
            } else {
                let answer = smscode_server::surface::backup::backup(&api.running.app).await.unwrap();
                let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                std::fs::write(&to, bytes).unwrap();
            }
            files.push(to);
        }
        until("orders go through", async || done.load(Ordering::Relaxed) > CUSTOMERS).await;
        stop.store(true, Ordering::Relaxed);
        while let Some(one) = crowd.join_next().await {
            one.unwrap();
        }
        let done = done.load(Ordering::Relaxed);
        Arc::into_inner(api).unwrap().running.shutdown().await;
        for from in &files {
            let (code, said) = block_in_place(|| run(&["verify", "--file", from.to_str().unwrap()], "memory"));
            assert!(code == 0 && said.contains("is whole: a sandbox store of"), "{said}");
            let fresh = Migrated::on(block_in_place(shared)).await;
            for store in [redb(&from.with_extension("redb")), fresh.url.clone()] {
                let task = ["restore", "--from", from.to_str().unwrap()];
                let (code, said) = block_in_place(|| run(&task, &store));
                assert!(code == 0 && said.contains("everything fits"), "{said}");
                block_in_place(|| verified(&store));
            }
        }
        println!("{done} orders while {} backups were made", files.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_store_is_served_and_knows_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let config = on_disk(dir.path());
    let api = serve(config.clone()).await;
    let orders = some_orders(&api).await;
    let open = &orders[2];
    let balance = api.balance().await;
    let store = redb(&file(dir.path()));
    let to = dir.path().join("a.backup");
    let task = ["backup", "--to", to.to_str().unwrap()];
    let (code, said) = block_in_place(|| run(&task, &store));
    assert!(code == 2 && said.contains("/admin/backup"), "a file has one process at a time: {said}");
    api.running.shutdown().await;
    let (code, said) = block_in_place(|| run(&task, &store));
    assert_eq!(code, 0, "{said}");
    let (code, said) = block_in_place(|| run(&task, &store));
    assert!(code == 2 && said.contains("not overwritten"), "{said}");

    let restore = ["restore", "--from", to.to_str().unwrap()];
    let (code, said) = block_in_place(|| run(&restore, &store));
    assert!(code == 2 && said.contains("store_not_empty"), "{said}");
    let other = dir.path().join("restored.redb");
    let (code, said) = block_in_place(|| run(&restore, &redb(&other)));
    assert_eq!(code, 0, "{said}");
    let api = serve(Config { store: StoreChoice::Redb(other), ..config }).await;
    assert_eq!(api.balance().await, balance);
    assert_eq!(api.read(&open["id"]).await["phone_number"], open["phone_number"], "sealed under the same keys");
    api.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_told_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let config = on_disk(dir.path());
    serve(config).await.running.shutdown().await;
    let store = redb(&file(dir.path()));
    let at = |name: &str| dir.path().join(name);
    let to = at("whole.backup");
    assert_eq!(run(&["backup", "--to", to.to_str().unwrap()], &store).0, 0);
    let bytes = std::fs::read(&to).unwrap();
    let line_end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let newer = [b"smscode backup 7", &bytes[line_end..]].concat();
    let cases: [(&str, &[u8], &str); 5] = [
        ("cut", &bytes[..bytes.len() - 9], "backup_cut_off"),
        ("flipped", &flipped, "backup_damaged"),
        ("newer", &newer, "backup_newer"),
        ("foreign", b"PK\x03\x04", "backup_foreign"),
        ("nothing", b"", "backup_cut_off"),
    ];
    for (name, bytes, code) in cases {
        let from = at(name);
        std::fs::write(&from, bytes).unwrap();
        let target = at(&format!("{name}.redb"));
        for task in [["restore", "--from"], ["verify", "--file"]] {
            let (exit, said) = run(&[task[0], task[1], from.to_str().unwrap()], &redb(&target));
            assert!(exit == 2 && said.contains(code), "{name}: {said}");
        }
        assert!(!target.exists(), "{name}: something was written");
    }
    let nowhere = redb(&at("nowhere.redb"));
    for task in [&["backup", "--to", "x"][..], &["verify"]] {
        let (exit, said) = run(task, &nowhere);
        assert!(exit == 2 && said.contains("there is no such file"), "{said}");
        assert_eq!(run(task, "memory").0, 2);
    }
    assert!(!at("nowhere.redb").exists() && !Path::new("x").exists());
    // through pipes
    let backup = command(&["backup", "--to", "-"], &store).output().unwrap();
    assert!(backup.status.success() && backup.stdout.len() >= bytes.len());
}
