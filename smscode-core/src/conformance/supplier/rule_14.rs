//! The history is whole, or an error, and says of the money what the vendor's books say.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::future::{Either, select};

use super::line::{Reply, unusable};
use super::world::{World, accepted};
use super::{Answer, Call, Say, Sold, rule_12};
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, ActivationState, CallError, CancelOutcome, Charge};

/// If a history takes more requests than this, each is lost in one way, by turns, and not in every way.
const EVERY_WAY_MAX: usize = 8;

/// What the history says of each activation, each once.
async fn listed(w: &World) -> Result<BTreeMap<ActivationId, Charge>, Failure> {
    let found = w.history().await?;
    let count = found.len();
    let by_id: BTreeMap<ActivationId, Charge> = found.into_iter().map(|past| (past.id, past.charge)).collect();
    same(&by_id.len(), &count, "rows of the history, each activation once")?;
    Ok(by_id)
}

/// Buys more than two pages.
async fn buy_many(w: &World) -> Result<BTreeSet<ActivationId>, Failure> {
    let mut bought = BTreeSet::new();
    for _ in 0..w.fixture().many() {
        bought.insert(w.buy().await?.id);
    }
    Ok(bought)
}

/// Whether the history says what the books say.
fn is_that_of(sold: &Sold, charge: Charge) -> bool {
    match charge {
        Charge::Undecided => sold.is_open,
        Charge::Returned => !sold.is_open && sold.charged.minor == 0,
        Charge::Kept(cost) => !sold.is_open && sold.charged.minor > 0 && cost.is_none_or(|cost| cost == sold.charged),
    }
}

pub(super) async fn rule_14_an_empty_history_is_told_from_none(w: &mut World) -> Checked {
    let found = w.history().await;
    if w.info.capabilities.lists_history {
        return same(&found, &Ok(Vec::new()), "the history of an account that has bought nothing");
    }
    same(&found, &Err(CallError::Unsupported), "a history that the vendor does not have")
}

pub(super) async fn rule_14_the_history_is_that_of_the_books(w: &mut World) -> Checked {
    let (paid, cancelled, ended, open) = (w.buy().await?, w.buy().await?, w.buy().await?, w.buy().await?);
    w.fixture().deliver(&paid.id, "Your code is 104200.").await;
    w.fixture().deliver(&open.id, "Your code is 104201.").await;
    holds(matches!(w.state(&paid.id).await?, ActivationState::Received(_)), "the SMS is there")?;
    w.fixture().end(&paid.id).await;
    w.fixture().end(&ended.id).await;
    same(&w.supplier.cancel(&cancelled.id).await, &CancelOutcome::Cancelled, "a cancel that nothing stands against")?;
    let found = listed(w).await?;
    let sold = w.sold().await;
    same(&found.len(), &sold.len(), "activations in the history")?;
    for one in &sold {
        let charge = found.get(&one.id).copied();
        let so = charge.is_some_and(|charge| is_that_of(one, charge));
        let charged = one.charged;
        holds(so, &format!("the books say open: {}, charged: {charged:?}; the history {charge:?}", one.is_open))?;
    }
    // the books themselves: what is paid for is charged, what was cancelled is not
    let booked =
        |id: &ActivationId| sold.iter().find(|one| one.id == *id).map(|one| (one.is_open, one.charged.minor > 0));
    same(&booked(&paid.id), &Some((false, true)), "an activation that ended with an SMS")?;
    same(&booked(&cancelled.id), &Some((false, false)), "an activation that was cancelled")
}

pub(super) async fn rule_14_the_history_has_every_page(w: &mut World) -> Checked {
    let bought = buy_many(w).await?;
    let found: BTreeSet<ActivationId> = listed(w).await?.into_keys().collect();
    same(&found.len(), &bought.len(), "activations in the history")?;
    same(&found, &bought, "the ids in the history")
}

