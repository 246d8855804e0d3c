//! What is said at [`Portable`]: a suite of its own, because a store need not be it.
//!
//! ```text
//! smscode_core::copying_suite!(Mine); // beside conformance_suite!, for a PortableFixture
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draft::{Draft, NOON, capture, deposit, free, hold, number, owner, record, release, reverse, transfer};
use super::failure::{Checked, holds, same};
use super::{Failure, Fixture, model};
use crate::money::Currency;
use crate::store::copy::{Backup, CopyError, Inspection, Portable, Restore, Rows, Section, StoredRow, carry, summary};
use crate::store::{
    Amount, Body, CounterKey, House, Index, LoadKey, MemoryStore, OperationId, Owner, Place, Range, TransferKind,
};
use crate::time::Timestamp;

/// A fixture whose store can be copied.
pub trait PortableFixture: Fixture {
    /// The store of [`Fixture::store`].
    fn portable(&self) -> Arc<dyn Portable>;
}

/// Makes the tests of the suite for a [`PortableFixture`]: one `#[test]` per case.
#[macro_export]
macro_rules! copying_suite {
    (@cases $fixture:ty, $run:expr; $($case:ident)*) => {
        mod copying {
            #[allow(unused_imports, reason = "the fixture may be named by a path")]
            use super::*;

            $(#[test]
            fn $case() -> ::std::result::Result<(), $crate::conformance::Failure> {
                ($run)($crate::conformance::copying::$case::<$fixture>())
            })*
        }
    };
    ($fixture:ty) => {
        $crate::copying_suite!($fixture, $crate::conformance::run);
    };
    ($fixture:ty, $run:expr) => {
        $crate::copying_suite! { @cases $fixture, $run;
            copying_everything_arrives
            copying_after_any_history_is_equal
            copying_an_empty_store_is_a_copy
            copying_shows_one_moment
            copying_goes_on_behind_any_key
            copying_fills_an_empty_store_only
            copying_that_is_given_up_leaves_nothing
            copying_leaves_a_store_that_goes_on
            copying_leaves_records_out_that_are_named
            copying_by_a_backup_is_equal
            copying_a_backup_that_is_not_whole_writes_nothing
        }
    };
}

/// More rows of a sort than come in one part.
const MANY: u64 = 1_300;

impl From<CopyError> for Failure {
    #[track_caller]
    fn from(error: CopyError) -> Self {
        Self::new(format!("copying failed: {error}"))
    }
}

