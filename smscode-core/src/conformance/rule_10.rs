//! Rule 10: groups, and two nodes.

use std::sync::Arc;

use futures_util::future::join_all;

use super::draft::{Draft, capture, deposit, free, hold, number, owner, record, release};
use super::failure::{Checked, holds, same};
use super::world::{World, answered, is_answered, list, times};
use crate::store::{ChangeSet, CounterKey, Expect, Index, Kind, LoadKey, Range, Receipt, Store, StoreError};

pub(super) async fn rule_10_one_that_fails_does_not_fail_the_others(w: &mut World) -> Checked {
    let there = free("thing", "there");
    w.done(w.draft().fresh(&there, 1)).await?;
    let spoil: [fn(Draft) -> Draft; 5] = [
        |d| d.ensure(&free("thing", "there"), Expect::Absent),
        |d| d.post(hold(owner(7), "h", 1)),
        |d| d.count(&CounterKey::of(owner(7), "n"), 2, Some(1)),
        |d| d.ensure(&free("thing", [0; 129]), Expect::Absent),
        |d| d.ensure(&free("NO", ""), Expect::Absent),
    ];
    let drafts = (0..63_u8)
        .map(|n| {
            let draft = w.draft().outcome(number(u64::from(n))).fresh(&record("order", 1, [n]), 1).term("due", [n]);
            let draft = draft.count(&CounterKey::of(owner(1), "n"), 1, None).append(owner(1), u64::from(n));
            if n % 3 == 1 { spoil[usize::from(n / 3) % 5](draft) } else { draft }
        })
        .collect();
    let answers = w.together(drafts).await;
    let codes = ["expectation", "floor", "counter", "limit", "malformed"];
    for (n, answer) in answers.iter().enumerate() {
        let wanted = if n % 3 == 1 { codes[n / 3 % 5] } else { "done" };
        is_answered(answer, wanted, &format!("the answer to number {n}"))?;
        if let Ok(receipt) = answer {
            same(&receipt.outcome, &number(n as u64), "each gets his own answer")?;
        }
    }
    same(&w.keys("due").await?.len(), &42, "records")?;
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &42, "the counter")?;
    same(&w.head(owner(1)).await?.last_event, &42, "events")
}

pub(super) async fn rule_10_twins_in_one_group(w: &mut World) -> Checked {
    let draft = w.draft().count(&CounterKey::of(owner(1), "n"), 1, None).append(owner(1), 1);
    let other = draft.clone().append(owner(1), 2);
    let drafts = vec![draft.clone(), draft.clone(), other, draft];
    let answers = w.together(drafts).await;
    // whoever came first decides what the id means
    let reused = if times(&answers, "replayed") == 0 { 3 } else { 1 };
    let wanted = [("done", 1), ("replayed", 3 - reused), ("operation_reused", reused)];
    answered(&answers, &wanted, "the twins replay, the other content is refused")?;
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &1, "the counter")
}

pub(super) async fn rule_10_one_absent_key_has_one_winner(w: &mut World) -> Checked {
    for round in 0..4_u8 {
        let claim = free("claim", [round]);
        let drafts = (0..16)
            .map(|n| w.draft().fresh(&claim, n).append(owner(1), n).post(deposit(owner(1), [round, n as u8], 5)));
        let answers = w.together(drafts.collect()).await;
        answered(&answers, &[("done", 1), ("expectation", 15)], "winners and losers")?;
        let won = answers.iter().position(Result::is_ok).map(|n| n as u64);
        same(&w.version(&claim).await?, &won, "the winner's record is there")?;
    }
    let head = w.head(owner(1)).await?;
    same(&(head.available, head.last_event, head.last_transfer), &(20, 4, 4), "what came with the winners")
}

pub(super) async fn rule_10_one_closing_wins(w: &mut World) -> Checked {
    let a = owner(1);
    for round in 0..6_u8 {
        w.done(w.draft().post(deposit(a, [1, round], 10)).post(hold(a, [2, round], 10))).await?;
        let drafts = (0..9_u8).map(|n| {
            let id = [3, round];
            w.draft().post(if n % 2 == 0 { capture(a, id, 10) } else { release(a, id, 10) })
        });
        let answers = w.together(drafts.collect()).await;
        answered(&answers, &[("done", 1), ("transfer_exists", 8)], "one closing")?;
        same(&w.money(a).await?.1, &0, "held")?;
    }
    Ok(())
}

