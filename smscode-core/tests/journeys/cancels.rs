//! U9, U11, U18: cancels that wait, cancels that are not answered, numbers that are of no use.

use smscode_core::Settings;
use smscode_core::order::supply::{Booked, SupplyState};
use smscode_core::order::{OrderError, State, Status};
use smscode_core::port::CancelOutcome;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::{Buy, MONEY, World};

#[tokio::test]
async fn u9_a_cancel_that_is_scheduled() {
    let world = World::new().await;
    let order = world.place().await;
    let at = order.created_at.plus_seconds(120);
    world.clock.advance(30).await;
    let scheduled = world.schedule_cancel(order.id).await.unwrap();
    assert_eq!((scheduled.status, scheduled.state), (Status::Active, State::Active));
    assert_eq!(scheduled.cancel_scheduled_at, Some(at));
    assert!(scheduled.phone.is_some() && !scheduled.actions.cancel, "it can still receive");
    let next = world.platform.explain(world.account, order.id).await.unwrap().next.unwrap();
    assert_eq!(next.at, Some(at));
    assert!(next.what.starts_with("a cancel is asked for"), "{}", next.what);
    world.assert_postings(order.id, &[Hold]).await;
    // asked again: nothing changes; asked for at once: still too early, and still scheduled
    let again = world.schedule_cancel(order.id).await.unwrap();
    assert_eq!((again.sequence, again.cancel_scheduled_at), (scheduled.sequence, Some(at)));
    assert!(matches!(world.cancel(order.id).await.unwrap_err(), OrderError::CancelTooEarly { .. }));
    world.clock.advance(89).await;
    assert_eq!((world.order(order.id).await.state, world.supplier().sold()[0].cancelled), (State::Active, false));
    world.clock.advance(2).await;
    let done = world.order(order.id).await;
    assert_eq!((done.state, done.cancel_scheduled_at), (State::Cancelled, None));
    assert!(world.supplier().sold()[0].cancelled);
    let events = world.events(order.id).await;
    assert_eq!(events, ["order.placed", "order.active", "order.cancel_scheduled", "order.canceled"]);
    assert_eq!(world.available().await, MONEY);
    world.assert_supplier("alpha", 0, 0).await;
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

#[tokio::test]
async fn u9_a_scheduled_cancel_is_lost_to_an_sms() {
    let world = World::new().await;
    let order = world.place().await;
    world.schedule_cancel(order.id).await.unwrap();
    world.clock.advance(60).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(6).await;
    let received = world.order(order.id).await;
    assert_eq!((received.status, received.cancel_scheduled_at), (Status::OtpReceived, None));
    world.clock.advance(120).await;
    assert_eq!(world.order(order.id).await.status, Status::OtpReceived, "cancelled over its SMS");
    assert_eq!(world.supplier().script.lock().unwrap().cancels, 0);
    assert_eq!(world.schedule_cancel(order.id).await.unwrap_err().code(), "conflict");
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

/// The SMS and the time of the cancel at the same instant: one of them wins, and the money follows.
#[tokio::test]
async fn u9_a_scheduled_cancel_and_an_sms_at_the_same_instant() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..60_i64 {
        let world = World::timed(20, 60, Settings::default()).await;
        let order = world.place().await;
        world.schedule_cancel(order.id).await.unwrap();
        let slow = if seed % 3 == 0 { 4_000 } else { 0 };
        world.supplier().script(|script| script.poll_ms = slow);
        world.clock.step(70 + seed / 3, 250).await;
        world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
        world.clock.advance(80).await;
        let view = world.order(order.id).await;
        let paid = view.revision > 0;
        seen.insert(paid);
        assert_eq!(view.state, if paid { State::Completed } else { State::Cancelled }, "seed {seed}");
        world.assert_postings(order.id, &[Hold, if paid { Capture } else { Release }]).await;
        world.stop().await;
    }
    assert_eq!(seen.len(), 2, "one of the two always won");
}

#[tokio::test]
async fn u9_scheduling_when_it_is_not_too_early_is_cancelling() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    assert_eq!(world.schedule_cancel(order.id).await.unwrap().state, State::Cancelled);
    assert_eq!(world.schedule_cancel(order.id).await.unwrap().state, State::Cancelled, "again");
    // without a number there is nothing to schedule
    world.supplier().plan([Buy::Silence]);
    let unclear = world.place_one().await;
    assert_eq!(world.schedule_cancel(unclear).await.unwrap_err().code(), "conflict");
    let other = world.platform.open_account().await.unwrap();
    let strange = world.platform.cancel_order_when_allowed(other, order.id).await.unwrap_err();
    assert_eq!(strange, OrderError::NotFound);
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.assert_postings(unclear, &[Hold]).await;
    world.stop().await;
}

