//! A cancel is done by the exact word for it.

use super::line::{Reply, unusable};
use super::world::World;
use super::{Answer, Call, Needs, Say};
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, CancelOutcome};

/// Checks that the activation is open and paid for, as if no cancel had been asked for.
async fn untouched(w: &World, id: &ActivationId) -> Checked {
    let sold = w.booked(id).await?;
    same(&(sold.is_open, sold.charged), &(true, w.price()), "whether it is open, and what is charged for it")
}

pub(super) async fn rule_08_a_cancel_gives_the_money_back(w: &mut World) -> Checked {
    let before = w.supplier.balance().await?;
    let (id, other) = (w.buy().await?.id, w.buy().await?.id);
    same(&w.supplier.cancel(&id).await, &CancelOutcome::Cancelled, "a cancel that nothing stands against")?;
    let sold = w.booked(&id).await?;
    same(&(sold.is_open, sold.charged.minor), &(false, 0), "whether it is open, and what is charged for it")?;
    untouched(w, &other).await?;
    same(&w.supplier.balance().await?, &w.money(before.minor - w.price().minor), "the balance after a refund")
}

pub(super) async fn rule_08_too_early_is_told(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    let Answer { status, body } = w.answer(Call::Cancel, Say::TooEarly)?;
    w.line.break_next(Reply::body(status, &body).before());
    same(&w.supplier.cancel(&id).await, &CancelOutcome::TooEarly, "a cancel that is too early")?;
    untouched(w, &id).await
}

pub(super) async fn rule_08_after_an_sms_it_is_not_cancelled(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, "Your code is 104200.").await;
    let outcome = w.supplier.cancel(&id).await;
    let told = match outcome {
        CancelOutcome::SmsArrived | CancelOutcome::NotOpen | CancelOutcome::Refused(_) => true,
        CancelOutcome::Cancelled | CancelOutcome::TooEarly | CancelOutcome::Unknown(_) => false,
    };
    holds(told, &format!("an SMS was faster than the cancel, but it is said: {outcome:?}"))?;
    untouched(w, &id).await
}

pub(super) async fn rule_08_an_sms_that_was_faster_is_told(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.fixture().deliver(&id, "Your code is 104200.").await;
    same(&w.supplier.cancel(&id).await, &CancelOutcome::SmsArrived, "a cancel after an SMS")
}

pub(super) async fn rule_08_what_is_not_there_is_not_cancelled(w: &mut World) -> Checked {
    let outcome = w.supplier.cancel(&ActivationId("90071992547409".into())).await;
    same(&outcome, &CancelOutcome::NotOpen, "a cancel of an id that the vendor does not know")
}

pub(super) async fn rule_08_without_the_word_it_is_unknown(w: &mut World) -> Checked {
    for fault in unusable() {
        let id = w.buy().await?.id;
        w.line.break_all(fault.clone());
        let told = w.tell(Call::Cancel, &id).await;
        w.line.mend();
        told.is_no_answer(&fault)?;
        if !fault.passed_on {
            untouched(w, &id).await?;
        }
    }
    Ok(())
}

pub(super) async fn rule_08_a_404_page_cancels_nothing(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    w.line.break_all(Reply::body(404, "<html><body>404 Not Found</body></html>").before());
    w.tell(Call::Cancel, &id).await.is_no_answer(&"a page with status 404")?;
    untouched(w, &id).await
}

pub(super) async fn rule_08_a_yes_in_another_state_is_no_success(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    let sold = w.booked(&id).await?;
    let Answer { status, body } = w.answer(Call::Cancel, Say::StillOpen(&sold))?;
    w.line.break_all(Reply::body(status, &body).before());
    w.tell(Call::Cancel, &id).await.is_not_done(&"an answer that shows the activation as it was")?;
    untouched(w, &id).await
}

pub(super) async fn rule_08_another_word_is_no_success(w: &mut World) -> Checked {
    let id = w.buy().await?.id;
    let mut words = vec![Say::Undocumented];
    let known =
        [(Needs::Broken, Say::Broken), (Needs::RateLimited, Say::RateLimited), (Needs::TooEarly, Say::TooEarly)];
    for (needs, say) in known {
        if w.is_able(needs) {
            words.push(say);
        }
    }
    for say in words {
        let Answer { status, body } = w.answer(Call::Cancel, say)?;
        w.line.break_all(Reply::body(status, &body).before());
        w.tell(Call::Cancel, &id).await.is_not_done(&format!("the vendor's {say:?}"))?;
    }
    untouched(w, &id).await
}
