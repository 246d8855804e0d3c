//! The list of what is open is whole, or an error.

use std::collections::BTreeSet;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::Call;
use super::line::{Reply, unusable};
use super::world::World;
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, CallError};

/// If a list takes more requests than this, each is lost in one way, by turns, and not in every way: a list that is read
/// by the row would take minutes.
const EVERY_WAY_MAX: usize = 8;

/// The ids that the list has, each once.
async fn listed(w: &World) -> Result<BTreeSet<ActivationId>, Failure> {
    let found = w.supplier.active().await?;
    let ids: BTreeSet<ActivationId> = found.iter().map(|one| one.id.clone()).collect();
    same(&ids.len(), &found.len(), "rows of the list, each activation once")?;
    Ok(ids)
}

pub(super) async fn rule_07_an_empty_list_is_told_from_none(w: &mut World) -> Checked {
    let found = w.supplier.active().await;
    if w.info.capabilities.lists_active {
        return same(&found, &Ok(Vec::new()), "the list of an account that has bought nothing");
    }
    same(&found, &Err(CallError::Unsupported), "a list that the vendor does not have")
}

pub(super) async fn rule_07_the_list_has_what_is_open(w: &mut World) -> Checked {
    let request = w.request();
    let (one, two) = (super::world::accepted(w.supplier.buy(&request).await)?, w.buy().await?);
    w.fixture().deliver(&one.id, "Your code is 104200.").await;
    w.fixture().end(&two.id).await;
    let found = w.supplier.active().await?;
    let [row] = found.as_slice() else {
        return holds(false, &format!("one of two is open, the list has {}", found.len()));
    };
    same(&(&row.id, &row.phone), &(&one.id, &one.phone), "id and phone of what is open")?;
    holds(row.cost.is_none_or(|cost| cost == w.price()), "its cost, if it is told, is its price")?;
    holds(row.country.is_none_or(|country| country == request.country), "its country is the market's id")?;
    holds(row.service.as_ref().is_none_or(|service| *service == request.service), "its service is the market's code")?;
    holds(row.reference.as_ref().is_none_or(|reference| *reference == request.reference), "its reference is ours")?;
    let told = row.reference.is_some() || (row.country.is_some() && row.service.is_some());
    holds(told, "a row has our reference, or else country and service")
}

pub(super) async fn rule_07_the_list_has_every_page(w: &mut World) -> Checked {
    let mut bought = BTreeSet::new();
    for _ in 0..w.fixture().many() {
        bought.insert(w.buy().await?.id);
    }
    let found = listed(w).await?;
    same(&found.len(), &bought.len(), "open activations in the list")?;
    same(&found, &bought, "the ids in the list")
}

pub(super) async fn rule_07_a_list_that_cannot_be_read_is_not_empty(w: &mut World) -> Checked {
    w.buy().await?;
    for fault in unusable() {
        w.line.break_all(fault.clone());
        let told = w.tell(Call::Active, &ActivationId("1".into())).await;
        w.line.mend();
        told.is_no_answer(&fault)?;
    }
    same(&listed(w).await?.len(), &1, "open activations in the list after all that")
}

pub(super) async fn rule_07_a_page_that_is_missing_fails_the_list(w: &mut World) -> Checked {
    for _ in 0..w.fixture().many() {
        w.buy().await?;
    }
    let before = w.line.count();
    let whole = listed(w).await?;
    // whatever it asks for: pages, details, a page of details
    let requests = w.line.count() - before;
    let faults =
        [Reply::Closed.before(), Reply::body(200, "").before(), Reply::body(502, "").before(), Reply::Cut.after()];
    for at in 0..requests {
        let ways =
            if requests <= EVERY_WAY_MAX { &faults[..] } else { std::slice::from_ref(&faults[at % faults.len()]) };
        for fault in ways {
            w.line.break_after(at, fault.clone());
            let told = w.tell(Call::Active, &ActivationId("1".into())).await;
            w.line.mend();
            told.is_no_answer(&format!("{fault} as request {} of {requests} of the list", at + 1))?;
        }
    }
    same(&listed(w).await?, &whole, "the list after all that")
}

pub(super) async fn rule_07_a_list_that_moves_meanwhile_leaves_nothing_out(w: &mut World) -> Checked {
    let mut open = BTreeSet::new();
    let first = w.buy().await?.id;
    for _ in 1..w.fixture().many() {
        open.insert(w.buy().await?.id);
    }
    let before = w.line.count();
    w.line.break_after(1, Reply::Paused.after());
    let found = match select(pin!(w.supplier.active()), pin!(w.line.reached(before + 2))).await {
        // a list of one page cannot move
        Either::Left((found, _)) => found,
        Either::Right(((), reading)) => {
            w.fixture().end(&first).await;
            w.line.resume();
            reading.await
        }
    };
    match found {
        Ok(found) => {
            let found: BTreeSet<ActivationId> = found.into_iter().map(|one| one.id).collect();
            same(&open.difference(&found).count(), &0, "open activations that the list leaves out")
        }
        Err(error) => same(&error.code(), &"supplier_unusable", "the error of a list that moved"),
    }
}
