//! Rule 7: what one view shows, and what a scan proves.

use futures_util::future::join;

use super::draft::{capture, deposit, free, hold, owner, record, release};
use super::failure::{Checked, holds, same};
use super::world::{World, answered, keys_of, times};
use crate::money::Currency;
use crate::store::{CounterKey, Expect, Index, Key, Kind, LoadKey, Owner, Range, let_others_run};

pub(super) async fn rule_07_a_scan_sees_every_commit_that_returned(w: &mut World) -> Checked {
    for n in 0..30_u8 {
        let key = record("order", n % 3, [n]);
        let draft = w.draft().fresh(&key, 1).term("due", [n]).append(owner(1), 1).post(deposit(owner(1), [n], 1));
        w.done(draft).await?;
        let wanted = usize::from(n) + 1;
        same(&w.keys("due").await?.len(), &wanted, "terms")?;
        same(&w.keys_of_kind("order").await?.len(), &wanted, "records")?;
        same(&w.all(&Index::Events(owner(1))).await?.len(), &wanted, "events")?;
        same(&w.all(&Index::Transfers(owner(1))).await?.len(), &wanted, "transfers")?;
        same(&w.head(owner(1)).await?.last_event, &(wanted as u64), "the head")?;
        let totals = w.totals().await?;
        same(&totals.currencies.get(&Currency::Idr).map(|line| line.transfers), &Some(wanted as u64), "totals")?;
    }
    Ok(())
}

pub(super) async fn rule_07_a_load_sees_every_commit_that_returned(w: &mut World) -> Checked {
    let key = free("thing", "a");
    let counter = CounterKey::of(Owner::NONE, "n");
    w.done(w.draft().fresh(&key, 0)).await?;
    for n in 1..30_u64 {
        w.done(w.draft().over(&key, n - 1, n).count(&counter, 1, None)).await?;
        same(&w.version(&key).await?, &Some(n), "the version")?;
        same(&w.counter(&counter).await?, &(n as i64), "the counter")?;
    }
    Ok(())
}

pub(super) async fn rule_07_a_load_is_one_view(w: &mut World) -> Checked {
    let (a, b) = (owner(1), owner(2));
    let key = record("order", 1, "step");
    let counter = CounterKey::of(a, "steps");
    w.done(w.draft().fresh(&key, 0).post(deposit(a, "a", 1_000)).post(deposit(b, "b", 1_000))).await?;
    let writer = async {
        for n in 1..=30_u64 {
            let id = |of: &str| format!("{of}{n}").into_bytes();
            let draft = w.draft().over(&key, n - 1, n).count(&counter, 1, None).append(a, n).append(b, n);
            let draft = match n % 3 {
                0 => draft.post(release(a, id("r"), 5)).post(release(b, id("s"), 5)),
                _ => draft.post(hold(a, id("h"), 5)).post(hold(b, id("i"), 5)),
            };
            w.done(draft).await?;
        }
        Ok(())
    };
    let keys = [LoadKey::Head(b), LoadKey::Record(key.clone()), LoadKey::Counter(counter.clone()), LoadKey::Head(a)];
    let reader = async {
        let mut last = 0;
        for _ in 0..150 {
            let_others_run().await;
            let view = w.load(&keys).await?;
            let (x, y) = (view.head(a), view.head(b));
            same(&(x.available + x.held, y.available + y.held), &(1_000, 1_000), "available and held together")?;
            same(&(x.held, x.last_event), &(y.held, y.last_event), "both accounts at the same step")?;
            let version = view.record(&key).map(|record| record.version);
            same(&version, &Some(x.last_event), "the record at the same step")?;
            same(&view.counter(&counter), &(x.last_event as i64), "the counter at the same step")?;
            holds(x.last_event >= last, "views do not go back in time")?;
            last = x.last_event;
        }
        Ok(())
    };
    let (wrote, read): (Checked, Checked) = join(writer, reader).await;
    wrote.and(read)
}

pub(super) async fn rule_07_totals_are_one_view(w: &mut World) -> Checked {
    let accounts: Vec<Owner> = (1..=6).map(owner).collect();
    let draft = accounts.iter().fold(w.draft(), |draft, a| draft.post(deposit(*a, a.0, 1_000)));
    w.done(draft).await?;
    let writer = async {
        for n in 0..30_u64 {
            let a = accounts[(n % 6) as usize];
            let id = |of: u8| [&[of][..], &n.to_be_bytes()].concat();
            w.done(w.draft().post(hold(a, id(1), 7))).await?;
            let closing = if n % 2 == 0 { capture(a, id(2), 7) } else { release(a, id(2), 7) };
            w.done(w.draft().post(closing)).await?;
        }
        Ok(())
    };
    let reader = async {
        for _ in 0..150 {
            let_others_run().await;
            let totals = w.totals().await?;
            let line = totals.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
            same(&line.sum(), &0, "the sum of all accounts, at every moment")?;
            same(&(line.held, i128::from(line.open_holds) * 7), &(line.held, line.held), "held and open holds")?;
            let closed = line.transfers - 6 - line.open_holds;
            same(&(closed % 2), &0, "each hold closed once")?;
        }
        Ok(())
    };
    let (wrote, read): (Checked, Checked) = join(writer, reader).await;
    wrote.and(read)
}

