//! Where operators are told that something wants looking at.

use async_trait::async_trait;

use crate::time::Timestamp;

/// An alarm: once per cause and hour, whichever node finds it and however often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Stable word, such as `ledger_mismatch`.
    pub cause: String,
    /// What it is about, such as a supplier's name. Never an account, an order or a number.
    pub about: Option<String>,
    /// What is wrong, for people.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// How often this was alarmed so far, with this time.
    pub count: u64,
}

/// Why an alarm did not arrive. The text holds no key and no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the alarm was not told: {0}")]
pub struct AlarmError(pub String);

impl AlarmError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        "alarm_not_told"
    }
}

/// The way to the operators: a mail, a webhook, a pager.
#[async_trait]
pub trait Alarms: Send + Sync + 'static {
    /// Tells of an alarm; `Ok` once it has arrived. It is told again otherwise, and after a crash, so it may arrive twice. It
    /// has 10 s, and may be dropped at any await.
    async fn tell(&self, alarm: &Alarm) -> Result<(), AlarmError>;
}

/// Alarms as errors in the log: what a platform does that was given nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogAlarms;

#[async_trait]
impl Alarms for LogAlarms {
    async fn tell(&self, alarm: &Alarm) -> Result<(), AlarmError> {
        let about = alarm.about.as_deref().unwrap_or_default();
        tracing::error!(alarm = alarm.cause, about, count = alarm.count, "{}", alarm.text);
        Ok(())
    }
}
