//! Rule 4: money carries no version; a transfer id exists once; numbers have no gaps.

use super::draft::{capture, deposit, hold, owner, release, reverse, transfer};
use super::failure::{Checked, holds, same};
use super::world::{World, answered};
use crate::money::Currency;
use crate::store::{Amount, House, Index, Place, Row, TransferKind};

pub(super) async fn rule_04_deposits_in_parallel_do_not_conflict(w: &mut World) -> Checked {
    let a = owner(1);
    let answers = w.together((0..40_u8).map(|n| w.draft().post(deposit(a, [n], 5))).collect()).await;
    answered(&answers, &[("done", 40)], "accepted")?;
    same(&w.money(a).await?, &(200, 0, 0), "the money")?;
    let mut numbers: Vec<u64> = answers.iter().flatten().flat_map(|r| r.transfers.iter().map(|t| t.number)).collect();
    numbers.sort_unstable();
    same(&numbers, &(1..=40).collect::<Vec<u64>>(), "numbers that were answered")
}

pub(super) async fn rule_04_money_runs_out_exactly(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 57))).await?;
    let answers = w.together((0..20_u8).map(|n| w.draft().post(hold(a, [n], 10))).collect()).await;
    answered(&answers, &[("done", 5), ("floor", 15)], "accepted and refused")?;
    same(&w.money(a).await?, &(7, 50, 0), "the money")
}

pub(super) async fn rule_04_holds_and_closings_at_once(w: &mut World) -> Checked {
    let a = owner(1);
    let holds = (0..10_u8).fold(w.draft().post(deposit(a, "d", 100)), |draft, n| draft.post(hold(a, [n], 10)));
    w.done(holds).await?;
    let close = |n: u8, twice: u8| {
        let id = [b'c', n];
        let post = if n % 2 == twice { capture(a, id, 10) } else { release(a, id, 10) };
        w.draft().post(post)
    };
    let answers = w.together((0..20).map(|n| close(n / 2, n % 2)).collect()).await;
    answered(&answers, &[("done", 10), ("transfer_exists", 10)], "each hold is closed once")?;
    let (available, held, _) = w.money(a).await?;
    same(&held, &0, "held")?;
    let totals = w.totals().await?;
    let line = totals.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
    same(&(line.house(&House::revenue()) + i128::from(available), line.open_holds), &(100, 0), "all of it is somewhere")
}

pub(super) async fn rule_04_a_transfer_id_exists_once(w: &mut World) -> Checked {
    let (a, b) = (owner(1), owner(2));
    w.done(w.draft().post(deposit(a, "t", 5))).await?;
    w.refuses(w.draft().post(deposit(a, "t", 5)), "transfer_exists").await?;
    w.refuses(w.draft().post(deposit(b, "t", 5)), "transfer_exists").await?;
    let house = |name: &str| Place::House(House(name.into()));
    let between = transfer("t", TransferKind::Adjust, house("a"), house("b"), Amount::Exact(1));
    w.refuses(w.draft().post(between.clone()), "transfer_exists").await?;
    // an id taken by a transfer between house accounts is taken too
    let mut other = between;
    other.id.0 = b"u".to_vec();
    w.done(w.draft().post(other)).await?;
    w.refuses(w.draft().post(deposit(a, "u", 5)), "transfer_exists").await.map(drop)
}

pub(super) async fn rule_04_a_transfer_id_once_in_a_change_set(w: &mut World) -> Checked {
    let a = owner(1);
    w.refuses(w.draft().post(deposit(a, "t", 5)).post(deposit(a, "t", 5)), "transfer_exists").await?;
    w.refuses(w.draft().post(deposit(a, "t", 5)).post(deposit(owner(2), "t", 5)), "transfer_exists").await?;
    w.done(w.draft().post(deposit(a, "t", 5))).await.map(drop)
}

pub(super) async fn rule_04_transfer_ids_are_any_bytes(w: &mut World) -> Checked {
    let ids: Vec<Vec<u8>> =
        vec![vec![], vec![0], vec![0, 0], b"a".to_vec(), b"a\0".to_vec(), vec![0xff; 128], vec![0xff; 127]];
    for id in &ids {
        w.done(w.draft().post(deposit(owner(1), id.clone(), 1))).await?;
    }
    for id in &ids {
        w.refuses(w.draft().post(deposit(owner(1), id.clone(), 1)), "transfer_exists").await?;
    }
    same(&w.money(owner(1)).await?.0, &(ids.len() as i64), "the money")
}

