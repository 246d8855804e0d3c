//! Rule 1: the order of judgement.

use super::draft::{Draft, available, deposit, free, hold, number, owner, record, transfer};
use super::failure::{Checked, holds, same};
use super::world::World;
use crate::store::{Amount, CounterKey, Entry, Expect, Key, Post, Refusal, TransferKind};

/// A post that no floor forbids and no limit allows.
fn malformed_post() -> Post {
    let place = || available(owner(1));
    transfer("to-itself", TransferKind::Adjust, place(), place(), Amount::Exact(5))
}

/// Adds an entry that only the limits refuse.
fn beyond_limits(draft: Draft) -> Draft {
    draft.post(malformed_post())
}

fn capped(draft: Draft) -> Draft {
    draft.count(&CounterKey::of(owner(1), "cap"), 2, Some(1))
}

fn broke(draft: Draft) -> Draft {
    draft.post(hold(owner(1), "too-much", 1_000))
}

fn taken_transfer(draft: Draft) -> Draft {
    draft.post(deposit(owner(1), "taken", 1))
}

fn unexpected(draft: Draft) -> Draft {
    draft.ensure(&free("thing", "missing"), Expect::Version(1))
}

async fn with_taken_transfer(w: &World) -> Checked {
    w.done(taken_transfer(w.draft())).await.map(drop)
}

pub(super) async fn rule_01_operation_id_comes_before_all_else(w: &mut World) -> Checked {
    let first = w.draft();
    w.done(taken_transfer(first.clone())).await?;
    let all_wrong = beyond_limits(capped(broke(taken_transfer(unexpected(first)))));
    w.refuses(all_wrong, "operation_reused").await.map(drop)
}

pub(super) async fn rule_01_replay_comes_before_expectations(w: &mut World) -> Checked {
    let key = free("thing", "a");
    let set = w.draft().fresh(&key, 1).seal();
    w.commit(&set).await?;
    w.done(w.draft().over(&key, 1, 2)).await?;
    let again = w.commit(&set).await?;
    holds(again.replayed, "a ChangeSet whose expectation no longer holds is replayed all the same")?;
    same(&w.version(&key).await?, &Some(2), "the record after the replay")
}

pub(super) async fn rule_01_each_failure_hides_the_later_ones(w: &mut World) -> Checked {
    with_taken_transfer(w).await?;
    let d = || w.draft();
    w.refuses(beyond_limits(capped(broke(taken_transfer(unexpected(d()))))), "expectation").await?;
    w.refuses(beyond_limits(capped(broke(taken_transfer(d())))), "transfer_exists").await?;
    w.refuses(beyond_limits(capped(broke(d()))), "floor").await?;
    w.refuses(beyond_limits(capped(d())), "counter").await?;
    w.refuses(beyond_limits(d()), "malformed").await.map(drop)
}

pub(super) async fn rule_01_order_of_entries_does_not_matter(w: &mut World) -> Checked {
    with_taken_transfer(w).await?;
    let d = || w.draft();
    w.refuses(unexpected(taken_transfer(broke(capped(beyond_limits(d()))))), "expectation").await?;
    w.refuses(taken_transfer(broke(capped(beyond_limits(d())))), "transfer_exists").await?;
    w.refuses(broke(capped(beyond_limits(d()))), "floor").await?;
    w.refuses(capped(beyond_limits(d())), "counter").await.map(drop)
}

pub(super) async fn rule_01_expectations_in_key_order(w: &mut World) -> Checked {
    // kind, then owner, then id, each as bytes
    let keys: Vec<Key> = vec![
        free("a", "z"),
        record("a", 1, "b"),
        record("a", 1, "ba"),
        record("a", 2, ""),
        free("a_b", ""),
        free("ab", ""),
    ];
    for skip in 0..keys.len() {
        let draft = keys[skip..].iter().rev().fold(w.draft(), |draft, key| draft.ensure(key, Expect::Version(9)));
        let refusal = w.refuses(draft, "expectation").await?;
        let wanted = Refusal::Expectation { key: keys[skip].clone(), expected: Expect::Version(9), found: None };
        holds(refusal == wanted, "the first key that is not as expected is reported")?;
    }
    Ok(())
}