/// Later members see what earlier ones did: a chain that only goes through in its order.
pub(super) async fn rule_10_members_see_the_earlier_ones(w: &mut World) -> Checked {
    let key = record("order", 1, "chain");
    let first = w.draft().fresh(&key, 0).term("due", "0").count(&CounterKey::of(owner(1), "n"), 1, Some(40));
    let links = (1..40_u64).map(|n| {
        let draft = w.draft().over(&key, n - 1, n).term("due", n.to_string()).term("step", [n as u8]);
        draft.count(&CounterKey::of(owner(1), "n"), 1, Some(40))
    });
    let answers = w.together([first].into_iter().chain(links).collect()).await;
    let done = times(&answers, "done");
    answered(&answers, &[("done", done), ("expectation", 40 - done)], "the others found another version")?;
    holds(done >= 1, "the first link goes through")?;
    let last = done as u64 - 1;
    same(&w.version(&key).await?, &Some(last), "the last link that went through")?;
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &(done as i64), "the counter")?;
    let places: Vec<_> = w.all(&Index::Term(Kind::of("due"))).await?.iter().map(|row| row.cursor().position).collect();
    same(&places, &vec![last.to_string().into_bytes()], "only the last link's place is left")?;
    same(&w.keys("step").await?.len(), &usize::from(last > 0), "only the last link's place is left")
}

pub(super) async fn rule_10_put_and_deleted_in_one_group(w: &mut World) -> Checked {
    for round in 0..6_u8 {
        let key = record("order", 1, [round]);
        let answers = w
            .together(vec![
                w.draft().fresh(&key, 1).term("due", [round]),
                w.draft().over(&key, 1, 2).term("due", [round, 2]).term("state", [round]),
                w.draft().delete(&key, 2),
                w.draft().fresh(&key, 3).term("phone", [round]),
            ])
            .await;
        // in any order, what is answered and what is there agree
        let there = w.record(&key).await?;
        let mut terms = 0;
        for index in ["due", "state", "phone"] {
            terms += w.keys(index).await?.iter().filter(|found| **found == key).count();
        }
        same(&terms, &there.as_ref().map_or(0, |record| record.terms.len()), "places and the record's terms")?;
        if answers.iter().all(Result::is_ok) {
            same(&there.map(|record| record.version), &Some(3), "one after another")?;
        }
        let clear = w.version(&key).await?;
        if let Some(version) = clear {
            w.done(w.draft().delete(&key, version)).await?;
        }
    }
    same(&w.keys_of_kind("order").await?.len(), &0, "records")
}

pub(super) async fn rule_10_a_family_deleted_and_joined_in_one_group(w: &mut World) -> Checked {
    for round in 0..8_u8 {
        let old = record("session", 1, [round, 0]);
        w.done(w.draft().fresh(&old, 1).term("token", [round, 0])).await?;
        let new = record("session", 1, [round, 1]);
        let join = w.draft().fresh(&new, 1).term("token", [round, 1]).append(owner(1), 1);
        let leave = w.draft().delete_owned("session", owner(1)).append(owner(1), 2);
        let drafts = if round % 2 == 0 { vec![join, leave] } else { vec![leave, join] };
        let answers = w.together(drafts).await;
        answered(&answers, &[("done", 2)], "both go through")?;
        // the event numbers say which came first
        let number = |n: usize| answers.get(n).and_then(|a| a.as_ref().ok()).and_then(|r| r.events.first().copied());
        let joined = usize::from(round % 2 != 0);
        let wanted = if number(joined) > number(1 - joined) { vec![new] } else { vec![] };
        same(&w.keys_of_kind("session").await?, &wanted, "the family")?;
        same(&w.keys("token").await?, &wanted, "its terms")?;
        w.done(w.draft().delete_owned("session", owner(1))).await?;
    }
    Ok(())
}

