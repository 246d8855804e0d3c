//! From a failing run to a short one: items of the plan are left out as long as the run still fails.

use crate::plan::Plan;
use crate::run::{LIMIT_US, Outcome, StoreKind, run_until};

/// Runs that a search may take: a minute at most.
const RUNS_MAX: u32 = 300;
/// A shorter run breaks the rule so much later at most, in microseconds of virtual time.
const LATER_US: i64 = 600_000_000;

/// What is left of a failing plan.
#[derive(Debug)]
pub struct Shrunk {
    /// The items that are needed.
    pub enabled: Vec<bool>,
    /// The run with them, with its events.
    pub outcome: Outcome,
    /// Runs that it took.
    pub runs: u32,
}

/// Finds few items with which a plan still breaks a rule.
///
/// # Errors
///
/// As [`run`].
pub fn shrink(plan: &Plan, failed: &Outcome, kind: StoreKind) -> Result<Shrunk, String> {
    let failed_us = failed.violation.as_ref().map_or(LIMIT_US, |it| it.at_us);
    let limit_us = failed_us.saturating_add(LATER_US).min(LIMIT_US);
    let run = |enabled: &[bool], tell: bool| run_until(plan, enabled, kind, tell, limit_us);
    // what had no effect is left out first
    let mut enabled = failed.used.clone();
    let mut runs = 1;
    if run(&enabled, false)?.violation.is_none() {
        enabled = vec![true; plan.len()];
    }
    let mut size = plan.len().div_ceil(2);
    while size > 0 && runs < RUNS_MAX {
        let on: Vec<usize> = (0..enabled.len()).filter(|at| enabled[*at]).collect();
        let mut less = false;
        for part in on.chunks(size) {
            let mut tried = enabled.clone();
            part.iter().for_each(|at| tried[*at] = false);
            runs += 1;
            let outcome = run(&tried, false)?;
            if outcome.violation.is_some() {
                // an item that is on and had no effect is not needed either
                for (on, used) in tried.iter_mut().zip(&outcome.used) {
                    *on &= *used;
                }
                less = true;
                enabled = tried;
            }
            if runs >= RUNS_MAX {
                break;
            }
        }
        size = match (less, size) {
            (true, 1) => 1,
            (_, 1) => 0,
            _ => size / 2,
        };
    }
    let mut outcome = run(&enabled, true)?;
    if outcome.violation.is_none() {
        // it hung on an item without an effect of its own
        enabled = vec![true; plan.len()];
        outcome = run(&enabled, true)?;
    }
    Ok(Shrunk { enabled, outcome, runs })
}
