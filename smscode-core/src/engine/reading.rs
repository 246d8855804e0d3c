//! Reading orders and events, for their owner.

use super::command::{read_account, read_order, unreadable};
use super::inner::Inner;
use crate::account::AccountId;
use crate::account::record::account_key;
use crate::order::content::{open_all, unwrap};
use crate::order::decide::{Cell, Input, State, next};
use crate::order::record::{BY_CREATION, BY_STATUS, EventRecord, OrderRecord, order_key, read_order_key};
use crate::order::{EventView, Explanation, OrderError, OrderId, OrderView, Status, Step, rules};
use crate::store::{Cursor, Index, Kind, LoadKey, Page, Range, Row, Snapshot, StoreError};
use crate::time::Timestamp;

/// Orders on one page.
const PAGE_MAX: usize = 100;
/// Orders that an offset may skip: a reader of more wants an export.
const OFFSET_MAX: usize = 10_000;
/// Open orders in one list.
const OPEN_MAX: usize = 1_000;

impl Inner {
    pub(super) fn view_of(&self, account: AccountId, id: OrderId, record: &OrderRecord, now: Timestamp) -> OrderView {
        let content = unwrap(&self.epochs(), account, id, record).map(|key| open_all(&key, record));
        rules::view(id, record, content.unwrap_or_default(), now)
    }

    /// An order for its owner.
    pub(super) async fn view(&self, account: AccountId, id: OrderId) -> Result<OrderView, OrderError> {
        let record = self.order_of(account, id).await?;
        Ok(self.view_of(account, id, &record, self.now()))
    }

    /// An order for the engine's own decisions, whoever may read it.
    pub(super) async fn view_unasked(&self, account: AccountId, id: OrderId) -> Result<OrderView, OrderError> {
        let (_, record) = self.load_order(account, id).await?.ok_or(OrderError::NotFound)?;
        Ok(self.view_of(account, id, &record, self.now()))
    }

    /// An order of an account that is there, both as they were at one moment.
    async fn order_of(&self, account: AccountId, id: OrderId) -> Result<OrderRecord, OrderError> {
        let keys = [LoadKey::Record(account_key(account)), LoadKey::Record(order_key(account, id))];
        let snapshot = self.store.load(&keys).await?;
        readable(&snapshot, account)?;
        let (_, record) = read_order(&snapshot, account, id)?.ok_or(OrderError::NotFound)?;
        self.know_epoch(&record).await;
        Ok(record)
    }

    /// Refuses to read what belongs to an account that is not there, or is deleted.
    async fn must_be_readable(&self, account: AccountId) -> Result<(), OrderError> {
        readable(&self.store.load(&[LoadKey::Record(account_key(account))]).await?, account)
    }

