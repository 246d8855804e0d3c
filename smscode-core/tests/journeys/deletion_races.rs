//! A1 and A3 at the same instant as everything else: one conditional write decides, and nobody reads what came after it.

use std::collections::BTreeMap;

use smscode_core::money::{Currency, Money};
use smscode_core::order::{PlaceOrders, State};
use smscode_core::port::CancelOutcome;
use smscode_core::store::TransferKind::{Capture, Deposit, Forfeit, Hold, Release};

use crate::races::{Dice, wait};
use crate::support::{Buy, MONEY, PRICE, World, books};

const LATE: i64 = 5_000;

/// One order that is being decided, and one that is being placed, while the account is deleted. What is there afterwards
/// is whatever each kind of end counts.
async fn race(seed: u64) -> (World, Vec<&'static str>) {
    let mut dice = Dice(seed.wrapping_mul(91).wrapping_add(17));
    let world = World::hurried(seed).await;
    let (platform, account) = (&world.platform, world.account);
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    match dice.roll(4) {
        0 => world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::NotOpen),
        1 => world.supplier().plan([Buy::SellSilently]),
        2 => world.supplier().plan([Buy::Silence]),
        _ => {}
    }
    if dice.roll(2) == 0 {
        world.supplier().deliver(&phone, None, "Your code is 415127");
    }
    world.clock.advance(i64::try_from(dice.roll(3) * 8).unwrap()).await;
    let waits: Vec<u64> = (0..7).map(|_| dice.roll(120)).collect();
    let deletes = async {
        wait(waits[0]).await;
        platform.delete_account(account).await.unwrap();
        // from here on, whatever still happens
        for _ in 0..200 {
            assert_eq!(platform.order(account, order.id).await.unwrap_err().code(), "not_found", "seed {seed}");
            assert_eq!(platform.balance(account).await.unwrap_err().code(), "not_found", "seed {seed}");
            tokio::task::yield_now().await;
        }
    };
    let again = async {
        wait(waits[1]).await;
        if waits[1].is_multiple_of(3) {
            platform.delete_account(account).await.unwrap();
        }
    };
    let sms = async {
        wait(waits[2]).await;
        if waits[2].is_multiple_of(2) {
            world.supplier().deliver(&phone, None, "Your code is 999999");
        }
    };
    let cancels = async {
        wait(waits[3]).await;
        waits[3].is_multiple_of(2) && world.cancel(order.id).await.is_ok()
    };
    let finishes = async {
        wait(waits[4]).await;
        waits[4].is_multiple_of(2) && world.finish(order.id).await.is_ok()
    };
    let deposits = async {
        wait(waits[5]).await;
        platform.deposit(account, Money::new(LATE, Currency::Idr), "late").await.is_ok()
    };
    let places = async {
        wait(waits[6]).await;
        let wanted = PlaceOrders { quantity: 3, ..World::whatsapp() };
        world.place_orders(wanted).await.is_ok()
    };
    let clock = async {
        wait(waits[6] % 20).await;
        world.clock.step(8, 500).await;
    };
    let (_, (), (), cancelled, finished, deposited, placed, ()) =
        tokio::join!(deletes, again, sms, cancels, finishes, deposits, places, clock);
    world.clock.step(290, 5_000).await;
    world.assert_gone().await;

    // to the unit: everything that came in was paid for or forfeited
    let transfers = books::transfers(&*world.store, account).await;
    let sum = |kind| transfers.iter().filter(|t| t.kind == kind).map(|t| t.amount).sum::<i64>();
    let came = MONEY + if deposited { LATE } else { 0 };
    assert_eq!(sum(Deposit), came, "seed {seed}: a deposit that was refused is not in the books");
    assert_eq!(sum(Capture) + sum(Forfeit), came, "seed {seed}");
    assert_eq!(sum(Hold), sum(Capture) + sum(Release), "seed {seed}");
    let stored = world.stored(order.id).await;
    assert!(!cancelled || stored.state == State::Cancelled, "seed {seed}: told that it was cancelled");
    assert!(!finished || stored.state == State::Completed, "seed {seed}: told that it was finished");
    assert_eq!(sum(Hold) % PRICE, 0);
    world.assert_balanced().await;
    let orders = books::orders(&*world.store, account).await;
    let mut seen: Vec<&'static str> = orders.iter().map(|(_, order)| order.state.word()).collect();
    for (name, was) in [("deposited", deposited), ("cancel ok", cancelled), ("finish ok", finished), ("placed", placed)]
    {
        if was {
            seen.push(name);
        }
    }
    if orders.len() == 4 && !placed {
        seen.push("placed and not shown");
    }
    if sum(Forfeit) > transfers.iter().filter(|t| t.subject == "account").map(|t| t.amount).sum() {
        seen.push("released and forfeited");
    }
    (world, seen)
}

#[tokio::test]
async fn a1_a3_deletion_at_the_same_instant_as_everything() {
    let mut seen: BTreeMap<&'static str, u32> = BTreeMap::new();
    for seed in 0..150 {
        let (world, outcomes) = race(seed).await;
        books::assert_postings(&world, "account", &[Forfeit]).await;
        world.stop().await;
        for what in outcomes {
            *seen.entry(what).or_default() += 1;
        }
    }
    // the loop is worth something only if every outcome was there
    for what in [
        "completed",
        "cancelled",
        "expired",
        "deposited",
        "cancel ok",
        "finish ok",
        "placed",
        "placed and not shown",
        "released and forfeited",
    ] {
        assert!(seen.get(what).is_some_and(|n| *n >= 3), "{what}: {seen:?}");
    }
}

/// A token that is made while the account is deleted is refused or gone, its claim too.
#[tokio::test]
async fn a1_a_token_that_is_made_at_the_same_instant() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..60 {
        let world = World::hurried(seed).await;
        let (platform, account) = (&world.platform, world.account);
        platform.create_token(account, "first").await.unwrap();
        let makes = async {
            wait(seed % 30).await;
            platform.create_token(account, "second").await.ok()
        };
        let deletes = async {
            wait(12).await;
            platform.delete_account(account).await.unwrap();
        };
        let (token, ()) = tokio::join!(makes, deletes);
        match token {
            Some(token) => {
                made += 1;
                assert_eq!(platform.authenticate(token.reveal()).await.unwrap(), None);
            }
            None => refused += 1,
        }
        for kind in ["token", "token_claim"] {
            let index = smscode_core::store::Index::Kind(smscode_core::store::Kind::of(kind));
            let page = world.store.scan(&index, &smscode_core::store::Range::all(), None, 10).await.unwrap();
            assert_eq!(page.rows.len(), 0, "seed {seed}: a {kind} is left");
        }
        world.clock.advance(6).await;
        world.assert_gone().await;
        books::assert_postings(&world, "account", &[Forfeit]).await;
        world.stop().await;
    }
    assert!(made > 0 && refused > 0, "{made} made, {refused} refused");
}
