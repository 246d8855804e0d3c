//! Which calls the planned faults are for.

use std::collections::VecDeque;

use super::fault::Fault;

/// Faults waiting for their calls, at most; more are dropped.
const PLANNED_LIMIT: usize = 1_000;

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
    use crate::sandbox::FaultReply;

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
