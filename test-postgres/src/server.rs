//! Databases on a server, whoever started it.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, ValueRef};
use tokio::sync::OnceCell;
use url::Url;

use crate::GIVEN_URL;
use crate::guardian::{Guardian, Runs};
use crate::ports::random_hex;

/// Databases given back that wait to be dropped, about 8 MB each. A test program with fewer leaves all of them to the end of the cluster.
const GIVEN_BACK: usize = 16;
/// First version with a choice of how `CREATE DATABASE` copies.
const HAS_STRATEGY: u32 = 150_000;

/// A Postgres server on which tests create databases.
#[derive(Debug)]
pub struct Server {
    /// As superuser, or as a role that may create databases.
    control: PgConnectOptions,
    url: Url,
    /// Starts each name, so that on a given server ours are told from others.
    prefix: String,
    /// How `CREATE DATABASE` copies, where there is a choice.
    strategy: &'static str,
    next: AtomicU32,
    /// The database of each template, once it is set up.
    templates: Mutex<BTreeMap<String, Arc<OnceCell<String>>>>,
    /// Held while a database is created: a template may have no other reader, and two cores gain nothing from a crowd.
    creating: tokio::sync::Mutex<()>,
    given_back: Arc<Mutex<Vec<String>>>,
    /// Cleans a given server up; an own one goes with its cluster.
    _sweeper: Option<Guardian>,
}

impl Server {
    /// The server of a cluster, reached by `control` without a password.
    pub(crate) fn own(control: PgConnectOptions, url: &str, strategy: &'static str) -> Self {
        let url = Url::parse(url).expect("a url of our own making");
        Self::new(control, url, "test".to_owned(), strategy, None)
    }

    /// A server that somebody else runs.
    pub(crate) fn given(url: &str) -> Self {
        let parsed = Url::parse(url).ok().zip(PgConnectOptions::from_str(url).ok());
        let (url, control) = parsed.expect("TEST_DATABASE_URL is like postgres://user:password@host:port/database");
        let prefix = format!("smscode_test_{}", random_hex());
        let sweeper = sweeper(&url, &prefix);
        Self::new(control, url, prefix, "wal_log", Some(sweeper))
    }

    fn new(
        control: PgConnectOptions,
        url: Url,
        prefix: String,
        strategy: &'static str,
        sweeper: Option<Guardian>,
    ) -> Self {
        Self {
            control,
            url,
            prefix,
            strategy,
            next: AtomicU32::new(1),
            templates: Mutex::default(),
            creating: tokio::sync::Mutex::default(),
            given_back: Arc::default(),
            _sweeper: sweeper,
        }
    }

    /// Url of a database of this name, as the role that runs the tests (on an own cluster the superuser `postgres`), with its password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url_of(&self.url, database)
    }

    pub(crate) const fn base_url(&self) -> &Url {
        &self.url
    }

    /// An empty database.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn database(&self) -> Database {
        self.create("template0").await
    }

    /// A template of this name. The first caller in this process sets it up through the url, the others wait for that. Connections that `set_up`
    /// leaves open are closed.
    ///
    /// # Panics
    /// If the server refuses, or `set_up` panics; the next caller then sets it up anew.
    pub async fn template(&self, name: &str, set_up: impl AsyncFnOnce(String)) -> Template<'_> {
        let cell = {
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(templates.entry(name.to_owned()).or_default())
        };
        let database = cell.get_or_init(|| async move {
            let database = self.create("template0").await;
            set_up(database.url().to_owned()).await;
            self.close(database.name()).await;
            database.keep()
        });
        Template { server: self, database: database.await.clone() }
    }

    /// Runs statements in a database, as the role that runs the tests, and gives the rows of all of them: columns separated by `|`, NULL empty,
    /// as `psql -At` prints them. Several statements are one transaction.
    ///
    /// # Panics
    /// If the server is away or refuses.
    pub async fn sql(&self, database: &str, statements: &str) -> Vec<String> {
        let mut connection = connect(&self.control.clone().database(database)).await;
        let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(statements))).await;
        let rows = rows.unwrap_or_else(|error| panic!("{statements}: {error}"));
        close(connection).await;
        rows.iter().map(line).collect()
    }

    async fn create(&self, template: &str) -> Database {
        let _alone = self.creating.lock().await;
        let mut connection = connect(&self.control).await;
        while let Some(name) = self.surplus() {
            execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
        let name = format!("{}_{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed));
        let has_strategy = connection.server_version_num().is_some_and(|version| version >= HAS_STRATEGY);
        let strategy = if has_strategy { format!("STRATEGY {}", self.strategy) } else { String::new() };
        execute(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}")).await;
        close(connection).await;
        Database { url: self.url(&name), name, given_back: Arc::clone(&self.given_back) }
    }

    /// A database that is to be dropped now.
    fn surplus(&self) -> Option<String> {
        let mut given_back = self.given_back.lock().unwrap_or_else(PoisonError::into_inner);
        (given_back.len() > GIVEN_BACK).then(|| given_back.swap_remove(0))
    }

    /// Lets nobody into a database any more, and closes what is open there.
    async fn close(&self, database: &str) {
        let mut connection = connect(&self.control).await;
        execute(&mut connection, format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false")).await;
        execute(
            &mut connection,
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"),
        )
        .await;
        close(connection).await;
    }
}

/// A database from which others are copied.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    server: &'a Server,
    database: String,
}

impl Template<'_> {
    /// A fresh copy.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn database(&self) -> Database {
        self.server.create(&self.database).await
    }
}

/// A database of one's own. It is dropped some time after this value, with the connections that are still open then.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    given_back: Arc<Mutex<Vec<String>>>,
}

impl Database {
    /// Its name, which needs no quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its url, as [`Server::url`] describes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Never gives it back.
    fn keep(mut self) -> String {
        std::mem::take(&mut self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            let name = std::mem::take(&mut self.name);
            self.given_back.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }
}

/// The same url with another database.
pub(crate) fn url_of(base: &Url, database: &str) -> String {
    let mut url = base.clone();
    url.set_path(database);
    url.into()
}

/// Drops everything with this prefix when the test process has ended.
fn sweeper(url: &Url, prefix: &str) -> Guardian {
    let password = percent_encoding::percent_decode_str(url.password().unwrap_or_default()).decode_utf8_lossy();
    let mut without_password = url.clone();
    let _no_host = without_password.set_password(None);
    let psql = crate::program("psql");
    let psql = psql.to_str().expect("a path in UTF-8");
    // Not as an argument, which everybody on the machine could read.
    let secret = ("PGPASSWORD", &*password);
    let environment = [("PSQL", psql), ("URL", without_password.as_str()), ("PREFIX", prefix), secret];
    let mut guardian = Guardian::start(include_str!("sweeper.sh"), Runs::Client, &environment);
    let answer = guardian.order("check");
    assert!(answer == "done", "{GIVEN_URL}: {answer}");
    guardian
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.unwrap_or_else(|error| panic!("no connection to Postgres: {error}"))
}

/// In good order, so that the server has let go of it before the next statement of somebody else.
async fn close(connection: PgConnection) {
    connection.close().await.unwrap_or_else(|error| panic!("connection not closed: {error}"));
}

async fn execute(connection: &mut PgConnection, statement: String) {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.clone()))).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The columns as text, which is what the simple protocol sends.
fn line(row: &PgRow) -> String {
    let column = |at| {
        let value = row.try_get_raw(at).expect("as many columns as the row says");
        if value.is_null() { "" } else { value.as_str().expect("text") }
    };
    (0..row.len()).map(|at| column(at).to_owned()).collect::<Vec<_>>().join("|")
}
