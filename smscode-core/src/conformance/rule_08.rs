//! Rule 8: limits, each at the limit and one beyond.

use super::draft::{Draft, deposit, free, number, owner, record, transfer};
use super::failure::{Checked, holds, same};
use super::world::{World, answered};
use crate::store::limits::{
    AMOUNT_MAX, ENTRIES_MAX, KEY_PART_BYTES_MAX, LOAD_KEYS_MAX, TERMS_MAX, TRANSFER_TEXT_BYTES_MAX,
};
use crate::store::{Amount, Body, CounterKey, Expect, House, Index, Key, Kind, LoadKey, Place, Refusal, TransferKind};

/// What is at the limit is accepted; what is beyond is refused with the sizes and a word of advice.
async fn at_and_beyond(w: &World, max: usize, draft: impl Fn(Draft, usize) -> Draft) -> Checked {
    w.done(draft(w.draft(), max)).await?;
    let beyond = draft(w.draft(), max + 1);
    match w.refuses(beyond, "limit").await? {
        Refusal::Limit { found, max: said, advice, what } => {
            same(&(found, said), &(max + 1, max), "what is said of the limit")?;
            holds(!advice.is_empty() && !what.is_empty(), "the refusal says what is too large and what to do")
        }
        other => Err(super::Failure::new(format!("refused with {other:?}"))),
    }
}

pub(super) async fn rule_08_entries_1024(w: &mut World) -> Checked {
    at_and_beyond(w, ENTRIES_MAX, |draft, n| {
        (0..n).fold(draft, |draft, _| draft.ensure(&free("thing", "none"), Expect::Absent))
    })
    .await
}

pub(super) async fn rule_08_entries_1024_that_write(w: &mut World) -> Checked {
    let draft = (0..1_024_u16).fold(w.draft(), |draft, n| match n % 4 {
        0 => draft.fresh(&record("order", 1, n.to_be_bytes()), 1).term("due", n.to_be_bytes()),
        1 => draft.append(owner(1), u64::from(n)),
        2 => draft.post(deposit(owner(1), n.to_be_bytes(), 1)),
        _ => draft.count(&CounterKey::of(owner(1), "n"), 1, None),
    });
    w.done(draft).await?;
    let head = w.head(owner(1)).await?;
    same(&(head.available, head.last_transfer, head.last_event), &(256, 256, 256), "the head")?;
    same(&w.counter(&CounterKey::of(owner(1), "n")).await?, &256, "the counter")?;
    same(&w.keys("due").await?.len(), &256, "records")
}

/// Sixteen documents of 64 KiB are a MiB, without room for their keys.
pub(super) async fn rule_08_bytes_1_mib(w: &mut World) -> Checked {
    let body = |bytes: usize| Body::from_stored(format!("\"{}\"", "b".repeat(bytes - 2)).as_bytes());
    let puts = |last: usize| {
        (0..16_u8).fold(w.draft(), |draft, n| {
            let bytes = if n == 15 { last } else { 64 << 10 };
            draft.put(&record("blob", 1, [n]), Expect::Absent, 1, body(bytes))
        })
    };
    match w.refuses(puts(64 << 10), "limit").await? {
        Refusal::Limit { max, advice, .. } => {
            same(&max, &(1 << 20), "the limit")?;
            holds(!advice.is_empty(), "it says how to split")?;
        }
        other => return Err(super::Failure::new(format!("refused with {other:?}"))),
    }
    same(&w.keys_of_kind("blob").await?.len(), &0, "records")?;
    // with a KiB left for the keys it fits
    w.done(puts(63 << 10)).await?;
    let rows = w.all(&Index::Kind(Kind::of("blob"))).await?;
    same(&rows.len(), &16, "records")
}

pub(super) async fn rule_08_bodies_64_kib(w: &mut World) -> Checked {
    let body = |bytes: usize| Body::from_stored(format!("\"{}\"", "b".repeat(bytes - 2)).as_bytes());
    let max = 64 << 10;
    at_and_beyond(w, max, |draft, n| draft.put(&free("thing", n.to_string()), Expect::Absent, 1, body(n))).await?;
    at_and_beyond(w, max, |draft, n| draft.with(crate::store::Entry::Append { owner: owner(1), body: body(n) }))
        .await?;
    at_and_beyond(w, max, |draft, n| draft.outcome(body(n))).await
}

