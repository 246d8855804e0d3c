//! Rows as what groups would have written.

use super::StoredRow;
use crate::store::codec::Unreadable;
use crate::store::{RecordChange, Tally, Writes, limits};

/// Rows for [`Import::write`](super::Import::write), in portions that a group could have.
///
/// # Errors
///
/// A sum that no store could have come to.
pub(super) fn writes(rows: Vec<StoredRow>) -> Result<Vec<Writes>, Unreadable> {
    let mut all = Vec::new();
    if rows.is_empty() {
        return Ok(all);
    }
    let mut writes = Writes::default();
    for row in rows {
        if writes.operations.len() == limits::OPERATIONS_FORGOTTEN_MAX {
            all.push(std::mem::take(&mut writes));
        }
        add(&mut writes, row)?;
    }
    all.push(writes);
    Ok(all)
}

fn add(writes: &mut Writes, row: StoredRow) -> Result<(), Unreadable> {
    match row {
        StoredRow::Record(key, record) => {
            writes.records.insert(key, RecordChange { before: None, after: Some(record) });
        }
        StoredRow::Head(owner, head) => drop(writes.heads.insert(owner, head)),
        StoredRow::Counter(counter, value) => drop(writes.counters.insert(counter, value)),
        StoredRow::Transfer(transfer) => writes.transfers.push(transfer),
        StoredRow::Event(event) => writes.events.push(event),
        StoredRow::Operation(id, operation) => {
            writes.newest = writes.newest.max(operation.time);
            writes.operations.push((id, operation));
        }
        StoredRow::Tally { currency, transfers, open_holds } => {
            let open_holds = i64::try_from(open_holds).map_err(|_| Unreadable("a tally"))?;
            writes.tallies.insert(currency, Tally { transfers, open_holds });
        }
        StoredRow::House(currency, house, sum) => {
            let sum = i64::try_from(sum).map_err(|_| Unreadable("the sum of a house account"))?;
            writes.house.insert((house, currency), sum);
        }
    }
    Ok(())
}
