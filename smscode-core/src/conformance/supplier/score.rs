//! The score card: what came of every case, each run once, whichever test asks first.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use super::{CASES, Needs, SupplierFixture};
use crate::conformance::executor::say;
use crate::conformance::{Failure, Verdict};

/// The rules by number, as the score card names them.
const RULES: [&str; 15] = [
    "what it says of itself",
    "four outcomes of a purchase",
    "a purchase is sent once",
    "not sent means no connection",
    "the ceiling",
    "a read never invents an end",
    "poll: order, every SMS",
    "active: whole or an error",
    "cancel by the exact word",
    "steps may be repeated",
    "bounded time, bytes, no redirect",
    "nothing secret or personal",
    "money to the last digit",
    "dropped calls, calls at once",
    "history: whole, and what became of it",
];

type Result<T> = std::result::Result<T, Failure>;

/// What the tests of one fixture share.
#[derive(Default)]
pub struct Board(OnceLock<Vec<OnceLock<Result<Verdict>>>>);

impl Board {
    /// A board without a result.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What came of a case; it is run if no test has done so, and waited for if another one is doing so.
    ///
    /// # Errors
    ///
    /// Those of [`case`](super::case()).
    pub fn verdict(&self, name: &str, run: impl FnOnce() -> Result<Verdict>) -> Result<Verdict> {
        let results = self.0.get_or_init(|| CASES.iter().map(|_| OnceLock::new()).collect());
        let result = CASES.iter().position(|case| case.name == name).and_then(|at| results.get(at));
        match result {
            Some(result) => result.get_or_init(|| caught(name, run)).clone(),
            None => Err(Failure::new(format!("there is no case {name}"))),
        }
    }

    /// Runs what no test has run yet, and prints the score card.
    ///
    /// # Errors
    ///
    /// If a case failed, if an excuse names no case or has no reason, and if something lacks that is told elsewhere.
    pub fn score_card<F: SupplierFixture>(
        &self,
        name: impl FnOnce() -> Result<String>,
        run: impl Fn(&'static str) -> Result<Verdict>,
    ) -> Result<()> {
        let name =
            caught("the introduction", name).unwrap_or_else(|_| "an adapter that does not say its name".to_owned());
        let mut tally = [[0_usize; 3]; RULES.len()];
        let mut remarks = Vec::new();
        for case in CASES {
            let column = match self.verdict(case.name, || run(case.name)) {
                Ok(Verdict::Passed) => 0,
                Err(failure) => {
                    remarks.push(format!("  failed: {failure}"));
                    1
                }
                Ok(Verdict::Excused(excuse)) => {
                    remarks.push(format!("  excused: {}: {}", excuse.case, excuse.reason));
                    2
                }
            };
            if let Some(count) = tally.get_mut(usize::from(case.rule)).and_then(|row| row.get_mut(column)) {
                *count += 1;
            }
        }
        let sum = |column: usize| tally.iter().filter_map(|row| row.get(column)).sum::<usize>();
        let (passed, failed, excused) = (sum(0), sum(1), sum(2));
        // on a line of its own, whatever the harness has begun to print
        let mut card =
            vec![String::new(), format!("score card of {name}"), row("", ["passed", "failed", "excused", "of"])];
        for (rule, (title, counts)) in RULES.iter().zip(tally).enumerate() {
            let [passed, failed, excused] = counts;
            let counts = [passed, failed, excused, passed + failed + excused].map(|count| count.to_string());
            card.push(row(&format!("{rule:>2} {title}"), counts.each_ref().map(String::as_str)));
        }
        let all = [passed, failed, excused, CASES.len()].map(|count| count.to_string());
        card.push(row("   in all", all.each_ref().map(String::as_str)));
        card.append(&mut remarks);
        say(&card.join("\n"));
        excuses::<F>()?;
        if failed > 0 { Err(Failure::new(format!("{failed} of {} cases failed", CASES.len()))) } else { Ok(()) }
    }
}

/// What this ends in. A fixture or an adapter that panics has failed, as any other that does what it should not: the card
/// is printed all the same.
fn caught<T>(what: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    let told = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        Err(Failure::new(format!("{what}: the fixture or the adapter panicked: {}", told(panic))))
    })
}

fn row(title: &str, [passed, failed, excused, of]: [&str; 4]) -> String {
    format!("  {title:<36}{passed:>8}{failed:>8}{excused:>9}{of:>5}")
}

/// The name that a fixture's adapter goes by.
///
/// # Errors
///
/// None; it is a `Result` so that one function runs all that the tests run.
pub async fn name<F: SupplierFixture>() -> Result<String> {
    let fixture = F::open().await;
    Ok(fixture.supplier(super::line::NOWHERE).describe().name)
}

fn excuses<F: SupplierFixture>() -> Result<()> {
    for needs in F::lacks() {
        let stated = [Needs::More, Needs::EverySms, Needs::Text, Needs::SmsArrived, Needs::Word, Needs::ErrorBody];
        if !stated.contains(needs) {
            return Err(Failure::new(format!("{needs:?} is told by capabilities and answers, not by what is lacking")));
        }
    }
    for excuse in F::excuses() {
        if !CASES.iter().any(|case| case.name == excuse.case) {
            return Err(Failure::new(format!("an excuse names {}, which is no case", excuse.case)));
        }
        if excuse.reason.trim().is_empty() {
            return Err(Failure::new(format!("{} is excused without a reason", excuse.case)));
        }
    }
    Ok(())
}
