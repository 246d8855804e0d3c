//! Books that were tampered with (O5), in a copy of the store: the audit finds it, and stops the account it is about and no
//! other.

use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::account::record::{AccountRecord, account_key};
use smscode_core::money::Currency;
use smscode_core::store::copy::{Portable, carry};
use smscode_core::store::{
    Amount, Body, Bucket, ChangeSet, Entry, LoadKey, MemoryStore, OperationId, Owner, Place, Post, Store, TransferId,
    TransferKind,
};

use crate::clock::{NodeClock, Skew};
use crate::rng::{Rng, Seeded};
use crate::world::{World, lock, wait_for};

/// Tampers with a copy of the books of a run that has ended. What is wrong, if anything is.
pub(crate) fn audit_copy(world: &Arc<World>, books: &dyn Portable) -> Option<String> {
    match wait_for(audit(world, books)) {
        Ok(wrong) => wrong,
        Err(reason) => Some(format!("a copy of the books could not be audited: {reason}")),
    }
}

async fn audit(world: &Arc<World>, books: &dyn Portable) -> Result<Option<String>, String> {
    let copy = Arc::new(MemoryStore::new());
    let carried = carry(books, &*copy, &[]).await.map_err(|e| e.to_string())?;
    carried.finish().await.map_err(|e| e.to_string())?;
    let clock = NodeClock { timeline: Arc::clone(&world.timeline), skew: Skew::default() };
    let builder = Platform::builder()
        .store(Arc::clone(&copy) as Arc<dyn Store>)
        .clock(Arc::new(clock))
        .entropy(Arc::new(Seeded::new(Rng::of(world.seed, &[50]))))
        .keyring(world.keyring.clone());
    let platform = builder.build().await.map_err(|e| e.to_string())?;
    let clean = platform.audit().await.map_err(|e| e.to_string())?;
    if (clean.wrong, clean.busy, clean.totals_are_zero) != (0, 0, true) {
        return Ok(Some(format!("an audit of a copy of the books finds {clean:?}")));
    }
    let accounts: Vec<AccountId> = lock(&world.accounts).iter().flatten().copied().collect();
    let Some(victim) = tamper(&*copy, &accounts).await.map_err(|e| e.to_string())? else { return Ok(None) };
    let found = platform.audit().await.map_err(|e| e.to_string())?;
    let mut stopped = Vec::new();
    for account in &accounts {
        let key = account_key(*account);
        let snapshot = copy.load(&[LoadKey::Record(key.clone())]).await.map_err(|e| e.to_string())?;
        let record = snapshot
            .record(&key)
            .and_then(|stored| serde_json::from_slice::<AccountRecord>(stored.body.as_bytes()).ok());
        if record.is_some_and(|record| record.frozen_at.is_some()) {
            stopped.push(*account);
        }
    }
    world.hit("O5");
    let fine = found.wrong == 1 && found.totals_are_zero && stopped == [victim];
    Ok((!fine).then(|| format!("one account was tampered with, {} are stopped, the audit: {found:?}", stopped.len())))
}

/// Moves one unit of the first customer who has one into what is held, for no order.
async fn tamper(
    copy: &dyn Store,
    accounts: &[AccountId],
) -> Result<Option<AccountId>, smscode_core::store::StoreError> {
    for account in accounts {
        let owner = Owner(account.bytes());
        if copy.load(&[LoadKey::Head(owner)]).await?.head(owner).available == 0 {
            continue;
        }
        let mut change_set = ChangeSet::new(OperationId([0xee; 16]), crate::clock::BEGAN);
        change_set.push(Entry::Post(Post {
            id: TransferId(b"tampered".to_vec()),
            kind: TransferKind::Hold,
            subject: "order:1".into(),
            reason: "tampered".into(),
            actor: "nobody".into(),
            debit: Place::Customer(owner, Bucket::Available),
            credit: Place::Customer(owner, Bucket::Held),
            currency: Currency::Idr,
            amount: Amount::Exact(1),
        }));
        copy.commit(Arc::new(change_set.seal(Body::empty()))).await?;
        return Ok(Some(*account));
    }
    Ok(None)
}
