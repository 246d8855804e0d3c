//! Exceptions to the rules, as data. One that is no longer needed is itself a finding.

/// One place where one rule does not hold.
#[derive(Debug)]
pub(crate) struct Exception {
    /// Name of the rule, as printed.
    pub(crate) rule: &'static str,
    /// The place as the finding prints it, without line number: a path, `path::name`, or `crate: foreign::path`.
    pub(crate) place: &'static str,
    /// Why; read by whoever wants to remove it.
    pub(crate) reason: &'static str,
}

/// All of them. Long data tables go here under `file length`, foreign types accepted on purpose under `public signatures`.
pub(crate) const EXCEPTIONS: &[Exception] = &[Exception {
    rule: "journeys",
    place: "smscode-core/tests/journeys/nodes.rs::d1_a_deposit_is_booked_once",
    reason: "a deposit without any order: what was booked is seen in the balance, which is summed up beside it",
}];
