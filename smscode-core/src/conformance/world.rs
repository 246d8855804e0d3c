//! A store under test, with the calls that cases make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, join_all};

use super::draft::Draft;
use super::failure::{Checked, holds, same};
use super::{Failure, Fixture};
use crate::store::{
    ChangeSet, CounterKey, Cursor, Entry, Head, Index, Key, Kind, LoadKey, OperationId, Owner, Place, Range, Receipt,
    Record, Refusal, Row, Snapshot, Store, StoreError, Totals,
};

/// A fixture without its type, so that cases are compiled once.
#[async_trait]
trait Opened: Send + Sync {
    fn store(&self) -> Arc<dyn Store>;
    async fn reopen(self: Box<Self>) -> Result<Box<dyn Opened>, StoreError>;
    async fn raw_bytes(&self) -> Vec<u8>;
    async fn second(&self) -> Option<Arc<dyn Store>>;
}

struct Held<F>(F);

#[async_trait]
impl<F: Fixture> Opened for Held<F> {
    fn store(&self) -> Arc<dyn Store> {
        self.0.store()
    }

    async fn reopen(self: Box<Self>) -> Result<Box<dyn Opened>, StoreError> {
        Ok(Box::new(Held(self.0.reopen().await?)))
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        self.0.raw_bytes().await
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        self.0.second().await
    }
}

fn open<F: Fixture>(group_max: usize) -> BoxFuture<'static, Box<dyn Opened>> {
    Box::pin(async move { Box::new(Held(F::open(group_max).await)) as Box<dyn Opened> })
}

/// A fresh store and what the suite has named in it so far.
pub struct World {
    opened: Option<Box<dyn Opened>>,
    opener: fn(usize) -> BoxFuture<'static, Box<dyn Opened>>,
    group_max: usize,
    operations: AtomicU64,
    named: Mutex<Named>,
}

/// Every list and counter that a ChangeSet has named.
#[derive(Default)]
struct Named {
    kinds: BTreeSet<String>,
    indexes: BTreeSet<String>,
    owners: BTreeSet<Owner>,
    counters: BTreeSet<CounterKey>,
}

/// Everything that can be seen of a store through the port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    lists: BTreeMap<String, Vec<Row>>,
    counters: BTreeMap<CounterKey, i64>,
    totals: Totals,
}

/// Checks that two pictures are the same, and says where they part.
#[track_caller]
pub(super) fn same_picture(found: &Picture, wanted: &Picture, what: &str) -> Checked {
    same(&found.totals, &wanted.totals, &format!("{what}: totals"))?;
    same(&found.counters, &wanted.counters, &format!("{what}: counters"))?;
    for name in found.lists.keys().chain(wanted.lists.keys()) {
        let rows = |picture: &Picture| picture.lists.get(name).cloned().unwrap_or_default();
        same(&rows(found), &rows(wanted), &format!("{what}: {name}"))?;
    }
    Ok(())
}

/// More pages than any case can fill: a scan that does not end is given up here.
const PAGES_MAX: usize = 20_000;

impl World {
    pub(super) async fn open<F: Fixture>(group_max: usize) -> Self {
        Self {
            opened: Some(open::<F>(group_max).await),
            opener: open::<F>,
            group_max,
            operations: AtomicU64::new(1),
            named: Mutex::default(),
        }
    }

    /// Another empty store of the same sort.
    pub(super) async fn another(&self) -> Self {
        Self {
            opened: Some((self.opener)(self.group_max).await),
            opener: self.opener,
            group_max: self.group_max,
            operations: AtomicU64::new(1),
            named: Mutex::default(),
        }
    }

