//! The books as the store has them: also of accounts that are deleted, of which the platform gives nothing.

use smscode_core::account::AccountId;
use smscode_core::account::record::{AccountRecord, account_key};
use smscode_core::order::record::{ORDER, OrderRecord, read_order_key};
use smscode_core::order::{OrderId, State};
use smscode_core::store::TransferKind::{self, Capture, Forfeit, Hold, Release};
use smscode_core::store::{Head, Index, LoadKey, Owner, Range, Row, Store, Transfer};

use super::World;

/// All transfers of an account, oldest first.
pub async fn transfers(store: &dyn Store, account: AccountId) -> Vec<Transfer> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let index = Index::Transfers(Owner(account.bytes()));
        let page = store.scan(&index, &Range::all(), after.as_ref(), 1_000).await.unwrap();
        found.extend(page.rows.into_iter().filter_map(|row| match row {
            Row::Transfer(transfer) => Some(transfer),
            _ => None,
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

/// An account's head.
pub async fn head(store: &dyn Store, account: AccountId) -> Head {
    let owner = Owner(account.bytes());
    store.load(&[LoadKey::Head(owner)]).await.unwrap().head(owner)
}

/// All orders of an account, by number.
pub async fn orders(store: &dyn Store, account: AccountId) -> Vec<(OrderId, OrderRecord)> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let range = Range::prefix(&account.bytes());
        let page = store.scan(&Index::Kind(ORDER), &range, after.as_ref(), 1_000).await.unwrap();
        for row in page.rows {
            let Row::Record { key, record, .. } = row else { continue };
            found.push((read_order_key(&key).unwrap().1, serde_json::from_slice(record.body.as_bytes()).unwrap()));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

/// The postings about one thing, such as `account` or `deposit:first`, and that all accounts are zero together: also
/// where somebody has tampered with the books.
pub async fn assert_postings(world: &World, subject: &str, expected: &[TransferKind]) {
    assert_eq!(postings(world, subject).await, expected, "postings of {subject}");
    for (currency, line) in &world.platform.totals().await.unwrap().currencies {
        assert_eq!(line.sum(), 0, "{currency}");
    }
}

async fn postings(world: &World, subject: &str) -> Vec<TransferKind> {
    let all = transfers(&*world.store, world.account).await;
    all.into_iter().filter(|transfer| transfer.subject == subject).map(|transfer| transfer.kind).collect()
}

impl World {
    /// An order of a deleted account.
    pub async fn stored(&self, id: OrderId) -> OrderRecord {
        let found = orders(&*self.store, self.account).await.into_iter().find(|(found, _)| *found == id);
        found.expect("no such order").1
    }

    /// The postings of an order in the store.
    pub async fn postings(&self, id: OrderId) -> Vec<TransferKind> {
        postings(self, &format!("order:{}", id.0)).await
    }

    /// What was forfeited with the account itself.
    pub async fn forfeited(&self) -> Vec<i64> {
        let all = transfers(&*self.store, self.account).await;
        let forfeits = all.into_iter().filter(|t| t.kind == Forfeit && t.subject == "account");
        forfeits.map(|transfer| transfer.amount).collect()
    }

    /// Everything that must be true of a deleted account whose orders have all ended: nothing is left, nothing can be
    /// read, each hold was closed once, and what was released was forfeited, unit by unit.
    pub async fn assert_gone(&self) {
        let (platform, account) = (&self.platform, self.account);
        assert_eq!(platform.balance(account).await.unwrap_err().code(), "not_found");
        assert_eq!(platform.orders(account, None, 0, 10).await.unwrap_err().code(), "not_found");
        assert_eq!(platform.open_orders(account).await.unwrap_err().code(), "not_found");
        assert_eq!(platform.events(account, 0, 10).await.unwrap_err().code(), "not_found");
        assert_eq!(platform.statement(account, 0, 10).await.unwrap_err().code(), "not_found");
        assert_eq!(platform.deletion_preview(account).await.unwrap_err().code(), "not_found");
        let key = account_key(account);
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await.unwrap();
        let stored = snapshot.record(&key).unwrap();
        let record: AccountRecord = serde_json::from_slice(stored.body.as_bytes()).unwrap();
        let deleted_at = record.deleted_at;
        assert!(deleted_at.is_some() && record.due_at.is_none(), "{record:?}");
        let head = head(&*self.store, account).await;
        assert_eq!((head.available, head.held), (0, 0));
        assert_eq!(self.forfeited().await.len(), 1, "the account's own forfeit, once");
        for (id, record) in orders(&*self.store, account).await {
            assert!(record.state.is_terminal(), "{id:?} is {:?}", record.state);
            assert!(record.messages.is_empty() && record.phone.is_none() && record.key.is_none(), "{id:?}");
            assert_eq!(platform.order(account, id).await.unwrap_err().code(), "not_found");
            assert_eq!(platform.explain(account, id).await.unwrap_err().code(), "not_found");
            let postings = self.postings(id).await;
            // what ended before the deletion was released to its customer; at the same instant it is either
            let expected: &[&[TransferKind]] = match record.state {
                State::Completed => &[&[Hold, Capture]],
                _ if record.ended_at < deleted_at => &[&[Hold, Release]],
                _ if record.ended_at > deleted_at => &[&[Hold, Release, Forfeit]],
                _ => &[&[Hold, Release], &[Hold, Release, Forfeit]],
            };
            assert!(expected.contains(&postings.as_slice()), "{id:?} {:?}: {postings:?}", record.state);
        }
        for (currency, line) in &platform.totals().await.unwrap().currencies {
            assert_eq!((line.sum(), line.open_holds), (0, 0), "{currency}");
        }
    }
}
