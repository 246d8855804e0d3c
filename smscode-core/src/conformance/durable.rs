//! Durable on return: what was answered is there after a crash.

use super::draft::{NOON, capture, deposit, hold, number, owner, record, release, reverse, transfer};
use super::failure::{Checked, holds, same};
use super::world::{World, same_picture};
use crate::money::Currency;
use crate::store::{Amount, Body, CounterKey, Expect, House, LoadKey, Place, TransferKind};

fn counter() -> CounterKey {
    CounterKey::of(owner(1), "n")
}

async fn some_of_all(w: &World) -> Checked {
    for n in 0..20_u8 {
        let a = owner(n % 3 + 1);
        let draft = w
            .draft()
            .outcome(number(u64::from(n)))
            .fresh(&record("order", n % 3, [n]), u64::from(n))
            .term("due", [n / 3])
            .term("phone", [0xff, n])
            .count(&counter(), 1, None)
            .append(a, u64::from(n))
            .post(deposit(a, [n, 1], 100))
            .post(hold(a, [n, 2], 10));
        w.done(draft).await?;
    }
    w.done(w.draft().post(capture(owner(1), "c", 10)).post(release(owner(2), "r", 10))).await?;
    w.done(w.draft().post(reverse(owner(3), "v", 5_000))).await.map(drop)
}

/// Reopens and compares everything that can be seen.
async fn same_after_reopen(w: &mut World) -> Checked {
    let before = w.picture().await?;
    w.reopen().await?;
    same_picture(&w.picture().await?, &before, "what is seen after the store was opened again")
}

pub(super) async fn durable_records_and_terms_survive(w: &mut World) -> Checked {
    some_of_all(w).await?;
    w.done(w.draft().delete(&record("order", 0, [3]), 3).over(&record("order", 1, [4]), 4, 40).term("due", "moved"))
        .await?;
    same_after_reopen(w).await?;
    same(&w.version(&record("order", 0, [3])).await?, &None, "what was deleted stays deleted")?;
    same(&w.version(&record("order", 1, [4])).await?, &Some(40), "what was written over")?;
    w.refuses(w.draft().over(&record("order", 1, [4]), 4, 41), "expectation").await?;
    w.done(w.draft().over(&record("order", 1, [4]), 40, 41)).await?;
    same_after_reopen(w).await
}

pub(super) async fn durable_money_and_numbers_go_on(w: &mut World) -> Checked {
    some_of_all(w).await?;
    let head = w.head(owner(1)).await?;
    same_after_reopen(w).await?;
    let receipt =
        w.done(w.draft().append(owner(1), 1).post(deposit(owner(1), "again", 1)).count(&counter(), 1, None)).await?;
    same(&receipt.events, &vec![head.last_event + 1], "the next event")?;
    same(&receipt.transfers[0].number, &(head.last_transfer + 1), "the next transfer")?;
    same(&receipt.counters, &vec![21], "the counter")?;
    w.refuses(w.draft().post(hold(owner(1), "too-much", 1_000_000)), "floor").await.map(drop)
}

pub(super) async fn durable_transfer_ids_stay_taken(w: &mut World) -> Checked {
    some_of_all(w).await?;
    let house = |name: &str| Place::House(House(name.into()));
    w.done(w.draft().post(transfer("between", TransferKind::Adjust, house("a"), house("b"), Amount::Exact(3)))).await?;
    w.reopen().await?;
    w.refuses(w.draft().post(release(owner(1), "c", 10)), "transfer_exists").await?;
    w.refuses(w.draft().post(capture(owner(2), "r", 10)), "transfer_exists").await?;
    w.refuses(w.draft().post(deposit(owner(1), "between", 1)), "transfer_exists").await.map(drop)
}

pub(super) async fn durable_replays_are_still_answered(w: &mut World) -> Checked {
    let set = w
        .draft()
        .outcome(Body::from_text("{\"t\":\"\u{2028} ж \u{1f600}\"}")?)
        .post(deposit(owner(1), "d", 7))
        .post(reverse(owner(1), "r", 9))
        .count(&counter(), 4, None)
        .append(owner(1), 1)
        .seal();
    let first = w.commit(&set).await?;
    for _ in 0..2 {
        w.reopen().await?;
        let again = w.commit(&set).await?;
        holds(again.replayed, "it is read back")?;
        same(&(&again.outcome, &again.transfers), &(&first.outcome, &first.transfers), "outcome and transfers")?;
        same(&(&again.events, &again.counters), &(&first.events, &first.counters), "events and counters")?;
    }
    same(&w.head(owner(1)).await?.last_event, &1, "events")
}

pub(super) async fn durable_old_operation_ids_are_forgotten(w: &mut World) -> Checked {
    let old = w.draft().append(owner(1), 1).seal();
    let young = w.draft().at(NOON.plus_seconds(48 * 3_600)).append(owner(1), 2).seal();
    w.commit(&old).await?;
    w.commit(&young).await?;
    w.reopen().await?;
    let late = NOON.plus_seconds(48 * 3_600 + 60);
    for _ in 0..2 {
        w.done(w.draft().at(late).append(owner(2), 1)).await?;
    }
    w.reopen().await?;
    holds(w.commit(&young).await?.replayed, "the young one is known")?;
    holds(!w.commit(&old).await?.replayed, "the old one is forgotten")
}