fn draft(n: u64) -> Draft {
    let mut id = [0xc0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    Draft::of(OperationId(id))
}

async fn open<F: PortableFixture>() -> (F, Arc<dyn Portable>) {
    let fixture = F::open(64).await;
    let store = fixture.portable();
    (fixture, store)
}

/// Every sort of row, the odd ones among them, and more of some than come in one part.
async fn fill(store: &dyn Portable) -> Checked {
    let house = |house| Place::House(house);
    let mut dollars = deposit(owner(2), "usd", 7);
    dollars.currency = Currency::Usd;
    let between = transfer(
        [0, 1, 0xff],
        TransferKind::Adjust,
        house(House("cost:a".into())),
        house(House("float:a".into())),
        Amount::Exact(3),
    );
    let counter = CounterKey { owner: owner(1), name: "cancels".into(), period: "2026-11-22".into() };
    let odd = draft(1)
        .outcome(number(5))
        .fresh(&record("order", 1, [0, 0xff, 0]), u64::MAX)
        .term("due", [0, 1])
        .term("due", [0, 1])
        .term("newest", [0xff; 128])
        .fresh(&free("claim", []), 0)
        .fresh(&record("zzz", 0xff, [0xff; 128]), 1)
        .count(&counter, 258, None)
        .count(&CounterKey::of(Owner::NONE, "order_number"), 1_024, None)
        .count(&CounterKey::of(Owner::NONE, ""), 1, None)
        .count(&CounterKey::of(owner(3), "zero"), -1, None)
        .post(deposit(owner(1), "d", 1_000))
        .post(hold(owner(1), "h", 258))
        .post(capture(owner(1), "c", 200))
        .post(release(owner(1), "l", 8))
        .post(reverse(owner(1), "r", 2_000))
        .post(dollars)
        .post(between)
        .append(owner(1), 1)
        .append(owner(9), 1);
    store.commit(odd.seal()).await?;
    for n in 0..MANY / 100 {
        let many = (0..100).fold(draft(2 + n).at(NOON.plus_ms(n as i64)), |draft, m| {
            let id = (n * 100 + m).to_be_bytes();
            let of_many = Owner([[0x77; 8], id].concat().try_into().unwrap_or([0; 16]));
            draft.fresh(&record("many", 7, id), m).append(owner(7), m).post(deposit(
                of_many,
                [&[b'm'][..], &id].concat(),
                5,
            ))
        });
        store.commit(many.seal()).await?;
    }
    for n in 0..300 {
        store.commit(draft(10_000 + n).append(owner(8), n).seal()).await?;
    }
    Ok(())
}

/// All rows, in their order, which is checked.
async fn rows(store: &dyn Portable) -> Result<Vec<StoredRow>, Failure> {
    let mut rows = Rows::of(store.export().await?);
    let mut all: Vec<StoredRow> = Vec::new();
    while let Some(part) = rows.next().await? {
        for row in part {
            if let Some(last) = all.last() {
                holds((last.table(), last.key()) < (row.table(), row.key()), "rows are not in their order")?;
            }
            all.push(row);
        }
    }
    Ok(all)
}

/// Checks that two stores hold the same rows, row by row.
async fn equal(found: &dyn Portable, wanted: &dyn Portable) -> Checked {
    let (found_rows, wanted_rows) = (rows(found).await?, rows(wanted).await?);
    for (found, wanted) in found_rows.iter().zip(&wanted_rows) {
        same(found, wanted, "a row")?;
    }
    same(&found_rows.len(), &wanted_rows.len(), "number of rows")?;
    same(&summary(found, &[]).await?, &summary(wanted, &[]).await?, "summaries")?;
    same(&found.totals().await?, &wanted.totals().await?, "totals")
}

/// What the port shows of what was filled in.
async fn shown(store: &dyn Portable) -> Result<Vec<String>, Failure> {
    let mut indexes = vec![Index::Heads];
    for kind in ["order", "claim", "zzz", "many"] {
        indexes.push(Index::Kind(crate::store::Kind::of(kind)));
    }
    indexes.extend(["due", "newest"].map(|index| Index::Term(crate::store::Kind::of(index))));
    indexes.extend([1, 2, 7, 8, 9].into_iter().flat_map(|n| [Index::Transfers(owner(n)), Index::Events(owner(n))]));
    let mut shown = Vec::new();
    for index in indexes {
        let rows = super::world::list(store, &index, &Range::all(), 1_000).await?;
        shown.push(format!("{index:?} {rows:?}"));
    }
    Ok(shown)
}

/// Both ways: from the store into one in memory, and from there into another such store.
async fn there_and_back<F: PortableFixture>(store: &dyn Portable) -> Checked {
    let memory = MemoryStore::new();
    let (carried, totals) = carry(store, &memory, &[]).await?.finish().await?;
    same(&carried, &summary(store, &[]).await?, "what was carried")?;
    same(&totals, &store.totals().await?, "the totals of what was carried")?;
    equal(&memory, store).await?;
    let (_another, back) = open::<F>().await;
    carry(&memory, &*back, &[]).await?.finish().await?;
    equal(&*back, store).await?;
    same(&shown(&*back).await?, &shown(store).await?, "what the port shows")
}

/// Copying everything arrives.
pub async fn copying_everything_arrives<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    fill(&*store).await?;
    let all = rows(&*store).await?;
    let between = all.iter().filter(|row| matches!(row, StoredRow::Transfer(transfer) if transfer.entry.is_none()));
    same(&between.count(), &1, "the transfer between house accounts")?;
    there_and_back::<F>(&*store).await
}

/// Copying after any history is equal.
pub async fn copying_after_any_history_is_equal<F: PortableFixture>() -> Checked {
    let (fixture, store) = open::<F>().await;
    model::run(fixture.store(), 20_261_128, 1_500).await?;
    there_and_back::<F>(&*store).await
}

/// Copying an empty store is a copy.
pub async fn copying_an_empty_store_is_a_copy<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    holds(rows(&*store).await?.is_empty(), "an empty store has no rows")?;
    there_and_back::<F>(&*store).await
}

