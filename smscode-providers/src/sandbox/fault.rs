//! Faults of a supplier as data: what happens to the next calls.

use std::collections::VecDeque;

/// Faults waiting for their calls, at most; more are dropped.
const PLANNED_LIMIT: usize = 1_000;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the call has its effect nevertheless (a number is bought, an activation cancelled).
    pub effect: bool,
    /// Milliseconds before the reply.
    pub delay_ms: u32,
    /// What the caller gets.
    pub reply: FaultReply,
}

/// What a caller gets in place of the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultReply {
    /// The true reply (to be delayed); without the effect there is none, and the caller gets an empty HTTP 503.
    True,
    /// Nothing: the connection is closed.
    Lost,
    /// The first half of the true reply.
    Truncated,
    /// Bytes that are no text.
    Garbage,
    /// A body of this many bytes.
    Huge(usize),
    /// A redirect to this address.
    Redirect(String),
    /// This status and body: HTML pages, errors, values of the wrong type.
    Body(u16, String),
}

impl Fault {
    /// The effect takes place, the reply does not.
    pub fn after_effect(reply: FaultReply) -> Self {
        Self { effect: true, delay_ms: 0, reply }
    }

    /// Neither takes place.
    pub fn without_effect(reply: FaultReply) -> Self {
        Self { effect: false, delay_ms: 0, reply }
    }

    /// The true reply, late.
    pub fn slow(delay_ms: u32) -> Self {
        Self { effect: true, delay_ms, reply: FaultReply::True }
    }
}

/// Which calls a fault is for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    action: Option<String>,
    times: u32,
    fault: Fault,
}

/// The script: the first entry that fits a call is used up by it.
#[derive(Debug, Default)]
pub(super) struct Script(VecDeque<Planned>);

impl Script {
    /// For the next `times` calls of this action, or of any.
    pub(super) fn plan(&mut self, action: Option<&str>, times: u32, fault: Fault) {
        if self.0.len() < PLANNED_LIMIT && times > 0 {
            self.0.push_back(Planned { action: action.map(str::to_owned), times, fault });
        }
    }

    /// The fault of this call.
    pub(super) fn take(&mut self, action: &str) -> Option<Fault> {
        let at = self.0.iter().position(|planned| planned.action.as_deref().is_none_or(|name| name == action))?;
        let planned = self.0.get_mut(at)?;
        planned.times -= 1;
        let fault = planned.fault.clone();
        if planned.times == 0 {
            self.0.remove(at);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up_by_the_calls_it_is_for() {
        let (lost, slow) = (Fault::after_effect(FaultReply::Lost), Fault::slow(5));
        let mut script = Script::default();
        script.plan(Some("getNumber"), 2, lost.clone());
        script.plan(None, 1, slow.clone());
        script.plan(Some("getNumber"), 0, slow.clone());
        assert_eq!(script.take("getNumber"), Some(lost.clone()));
        assert_eq!(script.take("getStatus"), Some(slow));
        assert_eq!(script.take("getStatus"), None);
        assert_eq!(script.take("getNumber"), Some(lost));
        assert_eq!(script.take("getNumber"), None);
    }
}