pub(super) async fn rule_10_groups_of_one_take_the_same_way(w: &mut World) -> Checked {
    holds(w.group_max() >= 1, "a group has a member")?;
    let max = w.store().describe().await?.group_max;
    holds(max >= 1 && max <= w.group_max(), "the store keeps to the group size it was opened with")?;
    // alone, then together: the same answers
    let alone = w.commit(&w.draft().append(owner(1), 1).count(&CounterKey::of(owner(1), "n"), 1, None).seal()).await?;
    let answers =
        w.together(vec![w.draft().append(owner(2), 1).count(&CounterKey::of(owner(2), "n"), 1, None); 1]).await;
    for answer in answers {
        same(&answer?, &alone, "the receipt")?;
    }
    Ok(())
}

pub(super) async fn rule_10_more_than_a_group_waits(w: &mut World) -> Checked {
    let answers = w.together((0..300_u64).map(|n| w.draft().outcome(number(n)).append(owner(1), n)).collect()).await;
    for (n, answer) in answers.iter().enumerate() {
        let outcome = answer.as_ref().map(|receipt| receipt.outcome.clone());
        same(&outcome, &Ok(number(n as u64)), "each is answered with his own outcome")?;
    }
    same(&w.all(&Index::Events(owner(1))).await?.len(), &300, "events")
}

pub(super) async fn rule_10_large_members(w: &mut World) -> Checked {
    // a group need not fit into what a single ChangeSet may hold
    let body = || crate::store::Body::from_stored(format!("\"{}\"", "b".repeat(60_000)).as_bytes());
    let draft =
        |n: u8| (0..8_u8).fold(w.draft(), |draft, m| draft.put(&record("blob", n, [m]), Expect::Absent, 1, body()));
    let answers = w.together((0..8).map(draft).collect()).await;
    answered(&answers, &[("done", 8)], "accepted")?;
    let rows = w.list(&Index::Kind(Kind::of("blob")), &Range::all(), 10).await?;
    same(&rows.len(), &64, "records")
}

async fn both(
    stores: &[Arc<dyn Store>; 2],
    sets: impl Iterator<Item = Arc<ChangeSet>>,
) -> Vec<Result<Receipt, StoreError>> {
    join_all(sets.enumerate().map(|(n, set)| stores[n % 2].commit(set))).await
}

pub(super) async fn rule_10_a_second_node_sees_what_returned(w: &mut World) -> Checked {
    let stores = [w.store(), w.second().await?];
    for n in 0..20_u8 {
        // each writes in turn, the other reads
        let (writes, reads) = (usize::from(n % 2), &*stores[usize::from((n + 1) % 2)]);
        let key = record("order", 1, [n]);
        let draft = w.draft().fresh(&key, 1).term("due", [n]).append(owner(1), 1).post(deposit(owner(1), [n], 1));
        let receipt = stores[writes].commit(draft.seal()).await?;
        same(&receipt.events, &vec![u64::from(n) + 1], "the event's number goes on from the other's")?;
        let view = reads.load(&[LoadKey::Record(key.clone()), LoadKey::Head(owner(1))]).await?;
        same(&view.record(&key).map(|r| r.version), &Some(1), "the record")?;
        let head = view.head(owner(1));
        same(&(head.last_event, head.available), &(u64::from(n) + 1, i64::from(n) + 1), "the head")?;
        let rows = list(reads, &Index::Term(Kind::of("due")), &Range::all(), 3).await?;
        same(&rows.len(), &(usize::from(n) + 1), "the list")?;
        let transfers: u64 = reads.totals().await?.currencies.values().map(|line| line.transfers).sum();
        same(&transfers, &(u64::from(n) + 1), "the totals")?;
    }
    Ok(())
}

pub(super) async fn rule_10_twins_at_two_nodes_have_one_winner(w: &mut World) -> Checked {
    let stores = [w.store(), w.second().await?];
    for round in 0..10_u8 {
        let set = w.draft().count(&CounterKey::of(owner(1), "n"), 1, None).append(owner(1), 1).seal();
        let answers = both(&stores, (0..8).map(|_| set.clone())).await;
        answered(&answers, &[("done", 1), ("replayed", 7)], "one operation id")?;
        let claim = free("claim", [round]);
        let answers = both(&stores, (0..8).map(|n| w.draft().fresh(&claim, n).seal())).await;
        answered(&answers, &[("done", 1), ("expectation", 7)], "one absent key")?;
        let answers = both(&stores, (0..8).map(|_| w.draft().post(deposit(owner(1), [round], 5)).seal())).await;
        answered(&answers, &[("done", 1), ("transfer_exists", 7)], "one transfer id")?;
    }
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &10, "effects")?;
    same(&w.money(owner(1)).await?, &(50, 0, 0), "the money")
}

