//! Load, decide, commit: the one place where it is done.

use std::sync::Arc;

use super::inner::{Inner, NotRunning};
use super::suppliers::Delivery;
use crate::account::AccountId;
use crate::account::record::{AccountRecord, account_key};
use crate::order::content::{open_link, unwrap};
use crate::order::draft::Draft;
use crate::order::record::{OrderId, OrderRecord, order_key};
use crate::order::supply::{SupplyRecord, SupplyState, coarse, supply_key};
use crate::order::{OrderError, rules};
use crate::store::{
    Body, BodyError, ChangeSet, Effect, Entry, Expect, Key, LoadKey, OperationId, Receipt, Snapshot, StoreError,
};
use crate::time::Timestamp;

/// How often a command reloads and decides again after a conflict.
const CONFLICTS_MAX: u32 = 5;

/// How often a ChangeSet of unknown effect is sent again, with growing pauses: 12 s in all.
const UNKNOWN_MAX: u32 = 8;

/// What a rule wants.
pub(super) enum Verdict<T> {
    /// These entries are to be committed.
    Commit(Vec<Entry>, T),
    /// Nothing is to be written.
    Nothing(T),
}

/// Why a command did not come to an end.
#[derive(Debug)]
pub(super) enum Failed<E> {
    /// The rule refused.
    Rule(E),
    /// The store refused or is away.
    Store(StoreError),
    /// There is no such order.
    NotFound,
}

impl<E> From<StoreError> for Failed<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<BodyError> for Failed<E> {
    fn from(error: BodyError) -> Self {
        Self::Store(unreadable(&error))
    }
}

impl From<Failed<Self>> for OrderError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => Self::NotFound,
        }
    }
}

impl From<NotRunning> for OrderError {
    fn from(reason: NotRunning) -> Self {
        Self::Unavailable(reason.0.to_owned())
    }
}

/// A document that cannot be read or written, as an error of the store.
pub(super) fn unreadable(error: &BodyError) -> StoreError {
    StoreError::Corrupt { store: "core", what: error.to_string() }
}

/// Whether a change of an order is to be written.
pub(super) enum Step<T> {
    /// Write it.
    Write(T),
    /// Leave the order as it is.
    Leave(T),
}

/// What a change of an order sees beside the order.
pub(super) struct Sight {
    pub(super) now: Timestamp,
    /// Whether the order's account is deleted: what the customer wants then finds no order.
    pub(super) without_reader: bool,
    /// The supplier's side, if it was asked for and exists.
    pub(super) supply: Option<Supply>,
}

/// The supplier's side of an order, with what is needed to write it.
#[derive(Clone)]
pub(super) struct Supply {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) record: SupplyRecord,
}

impl Supply {
    /// The entry that writes it as it is now.
    pub(super) fn entry(&self, version: u64) -> Result<Entry, BodyError> {
        Ok(Entry::Put {
            key: self.key.clone(),
            expect: Expect::Version(self.version),
            version,
            body: Body::write(&self.record)?,
            terms: self.record.terms(),
        })
    }
}

impl Inner {
    /// Commits entries under a fresh operation id and does not come back before the effect is known, or the store has
    /// been away for 12 s.
    pub(super) async fn commit(&self, entries: Vec<Entry>, now: Timestamp) -> Result<Receipt, StoreError> {
        let mut change_set = ChangeSet::new(self.operation_id(now), now);
        change_set.entries = entries;
        let change_set = Arc::new(change_set.seal(Body::empty()));
        let mut tries = 0;
        let receipt = loop {
            match self.store.commit(change_set.clone()).await {
                // what this try did not do, an earlier one may have done
                Err(StoreError::Unavailable { store, effect, reason }) if effect == Effect::Unknown || tries > 0 => {
                    if tries == UNKNOWN_MAX {
                        return Err(StoreError::Unavailable { store, effect: Effect::Unknown, reason });
                    }
                    self.clock.sleep_until(self.now().plus_ms(50 << tries)).await;
                    tries += 1;
                }
                Err(error) => return Err(error),
                Ok(receipt) => break receipt,
            }
        };
        for entry in &change_set.entries {
            if let Entry::Append { owner, .. } = entry {
                // nobody may be listening
                drop(self.wake_ups.send(Some(AccountId(*owner))));
            }
        }
        Ok(receipt)
    }

    /// A fresh operation id: the time in ms, then 80 random bits. Random alone would do; with the time in front a store
    /// keeps what it remembers of one group side by side instead of in a page for each.
    fn operation_id(&self, now: Timestamp) -> OperationId {
        let mut id = self.random();
        let ms = u64::try_from(now.0 / 1_000).unwrap_or(0);
        id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        OperationId(id)
    }

    /// Loads the keys, lets the rule decide, commits what it wants; decides again when somebody else was faster.
    pub(super) async fn decide<T, E>(
        &self,
        keys: &[LoadKey],
        rule: impl FnMut(&Snapshot, Timestamp) -> Result<Verdict<T>, E>,
    ) -> Result<T, Failed<E>> {
        self.decide_with(keys, |now| now, rule).await
    }