/// Copying shows one moment.
pub async fn copying_shows_one_moment<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    fill(&*store).await?;
    let before = (rows(&*store).await?, store.totals().await?);
    let mut reading = Rows::of(store.export().await?);
    let mut seen = Vec::new();
    for n in 0.. {
        // everything goes on meanwhile: rows come, change and go
        let key = record("many", 7, (n % MANY).to_be_bytes());
        let more =
            draft(50_000 + n).append(owner(1), n).post(deposit(owner(1), [&b"w"[..], &n.to_be_bytes()].concat(), 1));
        let more = match n {
            0..5 => more.delete(&key, n % 100),
            _ => more.fresh(&record("later", 7, n.to_be_bytes()), n),
        };
        store.commit(more.seal()).await?;
        match reading.next().await? {
            Some(part) => seen.extend(part),
            None => break,
        }
    }
    same(reading.totals(), &before.1, "totals of that moment")?;
    same(&seen.len(), &before.0.len(), "rows of that moment")?;
    holds(seen == before.0, "rows are those of the moment at which the export began")
}

/// Copying goes on behind any key.
pub async fn copying_goes_on_behind_any_key<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    fill(&*store).await?;
    let mut export = store.export().await?;
    for section in Section::ALL {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let part = export.part(section, after.as_deref()).await?;
            all.extend(part.rows);
            match part.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        holds(!all.is_empty(), "rows in every section")?;
        // from the middle, in whatever order sections are asked for; and behind the last one
        for at in [0, all.len() / 2, all.len() - 1] {
            let key = all[at].key();
            let part = export.part(section, Some(key.as_slice())).await?;
            same(&part.rows.first(), &all.get(at + 1), "the row behind a key")?;
        }
    }
    // a key that is not there
    let gap = crate::store::codec::keys::record(&record("many", 0, []));
    let part = export.part(Section::Records, Some(gap.as_slice())).await?;
    let first = part.rows.first().map(StoredRow::key);
    let wanted = crate::store::codec::keys::record(&record("many", 7, 0_u64.to_be_bytes()));
    same(&first, &Some(wanted), "the row behind a key that is not there")
}

/// Copying fills an empty store only.
pub async fn copying_fills_an_empty_store_only<F: PortableFixture>() -> Checked {
    for drafted in [draft(1), draft(1).fresh(&free("a", "b"), 1)] {
        let (_fixture, store) = open::<F>().await;
        holds(store.import().await?.is_some(), "an empty store may be filled")?;
        store.commit(drafted.seal()).await?;
        holds(store.import().await?.is_none(), "a store with anything in it is not filled")?;
        let refused = carry(&MemoryStore::new(), &*store, &[]).await.err();
        same(&refused, &Some(CopyError::NotEmpty), "carried into it")?;
        // and nobody is held up by having asked
        store.commit(draft(2).seal()).await?;
    }
    Ok(())
}

/// Copying that is given up leaves nothing.
pub async fn copying_that_is_given_up_leaves_nothing<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    let from = MemoryStore::new();
    fill(&from).await?;
    drop(carry(&from, &*store, &[]).await?);
    holds(rows(&*store).await?.is_empty(), "nothing is left")?;
    carry(&from, &*store, &[]).await?.finish().await?;
    equal(&*store, &from).await
}

/// Copying leaves a store that goes on.
pub async fn copying_leaves_a_store_that_goes_on<F: PortableFixture>() -> Checked {
    let from = MemoryStore::new();
    fill(&from).await?;
    let (_fixture, store) = open::<F>().await;
    carry(&from, &*store, &[]).await?.finish().await?;
    // what was sent before is answered, not done again
    holds(store.commit(draft(10_000).append(owner(8), 0).seal()).await?.replayed, "a replay is known")?;
    // ids stay taken, also of transfers between house accounts
    let taken = |n, id: &[u8]| draft(n).post(deposit(owner(1), id, 1)).seal();
    for (n, id) in [(90_001, &b"d"[..]), (90_002, &[0, 1, 0xff])] {
        let refused = super::world::refusal(store.commit(taken(n, id)).await)?;
        same(&refused.code(), &"transfer_exists", "an id that was carried")?;
    }
    // versions, numbers and counters go on; terms go with their record
    let counter = CounterKey { owner: owner(1), name: "cancels".into(), period: "2026-11-22".into() };
    let key = record("order", 1, [0, 0xff, 0]);
    let next = draft(90_003).delete(&key, u64::MAX).append(owner(1), 2).count(&counter, 1, None);
    let receipt = store.commit(next.post(deposit(owner(1), "next", 5)).seal()).await?;
    same(&(receipt.events, receipt.counters), &(vec![2], vec![259]), "numbers go on")?;
    same(&receipt.transfers[0].number, &6, "the statement goes on")?;
    let head = store.load(&[LoadKey::Head(owner(1))]).await?.head(owner(1));
    same(&(head.available, head.held, head.debt), &(5, 50, -1_250), "money goes on")?;
    let due = super::world::list(&*store, &Index::Term(crate::store::Kind::of("due")), &Range::all(), 10).await?;
    holds(due.is_empty(), "a place went with its record")?;
    same(&store.totals().await?.currencies[&Currency::Idr].sum(), &0, "the sum of all accounts")?;
    // what was carried is forgotten in its time
    let late = NOON.plus_seconds(49 * 3_600);
    for n in 0..20 {
        store.commit(draft(95_000 + n).at(late.plus_ms(2_000 * n as i64)).append(owner(5), n).seal()).await?;
    }
    let again = draft(10_000).at(late.plus_seconds(60)).append(owner(8), 7).seal();
    holds(!store.commit(again).await?.replayed, "an id that was carried means something new after 48 h")
}

