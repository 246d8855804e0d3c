//! A purchase is sent once.

use super::line::{Fault, Line, Reply, unusable};
use super::world::World;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{BuyOutcome, BuyRequest};

/// Requests of a purchase that goes well. An adapter that signs in first makes more than one, the first time.
async fn requests_of_one(w: &World) -> Result<usize, crate::conformance::Failure> {
    w.buy().await?;
    let before = w.line.count();
    w.buy().await?;
    Ok(w.line.count() - before)
}

/// Makes a purchase with this fault, which must not make more requests than one that goes well, nor buy twice.
async fn once(w: &World, most: usize, fault: Fault) -> Checked {
    let (requests, sold) = (w.line.count(), w.sold().await.len());
    w.line.break_next(fault.clone());
    let outcome = w.supplier.buy(&w.request()).await;
    w.line.mend();
    w.line.settled().await;
    let made = w.line.count() - requests;
    holds(made <= most, &format!("after {fault} the purchase was sent {made} times"))?;
    let bought = w.sold().await.len() - sold;
    holds(bought <= usize::from(fault.passed_on), &format!("after {fault} {bought} numbers were bought"))?;
    holds(!matches!(outcome, BuyOutcome::Accepted(_)), &format!("after {fault} nobody can know of a number"))
}

pub(super) async fn rule_02_one_purchase_is_one_number(w: &mut World) -> Checked {
    let made = requests_of_one(w).await?;
    w.sold_so_far(&w.sold().await, 2)?;
    same(&made, &1, "requests of a purchase")
}

pub(super) async fn rule_02_no_answer_in_time_is_no_reason_to_send_again(w: &mut World) -> Checked {
    let most = requests_of_one(w).await?;
    once(w, most, Reply::Held.after()).await
}

pub(super) async fn rule_02_a_lost_reply_is_no_reason_to_send_again(w: &mut World) -> Checked {
    let most = requests_of_one(w).await?;
    for fault in [Reply::Closed.after(), Reply::Closed.before(), Reply::Short.after()] {
        once(w, most, fault).await?;
    }
    Ok(())
}

pub(super) async fn rule_02_an_unusable_reply_is_no_reason_to_send_again(w: &mut World) -> Checked {
    let most = requests_of_one(w).await?;
    for fault in unusable() {
        once(w, most, fault).await?;
    }
    for status in [408, 409, 421, 425, 429, 500, 502, 503, 504] {
        once(w, most, Reply::body(status, "").before()).await?;
    }
    Ok(())
}

pub(super) async fn rule_02_a_refusal_is_no_reason_to_send_again(w: &mut World) -> Checked {
    let most = requests_of_one(w).await?;
    w.fixture().set_stock(0).await;
    let unknown = BuyRequest { service: "not_sold_by_anybody".into(), ..w.request() };
    let low = BuyRequest { ceiling: w.money(w.fixture().step_minor()), ..w.request() };
    for request in [w.request(), unknown, low] {
        let before = w.line.count();
        let outcome = w.supplier.buy(&request).await;
        holds(w.line.count() - before <= most, &format!("a purchase is sent again after {outcome:?}"))?;
    }
    w.sold_so_far(&w.sold().await, 2)
}

pub(super) async fn rule_02_a_redirect_is_no_reason_to_send_again(w: &mut World) -> Checked {
    let most = requests_of_one(w).await?;
    let elsewhere = Line::start(w.fixture().address())?;
    for status in [301, 302, 303, 307, 308] {
        once(w, most, Reply::Redirect(status, elsewhere.url()).before()).await?;
    }
    same(&elsewhere.count(), &0, "requests that followed a redirect")
}