pub(super) async fn rule_04_capture_and_release_are_twins(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 20)).post(hold(a, "h1", 10)).post(hold(a, "h2", 10))).await?;
    w.done(w.draft().post(capture(a, "close:1", 10))).await?;
    w.refuses(w.draft().post(release(a, "close:1", 10)), "transfer_exists").await?;
    w.done(w.draft().post(release(a, "close:2", 10))).await?;
    w.refuses(w.draft().post(capture(a, "close:2", 10)), "transfer_exists").await?;
    same(&w.money(a).await?, &(10, 0, 0), "the money")
}

pub(super) async fn rule_04_a_refused_transfer_leaves_its_id(w: &mut World) -> Checked {
    let a = owner(1);
    w.refuses(w.draft().post(hold(a, "h", 5)), "floor").await?;
    w.done(w.draft().post(deposit(a, "d", 5))).await?;
    let receipt = w.done(w.draft().post(hold(a, "h", 5))).await?;
    same(&receipt.transfers[0].number, &2, "numbered without a gap")
}

pub(super) async fn rule_04_accounts_are_numbered_apart(w: &mut World) -> Checked {
    for round in 1..=3_u8 {
        for n in 1..=3_u8 {
            let draft = w.draft().post(deposit(owner(n), [round, n], 1)).append(owner(n), 1).append(owner(n), 2);
            let receipt = w.done(draft).await?;
            same(&receipt.transfers[0].number, &u64::from(round), "the transfer's number")?;
            same(&receipt.events, &vec![u64::from(round) * 2 - 1, u64::from(round) * 2], "the events' numbers")?;
        }
    }
    for n in 1..=3 {
        let head = w.head(owner(n)).await?;
        same(&(head.last_transfer, head.last_event), &(3, 6), "the newest numbers")?;
        same(&w.all(&Index::Transfers(owner(n))).await?.len(), &3, "transfers")?;
        same(&w.all(&Index::Events(owner(n))).await?.len(), &6, "events")?;
    }
    Ok(())
}

pub(super) async fn rule_04_events_in_the_order_of_entries(w: &mut World) -> Checked {
    let draft = (1..=50).fold(w.draft(), |draft, n| draft.append(owner(1), n).append(owner(2), 100 + n));
    let receipt = w.done(draft).await?;
    let wanted: Vec<u64> = (1..=50).flat_map(|n| [n, n]).collect();
    same(&receipt.events, &wanted, "numbers in the order of the entries")?;
    for (account, base) in [(1, 0), (2, 100)] {
        for (n, row) in w.all(&Index::Events(owner(account))).await?.into_iter().enumerate() {
            let Row::Event(event) = row else {
                return Err(super::Failure::new("a list of events gives events"));
            };
            let n = n as u64 + 1;
            same(&(event.number, event.owner), &(n, owner(account)), "number and owner")?;
            same(&event.body, &super::draft::number(base + n), "the event")?;
        }
    }
    Ok(())
}

pub(super) async fn rule_04_events_in_parallel_have_no_gap(w: &mut World) -> Checked {
    let answers = w
        .together(
            (0..50_u64)
                .map(|n| {
                    let draft = w.draft().append(owner(1), n);
                    if n % 5 == 4 { draft.post(hold(owner(2), n.to_be_bytes(), 1)) } else { draft.append(owner(1), n) }
                })
                .collect(),
        )
        .await;
    let mut numbers: Vec<u64> = answers.iter().flatten().flat_map(|r| r.events.clone()).collect();
    numbers.sort_unstable();
    same(&numbers, &(1..=80).collect::<Vec<u64>>(), "numbers that were answered")?;
    same(&w.all(&Index::Events(owner(1))).await?.len(), &80, "events")
}

pub(super) async fn rule_04_events_alone_have_no_currency(w: &mut World) -> Checked {
    w.done(w.draft().append(owner(1), 1)).await?;
    let head = w.head(owner(1)).await?;
    same(&(head.currency, head.last_event), &(None, 1), "the head")?;
    let mut post = deposit(owner(1), "d", 3);
    post.currency = Currency::Rub;
    w.done(w.draft().post(post)).await?;
    let head = w.head(owner(1)).await?;
    same(&(head.currency, head.last_event, head.available), &(Some(Currency::Rub), 1, 3), "the head")
}

