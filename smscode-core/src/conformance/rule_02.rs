//! Rule 2: all or nothing.

use super::draft::{Draft, capture, deposit, free, hold, number, owner, record};
use super::failure::{Checked, holds, same};
use super::world::{World, same_picture};
use crate::money::Currency;
use crate::store::{CounterKey, Expect, Index, Kind, LoadKey, Range, Row};

fn counter() -> CounterKey {
    CounterKey::of(owner(1), "open_orders")
}

/// Something of every sort, so that a trace of any sort would be seen.
fn everything(draft: Draft) -> Draft {
    draft
        .fresh(&record("order", 1, "new"), 11)
        .term("due", "now")
        .over(&record("order", 1, "old"), 1, 12)
        .term("due", "later")
        .delete(&record("order", 1, "gone"), 1)
        .delete_owned("session", owner(1))
        .count(&counter(), 1, Some(100))
        .post(deposit(owner(1), "more", 7))
        .post(hold(owner(1), "held", 3))
        .append(owner(1), 99)
}

async fn prepared(w: &World) -> Checked {
    let draft = w
        .draft()
        .fresh(&record("order", 1, "old"), 1)
        .term("due", "old")
        .fresh(&record("order", 1, "gone"), 1)
        .term("due", "gone")
        .fresh(&record("session", 1, "s"), 1)
        .term("token", "s")
        .count(&counter(), 4, None)
        .post(deposit(owner(1), "first", 50))
        .append(owner(1), 1);
    w.done(draft).await.map(drop)
}

pub(super) async fn rule_02_an_accepted_one_is_there_as_a_whole(w: &mut World) -> Checked {
    prepared(w).await?;
    let receipt = w.done(everything(w.draft()).outcome(number(7))).await?;
    same(&receipt.outcome, &number(7), "the outcome")?;
    same(&receipt.events, &vec![2], "the event's number")?;
    same(&receipt.counters, &vec![5], "the counter")?;
    let numbers: Vec<_> = receipt.transfers.iter().map(|t| (t.moved, t.rest, t.number)).collect();
    same(&numbers, &vec![(7, 0, 2), (3, 0, 3)], "the transfers")?;
    let old = w.record(&record("order", 1, "old")).await?;
    same(&old.as_ref().map(|r| r.version), &Some(12), "the version put")?;
    same(&old.map(|r| r.body), &Some(number(12)), "the body put")?;
    same(&w.version(&record("order", 1, "new")).await?, &Some(11), "the record that is new")?;
    same(&w.version(&record("order", 1, "gone")).await?, &None, "the record deleted")?;
    same(&w.version(&record("session", 1, "s")).await?, &None, "the family deleted")?;
    same(&w.money(owner(1)).await?, &(54, 3, 0), "the money")?;
    same(&w.counter(&counter()).await?, &5, "the counter")?;
    same(&w.keys("token").await?.len(), &0, "terms of the family")?;
    let due = w.keys("due").await?;
    same(&due, &vec![record("order", 1, "old"), record("order", 1, "new")], "the terms")
}

/// Each refusal, hung onto a ChangeSet that is fine otherwise, leaves no trace.
async fn leaves_no_trace(w: &World, code: &str, spoil: impl Fn(Draft) -> Draft) -> Checked {
    prepared(w).await?;
    let good = everything(w.draft()).seal();
    w.name(&good);
    w.name(&spoil(w.draft()).seal());
    let before = w.picture().await?;
    w.refuses(spoil(everything(w.draft())), code).await?;
    w.refuses(everything(spoil(w.draft())), code).await?;
    same_picture(&w.picture().await?, &before, "what is seen after a refusal")?;
    // numbers, ids and versions are free: the same without the flaw goes through and is numbered on
    let receipt = w.commit(&good).await?;
    same(&receipt.events, &vec![2], "the next event")?;
    same(&receipt.transfers.iter().map(|t| t.number).collect::<Vec<_>>(), &vec![2, 3], "the next transfers")?;
    same(&receipt.counters, &vec![5], "the counter")
}

