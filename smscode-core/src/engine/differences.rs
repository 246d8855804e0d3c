//! Differences between suppliers and our books: writing them, and settling them by an operator.

use std::collections::BTreeMap;

use super::audit::stored;
use super::command::{Failed, Verdict, unreadable};
use super::corrections::correction;
use super::inner::{Inner, Slot};
use crate::ledger::OperatorError;
use crate::ledger::record::{AUDIT, AmountRecord, AuditRecord};
use crate::ledger::wind_down::check_operator;
use crate::money::Money;
use crate::order::content::hex;
use crate::order::supply::{SupplyRecord, coarse};
use crate::port::Charge;
use crate::privacy::keyed_hash;
use crate::reconciliation::decide::{Judged, Next, Ours, judge, next};
use crate::reconciliation::record::{
    BY_DIFFERENCE_CASE, DIFFERENCE, DifferenceRecord, ReconciliationRecord, difference_key, reconciliation_key,
};
use crate::reconciliation::{SettleError, Settlement};
use crate::store::{Entry, Expect, Index, Key, LoadKey, Range, Row, Snapshot, StoreError};
use crate::time::Timestamp;

/// Differences written in one ChangeSet.
const AT_ONCE: usize = 200;
/// Differences of a supplier that are read: those that wait, and those settled of the days that are compared.
const KNOWN_MAX: usize = 20_000;
/// Rows read at a time.
const PAGE: usize = 1_000;

/// One activation as both sides have it.
#[derive(Clone)]
pub(super) struct Sighting {
    pub(super) activation: String,
    pub(super) ours: Ours,
    pub(super) theirs: Option<Charge>,
    /// What it may have cost, by our books.
    pub(super) likely: Option<i64>,
}

impl Sighting {
    pub(super) fn new(activation: &str, record: Option<&SupplyRecord>, theirs: Option<Charge>) -> Self {
        let ours = match record {
            None => Ours::Unknown,
            Some(record) => record.taken_minor().map_or(Ours::Pending, Ours::Taken),
        };
        let likely = record.and_then(|record| record.cost_minor);
        Self { activation: activation.to_owned(), ours, theirs, likely }
    }

    /// Judges it beside what was settled of it.
    pub(super) fn judge(&self, known: Option<&DifferenceRecord>) -> Judged {
        let settled = known.filter(|known| known.settled_at.is_some()).map(|known| known.settled_minor);
        judge(self.ours, settled, self.theirs, self.likely)
    }
}

/// A difference as it was read.
pub(super) struct Known {
    pub(super) version: u64,
    pub(super) record: DifferenceRecord,
}

impl From<Failed<Self>> for SettleError {
    fn from(failed: Failed<Self>) -> Self {
        match failed {
            Failed::Rule(error) => error,
            Failed::Store(error) => error.into(),
            Failed::NotFound => OperatorError::NotFound.into(),
        }
    }
}

impl Inner {
    /// What is known of a supplier's activations, by their names.
    pub(super) async fn known_differences(&self, supplier: &str) -> Result<BTreeMap<String, Known>, StoreError> {
        let prefix = difference_key(supplier, "");
        let range = Range::prefix(&[&prefix.owner.0[..], &prefix.id].concat());
        let (mut known, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.store.scan(&Index::Kind(DIFFERENCE), &range, after.as_ref(), PAGE).await?;
            for row in page.rows {
                let Row::Record { record: stored, .. } = row else { continue };
                let record: DifferenceRecord = stored.body.read().map_err(|e| unreadable(&e))?;
                let Some(activation) = record.activation.clone() else { continue };
                known.insert(activation, Known { version: stored.version, record });
            }
            match page.next {
                Some(next) if known.len() < KNOWN_MAX => after = Some(next),
                Some(_) | None => return Ok(known),
            }
        }
    }

    /// Writes what was seen: how many differences are new or others than before, and how many are none any more.
    pub(super) async fn write_differences(&self, slot: &Slot, seen: &[Sighting]) -> Result<(usize, usize), StoreError> {
        let (mut found, mut gone) = (0, 0);
        for some in seen.chunks(AT_ONCE) {
            let (more, less) = stored(self.write_some(slot, some).await)?;
            (found, gone) = (found + more, gone + less);
        }
        Ok((found, gone))
    }

    async fn write_some(&self, slot: &Slot, some: &[Sighting]) -> Result<(usize, usize), Failed<StoreError>> {
        let (supplier, currency) = (&*slot.info.name, slot.info.currency);
        let progress = reconciliation_key(supplier);
        let key_of = |seen: &Sighting| difference_key(supplier, &seen.activation);
        let keys = some.iter().map(key_of).chain([progress.clone()]).map(LoadKey::Record).collect::<Vec<_>>();
        self.decide_coarsely(&keys, |snapshot, now| {
            let (expect, mut state) = self.progress(snapshot, &progress, now)?;
            let (mut entries, mut found, mut gone) = (Vec::new(), 0, 0);
            for seen in some {
                let key = key_of(seen);
                let stored = snapshot.record(&key);
                let old: Option<DifferenceRecord> =
                    stored.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
                let before = old.as_ref().map_or(0, DifferenceRecord::unbooked_minor);
                let expect = stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
                let about = (supplier, &*seen.activation, currency);
                let case = hex(&self.random::<8>());
                let after = match next(old.as_ref(), seen.judge(old.as_ref()), about, &case, coarse(now)) {
                    Next::Same => continue,
                    Next::Remove => {
                        entries.push(Entry::Delete { key, expect });
                        gone += 1;
                        0
                    }
                    Next::Write(record) => {
                        entries.push(self.put(&key, expect, &record, record.terms())?);
                        (found, gone) = if record.is_open { (found + 1, gone) } else { (found, gone + 1) };
                        record.unbooked_minor()
                    }
                };
                state.unbooked_minor = state.unbooked_minor.saturating_add(after.saturating_sub(before));
            }
            if entries.is_empty() {
                return Ok(Verdict::Nothing((0, 0)));
            }
            entries.push(self.put(&progress, expect, &state, Vec::new())?);
            Ok(Verdict::Commit(entries, (found, gone)))
        })
        .await
    }