pub(super) async fn rule_08_key_parts_128_bytes(w: &mut World) -> Checked {
    let max = KEY_PART_BYTES_MAX;
    at_and_beyond(w, max, |draft, n| draft.fresh(&free("thing", vec![0xff; n]), 1)).await?;
    at_and_beyond(w, max, |draft, n| draft.ensure(&free("thing", vec![b'e'; n]), Expect::Absent)).await?;
    let kind = |n: usize| Kind::read(&"k".repeat(n));
    at_and_beyond(w, max, |draft, n| draft.fresh(&Key::owned(kind(n), owner(1), "a"), 1)).await?;
    at_and_beyond(w, max, |draft, n| draft.with(crate::store::Entry::DeleteOwned { kind: kind(n), owner: owner(1) }))
        .await?;
    let wide = Key::owned(kind(128), owner(1), vec![7; 128]);
    w.done(w.draft().fresh(&wide, 5).term("due", vec![9; 128])).await?;
    same(&w.version(&wide).await?, &Some(5), "a record with all parts at the limit")?;
    same(&w.keys("due").await?, &vec![wide], "its place")
}

pub(super) async fn rule_08_terms_128_bytes_and_16(w: &mut World) -> Checked {
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| {
        draft.fresh(&free("thing", n.to_string()), 1).term("due", vec![1; n])
    })
    .await?;
    at_and_beyond(w, TERMS_MAX, |draft, n| {
        (0..n).fold(draft.fresh(&free("many", n.to_string()), 1), |draft, at| draft.term("state", [at as u8]))
    })
    .await?;
    same(&w.keys("state").await?.len(), &16, "places of one record")
}

pub(super) async fn rule_08_transfer_ids_and_texts(w: &mut World) -> Checked {
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| draft.post(deposit(owner(1), vec![1; n], 1))).await?;
    for part in 0..3_u8 {
        at_and_beyond(w, TRANSFER_TEXT_BYTES_MAX, |draft, n| {
            let mut post = deposit(owner(1), [part, n as u8], 1);
            let text = "t".repeat(n);
            match part {
                0 => post.subject = text,
                1 => post.reason = text,
                _ => post.actor = text,
            }
            draft.post(post)
        })
        .await?;
    }
    // counted in bytes, not in letters
    let mut post = deposit(owner(1), "bytes", 1);
    post.subject = "ж".repeat(129);
    w.refuses(w.draft().post(post), "limit").await.map(drop)
}

pub(super) async fn rule_08_house_names_128_bytes(w: &mut World) -> Checked {
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| {
        let house = Place::House(House("h".repeat(n)));
        let to = super::draft::available(owner(1));
        draft.post(transfer([n as u8], TransferKind::Deposit, house, to, Amount::Exact(5)))
    })
    .await?;
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| {
        let rest = Place::House(House("r".repeat(n)));
        let (from, to) = (super::draft::available(owner(1)), super::draft::held(owner(1)));
        draft.post(transfer([1, n as u8], TransferKind::Adjust, from, to, Amount::UpTo(9, rest)))
    })
    .await
}

pub(super) async fn rule_08_counter_names_128_bytes(w: &mut World) -> Checked {
    let counter =
        |name: usize, period: usize| CounterKey { owner: owner(1), name: "n".repeat(name), period: "p".repeat(period) };
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| draft.count(&counter(n, 1), 1, None)).await?;
    at_and_beyond(w, KEY_PART_BYTES_MAX, |draft, n| draft.count(&counter(1, n), 1, None)).await
}

