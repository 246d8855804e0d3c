//! What operators do: adjustments, corrections of what a supplier took, wind-downs.

use std::sync::Arc;

use smscode_core::ledger::{Adjust, AdjustError, CorrectionError, OperatorError};
use smscode_core::money::{Currency, Money};

use crate::customer::{AGAIN_US, account_of, at_node, begin, node_of};
use crate::node::ADJUST_ALONE_MAX;
use crate::plan::{Adjustment, Second};
use crate::world::{World, lock};

/// Books an adjustment, however often that takes; perhaps at two nodes at once.
pub(crate) async fn adjust(world: Arc<World>, item: usize, adjustment: Adjustment) {
    world.timeline.sleep_until(adjustment.at_ms * 1_000).await;
    world.used(item);
    let account = account_of(&world, adjustment.customer).await;
    let wanted = Adjust {
        account,
        amount: Money::new(adjustment.minor, Currency::Idr),
        reason: "goodwill".into(),
        actor: "anna".into(),
        second: match adjustment.second {
            Second::Nobody => None,
            Second::Same => Some("Anna".into()),
            Second::Other => Some("bert".into()),
        },
        reference: format!("adjustment-{}", adjustment.reference),
    };
    if adjustment.twice {
        let again = wanted.clone();
        begin(&world, |world| async move { until_booked(&world, &again, 1).await });
    }
    until_booked(&world, &wanted, 0).await;
}

/// Whether an adjustment may be booked at all, by the rule that two must agree above a limit.
fn is_agreed(wanted: &Adjust) -> bool {
    match &wanted.second {
        Some(second) => !second.eq_ignore_ascii_case(&wanted.actor),
        None => wanted.amount.minor.abs() <= ADJUST_ALONE_MAX,
    }
}

async fn until_booked(world: &Arc<World>, wanted: &Adjust, from: usize) {
    for node in from.. {
        let again = wanted.clone();
        let booked = at_node(world, node_of(world, node), |platform| async move { platform.adjust(&again).await });
        let now = world.timeline.now_us();
        match booked.await {
            Some(Ok(_)) => {
                world.hit("O4");
                let subject = format!("adjust:{}", wanted.reference);
                if !is_agreed(wanted) || !lock(&world.watch).is_booked(&subject) {
                    let what = format!("{subject} is said to be booked");
                    lock(&world.watch).tells(now, wanted.account, what);
                }
                return;
            }
            Some(Err(AdjustError::Unavailable(_))) | None => world.timeline.sleep(AGAIN_US / 2).await,
            Some(Err(AdjustError::SecondActor { .. })) => {
                world.hit("O4 by one alone");
                if is_agreed(wanted) {
                    lock(&world.watch).tells(now, wanted.account, "an adjustment of two is refused".into());
                }
                return;
            }
            // taken from somebody who has less, or who is gone
            Some(Err(_)) => return,
        }
    }
}

/// A supplier takes money, or gives it back, for what was settled long ago: it is booked once, however often it is told.
pub(crate) async fn clawback(world: Arc<World>, item: usize, at_ms: i64, (shop, minor, reference): (usize, i64, u32)) {
    world.timeline.sleep_until(at_ms * 1_000).await;
    world.used(item);
    let (name, currency) = {
        let mut shop = lock(&world.shops[shop]);
        let balance = shop.model.balance();
        shop.model.set_balance(Money::new(balance.minor - minor, balance.currency));
        (shop.info.name.clone(), shop.info.currency)
    };
    let mut told = 0;
    for node in 0.. {
        let (name, reference) = (name.clone(), format!("clawback-{reference}"));
        let booked = at_node(&world, node_of(&world, node), move |platform| async move {
            platform.correct_supplier(&name, Money::new(minor, currency), &reference).await
        });
        match booked.await {
            Some(Ok(now)) => {
                told += 1;
                if now {
                    world.hit("U20");
                }
                if told == 2 {
                    return;
                }
            }
            Some(Err(CorrectionError::Unavailable(_))) | None => world.timeline.sleep(AGAIN_US / 2).await,
            Some(Err(error)) => {
                return lock(&world.watch).stuck(world.timeline.now_us(), format!("a correction is refused: {error}"));
            }
        }
    }
}

/// No new orders and deposits for a while.
pub(crate) async fn wind_down(world: Arc<World>, item: usize, at_ms: i64, for_ms: i64) {
    world.timeline.sleep_until(at_ms * 1_000).await;
    world.used(item);
    for begins in [true, false] {
        for node in 0.. {
            let set = at_node(&world, node_of(&world, node), move |platform| async move {
                match begins {
                    true => platform.begin_wind_down("anna", "a test").await,
                    false => platform.end_wind_down("anna", "a test").await,
                }
            });
            match set.await {
                Some(Err(OperatorError::Unavailable(_))) | None => world.timeline.sleep(AGAIN_US / 2).await,
                Some(Ok(_) | Err(_)) => break,
            }
        }
        if begins {
            world.timeline.sleep(for_ms * 1_000).await;
        }
    }
}
