//! The stored form.

use serde::{Deserialize, Serialize};

use crate::port::Alarm;
use crate::store::{Key, Kind, Term};
use crate::time::Timestamp;

/// Causes that were alarmed.
pub const ALARM: Kind = Kind::of("alarm");
/// Those that have to be told, by the time of the next try.
pub const BY_ALARM_DUE: Kind = Kind::of("alarm_due");

/// A cause, and its newest alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// Format.
    pub v: u8,
    /// When it was alarmed last.
    pub at: Timestamp,
    /// Stable word.
    #[serde(default)]
    pub cause: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What is wrong.
    #[serde(default)]
    pub text: String,
    /// How often it was alarmed.
    #[serde(default)]
    pub count: u64,
    /// When it is to be told, until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How often that has failed.
    #[serde(default)]
    pub tries: u32,
}

impl AlarmRecord {
    /// Its places in indexes.
    pub fn terms(&self) -> Vec<Term> {
        self.due_at.map(|due| Term { index: BY_ALARM_DUE, at: due.sort_bytes().to_vec() }).into_iter().collect()
    }

    /// As it is told.
    pub fn alarm(&self) -> Alarm {
        let (cause, about, text) = (self.cause.clone(), self.about.clone(), self.text.clone());
        Alarm { cause, about, text, at: self.at, count: self.count }
    }
}

/// The key of a cause.
pub fn alarm_key(cause: &str, about: Option<&str>) -> Key {
    Key::free(ALARM, about.map_or_else(|| cause.to_owned(), |about| format!("{cause}/{about}")))
}
