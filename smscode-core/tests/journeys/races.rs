//! Everything at the same instant, in many orders: exactly one of capture and release, and what was shown is what was paid.

use smscode_core::order::{OrderView, State, Status};
use smscode_core::port::CancelOutcome;
use smscode_core::store::TransferKind::{Capture, Hold, Release};

use crate::support::World;

/// A small generator, so that each seed gives another order of things.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub(crate) async fn wait(steps: u64) {
    for _ in 0..steps {
        tokio::task::yield_now().await;
    }
}

/// Paid exactly if an SMS was recorded, shown exactly if it was paid, and long enough.
async fn assert_settled(world: &World, seed: u64, view: &OrderView, shown: bool, finished: bool) {
    let closing = world.closing(view.id).await;
    match view.state {
        State::Completed => assert_eq!((closing, view.revision > 0), (Capture, true), "seed {seed}"),
        _ => {
            assert_eq!((closing, view.revision, view.first_sms_at), (Release, 0, None), "seed {seed}");
            assert!(!shown, "seed {seed}: shown and not paid");
        }
    }
    if view.state == State::Completed && !finished {
        let shown_ms = view.ended_at.unwrap().ms_since(view.first_sms_at.unwrap());
        assert!(shown_ms >= 15_000, "seed {seed}: paid for and visible for {shown_ms} ms");
    }
}

/// One order whose SMS, cancel, finish, the supplier's end and the window's end fall together around second 18.
async fn race(seed: u64) -> (World, OrderView) {
    let mut dice = Dice(seed.wrapping_mul(77).wrapping_add(5));
    let world = World::hurried(seed).await;
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    match dice.roll(4) {
        0 => world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Cancelled),
        1 => world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::NotOpen),
        _ => {}
    }
    world.clock.advance(i64::try_from(13 + dice.roll(7)).unwrap()).await;
    let waits: Vec<u64> = (0..6).map(|_| dice.roll(240)).collect();
    let sms = async {
        wait(waits[0]).await;
        if !waits[0].is_multiple_of(5) {
            world.supplier().deliver(&phone, None, "Your code is 415127");
        }
    };
    let cancels = async {
        wait(waits[1]).await;
        if !waits[1].is_multiple_of(3) {
            let _ = world.cancel(order.id).await;
            wait(waits[2]).await;
            let _ = world.cancel(order.id).await;
        }
    };
    let finishes = async {
        let mut finished = false;
        for _ in 0..3 {
            wait(waits[3]).await;
            finished |= waits[3].is_multiple_of(3) && world.finish(order.id).await.is_ok();
        }
        finished
    };
    let ends = async {
        wait(waits[4]).await;
        if waits[4].is_multiple_of(4) {
            world.supplier().end(&phone);
        }
    };
    let reads = async {
        let mut shown: Option<OrderView> = None;
        for _ in 0..300 {
            tokio::task::yield_now().await;
            let view = world.order(order.id).await;
            assert_eq!(view.text.is_some(), view.code.is_some());
            if view.text.is_some() {
                assert!(!view.state.is_terminal(), "seed {seed}: content after the end");
                shown = Some(view);
            }
        }
        shown
    };
    let clock = async {
        wait(waits[5] % 20).await;
        world.clock.step(8 * 4, 250).await;
    };
    let (_, _, finished, _, shown, _) = tokio::join!(sms, cancels, finishes, ends, reads, clock);
    world.clock.advance(100).await;
    let view = world.order(order.id).await;
    assert!(view.state.is_terminal(), "seed {seed}: {view:?}");
    assert_settled(&world, seed, &view, shown.is_some(), finished).await;
    assert!(world.events(order.id).await.len() <= 5, "seed {seed}");
    (world, view)
}

