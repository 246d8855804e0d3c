//! Two processes on one database, which want the same accounts, caps, keys and records.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use smscode_core::store::{
    ChangeSet, CounterKey, CurrencyTotals, Expect, Index, Key, Kind, LoadKey, Owner, Range, Row, Store, StoreError,
};
use smscode_storage_postgres::{PostgresFigures, PostgresOptions, PostgresStore};
use smscode_test_postgres::shared;

use crate::common::{
    Dice, NOON, append, capture, commit, count, deposit, ensure, fresh, hold, open, owner, put, seed, set, thing,
};

/// Tells a process that it is the second one: the address and the seed.
const SECOND: &str = "SMSCODE_TEST_SECOND_PROCESS";
const NAME: &str = "two_processes::two_processes_share_accounts_caps_and_keys";

const CHANGE_SETS: usize = 2_000;
const CALLERS: usize = 32;
const ACCOUNTS: u64 = 6;
/// Records that are changed in pairs, in both orders.
const CROSSING: u64 = 8;
const CAP: i64 = 8;
/// Keys that one of the two takes first.
const CLAIMS: u64 = 400;
/// So little that each process meets the floor of some account, whichever is faster.
const MONEY: i64 = 200;

fn account(n: u64) -> Owner {
    owner(10 + u8::try_from(n % ACCOUNTS).unwrap())
}

fn claim(n: u64) -> Key {
    Key::free(Kind::of("claim"), n.to_be_bytes())
}

/// Changes a pair of records that others change in the other order, each from the version it has.
async fn crossing(store: &PostgresStore, dice: &mut Dice) -> Arc<ChangeSet> {
    let (one, other) = (dice.roll(CROSSING), dice.roll(CROSSING));
    let keys = [thing(one), thing(other)];
    let view = store.load(&keys.clone().map(LoadKey::Record)).await.unwrap();
    let seen = |key: &Key| view.record(key).map_or(Expect::Absent, |record| Expect::Version(record.version));
    let version = dice.roll(u64::MAX);
    let mut entries = vec![put(&keys[0], seen(&keys[0]), version)];
    if one != other && dice.roll(2) == 0 {
        entries.push(put(&keys[1], seen(&keys[1]), version));
    } else if one != other {
        entries.push(ensure(&keys[1], seen(&keys[1])));
    }
    set(entries)
}

/// One of the things that two nodes do to each other. `n` is the same number in both processes at about the same time.
async fn change_set(store: &PostgresStore, dice: &mut Dice, n: u64) -> Arc<ChangeSet> {
    let of = account(dice.roll(ACCOUNTS));
    let id = |what: u8| [&[what][..], &n.to_be_bytes(), &of.0[..1]].concat();
    match dice.roll(6) {
        // both may try the same transfer; held money is captured by one of the two
        0 => set([hold(of, id(1), 10), append(of, n)]),
        1 => set([capture(of, id(2), 10), append(of, n)]),
        2 => set([deposit(of, id(3), 7), append(of, n)]),
        3 => set([count(account(n), if dice.roll(3) == 0 { -1 } else { 1 }, Some(CAP)), append(account(n), n)]),
        4 => set([put(&claim(n % CLAIMS), Expect::Absent, dice.roll(u64::MAX)), append(of, n)]),
        _ => crossing(store, dice).await,
    }
}

/// What one process did, by the answers.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, AtomicUsize>);

impl Tally {
    fn new() -> Self {
        let words = ["done", "expectation", "transfer_exists", "floor", "counter", "store_unavailable"];
        Self(words.into_iter().map(|word| (word, AtomicUsize::default())).collect())
    }

    fn add(&self, answer: Result<(), &StoreError>) {
        let word = answer.map_or_else(StoreError::code, |()| "done");
        if let (Err(error), "store_unavailable") = (answer, word) {
            println!("{error}");
        }
        self.0.get(word).unwrap_or_else(|| panic!("an answer nobody wants: {word}")).fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, word: &str) -> usize {
        self.0[word].load(Ordering::Relaxed)
    }

    fn line(&self) -> String {
        self.0.iter().map(|(word, count)| format!("{word} {} ", count.load(Ordering::Relaxed))).collect()
    }
}

