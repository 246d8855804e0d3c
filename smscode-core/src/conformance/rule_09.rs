//! Rule 9: no clock, no chance; summed accounts are folded inside commits.

use super::draft::{NOON, capture, deposit, hold, owner, record, release, reverse};
use super::failure::{Checked, holds, same};
use super::world::{World, answered, same_picture};
use crate::money::Currency;
use crate::store::{CounterKey, House, Index, Row};
use crate::time::Timestamp;

pub(super) async fn rule_09_the_only_time_is_the_header(w: &mut World) -> Checked {
    let moments = [
        Timestamp::EPOCH,
        Timestamp(1),
        NOON,
        Timestamp(NOON.0 + 1),
        Timestamp::from_seconds(7_258_118_400), // the year 2200
        Timestamp::from_seconds(1_000_000_000),
    ];
    for (n, time) in moments.into_iter().enumerate() {
        let draft = w.draft().at(time).append(owner(1), 1).post(deposit(owner(1), [n as u8], 1));
        w.done(draft).await?;
    }
    let mut times = Vec::new();
    for index in [Index::Events(owner(1)), Index::Transfers(owner(1))] {
        for row in w.all(&index).await? {
            match row {
                Row::Event(event) => times.push(event.time),
                Row::Transfer(transfer) => times.push(transfer.time),
                Row::Record { .. } | Row::Head(..) => {}
            }
        }
    }
    same(&times, &[moments, moments].concat(), "times to the microsecond, in the order of the numbers")
}

/// Two stores that are given the same show the same, whatever the hour.
pub(super) async fn rule_09_the_same_commits_give_the_same_store(w: &mut World) -> Checked {
    let other = w.another().await;
    for world in [&*w, &other] {
        for n in 0..40_u8 {
            let a = owner(n % 3 + 1);
            let draft = world
                .draft()
                .fresh(&record("order", n % 3, [n]), u64::from(n))
                .term("due", [n / 4])
                .count(&CounterKey::of(a, "n"), i64::from(n % 5) - 2, Some(8))
                .post(deposit(a, [n], 10))
                .append(a, u64::from(n));
            let draft = if n % 4 == 3 { draft.post(reverse(a, [n, 1], 25)) } else { draft.post(hold(a, [n, 2], 3)) };
            drop(world.commit(&draft.seal()).await);
        }
    }
    let (one, two) = (w.picture().await?, other.picture().await?);
    same_picture(&one, &two, "two stores with the same commits")
}

pub(super) async fn rule_09_house_sums_are_right_at_every_moment(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 100_000))).await?;
    let mut revenue = 0;
    for n in 0..60_u8 {
        let amount = i64::from(n) + 1;
        w.done(w.draft().post(hold(a, [1, n], amount)).post(capture(a, [2, n], amount))).await?;
        revenue += i128::from(amount);
        if n % 7 == 0 {
            let totals = w.totals().await?;
            let line = totals.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
            same(&(line.house(&House::revenue()), line.sum()), &(revenue, 0), "revenue and the sum")?;
        }
    }
    let line = w.totals().await?.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
    same(&(line.house(&House::revenue()), line.sum()), &(revenue, 0), "revenue and the sum")
}

/// More lines than any bounded fold takes at once, from many accounts at the same time.
pub(super) async fn rule_09_a_busy_house_account_adds_up(w: &mut World) -> Checked {
    for round in 0..5_u8 {
        let drafts = (0..64_u8).map(|n| {
            let a = owner(n + 1);
            w.draft()
                .post(deposit(a, [round, n, 0], 20))
                .post(hold(a, [round, n, 1], 7))
                .post(capture(a, [round, n, 2], 7))
                .post(hold(a, [round, n, 3], 5))
                .post(release(a, [round, n, 4], 5))
        });
        let answers = w.together(drafts.collect()).await;
        answered(&answers, &[("done", 64)], "accepted")?;
    }
    let line = w.totals().await?.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
    same(&line.house(&House::revenue()), &(5 * 64 * 7), "revenue")?;
    same(&line.house(&House::clearing("host")), &(-5 * 64 * 20), "clearing")?;
    same(&(line.available, line.held, line.sum()), &(5 * 64 * 13, 0, 0), "customers and the sum")?;
    same(&(line.transfers, line.open_holds), &(5 * 64 * 5, 0), "transfers and open holds")
}

pub(super) async fn rule_09_house_accounts_are_apart(w: &mut World) -> Checked {
    let gateways = ["a", "b", "a b", "ä", "clearing", ""];
    for (n, gateway) in gateways.iter().enumerate() {
        let mut post = deposit(owner(1), [n as u8], 1 << n);
        post.debit = crate::store::Place::House(House::clearing(gateway));
        w.done(w.draft().post(post)).await?;
    }
    let line = w.totals().await?.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
    for (n, gateway) in gateways.iter().enumerate() {
        same(&line.house(&House::clearing(gateway)), &-(1 << n), "a house account")?;
    }
    holds(line.house.len() == gateways.len(), "no other house account")
}