pub(super) async fn rule_08_amounts_2_to_the_53(w: &mut World) -> Checked {
    let a = owner(1);
    for (n, code) in
        [(0, "malformed"), (-1, "floor"), (AMOUNT_MAX + 1, "floor"), (i64::MAX, "floor"), (i64::MIN, "floor")]
    {
        w.refuses(w.draft().post(deposit(a, "d", n)), code).await?;
    }
    let house = |name: &str| Place::House(House(name.into()));
    let between = |id: &str, n| transfer(id, TransferKind::Adjust, house("a"), house("b"), Amount::Exact(n));
    for n in [0, -1, AMOUNT_MAX + 1, i64::MAX, i64::MIN] {
        w.refuses(w.draft().post(between("x", n)), "malformed").await?;
    }
    w.done(w.draft().post(between("x", AMOUNT_MAX))).await?;
    w.done(w.draft().post(deposit(a, "d", AMOUNT_MAX))).await?;
    same(&w.money(a).await?.0, &AMOUNT_MAX, "the money")?;
    w.refuses(w.draft().post(deposit(a, "e", 1)), "floor").await?;
    same(&w.totals().await?.currencies.values().map(crate::store::CurrencyTotals::sum).sum::<i128>(), &0, "the sum")
}

/// However much is moved at once: sums do not leave their integers, the sum of all accounts stays zero.
pub(super) async fn rule_08_amounts_of_a_change_set_together(w: &mut World) -> Checked {
    let house = |name: &str| Place::House(House(name.into()));
    let between = |id: Vec<u8>, n| transfer(id, TransferKind::Adjust, house("a"), house("b"), Amount::Exact(n));
    let many = (0..1_024_u16).fold(w.draft(), |draft, n| draft.post(between(n.to_be_bytes().into(), AMOUNT_MAX)));
    w.refuses(many, "limit").await?;
    let two = |n: i64| w.draft().post(between(vec![1], AMOUNT_MAX - 1)).post(between(vec![2], n));
    w.refuses(two(2), "limit").await?;
    w.done(two(1)).await?;
    let answers = w.together((0..64_u8).map(|n| w.draft().post(between(vec![9, n], AMOUNT_MAX))).collect()).await;
    answered(&answers, &[("done", 64)], "accepted")?;
    let totals = w.totals().await?;
    let line = totals.currencies.values().next().cloned().unwrap_or_default();
    let wanted = i128::from(AMOUNT_MAX) * 65;
    same(&(line.house(&House("b".into())), line.sum()), &(wanted, 0), "the house and the sum")
}

pub(super) async fn rule_08_delete_owned_1024(w: &mut World) -> Checked {
    let key = |n: u16| record("session", 1, n.to_be_bytes());
    let all = (0..1_024).fold(w.draft(), |draft, n| draft.fresh(&key(n), 1).term("token", n.to_be_bytes()));
    w.done(all).await?;
    w.done(w.draft().fresh(&key(5_000), 1)).await?;
    w.refuses(w.draft().delete_owned("session", owner(1)), "limit").await?;
    same(&w.keys_of_kind("session").await?.len(), &1_025, "records")?;
    w.done(w.draft().delete(&key(5_000), 1)).await?;
    w.done(w.draft().delete_owned("session", owner(1))).await?;
    same(&(w.keys_of_kind("session").await?.len(), w.keys("token").await?.len()), &(0, 0), "records and terms")
}

pub(super) async fn rule_08_load_2048_keys(w: &mut World) -> Checked {
    let key = |n: u16| free("thing", n.to_be_bytes());
    for half in 0..2 {
        let draft = (half * 1_024..(half + 1) * 1_024).fold(w.draft(), |draft, n| draft.fresh(&key(n), u64::from(n)));
        w.done(draft).await?;
    }
    let keys: Vec<_> = (0..2_049).map(|n| LoadKey::Record(key(n))).collect();
    same(&keys.len(), &(LOAD_KEYS_MAX + 1), "one beyond the limit")?;
    match w.store().load(&keys).await {
        Err(crate::store::StoreError::Refused(Refusal::Limit { found, max, advice, .. })) => {
            same(&(found, max), &(2_049, 2_048), "what is said of the limit")?;
            holds(!advice.is_empty(), "it says what to do")?;
        }
        other => return Err(super::Failure::new(format!("2,049 keys: {:?}", other.err()))),
    }
    let view = w.load(&keys[..2_048]).await?;
    for n in 0..2_048 {
        same(&view.record(&key(n)).map(|r| r.version), &Some(u64::from(n)), "a record of 2,048")?;
        same(&view.record(&key(n)).map(|r| r.body.clone()), &Some(number(u64::from(n))), "its body")?;
    }
    Ok(())
}
