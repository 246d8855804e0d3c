//! The deletion of an account: its money, its tokens and its orders.
//!
//! One ChangeSet decides: the account's record is written, and everything that belongs to the account Ensures that
//! record. From then on [`Inner::change_order`] knows that nobody reads its orders. Orders in `Received` are completed in
//! that ChangeSet as far as it has room; what remains, and what was placed in the same moment, is found by a sweep right
//! behind it, which is due work of the account, so that a crash between the two is made good. Nothing of it can be read
//! meanwhile: to its customer the account is not there.

use std::sync::Arc;

use futures_util::stream::iter;
use futures_util::{FutureExt, StreamExt};

use super::accounts::present;
use super::command::{Failed, Step, Supply, Verdict, read_account, read_order};
use super::inner::Inner;
use super::reading::{place, read_orders};
use crate::account::record::{AccountStatus, BY_ACCOUNT_DUE, account_key, read_account_key};
use crate::account::{AccountError, AccountId, DeletionPreview, OpenOrder, STAYS, becomes};
use crate::ledger::Balance;
use crate::money::Money;
use crate::order::content::{hex, open_link, unwrap};
use crate::order::decide::State;
use crate::order::draft::{ACCOUNT_DELETED, Draft};
use crate::order::record::{OrderRecord, order_key};
use crate::order::supply::{SupplyState, supply_key};
use crate::order::{OrderError, OrderId, Status};
use crate::store::{
    Amount, Bucket, Cursor, Entry, Expect, House, Index, Key, LoadKey, Place, Post, Range, Row, Snapshot, StoreError,
    TransferId, TransferKind,
};
use crate::time::Timestamp;
use crate::token::record::{TOKEN, TOKENS_MAX, claim_of};

/// Consumed orders that are completed in the ChangeSet of the deletion: six entries each at most, so 840 of its 1,024; with
/// 100 tokens there is room left.
const ORDERS_AT_ONCE: usize = 140;
/// Bytes of their records, half of what a ChangeSet may have.
const ORDERS_BYTES: usize = 512 << 10;
/// How often the account is read again because a token was made or an order moved meanwhile.
const TRIES: usize = 5;
/// Tries with orders. After them the orders are left to the sweep: a busy account can be deleted too.
const TRIES_WITH_ORDERS: usize = 2;
/// The sweep is due work after this: whoever deletes does it at once.
const SWEEP_AFTER_MS: i64 = 5_000;
/// Orders that a sweep changes at once: a group of commits.
const AT_ONCE: usize = 64;
/// Orders, or accounts, read at a time.
const PAGE: usize = 1_000;
/// The longest the worker sleeps without looking.
const LOOK_MS: i64 = 5_000;

/// The public statuses of open orders.
pub(super) const OPEN: [Status; 2] = [Status::Active, Status::OtpReceived];

/// What an account has that goes with it.
struct Belongings {
    /// The version of its record before they were listed: whoever makes a token writes it.
    version: u64,
    tokens: Vec<Key>,
    consumed: Vec<Consumed>,
}

/// An order in `Received`, with its supplier's side.
struct Consumed {
    id: OrderId,
    supply: Option<Key>,
}

impl Inner {
    /// Deletes an account, in the engine: a caller who goes away does not keep the sweep from following.
    pub(super) async fn delete_account(self: &Arc<Self>, account: AccountId) -> Result<(), AccountError> {
        let inner = Arc::clone(self);
        self.in_engine(move |reply| async move {
            let deleted = inner.delete(account).await;
            let swept = deleted.is_ok();
            // whoever asked may be gone
            drop(reply.send(deleted));
            if swept && let Err(error) = inner.leave_orders(account).await {
                tracing::error!(%error, "orders of a deleted account are looked after later");
            }
        })
        .await
        .map_err(|reason| AccountError::Unavailable(reason.0.to_owned()))?
    }

