//! A deleted account (A1, A3): what is available is forfeited in the ChangeSet of the deletion; later each of its open orders
//! is paid for, or released and forfeited at once, unit by unit; and nothing new comes into being.

use smscode_core::account::AccountId;
use smscode_core::account::record::{ACCOUNT, AccountRecord};
use smscode_core::order::OrderId;
use smscode_core::order::decide::{Input, State};
use smscode_core::order::record::OrderRecord;
use smscode_core::store::{Body, ChangeSet, Entry, Key, Owner, Post, TransferKind};
use smscode_core::time::Timestamp;

use super::{Life, Watch};
use crate::world::World;

/// The account that a ChangeSet writes as deleted, if it does so.
fn deleted_by(change_set: &ChangeSet) -> Option<Owner> {
    change_set.entries.iter().find_map(|entry| match entry {
        Entry::Put { key, body, .. } if key.kind == ACCOUNT => {
            let record: AccountRecord = serde_json::from_slice(body.as_bytes()).ok()?;
            record.is_deleted().then_some(key.owner)
        }
        _ => None,
    })
}

fn is_forfeit_of_account(entry: &Entry) -> bool {
    matches!(entry, Entry::Post(post) if post.kind == TransferKind::Forfeit && post.subject == "account")
}

impl Watch {
    /// Notes a deletion before the money of its ChangeSet is counted.
    pub(super) fn begin_deletion(&mut self, change_set: &ChangeSet) {
        self.booked.deleting = deleted_by(change_set).filter(|owner| !self.gone.contains_key(owner));
    }

    /// An account is deleted: everything that was available is gone with it.
    pub(super) fn delete(&mut self, world: &World, change_set: &ChangeSet) {
        let Some(owner) = self.booked.deleting.take() else { return };
        let now = world.timeline.now_us();
        if !change_set.entries.iter().any(is_forfeit_of_account) {
            self.fail(now, Some(owner), "an account is deleted and nothing of it forfeited".into());
        }
        self.gone.insert(owner, now);
        self.purse(now, owner);
        world.hit("deleted");
        let open: Vec<&Life> =
            self.open.iter().filter_map(|id| self.orders.get(id)).filter(|it| it.owner == owner).collect();
        if !open.is_empty() {
            world.hit("A1");
        }
        world.tell("deleted", [open.len() as u64, 0, 0], || format!("an account with {} open orders", open.len()));
    }

    /// An account's record: a deletion stays, and its sweep misses no order.
    pub(super) fn account(&mut self, now: i64, key: &Key, body: &Body) {
        let Ok(record) = serde_json::from_slice::<AccountRecord>(body.as_bytes()) else {
            return self.fail(now, Some(key.owner), "an account's record cannot be read".into());
        };
        let owner = key.owner;
        if !record.is_deleted() {
            if self.gone.contains_key(&owner) {
                self.fail(now, Some(owner), "a deleted account comes back".into());
            }
            return;
        }
        if record.due_at.is_some() {
            self.unswept.insert(owner);
            return;
        }
        self.unswept.remove(&owner);
        let untold = self
            .open
            .iter()
            .find(|id| self.orders.get(id).is_some_and(|life| life.owner == owner && !life.without_reader));
        if let Some(id) = untold.copied() {
            self.fail(now, Some(owner), format!("{id:?} was not told that its account is deleted"));
        }
    }