    pub(super) async fn list(
        &self,
        account: AccountId,
        status: Option<Status>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<OrderView>, OrderError> {
        if offset > OFFSET_MAX {
            return Ok(Vec::new());
        }
        self.must_be_readable(account).await?;
        let limit = limit.clamp(1, PAGE_MAX);
        let (index, prefix) = place(account, status);
        let range = Range::prefix(&prefix);
        let wanted = offset + limit;
        let now = self.now();
        let mut views = Vec::new();
        let mut seen = 0;
        let mut after: Option<Cursor> = None;
        while seen < wanted {
            let page: Page =
                self.store.scan(&Index::Term(index.clone()), &range, after.as_ref(), wanted - seen).await?;
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                seen += 1;
                if seen <= offset {
                    continue;
                }
                let Some((_, id)) = read_order_key(&key) else { continue };
                let record: OrderRecord = record.body.read().map_err(|e| OrderError::from(unreadable(&e)))?;
                self.know_epoch(&record).await;
                views.push(self.view_of(account, id, &record, now));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(views)
    }

    pub(super) async fn open(&self, account: AccountId) -> Result<Vec<OrderView>, OrderError> {
        self.must_be_readable(account).await?;
        let now = self.now();
        let mut views = Vec::new();
        for status in [Status::Active, Status::OtpReceived] {
            let (index, prefix) = place(account, Some(status));
            let page = self.store.scan(&Index::Term(index), &Range::prefix(&prefix), None, OPEN_MAX).await?;
            for row in page.rows {
                let Row::Record { key, record, .. } = row else { continue };
                let Some((_, id)) = read_order_key(&key) else { continue };
                let record: OrderRecord = record.body.read().map_err(|e| OrderError::from(unreadable(&e)))?;
                self.know_epoch(&record).await;
                views.push(self.view_of(account, id, &record, now));
            }
        }
        views.sort_by_key(|view| (std::cmp::Reverse(view.created_at), std::cmp::Reverse(view.id)));
        views.truncate(OPEN_MAX);
        Ok(views)
    }

    pub(super) async fn explained(&self, account: AccountId, id: OrderId) -> Result<Explanation, OrderError> {
        let record = self.order_of(account, id).await?;
        let now = self.now();
        let slot = self.suppliers.get(&record.supplier);
        let has_list = slot.is_some_and(|slot| slot.info.capabilities.lists_active);
        Ok(Explanation {
            order: self.view_of(account, id, &record, now),
            steps: steps(&record),
            next: rules::upcoming(&record, &self.settings, has_list),
            allowed: rules::reasons(&record, now),
        })
    }

    pub(super) async fn events_after(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<EventView>, OrderError> {
        self.must_be_readable(account).await?;
        let range = Range::after_number(after);
        let page = self.store.scan(&Index::Events(account.0), &range, None, limit).await?;
        let mut events = Vec::new();
        for row in page.rows {
            let Row::Event(event) = row else { continue };
            let record: EventRecord = event.body.read().map_err(|e| OrderError::from(unreadable(&e)))?;
            events.push(EventView {
                number: event.number,
                order: record.order,
                sequence: record.sequence,
                name: record.name,
                time: event.time,
            });
        }
        Ok(events)
    }
}

/// Whether what belongs to an account may be read: it is there, and not deleted.
pub(super) fn readable(snapshot: &Snapshot, account: AccountId) -> Result<(), OrderError> {
    match read_account(snapshot, account)? {
        Some((_, record)) if !record.is_deleted() => Ok(()),
        Some(_) | None => Err(OrderError::NotFound),
    }
}

/// The orders among the rows of a scan.
pub(super) fn read_orders(rows: Vec<Row>) -> Result<Vec<(OrderId, OrderRecord)>, StoreError> {
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        let Row::Record { key, record, .. } = row else { continue };
        let Some((_, id)) = read_order_key(&key) else { continue };
        orders.push((id, record.body.read().map_err(|e| unreadable(&e))?));
    }
    Ok(orders)
}

pub(super) fn place(account: AccountId, status: Option<Status>) -> (Kind, Vec<u8>) {
    let owner = account.bytes();
    match status {
        None => (BY_CREATION, owner.to_vec()),
        Some(status) => (BY_STATUS, [&owner[..], &[status as u8]].concat()),
    }
}

fn steps(record: &OrderRecord) -> Vec<Step> {
    let mut before = State::Requested;
    let mut sequence = 0;
    record
        .steps
        .iter()
        .map(|step| {
            sequence += u64::from(step.event.is_some());
            let rule = rule(before, step.input);
            before = step.state;
            Step {
                time: step.at,
                sequence,
                event: step.event.clone().unwrap_or_default(),
                state: step.state.word().to_owned(),
                rule: match &step.note {
                    Some(note) => format!("{rule} ({note})"),
                    None => rule.to_owned(),
                },
                transfer: step.money.as_ref().map(|money| format!("{money} {}", record.price())),
            }
        })
        .collect()
}

/// The table's reason for a step.
fn rule(from: State, input: Input) -> &'static str {
    match next(from, input) {
        Cell::Move { rule, .. } => rule,
        Cell::Late => "an SMS came after the end: it is destroyed, and no money moves",
        Cell::Done | Cell::Refused(_) => "",
    }
}
