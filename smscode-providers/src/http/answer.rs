//! What comes back: an answer, or why there is none.

use std::borrow::Cow;
use std::fmt;

use smscode_core::port::{BuyOutcome, CallError, CancelOutcome, FinishOutcome, MoreOutcome};

/// A reply as it was read, whatever its status. Judge it by its body first, its status second, its type never.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait, if the header `retry-after` says so in seconds.
    pub retry_after_ms: Option<u32>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer(HTTP {}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// The body as text, without byte order mark and outer blanks. A byte that is no UTF-8 must not cost an SMS.
    pub fn text(&self) -> Cow<'_, str> {
        match String::from_utf8_lossy(&self.body) {
            Cow::Borrowed(text) => Cow::Borrowed(stripped(text)),
            Cow::Owned(text) => Cow::Owned(stripped(&text).to_owned()),
        }
    }

    /// What is said of a reply that means nothing to the adapter, with the reason in the adapter's own words: nothing of
    /// the body gets into it.
    pub fn unreadable(&self, why: &'static str) -> Failure {
        let Self { status, body, retry_after_ms } = self;
        Failure::Unreadable { status: *status, length: body.len(), why, retry_after_ms: *retry_after_ms }
    }
}

/// Why there is no usable reply. It turns into the outcome of any call (`.into()`); nothing of the request or of the reply
/// is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection came about: not a byte of the request has left.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// Anything else: the request may have arrived.
    #[error("{0}")]
    Lost(String),
    /// The body is longer than the limit.
    #[error("a body above {limit} bytes (HTTP {status})")]
    TooLarge {
        /// HTTP status.
        status: u16,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A reply that means nothing to the adapter.
    #[error("an answer of {length} bytes that means nothing to us: {why} (HTTP {status})")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// Length of the body, in bytes.
        length: usize,
        /// What is wrong with it: no JSON, a word that is not known, a member that is missing.
        why: &'static str,
        /// How long to wait, if it said so, in milliseconds.
        retry_after_ms: Option<u32>,
    },
}

impl Failure {
    /// Stable code of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConnected(_) => "http_not_connected",
            Self::Lost(_) => "http_lost",
            Self::TooLarge { .. } => "http_too_large",
            Self::Unreadable { .. } => "http_unreadable",
        }
    }
}

impl From<Failure> for BuyOutcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotConnected(why) => Self::NotSent(why),
            unclear => Self::Unknown(unclear.to_string()),
        }
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreadable { status: 429, retry_after_ms, .. } => Self::Throttled(retry_after_ms),
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl From<Failure> for CancelOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

impl From<Failure> for FinishOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

impl From<Failure> for MoreOutcome {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.to_string())
    }
}

fn stripped(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_text_without_what_is_around_it() {
        let answer = |body: &[u8]| Answer { status: 200, body: body.to_vec(), retry_after_ms: None };
        assert_eq!(answer(b"\xef\xbb\xbf \r\nWORD\n").text(), "WORD");
        assert_eq!(answer(b" a\xffb ").text(), "a\u{fffd}b");
        assert_eq!(format!("{:?}", answer(b"secret")), "Answer(HTTP 200, 6 bytes)");
        let slow = Answer { status: 429, retry_after_ms: Some(7), ..answer(b"secret") };
        assert_eq!(CallError::from(slow.unreadable("no JSON")), CallError::Throttled(Some(7)));
        let page = Answer { status: 502, ..answer(b"secret") };
        let said = "an answer of 6 bytes that means nothing to us: no JSON (HTTP 502)";
        assert_eq!(BuyOutcome::from(page.unreadable("no JSON")), BuyOutcome::Unknown(said.to_owned()));
    }
}