pub(super) async fn rule_01_every_kind_of_expectation_is_judged(w: &mut World) -> Checked {
    let (there, missing) = (free("thing", "there"), free("thing", "missing"));
    w.done(w.draft().fresh(&there, 5)).await?;
    let put = |key: &Key, expect| w.draft().put(key, expect, 6, number(6));
    let ensure = |key: &Key, expect| w.draft().ensure(key, expect);
    let delete = |key: &Key, expect| w.draft().with(Entry::Delete { key: key.clone(), expect });
    let cases = [
        (&there, Expect::Absent, Some(5)),
        (&there, Expect::Version(4), Some(5)),
        (&missing, Expect::Version(5), None),
    ];
    for (key, expected, found) in cases {
        for draft in [put(key, expected), ensure(key, expected), delete(key, expected)] {
            let refusal = w.refuses(draft, "expectation").await?;
            let wanted = Refusal::Expectation { key: key.clone(), expected, found };
            same(&refusal, &wanted, "what is said of the expectation")?;
        }
    }
    w.done(ensure(&there, Expect::Version(5))).await?;
    w.done(ensure(&missing, Expect::Absent)).await.map(drop)
}

pub(super) async fn rule_01_transfer_ids_in_order(w: &mut World) -> Checked {
    w.done(w.draft().post(deposit(owner(1), "b", 1)).post(deposit(owner(1), "a", 1))).await?;
    let both = w.draft().post(deposit(owner(1), "b", 1)).post(deposit(owner(1), "a", 1));
    let refusal = w.refuses(both, "transfer_exists").await?;
    same(&refusal, &Refusal::TransferExists { subject: "about:a".into() }, "the first transfer id is reported")
}

pub(super) async fn rule_01_floors_in_account_order(w: &mut World) -> Checked {
    w.done(w.draft().post(deposit(owner(2), "d2", 3))).await?;
    w.done(w.draft().post(deposit(owner(1), "d1", 5))).await?;
    let draft = w.draft().post(hold(owner(2), "h2", 10)).post(hold(owner(1), "h1", 10));
    match w.refuses(draft, "floor").await? {
        Refusal::Floor { now, would_be, .. } => {
            same(&(now, would_be), &(5, -5), "the floor of the lower account, now and then")
        }
        _ => Ok(()),
    }
}

pub(super) async fn rule_01_another_currency_is_found_with_the_floors(w: &mut World) -> Checked {
    w.done(w.draft().post(deposit(owner(1), "d1", 5))).await?;
    let mut foreign = deposit(owner(1), "d2", 5);
    foreign.currency = crate::money::Currency::Usd;
    let both = w.draft().post(hold(owner(2), "h", 9)).post(foreign.clone());
    w.refuses(capped(both), "currency").await?;
    // of one account the currency comes before its floors
    w.refuses(w.draft().post(hold(owner(1), "h", 9)).post(foreign), "currency").await?;
    // the floor of a lower account comes first
    let mut other = deposit(owner(3), "d3", 5);
    w.done(w.draft().post(other.clone())).await?;
    other.id.0 = b"d4".to_vec();
    other.currency = crate::money::Currency::Rub;
    w.refuses(w.draft().post(other).post(hold(owner(2), "h", 9)), "floor").await.map(drop)
}

pub(super) async fn rule_01_counters_in_key_order(w: &mut World) -> Checked {
    let counter =
        |n: u8, name: &str, period: &str| CounterKey { owner: owner(n), name: name.into(), period: period.into() };
    let counters = [
        counter(0, "z", ""),
        counter(1, "a", "2026-01-02"),
        counter(1, "b", ""),
        counter(1, "b", "2026-01-01"),
        counter(2, "a", ""),
    ];
    for skip in 0..counters.len() {
        let draft = counters[skip..].iter().rev().fold(w.draft(), |draft, counter| draft.count(counter, 7, Some(6)));
        let wanted = Refusal::Counter { counter: counters[skip].clone(), would_be: 7, max: 6 };
        same(&w.refuses(draft, "counter").await?, &wanted, "the first counter is reported")?;
    }
    Ok(())
}
