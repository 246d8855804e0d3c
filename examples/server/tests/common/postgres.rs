//! Databases that `migrate` has prepared, and the role that servers run under in them.

use smscode_server::config::{Hidden, StoreChoice};
use smscode_server::migrate::migrate;
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Database, Server};

/// The application's role, made by `migrate`, and its password, which no output may show.
pub const ROLE: &str = "smscode_test_app";
pub const PASSWORD: &str = "planted0password";

/// A database with the schema and the application's role.
pub struct Migrated {
    pub database: Database,
    /// Its address for the application's role.
    pub url: String,
}

impl Migrated {
    /// A fresh one.
    pub async fn on(server: &Server) -> Self {
        let template = server.template("migrated", async |url| {
            let admin = Hidden::new(&url);
            migrate(&admin, &Hidden::new(as_role(&url, ROLE, PASSWORD))).await.unwrap();
        });
        let database = template.await.database().await;
        let url = as_role(database.url(), ROLE, PASSWORD);
        Self { database, url }
    }

    pub fn choice(&self) -> StoreChoice {
        StoreChoice::Postgres(Hidden::new(&self.url))
    }

    /// The store itself, to look into.
    pub async fn store(&self) -> PostgresStore {
        let options = PostgresOptions { committers: 1, readers: 1, ..PostgresOptions::default() };
        PostgresStore::open(&self.url, options).await.unwrap()
    }
}

/// An address for another role.
pub fn as_role(url: &str, role: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    format!("{scheme}://{role}:{password}@{place}")
}
