//! What operators do (O4, O5, U20): an adjustment is booked once and above a limit by two; an audit finds no fault with books
//! that add up; while the platform is wound down nothing new comes in.

use std::collections::BTreeSet;

use smscode_core::ledger::record::{AUDIT_RUN, AuditRunRecord, EXCEPTION};
use smscode_core::ledger::{WIND_DOWN, WindDownRecord};
use smscode_core::store::{Amount, Body, Key, Owner, Post, TransferKind};

use super::Watch;
use crate::node::ADJUST_ALONE_MAX;
use crate::world::World;

/// What was booked by hand, and what is just going on.
#[derive(Default)]
pub(super) struct Booked {
    /// Subjects of adjustments and deposits.
    once: BTreeSet<String>,
    wound_down: bool,
    /// The account that the ChangeSet at hand deletes.
    pub(super) deleting: Option<Owner>,
}

impl Watch {
    /// Whether something was booked under this subject.
    pub(crate) fn is_booked(&self, subject: &str) -> bool {
        self.booked.once.contains(subject)
    }

    /// A transfer by hand, or one that a wind-down forbids.
    pub(super) fn operators_post(&mut self, now: i64, post: &Post) {
        if self.booked.wound_down && matches!(post.kind, TransferKind::Hold | TransferKind::Deposit) {
            self.fail(now, None, format!("{} during a wind-down", post.subject));
        }
        if !matches!(post.kind, TransferKind::Adjust | TransferKind::Deposit) {
            return;
        }
        if !self.booked.once.insert(post.subject.clone()) {
            self.fail(now, None, format!("{} is booked twice", post.subject));
        }
        let Amount::Exact(amount) = post.amount else { return };
        let names: BTreeSet<String> = post.actor.split('+').map(str::to_ascii_lowercase).collect();
        if post.kind == TransferKind::Adjust && amount > ADJUST_ALONE_MAX && names.len() < 2 {
            self.fail(now, None, format!("{} of {amount} is booked by {} alone", post.subject, post.actor));
        }
    }

    /// A record of operators or audits; whether it is one.
    pub(super) fn operators_record(&mut self, world: &World, key: &Key, body: &Body) -> bool {
        let now = world.timeline.now_us();
        if key.kind == EXCEPTION {
            let owner = (!key.owner.is_none()).then_some(key.owner);
            let found = String::from_utf8_lossy(body.as_bytes()).into_owned();
            self.fail(now, owner, format!("an audit finds fault with books that add up: {found}"));
        } else if key.kind == AUDIT_RUN {
            let run = serde_json::from_slice::<AuditRunRecord>(body.as_bytes());
            // one that has come to its end makes room for the next
            if run.is_ok_and(|run| run.after.is_none() && run.accounts == 0) && self.placed() > 0 {
                world.hit("audit");
            }
        } else if key.kind == WIND_DOWN {
            let record = serde_json::from_slice::<WindDownRecord>(body.as_bytes());
            self.booked.wound_down = record.is_ok_and(|record| record.begun.is_some());
        } else {
            return false;
        }
        true
    }
}
