//! Claims: the caller's idempotency key as a record in the hold's commit. Whether a claim is settled is read from its
//! orders; one whose orders were all rejected had no effect and is judged afresh.

use super::command::{read_order, unreadable};
use super::inner::Inner;
use super::placing::Began;
use super::purchase::Purchase;
use crate::account::AccountId;
use crate::order::content::hex;
use crate::order::decide::State;
use crate::order::record::{ClaimRecord, claim_key, order_key};
use crate::order::{Idempotency, OrderError, OrderId};
use crate::privacy::keyed_hash;
use crate::store::{Entry, Expect, LoadKey, Snapshot};

/// Longest idempotency key.
const KEY_MAX: usize = 128;

/// The caller's key as it is stored.
pub(super) struct Claim {
    pub(super) hash: String,
    pub(super) fingerprint: String,
}

impl Inner {
    pub(super) async fn replay(
        &self,
        account: AccountId,
        claim: Option<&Claim>,
    ) -> Result<Option<(Began, Vec<Purchase>)>, OrderError> {
        let Some(claim) = claim else { return Ok(None) };
        let snapshot = self.store.load(&[LoadKey::Record(claim_key(account, &claim.hash))]).await?;
        let Some((version, old)) = read_claim(&snapshot, account, claim)? else {
            return Ok(None);
        };
        if self.all_rejected(account, &old.orders).await? {
            return Ok(None);
        }
        Ok(Some((Began::Replayed(old.orders, version), Vec::new())))
    }

    pub(super) async fn all_rejected(&self, account: AccountId, orders: &[OrderId]) -> Result<bool, OrderError> {
        let keys: Vec<LoadKey> = orders.iter().map(|id| LoadKey::Record(order_key(account, *id))).collect();
        let snapshot = self.store.load(&keys).await?;
        for id in orders {
            if read_order(&snapshot, account, *id)?.is_none_or(|(_, record)| record.state != State::Rejected) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes a claim as it was read. One that has changed since stands for the orders of somebody who was faster.
    pub(super) async fn forget_claim(
        &self,
        account: AccountId,
        claim: Option<&Claim>,
        version: u64,
    ) -> Result<(), OrderError> {
        let Some(claim) = claim else { return Ok(()) };
        let delete = Entry::Delete { key: claim_key(account, &claim.hash), expect: Expect::Version(version) };
        match self.commit(vec![delete], self.now()).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) fn claim_of(&self, account: AccountId, idempotency: &Idempotency) -> Result<Claim, OrderError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let key = idempotency.key.as_bytes();
        if key.is_empty() || key.len() > KEY_MAX || !key.iter().all(|b| plain(*b)) {
            return Err(OrderError::KeyMalformed);
        }
        let operation = idempotency.operation;
        let scope = operation.split('/').next().unwrap_or(operation);
        let account = account.bytes();
        let hash = keyed_hash(&self.keys.index, &[b"claim", &account, scope.as_bytes(), key]);
        let fingerprint =
            keyed_hash(&self.keys.index, &[b"request", &account, operation.as_bytes(), &idempotency.request]);
        Ok(Claim { hash: hex(&hash[..16]), fingerprint: hex(&fingerprint[..16]) })
    }
}

/// The claim in a snapshot; refused if it was made for another request.
pub(super) fn read_claim(
    snapshot: &Snapshot,
    account: AccountId,
    claim: &Claim,
) -> Result<Option<(u64, ClaimRecord)>, OrderError> {
    let Some(stored) = snapshot.record(&claim_key(account, &claim.hash)) else {
        return Ok(None);
    };
    let record: ClaimRecord = stored.body.read().map_err(|e| unreadable(&e))?;
    if record.fingerprint != claim.fingerprint {
        return Err(OrderError::KeyReused);
    }
    Ok(Some((stored.version, record)))
}
