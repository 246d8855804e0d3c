//! O4 and the wind-down: what an operator does by hand.

use smscode_core::ledger::{Adjust, AdjustError};
use smscode_core::money::{Currency, Money};
use smscode_core::order::{OrderError, PlaceOrders, State, Status};
use smscode_core::store::TransferKind::{Adjust as Adjusted, Capture, Hold, Release};

use crate::support::{MONEY, PRICE, World, books};

fn wanted(world: &World, minor: i64, reference: &str) -> Adjust {
    Adjust {
        account: world.account,
        amount: Money::new(minor, Currency::Idr),
        reason: "goodwill".into(),
        actor: "anna".into(),
        second: None,
        reference: reference.into(),
    }
}

#[tokio::test]
async fn o4_an_operator_credits_and_debits_by_hand() {
    let world = World::new().await;
    let platform = &world.platform;
    let order = world.place().await;
    assert!(platform.adjust(&wanted(&world, 5_000, "t-1")).await.unwrap());
    assert_eq!(world.available().await, MONEY - PRICE + 5_000);
    assert!(platform.adjust(&wanted(&world, -1_000, "t-2")).await.unwrap());
    assert_eq!(world.available().await, MONEY - PRICE + 4_000);
    // the same again is the same; another of that reference is not
    assert!(!platform.adjust(&wanted(&world, -1_000, "t-2")).await.unwrap());
    for other in [
        wanted(&world, -1_001, "t-2"),
        Adjust { reason: "another".into(), ..wanted(&world, -1_000, "t-2") },
        Adjust { actor: "ben".into(), ..wanted(&world, -1_000, "t-2") },
        Adjust { account: platform.open_account().await.unwrap(), ..wanted(&world, -1_000, "t-2") },
    ] {
        assert_eq!(platform.adjust(&other).await.unwrap_err(), AdjustError::ReferenceUsed);
    }
    // on the statement, and in the operators' log without any account
    let lines = platform.statement(world.account, 0, 10).await.unwrap();
    let line = lines.iter().find(|line| line.subject == "adjust:t-1").unwrap();
    assert_eq!((line.kind, line.reason.as_str(), line.amount.minor), (Adjusted, "goodwill", 5_000));
    let transfers = books::transfers(&*world.store, world.account).await;
    assert_eq!(transfers.iter().find(|t| t.subject == "adjust:t-2").unwrap().actor, "operator:anna");
    let log = platform.audit_log(None, 10).await.unwrap();
    let seen: Vec<_> = log.iter().map(|e| (e.subject.as_deref().unwrap(), e.amount.unwrap().minor)).collect();
    assert_eq!(seen.len(), 2);
    assert!(seen.contains(&("t-1", 5_000)) && seen.contains(&("t-2", -1_000)), "{seen:?}");
    let totals = platform.totals().await.unwrap();
    let house = smscode_core::store::House::adjustments();
    assert_eq!(totals.currencies[&Currency::Idr].house[&house], -4_000);
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn o4_never_below_zero() {
    let world = World::new().await;
    let order = world.place().await;
    let left = MONEY - PRICE;
    let refused = world.platform.adjust(&wanted(&world, -left - 1, "t-1")).await.unwrap_err();
    let money = |minor| Money::new(minor, Currency::Idr);
    assert_eq!(refused, AdjustError::Floor { wanted: money(left + 1), available: money(left) });
    // nothing of it is left, so the reference is free
    assert!(world.platform.audit_log(None, 10).await.unwrap().is_empty());
    assert!(world.platform.adjust(&wanted(&world, -left, "t-1")).await.unwrap());
    assert_eq!((world.available().await, world.held().await), (0, PRICE));
    world.assert_postings(order.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn o4_above_a_limit_two_have_to_agree() {
    let world = World::new().await;
    let limit = smscode_core::Settings::default().adjust_alone_max_minor;
    let large = |second: Option<&str>| Adjust { second: second.map(str::to_owned), ..wanted(&world, limit + 1, "t-1") };
    for second in [None, Some("anna"), Some("ANNA")] {
        let refused = world.platform.adjust(&large(second)).await.unwrap_err();
        assert_eq!(refused.code(), "second_actor", "{second:?}");
    }
    assert!(world.platform.adjust(&large(Some("ben"))).await.unwrap());
    let transfers = books::transfers(&*world.store, world.account).await;
    assert_eq!(transfers.last().unwrap().actor, "operator:anna+operator:ben");
    let small = Adjust { second: Some("anna".into()), ..wanted(&world, 1, "t-2") };
    assert_eq!(world.platform.adjust(&small).await.unwrap_err().code(), "second_actor");
    books::assert_postings(&world, "adjust:t-1", &[Adjusted]).await;
    books::assert_postings(&world, "adjust:t-2", &[]).await;
    world.stop().await;
}

#[tokio::test]
async fn o4_twins_at_the_same_instant_are_booked_once() {
    for seed in 0..20 {
        let world = World::hurried(seed).await;
        let (one, other) = (wanted(&world, 700, "t-1"), wanted(&world, 700, "t-1"));
        let (one, other) = tokio::join!(world.platform.adjust(&one), world.platform.adjust(&other));
        assert_eq!(u8::from(one.unwrap()) + u8::from(other.unwrap()), 1, "seed {seed}");
        assert_eq!(world.available().await, MONEY + 700);
        books::assert_postings(&world, "adjust:t-1", &[Adjusted]).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn o4_a_deleted_account_cannot_be_adjusted() {
    let world = World::new().await;
    world.platform.delete_account(world.account).await.unwrap();
    assert_eq!(world.platform.adjust(&wanted(&world, 1, "t-1")).await.unwrap_err(), AdjustError::NotFound);
    world.clock.advance(6).await;
    world.assert_gone().await;
    books::assert_postings(&world, "adjust:t-1", &[]).await;
    world.stop().await;
}

#[tokio::test]
async fn wind_down_takes_no_new_money_and_lets_everything_end() {
    let world = World::timed(0, 1_200, smscode_core::Settings::default()).await;
    let (platform, account) = (&world.platform, world.account);
    let (cancelled, received) = (world.place().await, world.place().await);
    let replayed = world.place_orders(World::keyed("k1", "v1", "body")).await.unwrap();
    assert_eq!(platform.wind_down().await.unwrap(), None);
    assert_eq!(platform.begin_wind_down("", "the end").await.unwrap_err().code(), "actor");
    assert_eq!(platform.begin_wind_down("anna", " ").await.unwrap_err().code(), "reason");
    assert!(platform.begin_wind_down("anna", "the end").await.unwrap());
    assert!(!platform.begin_wind_down("anna", "the end").await.unwrap(), "it has begun");
    let begun = platform.wind_down().await.unwrap().unwrap();
    assert_eq!((begun.actor.as_str(), begun.reason.as_str()), ("anna", "the end"));

    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err(), OrderError::WindDown);
    let money = Money::new(1_000, Currency::Idr);
    assert_eq!(platform.deposit(account, money, "late").await.unwrap_err().code(), "wind_down");
    // what was booked before is still a success, what was placed before is still shown
    assert!(!platform.deposit(account, Money::new(MONEY, Currency::Idr), "first").await.unwrap());
    assert!(world.place_orders(World::keyed("k1", "v1", "body")).await.unwrap().replayed);

    let owed = platform.liabilities().await.unwrap()[&Currency::Idr];
    assert_eq!((owed.available.minor, owed.held.minor, owed.owed().minor), (MONEY - 3 * PRICE, 3 * PRICE, MONEY));
    world.supplier().deliver(received.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(world.order(received.id).await.code.as_deref(), Some("415127"));
    world.finish(received.id).await.unwrap();
    assert_eq!(world.cancel(cancelled.id).await.unwrap().status, Status::Canceled);
    world.assert_postings(received.id, &[Hold, Capture]).await;
    world.assert_postings(cancelled.id, &[Hold, Release]).await;

    assert!(platform.end_wind_down("ben", "it goes on").await.unwrap());
    assert_eq!(world.place().await.state, State::Active);
    assert!(platform.deposit(account, money, "late").await.unwrap());
    let log = platform.audit_log(None, 10).await.unwrap();
    let did: Vec<_> = log.iter().map(|entry| (entry.action.as_str(), entry.actor.as_str())).collect();
    assert_eq!(did, [("wind_down_ended", "ben"), ("wind_down_begun", "anna")]);
    world.assert_postings(replayed.items[0].order, &[Hold]).await;
    world.stop().await;
}

/// Between the decision and the last placing there is no gap: what was placed was placed before.
#[tokio::test]
async fn wind_down_at_the_same_instant_as_a_placing() {
    let (mut placed, mut refused) = (0, 0);
    for seed in 0..40 {
        let world = World::hurried(seed).await;
        let places = async {
            crate::races::wait(seed % 12).await;
            let placed = world.place_orders(PlaceOrders { quantity: 2, ..World::whatsapp() }).await;
            (placed.is_ok(), world.platform.wind_down().await.unwrap().is_some())
        };
        let begins = async {
            crate::races::wait(6).await;
            world.platform.begin_wind_down("anna", "the end").await.unwrap();
            let after = world.place_orders(World::whatsapp()).await;
            assert_eq!(after.unwrap_err(), OrderError::WindDown, "seed {seed}");
        };
        let ((ok, _), ()) = tokio::join!(places, begins);
        if ok {
            placed += 1
        } else {
            refused += 1
        }
        world.assert_balanced().await;
        world.stop().await;
    }
    assert!(placed > 0 && refused > 0, "{placed} placed, {refused} refused");
}
