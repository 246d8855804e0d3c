//! Rule 6: after `Unknown` the same ChangeSet is sent again, and dropped calls do no harm.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use futures_util::future::{join, join_all, maybe_done};

use super::draft::{deposit, owner, record};
use super::failure::{Checked, holds, same};
use super::world::{World, answered};
use crate::store::{ChangeSet, CounterKey, Expect, LoadKey};

fn counter() -> CounterKey {
    CounterKey::of(owner(1), "effects")
}

fn order(w: &World, n: u8) -> Arc<ChangeSet> {
    let set = w
        .draft()
        .fresh(&record("order", 1, [n]), 1)
        .term("due", [n])
        .count(&counter(), 1, None)
        .post(deposit(owner(1), [n], 10))
        .append(owner(1), 1)
        .seal();
    w.name(&set);
    set
}

/// Polls a call once; whether it is done. Nobody is woken: whoever goes on with the call polls it again.
pub(super) fn poll_once(call: &mut (impl Future + Unpin)) -> bool {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Starts a commit, polls it so many times, and drops it.
async fn start_and_drop(w: &World, set: &Arc<ChangeSet>, polls: usize) {
    let store = w.store();
    let mut commit = store.commit(set.clone());
    for _ in 0..polls {
        if poll_once(&mut commit) {
            break;
        }
        crate::store::let_others_run().await;
    }
}

pub(super) async fn rule_06_sent_at_once_many_times_it_happens_once(w: &mut World) -> Checked {
    let set = order(w, 1);
    let store = w.store();
    let answers = join_all((0..24).map(|_| store.commit(set.clone()))).await;
    answered(&answers, &[("done", 1), ("replayed", 23)], "done and replayed")?;
    let receipts: Vec<_> = answers.iter().flatten().map(|r| (&r.events, &r.transfers, &r.counters)).collect();
    holds(receipts.windows(2).all(|pair| pair[0] == pair[1]), "all callers get the same answer")?;
    same(&w.counter(&counter()).await?, &1, "effects")
}

pub(super) async fn rule_06_a_dropped_commit_is_whole_or_nothing(w: &mut World) -> Checked {
    let sets: Vec<_> = (0..12_u8).map(|n| order(w, n)).collect();
    for (n, set) in (0_u8..).zip(&sets) {
        start_and_drop(w, set, usize::from(n % 4)).await;
        // whatever was queued behind it is answered
        w.done(w.draft().append(owner(9), u64::from(n))).await?;
        let view = w.load(&[LoadKey::Head(owner(1)), LoadKey::Counter(counter())]).await?;
        let (head, counted) = (view.head(owner(1)), view.counter(&counter()) as u64);
        same(&(head.last_event, head.last_transfer), &(counted, counted), "all parts of it have come or none")?;
    }
    // lists are further views, and a store may still be at a dropped commit: sent again, all have ended
    for set in &sets {
        w.commit(set).await?;
    }
    let found = (w.counter(&counter()).await? as usize, w.keys_of_kind("order").await?.len());
    same(&found, &(sets.len(), sets.len()), "counter and records")?;
    same(&w.keys("due").await?.len(), &sets.len(), "terms")
}

pub(super) async fn rule_06_after_a_dropped_commit_it_is_sent_again(w: &mut World) -> Checked {
    for n in 0..12_u8 {
        let set = order(w, n);
        start_and_drop(w, &set, usize::from(n % 4)).await;
        w.commit(&set).await?;
        same(&w.counter(&counter()).await?, &(i64::from(n) + 1), "effects")?;
    }
    same(&w.head(owner(1)).await?.last_event, &12, "events")
}

pub(super) async fn rule_06_dropped_commits_hold_nobody_up(w: &mut World) -> Checked {
    // more dropped ones than a group holds, then one that waits
    for n in 0..150_u8 {
        start_and_drop(w, &order(w, n), 1).await;
    }
    w.done(w.draft().append(owner(2), 1)).await?;
    same(&w.head(owner(2)).await?.last_event, &1, "the event of the one that waited")
}

pub(super) async fn rule_06_a_caller_who_leaves_leaves_the_others_served(w: &mut World) -> Checked {
    for round in 0..8_u8 {
        let store = w.store();
        let stays = |n: u8| w.draft().append(owner(n), u64::from(round)).seal();
        let (leaving, one, other) = (order(w, 100 + round), stays(2), stays(3));
        // queued in this order; the one who leaves may be the one the store counts on to commit for all
        let mut first = store.commit(leaving);
        let (mut second, mut third) = (maybe_done(store.commit(one)), maybe_done(store.commit(other)));
        let gone = poll_once(&mut first);
        for _ in 0..=round % 3 {
            poll_once(&mut second);
        }
        if !gone && round >= 4 {
            poll_once(&mut third);
            poll_once(&mut first);
        }
        drop(first);
        join(&mut second, &mut third).await;
        let answers: Vec<_> =
            [Pin::new(&mut second).take_output(), Pin::new(&mut third).take_output()].into_iter().flatten().collect();
        answered(&answers, &[("done", 2)], "those who stay")?;
    }
    Ok(())
}

pub(super) async fn rule_06_dropped_reads_do_no_harm(w: &mut World) -> Checked {
    let key = record("order", 1, "a");
    w.done(w.draft().fresh(&key, 1)).await?;
    for _ in 0..20 {
        let store = w.store();
        let keys = [LoadKey::Record(key.clone())];
        poll_once(&mut store.load(&keys));
        poll_once(&mut store.totals());
    }
    w.done(w.draft().ensure(&key, Expect::Version(1)).append(owner(1), 1)).await.map(drop)
}