#[tokio::test]
async fn u13_sms_cancel_expiry_finish_at_the_same_instant() {
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..300 {
        let (world, view) = race(seed).await;
        let state = view.state;
        let closing = if state == State::Completed { Capture } else { Release };
        world.assert_postings(view.id, &[Hold, closing]).await;
        // what the supplier does not take back is told again for hours, then given up
        world.supplier().script(|script| script.cancel = None);
        world.clock.step(48, 900_000).await;
        world.assert_purchases_booked("alpha").await;
        world.stop().await;
        *seen.entry(state).or_insert(0) += 1;
    }
    // the loop is worth something only if every way to end was taken
    for state in [State::Completed, State::Cancelled, State::Expired] {
        assert!(seen.get(&state).is_some_and(|n| *n >= 5), "{seen:?}");
    }
}

/// The second SMS and the end by time at the same instant: the order stays 15 s longer, or the SMS came too late.
#[tokio::test]
async fn u13_second_sms_and_the_end_by_time() {
    let mut stayed = 0;
    for seed in 0..120 {
        let world = World::hurried(seed).await;
        let order = world.place().await;
        let phone = order.phone.clone().unwrap();
        world.supplier().deliver(&phone, Some("m1"), "Your code is 415127");
        world.clock.advance(4).await;
        world.supplier().deliver(&phone, Some("m2"), "Your code is 999999");
        // it ends at second 20 by itself; an answer that was long under way brings the other SMS about then
        world.supplier().script.lock().unwrap().poll_ms = i64::try_from(11_000 + seed % 24 * 250).unwrap();
        world.clock.advance(60).await;
        let view = world.order(order.id).await;
        assert_eq!(view.status, Status::Completed);
        let told = world.platform.explain(world.account, order.id).await.unwrap();
        let last_sms = told.steps.iter().rev().find(|step| step.event == "order.otp_received").unwrap();
        let shown_ms = view.ended_at.unwrap().ms_since(last_sms.time);
        assert!(shown_ms >= 15_000, "seed {seed}: {shown_ms} ms");
        stayed += u32::from(view.revision == 2 && last_sms.time >= order.expires_at.unwrap());
        world.assert_postings(order.id, &[Hold, Capture]).await;
        world.stop().await;
    }
    assert!(stayed > 0, "the SMS never came at the last moment");
}

/// A poll that was under way when the customer finished brings nothing new: no event says that something came late.
#[tokio::test]
async fn u12_a_known_sms_is_not_a_late_one() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    world.supplier().script.lock().unwrap().poll_ms = 5_000;
    world.clock.advance(4).await;
    world.finish(order.id).await.unwrap();
    world.clock.advance(10).await;
    let events = world.events(order.id).await;
    assert!(!events.contains(&"order.late_sms".to_owned()), "{events:?}");
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

/// An SMS that comes with an answer after the cancel was committed: told without content, destroyed, not charged.
#[tokio::test]
async fn u12_an_sms_after_the_cancel_is_late() {
    let world = World::timed(0, 1_200, smscode_core::Settings::default()).await;
    let order = world.place().await;
    world.clock.advance(10).await;
    world.supplier().script.lock().unwrap().cancel = Some(CancelOutcome::Cancelled);
    world.supplier().script.lock().unwrap().poll_ms = 5_000;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    assert_eq!(world.cancel(order.id).await.unwrap().status, Status::Canceled);
    world.clock.advance(10).await;
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.revision, view.text), (Status::Canceled, 0, None));
    assert_eq!(world.events(order.id).await, ["order.placed", "order.active", "order.canceled", "order.late_sms"]);
    // its owner is told that and when it came, and what became of it
    let told = world.platform.explain(world.account, order.id).await.unwrap();
    let [.., end, late] = &told.steps[..] else { panic!("steps: {:?}", told.steps) };
    assert_eq!((&*late.event, &*late.state, late.sequence), ("order.late_sms", "cancelled", view.sequence));
    assert_eq!(late.rule, "an SMS came after the end: it is destroyed, and no money moves");
    assert!(late.time > end.time && late.transfer.is_none() && told.next.is_none());
    world.assert_postings(order.id, &[Hold, Release]).await;
    world.stop().await;
}
