//! Customers that delete their accounts, in moments that are hard for it, and what is there for them afterwards: nothing.

use std::sync::Arc;

use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::money::{Currency, Money};
use smscode_core::order::{OrderId, PlaceOrders, Wanted};
use smscode_core::token::Token;

use crate::clock::BEGAN;
use crate::customer::{self, AGAIN_US, PATIENCE_US, account_of, at_node, begin, command_now, node_of};
use crate::plan::{Delete, DeleteMoment, PAIRS, Visit};
use crate::world::{World, lock};

/// Within so long around its moment an account is deleted, in microseconds.
const ABOUT_US: i64 = 1_000;
/// How often it is looked whether a supplier decides about a cancel, in microseconds, and how often at most.
const LOOK_US: i64 = 10_000;
const LOOKS_MAX: u32 = 60;
/// An account is deleted so long before the end of an order's window at the earliest, and the check before it falls in.
const BEFORE_END_US: i64 = 6_000_000;
/// Who has deleted the account tries to use it again after this.
const LATER_US: i64 = 45_000_000;

/// Deletes an account, however often that takes, and looks whether anything of it is left for its customer.
pub(crate) async fn delete(world: Arc<World>, item: usize, delete: Delete) {
    world.timeline.sleep_until(delete.at_ms * 1_000).await;
    world.used(item);
    let account = account_of(&world, delete.customer).await;
    let (node, other) = (node_of(&world, delete.node), node_of(&world, delete.node + 1));
    let token = token(&world, account, node).await;
    wait_for_moment(&world, account, &delete, other).await;
    if delete.twice {
        begin(&world, |world| async move { until_deleted(&world, account, other).await });
    }
    until_deleted(&world, account, node).await;
    for (node, later_us) in [(other, 0), (node, LATER_US)] {
        world.timeline.sleep(later_us).await;
        nothing_is_left(&world, account, token.clone(), node).await;
    }
}

async fn token(world: &Arc<World>, account: AccountId, node: usize) -> Option<Token> {
    let made = at_node(world, node, move |platform| async move { platform.create_token(account, "phone").await });
    made.await?.ok()
}

/// Waits for the moment that the plan wants, and lets happen what is to happen in it.
async fn wait_for_moment(world: &Arc<World>, account: AccountId, delete: &Delete, other: usize) {
    let order = lock(&world.watch).with_number(account);
    match (delete.moment, order) {
        (DeleteMoment::AsSmsIsRead, _) => {
            if until_any_read(world, account).await {
                world.hit("delete as the SMS is read");
                world.timeline.sleep(world.about(ABOUT_US)).await;
            }
        }
        (DeleteMoment::WithCancel, Some((id, _))) => {
            begin(world, |world| async move { customer::cancel(&world, account, other, id).await });
            world.timeline.sleep(world.about(ABOUT_US)).await;
            // before the cancel is asked for, or while its supplier decides
            if world.toss(750) {
                while_deciding(world, id).await;
            }
        }
        (DeleteMoment::AtEnd, Some((_, Some(end)))) => {
            let early_us = world.about(BEFORE_END_US);
            world.timeline.sleep_until(end.0 - BEGAN.0 - early_us).await;
        }
        (DeleteMoment::AsPlaced, _) => {
            let visit = Visit::plain(delete.customer, other);
            begin(world, |world| async move {
                drop(customer::place(&world, account, &visit, other).await);
            });
            world.timeline.sleep(world.about(ABOUT_US)).await;
        }
        (DeleteMoment::Whenever | DeleteMoment::WithCancel | DeleteMoment::AtEnd, None | Some(_)) => {}
    }
}

/// Waits until a node reads the first SMS of any order of an account; whether one did.
async fn until_any_read(world: &Arc<World>, account: AccountId) -> bool {
    let limit = world.timeline.sleep(PATIENCE_US);
    tokio::pin!(limit);
    loop {
        // made before looking, so that nothing is missed
        let heard = world.read_one.notified();
        let waiting = lock(&world.watch).waiting(account);
        if waiting.iter().any(|activation| lock(&world.read).contains(activation)) {
            return true;
        }
        tokio::select! {
            biased;
            () = &mut limit => return false,
            () = heard => {}
        }
    }
}