pub(super) async fn rule_02_expectation_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "expectation", |d| d.ensure(&free("zzz", "none"), Expect::Version(1))).await
}

pub(super) async fn rule_02_transfer_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "transfer_exists", |d| d.post(deposit(owner(9), "first", 1))).await
}

pub(super) async fn rule_02_floor_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "floor", |d| d.post(capture(owner(9), "c9", 1))).await
}

pub(super) async fn rule_02_currency_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "currency", |d| {
        let mut post = deposit(owner(1), "usd", 1);
        post.currency = Currency::Usd;
        d.post(post)
    })
    .await
}

pub(super) async fn rule_02_counter_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "counter", |d| d.count(&CounterKey::of(owner(2), "z"), 2, Some(1))).await
}

pub(super) async fn rule_02_limit_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "limit", |d| d.ensure(&free("zzz", [1; 129]), Expect::Absent)).await
}

pub(super) async fn rule_02_malformed_refused_leaves_no_trace(w: &mut World) -> Checked {
    leaves_no_trace(w, "malformed", |d| d.ensure(&free("No Kind", ""), Expect::Absent)).await
}

pub(super) async fn rule_02_reused_operation_leaves_no_trace(w: &mut World) -> Checked {
    prepared(w).await?;
    let first = w.draft();
    w.done(first.clone()).await?;
    w.name(&everything(w.draft()).seal());
    let before = w.picture().await?;
    w.refuses(everything(first), "operation_reused").await?;
    same_picture(&w.picture().await?, &before, "what is seen after a refusal")
}

pub(super) async fn rule_02_refused_operation_id_is_free(w: &mut World) -> Checked {
    let draft = w.draft();
    w.refuses(draft.clone().post(hold(owner(1), "h", 1)), "floor").await?;
    w.done(draft.post(deposit(owner(1), "d", 1))).await.map(drop)
}

pub(super) async fn rule_02_refused_first_touch_makes_no_head(w: &mut World) -> Checked {
    w.refuses(w.draft().append(owner(5), 1).post(hold(owner(5), "h", 1)), "floor").await?;
    let head = w.head(owner(5)).await?;
    same(&(head.currency, head.last_event, head.last_transfer), &(None, 0, 0), "the head of an account never touched")?;
    same(&w.all(&Index::Heads).await?.len(), &0, "heads")?;
    same(&w.totals().await?.currencies.len(), &0, "currencies in the totals")
}

pub(super) async fn rule_02_put_replaces_the_whole_record(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    let long = crate::store::Body::from_stored(format!("{{\"long\":\"{}\"}}", "x".repeat(9_000)).as_bytes());
    w.done(w.draft().put(&key, Expect::Absent, 1, long).term("due", "1")).await?;
    w.done(w.draft().over(&key, 1, 2)).await?;
    let record = w.record(&key).await?;
    same(&record.as_ref().map(|r| &r.body), &Some(&number(2)), "the body")?;
    same(&record.map(|r| r.terms.len()), &Some(0), "the terms")
}

pub(super) async fn rule_02_delete_makes_room(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    for round in 0..3 {
        w.done(w.draft().fresh(&key, round).term("due", [round as u8])).await?;
        w.refuses(w.draft().fresh(&key, 77), "expectation").await?;
        w.done(w.draft().delete(&key, round)).await?;
        same(&w.version(&key).await?, &None, "the record deleted")?;
    }
    same(&w.keys("due").await?.len(), &0, "terms")?;
    same(&w.keys_of_kind("order").await?.len(), &0, "records of the kind")
}

