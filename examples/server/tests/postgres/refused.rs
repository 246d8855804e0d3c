//! `migrate`, and what ends a start: one line, a code, exit code 2, and no password.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::postgres::{Migrated, PASSWORD, ROLE, as_role};
use crate::common::{TOKEN, on_postgres, program, serve};
use smscode_test_postgres::{Server, free_port, shared};
use tokio::task::block_in_place;

/// Takes the newest migration out of the list, or puts another behind it.
const OLDER: &str = "DELETE FROM smscode.migrations WHERE version = (SELECT max(version) FROM smscode.migrations)";
const NEWER: &str =
    "INSERT INTO smscode.migrations SELECT (jsonb_populate_record(m, jsonb_build_object('version', version + 1))).*
    FROM smscode.migrations m ORDER BY version DESC LIMIT 1";

fn server() -> &'static Server {
    block_in_place(shared)
}

/// What the program says and how it ends. Whatever happens, no password is said.
fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = block_in_place(|| command.output()).unwrap();
    let (said, told) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(!said.contains("planted") && !told.contains("planted"), "{said}\n{told}");
    (status.code(), said, told)
}

/// A server that does not start; its one line.
fn refused(store: &str, dir: &Path) -> String {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]).arg(dir.join("data"));
    let (code, said, told) = output(command.env("SMSCODE_STORE", store));
    assert_eq!((code, &*said, told.lines().count()), (Some(2), "", 1), "{told}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrate_prepares_a_database_once_and_a_server_of_its_role_serves_in_it() {
    let (server, dir) = (server(), tempfile::tempdir().unwrap());
    let database = server.database().await;
    let role = format!("cli_{}", database.name());
    let store = as_role(database.url(), &role, PASSWORD);
    let migrate = |admin_url: &str| {
        let mut command = program();
        output(command.arg("migrate").envs([("SMSCODE_ADMIN_URL", admin_url), ("SMSCODE_STORE", &store)]))
    };
    let nowhere = format!("postgres://admin:planted@127.0.0.1:{}/x", free_port());
    let (code, _, told) = migrate(&nowhere);
    assert_eq!(code, Some(1), "away: run it again\n{told}");
    let (code, _, told) = migrate(&as_role(database.url(), "postgres", "planted-wrong"));
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("refuses the password") && told.contains("[store_unusable]"), "{told}");

    let (code, said, told) = migrate(database.url());
    assert_eq!((code, &*told), (Some(0), ""));
    assert!(said.starts_with("schema: 0 migrations there, "), "{said}");
    assert!(said.contains(&format!("role {role}: made; may read and write rows, and nothing else")), "{said}");
    let (code, said, _) = migrate(database.url());
    assert_eq!(code, Some(0));
    assert!(said.contains("nothing to do") && said.contains("there already"), "{said}");

    let may = format!(
        "SELECT has_database_privilege('{role}', current_database(), 'CREATE'),
            has_schema_privilege('{role}', 'smscode', 'CREATE'),
            has_table_privilege('{role}', 'smscode.migrations', 'INSERT'),
            has_table_privilege('{role}', 'smscode.records', 'INSERT, UPDATE, DELETE')"
    );
    assert_eq!(server.sql(database.name(), &may).await, ["f|f|f|t"]);
    let prepared = Migrated { url: store.clone(), database };
    let api = serve(on_postgres(&prepared, dir.path())).await;
    assert_eq!(api.balance().await, 5_000_000);
    api.order("sbx-manual").await;
    api.running.shutdown().await;
    let name = prepared.database.name();
    server.sql(name, &format!("DROP OWNED BY {role}")).await;
    server.sql(name, &format!("DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_waiting_cannot_mend_ends_with_one_line() {
    let (server, dir) = (server(), tempfile::tempdir().unwrap());
    let migrated = Migrated::on(server).await;
    let name = migrated.database.name();
    let empty = server.database().await;
    let outsider = format!("outsider_{name}");
    server.sql(name, &format!("CREATE ROLE {outsider} LOGIN PASSWORD '{PASSWORD}'")).await;
    let cases = [
        (as_role(&migrated.url, ROLE, "planted-wrong"), "refuses the password", "[store_unusable]"),
        (as_role(&migrated.url, &outsider, PASSWORD), "no rights there", "[store_unusable]"),
        (migrated.url.replace(name, "no_such_database"), "no such database", "[store_unusable]"),
        (format!("{}?sslmode=verify-full", migrated.url), "TLS to the server failed", "[store_unusable]"),
        (as_role(empty.url(), ROLE, PASSWORD), "smscode-server migrate --admin-url", "[store_format]"),
    ];
    for (store, reason, code) in cases {
        let told = refused(&store, dir.path());
        assert!(told.contains(reason) && told.trim_end().ends_with(code), "{reason}\n{told}");
    }
    server.sql(name, &format!("DROP ROLE {outsider}")).await;
    for (change, reason) in
        [(NEWER, "the database is newer"), (OLDER, ""), (OLDER, "smscode-server migrate --admin-url")]
    {
        server.sql(name, change).await;
        if !reason.is_empty() {
            let told = refused(&migrated.url, dir.path());
            assert!(told.contains(reason) && told.trim_end().ends_with("[store_format]"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_served_with_its_own_keys_and_in_its_own_mode() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let migrated = Migrated::on(server()).await;
    serve(on_postgres(&migrated, dir.path())).await.running.shutdown().await;
    let told = refused(&migrated.url, other.path());
    assert!(told.contains("share one keyring directory") && told.contains("[keyring_other]"), "{told}");
    let live = dir.path().join("live.toml");
    let supplier =
        "[[supplier]]\nname = \"a\"\ndialect = \"smscode\"\nbase_url = \"http://127.0.0.1:9/\"\napi_key = \"k\"";
    std::fs::write(&live, supplier).unwrap();
    let mut command = program();
    command.arg("--config").arg(live).args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path().join("data"));
    let (code, _, told) = output(command.env("SMSCODE_STORE", &migrated.url));
    assert_eq!(code, Some(2));
    assert!(told.contains("the Postgres database is a sandbox store") && told.contains("[store_mode]"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_under_a_server_that_is_up_is_told_and_mended_without_a_restart() {
    let (server, dir) = (server(), tempfile::tempdir().unwrap());
    let migrated = Migrated::on(server).await;
    let name = migrated.database.name();
    let api = serve(on_postgres(&migrated, dir.path())).await;
    let state = async || {
        let answer = api.get("/readyz").await;
        match answer.status.as_u16() {
            200 => answer.data()["store"].clone(),
            _ => {
                assert_eq!(answer.code(), "SERVICE_UNAVAILABLE");
                assert!(answer.details()["reason"].is_string() && answer.details()["recovered"] == true);
                answer.details()["store"].clone()
            }
        }
    };
    let sql = async |statement: &str| server.sql(name, statement).await;
    assert_eq!(state().await, "ok");
    sql(NEWER).await;
    assert_eq!(state().await, "newer");
    assert_eq!(api.get("/v1/balance").await.status, 200, "what is served is served on");
    sql(OLDER).await;
    sql("CREATE TABLE kept AS SELECT * FROM smscode.migrations").await;
    sql(OLDER).await;
    assert_eq!(state().await, "older");
    sql("TRUNCATE smscode.migrations; INSERT INTO smscode.migrations SELECT * FROM kept").await;
    assert_eq!(state().await, "ok");

    // for connections that are made from now on
    let alter = async |what: &str| {
        // from elsewhere: in a database that is read only there is no writing to end that
        server.sql("postgres", &format!("ALTER DATABASE {name} {what}")).await;
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sql(others).await;
    };
    let order = api.order("sbx-manual").await;
    alter("CONNECTION LIMIT 0").await;
    assert_eq!(api.get("/v1/balance").await.code(), "SERVICE_UNAVAILABLE", "out of connections");
    assert_eq!(state().await, "away");
    alter("CONNECTION LIMIT -1").await;
    assert_eq!(state().await, "ok");

    // read only: what has to be written is refused, what is read is not
    alter("SET default_transaction_read_only = on").await;
    let (slot, _) = api.product("sbx-manual").await;
    let body = serde_json::json!({"product_id": slot});
    assert_eq!(api.create("v1", body.clone(), "read-only").await.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(api.read(&order["id"]).await["status"], "ACTIVE");
    let bought =
        api.get(&format!("/stubs/handler_api.php?api_key={TOKEN}&action=getNumber&service=wa&country=6")).await;
    assert_eq!(
        (bought.status.as_u16(), &*bought.text, &bought.headers["retry-after"]),
        (503, "SERVER_ERROR", &"2".parse().unwrap())
    );
    alter("SET default_transaction_read_only = off").await;
    api.create("v1", body, "read-only").await.data();
    assert_eq!(api.action("v1", "resend", &order["id"]).await.code(), "CONFLICT", "and goes on");
    api.ledger_adds_up().await;
}
