//! Alarms: a record, a figure and a message, once per cause and hour. The record is durable before anybody is told, so a crash
//! loses none.

pub(crate) mod decide;
pub mod record;
#[cfg(test)]
mod tests;

use crate::time::Timestamp;

/// A cause that was alarmed, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmState {
    /// Stable word.
    pub cause: String,
    /// What it is about, such as a supplier's name.
    pub about: Option<String>,
    /// What was wrong the last time.
    pub text: String,
    /// When it was alarmed last.
    pub at: Timestamp,
    /// How often, by all nodes, for good.
    pub count: u64,
    /// Whether the last one has still to be told.
    pub is_waiting: bool,
}