async fn work(url: &str, seed: u64) -> (Tally, PostgresFigures) {
    let store = &open(url, PostgresOptions::default()).await;
    let tally = Tally::new();
    let one = |n: usize| {
        let tally = &tally;
        async move {
            let mut dice = Dice(seed.wrapping_add(n as u64));
            let set = change_set(store, &mut dice, n as u64).await;
            let answer = commit(store, &set).await;
            tally.add(answer.as_ref().map(drop));
        }
    };
    stream::iter(0..CHANGE_SETS).for_each_concurrent(CALLERS, one).await;
    store.close().await;
    (tally, store.figures())
}

fn report(who: &str, started: Instant, (tally, figures): &(Tally, PostgresFigures)) {
    let rate = figures.commits * 1_000 / u64::try_from(started.elapsed().as_millis()).unwrap().max(1);
    println!(
        "{who}: {}| {} commits in {} groups, {rate} a second, {} groups run again",
        tally.line(),
        figures.commits,
        figures.groups,
        figures.repeats
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_accounts_caps_and_keys() {
    let started = Instant::now();
    if let Ok(told) = std::env::var(SECOND) {
        let (seed, url) = told.split_once(' ').unwrap();
        let done = work(url, seed.parse().unwrap()).await;
        report("the second process", started, &done);
        assert_eq!(done.0.of("store_unavailable"), 0);
        return;
    }
    let seed = seed("two processes");
    let database = fresh().await;
    let store = open(database.url(), PostgresOptions::default()).await;
    for n in 0..ACCOUNTS {
        commit(&store, &set([deposit(account(n), [0, n as u8], MONEY), hold(account(n), [1, n as u8], MONEY / 2)]))
            .await
            .unwrap();
    }
    let mut second = Command::new(std::env::current_exe().unwrap());
    second.args(["--exact", NAME, "--nocapture"]).env(SECOND, format!("{} {}", seed ^ 1, database.url()));
    let mut second = second.stdin(Stdio::null()).spawn().unwrap();
    let done = work(database.url(), seed).await;
    report("the first process", started, &done);
    assert_eq!(done.0.of("store_unavailable"), 0);
    let ended = tokio::task::spawn_blocking(move || second.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "the second process says above what was wrong");
    // which of the two meets a transfer of the other is chance: the second one starts later
    for word in ["done", "expectation", "floor", "counter"] {
        assert!(done.0.of(word) > 0, "they got into each other's way: {word}");
    }
    check(&store).await;
    // what connections have counted is known once they are closed
    store.close().await;
    let crossed = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    println!("deadlocks: {}", shared().sql(database.name(), crossed).await[0]);
}

/// Money adds up, nothing is below zero, numbers have no gap, caps hold.
async fn check(store: &PostgresStore) {
    assert_eq!(store.totals().await.unwrap().currencies.values().map(CurrencyTotals::sum).sum::<i128>(), 0, "the sum");
    let mut ids = BTreeMap::new();
    for of in (0..ACCOUNTS).map(account) {
        let counter = CounterKey::of(of, "n");
        let view = store.load(&[LoadKey::Head(of), LoadKey::Counter(counter.clone())]).await.unwrap();
        let head = view.head(of);
        assert!(head.available >= 0 && head.held >= 0 && head.debt == 0, "{head:?}");
        assert!((0..=CAP).contains(&view.counter(&counter)));
        let transfers = list(store, &Index::Transfers(of)).await;
        for (n, row) in (1..).zip(&transfers) {
            let Row::Transfer(transfer) = row else { panic!("a transfer") };
            assert_eq!(transfer.entry.unwrap().number, n, "a statement without gaps");
            assert_eq!(transfer.time, NOON);
            assert!(ids.insert(transfer.id.clone(), of).is_none(), "each transfer id once");
        }
        let last = transfers
            .last()
            .map(|row| if let Row::Transfer(last) = row { last.entry.unwrap() } else { panic!("a transfer") });
        let last = last.unwrap();
        assert_eq!((last.available, last.held, last.number), (head.available, head.held, head.last_transfer));
        assert_eq!(list(store, &Index::Events(of)).await.len() as u64, head.last_event, "events without gaps");
    }
    assert_eq!(list(store, &Index::Kind(Kind::of("claim"))).await.len().cmp(&0), std::cmp::Ordering::Greater);
}

async fn list(store: &PostgresStore, index: &Index) -> Vec<Row> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(index, &Range::all(), after.as_ref(), 1_000).await.unwrap();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}