    /// Money that moves on an account that is deleted.
    pub(super) fn money_of_gone(&mut self, now: i64, owner: Owner, post: &Post, order: Option<OrderId>, amount: i64) {
        let going = self.booked.deleting == Some(owner);
        let gone = self.gone.contains_key(&owner);
        let wrong = match (post.kind, order) {
            (TransferKind::Forfeit, None) if !going => Some("what is available is forfeited without a deletion"),
            (TransferKind::Forfeit, Some(_)) if !gone => Some("an order is forfeited without a deletion"),
            (TransferKind::Forfeit, Some(id)) => {
                let life = self.orders.get(&id);
                let fits = life.is_some_and(|it| it.closed == Some(TransferKind::Release) && it.price == amount);
                if self.forfeited.insert(id) && fits { None } else { Some("forfeited twice, or not what was released") }
            }
            (TransferKind::Hold, _) if gone => Some("an order is placed after the deletion"),
            (TransferKind::Deposit | TransferKind::Adjust | TransferKind::Reverse, _) if gone => {
                Some("money comes or goes after the deletion")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.fail(now, Some(owner), format!("{}: {wrong}", post.subject));
        }
    }

    /// An order of a deleted account is written: it was told, has nothing readable in it, and does not stay consumed.
    pub(super) fn order_of_gone(&mut self, now: i64, owner: Owner, id: OrderId, record: &OrderRecord) {
        if !self.gone.contains_key(&owner) {
            return;
        }
        if !record.messages.is_empty() || record.state == State::Received {
            self.fail(now, Some(owner), format!("{id:?} has an SMS, and its account is deleted"));
        }
        let released = self.orders.get(&id).is_some_and(|it| it.closed == Some(TransferKind::Release));
        let ends_now = record.state.is_terminal() && self.open.contains(&id);
        if ends_now && released && !self.forfeited.contains(&id) {
            self.fail(now, Some(owner), format!("{id:?} is released after the deletion and not forfeited"));
        }
    }

    /// What was met of deletions, for the table of coverage.
    pub(super) fn note_of_gone(
        &self,
        owner: Owner,
        before: State,
        record: &OrderRecord,
        input: Input,
    ) -> Vec<&'static str> {
        let mut hits = Vec::new();
        if !self.gone.contains_key(&owner) {
            return hits;
        }
        match input {
            Input::AccountDeleted if record.state == State::Completed && before == State::Received => {
                hits.push("A1 consumed")
            }
            Input::AccountDeleted if before.is_pending() => hits.push("A1 unclear"),
            Input::Sms => hits.push("A1 paid"),
            Input::WindowOver | Input::LookUpOver | Input::Reject => hits.push("A1 run out"),
            Input::CancelConfirmed | Input::SupplierEnded => {
                hits.push("A1 given back");
                if before == State::Canceling && record.steps.iter().any(asked_before_deletion) {
                    hits.push("A3");
                }
            }
            _ => {}
        }
        hits
    }

    /// Whether an account was deleted by then.
    pub(crate) fn is_gone(&self, account: AccountId, by_us: i64) -> bool {
        self.gone.get(&Owner(account.bytes())).is_some_and(|at| *at <= by_us)
    }

    /// Whether the orders of each deleted account have been told.
    pub(crate) fn is_swept(&self) -> bool {
        self.unswept.is_empty()
    }

    /// The open order of an account whose window ends first, and when.
    pub(crate) fn with_number(&self, account: AccountId) -> Option<(OrderId, Option<Timestamp>)> {
        let owner = Owner(account.bytes());
        let open = self.open.iter().filter_map(|id| Some((*id, self.orders.get(id)?)));
        let listens = |life: &Life| matches!(life.state, State::Active | State::Canceling);
        let of_account = open.filter(|(_, life)| life.owner == owner && listens(life));
        of_account.map(|(id, life)| (id, life.expires_at)).min_by_key(|(_, end)| *end)
    }

    /// Whether a supplier decides about an order's cancel.
    pub(crate) fn is_deciding(&self, id: OrderId) -> bool {
        self.orders.get(&id).is_some_and(|life| life.state == State::Canceling)
    }

    /// The activations of an account's orders that wait for their first SMS.
    pub(crate) fn waiting(&self, account: AccountId) -> Vec<(usize, u64)> {
        let owner = Owner(account.bytes());
        let open = self.open.iter().filter_map(|id| self.orders.get(id)).filter(|life| life.owner == owner);
        let waits = |life: &&Life| matches!(life.state, State::Active | State::Canceling);
        open.filter(waits).filter_map(|life| life.activation).collect()
    }

    /// Some order of an account.
    pub(crate) fn any_of(&self, account: AccountId) -> Option<OrderId> {
        let owner = Owner(account.bytes());
        self.orders.iter().rev().find(|(_, life)| life.owner == owner).map(|(id, _)| *id)
    }
}

/// A cancel was being decided when its order was told of the deletion.
fn asked_before_deletion(step: &smscode_core::order::record::StepRecord) -> bool {
    step.input == Input::AccountDeleted && step.state == State::Canceling
}
