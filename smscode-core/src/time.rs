//! Points in time as data. Nothing here reads a clock: time comes in through [`crate::port::Clock`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(0);

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time moved by some milliseconds, kept in range.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }

    /// This time moved by some seconds, kept in range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_ms(seconds.saturating_mul(1_000))
    }

    /// Milliseconds from `earlier` to this time; negative if it is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }

    /// Eight bytes that sort as the times do (for times after 1970).
    pub const fn sort_bytes(self) -> [u8; 8] {
        (self.0 as u64).to_be_bytes()
    }

    /// Eight bytes that sort the other way, newest first.
    pub const fn reverse_sort_bytes(self) -> [u8; 8] {
        (!(self.0 as u64)).to_be_bytes()
    }

    /// The UTC day, as `2026-11-22`: the period of daily counters.
    pub fn day(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// As `2026-11-22 10:00:00` in UTC, the form of the SMS-Activate protocol.
    pub fn plain(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S")
    }

    /// As `2026-11-22T10:00:00+00:00` (RFC 3339), to the second.
    pub fn rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S+00:00")
    }

    fn format(self, pattern: &str) -> String {
        chrono::DateTime::from_timestamp_micros(self.0).map_or_else(String::new, |at| at.format(pattern).to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn formats_and_orders() {
        let at = Timestamp::from_seconds(1_778_490_000);
        assert_eq!(at.rfc3339(), "2026-05-11T09:00:00+00:00");
        assert_eq!(at.plain(), "2026-05-11 09:00:00");
        assert_eq!(at.day(), "2026-05-11");
        assert!(at.sort_bytes() < at.plus_ms(1).sort_bytes());
        assert!(at.reverse_sort_bytes() > at.plus_ms(1).reverse_sort_bytes());
        assert_eq!(at.plus_seconds(3).ms_since(at), 3_000);
        assert_eq!(Timestamp(i64::MAX).plus_seconds(1), Timestamp(i64::MAX));
    }
}
