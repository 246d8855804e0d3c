//! What is printed.

use crate::coverage::{Coverage, JUDGED_FROM_SEEDS};
use crate::plan::Plan;
use crate::run::{Outcome, StoreKind};
use crate::shrink::{Shrunk, shrink};

/// Events of a failing run that are printed at most: the last ones.
const LINES_MAX: usize = 200;

/// Everything about a broken rule: seed, shortest list of items and events, ledger.
///
/// # Errors
///
/// As [`crate::run()`].
pub fn violation(plan: &Plan, failed: &Outcome, kind: StoreKind) -> Result<String, String> {
    let Shrunk { enabled, outcome, runs } = shrink(plan, failed, kind)?;
    let broken = |outcome: &Outcome| outcome.violation.as_ref().map_or_else(String::new, |it| it.what.clone());
    let mut text = format!("seed {}: {}\n", plan.seed, broken(failed));
    let left = enabled.iter().filter(|on| **on).count();
    text.push_str(&format!("shortened to {left} of {} items in {runs} runs: {}\n", plan.len(), broken(&outcome)));
    for (item, _) in plan.items.iter().zip(&enabled).filter(|(_, on)| **on) {
        text.push_str(&format!("  {item:?}\n"));
    }
    let skipped = outcome.lines.len().saturating_sub(LINES_MAX);
    text.push_str(&format!(
        "events{}:\n",
        if skipped > 0 { format!(" (after {skipped} others)") } else { String::new() }
    ));
    for line in outcome.lines.iter().skip(skipped) {
        text.push_str(&format!("  {line}\n"));
    }
    if !outcome.ledger.is_empty() {
        text.push_str("ledger of the account:\n");
        for line in &outcome.ledger {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str(&format!("again: cargo xtask simulate --seeds 1 --seed {}\n", plan.seed));
    Ok(text)
}

/// The lines of coverage that were never met, if there were enough seeds to say so.
pub fn never_met(coverage: &Coverage, seeds: u64) -> Vec<&'static str> {
    if seeds < JUDGED_FROM_SEEDS { Vec::new() } else { coverage.missing() }
}