    /// The store. Not to be kept over [`World::reopen`].
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match &self.opened {
            Some(opened) => opened.store(),
            None => Arc::new(Gone),
        }
    }

    pub(super) fn group_max(&self) -> usize {
        self.group_max
    }

    pub(super) async fn second(&self) -> Result<Arc<dyn Store>, Failure> {
        let second = match &self.opened {
            Some(opened) => opened.second().await,
            None => None,
        };
        second.ok_or_else(|| Failure::new("the store says it is shared, the fixture gives no second handle"))
    }

    pub(super) async fn raw_bytes(&self) -> Vec<u8> {
        match &self.opened {
            Some(opened) => opened.raw_bytes().await,
            None => Vec::new(),
        }
    }

    /// Gives the store up and opens its data again.
    pub(super) async fn reopen(&mut self) -> Checked {
        if let Some(opened) = self.opened.take() {
            self.opened = Some(opened.reopen().await?);
        }
        Ok(())
    }

    /// A draft with an operation id of its own.
    pub(super) fn draft(&self) -> Draft {
        let n = self.operations.fetch_add(1, Ordering::Relaxed);
        let mut id = [0xa5; 16];
        id[8..].copy_from_slice(&n.to_be_bytes());
        Draft::of(OperationId(id))
    }

    pub(super) async fn commit(&self, set: &Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.name(set);
        self.store().commit(set.clone()).await
    }

    /// Commits what must be accepted, for the first time.
    pub(super) async fn done(&self, draft: Draft) -> Result<Receipt, Failure> {
        let receipt = self.commit(&draft.seal()).await?;
        holds(!receipt.replayed, "a first commit is said to be a replay")?;
        Ok(receipt)
    }

    /// Commits what must be refused with this code.
    pub(super) async fn refuses(&self, draft: Draft, code: &str) -> Result<Refusal, Failure> {
        let refusal = refusal(self.commit(&draft.seal()).await)?;
        same(&refusal.code(), &code, &format!("refused with {refusal:?}"))?;
        Ok(refusal)
    }

    /// Commits all at the same time.
    pub(super) async fn together(&self, drafts: Vec<Draft>) -> Vec<Result<Receipt, StoreError>> {
        let sets: Vec<_> = drafts.into_iter().map(Draft::seal).collect();
        join_all(sets.iter().map(|set| self.commit(set))).await
    }

    pub(super) async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, Failure> {
        Ok(self.store().load(keys).await?)
    }

    pub(super) async fn record(&self, key: &Key) -> Result<Option<Record>, Failure> {
        let snapshot = self.load(&[LoadKey::Record(key.clone())]).await?;
        Ok(snapshot.record(key).cloned())
    }

    pub(super) async fn version(&self, key: &Key) -> Result<Option<u64>, Failure> {
        Ok(self.record(key).await?.map(|record| record.version))
    }

    pub(super) async fn head(&self, owner: Owner) -> Result<Head, Failure> {
        Ok(self.load(&[LoadKey::Head(owner)]).await?.head(owner))
    }

    /// What is available, held and owed.
    pub(super) async fn money(&self, owner: Owner) -> Result<(i64, i64, i64), Failure> {
        let head = self.head(owner).await?;
        Ok((head.available, head.held, head.debt))
    }

    pub(super) async fn counter(&self, counter: &CounterKey) -> Result<i64, Failure> {
        let snapshot = self.load(&[LoadKey::Counter(counter.clone())]).await?;
        Ok(snapshot.counter(counter))
    }

    pub(super) async fn totals(&self) -> Result<Totals, Failure> {
        Ok(self.store().totals().await?)
    }

    /// Every row of a list.
    pub(super) async fn all(&self, index: &Index) -> Result<Vec<Row>, Failure> {
        self.list(index, &Range::all(), 1_000).await
    }

    /// Every row of a part of a list, page by page, each page checked.
    pub(super) async fn list(&self, index: &Index, range: &Range, limit: usize) -> Result<Vec<Row>, Failure> {
        list(&*self.store(), index, range, limit).await
    }

    /// The records that have a term in an index, as keys.
    pub(super) async fn keys(&self, index: &'static str) -> Result<Vec<Key>, Failure> {
        Ok(keys_of(&self.all(&Index::Term(Kind::of(index))).await?))
    }

    /// The records of a kind, as keys.
    pub(super) async fn keys_of_kind(&self, kind: &'static str) -> Result<Vec<Key>, Failure> {
        Ok(keys_of(&self.all(&Index::Kind(Kind::of(kind))).await?))
    }

    /// Everything that can be seen of what the ChangeSets so far have named.
    pub(super) async fn picture(&self) -> Result<Picture, Failure> {
        let (indexes, counters) = {
            let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            let mut indexes = vec![("heads".to_owned(), Index::Heads)];
            for kind in &named.kinds {
                indexes.push((format!("kind {kind}"), Index::Kind(Kind::read(kind))));
            }
            for name in &named.indexes {
                indexes.push((format!("index {name}"), Index::Term(Kind::read(name))));
            }
            for owner in &named.owners {
                indexes.push((format!("transfers of {:?}", owner.0), Index::Transfers(*owner)));
                indexes.push((format!("events of {:?}", owner.0), Index::Events(*owner)));
            }
            (indexes, named.counters.clone())
        };
        let mut picture = Picture { lists: BTreeMap::new(), counters: BTreeMap::new(), totals: self.totals().await? };
        for (name, index) in indexes {
            let rows = self.all(&index).await?;
            picture.lists.insert(name, rows);
        }
        for counter in counters {
            let value = self.counter(&counter).await?;
            picture.counters.insert(counter, value);
        }
        Ok(picture)
    }

    /// Makes the next pictures show what a ChangeSet names.
    pub(super) fn name(&self, set: &ChangeSet) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in &set.entries {
            match entry {
                Entry::Put { key, terms, .. } => {
                    named.kinds.insert(key.kind.as_str().to_owned());
                    named.indexes.extend(terms.iter().map(|term| term.index.as_str().to_owned()));
                }
                Entry::Delete { key, .. } | Entry::Ensure { key, .. } => {
                    named.kinds.insert(key.kind.as_str().to_owned());
                }
                Entry::DeleteOwned { kind, .. } => {
                    named.kinds.insert(kind.as_str().to_owned());
                }
                Entry::Count { counter, .. } => {
                    named.counters.insert(counter.clone());
                }
                Entry::Post(post) => {
                    for place in [&post.debit, &post.credit] {
                        if let Place::Customer(owner, _) = place {
                            named.owners.insert(*owner);
                        }
                    }
                }
                Entry::Append { owner, .. } => {
                    named.owners.insert(*owner);
                }
            }
        }
    }
}

