//! What can go wrong with the server, and how it is told. A driver's message may quote a row, so none is passed on: an
//! error is told by its code.

use smscode_core::store::codec::Unreadable;
use smscode_core::store::{Effect, StoreError};
use sqlx::error::DatabaseError;

/// The store's name in errors and in [`smscode_core::store::StoreInfo`].
pub(crate) const STORE: &str = "postgres";

/// A failure inside this crate, before it is known what it means for the caller.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Somebody else was faster, or two writers crossed: run it again.
    Conflict,
    /// The server answered that it did not do it.
    Refused(String),
    /// The same, and it never will before somebody changes something there.
    Unusable(String),
    /// It did not do it and never will on this connection; on another it may.
    Elsewhere(String),
    /// No answer came, so nobody knows whether it was done. The connection is of no more use.
    Lost(String),
    /// No answer came in time.
    Late(std::time::Duration),
    /// Already told as the port tells it.
    Told(StoreError),
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// Of an error while a connection is made, when nothing can have been done.
    pub(crate) fn of_connecting(error: sqlx::Error) -> Self {
        use std::io::ErrorKind;
        let what = match &error {
            sqlx::Error::Tls(_) => "TLS to the server failed: it has none, or sslmode and the certificates do not fit",
            // so a certificate is told that rustls does not trust
            sqlx::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
                "TLS to the server failed: its certificate is not one of sslrootcert's, or not for this host"
            }
            sqlx::Error::Io(error) if error.kind() == ErrorKind::NotFound => {
                return Self::Lost(
                    "no such file: the server's socket, or a certificate that the address names".to_owned(),
                );
            }
            _ => return Self::from(error),
        };
        Self::Unusable(what.to_owned())
    }

    /// As the port tells it; `effect` is that of all tries together.
    pub(crate) fn tell(self, effect: Effect) -> StoreError {
        match self {
            Self::Conflict => unavailable(effect, "too many writers want the same rows; try again"),
            // an earlier try of the same may have gone through all the same
            Self::Refused(reason) | Self::Elsewhere(reason) | Self::Lost(reason) => unavailable(effect, reason),
            Self::Unusable(reason) if effect == Effect::No => StoreError::Unusable { store: STORE, reason },
            Self::Unusable(reason) => unavailable(effect, reason),
            Self::Late(limit) => unavailable(effect, format!("no answer within {} ms", limit.as_millis())),
            Self::Told(error) => error,
        }
    }

    /// Whether the connection cannot be used any more.
    pub(crate) const fn ends_connection(&self) -> bool {
        match self {
            Self::Elsewhere(_) | Self::Lost(_) | Self::Late(_) => true,
            Self::Conflict | Self::Refused(_) | Self::Unusable(_) | Self::Told(_) => false,
        }
    }

    /// Whether the server said that it did not do it.
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Conflict | Self::Refused(_) | Self::Unusable(_) | Self::Elsewhere(_) => true,
            Self::Lost(_) | Self::Late(_) | Self::Told(_) => false,
        }
    }

    /// Whether the same may go through at once, if need be on another connection.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Conflict | Self::Elsewhere(_) | Self::Lost(_) => true,
            Self::Refused(_) | Self::Unusable(_) | Self::Late(_) | Self::Told(_) => false,
        }
    }
}

impl From<Unreadable> for Fault {
    fn from(error: Unreadable) -> Self {
        Self::Told(error.in_store(STORE))
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(error) => from_code(&**error),
            sqlx::Error::Io(error) => Self::Lost(format!("the connection failed: {}", error.kind())),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                Self::Told(corrupt("a row in another form than this program writes"))
            }
            sqlx::Error::Configuration(_) => Self::Unusable("the address of the server cannot be read".to_owned()),
            _ => Self::Lost("the connection failed".to_owned()),
        }
    }
}

fn from_code(error: &dyn DatabaseError) -> Fault {
    let code = error.code().unwrap_or_default();
    match &*code {
        // a guard of the write statement failed, a row came up twice, serialization, deadlock
        "22012" | "23505" | "40001" | "40P01" => Fault::Conflict,
        "23514" | "22003" => Fault::Told(corrupt("a row that breaks a rule of its table, so money was not moved")),
        "25006" => {
            Fault::Elsewhere("the server is read only: it is a standby, or writing is switched off there".to_owned())
        }
        "28P01" => Fault::Unusable("the server refuses the password".to_owned()),
        "28000" => Fault::Unusable("the server refuses this user, or its address".to_owned()),
        "3D000" => Fault::Unusable("the server has no such database".to_owned()),
        "42501" => Fault::Unusable("the role has no rights there: let an administrator run migrate for it".to_owned()),
        "3F000" | "42P01" | "42703" => {
            Fault::Unusable("the schema smscode is not as it was: let an administrator run migrate".to_owned())
        }
        "53100" => Fault::Refused(
            "the server has no room on its disk; what was committed is safe, and commits go on when there is room"
                .to_owned(),
        ),
        "53200" => Fault::Refused("the server is out of memory".to_owned()),
        "53300" => Fault::Refused("the server has no connection left: raise its limit or lower connections".to_owned()),
        "57014" => Fault::Refused("the server gave the statement up".to_owned()),
        "57P03" => Fault::Refused("the server is starting or stopping".to_owned()),
        "26000" | "42P05" => Fault::Elsewhere("a pooler lost a prepared statement".to_owned()),
        "0A000" => Fault::Elsewhere("the schema smscode changed under an open connection".to_owned()),
        code if ["08", "25P03", "25P04", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            Fault::Lost(format!("the server ended the connection (SQLSTATE {code})"))
        }
        code => Fault::Refused(format!("the server refused (SQLSTATE {code})")),
    }
}

pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

pub(crate) fn unusable(reason: &str) -> StoreError {
    StoreError::Unusable { store: STORE, reason: reason.to_owned() }
}

pub(crate) fn unavailable(effect: Effect, reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { store: STORE, effect, reason: reason.into() }
}
