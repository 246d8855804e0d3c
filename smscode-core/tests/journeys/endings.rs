//! U4, U9, U10, U11, U13, U19, U22, orders that nobody holds, and when it is quiet.

use smscode_core::Settings;
use smscode_core::order::{ItemOutcome, OrderError, PlaceOrders, State, Status};
use smscode_core::port::CancelOutcome;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, MONEY, World};

#[tokio::test]
async fn u9_cancel_before_the_earliest_time() {
    let world = World::new().await;
    let order = world.place().await;
    let at = order.created_at.plus_seconds(120);
    world.clock.advance(30).await;
    let early = world.cancel(order.id).await.unwrap_err();
    assert_eq!(early, OrderError::CancelTooEarly { at, wait_seconds: 90 });
    world.assert_postings(order.id, &[Hold]).await;
    world.clock.advance(90).await;
    let view = world.order(order.id).await;
    assert!(view.actions.cancel && view.actions.replace && view.actions.cancel_at.is_none());
    assert_eq!(world.cancel(order.id).await.unwrap().status, Status::Canceled);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u10_cancel_that_the_supplier_accepts() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    let done = world.cancel(order.id).await.unwrap();
    assert_eq!((done.status, done.state), (Status::Canceled, State::Cancelled));
    assert_eq!((done.phone.as_deref(), done.failed_reason.as_deref()), (None, Some("cancelled")));
    assert!(done.purged_at.is_some() && world.supplier().sold()[0].cancelled);
    assert_eq!(world.available().await, MONEY);
    // again: no second release, no second cancel at the supplier
    assert_eq!(world.cancel(order.id).await.unwrap().status, Status::Canceled);
    assert_eq!(world.events(order.id).await, ["order.placed", "order.active", "order.canceled"]);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u11_the_supplier_refuses_then_confirms() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Refused("busy".into()));
    let undecided = world.cancel(order.id).await.unwrap_err();
    assert_eq!(undecided, OrderError::Supplier { cause: "cancel_undecided" });
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.state), (Status::Active, State::Canceling));
    world.assert_postings(order.id, &[Hold]).await;
    world.supplier().script.lock().unwrap().cancel = None;
    world.clock.advance(12).await;
    assert_eq!(world.order(order.id).await.status, Status::Canceled);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u11_an_sms_shows_up_while_cancelling() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    // the supplier says: an SMS is there
    let paid = world.cancel(order.id).await.unwrap_err();
    assert_eq!(paid.code(), "conflict");
    assert_eq!(world.order(order.id).await.code.as_deref(), Some("415127"));
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u11_never_decided_is_released_at_the_windows_end() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Unknown("time out".into()));
    assert!(world.cancel(order.id).await.is_err());
    world.clock.step(1_070, 1_000).await;
    assert_eq!(world.order(order.id).await.state, State::Canceling);
    world.clock.advance(20).await;
    assert_eq!(world.order(order.id).await.state, State::Cancelled);
    let told = world.platform.explain(world.account, order.id).await.unwrap();
    let rule = &told.steps.last().unwrap().rule;
    assert!(rule.contains("the window ended without an SMS"), "{rule}");
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u13_expiry_after_one_last_check() {
    let world = World::new().await;
    let order = world.place().await;
    let end = order.expires_at.unwrap();
    world.clock.step(1_180, 1_000).await;
    assert_eq!(world.order(order.id).await.status, Status::Active);
    world.clock.advance(21).await;
    let done = world.order(order.id).await;
    assert_eq!((done.status, done.failed_reason.as_deref()), (Status::Expired, Some("window_over")));
    let late_ms = done.ended_at.unwrap().ms_since(end);
    assert!((0..=5_000).contains(&late_ms), "{late_ms} ms after the window");
    assert!(world.supplier().sold()[0].cancelled, "the number is given back");
    assert_eq!(world.events(order.id).await, ["order.placed", "order.active", "order.expired"]);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u13_an_sms_found_by_the_last_check_counts() {
    // no poll comes between
    let settings =
        Settings { poll_first_ms: 600_000, poll_then_ms: 600_000, poll_late_ms: 600_000, ..Settings::default() };
    let world = World::timed(0, 300, settings).await;
    let order = world.place().await;
    world.clock.advance(200).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(90).await;
    assert_eq!(world.order(order.id).await.revision, 0);
    world.clock.advance(11).await;
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.code.as_deref()), (Status::OtpReceived, Some("415127")));
    world.clock.advance(20).await;
    assert_eq!(world.order(order.id).await.status, Status::Completed);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u13_a_last_check_that_fails_is_repeated_then_released() {
    let world = World::timed(0, 60, Settings::default()).await;
    let (lost, found) = (world.place().await, world.place().await);
    world.clock.advance(50).await;
    world.supplier().script.lock().unwrap().poll_fails = true;
    world.clock.advance(40).await;
    assert_eq!(world.order(lost.id).await.status, Status::Active, "not before one check");
    world.supplier().deliver(found.phone.as_ref().unwrap(), None, "415127");
    world.supplier().script.lock().unwrap().poll_fails = false;
    world.clock.advance(7).await;
    assert_eq!(world.order(lost.id).await.status, Status::Expired);
    assert_eq!(world.order(found.id).await.status, Status::OtpReceived);
    world.assert_postings(lost.id, &[Hold, Release]).await;
    world.assert_postings(found.id, &[Hold, Capture]).await;

    let never = world.place().await;
    world.clock.advance(50).await;
    world.supplier().script.lock().unwrap().poll_fails = true;
    world.clock.advance(60).await;
    assert_eq!(world.order(never.id).await.status, Status::Active);
    world.clock.advance(30).await;
    assert_eq!(world.order(never.id).await.status, Status::Expired, "60 s of grace are enough");
    world.assert_postings(never.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u19_the_supplier_cancels_on_its_side() {
    let world = World::new().await;
    let (empty, with_sms) = (world.place().await, world.place().await);
    world.supplier().deliver(with_sms.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(6).await;
    world.supplier().end(empty.phone.as_ref().unwrap());
    world.supplier().end(with_sms.phone.as_ref().unwrap());
    world.clock.advance(30).await;
    let done = world.order(empty.id).await;
    assert_eq!((done.state, done.failed_reason.as_deref()), (State::Cancelled, Some("supplier_ended")));
    let told = world.platform.explain(world.account, empty.id).await.unwrap();
    assert!(told.steps.last().unwrap().rule.starts_with("the supplier has ended it"));
    world.assert_postings(empty.id, &[Hold, Release]).await;
    // paid for: stays readable to its window's end
    let kept = world.order(with_sms.id).await;
    assert_eq!((kept.status, kept.code.as_deref()), (Status::OtpReceived, Some("415127")));
    world.assert_postings(with_sms.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u22_after_the_end_everything_is_idempotent_or_a_conflict() {
    let world = World::timed(0, 30, Settings::default()).await;
    let (done, expired) = (world.place().await, world.place().await);
    assert_eq!(world.finish(done.id).await.unwrap_err().code(), "conflict", "no SMS yet");
    world.supplier().deliver(done.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(4).await;
    let first = world.finish(done.id).await.unwrap();
    let again = world.finish(done.id).await.unwrap();
    assert_eq!((again.ended_at, again.sequence), (first.ended_at, first.sequence));
    assert_eq!(world.cancel(done.id).await.unwrap_err().code(), "conflict");
    let resend = world.platform.request_sms(world.account, done.id).await.unwrap_err();
    assert_eq!(resend.code(), "conflict");
    world.clock.advance(30).await;
    assert_eq!(world.order(expired.id).await.status, Status::Expired);
    for refused in [
        world.finish(expired.id).await.unwrap_err(),
        world.cancel(expired.id).await.unwrap_err(),
        world.platform.request_sms(world.account, expired.id).await.unwrap_err(),
    ] {
        match refused {
            OrderError::Conflict { status, .. } => assert_eq!(status, Status::Expired),
            other => panic!("{other:?}"),
        }
    }
    // somebody else's order is no order
    let other = world.platform.open_account().await.unwrap();
    for order in [done.id, expired.id] {
        assert_eq!(world.platform.order(other, order).await.unwrap_err(), OrderError::NotFound);
        assert_eq!(world.platform.finish_order(other, order).await.unwrap_err(), OrderError::NotFound);
        assert_eq!(world.platform.cancel_order(other, order).await.unwrap_err(), OrderError::NotFound);
        assert_eq!(world.platform.explain(other, order).await.unwrap_err(), OrderError::NotFound);
    }
    world.assert_postings(done.id, &[Hold, Capture]).await;
    world.assert_postings(expired.id, &[Hold, Release]).await;
    world.stop().await;
}

/// Places one order whose purchase takes 25 s; the caller's answer comes at 20 s.
async fn late(world: &World, abandon: bool) -> smscode_core::order::OrderId {
    world.supplier().script.lock().unwrap().slow_ms = 25_000;
    let wanted = PlaceOrders { abandon_when_late: abandon, ..World::whatsapp() };
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, wanted).await });
    world.clock.advance(21).await;
    let placed = call.await.unwrap().unwrap();
    let ItemOutcome::Pending(view) = &placed.items[0].outcome else { panic!("settled: {placed:?}") };
    assert_eq!((view.status, view.phone.as_deref()), (Status::Active, None));
    assert_eq!(view.actions, smscode_core::order::Actions::default());
    world.assert_postings(view.id, &[Hold]).await;
    world.clock.advance(5).await;
    assert_eq!(world.order(view.id).await.state, State::Active);
    view.id
}

#[tokio::test]
async fn u6_a_late_order_is_kept_for_who_holds_its_id() {
    let world = World::new().await;
    let id = late(&world, false).await;
    world.clock.advance(200).await;
    assert_eq!(world.order(id).await.state, State::Active);
    world.assert_postings(id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_late_order_that_nobody_holds_is_cancelled() {
    let mut settings = Settings::default();
    settings.caps.cancels_a_day = 0;
    let world = World::with(1, settings).await;
    let id = late(&world, true).await;
    world.clock.advance(130).await;
    assert_eq!(world.order(id).await.state, State::Cancelled, "after the minimum time, whatever the caps");
    assert_eq!(world.available().await, MONEY);
    world.assert_postings(id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u6_a_call_that_never_ends_becomes_unclear_and_is_found() {
    let world = World::new().await;
    world.supplier().plan([Buy::SellSilently]);
    world.supplier().script.lock().unwrap().slow_ms = 20_500;
    let (platform, account) = (world.platform.clone(), world.account);
    let call = tokio::spawn(async move { platform.place_orders(account, World::whatsapp()).await });
    world.clock.advance(22).await;
    let id = call.await.unwrap().unwrap().items[0].order;
    assert_eq!(world.order(id).await.state, State::Unclear);
    world.clock.advance(6).await;
    assert_eq!(world.order(id).await.state, State::Active);
    world.assert_postings(id, &[Hold]).await;
    world.stop().await;
}

/// Up to when a clock may go in one step: not while an order is open, nor while its supplier is to be told; then until keys
/// are to be destroyed, and for hours once there is none.
#[tokio::test]
async fn j5_from_an_orders_end_on_it_is_quiet() {
    let world = World::new().await;
    let quiet = async || {
        let until = world.platform.quiet_until().await.unwrap();
        until.map(|until| until.ms_since(world.platform.now()) / 1_000)
    };
    assert_eq!(quiet().await, Some(6 * 3_600), "no order yet, and no key");
    let order = world.place().await;
    assert_eq!(quiet().await, None);
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(quiet().await, None, "it has its SMS, and is open");
    world.finish(order.id).await.unwrap();
    world.clock.advance(5).await;
    assert_eq!(quiet().await, Some(1_500));
    world.clock.step(90, 60_000).await;
    assert_eq!(quiet().await, Some(6 * 3_600), "its key is gone");
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

/// While a purchase that was given up is watched for, its supplier's list is read as often as ever.
#[tokio::test]
async fn u4_a_watch_is_kept_while_it_is_quiet() {
    let world = World::new().await;
    world.supplier().plan([Buy::Silence]);
    let lost = world.place_one().await;
    world.clock.step(1_390, 1_000).await;
    assert_eq!(world.stored(lost).await.state, State::Expired);
    let until = world.platform.quiet_until().await.unwrap().expect("nothing is open");
    assert_eq!(until.ms_since(world.platform.now()), 60_000);
    world.assert_postings(lost, &[Hold, Release]).await;
    world.stop().await;
}
