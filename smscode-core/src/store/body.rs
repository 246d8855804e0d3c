//! Documents: the one form in which records, events and outcomes reach a store.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::limits::{BODY_BYTES_MAX, BODY_DEPTH_MAX};

/// A JSON document owned by core: I-JSON without U+0000, integers within i64, at most 16 levels, at most 64 KiB.
/// Stores keep it as it is. `Debug` prints the size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Arc<[u8]>);

/// Why a document was refused at the edge, or could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not JSON at all, or not of the expected shape.
    #[error("the document is not readable: {0}")]
    Unreadable(String),
    /// JSON that some store could not keep: U+0000, a fraction, an integer beyond i64, or too deep.
    #[error("the document holds {0}, which not every store can keep")]
    NotPortable(&'static str),
    /// Larger than 64 KiB.
    #[error("the document has {found} bytes, above the limit of {max}")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        max: usize,
    },
}

impl Body {
    /// The document `{}`.
    pub fn empty() -> Self {
        Self(Arc::from(&b"{}"[..]))
    }

    /// Writes a value as a document and checks that every store can keep it.
    pub(crate) fn write<T: Serialize>(value: &T) -> Result<Self, BodyError> {
        let bytes = serde_json::to_vec(value).map_err(|e| BodyError::Unreadable(e.to_string()))?;
        Self::check(&bytes)?;
        Ok(Self(bytes.into()))
    }

    /// Takes JSON text as it is, checked: for documents of a host and for those read back from a backup.
    pub fn from_text(text: &str) -> Result<Self, BodyError> {
        Self::check(text.as_bytes())?;
        Ok(Self(Arc::from(text.as_bytes())))
    }

    /// Takes the bytes that a store kept. Nothing is checked: they were when they were written.
    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// Reads the document as a value. Unknown members are tolerated by the record types.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        serde_json::from_slice(&self.0).map_err(|e| {
            // serde's own message may quote the document: position and category only
            BodyError::Unreadable(format!("{:?} at column {}", e.classify(), e.column()))
        })
    }

    /// The document's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn check(bytes: &[u8]) -> Result<(), BodyError> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(BodyError::TooLarge { found: bytes.len(), max: BODY_BYTES_MAX });
        }
        let value: serde_json::Value = serde_json::from_slice(bytes)
            .map_err(|e| BodyError::Unreadable(format!("{:?} at column {}", e.classify(), e.column())))?;
        check_value(&value, 1)
    }
}

fn check_value(value: &serde_json::Value, depth: usize) -> Result<(), BodyError> {
    use serde_json::Value;
    let text = |s: &str| {
        if s.contains('\0') { Err(BodyError::NotPortable("U+0000")) } else { Ok(()) }
    };
    match value {
        Value::Array(_) | Value::Object(_) if depth > BODY_DEPTH_MAX => Err(BodyError::NotPortable("too many levels")),
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(n) if n.as_i64().is_some() => Ok(()),
        Value::Number(_) => Err(BodyError::NotPortable("a number that is no 64-bit integer")),
        Value::String(s) => text(s),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1)),
        Value::Object(members) => members.iter().try_for_each(|(name, item)| {
            text(name)?;
            check_value(item, depth + 1)
        }),
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{Body, BodyError};

    #[test]
    fn refuses_what_some_store_could_not_keep() {
        let deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
        let big = format!("\"{}\"", "a".repeat(70_000));
        let cases = [
            ("{\"a\":1}", true),
            ("{\"a\":9223372036854775807}", true),
            ("{\"a\":9223372036854775808}", false),
            ("{\"a\":1.5}", false),
            ("{\"a\":\"x\\u0000y\"}", false),
            ("{\"\\u0000\":1}", false),
            ("{\"a\":\"\\ud800\"}", false),
            ("{\"a\":", false),
            (deep.as_str(), false),
            (big.as_str(), false),
        ];
        for (text, fine) in cases {
            assert_eq!(Body::from_text(text).is_ok(), fine, "{}", &text[..text.len().min(40)]);
        }
    }

    #[test]
    fn an_unreadable_document_is_not_quoted() {
        let body = Body::from_text("{\"a\":\"marker-415127\"}").unwrap();
        let error = body.read::<u32>().unwrap_err();
        assert!(matches!(error, BodyError::Unreadable(_)));
        assert!(!format!("{error} {error:?} {body:?}").contains("415127"));
    }
}
