#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]
//! The judge as a table of values: rows in, ChangeSet in, refusal or writes out.

use std::sync::Arc;

use super::*;
use crate::money::Currency;
use crate::time::Timestamp;

const NOON: Timestamp = Timestamp::from_seconds(1_780_000_000);

fn owner(n: u8) -> Owner {
    Owner([n; 16])
}

fn key(id: &str) -> Key {
    Key::owned(Kind::of("order"), owner(1), id)
}

fn body() -> Body {
    Body::from_stored(b"{\"a\":1}")
}

fn put(id: &str, expect: Expect) -> Entry {
    Entry::Put { key: key(id), expect, version: 9, body: body(), terms: Vec::new() }
}

fn ensure(id: &str, expect: Expect) -> Entry {
    Entry::Ensure { key: key(id), expect }
}

fn count(delta: i64, max: i64) -> Entry {
    Entry::Count { counter: CounterKey::of(owner(1), "open"), delta, max: Some(max) }
}

fn available(n: u8) -> Place {
    Place::Customer(owner(n), Bucket::Available)
}

fn post(id: &str, debit: Place, credit: Place, amount: Amount) -> Entry {
    Entry::Post(Post {
        id: TransferId(id.into()),
        kind: TransferKind::Adjust,
        subject: format!("about:{id}"),
        reason: "test".into(),
        actor: "test".into(),
        debit,
        credit,
        currency: Currency::Idr,
        amount,
    })
}

fn spend(id: &str, n: u8, amount: i64) -> Entry {
    post(id, available(n), Place::House(House::revenue()), Amount::Exact(amount))
}

fn in_dollars(entry: Entry) -> Entry {
    match entry {
        Entry::Post(post) => Entry::Post(Post { currency: Currency::Usd, ..post }),
        other => other,
    }
}

fn set(operation: u8, entries: Vec<Entry>) -> ChangeSet {
    let mut set = ChangeSet::new(OperationId([operation; 16]), NOON);
    set.entries = entries;
    set.seal(Body::empty())
}

/// Record `there` in version 5, account 1 with 100, account 2 with 10, counter at 3, transfer `taken`, operation 1.
fn rows() -> Rows {
    let mut rows = Rows::default();
    rows.records.insert(key("there"), Record { version: 5, body: body(), terms: Vec::new() });
    for (n, available) in [(1, 100), (2, 10)] {
        rows.heads.insert(owner(n), Head { currency: Some(Currency::Idr), available, ..Head::default() });
    }
    rows.counters.insert(CounterKey::of(owner(1), "open"), 3);
    rows.transfers.insert(TransferId(b"taken".to_vec()));
    let known = set(1, vec![]);
    let receipt = Receipt { outcome: body(), transfers: vec![], events: vec![], counters: vec![], replayed: false };
    rows.operations.insert(known.operation, StoredOperation { fingerprint: known.fingerprint, time: NOON, receipt });
    rows
}

fn judged(set: &ChangeSet) -> Result<Receipt, Refusal> {
    let (writes, mut results) = judge_group(rows(), [set]);
    let result = results.pop().unwrap();
    if !matches!(&result, Ok(receipt) if !receipt.replayed) {
        // rule 2: what is refused or replayed writes nothing at all
        assert!(writes.records.is_empty() && writes.heads.is_empty() && writes.counters.is_empty());
        assert!(writes.transfers.is_empty() && writes.events.is_empty() && writes.operations.is_empty());
        assert!(writes.house.is_empty() && writes.tallies.is_empty());
    }
    result
}

fn code(result: &Result<Receipt, Refusal>) -> &'static str {
    match result {
        Ok(receipt) if receipt.replayed => "replayed",
        Ok(_) => "done",
        Err(refusal) => refusal.code(),
    }
}

/// One flaw per step of the judgement, in the order of rule 1.
fn flaws() -> Vec<(&'static str, Entry)> {
    vec![
        ("expectation", ensure("there", Expect::Absent)),
        ("transfer_exists", spend("taken", 1, 1)),
        ("currency", in_dollars(spend("dollars", 1, 1))),
        ("floor", spend("much", 2, 11)),
        ("counter", count(1, 3)),
        ("malformed", Entry::Append { owner: Owner::NONE, body: body() }),
    ]
}

