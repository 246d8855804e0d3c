//! A reply taken apart: tolerant of every envelope that occurs, closed to everything else.
//!
//! The body decides first, the HTTP status second, the content type never.

use std::borrow::Cow;

use smscode_core::port::CallError;

use super::dialects::{Dialect, HttpStatus};
use super::words::{self, Meaning};
use crate::http::Answer;
use crate::json::{Json, Members};
use crate::refusal::{No, Refusal, Refused};

/// The longest unknown word that is repeated in an error.
const WORD_LIMIT: usize = 40;

/// What a reply is.
pub(super) enum Reply<'a> {
    /// A word that we know.
    Word(Word<'a>),
    /// JSON without an error in it.
    Json(Json<'a>),
    /// HTTP 204.
    NoContent,
    /// Nothing that we understand; the text holds nothing of the reply but a word that looks harmless.
    Unreadable(String),
}

/// A word that we know.
pub(super) struct Word<'a> {
    /// As our table spells it.
    pub(super) name: &'static str,
    pub(super) meaning: Meaning,
    /// What follows the first colon.
    pub(super) detail: Option<Cow<'a, str>>,
    /// The member `info` of an error in JSON.
    info: Option<Members<'a>>,
}

impl Word<'_> {
    /// The word as a refusal.
    pub(super) fn refused(&self, answer: &Answer, refusal: Refusal) -> No {
        let (word, status, retry_after_ms) = (self.name, answer.status, answer.retry_after_ms);
        No::Refused(Refused { refusal, word, status, price: None, retry_after_ms })
    }

    /// What is said of a word that is no answer to what was asked.
    pub(super) fn out_of_place(&self, answer: &Answer) -> String {
        format!("the word {} (HTTP {})", self.name, answer.status)
    }

    /// A member of `info`.
    pub(super) fn info(&self, name: &str) -> Option<String> {
        self.info.as_ref()?.first_scalar(&[name])
    }
}

/// Takes a reply apart.
pub(super) fn read<'a>(dialect: &Dialect, status: u16, text: &'a str) -> Reply<'a> {
    match (status, text.as_bytes().first()) {
        (300..=399, _) => Reply::Unreadable(format!("a redirect (HTTP {status})")),
        (204, None) => Reply::NoContent,
        (_, None) => Reply::Unreadable(format!("an empty body (HTTP {status})")),
        (_, Some(b'<')) => Reply::Unreadable(format!("HTML (HTTP {status})")),
        (_, Some(b'{' | b'[')) => read_json(dialect, status, text),
        (_, Some(b'"')) => match Json::parse(text).and_then(Json::string) {
            Some(inner) => word(dialect, status, Cow::Owned(inner.trim().to_owned()), None),
            None => Reply::Unreadable(format!("a broken string (HTTP {status})")),
        },
        (_, Some(_)) => word(dialect, status, Cow::Borrowed(text), None),
    }
}

fn read_json<'a>(dialect: &Dialect, status: u16, text: &'a str) -> Reply<'a> {
    let Some(json) = Json::parse(text) else {
        return Reply::Unreadable(format!("broken JSON (HTTP {status})"));
    };
    let Some(members) = json.object().filter(is_error) else {
        return Reply::Json(json);
    };
    let named = ["title", "error", "message", "msg"].iter().find_map(|name| {
        members.get(*name)?.string().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    });
    match named {
        Some(named) => {
            let info = members.first(&["info"]).and_then(Json::object);
            word(dialect, status, Cow::Owned(named), info)
        }
        None => Reply::Unreadable(format!("an error without a name (HTTP {status})")),
    }
}

fn is_error(members: &Members<'_>) -> bool {
    let says = |name: &str, wrong: &str| {
        members.get(name).is_some_and(|json| json.is_false() || json.string().is_some_and(|text| text == wrong))
    };
    let named =
        |name: &str| members.get(name).is_some_and(|json| json.string().is_some_and(|text| !text.trim().is_empty()));
    says("status", "error") || says("success", "error") || named("title") || named("error")
}

/// Looks up the part before the first colon; some write the fields of a number with bars.
fn word<'a>(dialect: &Dialect, status: u16, text: Cow<'a, str>, info: Option<Members<'a>>) -> Reply<'a> {
    let end = if text.starts_with("ACCESS_NUMBER") { text.find([':', '|']) } else { text.find(':') };
    let head = text[..end.unwrap_or(text.len())].trim();
    match words::look_up(dialect.words, head) {
        Some((name, meaning)) => {
            let detail = end.map(|end| match &text {
                Cow::Borrowed(text) => Cow::Borrowed(text[end + 1..].trim()),
                Cow::Owned(text) => Cow::Owned(text[end + 1..].trim().to_owned()),
            });
            Reply::Word(Word { name, meaning, detail, info })
        }
        None if head.starts_with("ACCESS_NUMBER") => {
            Reply::Unreadable(format!("a number in a form that we cannot read (HTTP {status})"))
        }
        None if is_harmless(head) => Reply::Unreadable(format!("the unknown word {head} (HTTP {status})")),
        None => Reply::Unreadable(format!("{} bytes that mean nothing to us (HTTP {status})", text.len())),
    }
}

/// Whether a word may be repeated in an error: capitals with an underscore are no phone, code, key or URL.
fn is_harmless(head: &str) -> bool {
    head.len() <= WORD_LIMIT && head.contains('_') && head.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// The error of a read whose reply is of no use.
pub(super) fn refusal(dialect: &Dialect, answer: &Answer, reply: &Reply<'_>) -> CallError {
    match reply {
        Reply::Word(word) => match word.meaning {
            Meaning::Refused(refusal) => word.refused(answer, refusal).into(),
            _ => CallError::Unusable(word.out_of_place(answer)),
        },
        Reply::Unreadable(_) if answer.status == 429 => CallError::Throttled(answer.retry_after_ms),
        Reply::Unreadable(what) if dialect.http_status == HttpStatus::Meaningful && answer.status == 401 => {
            CallError::Credentials(what.clone())
        }
        Reply::Unreadable(what) => CallError::Unusable(what.clone()),
        Reply::Json(_) => CallError::Unusable(format!("JSON of another kind (HTTP {})", answer.status)),
        Reply::NoContent => CallError::Unusable("no content (HTTP 204)".to_owned()),
    }
}
