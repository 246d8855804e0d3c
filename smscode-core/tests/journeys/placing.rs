//! U1, U2, U3, U7, U8: placing goes wrong, or only partly well.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use smscode_core::Settings;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{ItemOutcome, OrderError, PlaceOrders, Status};
use smscode_core::port::Rejection;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, COST, MONEY, PRICE, World};

fn rejected(outcome: &ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Rejected(OrderError::Supplier { cause }) => cause,
        other => panic!("not rejected: {other:?}"),
    }
}

#[tokio::test]
async fn u1_sold_out_everywhere() {
    let world = World::with(3, Settings::default()).await;
    for supplier in &world.suppliers {
        supplier.plan([Buy::Reject(Rejection::NoNumbers)]);
    }
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    let item = &placed.items[0];
    assert_eq!(rejected(&item.outcome), "no_numbers");
    let asked: Vec<usize> = world.suppliers.iter().map(|s| s.script.lock().unwrap().requests.len()).collect();
    assert_eq!(asked, [1, 1, 1]);
    let references: BTreeSet<String> =
        world.suppliers.iter().map(|s| s.script.lock().unwrap().requests[0].reference.clone()).collect();
    assert_eq!(references.len(), 3, "suppliers could compare notes");
    assert_eq!(world.events(item.order).await, ["order.placed", "order.rejected"]);
    assert!(world.platform.orders(world.account, None, 0, 10).await.unwrap().is_empty());
    assert_eq!(world.available().await, MONEY);
    world.assert_postings(item.order, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u1_the_next_supplier_only_while_time_remains() {
    let world = World::with(2, Settings::default()).await;
    world.suppliers[0].plan([Buy::Reject(Rejection::NoNumbers)]);
    world.suppliers[0].script.lock().unwrap().slow_ms = 13_000;
    let platform = world.platform.clone();
    let account = world.account;
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(14).await;
    let placed = call.await.unwrap().unwrap();
    assert_eq!(rejected(&placed.items[0].outcome), "no_numbers");
    assert!(world.suppliers[1].script.lock().unwrap().requests.is_empty(), "7 s are not enough");
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u1_every_certain_refusal_goes_to_the_next_supplier() {
    let refusals = [
        Buy::NotSent,
        Buy::Reject(Rejection::NoFunds),
        Buy::Reject(Rejection::Credentials),
        Buy::Reject(Rejection::Throttled),
        Buy::Reject(Rejection::PriceAboveCeiling(None)),
    ];
    for refusal in refusals {
        let world = World::with(2, Settings::default()).await;
        world.suppliers[0].plan([refusal.clone()]);
        let order = world.place().await;
        assert_eq!(world.suppliers[1].sold().len(), 1, "{refusal:?}");
        world.assert_postings(order.id, &[Hold]).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn u2_bought_above_the_ceiling() {
    let world = World::new().await;
    world.supplier().plan([Buy::Cost(COST + 1)]);
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    assert_eq!(rejected(&placed.items[0].outcome), "price_above_ceiling");
    world.clock.advance(1).await;
    assert!(world.supplier().sold()[0].cancelled, "the number is given back");
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    assert_eq!(world.available().await, MONEY);
    world.stop().await;
}

#[tokio::test]
async fn u2_the_suppliers_refusal_of_the_cancel_is_the_operators() {
    let world = World::new().await;
    world.supplier().plan([Buy::Cost(COST * 2)]);
    world.supplier().script.lock().unwrap().cancel = Some(smscode_core::port::CancelOutcome::Refused("no".into()));
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    world.clock.advance(60).await;
    assert_eq!(world.available().await, MONEY);
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u2_limits_of_the_customer() {
    let world = World::new().await;
    let limited =
        |max: Option<Money>, min: Option<Money>| PlaceOrders { max_price: max, min_price: min, ..World::whatsapp() };
    let idr = |minor| Some(Money::new(minor, Currency::Idr));
    let cheapest = Some(Money::new(PRICE, Currency::Idr));
    let none = world.place_orders(limited(idr(PRICE - 1), None)).await.unwrap_err();
    assert_eq!(none, OrderError::NoOffer { cheapest });
    assert_eq!(world.place_orders(limited(None, idr(PRICE + 1))).await.unwrap_err().code(), "no_offer");
    for (max, min) in [(idr(0), None), (None, idr(-1)), (idr(5), idr(6)), (Some(Money::new(COST, Currency::Usd)), None)]
    {
        assert_eq!(world.place_orders(limited(max, min)).await.unwrap_err().code(), "price_limit", "{max:?} {min:?}");
    }
    let placed = world.place_orders(limited(idr(PRICE), idr(PRICE))).await.unwrap();
    assert_eq!(world.supplier().script.lock().unwrap().requests.len(), 1);
    world.assert_postings(placed.items[0].order, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u3_two_parallel_creates_with_money_for_one() {
    let world = World::new().await;
    let spent = world.place_orders(PlaceOrders { quantity: 47, ..World::whatsapp() }).await.unwrap();
    assert_eq!(world.available().await, MONEY - 47 * PRICE);
    assert!(world.available().await < 2 * PRICE);
    let calls = [World::whatsapp(), World::whatsapp()].map(|wanted| world.place_orders(wanted));
    let answers = join_all(calls).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 1);
    let left = MONEY - 48 * PRICE;
    assert_eq!(
        *refused[0],
        OrderError::InsufficientBalance {
            needed: Money::new(PRICE, Currency::Idr),
            available: Money::new(left, Currency::Idr)
        }
    );
    assert_eq!((world.available().await, world.held().await), (left, 48 * PRICE));
    world.assert_postings(spent.items[0].order, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u3_200_parallel_orders_with_money_for_50() {
    for seed in [0, 1, 2] {
        let world = World::hurried(seed).await;
        let extra = 50 * PRICE - MONEY;
        assert!(extra > 0);
        let more = Money::new(extra, Currency::Idr);
        assert!(world.platform.deposit(world.account, more, "second").await.unwrap());
        let answers = join_all((0..200).map(|_| world.place_orders(World::whatsapp()))).await;
        let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((placed.len(), refused.len()), (50, 150));
        for error in refused {
            assert_eq!(error.unwrap_err().code(), "insufficient_balance");
        }
        assert_eq!((world.available().await, world.held().await), (0, 50 * PRICE));
        let lines = world.platform.statement(world.account, 0, 1_000).await.unwrap();
        assert!(lines.iter().all(|line| line.available_after.minor >= 0 && line.held_after.minor >= 0));
        assert_eq!(world.supplier().sold().len(), 50);
        let totals = world.platform.totals().await.unwrap();
        assert_eq!(totals.currencies[&Currency::Idr].open_holds, 50);
        for placed in placed {
            world.assert_postings(placed.unwrap().items[0].order, &[Hold]).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn u7_bulk_of_10_of_which_6_succeed() {
    let world = World::new().await;
    let plan = (0..10).map(|n| if n % 5 < 3 { Buy::Sell } else { Buy::Reject(Rejection::NoNumbers) });
    world.supplier().plan(plan);
    let placed = world.place_orders(PlaceOrders { quantity: 10, ..World::whatsapp() }).await.unwrap();
    let (mut sold, mut failed) = (Vec::new(), Vec::new());
    for item in &placed.items {
        match &item.outcome {
            ItemOutcome::Settled(view) => sold.push(view.clone()),
            other => failed.push((item.order, rejected(other))),
        }
    }
    assert_eq!((sold.len(), failed.len()), (6, 4));
    assert!(failed.iter().all(|(_, cause)| *cause == "no_numbers"));
    assert_eq!((world.held().await, world.available().await), (6 * PRICE, MONEY - 6 * PRICE));
    for (order, _) in &failed {
        world.assert_postings(*order, &[Hold, Release]).await;
    }
    // they are independent
    world.supplier().deliver(sold[0].phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(121).await;
    world.cancel(sold[1].id).await.unwrap();
    world.assert_postings(sold[0].id, &[Hold, Capture]).await;
    world.assert_postings(sold[1].id, &[Hold, Release]).await;
    world.assert_postings(sold[2].id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u7_bulk_of_100() {
    let world = World::hurried(9).await;
    let money = Money::new(100 * PRICE, Currency::Idr);
    world.platform.deposit(world.account, money, "second").await.unwrap();
    let placed = world.place_orders(PlaceOrders { quantity: 100, ..World::whatsapp() }).await.unwrap();
    let ids: BTreeSet<_> = placed.items.iter().map(|item| item.order).collect();
    assert_eq!(ids.len(), 100);
    assert!(placed.items.iter().all(|item| matches!(item.outcome, ItemOutcome::Settled(_))));
    let phones: BTreeSet<_> = world.supplier().sold().into_iter().map(|sold| sold.phone).collect();
    assert_eq!(phones.len(), 100);
    assert_eq!(world.held().await, 100 * PRICE);
    world.clock.advance(30).await;
    assert_eq!((world.held().await, world.available().await), (0, MONEY + 100 * PRICE));
    for item in &placed.items {
        assert_eq!(world.order(item.order).await.status, Status::Expired);
        world.assert_postings(item.order, &[Hold, Release]).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn u7_quantities_that_are_refused() {
    let world = World::new().await;
    for quantity in [0, 101, u32::MAX] {
        let wanted = PlaceOrders { quantity, ..World::whatsapp() };
        assert_eq!(world.place_orders(wanted).await.unwrap_err().code(), "quantity");
    }
    assert_eq!(world.held().await, 0);
    let one = world.place().await;
    world.assert_postings(one.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u8_numbers_that_do_not_fit_go_back_and_the_next_supplier_is_asked() {
    let cases = [
        (Buy::Number("79120000001"), "wrong_country"),
        (Buy::Number("62x"), "number_malformed"),
        (Buy::Number("+6281200000001"), "number_malformed"),
        (Buy::Number("6281200000001123456"), "number_malformed"),
        (Buy::Country(0), "wrong_country"),
    ];
    for (buy, cause) in cases {
        let world = World::with(2, Settings::default()).await;
        world.suppliers[0].plan([buy.clone()]);
        let order = world.place().await;
        assert_eq!(world.suppliers[1].sold()[0].phone, order.phone.unwrap(), "{buy:?}");
        world.clock.advance(1).await;
        assert!(world.suppliers[0].sold()[0].cancelled, "{buy:?}");
        world.assert_postings(order.id, &[Hold]).await;
        world.stop().await;

        let world = World::new().await;
        world.supplier().plan([buy]);
        let placed = world.place_orders(World::whatsapp()).await.unwrap();
        assert_eq!(rejected(&placed.items[0].outcome), cause);
        world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn u8_a_number_that_is_live_here_goes_back() {
    let world = World::with(2, Settings::default()).await;
    let first = world.place().await;
    let phone: &'static str = first.phone.clone().unwrap().leak();
    world.suppliers[0].plan([Buy::Number(phone)]);
    let second = world.place().await;
    assert_ne!(second.phone.as_deref(), Some(phone));
    world.clock.advance(1).await;
    let cancelled: Vec<bool> = world.suppliers[0].sold().iter().map(|sold| sold.cancelled).collect();
    assert_eq!(cancelled, [false, true], "only the twin goes back");
    world.assert_postings(second.id, &[Hold]).await;
    // once the first has ended the number may come again
    world.suppliers[0].plan([Buy::Number(phone)]);
    world.clock.advance(125).await;
    world.cancel(first.id).await.unwrap();
    assert_eq!(world.place().await.phone.as_deref(), Some(phone));
    world.assert_postings(first.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Its claim moves along when the order's key is wrapped anew, and goes with the order.
#[tokio::test]
async fn u8_a_number_stays_its_orders_over_epochs() {
    let world = World::timed(0, 6_000, Settings { window_ms: 6_000_000, ..Settings::default() }).await;
    let first = world.place().await;
    let phone: &'static str = first.phone.clone().unwrap().leak();
    let mut seen = Vec::new();
    for minutes in [3, 4, 5, 50, 10] {
        world.clock.step(minutes, 60_000).await;
        seen.push(world.stored(first.id).await.phone_claims.iter().map(|claim| claim.hash.clone()).collect::<Vec<_>>());
        world.supplier().plan([Buy::Number(phone)]);
        let placed = world.place_orders(World::whatsapp()).await.unwrap();
        assert_eq!(rejected(&placed.items[0].outcome), "number_in_use", "after {minutes} more minutes");
        world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    }
    assert!(seen[0] == seen[2] && seen[2] != seen[4], "the key was wrapped anew: {seen:?}");
    world.cancel(first.id).await.unwrap();
    world.supplier().plan([Buy::Number(phone)]);
    assert_eq!(world.place().await.phone.as_deref(), Some(phone));
    world.assert_postings(first.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u8_twins_at_the_same_moment() {
    for seed in 0..8 {
        let world = World::hurried(seed).await;
        world.supplier().plan([Buy::Number("6281299999999"), Buy::Number("6281299999999")]);
        let placed = world.place_orders(PlaceOrders { quantity: 2, ..World::whatsapp() }).await.unwrap();
        let live = placed.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Settled(_)));
        assert_eq!(live.count(), 1, "seed {seed}: one number, two customers");
        for item in &placed.items {
            let live = matches!(item.outcome, ItemOutcome::Settled(_));
            world.assert_postings(item.order, if live { &[Hold] } else { &[Hold, Release] }).await;
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn u8_an_activation_that_is_given_out_twice_is_not_cancelled_under_its_owner() {
    let world = World::new().await;
    let first = world.place().await;
    world.supplier().plan([Buy::Again]);
    let placed = world.place_orders(World::whatsapp()).await.unwrap();
    assert_eq!(rejected(&placed.items[0].outcome), "number_in_use");
    world.clock.advance(4).await;
    assert!(!world.supplier().sold()[0].cancelled, "the owner's number was given back");
    world.supplier().deliver(first.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(4).await;
    world.assert_postings(first.id, &[Hold, Capture]).await;
    world.assert_postings(placed.items[0].order, &[Hold, Release]).await;
    world.stop().await;
}
