//! J5, J6, U14, U15, U28: an SMS comes.

use smscode_core::order::{OrderError, Status};
use smscode_core::port::SupplierSms;
use smscode_core::store::TransferKind::{Capture, Hold};
use smscode_core::{Platform, Settings};

use crate::support::{COST, PRICE, World};

#[tokio::test]
async fn j5_order_sms_finish() {
    let world = World::new().await;
    let placed_at = world.platform.now();
    let order = world.place().await;
    assert_eq!((order.status, order.price.minor), (Status::Active, PRICE));
    assert_eq!(world.held().await, PRICE);
    let earliest = placed_at.plus_seconds(120);
    let actions = order.actions;
    assert_eq!((actions.cancel, actions.replace, actions.cancel_at), (false, false, Some(earliest)));
    assert!(!actions.finish && !actions.resend && !actions.reactivate && actions.resend_at.is_none());
    assert_eq!(order.expires_at, Some(placed_at.plus_seconds(1_200)));
    let phone = order.phone.clone().unwrap();
    world.supplier().deliver(&phone, Some("m1"), "Your code is 415127");
    world.clock.advance(4).await;
    let received = world.order(order.id).await;
    assert_eq!(received.status, Status::OtpReceived);
    assert_eq!((received.code.as_deref(), received.revision), (Some("415127"), 1));
    assert_eq!(received.text.as_deref(), Some("Your code is 415127"));
    let actions = received.actions;
    assert!(actions.finish && actions.resend && !actions.cancel && !actions.replace);
    assert_eq!((actions.cancel_at, actions.resend_at), (None, None));
    world.assert_postings(order.id, &[Hold, Capture]).await;
    let done = world.finish(order.id).await.unwrap();
    assert_eq!(done.status, Status::Completed);
    assert_eq!((done.code, done.text, done.phone), (None, None, None));
    assert!(done.purged_at.is_some() && done.purged_at == done.ended_at);
    assert!(done.first_sms_at.is_some() && done.revision == 1);
    assert_eq!(done.actions, smscode_core::order::Actions::default());
    world.clock.advance(3).await;
    assert!(world.supplier().sold()[0].finished, "the supplier was not told");
    assert_eq!(world.events(order.id).await, ["order.placed", "order.active", "order.otp_received", "order.completed"]);
    let request = &world.supplier().sold()[0].request;
    assert_eq!((request.country, request.service.as_str(), request.ceiling.minor), (6, "wa", COST));
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn j5_the_window_ends_after_an_sms() {
    let world = World::new().await;
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    world.supplier().deliver(&phone, None, "415127");
    world.clock.step(1_199, 1_000).await;
    assert_eq!(world.order(order.id).await.status, Status::OtpReceived);
    world.clock.advance(5).await;
    let done = world.order(order.id).await;
    assert_eq!((done.status, done.ended_at >= order.expires_at), (Status::Completed, true));
    let explained = world.platform.explain(world.account, order.id).await.unwrap();
    let last = explained.steps.last().unwrap();
    assert_eq!(last.event, "order.completed");
    assert!(last.rule.starts_with("the window is over"), "{}", last.rule);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn j5_explain_tells_rules_money_and_reasons() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(4).await;
    let told = world.platform.explain(world.account, order.id).await.unwrap();
    let steps: Vec<_> = told
        .steps
        .iter()
        .map(|step| (step.sequence, step.event.as_str(), step.state.as_str(), step.transfer.as_deref()))
        .collect();
    assert_eq!(
        steps,
        [
            (1, "order.placed", "calling", Some("hold 2080 IDR")),
            (2, "order.active", "active", None),
            (3, "order.otp_received", "received", Some("capture 2080 IDR")),
        ]
    );
    let allowed: Vec<_> = told.allowed.iter().map(|one| (one.action, one.allowed)).collect();
    assert_eq!(allowed, [("finish", true), ("resend", true), ("cancel", false)]);
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn j5_a_last_sms_is_visible_for_15_seconds() {
    let world = World::timed(0, 30, Settings::default()).await;
    let order = world.place().await;
    world.clock.advance(24).await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Your code is 415127");
    world.clock.advance(4).await;
    let sms_at = world.order(order.id).await.first_sms_at.unwrap();
    loop {
        let view = world.order(order.id).await;
        let age_ms = world.platform.now().ms_since(sms_at);
        if view.status == Status::Completed {
            assert!((15_000..17_000).contains(&age_ms), "ended after {age_ms} ms");
            break;
        }
        assert_eq!(view.code.as_deref(), Some("415127"));
        assert!(age_ms < 20_000, "it does not end");
        world.clock.step(1, 250).await;
    }
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn j6_second_code() {
    let world = World::new().await;
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    let too_soon = world.platform.request_sms(world.account, order.id).await.unwrap_err();
    assert_eq!(too_soon.code(), "conflict");
    world.supplier().deliver(&phone, Some("m1"), "Your code is 415127");
    world.clock.advance(4).await;
    let (view, told) = world.platform.request_sms(world.account, order.id).await.unwrap();
    assert!(told && view.awaiting_more);
    assert_eq!((view.status, view.revision, view.code.as_deref()), (Status::Active, 1, Some("415127")));
    let pause_ends = world.platform.now().plus_seconds(30);
    assert!(view.actions.finish && !view.actions.resend && !view.actions.cancel && !view.actions.replace);
    assert_eq!(view.actions.resend_at, Some(pause_ends));
    world.clock.advance(10).await;
    assert_eq!(
        world.platform.request_sms(world.account, order.id).await.unwrap_err(),
        OrderError::ResendTooEarly { at: pause_ends }
    );
    assert_eq!(world.cancel(order.id).await.unwrap_err().code(), "conflict");
    // the same digits again, then no code at all: the revision tells
    world.supplier().deliver(&phone, Some("m2"), "Your code is 415127");
    world.clock.advance(4).await;
    let again = world.order(order.id).await;
    assert_eq!((again.status, again.revision, again.awaiting_more), (Status::OtpReceived, 2, false));
    world.supplier().deliver(&phone, Some("m3"), "Welcome!");
    world.clock.advance(20).await;
    let third = world.order(order.id).await;
    assert_eq!((third.revision, third.code.as_deref()), (3, Some("415127")), "the code is kept");
    assert_eq!(third.text.as_deref(), Some("Welcome!"));
    let (_, told) = world.platform.request_sms(world.account, order.id).await.unwrap();
    assert!(told, "the pause is over");
    world.clock.step(1_200, 1_000).await;
    let done = world.order(order.id).await;
    assert_eq!((done.status, done.revision), (Status::Completed, 3));
    assert_eq!(
        world.events(order.id).await,
        [
            "order.placed",
            "order.active",
            "order.otp_received",
            "order.resend",
            "order.otp_received",
            "order.otp_received",
            "order.resend",
            "order.completed"
        ]
    );
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn j6_the_supplier_refuses_another_sms() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(4).await;
    world.supplier().script.lock().unwrap().more_refused = true;
    let (view, told) = world.platform.request_sms(world.account, order.id).await.unwrap();
    assert!(!told && view.actions.finish && !view.actions.cancel);
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u14_duplicates_and_two_sms_are_charged_once() {
    let world = World::new().await;
    let order = world.place().await;
    let phone = order.phone.clone().unwrap();
    let sms = |id: Option<&str>, at: Option<&str>, text: &str| SupplierSms {
        id: id.map(str::to_owned),
        at: at.map(str::to_owned),
        text: text.into(),
        ..SupplierSms::default()
    };
    // two at once, one of them twice
    world.supplier().deliver_sms(&phone, sms(Some("a"), None, "Your code is 111111"));
    world.supplier().deliver_sms(&phone, sms(Some("b"), None, "Your code is 222222"));
    world.supplier().deliver_sms(&phone, sms(Some("a"), None, "Your code is 111111"));
    world.clock.advance(10).await;
    let view = world.order(order.id).await;
    assert_eq!((view.revision, view.code.as_deref()), (2, Some("222222")));
    // no id: time and text tell them apart; the same at every poll is the same SMS
    world.supplier().deliver_sms(&phone, sms(None, Some("10:00:01"), "Your code is 333333"));
    world.clock.advance(10).await;
    assert_eq!(world.order(order.id).await.revision, 3);
    world.supplier().deliver_sms(&phone, sms(None, Some("10:00:09"), "Your code is 333333"));
    world.clock.advance(10).await;
    assert_eq!(world.order(order.id).await.revision, 4);
    // out of order: an old one again
    world.supplier().deliver_sms(&phone, sms(Some("b"), None, "Your code is 222222"));
    world.clock.advance(10).await;
    let view = world.order(order.id).await;
    assert_eq!((view.revision, view.code.as_deref()), (4, Some("333333")));
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u14_more_sms_than_are_kept_do_no_harm() {
    let world = World::new().await;
    let (order, other) = (world.place().await, world.place().await);
    // quotes double in JSON: the worst that fits a text
    let long = "\"".repeat(5_000);
    for n in 0..14 {
        let id = format!("m{n}");
        world.supplier().deliver(order.phone.as_ref().unwrap(), Some(&id), &long);
        world.clock.advance(4).await;
    }
    world.supplier().deliver(other.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(6).await;
    assert_eq!(world.order(other.id).await.code.as_deref(), Some("415127"), "others must not starve");
    let view = world.order(order.id).await;
    assert!((3..=10).contains(&view.revision), "{}", view.revision);
    assert_eq!(view.text.unwrap().len(), 3_000);
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u15_an_sms_without_a_code_is_delivered() {
    let world = World::new().await;
    let order = world.place().await;
    world.supplier().deliver(order.phone.as_ref().unwrap(), None, "Welcome aboard!");
    world.clock.advance(4).await;
    let view = world.order(order.id).await;
    assert_eq!((view.status, view.revision), (Status::OtpReceived, 1));
    assert_eq!((view.code.as_deref(), view.text.as_deref()), (None, Some("Welcome aboard!")));
    assert_eq!(world.cancel(order.id).await.unwrap_err().code(), "conflict");
    world.finish(order.id).await.unwrap();
    world.assert_postings(order.id, &[Hold, Capture]).await;
    world.stop().await;
}

#[tokio::test]
async fn u28_price_and_stock_change_meanwhile() {
    let world = World::new().await;
    let (kept, expired) = (world.place().await, world.place().await);
    {
        let mut script = world.supplier().script.lock().unwrap();
        script.offers.retain(|offer| offer.service != "wa");
    }
    world.clock.advance(61).await;
    assert_eq!(price_of(&world.platform), None);
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "no_offer");
    world.supplier().deliver(kept.phone.as_ref().unwrap(), None, "415127");
    world.clock.advance(6).await;
    assert_eq!(world.order(kept.id).await.price.minor, PRICE);
    world.assert_postings(kept.id, &[Hold, Capture]).await;
    // the operator restarts with another markup and the service disabled
    let mut settings = Settings::default();
    settings.price_rule.markup_ppm = 900_000;
    settings.blocked_services.insert("wa".into());
    let world = world.reborn(5, settings).await;
    assert_eq!(world.place_orders(World::whatsapp()).await.unwrap_err().code(), "blocked_service");
    assert_eq!(world.order(expired.id).await.price.minor, PRICE);
    let done = world.finish(kept.id).await.unwrap();
    assert_eq!((done.status, done.price.minor), (Status::Completed, PRICE));
    world.clock.step(1_200, 1_000).await;
    assert_eq!(world.order(expired.id).await.status, Status::Expired);
    assert_eq!(world.available().await, crate::support::MONEY - PRICE);
    world.assert_postings(expired.id, &[Hold, smscode_core::store::TransferKind::Release]).await;
    world.stop().await;
}

fn price_of(platform: &Platform) -> Option<i64> {
    let catalogue = platform.catalogue();
    let offers = catalogue.products(Some(6), Some("wa"), smscode_core::catalogue::Sort::PriceAscending);
    offers.first().map(|product| product.price.minor)
}
