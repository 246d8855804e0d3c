//! Calls that are dropped, and calls at the same time.

use std::collections::BTreeSet;
use std::pin::pin;

use futures_util::future::{Either, join_all, select};

use super::line::Reply;
use super::world::{World, accepted};
use super::{Call, Needs};
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::ActivationId;

/// Calls at once, if the supplier takes as many.
const AT_ONCE: u32 = 8;

/// Begins a call and drops it once its request has come; its reply is held back.
async fn dropped(w: &World, call: Call, id: &ActivationId) -> Checked {
    let before = w.line.count();
    w.line.break_all(Reply::Held.after());
    let ended = match select(pin!(w.tell(call, id)), pin!(w.line.reached(before + 1))).await {
        Either::Left((told, _)) => Some(told),
        Either::Right(_) => None,
    };
    w.line.mend();
    w.line.settled().await;
    match ended {
        Some(told) => Err(Failure::new(format!("{call:?} ended before its request had come: {told}"))),
        None => Ok(()),
    }
}

pub(super) async fn rule_13_a_dropped_call_leaves_the_adapter_sound(w: &mut World) -> Checked {
    for call in w.calls() {
        let id = w.buy().await?.id;
        if matches!(call, Call::More | Call::Finish) {
            w.fixture().deliver(&id, "Your code is 104200.").await;
        }
        dropped(w, call, &id).await?;
        w.tell(call, &id).await.is_done()?;
    }
    Ok(())
}

pub(super) async fn rule_13_a_dropped_purchase_goes_no_further(w: &mut World) -> Checked {
    let known = w.buy().await?;
    let (requests, sold) = (w.line.count(), w.sold().await.len());
    dropped(w, Call::Buy, &known.id).await?;
    w.state(&known.id).await?;
    w.supplier.balance().await?;
    w.line.settled().await;
    // what was dropped, the poll (which may make two), the balance
    holds(w.line.count() - requests <= 4, "requests after a dropped purchase")?;
    w.sold_so_far(&w.sold().await, sold + 1)?;
    if w.is_able(Needs::ActiveList) {
        same(&w.supplier.active().await?.len(), &(sold + 1), "open activations in the list")?;
    }
    Ok(())
}

pub(super) async fn rule_13_purchases_at_once_are_different_numbers(w: &mut World) -> Checked {
    let at_once = w.info.capabilities.concurrency.min(AT_ONCE);
    let requests: Vec<_> = (0..at_once).map(|_| w.request()).collect();
    let outcomes = join_all(requests.iter().map(|request| w.supplier.buy(request))).await;
    let mut ids = BTreeSet::new();
    for outcome in outcomes {
        ids.insert(accepted(outcome)?.id);
    }
    same(&ids.len(), &requests.len(), "different activations")?;
    w.sold_so_far(&w.sold().await, requests.len())
}

pub(super) async fn rule_13_a_slow_call_holds_up_no_other(w: &mut World) -> Checked {
    if w.info.capabilities.concurrency < 2 {
        return Ok(());
    }
    let id = w.buy().await?.id;
    let before = w.line.count();
    w.line.break_next(Reply::Held.before());
    let slow = pin!(w.tell(Call::Balance, &id));
    let slow = match select(slow, pin!(w.line.reached(before + 1))).await {
        Either::Left((told, _)) => {
            return Err(Failure::new(format!("a call ended before its request had come: {told}")));
        }
        Either::Right(((), slow)) => slow,
    };
    match select(pin!(w.tell(Call::Balance, &id)), slow).await {
        Either::Left((told, _)) => told.is_done(),
        Either::Right(_) => holds(false, "a call waits until a slow one is over"),
    }
}