    /// How far the comparison with a supplier has come, and what its record is like.
    pub(super) fn progress(
        &self,
        snapshot: &Snapshot,
        key: &Key,
        now: Timestamp,
    ) -> Result<(Expect, ReconciliationRecord), StoreError> {
        let Some(stored) = snapshot.record(key) else {
            let due_at = now.plus_ms(self.settings.reconcile_every_ms);
            return Ok((Expect::Absent, ReconciliationRecord::new(due_at)));
        };
        Ok((Expect::Version(stored.version), stored.body.read().map_err(|e| unreadable(&e))?))
    }

    /// Forgets what was settled so long ago that the history which is compared does not have it any more.
    pub(super) async fn forget_settled(
        &self,
        supplier: &str,
        known: &BTreeMap<String, Known>,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let old = known.iter().filter(|(_, known)| {
            !known.record.is_open && known.record.settled_at.is_some_and(|settled_at| settled_at < before)
        });
        let deletes: Vec<Entry> = old
            .map(|(activation, known)| Entry::Delete {
                key: difference_key(supplier, activation),
                expect: Expect::Version(known.version),
            })
            .collect();
        for some in deletes.chunks(AT_ONCE) {
            match self.commit(some.to_vec(), coarse(self.now())).await {
                // another node was faster with one of them: the next comparison sees what is left
                Err(error) if !error.is_conflict() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// An operator settles a difference.
    pub(super) async fn settle_difference(
        &self,
        case: &str,
        how: Settlement,
        actor: &str,
        reason: &str,
    ) -> Result<(), SettleError> {
        check_operator(actor, reason)?;
        let page = self.store.scan(&Index::Term(BY_DIFFERENCE_CASE), &Range::only(case.as_bytes()), None, 1).await?;
        let found = page.rows.into_iter().find_map(|row| match row {
            Row::Record { key, record, .. } => Some((key, record)),
            Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
        });
        let (key, record) = found.ok_or(OperatorError::NotFound)?;
        let supplier = record.body.read::<DifferenceRecord>()?.supplier;
        let progress = reconciliation_key(&supplier);
        let keys = [LoadKey::Record(key.clone()), LoadKey::Record(progress.clone())];
        self.decide_coarsely::<(), SettleError>(&keys, |snapshot, now| {
            let stored = snapshot.record(&key).ok_or(OperatorError::NotFound)?;
            let mut record: DifferenceRecord = stored.body.read()?;
            if !record.is_open || record.case != case {
                return Err(OperatorError::NotFound.into());
            }
            let (progress_expect, mut state) = self.progress(snapshot, &progress, now)?;
            let taken = match (how, record.taken()) {
                (_, Some(taken)) => taken,
                (Settlement::Noted, None) => Money::new(0, record.currency),
                (Settlement::Booked, None) => return Err(SettleError::NoAmount),
            };
            let expect = Expect::Version(stored.version);
            let mut entries = Vec::new();
            if record.activation.is_some() {
                record.settled_minor = record.settled_minor.saturating_add(taken.minor);
                if how == Settlement::Noted {
                    record.noted_minor = record.noted_minor.saturating_add(taken.minor);
                }
                (record.taken_minor, record.is_open, record.settled_at) = (None, false, Some(coarse(now)));
                entries.push(self.put(&key, expect, &record, record.terms())?);
            } else {
                // the balance is compared with what it was last, so nothing would find it again
                entries.push(Entry::Delete { key: key.clone(), expect });
            }
            if how == Settlement::Booked {
                let hash = keyed_hash(&self.keys.index, &[b"difference", supplier.as_bytes(), case.as_bytes()]);
                entries.push(Entry::Post(correction(&supplier, taken, &hash, &format!("operator:{actor}"))));
                state.unbooked_minor = state.unbooked_minor.saturating_sub(taken.minor);
                entries.push(self.put(&progress, progress_expect, &state, Vec::new())?);
            }
            let audit = AuditRecord {
                amount: Some(AmountRecord { minor: taken.minor, currency: taken.currency }),
                ..self.operator_did(&format!("difference_{}", how.word()), Some(case.to_owned()), actor, reason, now)
            };
            entries.push(self.put_audit(Key::free(AUDIT, hex(&self.random::<16>())), &audit)?);
            Ok(Verdict::Commit(entries, ()))
        })
        .await?;
        Ok(())
    }
}
