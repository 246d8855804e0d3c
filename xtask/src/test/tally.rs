//! Counting: what the test programs report, minutes, the closing table.

use std::fmt::Write;
use std::time::Duration;

/// Tests that passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// The closing line, alone on its line.
    pub(crate) fn line(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// Reads a line such as `test result: ok. 14 passed; 0 failed; 0 ignored; ...`; anything else is none.
pub(crate) fn result_line(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, counts) = rest.split_once(". ")?;
    let count =
        |label: &str| counts.split(';').find_map(|part| part.trim().strip_suffix(label)?.trim().parse::<u64>().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

/// A layer that has run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) tally: Tally,
    /// Why the layer is not well, or what it left out; empty is plain success.
    pub(crate) remark: String,
    pub(crate) well: bool,
}

/// Minutes with two decimals.
pub(crate) fn minutes(took: Duration) -> String {
    let hundredths = took.as_millis() / 600;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The closing table, which tells a sum over the budget, and whether the sum is within the limit: tests prove correctness, so a busy
/// machine alone fails no run.
pub(crate) fn table(layers: &[Ran], budget: Duration, limit: Duration) -> (String, bool) {
    let mut text = format!("{:<24}{:>8}  {:>7}  {:>7}  remark\n", "layer", "minutes", "passed", "failed");
    for ran in layers {
        let word = if ran.well { "" } else { "FAILED " };
        let Tally { passed, failed } = ran.tally;
        let _ =
            writeln!(text, "{:<24}{:>8}  {passed:>7}  {failed:>7}  {word}{}", ran.name, minutes(ran.took), ran.remark);
    }
    let sum: Duration = layers.iter().map(|ran| ran.took).sum();
    let within = sum <= limit;
    let verdict = match sum {
        sum if sum <= budget => format!("within the budget of {}", minutes(budget)),
        _ if within => format!("OVER the budget of {}", minutes(budget)),
        _ => format!("FAILED over the limit of {}", minutes(limit)),
    };
    let _ = writeln!(text, "{:<24}{:>8}  {verdict}", "sum", minutes(sum));
    (text, within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines() {
        let table = [
            (
                "test result: ok. 14 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                Some((14, 0)),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.00s",
                Some((3, 2)),
            ),
            ("test result: ok", None),
            ("test a::b ... ok", None),
            ("  test result: ok. 1 passed; 0 failed", None),
        ];
        for (line, counts) in table {
            let counts = counts.map(|(passed, failed)| Tally { passed, failed });
            assert_eq!(result_line(line), counts, "{line}");
        }
    }

    #[test]
    fn minutes_have_two_decimals() {
        let table =
            [(0, "0.00"), (599, "0.00"), (600, "0.01"), (60_000, "1.00"), (90_000, "1.50"), (2_100_000, "35.00")];
        for (millis, text) in table {
            assert_eq!(minutes(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_sum_over_the_budget_is_told() {
        let ran = |seconds| Ran {
            name: "layer",
            took: Duration::from_secs(seconds),
            tally: Tally { passed: 1, failed: 0 },
            remark: String::new(),
            well: true,
        };
        let [budget, limit] = [60, 90].map(Duration::from_secs);
        let cases = [
            (30, true, "within the budget of 1.00"),
            (31, true, "OVER the budget of 1.00"),
            (60, true, "OVER the budget of 1.00"),
            (61, false, "FAILED over the limit of 1.50"),
        ];
        for (second, well, told) in cases {
            let (text, within) = table(&[ran(30), ran(second)], budget, limit);
            assert!(within == well && text.contains(told), "{second}: {text}");
        }
    }

    #[test]
    fn the_closing_line() {
        let mut sum = Tally { passed: 2, failed: 0 };
        sum.add(Tally { passed: 3, failed: 1 });
        assert_eq!(sum.line(), "5 passed, 1 failed");
    }
}
