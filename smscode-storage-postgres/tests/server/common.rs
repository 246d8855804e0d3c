//! Stores, ChangeSets whose effects can be counted, and what is expected of errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use smscode_core::money::Currency;
use smscode_core::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Effect, Entry, Expect, House, Index, Key, Kind, LoadKey, OperationId,
    Owner, Place, Post, Range, Receipt, Row, Store, StoreError, Term, TransferId, TransferKind,
};
use smscode_core::time::Timestamp;
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Database, Server, shared};

/// The header time of all ChangeSets here.
pub(crate) const NOON: Timestamp = Timestamp::from_seconds(1_780_000_000);
/// How much each numbered ChangeSet deposits.
pub(crate) const DEPOSIT: i64 = 5;
pub(crate) const THING: Kind = Kind::of("thing");
pub(crate) const DUE: Kind = Kind::of("due");

/// One task that commits and one that reads, so that it is known which connection does what.
pub(crate) fn single() -> PostgresOptions {
    PostgresOptions { committers: 1, readers: 1, limit_ms: 30_000, ..PostgresOptions::default() }
}

/// A database with the schema on the shared server.
pub(crate) async fn fresh() -> Database {
    fresh_on(shared()).await
}

/// A database with the schema.
pub(crate) async fn fresh_on(server: &Server) -> Database {
    let template = server.template("smscode", async |url| {
        open(&url, PostgresOptions::default()).await.close().await;
    });
    template.await.database().await
}

pub(crate) async fn open(url: &str, options: PostgresOptions) -> PostgresStore {
    within(PostgresStore::open(url, options)).await.unwrap()
}

/// Ends a test that hangs.
pub(crate) async fn within<T>(step: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), step).await.expect("no end in sight")
}

/// Waits until something is so, at most 30 seconds.
pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..1_500 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: it does not come");
}

pub(crate) fn owner(n: u8) -> Owner {
    Owner([n; 16])
}

pub(crate) fn text(n: u64) -> Body {
    Body::from_text(&format!("{{\"n\":\"{n}\"}}")).unwrap()
}

/// An operation id that no other ChangeSet of this process has.
pub(crate) fn operation() -> OperationId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [0xAB; 16];
    id[..4].copy_from_slice(&std::process::id().to_be_bytes());
    id[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    OperationId(id)
}

pub(crate) fn set(entries: impl IntoIterator<Item = Entry>) -> Arc<ChangeSet> {
    let mut set = ChangeSet::new(operation(), NOON);
    set.entries.extend(entries);
    Arc::new(set.seal(Body::empty()))
}

pub(crate) fn thing(n: u64) -> Key {
    Key::free(THING, n.to_be_bytes())
}

pub(crate) fn put(key: &Key, expect: Expect, version: u64) -> Entry {
    let terms = vec![Term { index: DUE, at: key.id.clone() }];
    Entry::Put { key: key.clone(), expect, version, body: text(version), terms }
}

pub(crate) fn ensure(key: &Key, expect: Expect) -> Entry {
    Entry::Ensure { key: key.clone(), expect }
}

pub(crate) fn count(of: Owner, delta: i64, max: Option<i64>) -> Entry {
    Entry::Count { counter: CounterKey::of(of, "n"), delta, max }
}

pub(crate) fn append(of: Owner, n: u64) -> Entry {
    Entry::Append { owner: of, body: text(n) }
}

pub(crate) fn deposit(of: Owner, id: impl Into<Vec<u8>>, amount: i64) -> Entry {
    let (house, available) = (Place::House(House::clearing("host")), Place::Customer(of, Bucket::Available));
    post(TransferKind::Deposit, id, house, available, amount)
}

pub(crate) fn hold(of: Owner, id: impl Into<Vec<u8>>, amount: i64) -> Entry {
    let (available, held) = (Place::Customer(of, Bucket::Available), Place::Customer(of, Bucket::Held));
    post(TransferKind::Hold, id, available, held, amount)
}

pub(crate) fn capture(of: Owner, id: impl Into<Vec<u8>>, amount: i64) -> Entry {
    let (held, revenue) = (Place::Customer(of, Bucket::Held), Place::House(House::revenue()));
    post(TransferKind::Capture, id, held, revenue, amount)
}

fn post(kind: TransferKind, id: impl Into<Vec<u8>>, debit: Place, credit: Place, amount: i64) -> Entry {
    Entry::Post(Post {
        id: TransferId(id.into()),
        kind,
        subject: "test".into(),
        reason: "test".into(),
        actor: "test".into(),
        debit,
        credit,
        currency: Currency::Idr,
        amount: Amount::Exact(amount),
    })
}

