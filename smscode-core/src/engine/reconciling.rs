//! Comparing suppliers with our books, daily, by one node, or when an operator asks for it. Two nodes doing it at once do no
//! harm: what each finds is written by conditional writes.

use std::collections::BTreeMap;

use super::audit::stored;
use super::command::{Verdict, unreadable};
use super::differences::{Known, Sighting};
use super::inner::{Inner, Slot};
use crate::order::supply::{BY_SUPPLY_TIME, SupplyRecord, supply_key, supply_time};
use crate::port::Charge;
use crate::reconciliation::decide::Judged;
use crate::reconciliation::record::reconciliation_key;
use crate::reconciliation::{ReconcileError, Reconciliation};
use crate::store::{Index, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// How often the worker looks whether a comparison is due.
const LOOK_MS: i64 = 60_000;
/// One that failed, or whose node died, is begun again after this.
const AGAIN_MS: i64 = 3_600_000;
/// A supplier has this long for all pages of its history.
const HISTORY_MS: i64 = 600_000;
/// Activations of one history: some days of the largest account.
const HISTORY_MAX: usize = 200_000;
/// Differences of a supplier that wait, at most: more of them have one cause, which does not show better in more rows.
const WAITING_MAX: usize = 1_000;
/// So far may two clocks be apart: purchases at the edges of the time are not missed in a history.
const EDGE_SECONDS: i64 = 3_600;
/// The most days that a supplier tells of.
const DAYS_MAX: i64 = 28;
const DAY_SECONDS: i64 = 86_400;
/// Purchases read at a time.
const PAGE: usize = 1_000;

impl Inner {
    /// Compares for ever, as often as the settings say.
    pub(super) async fn look_after_reconciliation(&self) {
        loop {
            self.clock.sleep_until(self.now().plus_ms(LOOK_MS)).await;
            if self.settings.reconcile_every_ms == 0 {
                continue;
            }
            for (supplier, slot) in &self.suppliers {
                if let Err(error) = self.reconcile_when_due(slot).await {
                    tracing::error!(supplier, %error, "a supplier is compared with our books later");
                }
            }
        }
    }

    async fn reconcile_when_due(&self, slot: &Slot) -> Result<(), ReconcileError> {
        let progress = reconciliation_key(&slot.info.name);
        let keys = [LoadKey::Record(progress.clone())];
        let snapshot = self.store.load(&keys).await?;
        let (_, state) = self.progress(&snapshot, &progress, self.now())?;
        let waits = snapshot.record(&progress).is_some() && state.due_at > self.now();
        if waits || !self.holds("reconciliation").await? {
            return Ok(());
        }
        let begun = self.decide::<bool, StoreError>(&keys, |snapshot, now| {
            let (expect, mut state) = self.progress(snapshot, &progress, now)?;
            let due = state.due_at <= now;
            // a supplier that was never compared is so in a day
            if !due && snapshot.record(&progress).is_some() {
                return Ok(Verdict::Nothing(false));
            }
            if due {
                state.due_at = now.plus_ms(AGAIN_MS);
            }
            Ok(Verdict::Commit(vec![self.put(&progress, expect, &state, Vec::new())?], due))
        });
        if stored(begun.await)? {
            let reconciled = self.reconcile(&slot.info.name).await;
            let long_ago_ms = self.settings.reconcile_every_ms.saturating_mul(2);
            if reconciled.is_err() && state.compared_at.is_some_and(|at| self.now().ms_since(at) > long_ago_ms) {
                let text = format!("the supplier {} could not be compared with our books for long", slot.info.name);
                self.alarm("supplier_not_compared", Some(&slot.info.name), &text).await?;
            }
            let done = reconciled?;
            tracing::info!(
                supplier = done.supplier,
                compared = done.compared,
                found = done.found,
                "a supplier was compared with our books"
            );
        }
        Ok(())
    }

    /// Compares one supplier now.
    pub(super) async fn reconcile(&self, supplier: &str) -> Result<Reconciliation, ReconcileError> {
        let unknown = || ReconcileError::UnknownSupplier(supplier.chars().take(32).collect());
        let slot = self.suppliers.get(supplier).ok_or_else(unknown)?;
        let mut done = Reconciliation {
            supplier: supplier.to_owned(),
            listed: None,
            compared: 0,
            found: 0,
            gone: 0,
            left_out: false,
            balance: None,
        };
        let now = self.now();
        let days = self.settings.reconcile_days.clamp(1, DAYS_MAX);
        let from = now.plus_seconds(-days * DAY_SECONDS);
        if slot.info.capabilities.lists_history {
            let theirs = self.read_history(slot, from, now).await?;
            done.listed = Some(theirs.len());
            let known = self.known_differences(supplier).await?;
            let seen = self.differing(slot, (from, now), &theirs, &known, &mut done).await?;
            let (found, gone) = self.write_differences(slot, &seen).await?;
            (done.found, done.gone) = (found, gone);
            self.forget_settled(supplier, &known, from.plus_seconds(-DAY_SECONDS)).await?;
        }
        self.end_with_balance(slot, from, &mut done).await?;
        if done.found > 0 {
            let text = format!(
                "{} differences between the supplier {supplier} and our books: look at the operators' queue of differences",
                done.found
            );
            self.alarm("supplier_difference", Some(supplier), &text).await?;
        }
        Ok(done)
    }

    async fn read_history(
        &self,
        slot: &Slot,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Charge>, ReconcileError> {
        let until = now.plus_seconds(EDGE_SECONDS);
        let reading = slot.port.history(from, until);
        let history = self.until(now.plus_ms(HISTORY_MS), reading).await.ok_or(ReconcileError::TimedOut)??;
        if history.len() > HISTORY_MAX {
            return Err(ReconcileError::TooLong(HISTORY_MAX));
        }
        Ok(history.into_iter().map(|past| (past.id.0, past.charge)).collect())
    }

    /// What has to be written: where both sides do not agree, or do so again. Their side was read before ours, so what it has
    /// and was bought by us is recorded, or open there.
    async fn differing(
        &self,
        slot: &Slot,
        (from, now): (Timestamp, Timestamp),
        theirs: &BTreeMap<String, Charge>,
        known: &BTreeMap<String, Known>,
        done: &mut Reconciliation,
    ) -> Result<Vec<Sighting>, StoreError> {
        let supplier = &slot.info.name;
        let mut waiting = known.values().filter(|known| known.record.is_open).count();
        let mut seen = Vec::new();
        let mut see = |sighting: Sighting| {
            let old = known.get(&sighting.activation).map(|known| &known.record);
            let judged = sighting.judge(old);
            done.compared += usize::from(judged != Judged::Leave);
            let is_open = old.is_some_and(|old| old.is_open);
            match judged {
                Judged::Leave => {}
                Judged::Agree if !is_open => {}
                Judged::Agree => seen.push(sighting),
                Judged::Differ(..) if is_open => seen.push(sighting),
                Judged::Differ(..) if waiting < WAITING_MAX => {
                    waiting += 1;
                    seen.push(sighting);
                }
                Judged::Differ(..) => done.left_out = true,
            }
        };
        let listed: Vec<(&String, &Charge)> = theirs.iter().collect();
        for some in listed.chunks(PAGE) {
            let keys: Vec<_> = some.iter().map(|(id, _)| supply_key(supplier, id)).collect();
            let snapshot = self.store.load(&keys.iter().cloned().map(LoadKey::Record).collect::<Vec<_>>()).await?;
            for ((id, charge), key) in some.iter().zip(&keys) {
                let stored = snapshot.record(key);
                let record: Option<SupplyRecord> =
                    stored.map(|stored| stored.body.read()).transpose().map_err(|e| unreadable(&e))?;
                see(Sighting::new(id, record.as_ref(), Some(**charge)));
            }
        }
        let bought = Range {
            from: supply_time(supplier, from.plus_seconds(EDGE_SECONDS)),
            until: Some(supply_time(supplier, now.plus_seconds(-EDGE_SECONDS))),
        };
        let mut after = None;
        loop {
            let page = self.store.scan(&Index::Term(BY_SUPPLY_TIME), &bought, after.as_ref(), PAGE).await?;
            for row in page.rows {
                let Row::Record { record, .. } = row else { continue };
                let record: SupplyRecord = record.body.read().map_err(|e| unreadable(&e))?;
                if !theirs.contains_key(&record.activation) {
                    see(Sighting::new(&record.activation, Some(&record), None));
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(seen),
            }
        }
    }
}
