//! Rule 3: how transfers resolve.

use super::draft::{available, capture, debt, deposit, forfeit, held, hold, owner, release, reverse, transfer};
use super::failure::{Checked, holds, same};
use super::world::World;
use crate::store::{Amount, House, Index, Place, Receipt, Row, Transfer, TransferKind};

fn moved(receipt: &Receipt) -> Vec<(i64, i64)> {
    receipt.transfers.iter().map(|t| (t.moved, t.rest)).collect()
}

async fn statement(w: &World, n: u8) -> Result<Vec<Transfer>, super::Failure> {
    let rows = w.all(&Index::Transfers(owner(n))).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| match row {
            Row::Transfer(transfer) => Some(transfer),
            Row::Record { .. } | Row::Head(..) | Row::Event(_) => None,
        })
        .collect())
}

pub(super) async fn rule_03_each_transfer_sees_the_earlier_ones(w: &mut World) -> Checked {
    let a = owner(1);
    let draft =
        w.draft().post(deposit(a, "d", 10)).post(hold(a, "h", 4)).post(capture(a, "c", 4)).post(forfeit(a, "f"));
    let receipt = w.done(draft).await?;
    same(&moved(&receipt), &vec![(10, 0), (4, 0), (4, 0), (6, 0)], "what moved")?;
    same(&w.money(a).await?, &(0, 0, 0), "the money")
}

pub(super) async fn rule_03_floors_are_judged_on_end_values(w: &mut World) -> Checked {
    let a = owner(1);
    // below zero in between, zero at the end
    w.done(w.draft().post(hold(a, "h", 10)).post(deposit(a, "d", 10))).await?;
    same(&w.money(a).await?, &(0, 10, 0), "the money")?;
    w.done(w.draft().post(capture(a, "c", 15)).post(deposit(a, "e", 6)).post(hold(a, "i", 6))).await?;
    same(&w.money(a).await?, &(0, 1, 0), "the money")?;
    // fine in between, below zero at the end
    let draft = w.draft().post(release(a, "r", 1)).post(hold(a, "j", 1)).post(hold(a, "k", 1));
    w.refuses(draft, "floor").await.map(drop)
}

pub(super) async fn rule_03_no_floor_gives_way(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 10)).post(hold(a, "h", 3))).await?;
    w.refuses(w.draft().post(hold(a, "x", 8)), "floor").await?;
    w.refuses(w.draft().post(capture(a, "x", 4)), "floor").await?;
    w.refuses(w.draft().post(release(a, "x", 4)), "floor").await?;
    let pay_no_debt = transfer("x", TransferKind::Adjust, available(a), debt(a), Amount::Exact(1));
    w.refuses(w.draft().post(pay_no_debt), "floor").await?;
    same(&w.money(a).await?, &(7, 3, 0), "the money")?;
    // exactly to the floor is fine
    w.done(w.draft().post(hold(a, "x", 7)).post(capture(a, "y", 10))).await?;
    same(&w.money(a).await?, &(0, 0, 0), "the money")
}

pub(super) async fn rule_03_house_accounts_have_no_floor(w: &mut World) -> Checked {
    let (from, to) = (House::revenue(), House::clearing("shop"));
    let post =
        transfer("p", TransferKind::Adjust, Place::House(from.clone()), Place::House(to.clone()), Amount::Exact(900));
    let receipt = w.done(w.draft().post(post)).await?;
    same(&receipt.transfers[0].number, &0, "no statement, no number")?;
    let totals = w.totals().await?;
    let line = totals.currencies.get(&crate::money::Currency::Idr).cloned().unwrap_or_default();
    same(&(line.house(&from), line.house(&to)), &(-900, 900), "the house")?;
    same(&(line.sum(), line.transfers), &(0, 1), "the sum and the number of transfers")
}

pub(super) async fn rule_03_all_moves_what_is_there(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 17)).post(hold(a, "h", 5))).await?;
    let receipt = w.done(w.draft().post(forfeit(a, "f"))).await?;
    same(&moved(&receipt), &vec![(12, 0)], "what moved")?;
    same(&w.money(a).await?, &(0, 5, 0), "the money")
}

pub(super) async fn rule_03_all_of_nothing_moves_nothing(w: &mut World) -> Checked {
    let a = owner(1);
    let receipt = w.done(w.draft().post(forfeit(a, "f"))).await?;
    same(&moved(&receipt), &vec![(0, 0)], "what moved")?;
    same(&receipt.transfers[0].number, &1, "it is a transfer all the same, with a number")?;
    let lines = statement(w, 1).await?;
    same(&lines.iter().map(|t| t.amount).collect::<Vec<_>>(), &vec![0], "the statement")?;
    w.refuses(w.draft().post(forfeit(a, "f")), "transfer_exists").await.map(drop)
}

pub(super) async fn rule_03_all_of_less_than_nothing_moves_nothing(w: &mut World) -> Checked {
    let a = owner(1);
    // the bucket is below zero when All comes to it, and made good later
    let draft = w.draft().post(hold(a, "h", 5)).post(forfeit(a, "f")).post(deposit(a, "d", 5));
    let receipt = w.done(draft).await?;
    same(&moved(&receipt), &vec![(5, 0), (0, 0), (5, 0)], "what moved")?;
    same(&w.money(a).await?, &(0, 5, 0), "the money")
}

