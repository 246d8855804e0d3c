//! The figures of a run.

#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use serde_json::{Value, json};

use crate::store::Counts;

/// Rows that a finished order may leave in the store.
const ROWS_MAX: f64 = 30.0;
/// Bytes that it may leave, of keys and values.
const BYTES_MAX: f64 = 6.0 * 1024.0;

/// The floor of Postgres counts from this part of `pgbench -N` on.
const FLOOR_MIN: f64 = 0.8;

/// What was measured. An operation is a whole order or a placing commit, by `mode`.
pub(crate) struct Report {
    pub(crate) mode: &'static str,
    pub(crate) store: &'static str,
    pub(crate) callers: u32,
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    /// Commits in these seconds.
    pub(crate) commits_in_time: u64,
    /// What the store has done for the operations, until it was quiet.
    pub(crate) counts: Counts,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) max_us: u64,
    /// What `pgbench -N` did on the same server; the floor counts if it reaches 0.8 of that.
    pub(crate) pgbench_per_s: Option<f64>,
    /// Operations per second of the raw engine; `None` where there is none.
    pub(crate) floor_per_s: Option<f64>,
}

impl Report {
    /// All figures by name, in the order of the table.
    ///
    /// `orders_per_s` counts operations; in mode `commits` an order is placed and no more. `commits_per_s` counts
    /// ChangeSets that became durable. `commits_per_sync` divides by syncs to the disk, `commits_per_group` by
    /// transactions. Rows and bytes are those that stay, by order; `rows_written_per_order` counts all that were written,
    /// `page_bytes_per_order` the pages they are in. `ratio` is `commits_per_s` by `floor_per_s`.
    fn figures(&self) -> Vec<(&'static str, Value)> {
        let orders = self.operations.max(1) as f64;
        let commits = self.counts.commits as f64;
        let commits_per_s = self.commits_in_time as f64 / self.seconds;
        let per_order = |count: Option<u64>| count.map(|count| round(count as f64 / orders, 1));
        vec![
            ("mode", json!(self.mode)),
            ("store", json!(self.store)),
            ("callers", json!(self.callers)),
            ("orders", json!(self.operations)),
            ("seconds", json!(round(self.seconds, 3))),
            ("orders_per_s", json!(round(self.operations as f64 / self.seconds, 1))),
            ("commits_per_s", json!(round(commits_per_s, 1))),
            ("p50_ms", json!(round(self.p50_us as f64 / 1_000.0, 3))),
            ("p99_ms", json!(round(self.p99_us as f64 / 1_000.0, 3))),
            ("max_ms", json!(round(self.max_us as f64 / 1_000.0, 3))),
            ("commits_per_order", json!(round(commits / orders, 2))),
            ("commits_per_group", json!(round(commits / self.counts.groups.max(1) as f64, 1))),
            ("commits_per_sync", json!(self.counts.syncs.map(|syncs| round(commits / syncs.max(1) as f64, 1)))),
            ("rows_per_order", json!(per_order(Some(self.counts.rows)))),
            ("rows_written_per_order", json!(per_order(self.counts.rows_written))),
            ("bytes_per_order", json!(per_order(Some(self.counts.bytes)))),
            ("page_bytes_per_order", json!(per_order(self.counts.page_bytes))),
            ("floor_per_s", json!(self.floor_per_s.map(|floor| round(floor, 1)))),
            ("pgbench_per_s", json!(self.pgbench_per_s.map(|rate| round(rate, 1)))),
            ("ratio", json!(self.floor_per_s.map(|floor| round(commits_per_s / floor, 3)))),
            ("load", json!(load())),
        ]
    }

    pub(crate) fn json(&self) -> String {
        let figures = self.figures().into_iter().map(|(name, value)| (name.to_owned(), value));
        Value::Object(figures.collect()).to_string()
    }

    pub(crate) fn table(&self) -> String {
        let line = |(name, value): (&str, Value)| {
            let text = match value {
                Value::Null => "-".to_owned(),
                Value::String(text) => text,
                other => other.to_string(),
            };
            format!("{name:<24}{text:>14}\n")
        };
        self.figures().into_iter().map(line).collect()
    }

    /// Which limits were exceeded.
    pub(crate) fn exceeded(&self) -> Vec<String> {
        let orders = self.operations.max(1) as f64;
        let (rows, bytes) = (self.counts.rows as f64 / orders, self.counts.bytes as f64 / orders);
        let mut exceeded = Vec::new();
        if let (Some(floor), Some(pgbench)) = (self.floor_per_s, self.pgbench_per_s)
            && floor < FLOOR_MIN * pgbench
        {
            exceeded.push(format!(
                "the floor of {floor:.0} is below {FLOOR_MIN} of pgbench -N, {pgbench:.0}: it does not count"
            ));
        }
        if rows > ROWS_MAX {
            exceeded.push(format!("an order leaves {rows:.1} rows, above {ROWS_MAX}"));
        }
        if bytes > BYTES_MAX {
            exceeded.push(format!("an order leaves {bytes:.0} bytes, above {BYTES_MAX}"));
        }
        exceeded
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// How busy the machine was in the last minute, as the system tells it; other programs blur all figures above.
fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