pub(super) async fn rule_14_a_history_that_cannot_be_read_is_not_empty(w: &mut World) -> Checked {
    w.buy().await?;
    for fault in unusable() {
        w.line.break_all(fault.clone());
        let told = w.tell(Call::History, &ActivationId("1".into())).await;
        w.line.mend();
        told.is_no_answer(&fault)?;
    }
    same(&listed(w).await?.len(), &1, "activations in the history after all that")
}

pub(super) async fn rule_14_a_page_that_is_missing_fails_the_history(w: &mut World) -> Checked {
    buy_many(w).await?;
    let before = w.line.count();
    let whole = listed(w).await?;
    let requests = w.line.count() - before;
    let faults =
        [Reply::Closed.before(), Reply::body(200, "").before(), Reply::body(502, "").before(), Reply::Cut.after()];
    for at in 0..requests {
        let ways =
            if requests <= EVERY_WAY_MAX { &faults[..] } else { std::slice::from_ref(&faults[at % faults.len()]) };
        for fault in ways {
            w.line.break_after(at, fault.clone());
            let told = w.tell(Call::History, &ActivationId("1".into())).await;
            w.line.mend();
            told.is_no_answer(&format!("{fault} as request {} of {requests} of the history", at + 1))?;
        }
    }
    same(&listed(w).await?, &whole, "the history after all that")
}

pub(super) async fn rule_14_a_history_that_grows_meanwhile_leaves_nothing_out(w: &mut World) -> Checked {
    let bought = buy_many(w).await?;
    let before = w.line.count();
    w.line.break_after(1, Reply::Paused.after());
    let found = match select(pin!(w.history()), pin!(w.line.reached(before + 2))).await {
        // a history of one page cannot move
        Either::Left((found, _)) => found,
        Either::Right(((), reading)) => {
            w.line.mend();
            w.buy().await?;
            w.line.resume();
            reading.await
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return same(&error.code(), &"supplier_unusable", "the error of a history that grew"),
    };
    let ids: BTreeSet<ActivationId> = found.iter().map(|past| past.id.clone()).collect();
    same(&ids.len(), &found.len(), "rows of the history, each activation once")?;
    same(&bought.difference(&ids).count(), &0, "activations that the history leaves out")
}

pub(super) async fn rule_14_what_is_kept_keeps_every_digit(w: &mut World) -> Checked {
    let mut wanted = BTreeMap::new();
    // one more that a float does not have
    for steps in rule_12::STEPS.into_iter().chain([36_028_797_018_963_969]) {
        // it fits only where a step is small
        let Some(minor) = steps.checked_mul(w.fixture().step_minor()) else { continue };
        let price = w.money(minor);
        w.fixture().set_price(price).await;
        w.fixture().set_balance(price).await;
        let bought = accepted(w.supplier.buy(&crate::port::BuyRequest { ceiling: price, ..w.request() }).await)?;
        w.fixture().deliver(&bought.id, "Your code is 104200.").await;
        w.fixture().end(&bought.id).await;
        wanted.insert(bought.id, price);
    }
    let found = listed(w).await?;
    for (id, price) in &wanted {
        match found.get(id) {
            // not every vendor says how much
            Some(Charge::Kept(None)) => {}
            charge => same(&charge, &Some(&Charge::Kept(Some(*price))), "what is kept")?,
        }
    }
    Ok(())
}

pub(super) async fn rule_14_an_undocumented_status_decides_nothing(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    let sold = w.booked(&bought.id).await?;
    let Answer { status, body } = w.answer(Call::History, Say::Status(&sold))?;
    // the same on the first page alone; a history of pages ends behind it
    w.line.break_next(Reply::body(status, &body).before());
    let found = w.history().await;
    w.line.mend();
    match found {
        Err(error) => same(&error.code(), &"supplier_unusable", "the error of a status that is not documented"),
        Ok(found) => {
            let of_it = found.iter().find(|past| past.id == bought.id);
            same(&of_it.map(|past| past.charge), &Some(Charge::Undecided), "what follows from it")
        }
    }
}