/// Copying leaves records out that are named.
pub async fn copying_leaves_records_out_that_are_named<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    fill(&*store).await?;
    let bare = summary(&*store, &[]).await?;
    let mark = free("host_mark", "moved");
    let memory = MemoryStore::new();
    // a commit leaves more than its record: the operation that made it
    carry(&*store, &memory, std::slice::from_ref(&mark)).await?.finish().await?;
    same(&summary(&memory, &[]).await?, &bare, "without the mark, before there is one")?;
    store.commit(draft(99_000).put(&mark, crate::store::Expect::Absent, 1, Body::empty()).seal()).await?;
    let without = summary(&*store, std::slice::from_ref(&mark)).await?;
    same(&without.rows.get("records"), &bare.rows.get("records"), "records without the mark")
}

async fn backup(store: &dyn Portable) -> Result<Vec<u8>, Failure> {
    let host = BTreeMap::from([("mode".to_owned(), "live".to_owned())]);
    let mut backup = Backup::of(store, Timestamp::from_seconds(1_780_000_000), host).await?;
    let mut bytes = Vec::new();
    while let Some(more) = backup.next().await? {
        bytes.extend(more);
    }
    Ok(bytes)
}

/// Copying by a backup is equal.
pub async fn copying_by_a_backup_is_equal<F: PortableFixture>() -> Checked {
    let (_fixture, store) = open::<F>().await;
    fill(&*store).await?;
    let bytes = backup(&*store).await?;
    for piece in [7, 4_096, bytes.len()] {
        let (_another, restored) = open::<F>().await;
        let mut restore = Restore::into(&*restored).await?;
        let mut inspection = Inspection::default();
        for some in bytes.chunks(piece) {
            restore.push(some).await?;
            inspection.push(some)?;
        }
        let (header, restored_rows) = restore.finish().await?;
        same(&header.host["mode"].as_str(), &"live", "what the host wrote into it")?;
        same(&header.totals, &store.totals().await?, "the sums in its header")?;
        same(&inspection.finish()?, &(header, restored_rows), "looked through without a store")?;
        equal(&*restored, &*store).await?;
    }
    Ok(())
}

/// Copying a backup that is not whole writes nothing.
pub async fn copying_a_backup_that_is_not_whole_writes_nothing<F: PortableFixture>() -> Checked {
    let from = MemoryStore::new();
    fill(&from).await?;
    let bytes = backup(&from).await?;
    let (_fixture, store) = open::<F>().await;
    let middle = bytes.len() / 2;
    let mut flipped = bytes.clone();
    flipped[middle] ^= 1;
    for damaged in [&bytes[..middle], &bytes[..bytes.len() - 1], &flipped, &[&bytes[..], &[0]].concat()] {
        let mut restore = Restore::into(&*store).await?;
        let result = match restore.push(damaged).await {
            Ok(()) => restore.finish().await.map(drop),
            Err(error) => {
                drop(restore);
                Err(error)
            }
        };
        holds(result.is_err(), "a damaged backup is refused")?;
        holds(rows(&*store).await?.is_empty(), "nothing of it was written")?;
    }
    let mut restore = Restore::into(&*store).await?;
    restore.push(&bytes).await?;
    restore.finish().await?;
    equal(&*store, &from).await
}
