//! The schema: who makes it, who may do what in it, and that every statement of the store fits it.

use std::collections::BTreeSet;
use std::process::Command;

use smscode_core::store::{Index, Range, Store};
use smscode_storage_postgres::{Migrated, PostgresOptions, PostgresStore, migrate};
use smscode_test_postgres::{Cluster, ClusterOptions, shared};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

use crate::common::{
    NAME, commit, effects, guest, numbered, numbered_with_absent, open, owner, single, together, within,
};

fn unsynced() -> ClusterOptions {
    ClusterOptions { fsync: false, ..ClusterOptions::default() }
}

/// What a role must not do with a schema that it only works in.
const FORBIDDEN: [&str; 12] = [
    "CREATE TABLE smscode.mine (n int)",
    "CREATE TABLE smscode_report.mine (n int)",
    "DROP TABLE smscode.events",
    "DROP SCHEMA smscode CASCADE",
    "TRUNCATE smscode.transfers",
    "ALTER TABLE smscode.heads DROP CONSTRAINT heads_held_check",
    "CREATE INDEX mine ON smscode.heads (held)",
    "INSERT INTO smscode.migrations SELECT * FROM smscode.migrations",
    "UPDATE smscode.migrations SET version = 1",
    "DELETE FROM smscode.migrations",
    "CREATE TRIGGER mine BEFORE INSERT ON smscode.events FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE ROLE another",
];

#[tokio::test]
async fn migrate_makes_a_role_that_works_and_may_change_no_table() {
    let cluster = Cluster::start(&unsynced());
    let (database, url) = guest(&cluster).await;
    let mut role = PgConnection::connect(&url).await.unwrap();
    for statement in FORBIDDEN {
        let error = role.execute(statement).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        assert_eq!(code, "42501", "{statement}: {error}");
    }
    let store = open(&url, PostgresOptions::default()).await;
    let of = owner(1);
    let sets: Vec<_> =
        (0..20).map(|n| if n % 3 == 0 { numbered_with_absent(of, n) } else { numbered(of, n) }).collect();
    assert!(together(&store, &sets).await.iter().all(Result::is_ok));
    assert_eq!(effects(&store, of).await, 20);
    for index in [Index::Heads, Index::Kind(crate::common::THING)] {
        assert!(!store.scan(&index, &Range::all(), None, 10).await.unwrap().rows.is_empty());
    }
    assert_eq!((store.totals().await.unwrap().currencies.len(), store.describe().await.unwrap().name), (1, "postgres"));
    // again, and as somebody who is there already
    let settings =
        "SELECT rolconfig::text, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'the_server'";
    let pictures = [
        "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'smscode'::regnamespace ORDER BY 1",
        "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname LIKE 'smscode%' ORDER BY 1",
        "SELECT version, installed_on FROM smscode.migrations ORDER BY 1",
        settings,
    ];
    let mut before = Vec::new();
    for picture in pictures {
        before.push(cluster.sql(database.name(), picture).await);
    }
    let again = migrate(database.url(), Some(&url)).await.unwrap();
    assert_eq!(again.role, Some((NAME.to_owned(), false)));
    assert_eq!(again.before, again.now);
    for (picture, before) in pictures.iter().zip(before) {
        assert_eq!(cluster.sql(database.name(), picture).await, before, "{picture}");
    }
    assert!(!commit(&store, &numbered(of, 100)).await.unwrap().replayed);
}

#[tokio::test]
async fn two_set_an_empty_database_up_at_once() {
    for round in 0..6 {
        let database = shared().database().await;
        let url = database.url();
        let stores = within(futures_util::future::join_all((0..4).map(|_| PostgresStore::open(url, single())))).await;
        for (n, store) in stores.into_iter().enumerate() {
            let store = store.unwrap_or_else(|error| panic!("round {round}: {error}"));
            commit(&store, &numbered(owner(1), n as u64)).await.unwrap();
        }
        let versions = "SELECT count(*), count(DISTINCT version), bool_and(success) FROM smscode.migrations";
        assert_eq!(shared().sql(database.name(), versions).await, ["15|15|t"]);
        assert_eq!(effects(&open(url, single()).await, owner(1)).await, 4);
    }
}

