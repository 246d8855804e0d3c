//! Adjustments by an operator (O4): one transfer and one audit record, in one ChangeSet.

use super::accounts::present;
use super::command::{Failed, Verdict};
use super::inner::Inner;
use crate::account::AccountError;
use crate::account::record::account_key;
use crate::ledger::adjust::{actors, check};
use crate::ledger::record::{AmountRecord, AuditRecord, BY_AUDIT, adjust_key};
use crate::ledger::{Adjust, AdjustError, AuditEntry};
use crate::money::Money;
use crate::order::content::hex;
use crate::privacy::keyed_hash;
use crate::store::{
    Amount, Body, BodyError, Bucket, Entry, Expect, House, Index, Key, LoadKey, Place, Post, Range, Refusal, Row,
    StoreError, TransferId, TransferKind,
};
use crate::time::Timestamp;

/// Audit records on one page.
const PAGE_MAX: usize = 100;

impl From<Failed<Self>> for AdjustError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => Self::NotFound,
        }
    }
}

impl Inner {
    /// Books an adjustment; `false` if it was booked before.
    pub(super) async fn adjust(&self, wanted: &Adjust) -> Result<bool, AdjustError> {
        let alone_max = self.settings.adjust_alone_max_minor;
        check(wanted, self.settings.currency, alone_max)?;
        let fingerprint = self.fingerprint(wanted);
        let key = adjust_key(&wanted.reference);
        let keys = [LoadKey::Record(account_key(wanted.account)), LoadKey::Record(key.clone())];
        let booked = self.decide(&keys, |snapshot, now| {
            if let Some(stored) = snapshot.record(&key) {
                let known: AuditRecord = stored.body.read()?;
                let same = known.fingerprint.as_ref() == Some(&fingerprint);
                return if same { Ok(Verdict::Nothing(false)) } else { Err(AdjustError::ReferenceUsed) };
            }
            let (version, _) = present(snapshot, wanted.account).map_err(|error| match error {
                AccountError::NotFound => AdjustError::NotFound,
                other => AdjustError::Unavailable(other.to_string()),
            })?;
            let record = AuditRecord {
                v: 1,
                at: now,
                actor: wanted.actor.clone(),
                second: wanted.second.clone(),
                action: "adjust".into(),
                subject: Some(wanted.reference.clone()),
                amount: Some(AmountRecord { minor: wanted.amount.minor, currency: wanted.amount.currency }),
                reason: wanted.reason.clone(),
                fingerprint: Some(fingerprint.clone()),
            };
            let entries = vec![
                Entry::Ensure { key: account_key(wanted.account), expect: Expect::Version(version) },
                post(wanted),
                self.put_audit(key.clone(), &record)?,
            ];
            Ok(Verdict::Commit(entries, true))
        });
        match booked.await {
            Err(Failed::Store(StoreError::Refused(Refusal::Floor {
                bucket: Bucket::Available,
                now,
                currency,
                ..
            }))) if wanted.amount.minor < 0 => {
                let wanted = Money::new(wanted.amount.minor.saturating_neg(), currency);
                Err(AdjustError::Floor { wanted, available: Money::new(now, currency) })
            }
            other => other.map_err(AdjustError::from),
        }
    }

    /// The entry of a new audit record.
    pub(super) fn put_audit(&self, key: Key, record: &AuditRecord) -> Result<Entry, BodyError> {
        Ok(Entry::Put {
            key,
            expect: Expect::Absent,
            version: self.version(),
            body: Body::write(record)?,
            terms: record.terms(),
        })
    }

    /// What tells an adjustment from another of the same reference. Keyed, so it leads to nobody.
    fn fingerprint(&self, wanted: &Adjust) -> String {
        let second = wanted.second.as_deref().unwrap_or_default();
        let hash = keyed_hash(
            &self.keys.index,
            &[
                b"adjust",
                &wanted.account.bytes(),
                &wanted.amount.minor.to_be_bytes(),
                wanted.reason.as_bytes(),
                wanted.actor.as_bytes(),
                second.as_bytes(),
            ],
        );
        hex(&hash)
    }

    /// What operators did before a time, newest first.
    pub(super) async fn audit_log(
        &self,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let from =
            before.map_or_else(Vec::new, |before| Timestamp(before.0.saturating_sub(1)).reverse_sort_bytes().to_vec());
        let range = Range { from, until: None };
        let page = self.store.scan(&Index::Term(BY_AUDIT), &range, None, limit.clamp(1, PAGE_MAX)).await?;
        let mut entries = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let Row::Record { record, .. } = row else { continue };
            let record: AuditRecord = record.body.read().map_err(|e| super::command::unreadable(&e))?;
            entries.push(AuditEntry {
                at: record.at,
                actor: record.actor,
                second: record.second,
                action: record.action,
                subject: record.subject,
                amount: record.amount.map(AmountRecord::money),
                reason: record.reason,
            });
        }
        Ok(entries)
    }
}

fn post(wanted: &Adjust) -> Entry {
    let house = Place::House(House::adjustments());
    let customer = Place::Customer(wanted.account.0, Bucket::Available);
    let (debit, credit) = if wanted.amount.minor > 0 { (house, customer) } else { (customer, house) };
    Entry::Post(Post {
        id: TransferId(format!("adjust/{}", wanted.reference).into_bytes()),
        kind: TransferKind::Adjust,
        subject: format!("adjust:{}", wanted.reference),
        reason: wanted.reason.clone(),
        actor: actors(wanted),
        debit,
        credit,
        currency: wanted.amount.currency,
        amount: Amount::Exact(wanted.amount.minor.saturating_abs()),
    })
}