/// Every row of a part of a list, page by page. Each page is checked: no longer than asked for, ascending, inside the
/// range, its cursor that of its last row, and no empty page before the end.
pub(super) async fn list(store: &dyn Store, index: &Index, range: &Range, limit: usize) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = Vec::new();
    let mut after: Option<Cursor> = None;
    for _ in 0..PAGES_MAX {
        let page = store.scan(index, range, after.as_ref(), limit).await?;
        holds(page.rows.len() <= limit, "a page is longer than asked for")?;
        for row in page.rows {
            let cursor = row.cursor();
            holds(range.contains(&cursor.position), "a row is outside the range")?;
            if let Some(last) = rows.last() {
                holds(last.cursor() < cursor, "rows are not ascending, or a row is given twice")?;
            }
            rows.push(row);
        }
        match page.next {
            None => return Ok(rows),
            Some(next) => {
                same(&Some(&next), &rows.last().map(Row::cursor).as_ref(), "the cursor of a page")?;
                holds(after.as_ref() < Some(&next), "the cursor does not move on")?;
                after = Some(next);
            }
        }
    }
    Err(Failure::new("the scan does not end"))
}

/// The keys of rows of records.
pub(super) fn keys_of(rows: &[Row]) -> Vec<Key> {
    rows.iter()
        .filter_map(|row| match row {
            Row::Record { key, .. } => Some(key.clone()),
            Row::Head(..) | Row::Transfer(_) | Row::Event(_) => None,
        })
        .collect()
}

/// What an answer must be: a refusal.
#[track_caller]
pub(super) fn refusal(answer: Result<Receipt, StoreError>) -> Result<Refusal, Failure> {
    match answer {
        Err(StoreError::Refused(refusal)) => Ok(refusal),
        Ok(_) => Err(Failure::new("accepted, must be refused")),
        Err(error) => Err(error.into()),
    }
}

/// An answer in a word: `done`, `replayed`, or the code of the error.
pub(super) fn word(answer: &Result<Receipt, StoreError>) -> &'static str {
    match answer {
        Ok(receipt) if receipt.replayed => "replayed",
        Ok(_) => "done",
        Err(error) => error.code(),
    }
}

/// Checks how often each of these answers was given, and that there was no other. Of others the first is shown as the store
/// told it, with its reason.
#[track_caller]
pub(super) fn answered(
    answers: &[Result<Receipt, StoreError>],
    wanted: &[(&'static str, usize)],
    what: &str,
) -> Checked {
    let mut found: BTreeMap<&'static str, usize> = BTreeMap::new();
    for answer in answers {
        *found.entry(word(answer)).or_default() += 1;
    }
    let wanted: BTreeMap<_, _> = wanted.iter().copied().filter(|(_, count)| *count > 0).collect();
    let other = answers.iter().filter_map(|answer| answer.as_ref().err()).find(|e| !wanted.contains_key(e.code()));
    let told = other.map_or_else(String::new, |error| format!("; the first of the others: {error}"));
    holds(found == wanted, &format!("{what}: found {found:?}, wanted {wanted:?}{told}"))
}

/// Checks that an answer is this one; another is shown as the store told it.
#[track_caller]
pub(super) fn is_answered(answer: &Result<Receipt, StoreError>, wanted: &'static str, what: &str) -> Checked {
    answered(std::slice::from_ref(answer), &[(wanted, 1)], what)
}

/// How often an answer was given.
pub(super) fn times(answers: &[Result<Receipt, StoreError>], wanted: &str) -> usize {
    answers.iter().filter(|answer| word(answer) == wanted).count()
}

/// Stands where a store could not be opened again; the case has failed by then.
struct Gone;

impl Gone {
    fn error<T>() -> Result<T, StoreError> {
        Err(StoreError::Corrupt { store: "none", what: "the store was given up".into() })
    }
}

#[async_trait]
impl Store for Gone {
    async fn describe(&self) -> Result<crate::store::StoreInfo, StoreError> {
        Self::error()
    }

    async fn load(&self, _: &[LoadKey]) -> Result<Snapshot, StoreError> {
        Self::error()
    }

    async fn commit(&self, _: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        Self::error()
    }

    async fn scan(&self, _: &Index, _: &Range, _: Option<&Cursor>, _: usize) -> Result<crate::store::Page, StoreError> {
        Self::error()
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Self::error()
    }
}
