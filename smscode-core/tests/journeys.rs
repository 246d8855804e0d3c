//! The journeys of the specification that belong to first light, each by its ID, on the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use smscode_core::order::{ItemOutcome, OrderError, Status};
use smscode_core::store::TransferKind::{Capture, Hold, Release};
use support::{Buy, PRICE, World};

#[tokio::test]
async fn j5_order_sms_finish() {
    let world = World::new().await;
    let order = world.place().await;
    assert_eq!((order.status, order.price.minor), (Status::Active, PRICE));
    assert_eq!(world.held().await, PRICE);
    let phone = order.phone.clone().unwrap();
    world.supplier().deliver(&phone, Some("m1"), "Your code is 415127");
    world.clock.advance(4).await;
    let received = world.order(order.id).await;
    assert_eq!(received.status, Status::OtpReceived);
    assert_eq!((received.code.as_deref(), received.revision), (Some("415127"), 1));
    assert!(received.actions.finish && !received.actions.cancel);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    let done = world.platform.finish_order(world.account, order.id).await.unwrap();
    assert_eq!(done.status, Status::Completed);
    assert_eq!((done.code, done.text, done.phone), (None, None, None));
    assert!(done.purged_at.is_some() && done.first_sms_at.is_some() && done.revision == 1);
    world.clock.advance(3).await;
    assert!(world.supplier().sold()[0].finished, "the supplier was not told");
    assert_eq!(
        world.events(order.id).await,
        ["order.placed", "order.active", "order.otp_received", "order.completed"]
    );
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u1_sold_out_everywhere() {
    let world = World::with(2, smscode_core::Settings::default()).await;
    use smscode_core::port::Rejection::NoNumbers;
    for supplier in &world.suppliers {
        supplier.plan([Buy::Reject(NoNumbers)]);
    }
    let placed = world
        .platform
        .place_orders(world.account, World::whatsapp())
        .await
        .unwrap();
    let item = &placed.items[0];
    assert_eq!(
        item.outcome,
        ItemOutcome::Rejected(OrderError::Supplier { cause: "no_numbers" })
    );
    world.assert_postings(item.order, &[Hold, Release]).await;
    assert_eq!(world.available().await, support::MONEY);
    world.stop().await;
}
