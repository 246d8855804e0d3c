//! `NotSent` means that no connection came about.

use super::Call;
use super::line::{Line, NOWHERE, Reply};
use super::world::{World, unclear};
use crate::conformance::failure::{Checked, holds};
use crate::port::{ActivationId, BuyOutcome};

pub(super) async fn rule_03_a_refused_connection_is_not_sent(w: &mut World) -> Checked {
    let gone = w.fixture().supplier(NOWHERE);
    let outcome = gone.buy(&w.request()).await;
    holds(matches!(outcome, BuyOutcome::NotSent(_)), &format!("nobody listens, but it is said: {outcome:?}"))
}

pub(super) async fn rule_03_a_refused_connection_fails_the_other_calls(w: &mut World) -> Checked {
    w.supplier = w.fixture().supplier(NOWHERE);
    for call in w.calls().into_iter().filter(|call| *call != Call::Buy) {
        w.tell(call, &ActivationId("1".into())).await.is_no_answer(&"a refused connection")?;
    }
    Ok(())
}

pub(super) async fn rule_03_a_connection_that_closes_may_have_carried_it(w: &mut World) -> Checked {
    let slamming = Line::slamming()?;
    let outcome = w.fixture().supplier(&slamming.url()).buy(&w.request()).await;
    unclear(&outcome, "a connection that was closed at once")
}

pub(super) async fn rule_03_a_reused_connection_may_have_carried_it(w: &mut World) -> Checked {
    // the first call leaves a connection in the adapter's pool
    w.supplier.balance().await?;
    w.line.break_next(Reply::Closed.before());
    unclear(&w.supplier.buy(&w.request()).await, "a connection that was closed instead of a reply")?;
    w.sold_so_far(&w.sold().await, 0)
}