#[test]
fn the_first_failure_is_reported_in_the_order_of_rule_1() {
    let flaws = flaws();
    for first in 0..flaws.len() {
        let later: Vec<Entry> = flaws[first..].iter().map(|(_, entry)| entry.clone()).collect();
        let turned: Vec<Entry> = later.iter().rev().cloned().collect();
        assert_eq!(code(&judged(&set(7, later.clone()))), flaws[first].0);
        assert_eq!(code(&judged(&set(7, turned))), flaws[first].0, "the order of the entries does not matter");
        assert_eq!(code(&judged(&set(1, later))), "operation_reused", "the operation id comes before all");
    }
    assert_eq!(code(&judged(&set(1, vec![]))), "replayed");
    assert_eq!(code(&judged(&set(7, vec![]))), "done");
}

#[test]
fn every_refusal_says_what_it_found() {
    let limit = |what, found, max, advice| Refusal::Limit { what, found, max, advice };
    let cases = [
        (
            put("there", Expect::Absent),
            Refusal::Expectation { key: key("there"), expected: Expect::Absent, found: Some(5) },
        ),
        (
            ensure("x", Expect::Version(1)),
            Refusal::Expectation { key: key("x"), expected: Expect::Version(1), found: None },
        ),
        (
            Entry::Delete { key: key("there"), expect: Expect::Version(4) },
            Refusal::Expectation { key: key("there"), expected: Expect::Version(4), found: Some(5) },
        ),
        (spend("taken", 1, 1), Refusal::TransferExists { subject: "about:taken".into() }),
        (
            spend("s", 2, 11),
            Refusal::Floor { bucket: Bucket::Available, currency: Currency::Idr, now: 10, would_be: -1 },
        ),
        (
            post("p", Place::Customer(owner(2), Bucket::Held), available(2), Amount::Exact(3)),
            Refusal::Floor { bucket: Bucket::Held, currency: Currency::Idr, now: 0, would_be: -3 },
        ),
        (
            post("p", available(2), Place::Customer(owner(2), Bucket::Debt), Amount::Exact(3)),
            Refusal::Floor { bucket: Bucket::Debt, currency: Currency::Idr, now: 0, would_be: 3 },
        ),
        (in_dollars(spend("s", 1, 1)), Refusal::Currency { has: Currency::Idr, wanted: Currency::Usd }),
        (count(2, 4), Refusal::Counter { counter: CounterKey::of(owner(1), "open"), would_be: 5, max: 4 }),
        (
            Entry::Ensure { key: key(&"k".repeat(129)), expect: Expect::Absent },
            limit("bytes in an id", 129, 128, "shorten it or put a hash in its place"),
        ),
        (
            post("h", Place::House(House("x".repeat(129))), available(1), Amount::Exact(1)),
            limit("bytes in the name of a house account", 129, 128, "shorten it or put a hash in its place"),
        ),
        (spend("z", 1, 0), Refusal::Malformed("an amount that is not between 1 and 2^53")),
        (
            post("p", available(1), available(2), Amount::Exact(1)),
            Refusal::Malformed("a transfer between two customers"),
        ),
    ];
    for (entry, wanted) in cases {
        assert_eq!(judged(&set(7, vec![entry])), Err(wanted));
    }
}

#[test]
fn transfer_ids_fail_in_key_order_taken_or_twice() {
    // `a` stands twice, `taken` exists: `a` comes first
    let entries = vec![spend("taken", 1, 1), spend("a", 1, 1), spend("a", 1, 2)];
    assert_eq!(judged(&set(7, entries)), Err(Refusal::TransferExists { subject: "about:a".into() }));
    let entries = vec![spend("z", 1, 1), spend("z", 1, 2), spend("taken", 1, 1)];
    assert_eq!(judged(&set(7, entries)), Err(Refusal::TransferExists { subject: "about:taken".into() }));
}