pub(super) async fn durable_house_sums_and_totals_survive(w: &mut World) -> Checked {
    some_of_all(w).await?;
    let before = w.totals().await?;
    w.reopen().await?;
    same(&w.totals().await?, &before, "totals")?;
    w.done(w.draft().post(hold(owner(1), "h", 5)).post(capture(owner(1), "hc", 5))).await?;
    let revenue =
        |totals: &crate::store::Totals| totals.currencies.get(&Currency::Idr).map(|l| l.house(&House::revenue()));
    let after = w.totals().await?;
    same(&revenue(&after), &revenue(&before).map(|n| n + 5), "revenue adds up on")?;
    holds(after.currencies.values().all(|line| line.sum() == 0), "the sum of all accounts is zero")
}

pub(super) async fn durable_refused_ones_leave_nothing(w: &mut World) -> Checked {
    some_of_all(w).await?;
    let before = w.picture().await?;
    let bad = w.draft().fresh(&record("order", 1, "bad"), 1).term("due", "bad").append(owner(1), 1);
    w.refuses(bad.post(hold(owner(1), "bad", 1_000_000)), "floor").await?;
    w.reopen().await?;
    same_picture(&w.picture().await?, &before, "what is seen after the store was opened again")
}

pub(super) async fn durable_families_stay_deleted(w: &mut World) -> Checked {
    let draft = (0..50_u8).fold(w.draft(), |draft, n| draft.fresh(&record("session", 1, [n]), 1).term("token", [n]));
    w.done(draft).await?;
    w.done(w.draft().delete_owned("session", owner(1)).fresh(&record("session", 1, "new"), 1).term("token", "n"))
        .await?;
    w.reopen().await?;
    let wanted = vec![record("session", 1, "new")];
    same(&(w.keys_of_kind("session").await?, w.keys("token").await?), &(wanted.clone(), wanted), "records and terms")
}

/// Every answer of a crowd is kept, right up to the last one before the crash.
pub(super) async fn durable_what_was_answered_is_there(w: &mut World) -> Checked {
    for round in 0..5_u8 {
        let drafts = (0..70_u8).map(|n| w.draft().fresh(&record("order", n, [round]), 1).append(owner(1), 1)).collect();
        let answers = w.together(drafts).await;
        w.reopen().await?;
        for (n, answer) in answers.iter().enumerate() {
            let there = w.version(&record("order", n as u8, [round])).await?.is_some();
            same(&there, &answer.is_ok(), "the answer and what is there")?;
        }
        same(&w.head(owner(1)).await?.last_event, &(70 * (u64::from(round) + 1)), "events")?;
    }
    Ok(())
}

/// A server of its own may still be at a commit whose process has gone: what is there is read in one view.
pub(super) async fn durable_commits_dropped_before_the_crash(w: &mut World) -> Checked {
    for n in 0..6_u8 {
        let key = record("order", 1, [n]);
        let set = w.draft().fresh(&key, 1).count(&counter(), 1, None).append(owner(1), 1).seal();
        {
            let store = w.store();
            let mut commit = store.commit(set.clone());
            super::rule_06::poll_once(&mut commit);
        }
        w.reopen().await?;
        let view =
            w.load(&[LoadKey::Record(key.clone()), LoadKey::Head(owner(1)), LoadKey::Counter(counter())]).await?;
        let came = u64::from(view.record(&key).is_some());
        let found = (view.counter(&counter()) as u64, view.head(owner(1)).last_event);
        same(&found, &(u64::from(n) + came, u64::from(n) + came), "whole or nothing")?;
        w.commit(&set).await?;
        let sent = u64::from(n) + 1;
        let found = (w.counter(&counter()).await? as u64, w.head(owner(1)).await?.last_event);
        same(&found, &(sent, sent), "sent again it is there once")?;
        same(&(w.keys_of_kind("order").await?.len() as u64), &sent, "records")?;
    }
    Ok(())
}

pub(super) async fn durable_hostile_keys_survive(w: &mut World) -> Checked {
    let ids: [Vec<u8>; 6] = [vec![], vec![0], vec![0xff], vec![0; 128], vec![0xff; 128], b"a\0b".to_vec()];
    let draft = ids.iter().fold(w.draft(), |draft, id| {
        let key = record("thing", 0xff, id.clone());
        draft.put(&key, Expect::Absent, u64::MAX, number(1)).term("due", id.clone()).term("due", vec![0xff; 128])
    });
    w.done(draft).await?;
    same_after_reopen(w).await
}

pub(super) async fn durable_an_empty_store_opens_again(w: &mut World) -> Checked {
    w.reopen().await?;
    w.reopen().await?;
    same(&w.totals().await?.currencies.len(), &0, "totals")?;
    w.done(w.draft().append(owner(1), 1)).await?;
    w.reopen().await?;
    same(&w.head(owner(1)).await?.last_event, &1, "events")
}
