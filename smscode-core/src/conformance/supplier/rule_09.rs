//! Steps may be repeated.

use super::line::{Reply, unusable};
use super::world::World;
use super::{Answer, Call, Say};
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, ActivationState, CancelOutcome, FinishOutcome};

/// Checks that it is closed, with this charge.
async fn closed(w: &World, id: &ActivationId, charged: i64) -> Checked {
    let sold = w.booked(id).await?;
    same(&(sold.is_open, sold.charged.minor), &(false, charged), "whether it is open, and what is charged for it")
}

/// An activation with an SMS.
async fn received(w: &World) -> Result<ActivationId, crate::conformance::Failure> {
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, "Your code is 104200.").await;
    Ok(id)
}

pub(super) async fn rule_09_a_cancel_may_be_repeated(w: &mut World) -> Checked {
    let before = w.supplier.balance().await?;
    let id = w.buy().await?.id;
    same(&w.supplier.cancel(&id).await, &CancelOutcome::Cancelled, "the first cancel")?;
    for _ in 0..2 {
        w.tell(Call::Cancel, &id).await.is_done()?;
    }
    closed(w, &id, 0).await?;
    same(&w.supplier.balance().await?, &before, "the balance, refunded once")
}

pub(super) async fn rule_09_a_cancel_without_answer_is_found_done(w: &mut World) -> Checked {
    let before = w.supplier.balance().await?;
    let id = w.buy().await?.id;
    w.line.break_next(Reply::Closed.after());
    w.tell(Call::Cancel, &id).await.is_no_answer(&"a lost reply")?;
    w.line.mend();
    w.tell(Call::Cancel, &id).await.is_done()?;
    closed(w, &id, 0).await?;
    same(&w.supplier.balance().await?, &before, "the balance, refunded once")
}

pub(super) async fn rule_09_a_cancel_of_what_has_ended_is_not_open(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.fixture().end(&id).await;
    w.tell(Call::Cancel, &id).await.is_done()
}

pub(super) async fn rule_09_a_finish_keeps_the_charge(w: &mut World) -> Checked {
    let id = received(w).await?;
    same(&w.supplier.finish(&id).await, &FinishOutcome::Finished, "a finish after an SMS")?;
    closed(w, &id, w.price().minor).await?;
    let state = w.state(&id).await?;
    let over = !matches!(state, ActivationState::Waiting);
    holds(over, &format!("a finished activation does not wait for an SMS, but it is said: {state:?}"))
}

pub(super) async fn rule_09_a_finish_may_be_repeated(w: &mut World) -> Checked {
    let id = received(w).await?;
    for _ in 0..3 {
        same(&w.supplier.finish(&id).await, &FinishOutcome::Finished, "a finish, now or before")?;
    }
    closed(w, &id, w.price().minor).await
}

pub(super) async fn rule_09_a_finish_without_answer_is_found_done(w: &mut World) -> Checked {
    let id = received(w).await?;
    w.line.break_next(Reply::Closed.after());
    w.tell(Call::Finish, &id).await.is_no_answer(&"a lost reply")?;
    w.line.mend();
    same(&w.supplier.finish(&id).await, &FinishOutcome::Finished, "the second finish")
}

pub(super) async fn rule_09_a_finish_without_the_word_is_unknown(w: &mut World) -> Checked {
    for fault in unusable() {
        let id = received(w).await?;
        w.line.break_all(fault.clone());
        let told = w.tell(Call::Finish, &id).await;
        w.line.mend();
        told.is_no_answer(&fault)?;
    }
    Ok(())
}

pub(super) async fn rule_09_more_without_the_word_is_unknown(w: &mut World) -> Checked {
    let id = received(w).await?;
    for fault in unusable().into_iter().filter(|fault| !fault.passed_on) {
        w.line.break_all(fault.clone());
        let told = w.tell(Call::More, &id).await;
        w.line.mend();
        told.is_no_answer(&fault)?;
    }
    w.line.break_next(Reply::Closed.after());
    w.tell(Call::More, &id).await.is_no_answer(&"a lost reply")?;
    w.line.mend();
    w.tell(Call::More, &id).await.is_done()
}

pub(super) async fn rule_09_a_yes_in_another_state_is_no_success(w: &mut World) -> Checked {
    let id = received(w).await?;
    let sold = w.booked(&id).await?;
    for call in w.calls().into_iter().filter(|call| matches!(call, Call::Finish | Call::More)) {
        // one of the two may have no state in its answer
        let Some(Answer { status, body }) = w.fixture().answer(call, Say::StillOpen(&sold)) else { continue };
        w.line.break_all(Reply::body(status, &body).before());
        w.tell(call, &id).await.is_not_done(&"an answer that shows the activation as it was")?;
        w.line.mend();
    }
    Ok(())
}
