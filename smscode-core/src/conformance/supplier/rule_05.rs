//! A read never invents an end.

use super::line::{Reply, unusable};
use super::world::World;
use super::{Answer, Call, Say};
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, ActivationState};

/// The calls that only read.
const READS: [Call; 5] = [Call::Offers, Call::Balance, Call::Poll, Call::Active, Call::History];

pub(super) async fn rule_05_an_undocumented_status_is_no_end(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    let sold = w.booked(&bought.id).await?;
    let Answer { status, body } = w.answer(Call::Poll, Say::Status(&sold))?;
    w.line.break_all(Reply::body(status, &body).before());
    w.tell(Call::Poll, &bought.id).await.is_no_answer(&"a status that the documentation does not have")?;
    w.line.mend();
    same(&w.state(&bought.id).await?, &ActivationState::Waiting, "the state after that")
}

pub(super) async fn rule_05_an_undocumented_word_is_no_end(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    let Answer { status, body } = w.answer(Call::Poll, Say::Undocumented)?;
    w.line.break_all(Reply::body(status, &body).before());
    w.tell(Call::Poll, &bought.id).await.is_no_answer(&"a word that the documentation does not have")
}

pub(super) async fn rule_05_an_end_is_told(w: &mut World) -> Checked {
    let (ended, open) = (w.buy().await?.id, w.buy().await?.id);
    w.fixture().end(&ended).await;
    let state = w.state(&ended).await?;
    let over = matches!(state, ActivationState::Ended | ActivationState::NotFound);
    holds(over, &format!("an activation has ended at the vendor, but it is said: {state:?}"))?;
    same(&w.state(&open).await?, &ActivationState::Waiting, "the state of the one that is open")
}

pub(super) async fn rule_05_an_id_that_is_not_known_is_not_found(w: &mut World) -> Checked {
    let state = w.state(&ActivationId("90071992547409".into())).await?;
    same(&state, &ActivationState::NotFound, "the state of an id that the vendor does not know")
}

pub(super) async fn rule_05_a_failed_read_ends_nothing(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    for fault in unusable() {
        for call in w.calls().into_iter().filter(|call| READS.contains(call)) {
            w.line.break_all(fault.clone());
            let told = w.tell(call, &bought.id).await;
            w.line.mend();
            told.is_no_answer(&fault)?;
        }
    }
    same(&w.state(&bought.id).await?, &ActivationState::Waiting, "the state after all that")
}

pub(super) async fn rule_05_a_404_page_ends_nothing(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    w.line.break_all(Reply::body(404, "<html><body>404 Not Found</body></html>").before());
    for call in w.calls().into_iter().filter(|call| READS.contains(call)) {
        w.tell(call, &bought.id).await.is_no_answer(&"a page with status 404")?;
    }
    Ok(())
}

pub(super) async fn rule_05_a_refused_key_is_told_by_every_call(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    for call in w.calls() {
        let Answer { status, body } = w.answer(call, Say::Unauthorised)?;
        w.line.break_all(Reply::body(status, &body).before());
        w.tell(call, &bought.id).await.is_unauthorised()?;
    }
    Ok(())
}

pub(super) async fn rule_05_a_request_to_slow_down_is_told_by_every_call(w: &mut World) -> Checked {
    let bought = w.buy().await?;
    for call in w.calls() {
        let Answer { status, body } = w.answer(call, Say::RateLimited)?;
        w.line.break_all(Reply::body(status, &body).before());
        w.tell(call, &bought.id).await.is_throttled()?;
    }
    Ok(())
}