/// A first set-up that ended in the middle is taken up again.
#[tokio::test]
async fn a_set_up_that_was_interrupted_is_finished() {
    for keep in [0, 1, 7, 14] {
        let database = shared().database().await;
        migrate(database.url(), None).await.unwrap();
        let drops = "SELECT version, CASE
            WHEN description LIKE 'report\\_%' THEN 'DROP VIEW smscode_report.' || substr(description, 8)
            WHEN description = 'report' THEN 'DROP SCHEMA smscode_report'
            WHEN description IN ('statements', 'operation_times') THEN 'DROP INDEX smscode.' || description
            ELSE 'DROP TABLE smscode.' || description END
            FROM smscode.migrations ORDER BY version DESC";
        let newest_first = shared().sql(database.name(), drops).await;
        for line in &newest_first[..newest_first.len() - keep] {
            let (version, drop) = line.split_once('|').unwrap();
            let sql = format!("{drop}; DELETE FROM smscode.migrations WHERE version = {version}");
            shared().sql(database.name(), &sql).await;
        }
        let store = open(database.url(), single()).await;
        commit(&store, &numbered(owner(1), 0)).await.unwrap();
        assert_eq!(effects(&store, owner(1)).await, 1);
        let again = migrate(database.url(), None).await.unwrap();
        assert_eq!(again, Migrated { before: 15, now: 15, role: None });
    }
}

/// The statements that stand in the crate's sources, each made ready by the server against the schema.
#[tokio::test]
async fn every_statement_fits_the_schema() {
    let database = crate::common::fresh().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let statements = statements();
    assert!(statements.len() >= 15, "{}", statements.len());
    for sql in &statements {
        let prepared = connection.prepare(AssertSqlSafe(sql.as_str()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
    }
    println!("{} statements", statements.len());
}

/// Every text in the sources that begins like a statement and names the schema.
fn statements() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().chain(std::fs::read_dir(format!("{folder}/sql")).unwrap()) {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if path.extension().is_some_and(|extension| extension == "sql") {
            found.insert(text);
            continue;
        }
        let texts = text.split('"').skip(1).step_by(2);
        found.extend(texts.filter(|text| is_statement(text)).map(|text| text.replace("\\\n", "")));
    }
    found
}

fn is_statement(text: &str) -> bool {
    let begins = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "UPDATE "].iter().any(|word| text.starts_with(word));
    begins && !text.contains('{')
}