pub(super) async fn rule_03_up_to_takes_the_remainder_from_rest(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 30))).await?;
    let receipt = w.done(w.draft().post(reverse(a, "r1", 20))).await?;
    same(&moved(&receipt), &vec![(20, 0)], "enough was there")?;
    let receipt = w.done(w.draft().post(reverse(a, "r2", 25))).await?;
    same(&moved(&receipt), &vec![(10, 15)], "part of it was there")?;
    let receipt = w.done(w.draft().post(reverse(a, "r3", 5))).await?;
    same(&moved(&receipt), &vec![(0, 5)], "nothing was there")?;
    same(&w.money(a).await?, &(0, 0, -20), "the money")?;
    let lines = statement(w, 1).await?;
    let rests: Vec<_> = lines.iter().map(|t| (t.amount, t.rest.clone())).collect();
    let wanted = vec![(30, None), (20, None), (25, Some((debt(a), 15))), (5, Some((debt(a), 5)))];
    same(&rests, &wanted, "the statement: what came to credit, and what of it from elsewhere")
}

pub(super) async fn rule_03_up_to_may_rest_on_a_house_account(w: &mut World) -> Checked {
    let a = owner(1);
    let promotions = Place::House(House("promotions".into()));
    w.done(w.draft().post(deposit(a, "d", 3))).await?;
    let amount = Amount::UpTo(10, promotions.clone());
    let post = transfer("p", TransferKind::Adjust, available(a), held(a), amount);
    let receipt = w.done(w.draft().post(post)).await?;
    same(&moved(&receipt), &vec![(3, 7)], "what moved")?;
    same(&w.money(a).await?, &(0, 10, 0), "the money")?;
    let totals = w.totals().await?;
    let line = totals.currencies.get(&crate::money::Currency::Idr).cloned().unwrap_or_default();
    same(&(line.house(&House("promotions".into())), line.sum()), &(-7, 0), "the house and the sum")
}

pub(super) async fn rule_03_debt_is_paid_and_never_overpaid(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(reverse(a, "r", 10))).await?;
    same(&w.money(a).await?, &(0, 0, -10), "the money")?;
    let pay = |id: &str, n| {
        let clearing = Place::House(House::clearing("host"));
        transfer(id, TransferKind::Deposit, clearing, debt(a), Amount::Exact(n))
    };
    w.refuses(w.draft().post(pay("p", 11)), "floor").await?;
    w.done(w.draft().post(pay("p", 10)).post(deposit(a, "d", 5))).await?;
    same(&w.money(a).await?, &(5, 0, 0), "the money")
}

pub(super) async fn rule_03_outcome_holds_what_moved_then(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "d", 8))).await?;
    let set = w.draft().post(reverse(a, "r", 10)).post(forfeit(a, "f")).seal();
    let first = w.commit(&set).await?;
    w.done(w.draft().post(deposit(a, "e", 100))).await?;
    let again = w.commit(&set).await?;
    holds(again.replayed, "sent again")?;
    same(&again.transfers, &first.transfers, "what is answered again")?;
    same(&moved(&again), &vec![(8, 2), (0, 0)], "what moved then, not what would move now")
}

pub(super) async fn rule_03_statement_has_the_balances_after_each(w: &mut World) -> Checked {
    let a = owner(1);
    let draft = w.draft().post(deposit(a, "1", 100)).post(hold(a, "2", 30)).post(hold(a, "3", 20));
    w.done(draft).await?;
    w.done(w.draft().post(release(a, "4", 30))).await?;
    w.done(w.draft().post(reverse(a, "5", 90)).post(capture(a, "6", 20))).await?;
    let lines: Vec<_> = statement(w, 1)
        .await?
        .iter()
        .filter_map(|t| t.entry.map(|e| (e.number, e.available, e.held, e.debt)))
        .collect();
    let wanted = vec![(1, 100, 0, 0), (2, 70, 30, 0), (3, 50, 50, 0), (4, 80, 20, 0), (5, 0, 20, -10), (6, 0, 0, -10)];
    same(&lines, &wanted, "number, available, held and debt after each transfer")
}

pub(super) async fn rule_03_statement_keeps_every_field(w: &mut World) -> Checked {
    let a = owner(1);
    let mut post = deposit(a, [0, 0xff, 0], 1 << 53);
    post.subject = "orden №7 «ß»".into();
    post.reason = "r".repeat(256);
    post.actor = String::new();
    let draft = w.draft().post(post.clone());
    w.done(draft).await?;
    let lines = statement(w, 1).await?;
    let wanted = Transfer {
        id: post.id,
        kind: post.kind,
        subject: post.subject,
        reason: post.reason,
        actor: post.actor,
        debit: post.debit,
        credit: post.credit,
        currency: post.currency,
        amount: 1 << 53,
        rest: None,
        time: super::draft::NOON,
        entry: Some(crate::store::StatementEntry { owner: a, number: 1, available: 1 << 53, held: 0, debt: 0 }),
    };
    same(&lines, &vec![wanted], "the transfer as it was posted")
}

pub(super) async fn rule_03_every_kind_and_place_comes_back(w: &mut World) -> Checked {
    let a = owner(1);
    w.done(w.draft().post(deposit(a, "money", 1_000)).post(hold(a, "held", 500))).await?;
    for (n, kind) in TransferKind::ALL.into_iter().enumerate() {
        let debit = if matches!(kind, TransferKind::Capture | TransferKind::Release) { held(a) } else { available(a) };
        let house = Place::House(House(format!("house:{n}")));
        w.done(w.draft().post(transfer([n as u8], kind, debit.clone(), house.clone(), Amount::Exact(1)))).await?;
        let last = statement(w, 1).await?.pop().map(|t| (t.kind, t.debit, t.credit));
        same(&last, &Some((kind, debit, house)), "the transfer")?;
    }
    Ok(())
}