    async fn delete(&self, account: AccountId) -> Result<(), AccountError> {
        for tried in 0..TRIES {
            let Some(belongings) = self.belongings(account, tried < TRIES_WITH_ORDERS).await? else {
                return Ok(());
            };
            match self.delete_with(account, &belongings).await {
                Ok(true) => {
                    // streams find that there is nothing to read any more; nobody may be listening
                    drop(self.wake_ups.send(Some(account)));
                    self.supply.notify_one();
                    return Ok(());
                }
                Ok(false) => {}
                Err(Failed::Store(error)) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AccountError::Unavailable("the account is changing all the time".into()))
    }

    /// What goes with an account; `None` if it is deleted already.
    async fn belongings(&self, account: AccountId, with_orders: bool) -> Result<Option<Belongings>, AccountError> {
        let snapshot = self.store.load(&[LoadKey::Record(account_key(account))]).await?;
        let (version, record) = read_account(&snapshot, account)?.ok_or(AccountError::NotFound)?;
        if record.is_deleted() {
            return Ok(None);
        }
        // behind a fence: whoever makes a token writes the account's record, whose version the deletion expects
        let most = usize::try_from(TOKENS_MAX).unwrap_or(PAGE).max(1);
        let owned = Range::prefix(&account.bytes());
        let page = self.store.scan(&Index::Kind(TOKEN), &owned, None, most).await?;
        let tokens = page.rows.into_iter().filter_map(|row| match row {
            Row::Record { key, .. } => Some(key),
            Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
        });
        let tokens = tokens.collect();
        let consumed = if with_orders { self.consumed(account).await? } else { Vec::new() };
        Ok(Some(Belongings { version, tokens, consumed }))
    }

    /// Orders that have had their SMS. No fence: the sweep finds what is missed.
    async fn consumed(&self, account: AccountId) -> Result<Vec<Consumed>, AccountError> {
        let mut consumed = Vec::new();
        // one that waits for another SMS shows as active
        for status in OPEN {
            let (orders, _more) = self.open_page(account, status, None).await?;
            for (id, record) in orders {
                if record.state != State::Received || consumed.len() >= ORDERS_AT_ONCE {
                    continue;
                }
                self.know_epoch(&record).await;
                let link = unwrap(&self.epochs(), account, id, &record).and_then(|key| open_link(&key, &record));
                let activation = link.and_then(|link| link.activation);
                consumed.push(Consumed { id, supply: activation.map(|id| supply_key(&record.supplier, &id)) });
            }
        }
        Ok(consumed)
    }

    /// The ChangeSet. `false` if the account's record has changed since its belongings were listed.
    async fn delete_with(&self, account: AccountId, belongings: &Belongings) -> Result<bool, Failed<AccountError>> {
        let mut keys = vec![LoadKey::Record(account_key(account)), LoadKey::Head(account.0)];
        keys.extend(belongings.tokens.iter().map(|token| LoadKey::Record(claim_of(token))));
        for consumed in &belongings.consumed {
            keys.push(LoadKey::Record(order_key(account, consumed.id)));
            keys.extend(consumed.supply.iter().cloned().map(LoadKey::Record));
        }
        self.decide(&keys, |snapshot, now| {
            let (version, mut record) = read_account(snapshot, account)?.ok_or(AccountError::NotFound)?;
            if record.is_deleted() {
                return Ok(Verdict::Nothing(true));
            }
            if version != belongings.version {
                return Ok(Verdict::Nothing(false));
            }
            record.status = AccountStatus::Deleted;
            record.deleted_at = Some(now);
            record.due_at = Some(now.plus_ms(SWEEP_AFTER_MS));
            let mut entries = vec![
                self.put_account(account, Expect::Version(version), &record)?,
                self.forfeit_all(account, snapshot),
                Entry::DeleteOwned { kind: TOKEN, owner: account.0 },
            ];
            for claim in belongings.tokens.iter().map(claim_of) {
                if let Some(stored) = snapshot.record(&claim) {
                    entries.push(Entry::Delete { expect: Expect::Version(stored.version), key: claim });
                }
            }
            let mut bytes = 0;
            for consumed in &belongings.consumed {
                let completed = self.complete(account, consumed, snapshot, now)?;
                bytes += completed.iter().map(bytes_of).sum::<usize>();
                if bytes > ORDERS_BYTES {
                    break;
                }
                entries.extend(completed);
            }
            Ok(Verdict::Commit(entries, true))
        })
        .await
    }

    /// What can be spent at this moment, all of it, whatever is booked in the same moment.
    fn forfeit_all(&self, account: AccountId, snapshot: &Snapshot) -> Entry {
        Entry::Post(Post {
            id: TransferId(format!("forfeit/{}", hex(&account.bytes())).into_bytes()),
            kind: TransferKind::Forfeit,
            subject: "account".into(),
            reason: ACCOUNT_DELETED.into(),
            actor: "customer".into(),
            debit: Place::Customer(account.0, Bucket::Available),
            credit: Place::House(House::forfeits()),
            currency: snapshot.head(account.0).currency.unwrap_or(self.settings.currency),
            amount: Amount::All,
        })
    }

    /// The entries that complete a consumed order; none if it has moved on.
    fn complete(
        &self,
        account: AccountId,
        consumed: &Consumed,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Vec<Entry>, AccountError> {
        let Some((version, record)) = read_order(snapshot, account, consumed.id)? else {
            return Ok(Vec::new());
        };
        if record.state != State::Received {
            return Ok(Vec::new());
        }
        let mut draft = Draft::of(account, consumed.id, version, record).without_reader(true);
        if !draft.lose_reader(now) {
            return Ok(Vec::new());
        }
        let stored = consumed.supply.as_ref().and_then(|key| Some((key, snapshot.record(key)?)));
        if let Some((key, stored)) = stored {
            let record = stored.body.read()?;
            let supply = Supply { key: key.clone(), version: stored.version, record };
            self.close_supply(&mut draft, Some(&supply), SupplyState::Finishing, now)?;
        }
        Ok(draft.entries(self.version())?)
    }

    /// The sweep: tells every open order of a deleted account that nobody reads it any more.
    pub(super) async fn leave_orders(&self, account: AccountId) -> Result<(), StoreError> {
        // behind a fence: every writer of an order Ensures the account, whose record is written as deleted
        for status in OPEN {
            let mut after = None;
            loop {
                let (orders, next) = self.open_page(account, status, after.as_ref()).await?;
                let leaving: Vec<_> = orders.iter().map(|(id, _)| self.leave_order(account, *id).boxed()).collect();
                let left: Vec<_> = iter(leaving).buffer_unordered(AT_ONCE).collect().await;
                left.into_iter().collect::<Result<(), StoreError>>()?;
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        let key = LoadKey::Record(account_key(account));
        let done = self
            .decide::<(), AccountError>(&[key], |snapshot, _| {
                let Some((version, mut record)) = read_account(snapshot, account)? else {
                    return Ok(Verdict::Nothing(()));
                };
                if record.due_at.take().is_none() {
                    return Ok(Verdict::Nothing(()));
                }
                Ok(Verdict::Commit(vec![self.put_account(account, Expect::Version(version), &record)?], ()))
            })
            .await;
        match done {
            Ok(()) | Err(Failed::NotFound) => Ok(()),
            Err(Failed::Store(error)) => Err(error),
            Err(Failed::Rule(error)) => Err(StoreError::Corrupt { store: "core", what: error.to_string() }),
        }
    }

    async fn leave_order(&self, account: AccountId, id: OrderId) -> Result<(), StoreError> {
        let left = self.change_order::<(), OrderError>(account, id, false, |draft, _| {
            let told = draft.record.state != State::Received && draft.has_lost_reader();
            Ok(if draft.record.state.is_terminal() || told { Step::Leave(()) } else { Step::Write(()) })
        });
        super::purchase::settle(left.await)
    }

    /// One page of the open orders of an account, whoever may read them.
    async fn open_page(
        &self,
        account: AccountId,
        status: Status,
        after: Option<&Cursor>,
    ) -> Result<(Vec<(OrderId, OrderRecord)>, Option<Cursor>), StoreError> {
        let (index, prefix) = place(account, Some(status));
        let page = self.store.scan(&Index::Term(index), &Range::prefix(&prefix), after, PAGE).await?;
        Ok((read_orders(page.rows)?, page.next))
    }

    /// Sweeps behind deletions that were interrupted, for ever.
    pub(super) async fn look_after_accounts(&self) {
        loop {
            if let Err(error) = self.accounts_due().await {
                tracing::error!(%error, "accounts are looked after later");
            }
            self.clock.sleep_until(self.now().plus_ms(LOOK_MS)).await;
        }
    }

    async fn accounts_due(&self) -> Result<(), StoreError> {
        if !self.holds("accounts").await? {
            return Ok(());
        }
        let until = Some(self.now().plus_ms(1).sort_bytes().to_vec());
        let range = Range { from: Vec::new(), until };
        let page = self.store.scan(&Index::Term(BY_ACCOUNT_DUE), &range, None, PAGE).await?;
        for row in page.rows {
            if let Row::Record { key, .. } = row {
                self.leave_orders(read_account_key(&key)).await?;
            }
        }
        Ok(())
    }

    /// What a deletion would do now.
    pub(super) async fn deletion_preview(&self, account: AccountId) -> Result<DeletionPreview, AccountError> {
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Head(account.0)];
        let snapshot = self.store.load(&keys).await?;
        present(&snapshot, account)?;
        let balance = Balance::of(snapshot.head(account.0), self.settings.currency);
        let now = self.now();
        let mut open = Vec::new();
        for status in OPEN {
            open.extend(self.open_page(account, status, None).await?.0);
        }
        open.sort_by_key(|(id, record)| (std::cmp::Reverse(record.created_at), *id));
        open.truncate(PAGE);
        let orders = open.into_iter().filter_map(|(id, record)| {
            let held = if record.state.holds_money() { record.price_minor } else { 0 };
            Some(OpenOrder {
                id,
                status: record.status(),
                held: Money::new(held, record.currency),
                becomes: becomes(record.state, record.cancel_at, now)?,
            })
        });
        let Balance { available, held, debt } = balance;
        Ok(DeletionPreview { available, held, debt, orders: orders.collect(), stays: STAYS })
    }
}

fn bytes_of(entry: &Entry) -> usize {
    match entry {
        Entry::Put { body, .. } | Entry::Append { body, .. } => body.as_bytes().len(),
        Entry::Delete { .. }
        | Entry::DeleteOwned { .. }
        | Entry::Ensure { .. }
        | Entry::Count { .. }
        | Entry::Post(_) => 0,
    }
}