pub(super) async fn rule_04_the_first_transfer_fixes_the_currency(w: &mut World) -> Checked {
    let a = owner(1);
    for (n, currency) in Currency::ALL.into_iter().enumerate() {
        let account = owner(n as u8 + 10);
        for other in Currency::ALL {
            let mut post = deposit(account, [n as u8, other as u8], 1);
            post.currency = currency;
            w.done(w.draft().post(post.clone())).await?;
            if other != currency {
                post.id.0.push(1);
                post.currency = other;
                w.refuses(w.draft().post(post), "currency").await?;
            }
        }
    }
    // two currencies in the first ChangeSet
    let mut usd = deposit(a, "u", 1);
    usd.currency = Currency::Usd;
    w.refuses(w.draft().post(deposit(a, "i", 1)).post(usd.clone()), "currency").await?;
    w.done(w.draft().post(usd)).await?;
    same(&w.head(a).await?.currency, &Some(Currency::Usd), "the currency")
}

pub(super) async fn rule_04_totals_add_up_per_currency(w: &mut World) -> Checked {
    for (n, currency) in Currency::ALL.into_iter().enumerate() {
        let account = owner(n as u8 + 1);
        let base = (n as i64 + 1) * 100;
        let posts = [
            deposit(account, [1, n as u8], base),
            hold(account, [2, n as u8], 30),
            hold(account, [3, n as u8], 20),
            hold(account, [4, n as u8], 10),
            capture(account, [5, n as u8], 30),
            release(account, [6, n as u8], 20),
        ];
        for mut post in posts {
            post.currency = currency;
            w.done(w.draft().post(post)).await?;
        }
        let totals = w.totals().await?;
        same(&totals.currencies.len(), &(n + 1), "currencies")?;
        let line = totals.currencies.get(&currency).cloned().unwrap_or_default();
        let base = i128::from(base);
        same(&(line.available, line.held, line.debt), &(base - 40, 10, 0), "customers")?;
        same(&line.house(&House::revenue()), &30, "revenue")?;
        same(&line.house(&House::clearing("host")), &(-base), "clearing")?;
        same(&(line.transfers, line.open_holds, line.sum()), &(6, 1, 0), "transfers, open holds and the sum")?;
    }
    Ok(())
}

pub(super) async fn rule_04_totals_count_debt(w: &mut World) -> Checked {
    w.done(w.draft().post(deposit(owner(1), "d1", 10)).post(deposit(owner(2), "d2", 10))).await?;
    w.done(w.draft().post(reverse(owner(1), "r1", 25)).post(reverse(owner(2), "r2", 13))).await?;
    let line = w.totals().await?.currencies.get(&Currency::Idr).cloned().unwrap_or_default();
    same(&(line.available, line.held, line.debt), &(0, 0, -18), "customers")?;
    same(&(line.house(&House::clearing("host")), line.sum()), &(18, 0), "clearing and the sum")
}

pub(super) async fn rule_04_open_holds_follow_holds_and_closings(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 100))).await?;
    let open = async || {
        let totals = w.totals().await?;
        Ok::<_, super::Failure>(totals.currencies.get(&Currency::Idr).map_or(0, |line| line.open_holds))
    };
    for n in 1..=4_u8 {
        w.done(w.draft().post(hold(a, [n], 10))).await?;
        same(&open().await?, &u64::from(n), "open holds")?;
    }
    w.done(w.draft().post(capture(a, "c1", 10)).post(release(a, "c2", 10))).await?;
    same(&open().await?, &2, "open holds")?;
    w.done(w.draft().post(hold(a, "h", 5)).post(release(a, "c3", 5))).await?;
    same(&open().await?, &2, "opened and closed in one")?;
    w.refuses(w.draft().post(hold(a, "x", 10_000)), "floor").await?;
    w.refuses(w.draft().post(release(a, "c1", 10)), "transfer_exists").await?;
    same(&open().await?, &2, "open holds after refusals")?;
    holds(w.totals().await?.currencies.values().all(|line| line.sum() == 0), "the sum of all accounts is zero")
}
