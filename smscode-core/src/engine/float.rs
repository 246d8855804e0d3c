//! Our money at a supplier beside our books: what has come in there, by its balance and all that it has taken, stays the same
//! but for top-ups and for what the supplier does by itself.

use super::audit::stored;
use super::command::{Verdict, unreadable};
use super::inner::{Inner, Slot};
use crate::money::Money;
use crate::order::content::hex;
use crate::order::supply::{BY_SUPPLY_DUE, BY_SUPPLY_TIME, SupplyRecord, coarse, supply_time};
use crate::reconciliation::Reconciliation;
use crate::reconciliation::decide::{What, look, narrow};
use crate::reconciliation::record::{DifferenceRecord, balance_key, reconciliation_key};
use crate::store::{House, Index, Kind, LoadKey, Range, Row, StoreError};
use crate::time::Timestamp;

/// A supplier has this long for a balance.
const BALANCE_MS: i64 = 15_000;
/// Rows read at a time.
const PAGE: usize = 1_000;

impl Inner {
    /// Compares the balance, and notes that the comparison has ended. Read in this order: what is under way, the books, the
    /// balance, what was bought since. So whatever happens meanwhile makes the look less sharp, and never wrong.
    pub(super) async fn end_with_balance(
        &self,
        slot: &Slot,
        from: Timestamp,
        done: &mut Reconciliation,
    ) -> Result<(), StoreError> {
        let begun = self.now();
        let looked = match self.unsure_minor(slot, from).await? {
            Some(unsure) => self.look_at_balance(slot, unsure, begun).await?,
            None => None,
        };
        done.balance = looked.map(|(balance, ..)| Money::new(balance, slot.info.currency));
        let progress = reconciliation_key(&slot.info.name);
        let case = hex(&self.random::<8>());
        let keys = [LoadKey::Record(progress.clone())];
        let gap = self.decide_coarsely::<i64, StoreError>(&keys, |snapshot, now| {
            let (expect, mut state) = self.progress(snapshot, &progress, now)?;
            state.compared_at = Some(now);
            state.due_at = now.plus_ms(self.settings.reconcile_every_ms);
            let mut entries = Vec::new();
            let mut gap = 0;
            if let Some((balance, taken, unsure)) = looked {
                let seen = look(balance, taken.saturating_add(state.unbooked_minor), unsure);
                let narrowed = narrow(state.came_in, seen);
                (state.came_in, gap) = (Some(narrowed.0), narrowed.1);
            }
            if gap != 0 {
                let record = self.balance_difference(slot, &case, gap, coarse(now));
                let key = balance_key(&slot.info.name, &case);
                entries.push(self.put(&key, crate::store::Expect::Absent, &record, record.terms())?);
            }
            entries.push(self.put(&progress, expect, &state, Vec::new())?);
            Ok(Verdict::Commit(entries, gap))
        });
        done.found += usize::from(stored(gap.await)? != 0);
        Ok(())
    }

    fn balance_difference(&self, slot: &Slot, case: &str, gap: i64, now: Timestamp) -> DifferenceRecord {
        DifferenceRecord {
            v: 1,
            case: case.to_owned(),
            supplier: slot.info.name.clone(),
            activation: None,
            what: What::Balance,
            taken_minor: Some(gap),
            currency: slot.info.currency,
            settled_minor: 0,
            noted_minor: 0,
            settled_at: None,
            is_open: true,
            since: now,
        }
    }

    /// The balance, what the supplier has taken by our books, and what it may have taken besides. `None` if it does not tell
    /// its balance, or a cost is not known.
    async fn look_at_balance(
        &self,
        slot: &Slot,
        unsure: i64,
        begun: Timestamp,
    ) -> Result<Option<(i64, i64, i64)>, StoreError> {
        let (supplier, currency) = (&slot.info.name, slot.info.currency);
        let totals = self.store.totals().await?;
        let float = totals.currencies.get(&currency).and_then(|line| line.house.get(&House::float(supplier)));
        let Ok(taken) = i64::try_from(-float.copied().unwrap_or_default()) else { return Ok(None) };
        let limit = self.now().plus_ms(BALANCE_MS);
        let Some(Ok(balance)) = self.until(limit, slot.port.balance()).await else { return Ok(None) };
        if balance.currency != currency {
            return Ok(None);
        }
        let since = Range { from: supply_time(supplier, coarse(begun)), until: Some(next_supplier(supplier)) };
        let bought = self.sum(slot, BY_SUPPLY_TIME, since, |_| true).await?;
        Ok(bought.map(|bought| (balance.minor, taken, unsure.saturating_add(bought))))
    }

    /// What the supplier may have taken, or may have given back, by now, of what is not booked yet. `None` if the cost of one
    /// of them is not known.
    async fn unsure_minor(&self, slot: &Slot, from: Timestamp) -> Result<Option<i64>, StoreError> {
        let supplier = &slot.info.name;
        let mut pairs = self.pending_pairs(supplier).await?;
        let watched = self.watches().await?.into_iter().map(|watch| watch.record);
        pairs.extend(watched.filter(|watch| watch.supplier == *supplier).map(|watch| (watch.country, watch.service)));
        let mut unsure = 0_i64;
        for (country, service) in pairs {
            match self.offered(supplier, (country, &service)) {
                Some(cost) => unsure = unsure.saturating_add(cost.minor),
                None => return Ok(None),
            }
        }
        let bought = Range { from: supply_time(supplier, from), until: Some(next_supplier(supplier)) };
        let recent = self.sum(slot, BY_SUPPLY_TIME, bought, |record| record.booked.is_none()).await?;
        // those before that, which a supplier that was away is told late
        let before = |record: &SupplyRecord| record.supplier == *supplier && record.created_at < from;
        let late = self.sum(slot, BY_SUPPLY_DUE, Range::all(), before).await?;
        Ok(recent.zip(late).map(|(recent, late)| unsure.saturating_add(recent).saturating_add(late)))
    }

    /// The costs of the purchases in an index that are wanted. `None` if one of them is not known.
    async fn sum(
        &self,
        slot: &Slot,
        index: Kind,
        range: Range,
        wanted: impl Fn(&SupplyRecord) -> bool,
    ) -> Result<Option<i64>, StoreError> {
        let (mut sum, mut after) = (0_i64, None);
        loop {
            let page = self.store.scan(&Index::Term(index.clone()), &range, after.as_ref(), PAGE).await?;
            for row in page.rows {
                let Row::Record { record, .. } = row else { continue };
                let record: SupplyRecord = record.body.read().map_err(|e| unreadable(&e))?;
                if !wanted(&record) {
                    continue;
                }
                let offered = || self.offered(&slot.info.name, (record.country, &record.service));
                match record.cost().or_else(offered) {
                    Some(cost) => sum = sum.saturating_add(cost.minor.max(0)),
                    None => return Ok(None),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(sum)),
            }
        }
    }
}

/// Where the purchases of a supplier end in [`BY_SUPPLY_TIME`].
fn next_supplier(supplier: &str) -> Vec<u8> {
    [supplier.as_bytes(), &[1]].concat()
}