/// It counts when it is scheduled, once, and a process that dies forgets nothing.
#[tokio::test]
async fn u9_a_scheduled_cancel_counts_once_and_outlives_a_crash() {
    let mut settings = Settings::default();
    settings.caps.cancels_a_day = 1;
    let world = World::with(1, settings.clone()).await;
    let (first, second) = (world.place().await, world.place().await);
    world.schedule_cancel(first.id).await.unwrap();
    assert_eq!(world.schedule_cancel(second.id).await.unwrap_err().code(), "cap");
    let world = world.reborn(200, settings).await;
    world.clock.advance(5).await;
    assert_eq!(world.order(first.id).await.state, State::Cancelled);
    assert_eq!(world.order(second.id).await.state, State::Active);
    world.assert_postings(first.id, &[Hold, Release]).await;
    world.assert_postings(second.id, &[Hold]).await;
    world.stop().await;
}

#[tokio::test]
async fn u11_a_cancel_that_times_out_and_then_an_sms() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    world.supplier().script(|script| script.cancel = Some(CancelOutcome::Unknown("time out".into())));
    let undecided = world.cancel(order.id).await.unwrap_err();
    assert_eq!(undecided, OrderError::Supplier { cause: "cancel_undecided" });
    let next = world.platform.explain(world.account, order.id).await.unwrap().next.unwrap();
    assert!(next.what.contains("asked again"), "{}", next.what);
    world.assert_postings(order.id, &[Hold]).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(11).await;
    assert_eq!(world.order(order.id).await.code.as_deref(), Some("415127"));
    world.finish(order.id).await.unwrap();
    world.clock.advance(2).await;
    world.assert_supplier("alpha", crate::support::COST, 0).await;
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

/// The cancel took effect and its answer was lost: asked again the supplier says that nothing is open.
#[tokio::test]
async fn u11_a_cancel_whose_answer_was_lost() {
    let world = World::new().await;
    let order = world.place().await;
    world.clock.advance(121).await;
    world.supplier().script(|script| script.cancel = Some(CancelOutcome::Unknown("time out".into())));
    assert!(world.cancel(order.id).await.is_err());
    world.supplier().script(|script| {
        script.cancel = Some(CancelOutcome::NotOpen);
        script.sold.values_mut().for_each(|sold| sold.cancelled = true);
    });
    world.clock.advance(12).await;
    let done = world.order(order.id).await;
    assert_eq!((done.state, done.failed_reason.as_deref()), (State::Cancelled, Some("cancelled")));
    // whoever sees it first, the poll or the cancel that is asked again: the supplier keeps nothing
    let purchases = world.purchases().await;
    assert_eq!((purchases[0].state, purchases[0].booked), (SupplyState::Cancelled, Some(Booked::Nothing)));
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}

/// A number of no use, such as one that the service knows already: given back while no SMS has come. After one it is paid
/// for, and what support can see is that and when it came, not what it said.
#[tokio::test]
async fn u18_a_number_that_is_registered_already() {
    let world = World::timed(0, 1_200, Settings::default()).await;
    let (unused, used) = (world.place().await, world.place().await);
    assert_eq!(world.cancel(unused.id).await.unwrap().status, Status::Canceled);
    world.supplier().deliver(used.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(world.cancel(used.id).await.unwrap_err().code(), "conflict");
    world.finish(used.id).await.unwrap();
    let told = world.platform.explain(world.account, used.id).await.unwrap();
    assert!(told.order.first_sms_at.is_some() && told.order.text.is_none() && told.order.code.is_none());
    assert!(!format!("{:?}", told.steps).contains("415127"));
    world.assert_postings(unused.id, &[Hold, Release]).await;
    world.assert_postings(used.id, &[Hold, Capture]).await;
    world.stop().await;
}
