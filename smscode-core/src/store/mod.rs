//! The storage port: five methods that every store keeps, and the contract they keep.
//!
//! Domain code never sees a transaction. A command loads rows, a pure rule decides, and the result is one
//! [`ChangeSet`] that a store makes durable as a whole or not at all. So an adapter can be an embedded engine, a database
//! server or anything else that can do one atomic write.
//!
//! # Contract
//!
//! Each rule has a number; the conformance suite has cases named after it.
//!
//! 1. **Order of judgement.** Judged in this order, first failure reported: operation id, expectations in key order
//!    (records, then transfer ids), floors in account order, counters in key order, limits.
//! 2. **All or nothing.** Everything is judged before anything is written. No trace of a refused ChangeSet is visible.
//! 3. **Transfers** resolve in list order, each seeing the earlier ones; floors are judged on the end values. `All`
//!    moves what is there; `UpTo` takes what is there and the remainder from `rest`. The stored outcome holds the
//!    resolved amounts.
//! 4. **Money and counters carry no version:** two commits on one account conflict only when money or a cap runs out.
//!    A transfer id exists once; capture and release of one order have the same id.
//! 5. **Same operation id and fingerprint:** the stored outcome is returned. Other fingerprint: `OperationReused`. Ids
//!    are kept 48 h of header time.
//! 6. **`Unavailable`** says whether the effect is `No` or `Unknown`. After `Unknown` the same ChangeSet is sent again.
//! 7. **Serializable** for the keys it names. A scan sees every commit that returned before it began. It proves absence
//!    only behind a fence: a record that every writer into the range Ensures as open, closed by a commit before the scan.
//! 8. **Limits:** 1,024 entries, 1 MiB and 2^53 minor units moved per ChangeSet, 64 KiB per body, 128 bytes per key
//!    part. Beyond them: a refusal that says how to split.
//! 9. **No clock, no chance.** An adapter reads no clock and draws no random numbers. Summed accounts are folded
//!    inside commits, a bounded number of lines at a time.
//! 10. **Groups.** A group is as if its members had been committed one after another; one that fails does not fail the
//!     others; twins at two nodes have one winner.
//! 11. **Closed entries, open kinds.** Entry kinds are matched without a wildcard. Record kinds are data: a new one
//!     needs no new adapter code.
//!
//! Adapters do not judge: [`judge_group`] does, the same code for every store. They load the rows that a group names
//! into [`Rows`] and write the [`Writes`] that come back. Over an engine that keeps bytes under ordered keys,
//! [`ordered`] does both but for two reads. `docs/adapters.md` goes through a whole store.

mod body;
mod change_set;
mod check;
pub mod codec;
pub mod copy;
mod error;
mod group_commit;
mod judge;
mod key;
mod let_others_run;
pub mod limits;
mod memory;
pub mod ordered;
mod scan;
mod snapshot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;

pub use body::{Body, BodyError};
pub use change_set::{
    Amount, Bucket, ChangeSet, Entry, Expect, Fingerprint, House, OperationId, Place, Post, Term, TransferId,
    TransferKind,
};
pub use check::check_load;
pub use error::{Effect, Refusal, StoreError};
pub use group_commit::{CommitQueue, Pending};
pub use judge::{Names, RecordChange, Rows, Tally, Writes, judge_group};
pub use key::{CounterKey, Key, Kind, Owner};
pub use let_others_run::let_others_run;
pub use memory::{MemoryFigures, MemoryStore};
pub use scan::{Cursor, Index, Page, Range, Row, kind_position};
pub use snapshot::{
    CurrencyTotals, Event, Head, LoadKey, Receipt, Record, Resolved, Snapshot, StatementEntry, StoredOperation, Totals,
    Transfer,
};

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Its name, such as `redb`.
    pub name: &'static str,
    /// Version of its own format.
    pub format: u64,
    /// Whether a returned commit survives a crash of the machine.
    pub durable: bool,
    /// Whether several processes may use it at once.
    pub shared: bool,
    /// The largest group it commits at once.
    pub group_max: usize,
}

/// The storage port. See the [module](self) for the contract.
///
/// # Errors
///
/// All methods fail with [`StoreError`]; reads never with `Refused`, except for asking too much at once (`Limit`).
///
/// # Cancellation
///
/// A caller may drop any of these futures at any await. A dropped `commit` has taken effect as a whole or not at all.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Name, format and capabilities.
    async fn describe(&self) -> Result<StoreInfo, StoreError>;

    /// Reads records, heads and counters in one consistent view. At most 2,048 keys.
    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError>;

    /// Makes a ChangeSet durable, all of it or nothing. Durable on return.
    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError>;

    /// One page of an index, after a cursor. `limit` is cut to 1 to 1,000.
    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Sums over everything, in one consistent view. Reads every account: for audits, not for requests.
    async fn totals(&self) -> Result<Totals, StoreError>;
}
