//! The operators' queues, as scans. A page names where the next begins by a place in the index alone, which is a time.

use super::command::unreadable;
use super::inner::Inner;
use crate::ledger::record::{BY_EXCEPTION, ExceptionRecord};
use crate::ledger::{MoneyException, QUEUE_PAGE_MAX, QueuePage, StuckPurchase, UnclearPurchase};
use crate::order::content::hex;
use crate::order::decide::State;
use crate::order::record::{BY_DUE, OrderRecord, read_order_key};
use crate::order::supply::{BY_SUPPLY_STUCK, SupplyRecord};
use crate::reconciliation::SupplierDifference;
use crate::reconciliation::record::{BY_DIFFERENCE, DifferenceRecord};
use crate::store::{Cursor, Index, Key, Kind, Range, Record, Row, StoreError};

/// An unclear purchase is an operator's after this.
const UNCLEAR_AFTER_MS: i64 = 5 * 60_000;
/// What is unclear is looked up within this, in ms; the longest pause between two look-ups is 75 s.
const DUE_WITHIN_MS: i64 = 120_000;
/// Suppliers take no claim that is older than this, so nothing is to be done about it any more: 30 days.
const STUCK_SECONDS: i64 = 30 * 86_400;
/// Rows looked at for one page: what is due at all, of which few are unclear.
const LOOKED_AT_MAX: usize = 20_000;
/// Rows read at a time.
const PAGE: usize = 1_000;

impl Inner {
    /// Purchases that are unclear for five minutes.
    pub(super) async fn unclear_queue(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<UnclearPurchase>, StoreError> {
        let now = self.now();
        // looked up at least once in 75 s, so what is unclear is due by then
        let until = Some(now.plus_ms(DUE_WITHIN_MS).sort_bytes().to_vec());
        let due = self.queue(BY_DUE, Range { from: Vec::new(), until }, after, limit, |key, record| {
            let Some((_, id)) = read_order_key(key) else { return Ok(None) };
            let record: OrderRecord = record.body.read().map_err(|e| unreadable(&e))?;
            let age_ms = now.ms_since(record.created_at);
            if record.state != State::Unclear || age_ms < UNCLEAR_AFTER_MS {
                return Ok(None);
            }
            Ok(Some(UnclearPurchase {
                order: id,
                held: record.price(),
                since: record.created_at,
                age_seconds: age_ms / 1_000,
                look_ups: record.look_ups,
                given_up_at: record.created_at.plus_ms(self.settings.window_ms + self.settings.unclear_grace_ms),
                supplier: record.supplier,
                country: record.country,
                service: record.service,
                action: "look for it in the supplier's own list of open numbers and cancel it there if it is not ours; \
                         without a trace it is given up by itself and the money goes back",
            }))
        });
        due.await
    }

    /// Purchases that their suppliers would not settle with us.
    pub(super) async fn stuck_queue(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<StuckPurchase>, StoreError> {
        let now = self.now();
        let from = now.plus_seconds(-STUCK_SECONDS).sort_bytes().to_vec();
        let found = self.queue(BY_SUPPLY_STUCK, Range { from, until: None }, after, limit, |_, record| {
            let record: SupplyRecord = record.body.read().map_err(|e| unreadable(&e))?;
            let Some(state) = record.stuck() else { return Ok(None) };
            Ok(Some(StuckPurchase {
                cost: record.cost(),
                since: record.created_at,
                age_seconds: now.ms_since(record.created_at) / 1_000,
                state,
                supplier: record.supplier,
                activation: record.activation,
                country: record.country,
                service: record.service,
                action: "cancel or finish it in the supplier's own panel, and claim its cost there if no SMS came",
            }))
        });
        found.await
    }

    /// Books that do not add up.
    pub(super) async fn exceptions(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<MoneyException>, StoreError> {
        let now = self.now();
        let found = self.queue(BY_EXCEPTION, Range::all(), after, limit, |key, record| {
            let record: ExceptionRecord = record.body.read().map_err(|e| unreadable(&e))?;
            let stops_orders = !key.owner.is_none();
            Ok(Some(MoneyException {
                case: record.case,
                since: record.since,
                age_seconds: now.ms_since(record.since) / 1_000,
                seen_at: record.seen_at,
                stops_orders,
                findings: record.findings,
                action: if stops_orders {
                    "read the audit of the case, compare with a backup, put it right with an adjustment; a clean audit \
                     lifts it, or an operator does"
                } else {
                    "stop taking deposits and orders, compare with a backup; a clean audit lifts it"
                },
            }))
        });
        found.await
    }

    /// What suppliers and our books do not agree on.
    pub(super) async fn difference_queue(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QueuePage<SupplierDifference>, StoreError> {
        let now = self.now();
        let found = self.queue(BY_DIFFERENCE, Range::all(), after, limit, |_, record| {
            let record: DifferenceRecord = record.body.read().map_err(|e| unreadable(&e))?;
            Ok(Some(SupplierDifference {
                taken: record.taken(),
                what: record.what,
                since: record.since,
                age_seconds: now.ms_since(record.since) / 1_000,
                action: record.what.action(),
                case: record.case,
                supplier: record.supplier,
                activation: record.activation,
            }))
        });
        found.await
    }

    /// One page of what is found in an index, in its order.
    pub(super) async fn queue<T>(
        &self,
        index: Kind,
        mut range: Range,
        after: Option<&str>,
        limit: usize,
        mut read: impl FnMut(&Key, &Record) -> Result<Option<T>, StoreError>,
    ) -> Result<QueuePage<T>, StoreError> {
        let limit = limit.clamp(1, QUEUE_PAGE_MAX);
        let (from, mut skip) = after.and_then(place_of).unwrap_or_default();
        range.from = range.from.max(from.clone());
        let mut rows = Vec::new();
        let mut last: (Vec<u8>, usize) = (Vec::new(), 0);
        let (mut looked_at, mut cursor): (usize, Option<Cursor>) = (0, None);
        loop {
            let page = self.store.scan(&Index::Term(index.clone()), &range, cursor.as_ref(), PAGE).await?;
            for row in &page.rows {
                let Row::Record { position, key, record } = row else { continue };
                looked_at += 1;
                // rows at one place are told apart by how many of them were given
                last = if last.0 == *position { (last.0, last.1 + 1) } else { (position.clone(), 1) };
                if *position == from && skip > 0 {
                    skip -= 1;
                    continue;
                }
                if let Some(found) = read(key, record)? {
                    rows.push(found);
                }
                if rows.len() == limit {
                    return Ok(QueuePage { rows, next: Some(format!("{}.{}", hex(&last.0), last.1)) });
                }
            }
            match page.next {
                Some(next) if looked_at < LOOKED_AT_MAX => cursor = Some(next),
                Some(_) => return Ok(QueuePage { rows, next: Some(format!("{}.{}", hex(&last.0), last.1)) }),
                None => return Ok(QueuePage { rows, next: None }),
            }
        }
    }
}

/// A place in an index and how many rows at it were given.
fn place_of(text: &str) -> Option<(Vec<u8>, usize)> {
    let (place, given) = text.split_once('.')?;
    let pairs = (0..place.len() / 2).map(|n| u8::from_str_radix(place.get(2 * n..2 * n + 2)?, 16).ok());
    Some((pairs.collect::<Option<Vec<u8>>>()?, given.parse().ok()?))
}
