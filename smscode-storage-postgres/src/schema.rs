//! The schema and its versions: what is there, what is needed, and the way from one to the other.

use std::time::Duration;

use smscode_core::store::{Effect, StoreError};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{PgConnection, Row, SqlSafeStr};

use crate::connect::Line;
use crate::fault::{Fault, Result, STORE, unavailable};
use crate::role::{self, Login};
use crate::within;

/// The format that this program reads and writes. A migration's version is its format and a step of two digits.
pub(crate) const FORMAT: u64 = 1;

/// The last migration of the first release: a database before it was never whole, so nobody has worked with it.
const WHOLE: i64 = 115;

/// Processes that set up one empty database at the same time get in each other's way; each tries so often.
const TRIES: u32 = 20;
/// One schema change may read a large table.
const MIGRATION_LIMIT: Duration = Duration::from_secs(3_600);

macro_rules! migrations {
    ($($version:literal $name:literal)+) => {
        /// Each is one statement, because some relatives of Postgres take one schema change per transaction.
        const MIGRATIONS: &[(i64, &str, &str)] = &[
            $(($version, $name, include_str!(concat!("../migrations/0", stringify!($version), "_", $name, ".sql")))),+
        ];
    };
}

migrations! {
    101 "records"
    102 "terms"
    103 "heads"
    104 "counters"
    105 "transfers"
    106 "statements"
    107 "events"
    108 "operations"
    109 "operation_times"
    110 "sums"
    111 "report"
    112 "report_orders"
    113 "report_accounts"
    114 "report_transfers"
    115 "report_deposits"
}

/// The newest migration.
fn wanted() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _, _)| *version)
}

const NEWEST: &str = "SELECT coalesce(max(version), 0) FROM smscode.migrations WHERE success";

/// The version of the newest migration there; 0 for a database without the schema.
async fn newest(connection: &mut PgConnection) -> Result<i64> {
    let there = "SELECT to_regclass('smscode.migrations') IS NOT NULL";
    let there: bool = sqlx::query(there).persistent(false).fetch_one(&mut *connection).await?.try_get(0)?;
    if !there {
        return Ok(0);
    }
    Ok(sqlx::query(NEWEST).persistent(false).fetch_one(connection).await?.try_get(0)?)
}

/// Whether this program can work with what is there.
pub(crate) async fn check(line: &mut Line) -> Result<()> {
    let newest = newest(line.ready().await?).await?;
    let wanted = wanted();
    let advice = match newest {
        _ if newest == wanted => return Ok(()),
        0 => "the database is empty: run smscode-server migrate --admin-url with a role that may create tables",
        _ if newest < wanted => "the database is older: run smscode-server migrate --admin-url, then start again",
        _ => "the database is newer: start the version of the program that migrated it, or a newer one",
    };
    Err(Fault::Told(format(newest, advice)))
}

/// A schema that is not the one this program needs, both told by their newest migration, so that older and newer can be
/// told apart within a format too.
fn format(newest: i64, advice: &str) -> StoreError {
    let number = |version: i64| u64::try_from(version).unwrap_or(0);
    StoreError::Format { store: STORE, found: number(newest), known: number(wanted()), advice: advice.to_owned() }
}

/// Sets an empty database up, if the role may; also one that another process is setting up, or did not finish. Else and
/// otherwise checks what is there.
pub(crate) async fn set_up(line: &mut Line) -> Result<()> {
    if line.pooled() {
        // statements of one session belong together, which a pooler knows of a transaction alone
        line.begin().await?;
        check(line).await?;
        return line.commit().await;
    }
    let connection = line.ready().await?;
    let may = sqlx::query("SELECT has_database_privilege(current_database(), 'CREATE')").persistent(false);
    if newest(connection).await? < WHOLE && may.fetch_one(&mut *connection).await?.try_get(0)? {
        run(connection).await?;
    }
    check(line).await
}

/// Runs the migrations that are missing. No lock is taken: each is one transaction with its own line in the table of
/// migrations, so whoever comes second fails there and looks again.
async fn run(connection: &mut PgConnection) -> Result<()> {
    let list = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(list.collect());
    migrator.dangerous_set_table_name("smscode.migrations");
    migrator.create_schema("smscode");
    migrator.set_locking(false);
    let mut tries = 0;
    loop {
        tries += 1;
        match migrator.run_direct(None, connection, false).await {
            Ok(()) => return Ok(()),
            Err(_) if tries < TRIES && newest(connection).await.is_ok() => {}
            Err(error) => return Err(refused(&error)),
        }
    }
}

fn refused(error: &sqlx::migrate::MigrateError) -> Fault {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::VersionMissing(version) => {
            Fault::Told(format(*version, "the database is newer: migrate with the program that it belongs to"))
        }
        MigrateError::VersionMismatch(version) => {
            Fault::Unusable(format!("migration {version} was made by another program, or changed; nothing was done"))
        }
        other => Fault::Refused(format!("a migration failed: {}", brief(other))),
    }
}

/// The code alone: a server's message may quote rows.
fn brief(error: &sqlx::migrate::MigrateError) -> String {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match error.as_database_error() {
            Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
            None => "the connection failed".to_owned(),
        },
        _ => "its files do not fit together".to_owned(),
    }
}

/// What [`crate::migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Migrations that were there before.
    pub before: usize,
    /// Migrations that are there now.
    pub now: usize,
    /// The role that may use the schema now, and whether it was made.
    pub role: Option<(String, bool)>,
}

/// Brings a database to the newest schema and makes and grants the role that the server runs under.
///
/// `admin_url` names a role that may create schemas and roles in the database. The role of `store_url` is made, with the
/// password that stands there, if it does not exist; a role that exists keeps its password. It gets rights on rows alone:
/// it can change no table. Running it again changes nothing.
///
/// # Errors
///
/// `Unavailable` for what the server refuses, `Format` if the database is newer than this program.
pub async fn migrate(admin_url: &str, store_url: Option<&str>) -> std::result::Result<Migrated, StoreError> {
    let login = store_url.map(Login::of).transpose()?;
    let work = async {
        let mut line = Line::find(admin_url, MIGRATION_LIMIT).await.map_err(Fault::Told)?;
        if line.pooled() {
            return Err(Fault::Unusable("migrate needs the server itself, not a pooler before it".to_owned()));
        }
        let connection = line.ready().await?;
        let before = applied(connection).await?;
        run(connection).await?;
        let role = match login {
            Some(login) => Some(role::grant(connection, login).await?),
            None => None,
        };
        let now = applied(connection).await?;
        line.close().await;
        Ok(Migrated { before, now, role })
    };
    within(MIGRATION_LIMIT, work).await.map_err(|fault| match fault {
        Fault::Lost(reason) => unavailable(Effect::Unknown, reason),
        other => other.tell(Effect::No),
    })
}

async fn applied(connection: &mut PgConnection) -> Result<usize> {
    let newest = newest(connection).await?;
    Ok(MIGRATIONS.iter().filter(|(version, _, _)| *version <= newest).count())
}
