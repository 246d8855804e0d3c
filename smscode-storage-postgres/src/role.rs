//! The role that the server runs under: made and granted by [`crate::migrate`], with rights on rows alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use smscode_core::store::StoreError;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::connect::parse;
use crate::fault::{Fault, Result, unusable};

/// Rounds of the password's hash: what the server itself takes.
const ROUNDS: u32 = 4_096;

/// Settings that every session of the role has, also behind a pooler: see [`crate::connect`].
const SETTINGS: [&str; 5] = [
    "plan_cache_mode TO 'force_generic_plan'",
    "enable_hashjoin TO off",
    "enable_mergejoin TO off",
    "enable_seqscan TO off",
    "jit TO off",
];

/// A user and a password, from an address.
pub(crate) struct Login {
    name: String,
    password: Option<String>,
}

impl Login {
    pub(crate) fn of(url: &str) -> std::result::Result<Self, StoreError> {
        let name = parse(url)?.get_username().to_owned();
        let user_info = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
        let password = user_info.and_then(|(user, _)| user.split_once(':')).and_then(|(_, password)| decoded(password));
        if password.as_deref().is_some_and(|password| !password.is_ascii()) {
            // others would have to be normalized as the server does it
            return Err(unusable("a password of the store's address must be made of ASCII characters"));
        }
        Ok(Self { name, password })
    }
}

/// Text of an address without its percent signs.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Makes the role if it is not there, and gives it its rights. Its name, and whether it was made.
pub(crate) async fn grant(connection: &mut PgConnection, login: Login) -> Result<(String, bool)> {
    let there: bool = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)")
        .bind(&login.name)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if !there {
        make(connection, &login).await?;
    }
    let database = "SELECT quote_ident(current_database()), quote_ident($1), rolsuper OR $1 = current_user \
                    FROM pg_roles WHERE rolname = $1";
    let row = sqlx::query(database).bind(&login.name).fetch_one(&mut *connection).await?;
    let (database, role, mighty): (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let mut statements = vec![
        format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        format!("GRANT USAGE ON SCHEMA smscode TO {role}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smscode TO {role}"),
    ];
    if !mighty {
        // who administers keeps its rights and its settings
        statements.push(format!("REVOKE INSERT, UPDATE, DELETE ON smscode.migrations FROM {role}"));
        statements.extend(SETTINGS.iter().map(|setting| format!("ALTER ROLE {role} SET {setting}")));
    }
    for statement in statements {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    Ok((login.name, !there))
}

async fn make(connection: &mut PgConnection, login: &Login) -> Result<()> {
    let Some(password) = &login.password else {
        return Err(Fault::Unusable("the store's address has no password to make its role with".to_owned()));
    };
    let row =
        sqlx::query("SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')").fetch_one(&mut *connection);
    let salt: Vec<u8> = row.await?.try_get(0)?;
    let text = "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)";
    let query = sqlx::query(text).bind(&login.name).bind(verifier(password, &salt));
    let statement: String = query.fetch_one(&mut *connection).await?.try_get(0)?;
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

/// What the server keeps of a password (RFC 5803), so that the password itself stands in no statement and no log.
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut block = keyed(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut salted = block;
    for _ in 1..ROUNDS {
        block = keyed(password.as_bytes(), &[&block]);
        salted.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    let stored = Sha256::digest(keyed(&salted, &[b"Client Key"]));
    let server = keyed(&salted, &[b"Server Key"]);
    let text = |bytes: &[u8]| STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${ROUNDS}:{}${}:{}", text(salt), text(&stored), text(&server))
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32]; // keys of every length are taken
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{Login, verifier};

    #[test]
    fn passwords_are_read_from_addresses() {
        let cases = [
            ("postgres://anna:a%40b%2Fc@host/db", "anna", Some("a@b/c")),
            ("postgres://anna@host/db", "anna", None),
            ("postgres://anna:x:y@host:5432/db?sslmode=require", "anna", Some("x:y")),
        ];
        for (url, name, password) in cases {
            let login = Login::of(url).unwrap();
            assert_eq!((login.name.as_str(), login.password.as_deref()), (name, password), "{url}");
        }
        assert!(Login::of("postgres://anna:p\u{e4}ss@host/db").is_err());
        assert!(Login::of("no address").is_err());
        for name in ["pasword=planted", "planted", "sslmode=require&planted=1"] {
            let error = Login::of(&format!("postgres://anna@host/db?{name}")).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }

    /// RFC 7677, section 3: the keys follow from the proof and the signature there.
    #[test]
    fn verifiers_are_those_of_the_server() {
        let salt = [0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81];
        assert_eq!(
            verifier("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