#[test]
fn operation_ids_are_known_for_exactly_48_hours() {
    let later = |us: i64| {
        let mut other = ChangeSet::new(OperationId([1; 16]), Timestamp(NOON.0 + 48 * 3_600_000_000 + us));
        other.push(count(-1, 0));
        other.seal(Body::empty())
    };
    assert_eq!(code(&judged(&later(0))), "operation_reused");
    assert_eq!(code(&judged(&later(1))), "done", "to the microsecond");
}

#[test]
fn what_a_change_set_moves_together_is_limited() {
    let house = |name: &str| Place::House(House(name.into()));
    let between = |id: &str, n| post(id, house("a"), house("b"), Amount::Exact(n));
    let max = limits::AMOUNT_MAX;
    assert_eq!(code(&judged(&set(7, vec![between("1", max)]))), "done");
    assert_eq!(code(&judged(&set(7, vec![between("1", max), between("2", 1)]))), "limit");
    // a group as large as any: its sums stay within i64
    let sets: Vec<ChangeSet> = (0..512_u16)
        .map(|n| {
            let mut set = ChangeSet::new(OperationId([(n >> 8) as u8; 16]), NOON);
            set.operation.0[1] = n as u8;
            set.push(between(&format!("t{n}"), max));
            set.seal(Body::empty())
        })
        .collect();
    let (writes, results) = judge_group(Rows::default(), &sets);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(writes.house.values().map(|n| i128::from(*n)).sum::<i128>(), 0);
}

