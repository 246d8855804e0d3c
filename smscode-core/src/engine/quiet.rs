//! Whether anything that is stored wants something: for hosts whose clock can be moved.

use super::inner::Inner;
use crate::account::record::BY_ACCOUNT_DUE;
use crate::order::orphan::{BY_WATCH, WatchRecord};
use crate::order::record::BY_DUE;
use crate::order::supply::{BY_SUPPLY_DUE, SupplyRecord};
use crate::store::{Index, Kind, Range, Row, StoreError};
use crate::time::Timestamp;

/// Nothing is quiet for longer: books are audited each day, prices and balances are read.
const QUIET_MS: i64 = 6 * 3_600_000;
/// While there is a key of an epoch: it is destroyed at the first look after an hour, which must come before its ninety
/// minutes are over.
const KEYS_MS: i64 = 1_500_000;
/// Watches that are looked at; the rest are read as often.
const WATCHES_MAX: usize = 100;

impl Inner {
    /// Until when time may pass in one step; `None` while something is under way.
    pub(super) async fn quiet_until(&self) -> Result<Option<Timestamp>, StoreError> {
        // every open order is in there
        if self.first(&BY_DUE).await?.is_some() || self.first(&BY_ACCOUNT_DUE).await?.is_some() {
            return Ok(None);
        }
        let now = self.now();
        let mut until = now.plus_ms(if self.epochs().is_empty() { QUIET_MS } else { KEYS_MS });
        for row in self.some(&BY_WATCH, WATCHES_MAX).await? {
            let Row::Record { record, .. } = row else { continue };
            let pause_ms = record.body.read::<WatchRecord>().map(|watch| watch.pause_ms(now));
            until = pause_ms.map_or(until, |pause_ms| until.min(now.plus_ms(pause_ms)));
        }
        if let Some(Row::Record { record, .. }) = self.first(&BY_SUPPLY_DUE).await? {
            // one that cannot be read is nobody's work
            let due = record.body.read::<SupplyRecord>().ok().and_then(|record| record.due_at);
            until = due.map_or(until, |due| until.min(due));
        }
        Ok((until > now).then_some(until))
    }

    async fn first(&self, index: &Kind) -> Result<Option<Row>, StoreError> {
        Ok(self.some(index, 1).await?.into_iter().next())
    }

    async fn some(&self, index: &Kind, limit: usize) -> Result<Vec<Row>, StoreError> {
        Ok(self.store.scan(&Index::Term(index.clone()), &Range::all(), None, limit).await?.rows)
    }
}