pub(super) async fn rule_07_a_page_is_one_view(w: &mut World) -> Checked {
    // every commit moves the record from one place to the other: a page has it once
    let key = free("thing", "a");
    w.done(w.draft().fresh(&key, 0).term("due", "b")).await?;
    let writer = async {
        for n in 1..=30_u64 {
            let at = if n % 2 == 0 { "b" } else { "a" };
            w.done(w.draft().over(&key, n - 1, n).term("due", at)).await?;
        }
        Ok(())
    };
    let reader = async {
        for _ in 0..100 {
            let_others_run().await;
            let page = w.store().scan(&Index::Term(Kind::of("due")), &Range::all(), None, 100).await?;
            same(&page.rows.len(), &1, "places of the record on one page")?;
            for row in page.rows {
                let at = row.cursor().position;
                if let crate::store::Row::Record { record, .. } = row {
                    let terms: Vec<_> = record.terms.iter().map(|term| term.at.clone()).collect();
                    same(&terms, &vec![at], "the row and the record of one moment")?;
                }
            }
        }
        Ok(())
    };
    let (wrote, read): (Checked, Checked) = join(writer, reader).await;
    wrote.and(read)
}

pub(super) async fn rule_07_one_version_has_one_successor(w: &mut World) -> Checked {
    let key = free("thing", "a");
    w.done(w.draft().fresh(&key, 0)).await?;
    for round in 0..5_u64 {
        let answers =
            w.together((0..20).map(|n| w.draft().over(&key, round * 100, (round + 1) * 100 + n)).collect()).await;
        answered(&answers, &[("done", 1), ("expectation", 19)], "winners and losers")?;
        let won = answers.iter().position(Result::is_ok).unwrap_or(0) as u64;
        let version = (round + 1) * 100 + won;
        same(&w.version(&key).await?, &Some(version), "the winner's version is there")?;
        w.done(w.draft().over(&key, version, (round + 1) * 100)).await?;
    }
    Ok(())
}

pub(super) async fn rule_07_a_condition_holds_at_the_commit(w: &mut World) -> Checked {
    // twenty writers Ensure a gate as open, one closes it: afterwards nobody comes in
    let gate = free("gate", "");
    w.done(w.draft().fresh(&gate, 1)).await?;
    let mut drafts: Vec<_> = (0..20_u8)
        .map(|n| w.draft().ensure(&gate, Expect::Version(1)).fresh(&record("order", 1, [n]), 1).term("due", [n]))
        .collect();
    drafts.insert(10, w.draft().over(&gate, 1, 2));
    let answers = w.together(drafts).await;
    let closed = answers.get(10).is_some_and(Result::is_ok);
    holds(closed, "the gate is closed: a condition does not block a write")?;
    let inside = w.keys("due").await?.len();
    same(&(times(&answers, "done") - 1), &inside, "who was told that he is in, is in")?;
    let late = w.draft().ensure(&gate, Expect::Version(1)).fresh(&record("order", 1, "late"), 1).term("due", "late");
    w.refuses(late, "expectation").await?;
    same(&w.keys("due").await?.len(), &inside, "behind the fence absence is proven")
}

pub(super) async fn rule_07_two_conditions_cannot_cross(w: &mut World) -> Checked {
    // write skew: each may be put only while the other is absent
    for n in 0..10_u8 {
        let (a, b) = (record("left", 1, [n]), record("right", 2, [n]));
        let left = w.draft().fresh(&a, 1).ensure(&b, Expect::Absent);
        let right = w.draft().fresh(&b, 1).ensure(&a, Expect::Absent);
        let answers = w.together(vec![left, right]).await;
        answered(&answers, &[("done", 1), ("expectation", 1)], "one of the two")?;
    }
    Ok(())
}

pub(super) async fn rule_07_reads_change_nothing(w: &mut World) -> Checked {
    let keys: Vec<Key> = vec![free("thing", "none"), record("order", 1, "none")];
    let wanted: Vec<_> = keys.iter().cloned().map(LoadKey::Record).chain([LoadKey::Head(owner(1))]).collect();
    w.load(&wanted).await?;
    w.totals().await?;
    for kind in ["thing", "order"] {
        same(&w.keys_of_kind(kind).await?.len(), &0, "records")?;
    }
    let rows = w.all(&Index::Heads).await?;
    same(&(rows.len(), keys_of(&rows).len()), &(0, 0), "heads")
}
