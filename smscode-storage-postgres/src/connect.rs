//! Connections: how they are made, and the one that a task holds.

use std::time::Duration;

use smscode_core::store::{Effect, StoreError};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Postgres, Row};

use crate::fault::{Fault, Result, unusable};
use crate::within;

/// Says of a session that nothing stands between it and the server that could hand it to somebody else.
const DIRECT: &str = "smscode.direct";

/// Settings of a session. Plans are made once, on lists of unknown length, and always from the keys: tables that were
/// empty at first would be read whole else. A server that lost its client gives its statement up.
const SETTINGS: [(&str, &str); 9] = [
    (DIRECT, "on"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("default_transaction_isolation", "read committed"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("client_connection_check_interval", "2s"),
];

/// A moment is kept for whoever reads slowly, but not for ever: what it keeps from being cleaned up is dead weight.
const MOMENT: [&str; 2] =
    ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL idle_in_transaction_session_timeout = '10min'"];

/// The oldest server whose statements these are.
const VERSION_MIN: i32 = 140_000;

/// What an address may say behind its question mark.
const PARAMETERS: [&str; 7] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "hostaddr", "port"];

/// How connections to one database are made.
#[derive(Clone)]
pub(crate) struct Target {
    options: PgConnectOptions,
    /// A pooler in transaction mode stands between: no settings of a session, no prepared statements, and a transaction
    /// around every statement, so that its parts reach one server.
    pub(crate) pooled: bool,
    limit: Duration,
}

/// Reads an address such as `postgres://user:password@host/database?sslmode=verify-full`.
pub(crate) fn parse(url: &str) -> std::result::Result<PgConnectOptions, StoreError> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let unknown = |part: &str| !PARAMETERS.contains(&part.split_once('=').map_or(part, |(name, _)| name));
    if query.split('&').any(|part| !part.is_empty() && unknown(part)) {
        // the driver would log it with its value; it may be a piece of a password, so it is not told either
        return Err(unusable("the address of the server has an unknown parameter; sslmode is one"));
    }
    let options: PgConnectOptions = url
        .parse()
        .map_err(|_| unusable("the address of the server cannot be read: postgres://user:password@host/database"))?;
    Ok(options.application_name("smscode").disable_statement_logging())
}

impl Target {
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection> {
        within(self.limit, async { self.options.connect().await.map_err(Fault::of_connecting) }).await
    }
}

/// A connection that one task holds. Made when it is needed, given up when it fails.
pub(crate) struct Line {
    target: Target,
    connection: Option<PgConnection>,
    /// Whether a transaction is open on it.
    begun: bool,
}

impl Line {
    /// Connects, and sees whether a pooler stands between and whether the server will do.
    pub(crate) async fn find(url: &str, limit: Duration) -> std::result::Result<Self, StoreError> {
        let plain = parse(url)?;
        let mut direct = Self::new(Target { options: plain.clone().options(SETTINGS), pooled: false, limit });
        // nor does it take every word of a driver's greeting
        let options = plain.statement_cache_capacity(0).extra_float_digits(None);
        let mut pooled = Self::new(Target { options, pooled: true, limit });
        let tell = |fault: Fault| fault.tell(Effect::No);
        // a pooler refuses settings of a session, or drops them
        let told = match direct.is_direct().await {
            Err(Fault::Lost(_)) => Ok(false),
            told => told,
        };
        if told.map_err(tell)? {
            return Ok(direct);
        }
        pooled.is_direct().await.map_err(tell)?;
        // a server that was away a moment ago is no pooler
        direct.close().await;
        if direct.is_direct().await.is_ok_and(|direct| direct) {
            return Ok(direct);
        }
        tracing::info!("a pooler stands before the server: wake-ups between nodes come by reading");
        Ok(pooled)
    }

    /// Whether the session has what it was given; fails if the server will not do.
    async fn is_direct(&mut self) -> Result<bool> {
        let sql = "SELECT current_setting('smscode.direct', true), current_setting('server_version_num'), \
                   current_setting('server_encoding'), current_setting('synchronous_commit')";
        let limit = self.target.limit;
        let connection = self.ready().await?;
        // one message, which nothing can come between and which leaves nothing behind
        let row = within(limit, async { Ok(connection.fetch_one(sqlx::raw_sql(sql)).await?) }).await?;
        let (direct, version): (Option<String>, String) = (row.try_get(0)?, row.try_get(1)?);
        let version: i32 = version.parse().unwrap_or(0);
        let (encoding, durable): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        if version < VERSION_MIN {
            return Err(Fault::Unusable(format!("the server has version {version}, at least {VERSION_MIN} is needed")));
        }
        if encoding != "UTF8" {
            return Err(Fault::Unusable(format!("the database has the encoding {encoding}, UTF8 is needed")));
        }
        if durable == "off" {
            let advice = "switch it on for this role or database";
            return Err(Fault::Unusable(format!("synchronous_commit is off, so commits could be lost: {advice}")));
        }
        Ok(direct.as_deref() == Some("on"))
    }

    /// Where it leads.
    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) const fn new(target: Target) -> Self {
        Self { target, connection: None, begun: false }
    }

    /// The connection; made now if there is none.
    pub(crate) async fn ready(&mut self) -> Result<&mut PgConnection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.target.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// A statement. One that a server has prepared stays with the connection, which behind a pooler is somebody else's next.
    pub(crate) fn query<'q>(&self, sql: &'static str) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(sql).persistent(!self.pooled())
    }

    /// Opens a transaction, if none is open.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        if !self.begun {
            // a default of another sort, where a pooler drops the settings of a session, would see old rows after a lock
            self.ready().await?.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            self.begun = true;
        }
        Ok(())
    }

    /// Opens a transaction that reads one moment, for as long as somebody reads it.
    pub(crate) async fn begin_moment(&mut self) -> Result<()> {
        let connection = self.ready().await?;
        for statement in MOMENT {
            connection.execute(statement).await?;
        }
        self.begun = true;
        Ok(())
    }

    /// Commits what is open.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.ready().await?.execute("COMMIT").await?;
        self.begun = false;
        Ok(())
    }

    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a connection was made and has not failed.
    pub(crate) const fn is_up(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) const fn pooled(&self) -> bool {
        self.target.pooled
    }

    /// Gives the connection up. The server rolls back what was open on it.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
        self.begun = false;
    }

    /// Takes back what is open, so that the connection can be used again.
    pub(crate) async fn roll_back(&mut self) {
        if !self.begun {
            return;
        }
        self.begun = false;
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let rolled_back = within(self.target.limit, async { Ok(connection.execute("ROLLBACK").await?) }).await;
        if rolled_back.is_ok() {
            self.connection = Some(connection);
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await.ok();
        }
    }
}
