//! Counts and times of requests, in Prometheus' text form. Small and without a global, so that several servers can run
//! in one process.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Upper bounds of the time classes, in milliseconds.
const BOUNDS_MS: [u64; 10] = [1, 5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000];
/// Different (method, route, status) at most: routes are templates, so this is never reached by honest means.
const SERIES_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    classes: [u64; BOUNDS_MS.len()],
    count: u64,
    sum_us: u64,
}

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Meters {
    requests: Mutex<BTreeMap<Series, Times>>,
}

impl Meters {
    /// Counts an answer. `route` is a template such as `/v1/orders/{id}`, never an address as asked for.
    pub fn answered(&self, method: &str, route: &str, status: u16, took_us: u64) {
        let series = Series { method: known_method(method), route: route.to_owned(), status };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() >= SERIES_MAX && !requests.contains_key(&series) {
            return;
        }
        let times = requests.entry(series).or_default();
        times.count += 1;
        times.sum_us = times.sum_us.saturating_add(took_us);
        for (class, bound) in times.classes.iter_mut().zip(BOUNDS_MS) {
            if took_us <= bound * 1_000 {
                *class += 1;
            }
        }
    }

    /// The lines for Prometheus.
    pub fn render(&self, page: &mut Page) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        page.head(
            "smscode_http_request_seconds",
            "histogram",
            "Time from the head of a request to that of its answer.",
        );
        for (series, times) in &requests {
            let labels =
                format!("method=\"{}\",route=\"{}\",status=\"{}\"", series.method, series.route, series.status);
            for (class, bound) in times.classes.iter().zip(BOUNDS_MS) {
                let bound = seconds(bound * 1_000);
                page.line("smscode_http_request_seconds_bucket", &format!("{labels},le=\"{bound}\""), class);
            }
            page.line("smscode_http_request_seconds_bucket", &format!("{labels},le=\"+Inf\""), times.count);
            page.line("smscode_http_request_seconds_sum", &labels, seconds(times.sum_us));
            page.line("smscode_http_request_seconds_count", &labels, times.count);
        }
    }
}

/// A page in Prometheus' text form.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Begins a metric.
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _never_fails = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a value; `labels` may be empty.
    pub fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _never_fails = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    /// The page's text.
    pub fn text(self) -> String {
        self.0
    }
}

/// Methods as labels: whatever a client makes up is one of them.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "POST", "PATCH", "HEAD", "PUT", "DELETE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// Microseconds as decimal seconds.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{Meters, Page};

    #[test]
    fn classes_are_cumulative() {
        let meters = Meters::default();
        for took_us in [900, 40_000, 90_000_000] {
            meters.answered("GET", "/v1/balance", 200, took_us);
        }
        meters.answered("BREW", "/v1/balance", 404, 1);
        let mut page = Page::default();
        meters.render(&mut page);
        let text = page.text();
        let labels = "method=\"GET\",route=\"/v1/balance\",status=\"200\"";
        for (class, count) in [("0.001000", 1), ("0.025000", 1), ("0.050000", 2), ("30.000000", 2), ("+Inf", 3)] {
            let line = format!("smscode_http_request_seconds_bucket{{{labels},le=\"{class}\"}} {count}\n");
            assert!(text.contains(&line), "{line}");
        }
        assert!(text.contains(&format!("_sum{{{labels}}} 90.040900\n")));
        assert!(text.contains("method=\"other\""));
    }
}