/// Views for reports have columns of fitting types, on what the platform itself has written.
#[tokio::test]
async fn views_show_what_the_platform_wrote() {
    use crate::platform::settled;
    let database = crate::common::fresh().await;
    let store = std::sync::Arc::new(open(database.url(), PostgresOptions::default()).await);
    let (world, order) = settled(store).await;
    let name = database.name();
    let orders = "SELECT state, service, country, supplier, price_minor, currency, messages,
        first_sms_at BETWEEN created_at AND created_at + interval '1 hour', ended_at >= first_sms_at,
        created_at > '2026-01-01', account::text <> '' FROM smscode_report.orders";
    assert_eq!(
        shared().sql(name, orders).await,
        [format!("completed|wa|6|alpha|{}|IDR|1|t|t|t|t", crate::platform::PRICE)]
    );
    let accounts = "SELECT currency, available_minor, held_minor, debt_minor, transfers, created_at > '2026-01-01'
        FROM smscode_report.accounts";
    let money = crate::platform::MONEY - crate::platform::PRICE;
    assert_eq!(shared().sql(name, accounts).await, [format!("IDR|{money}|0|0|3|t")]);
    let transfers =
        "SELECT number, kind, currency, amount_minor, debit, credit, available_after_minor, held_after_minor,
        at > '2026-01-01' FROM smscode_report.transfers WHERE number IS NOT NULL ORDER BY number";
    let (all, price) = (crate::platform::MONEY, crate::platform::PRICE);
    let wanted = [
        format!("1|deposit|IDR|{all}|house:clearing:host|available|{all}|0|t"),
        format!("2|hold|IDR|{price}|available|held|{money}|{price}|t"),
        format!("3|capture|IDR|{price}|held|house:revenue|{money}|0|t"),
    ];
    assert_eq!(shared().sql(name, transfers).await, wanted);
    let deposits = "SELECT number, currency, amount_minor, clearing, subject <> '', at > '2026-01-01' FROM smscode_report.deposits";
    assert_eq!(shared().sql(name, deposits).await, [format!("1|IDR|{all}|house:clearing:host|t|t")]);
    let types = "SELECT DISTINCT column_name || ' ' || data_type FROM information_schema.columns
        WHERE table_schema = 'smscode_report' AND (column_name LIKE '%\\_minor' OR column_name LIKE '%\\_at' OR column_name IN ('at', 'account'))
        ORDER BY 1";
    for line in shared().sql(name, types).await {
        let (column, kind) = line.split_once(' ').unwrap();
        let wanted = match column {
            "account" => "uuid",
            name if name.ends_with("_minor") => "bigint",
            _ => "timestamp with time zone",
        };
        assert_eq!(kind, wanted, "{column}");
    }
    drop((world, order));
}

/// A certificate of one's own for 127.0.0.1, and one of somebody else.
fn certify(cluster: &Cluster) {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = cluster.data_dir();
    let script = r#"set -e
        authority() {
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.crt" -days 2 -subj "/CN=$1"
        }
        authority ours; authority theirs
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server
        echo 'subjectAltName=IP:127.0.0.1' >names
        openssl x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 -extfile names -out server.crt
        chmod 600 server.key"#;
    let made = Command::new("sh").args(["-c", script]).current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "openssl is needed: {}", String::from_utf8_lossy(&made.stderr));
    let whose = std::fs::metadata(&folder).unwrap();
    for file in ["server.key", "server.crt"] {
        chown(folder.join(file), Some(whose.uid()), Some(whose.gid())).unwrap();
    }
}

#[tokio::test]
async fn tls_to_the_server() {
    let cluster = Cluster::start(&unsynced());
    let database = cluster.database().await;
    certify(&cluster);
    let url = database.url();
    let with = |mode: &str, authority: &str| {
        format!("{url}?sslmode={mode}&sslrootcert={}", cluster.data_dir().join(authority).display())
    };
    let error = within(PostgresStore::open(&with("require", "ours.crt"), single())).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "a server without: {error}");
    cluster.sql("postgres", "ALTER SYSTEM SET ssl = on").await;
    cluster.sql("postgres", "SELECT pg_reload_conf()").await;
    crate::common::until("TLS is on", async || cluster.sql("postgres", "SHOW ssl").await == ["on"]).await;
    let right = [with("verify-full", "ours.crt"), with("verify-ca", "ours.crt"), format!("{url}?sslmode=require")];
    for (n, address) in right.into_iter().enumerate() {
        let store = open(&address, single()).await;
        commit(&store, &numbered(owner(1), n as u64)).await.unwrap();
        let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE application_name = 'smscode'";
        assert_eq!(cluster.sql("postgres", encrypted).await, ["t"], "{address}");
        store.close().await;
    }
    let wrong = [
        with("verify-full", "theirs.crt"),
        with("verify-full", "ours.crt").replace("127.0.0.1", "localhost"),
        with("verify-full", "nowhere.crt"),
    ];
    for address in wrong {
        let error = within(PostgresStore::open(&address, single())).await.unwrap_err();
        assert!(error.to_string().contains("certificate"), "{address}: {error}");
        crate::common::plain(&error.to_string());
    }
}