#[test]
fn fingerprints_tell_apart_what_looks_alike() {
    let none = Entry::Count { counter: CounterKey::of(owner(1), "n"), delta: 1, max: None };
    let house = Place::House(House::revenue());
    let term = |index| Term { index: Kind::of(index), at: b"x".to_vec() };
    let with = |terms| Entry::Put { key: key("a"), expect: Expect::Absent, version: 9, body: body(), terms };
    let sets = [
        vec![],
        vec![none],
        vec![Entry::Count { counter: CounterKey::of(owner(1), "n"), delta: 1, max: Some(-1) }],
        vec![Entry::Count { counter: CounterKey::of(owner(1), "n"), delta: 1, max: Some(0) }],
        vec![post("p", available(1), house.clone(), Amount::All)],
        vec![post("p", available(1), house.clone(), Amount::Exact(-1))],
        vec![post("p", available(1), house.clone(), Amount::UpTo(-1, house.clone()))],
        vec![with(vec![])],
        vec![with(vec![term("a")])],
        vec![with(vec![term("a"), term("a")])],
        vec![with(vec![term("b")])],
    ];
    let mut seen: Vec<Fingerprint> = sets.into_iter().map(|entries| set(7, entries).fingerprint).collect();
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[test]
fn a_queue_passes_over_those_who_left() {
    let queue = Arc::new(CommitQueue::new("test", 100));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    for n in 0..5 {
        // polled once, so that it is queued, and dropped
        let mut leaves = Box::pin(queue.submit(Arc::new(set(n, vec![])), std::future::ready(())));
        assert!(leaves.as_mut().poll(context).is_pending());
    }
    let mut stays = Box::pin(queue.submit(Arc::new(set(9, vec![])), std::future::ready(())));
    assert!(stays.as_mut().poll(context).is_pending());
    let group = queue.take(2);
    assert_eq!(group.iter().map(|p| p.change_set.operation.0[0]).collect::<Vec<_>>(), vec![9]);
    assert!(queue.take(2).is_empty());
    // a thread that waits is not woken for nothing
    let mut leaves = Box::pin(queue.submit(Arc::new(set(1, vec![])), std::future::ready(())));
    assert!(leaves.as_mut().poll(context).is_pending());
    drop(leaves);
    queue.close();
    assert!(queue.take_blocking(2).is_none());
}

/// Polls a future once.
fn poll<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

/// A submission that is queued and waits.
fn waits(
    queue: &Arc<CommitQueue>,
    n: u8,
) -> std::pin::Pin<Box<impl Future<Output = Result<Receipt, StoreError>> + use<>>> {
    let queue = queue.clone();
    let change_set = Arc::new(set(n, vec![]));
    let mut waits = Box::pin(async move { queue.submit(change_set, std::future::ready(())).await });
    assert!(poll(waits.as_mut()).is_pending());
    waits
}

#[test]
fn a_queue_wakes_committers_that_are_tasks() {
    use std::task::Poll;
    let queue = Arc::new(CommitQueue::new("test", 100));
    let ids = |taken: Poll<Option<Vec<Pending>>>| match taken {
        Poll::Ready(Some(group)) => group.iter().map(|p| p.change_set.operation.0[0]).collect::<Vec<_>>(),
        other => panic!("nothing was taken: {other:?}"),
    };
    let mut taker = Box::pin(queue.take_when_filled(2));
    assert!(poll(taker.as_mut()).is_pending());
    let _callers = [1, 2, 3].map(|n| waits(&queue, n));
    assert_eq!(ids(poll(taker.as_mut())), [1, 2]);
    assert_eq!(ids(poll(Box::pin(queue.take_when_filled(2)).as_mut())), [3]);
    // two wait, and one that was woken is dropped: the other is woken in its place
    let (mut first, mut second) = (Box::pin(queue.take_when_filled(9)), Box::pin(queue.take_when_filled(9)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    let _caller = waits(&queue, 4);
    drop(first);
    assert_eq!(ids(poll(second.as_mut())), [4]);
    let mut taker = Box::pin(queue.take_when_filled(2));
    assert!(poll(taker.as_mut()).is_pending());
    let _caller = waits(&queue, 5);
    queue.close();
    assert_eq!(ids(poll(taker.as_mut())), [5], "what waits is still committed");
    assert!(matches!(poll(Box::pin(queue.take_when_filled(2)).as_mut()), Poll::Ready(None)));
}

/// Real threads: tasks and a thread take from one queue, nothing is left and nobody sleeps on.
#[test]
fn committers_of_both_kinds_share_a_queue() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let queue = Arc::new(CommitQueue::new("test", 10_000));
    let receipt = || Receipt { outcome: body(), transfers: vec![], events: vec![], counters: vec![], replayed: false };
    let answer = move |group: Vec<Pending>| group.into_iter().for_each(|pending| pending.answer(Ok(receipt())));
    let thread = {
        let queue = queue.clone();
        std::thread::spawn(move || {
            while let Some(group) = queue.take_blocking(3) {
                answer(group);
            }
        })
    };
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            runtime.spawn(async move {
                while let Some(group) = queue.take_when_filled(3).await {
                    answer(group);
                }
            })
        })
        .collect();
    runtime.block_on(async {
        let callers = (0..2_000_u32).map(|n| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.submit(Arc::new(set(n as u8, vec![])), std::future::ready(())).await })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap().unwrap();
        }
        queue.close();
        for taker in takers {
            taker.await.unwrap();
        }
    });
    thread.join().unwrap();
}

#[test]
fn a_committer_that_panics_leaves_nobody_waiting() {
    let queue = Arc::new(CommitQueue::new("test", 100));
    let (mut first, mut second) = (waits(&queue, 1), waits(&queue, 2));
    let committed = std::thread::scope(|scope| {
        scope.spawn(|| queue.serve_blocking(1, |group| panic!("{} of them", group.len()))).join()
    });
    assert!(committed.is_err());
    for caller in [&mut first, &mut second] {
        let std::task::Poll::Ready(answer) = poll(caller.as_mut()) else {
            panic!("a caller still waits");
        };
        assert!(matches!(answer, Err(StoreError::Unavailable { effect: Effect::Unknown, .. })), "{answer:?}");
    }
    let late = poll(Box::pin(queue.submit(Arc::new(set(3, vec![])), std::future::ready(()))).as_mut());
    assert!(
        matches!(late, std::task::Poll::Ready(Err(StoreError::Unavailable { effect: Effect::No, .. }))),
        "{late:?}"
    );
}