pub(super) async fn rule_10_two_nodes_share_money_and_caps(w: &mut World) -> Checked {
    let (a, cap) = (owner(1), CounterKey::of(owner(1), "cap"));
    let stores = [w.store(), w.second().await?];
    w.done(w.draft().post(deposit(a, "d", 100))).await?;
    let answers = both(&stores, (0..40_u8).map(|n| w.draft().post(hold(a, [n], 10)).append(a, 1).seal())).await;
    answered(&answers, &[("done", 10), ("floor", 30)], "holds")?;
    let answers = both(&stores, (0..40).map(|_| w.draft().count(&cap, 1, Some(15)).append(a, 2).seal())).await;
    answered(&answers, &[("done", 15), ("counter", 25)], "counts")?;
    let head = w.head(a).await?;
    same(&(head.available, head.held, head.last_event), &(0, 100, 25), "the head")?;
    same(&w.all(&Index::Events(a)).await?.len(), &25, "events without a gap")?;
    same(&w.totals().await?.currencies.values().map(crate::store::CurrencyTotals::sum).sum::<i128>(), &0, "the sum")
}

/// A ChangeSet that names rows of every sort; `turned`, in the opposite order.
fn crossing(w: &World, turned: bool, entries: impl Fn(Draft, u8) -> Draft) -> Arc<ChangeSet> {
    let order: [u8; 4] = if turned { [3, 2, 1, 0] } else { [0, 1, 2, 3] };
    order.into_iter().fold(w.draft(), entries).seal()
}

/// Two nodes name the same rows in opposite orders, again and again. Whoever locks rows in the order of the entries, or
/// inserts new keys in it, comes to a standstill here; giving up is no answer.
pub(super) async fn rule_10_crossed_locks_all_end(w: &mut World) -> Checked {
    let stores = [w.store(), w.second().await?];
    let counter = |n: u8| CounterKey::of(owner(n), "n");
    let fresh = |n: u8| record("order", n, "o");
    w.done((0..4).fold(w.draft(), |draft, n| draft.fresh(&fresh(n), 0))).await?;
    for round in 0..25_u8 {
        // no conflict: money, counters, events of four accounts
        let sets = (0..12_u8).map(|m| {
            crossing(w, m % 2 == 1, |draft, n| {
                draft.post(deposit(owner(n + 1), [round, m, n], 1)).count(&counter(n), 1, None).append(owner(n + 1), 1)
            })
        });
        let answers = both(&stores, sets).await;
        answered(&answers, &[("done", 12)], "accepted")?;
        // one winner: the same versions, the same new keys, the same transfer ids
        let version = u64::from(round);
        let sets = (0..8).map(|m| crossing(w, m % 2 == 1, |draft, n| draft.over(&fresh(n), version, version + 1)));
        let answers = both(&stores, sets).await;
        answered(&answers, &[("done", 1), ("expectation", 7)], "over one version")?;
        let sets = (0..8).map(|m| crossing(w, m % 2 == 1, |draft, n| draft.fresh(&free("claim", [round, n]), m)));
        let answers = both(&stores, sets).await;
        answered(&answers, &[("done", 1), ("expectation", 7)], "at absent keys")?;
        let sets = (0..8).map(|m| crossing(w, m % 2 == 1, |d, n| d.post(deposit(owner(n + 1), [round, n], 1))));
        let answers = both(&stores, sets).await;
        answered(&answers, &[("done", 1), ("transfer_exists", 7)], "at transfer ids")?;
    }
    for n in 0..4 {
        let head = w.head(owner(n + 1)).await?;
        same(&(head.available, head.last_event), &(25 * 13, 25 * 12), "what was accepted is there, once")?;
        same(&w.counter(&counter(n)).await?, &(25 * 12), "the counter")?;
    }
    Ok(())
}