/// ChangeSet number `n` of an account: a record with a place, a transfer, a count and an event, each of which would be
/// seen if it were there twice or without the others.
pub(crate) fn numbered(of: Owner, n: u64) -> Arc<ChangeSet> {
    let id = [of.0.as_slice(), &n.to_be_bytes()].concat();
    set([
        put(&Key::owned(THING, of, n.to_be_bytes()), Expect::Absent, n),
        deposit(of, id, DEPOSIT),
        count(of, 1, None),
        append(of, n),
    ])
}

/// The same in a transaction of several statements, because it relies on a record that is not there.
pub(crate) fn numbered_with_absent(of: Owner, n: u64) -> Arc<ChangeSet> {
    let mut entries = numbered(of, n).entries.clone();
    entries.push(ensure(&Key::owned(Kind::of("none"), of, n.to_be_bytes()), Expect::Absent));
    set(entries)
}

/// How many numbered ChangeSets of an account took effect; each of them did as a whole.
pub(crate) async fn effects(store: &dyn Store, of: Owner) -> u64 {
    let counter = CounterKey::of(of, "n");
    let view = within(store.load(&[LoadKey::Head(of), LoadKey::Counter(counter.clone())])).await.unwrap();
    let (head, counted) = (view.head(of), view.counter(&counter).unsigned_abs());
    let found = (head.available.unsigned_abs(), head.last_transfer, head.last_event);
    assert_eq!(found, (counted * DEPOSIT.unsigned_abs(), counted, counted), "money, transfers and events");
    let mut lists = [Index::Kind(THING), Index::Term(DUE), Index::Transfers(of), Index::Events(of)].into_iter();
    let things = rows(store, &lists.next().unwrap(), of).await;
    for list in lists {
        assert_eq!(rows(store, &list, of).await, things, "{list:?}");
    }
    assert_eq!(things as u64, counted, "records");
    counted
}

/// How many rows of an account a list has.
pub(crate) async fn rows(store: &dyn Store, list: &Index, of: Owner) -> usize {
    let is_his = |row: &Row| !matches!(row, Row::Record { key, .. } if key.owner != of);
    let (mut count, mut after) = (0, None);
    loop {
        let page = within(store.scan(list, &Range::all(), after.as_ref(), 1_000)).await.unwrap();
        count += page.rows.iter().filter(|row| is_his(row)).count();
        after = page.next;
        if after.is_none() {
            return count;
        }
    }
}

/// Commits together: one group, if the store has one committer that waits for work.
pub(crate) async fn together(store: &dyn Store, sets: &[Arc<ChangeSet>]) -> Vec<Result<Receipt, StoreError>> {
    within(futures_util::future::join_all(sets.iter().map(|set| store.commit(set.clone())))).await
}

pub(crate) async fn commit(store: &dyn Store, set: &Arc<ChangeSet>) -> Result<Receipt, StoreError> {
    within(store.commit(set.clone())).await
}

/// The effect and the reason of an error that must be `Unavailable`.
pub(crate) fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> (Effect, String) {
    match answer {
        Err(StoreError::Unavailable { effect, reason, .. }) => (effect, reason),
        other => panic!("not unavailable: {other:?}"),
    }
}

/// Numbers from a seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// The seed that `SMSCODE_SEED` names, else a fresh one; printed.
pub(crate) fn seed(what: &str) -> u64 {
    let fresh = || u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
    let seed = std::env::var("SMSCODE_SEED").map_or_else(|_| fresh(), |text| text.parse().expect("a number"));
    println!("{what}: SMSCODE_SEED={seed}");
    seed
}

/// The role that the server runs under, as `migrate` makes it.
pub(crate) const NAME: &str = "the_server";
/// As it stands in an address.
pub(crate) const PASSWORD: &str = "open%20sesame%2F1";

/// A database with the schema and its address for the server's role.
pub(crate) async fn guest(server: &Server) -> (Database, String) {
    let database = server.database().await;
    let (_, rest) = database.url().rsplit_once('@').unwrap();
    let url = format!("postgres://{NAME}:{PASSWORD}@{rest}");
    within(smscode_storage_postgres::migrate(database.url(), Some(&url))).await.unwrap();
    (database, url)
}

/// Checks that a text for an operator has nothing in it that is not for everybody.
pub(crate) fn plain(told: &str) {
    for secret in ["127.0.0.1", "sesame", NAME, "\"n\"", "smscode."] {
        assert!(!told.contains(secret), "{told}");
    }
}
