//! Wind-down: set and lifted by an operator, seen by every node with the next command, because the record is among the
//! keys that a placing and a deposit load, and Ensured in their ChangeSets.

use std::collections::BTreeMap;

use super::command::{Failed, Verdict, unreadable};
use super::inner::Inner;
use crate::ledger::record::{AUDIT, AuditRecord};
use crate::ledger::wind_down::{WindDownRecord, check_operator, wind_down_key};
use crate::ledger::{Liabilities, OperatorError, WindDown};
use crate::money::Currency;
use crate::order::content::hex;
use crate::store::{Body, Entry, Expect, Key, LoadKey, Snapshot, StoreError};

impl From<Failed<Self>> for OperatorError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => Self::NotFound,
        }
    }
}

impl Inner {
    /// Makes sure that there is a record to Ensure: a condition on one that is absent would lock more.
    pub(super) async fn settle_wind_down(&self) -> Result<(), StoreError> {
        let key = wind_down_key();
        if self.store.load(&[LoadKey::Record(key.clone())]).await?.record(&key).is_some() {
            return Ok(());
        }
        let put = Entry::Put {
            key,
            expect: Expect::Absent,
            version: self.version(),
            body: Body::write(&WindDownRecord { v: 1, begun: None }).map_err(|e| unreadable(&e))?,
            terms: Vec::new(),
        };
        match self.commit(vec![put], self.now()).await {
            // another node was faster
            Err(error) if error.is_conflict() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// The wind-down, if there is one.
    pub(super) async fn wind_down(&self) -> Result<Option<WindDown>, StoreError> {
        let snapshot = self.store.load(&[LoadKey::Record(wind_down_key())]).await?;
        Ok(read_wind_down(&snapshot)?.1)
    }

    /// Begins or ends a wind-down; `false` if it was so already.
    pub(super) async fn set_wind_down(&self, begin: bool, actor: &str, reason: &str) -> Result<bool, OperatorError> {
        check_operator(actor, reason)?;
        let keys = [LoadKey::Record(wind_down_key())];
        let set = self.decide::<bool, OperatorError>(&keys, |snapshot, now| {
            let (expect, begun) = read_wind_down(snapshot)?;
            if begun.is_some() == begin {
                return Ok(Verdict::Nothing(false));
            }
            let begun = begin.then(|| WindDown { since: now, actor: actor.to_owned(), reason: reason.to_owned() });
            let put = Entry::Put {
                key: wind_down_key(),
                expect,
                version: self.version(),
                body: Body::write(&WindDownRecord { v: 1, begun })?,
                terms: Vec::new(),
            };
            let action = if begin { "wind_down_begun" } else { "wind_down_ended" };
            let audit = self.operator_did(action, None, actor, reason, now);
            Ok(Verdict::Commit(vec![put, self.put_audit(Key::free(AUDIT, hex(&self.random::<16>())), &audit)?], true))
        });
        Ok(set.await?)
    }

    /// An audit record of something that is not money.
    pub(super) fn operator_did(
        &self,
        action: &str,
        subject: Option<String>,
        actor: &str,
        reason: &str,
        at: crate::time::Timestamp,
    ) -> AuditRecord {
        AuditRecord {
            v: 1,
            at,
            actor: actor.to_owned(),
            second: None,
            action: action.to_owned(),
            subject,
            amount: None,
            reason: reason.to_owned(),
            fingerprint: None,
        }
    }

    /// What is owed to all customers, by currency.
    pub(super) async fn liabilities(&self) -> Result<BTreeMap<Currency, Liabilities>, StoreError> {
        let totals = self.store.totals().await?;
        let mut found = BTreeMap::new();
        for (currency, line) in &totals.currencies {
            let what = || StoreError::Corrupt { store: "core", what: "sums beyond 64 bits".into() };
            found.insert(*currency, Liabilities::of(*currency, line).ok_or_else(what)?);
        }
        Ok(found)
    }
}

/// The wind-down out of a snapshot, and what its record is like.
pub(super) fn read_wind_down(snapshot: &Snapshot) -> Result<(Expect, Option<WindDown>), StoreError> {
    let Some(stored) = snapshot.record(&wind_down_key()) else {
        return Ok((Expect::Absent, None));
    };
    let record: WindDownRecord = stored.body.read().map_err(|e| unreadable(&e))?;
    Ok((Expect::Version(stored.version), record.begun))
}