/// Waits until an order is being cancelled.
async fn while_deciding(world: &Arc<World>, id: OrderId) {
    for _ in 0..LOOKS_MAX {
        if lock(&world.watch).is_deciding(id) {
            return;
        }
        world.timeline.sleep(LOOK_US).await;
    }
}

async fn until_deleted(world: &Arc<World>, account: AccountId, from: usize) {
    for node in from.. {
        world.tell("delete", [node_of(world, node) as u64, 0, 0], || {
            format!("an account, at node {}", node_of(world, node))
        });
        let deleted =
            command_now(
                world,
                node_of(world, node),
                move |platform| async move { platform.delete_account(account).await },
            );
        if let Some(Ok(())) = deleted.await {
            break;
        }
        world.timeline.sleep(AGAIN_US / 2).await;
    }
    let now = world.timeline.now_us();
    if !lock(&world.watch).is_gone(account, now) {
        lock(&world.watch).tells(now, account, "a deletion that was confirmed did not take effect".into());
    }
}

/// Every command for a deleted account finds no account.
async fn nothing_is_left(world: &Arc<World>, account: AccountId, token: Option<Token>, node: usize) {
    let order = lock(&world.watch).any_of(account);
    let answers = at_node(world, node, move |platform| async move {
        let mut answers = on_account(&platform, account).await;
        if let Some(order) = order {
            answers.extend(on_order(&platform, account, order).await);
        }
        if let Some(token) = token {
            let known = platform.authenticate(token.reveal()).await;
            answers
                .push(("authenticate", known.map_or_else(|e| Some(e.code()), |known| known.is_none().then_some(GONE))));
        }
        answers
    });
    let Some(answers) = answers.await else { return };
    world.hit("asks after the deletion");
    let fine = |code: &str| [GONE, "account_inactive", "unavailable"].contains(&code);
    for (command, code) in answers {
        // who sells nothing just now says that first
        if !code.is_some_and(|code| fine(code) || command == "place_orders") {
            let what = format!("{command} of a deleted account gives {}", code.unwrap_or("an answer"));
            lock(&world.watch).tells(world.timeline.now_us(), account, what);
        }
    }
}

/// The code of what is not there.
const GONE: &str = "not_found";

type Answers = Vec<(&'static str, Option<&'static str>)>;

async fn on_account(platform: &Platform, account: AccountId) -> Answers {
    let money = Money::new(1_000, Currency::Idr);
    let (country, service) = PAIRS[0];
    let wanted = PlaceOrders::many(Wanted::Pair { country, service: service.into() }, 1);
    vec![
        ("balance", platform.balance(account).await.err().map(|e| e.code())),
        ("statement", platform.statement(account, 0, 10).await.err().map(|e| e.code())),
        ("orders", platform.orders(account, None, 0, 10).await.err().map(|e| e.code())),
        ("open_orders", platform.open_orders(account).await.err().map(|e| e.code())),
        ("events", platform.events(account, 0, 10).await.err().map(|e| e.code())),
        ("deletion_preview", platform.deletion_preview(account).await.err().map(|e| e.code())),
        ("create_token", platform.create_token(account, "again").await.err().map(|e| e.code())),
        ("deposit", platform.deposit(account, money, "after the end").await.err().map(|e| e.code())),
        ("place_orders", platform.place_orders(account, wanted).await.err().map(|e| e.code())),
    ]
}

async fn on_order(platform: &Platform, account: AccountId, order: OrderId) -> Answers {
    vec![
        ("order", platform.order(account, order).await.err().map(|e| e.code())),
        ("explain", platform.explain(account, order).await.err().map(|e| e.code())),
        ("wait_for_sms", platform.wait_for_sms(account, order, 0, 1).await.err().map(|e| e.code())),
        ("cancel_order", platform.cancel_order(account, order).await.err().map(|e| e.code())),
        ("finish_order", platform.finish_order(account, order).await.err().map(|e| e.code())),
        ("request_sms", platform.request_sms(account, order).await.err().map(|e| e.code())),
        ("cancel_when_allowed", platform.cancel_order_when_allowed(account, order).await.err().map(|e| e.code())),
    ]
}
