//! The program itself: settings, banner, logs, signals.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use common::postgres::{Migrated, PASSWORD};
use common::{program, until};
use serde_json::{Value, json};
use smscode_test_postgres::shared;
use tokio::task::block_in_place;

const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz012345";

fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// Reads the banner until it names its address.
fn address(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    loop {
        let line = lines.next().expect("a banner").unwrap();
        if let Some(address) = line.trim().strip_prefix("address ") {
            return address.trim().to_owned();
        }
    }
}

fn end(child: &mut Child, signal: &str) -> bool {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    child.wait().unwrap().success()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_or_secret_is_logged_even_when_everything_is() {
    let database = Migrated::on(block_in_place(shared)).await;
    let dir = tempfile::tempdir().unwrap();
    let file = format!("redb:{}", dir.path().join("data").join("smscode.redb").display());
    for store in [&file, &database.url] {
        secretive(dir.path(), store).await;
    }
}

/// Runs a server through an order with its log wide open.
async fn secretive(dir: &std::path::Path, store: &str) {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.join("data"))
        .envs([("SMSCODE_DEMO_TOKEN", TOKEN), ("SMSCODE_LOG", "trace"), ("SMSCODE_STORE", store)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let url = address(&mut child);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| -> Value {
        let request = client.get(format!("{url}{path}")).bearer_auth(TOKEN);
        request.send().await.unwrap().json().await.unwrap()
    };
    let products = get("/v1/catalog/products?limit=1&note=planted-query").await;
    let body = json!({"product_id": products["data"][0]["id"]});
    let created = client.post(format!("{url}/v1/orders/create")).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    let created: Value = created.json().await.unwrap();
    let order = &created["data"]["orders"][0];
    let phone = order["phone_number"].as_str().unwrap().to_owned();
    let sms = json!({"phone": phone, "text": "planted-text with code 80915172"});
    assert_eq!(client.post(format!("{url}/sandbox/sms")).json(&sms).send().await.unwrap().status(), 202);
    let path = format!("/v1/orders/{}", order["id"]);
    until("the code is read", async || get(&path).await["data"]["otp_code"] == "80915172").await;
    assert!(end(&mut child, "-TERM"), "an orderly end");
    let log = log.join().unwrap();
    assert!(log.contains("route=\"/v1/orders/create\" status=200"), "a positive control\n{log}");
    let simulator_key = "api_key=";
    for planted in [TOKEN, &phone[1..], "planted-text", "80915172", "planted-query", simulator_key, PASSWORD] {
        if let Some(line) = log.lines().find(|line| line.contains(planted)) {
            panic!("{planted} is logged: {line}");
        }
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    std::fs::write(&file, "[rates]\nusd_ird = 16000\n").unwrap();
    let cases = [
        (fails(program().env("SMSCODE_LISTEM", "x")), "SMSCODE_LISTEM; did you mean SMSCODE_LISTEN?"),
        (fails(program().arg("--config").arg(&file)), "[rates]: there is no setting usd_ird; did you mean usd_idr?"),
        (
            fails(program().args(["--store", "mysql://u:planted@h/d"])),
            "store: must be redb:PATH, memory or postgres://",
        ),
        (fails(program().arg("postgres://u:planted@h/d")), "an address stands where none is expected"),
        (fails(program().arg("--listen=postgres://u:planted@h/d")), "an address stands where none is expected"),
        (fails(program().args(["migrate", "--admin-url", "planted"])), "store: migrate needs the address"),
        (fails(program().env("SMSCODE_STORE", "postgres://u:planted@h/d").arg("migrate")), "--admin-url"),
        (
            fails(
                program()
                    .env("SMSCODE_STORE", "postgres://u:pl@nted@h:x/d")
                    .arg("--data-dir")
                    .arg(dir.path().join("data")),
            ),
            "the address of the server cannot be read",
        ),
        (fails(program().args(["--listn", "x"])), "'--listen'"),
        (fails(program().args(["--listen", "8080"])), "--listen"),
        (fails(program().args(["--config", "/nowhere/at/all.toml"])), "/nowhere/at/all.toml"),
        (fails(program().env("SMSCODE_DEMO_TOKEN", "planted")), "SMSCODE_DEMO_TOKEN: must be 32 letters and digits"),
        (fails(program().args(["--log", "=,=", "--store", "memory"])), "log: not a filter"),
    ];
    for (told, expected) in cases {
        assert!(told.contains(expected) && !told.contains("planted"), "{expected}\n{told}");
    }
}

#[test]
fn help_explains_and_shows_no_values() {
    let output = program().arg("--help").env("SMSCODE_LISTEN", "127.0.0.9:99").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in ["--listen <ADDR>", "SMSCODE_DATA_DIR", "SANDBOX", "smscode.example.toml", "SMSCODE_DEMO_TOKEN"] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("127.0.0.9"));
}