pub(super) async fn rule_02_versions_use_all_64_bits(w: &mut World) -> Checked {
    let key = free("thing", "v");
    let versions = [0, 1, u64::from(u32::MAX), i64::MAX as u64, 1 << 63, u64::MAX];
    let mut expect = Expect::Absent;
    for version in versions {
        w.done(w.draft().put(&key, expect, version, number(version))).await?;
        same(&w.version(&key).await?, &Some(version), "the version")?;
        expect = Expect::Version(version);
    }
    w.refuses(w.draft().over(&key, u64::MAX - 1, 5), "expectation").await.map(drop)
}

pub(super) async fn rule_02_ids_are_any_bytes(w: &mut World) -> Checked {
    let ids: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0, 0],
        vec![0, 1],
        vec![0, 0xff],
        b"a".to_vec(),
        b"a\0".to_vec(),
        b"a\0b".to_vec(),
        b"a\x01".to_vec(),
        b"ab".to_vec(),
        vec![0xc3, 0x28],
        "\u{2028}".into(),
        vec![0xff],
        vec![0xff; 128],
    ];
    let draft = ids.iter().enumerate().rev().fold(w.draft(), |draft, (n, id)| {
        draft.fresh(&record("thing", 1, id.clone()), n as u64).term("by_id", id.clone())
    });
    w.done(draft).await?;
    for (n, id) in ids.iter().enumerate() {
        same(&w.version(&record("thing", 1, id.clone())).await?, &Some(n as u64), "the record of an id")?;
        same(&w.version(&record("thing", 2, id.clone())).await?, &None, "the same id of another owner")?;
    }
    let wanted: Vec<_> = ids.iter().map(|id| record("thing", 1, id.clone())).collect();
    same(&w.keys_of_kind("thing").await?, &wanted, "ids in the order of their bytes")?;
    same(&w.keys("by_id").await?, &wanted, "terms in the order of their bytes")
}

pub(super) async fn rule_02_an_empty_change_set_is_accepted(w: &mut World) -> Checked {
    let receipt = w.done(w.draft()).await?;
    same(&(receipt.transfers.len(), receipt.events.len(), receipt.counters.len()), &(0, 0, 0), "the receipt of nothing")
}

pub(super) async fn rule_02_a_view_never_shows_half(w: &mut World) -> Checked {
    // one commit moves a token from one record to the other; every view has exactly one of the two
    let (a, b) = (free("thing", "a"), record("thing", 1, "b"));
    w.done(w.draft().fresh(&a, 0).term("token", "t")).await?;
    let writer = async {
        for n in 0..20 {
            let (from, to) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
            w.done(w.draft().delete(from, n).fresh(to, n + 1).term("token", "t")).await?;
        }
        Ok(())
    };
    let keys = [LoadKey::Record(a.clone()), LoadKey::Record(b.clone())];
    let reader = async {
        for _ in 0..60 {
            crate::store::let_others_run().await;
            let view = w.load(&keys).await?;
            let there = [&a, &b].into_iter().filter(|key| view.record(key).is_some()).count();
            same(&there, &1, "records in one view")?;
            let rows = w.store().scan(&Index::Term(Kind::of("token")), &Range::all(), None, 10).await?.rows;
            same(&rows.len(), &1, "rows on one page")?;
            holds(matches!(rows[0], Row::Record { .. }), "a row of terms is a record")?;
        }
        Ok(())
    };
    let (wrote, read): (Checked, Checked) = futures_util::future::join(writer, reader).await;
    wrote.and(read)
}

pub(super) async fn rule_02_money_follows_the_records(w: &mut World) -> Checked {
    // an order that is refused for its record takes no money, and the other way round
    let key = record("order", 1, "o");
    w.done(w.draft().post(deposit(owner(1), "d", 10)).fresh(&key, 1)).await?;
    w.refuses(w.draft().fresh(&key, 2).post(hold(owner(1), "h", 4)), "expectation").await?;
    same(&w.money(owner(1)).await?, &(10, 0, 0), "the money")?;
    w.refuses(w.draft().over(&key, 1, 2).post(hold(owner(1), "h", 40)), "floor").await?;
    same(&w.version(&key).await?, &Some(1), "the record")
}