    /// The same for the supplier's side, whose ChangeSets carry the minute alone: an exact time would lead from a transfer
    /// there to the order that ended just then.
    pub(super) async fn decide_coarsely<T, E>(
        &self,
        keys: &[LoadKey],
        rule: impl FnMut(&Snapshot, Timestamp) -> Result<Verdict<T>, E>,
    ) -> Result<T, Failed<E>> {
        self.decide_with(keys, coarse, rule).await
    }

    async fn decide_with<T, E>(
        &self,
        keys: &[LoadKey],
        time: fn(Timestamp) -> Timestamp,
        mut rule: impl FnMut(&Snapshot, Timestamp) -> Result<Verdict<T>, E>,
    ) -> Result<T, Failed<E>> {
        let mut conflicts = 0;
        loop {
            let snapshot = self.store.load(keys).await?;
            let now = self.now();
            let (entries, result) = match rule(&snapshot, now).map_err(Failed::Rule)? {
                Verdict::Nothing(result) => return Ok(result),
                Verdict::Commit(entries, result) => (entries, result),
            };
            match self.commit(entries, time(now)).await {
                Ok(_) => return Ok(result),
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Changes one order. Its account is Ensured, and what is due next is computed from the new record. What the deletion
    /// of its account means for an order is done here, so for every change there is.
    pub(super) async fn change_order<T, E>(
        &self,
        account: AccountId,
        id: OrderId,
        with_supply: bool,
        mut rule: impl FnMut(&mut Draft, &Sight) -> Result<Step<T>, E>,
    ) -> Result<T, Failed<E>> {
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Record(order_key(account, id))];
        let mut conflicts = 0;
        loop {
            let snapshot = self.store.load(&keys).await?;
            let (version, record) = read_order(&snapshot, account, id)?.ok_or(Failed::NotFound)?;
            let (account_version, owner) = read_account(&snapshot, account)?.ok_or(Failed::NotFound)?;
            let without_reader = owner.is_deleted();
            self.know_epoch(&record).await;
            let supply = if with_supply { self.supply_of(account, id, &record).await? } else { None };
            let sight = Sight { now: self.now(), without_reader, supply };
            let loaded = without_reader.then(|| record.clone());
            let before = record.state;
            let mut draft = Draft::of(account, id, version, record).without_reader(without_reader);
            let result = match rule(&mut draft, &sight).map_err(Failed::Rule)? {
                Step::Leave(result) => return Ok(result),
                Step::Write(result) => result,
            };
            if draft.lose_reader(sight.now)
                && let Some(loaded) = &loaded
            {
                let supply = self.supply_of(account, id, loaded).await?;
                self.close_supply(&mut draft, supply.as_ref(), SupplyState::Finishing, sight.now)?;
            }
            draft.record.due_at =
                draft.put_off_until().or_else(|| rules::due_at(&draft.record, &self.settings, sight.now));
            let due = draft.record.due_at;
            let delivery = Delivery::of(before, &draft.record);
            let mut entries = draft.entries(self.version())?;
            entries.push(Entry::Ensure { key: account_key(account), expect: Expect::Version(account_version) });
            match self.commit(entries, sight.now).await {
                Ok(_) => {
                    if let Some(due) = due {
                        self.due_at(due);
                    }
                    if let Some(delivery) = delivery {
                        self.delivered(&delivery);
                    }
                    if without_reader {
                        self.supply.notify_one();
                    }
                    return Ok(result);
                }
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The supplier's side of an order that has an activation.
    pub(super) async fn supply_of(
        &self,
        account: AccountId,
        id: OrderId,
        record: &OrderRecord,
    ) -> Result<Option<Supply>, StoreError> {
        let epochs = self.epochs();
        let Some(link) = unwrap(&epochs, account, id, record).and_then(|key| open_link(&key, record)) else {
            return Ok(None);
        };
        let Some(activation) = link.activation else {
            return Ok(None);
        };
        let key = supply_key(&record.supplier, &activation);
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await?;
        let Some(stored) = snapshot.record(&key) else {
            return Ok(None);
        };
        let record = stored.body.read().map_err(|e| unreadable(&e))?;
        Ok(Some(Supply { key, version: stored.version, record }))
    }

    /// Reads one order.
    pub(super) async fn load_order(
        &self,
        account: AccountId,
        id: OrderId,
    ) -> Result<Option<(u64, OrderRecord)>, StoreError> {
        let snapshot = self.store.load(&[LoadKey::Record(order_key(account, id))]).await?;
        let found = read_order(&snapshot, account, id)?;
        if let Some((_, record)) = &found {
            self.know_epoch(record).await;
        }
        Ok(found)
    }
}

/// An order out of a snapshot.
pub(super) fn read_order(
    snapshot: &Snapshot,
    account: AccountId,
    id: OrderId,
) -> Result<Option<(u64, OrderRecord)>, StoreError> {
    let Some(stored) = snapshot.record(&order_key(account, id)) else {
        return Ok(None);
    };
    let record = stored.body.read().map_err(|e| unreadable(&e))?;
    Ok(Some((stored.version, record)))
}

/// An account out of a snapshot.
pub(super) fn read_account(
    snapshot: &Snapshot,
    account: AccountId,
) -> Result<Option<(u64, AccountRecord)>, StoreError> {
    let Some(stored) = snapshot.record(&account_key(account)) else {
        return Ok(None);
    };
    let record = stored.body.read().map_err(|e| unreadable(&e))?;
    Ok(Some((stored.version, record)))
}
