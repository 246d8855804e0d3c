//! Rule 4, counters: caps and budgets without a version.

use super::draft::owner;
use super::failure::{Checked, same};
use super::world::{World, answered};
use crate::store::{CounterKey, LoadKey, Refusal};

fn orders() -> CounterKey {
    CounterKey::of(owner(1), "open_orders")
}

pub(super) async fn rule_04_counts_in_parallel_do_not_conflict(w: &mut World) -> Checked {
    let answers = w.together((0..40).map(|_| w.draft().count(&orders(), 2, None)).collect()).await;
    answered(&answers, &[("done", 40)], "accepted")?;
    let mut values: Vec<i64> = answers.iter().flatten().flat_map(|r| r.counters.clone()).collect();
    values.sort_unstable();
    same(&values, &(1..=40).map(|n| n * 2).collect::<Vec<i64>>(), "values that were answered")?;
    same(&w.counter(&orders()).await?, &80, "the counter")
}

pub(super) async fn rule_04_a_cap_runs_out_exactly(w: &mut World) -> Checked {
    let answers = w.together((0..30).map(|_| w.draft().count(&orders(), 3, Some(31))).collect()).await;
    answered(&answers, &[("done", 10), ("counter", 20)], "accepted and refused")?;
    same(&w.counter(&orders()).await?, &30, "the counter")
}

pub(super) async fn rule_04_a_counter_is_never_below_zero(w: &mut World) -> Checked {
    let receipt = w.done(w.draft().count(&orders(), -5, None)).await?;
    same(&receipt.counters, &vec![0], "below zero is zero")?;
    w.done(w.draft().count(&orders(), 3, None)).await?;
    let receipt = w.done(w.draft().count(&orders(), -4, Some(1))).await?;
    same(&receipt.counters, &vec![0], "below zero is zero")?;
    let receipt = w.done(w.draft().count(&orders(), 2, Some(2))).await?;
    same(&receipt.counters, &vec![2], "it counts on from zero")
}

pub(super) async fn rule_04_a_cap_binds_only_what_is_added(w: &mut World) -> Checked {
    w.done(w.draft().count(&orders(), 10, None)).await?;
    // the cap was lowered meanwhile: giving back is always possible, adding nothing too
    let receipt = w.done(w.draft().count(&orders(), -3, Some(5))).await?;
    same(&receipt.counters, &vec![7], "given back above the cap")?;
    w.done(w.draft().count(&orders(), 0, Some(5))).await?;
    let refusal = w.refuses(w.draft().count(&orders(), 1, Some(5)), "counter").await?;
    let wanted = Refusal::Counter { counter: orders(), would_be: 8, max: 5 };
    same(&refusal, &wanted, "what is said of the cap")?;
    w.refuses(w.draft().count(&orders(), 1, Some(7)), "counter").await?;
    w.done(w.draft().count(&orders(), 1, Some(8))).await.map(drop)
}

pub(super) async fn rule_04_counts_of_one_change_set_see_each_other(w: &mut World) -> Checked {
    let draft = w.draft().count(&orders(), 2, Some(5)).count(&orders(), -4, None).count(&orders(), 5, Some(5));
    let receipt = w.done(draft).await?;
    same(&receipt.counters, &vec![2, 0, 5], "values in the order of the entries")?;
    // above the cap in between is above the cap
    w.refuses(w.draft().count(&orders(), 1, Some(5)).count(&orders(), -3, None), "counter").await?;
    let receipt = w.done(w.draft().count(&orders(), -3, None).count(&orders(), 1, Some(5))).await?;
    same(&receipt.counters, &vec![2, 3], "the other way round")
}

pub(super) async fn rule_04_counters_are_apart(w: &mut World) -> Checked {
    let counter =
        |n: u8, name: &str, period: &str| CounterKey { owner: owner(n), name: name.into(), period: period.into() };
    let long = "p".repeat(128);
    let counters = [
        counter(0, "a", ""),
        counter(1, "a", ""),
        counter(1, "a", "2026-11-22"),
        counter(1, "a2026-11-22", ""),
        counter(1, "a2", "026-11-22"),
        counter(1, "", "a"),
        counter(1, "", ""),
        counter(1, &long, &long),
        counter(1, "a b/c:ü", "ж"),
        counter(2, "a", ""),
    ];
    for (n, key) in counters.iter().enumerate() {
        let receipt = w.done(w.draft().count(key, n as i64 + 1, None)).await?;
        same(&receipt.counters, &vec![n as i64 + 1], "a counter that begins")?;
    }
    let keys: Vec<_> = counters.iter().cloned().map(LoadKey::Counter).collect();
    let view = w.load(&keys).await?;
    for (n, key) in counters.iter().enumerate() {
        same(&view.counter(key), &(n as i64 + 1), "a counter")?;
    }
    Ok(())
}

pub(super) async fn rule_04_counters_hold_large_values(w: &mut World) -> Checked {
    w.done(w.draft().count(&orders(), i64::MAX - 1, None)).await?;
    same(&w.counter(&orders()).await?, &(i64::MAX - 1), "the counter")?;
    let receipt = w.done(w.draft().count(&orders(), i64::MAX, None)).await?;
    same(&receipt.counters, &vec![i64::MAX], "it stops at the largest number")?;
    let receipt = w.done(w.draft().count(&orders(), i64::MIN, None)).await?;
    same(&receipt.counters, &vec![0], "the counter")
}
