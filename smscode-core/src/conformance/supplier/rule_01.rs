//! Four outcomes of a purchase: what the vendor says.

use super::line::Reply;
use super::world::{World, accepted, unclear};
use super::{Answer, Call, Needs, Say, Sold};
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, ActivationState, BuyOutcome, BuyRequest, Rejection};

/// What a purchase was rejected with.
#[track_caller]
fn rejected(outcome: BuyOutcome) -> Result<Rejection, Failure> {
    match outcome {
        BuyOutcome::RejectedUncharged(rejection) => Ok(rejection),
        BuyOutcome::NotSent(_) | BuyOutcome::Accepted(_) | BuyOutcome::Unknown(_) => {
            Err(Failure::new(format!("the vendor says no in its own words, but the purchase ended in {outcome:?}")))
        }
    }
}

/// The outcome of a purchase that gets this answer and reaches nobody.
async fn answered(w: &World, say: Say<'_>) -> Result<BuyOutcome, Failure> {
    let Answer { status, body } = w.answer(Call::Buy, say)?;
    w.line.break_next(Reply::body(status, &body).before());
    Ok(w.supplier.buy(&w.request()).await)
}

pub(super) async fn rule_01_a_number_that_is_sold_is_accepted(w: &mut World) -> Checked {
    let request = w.request();
    let bought = accepted(w.supplier.buy(&request).await)?;
    let sold = w.sold().await;
    w.sold_so_far(&sold, 1)?;
    same(&sold.first().map(|sold| (&sold.id, &sold.phone)), &Some((&bought.id, &bought.phone)), "id and phone")?;
    let digits = bought.phone.bytes().all(|b| b.is_ascii_digit());
    holds(digits && (6..=15).contains(&bought.phone.len()), "a phone of international digits")?;
    holds(bought.cost.is_none_or(|cost| cost == w.price()), "its cost, if it is told, is its price")?;
    holds(bought.window_seconds.is_none_or(|s| (60..=86_400).contains(&s)), "its window is a duration in seconds")?;
    holds(bought.country.is_none_or(|country| country == request.country), "its country is the market's id")?;
    holds(bought.service.is_none_or(|service| service == request.service), "its service is the market's code")?;
    holds(bought.reference.is_none_or(|reference| reference == request.reference), "its reference is ours")?;
    same(&bought.state, &ActivationState::Waiting, "its state")
}

pub(super) async fn rule_01_each_purchase_is_another_number(w: &mut World) -> Checked {
    let (one, two) = (w.buy().await?, w.buy().await?);
    holds(one.id != two.id && one.phone != two.phone, "two purchases are two activations")
}

pub(super) async fn rule_01_ids_are_text(w: &mut World) -> Checked {
    // beyond 32 bits, beyond what a float keeps, beyond 64 bits
    for id in ["4294967297", "36028797018963969", "340282366920938463463374607431768211457"] {
        let id = ActivationId(id.to_owned());
        let sold = Sold { id, phone: "6281000004711".into(), charged: w.price(), is_open: true };
        let outcome = answered(w, Say::SoldFor(&sold, w.price())).await?;
        let BuyOutcome::Accepted(bought) = outcome else {
            let digits = sold.id.0.len();
            return holds(false, &format!("an activation with an id of {digits} digits, but it is said: {outcome:?}"));
        };
        same(&(bought.id.0.as_str(), &bought.phone), &(sold.id.0.as_str(), &sold.phone), "id and phone")?;
    }
    Ok(())
}

pub(super) async fn rule_01_out_of_stock_is_uncharged(w: &mut World) -> Checked {
    w.fixture().set_stock(0).await;
    same(&rejected(w.supplier.buy(&w.request()).await)?, &Rejection::NoNumbers, "out of stock")?;
    w.sold_so_far(&w.sold().await, 0)
}

pub(super) async fn rule_01_what_is_not_sold_is_uncharged(w: &mut World) -> Checked {
    let service = BuyRequest { service: "not_sold_by_anybody".into(), ..w.request() };
    // the market has no country of this number
    let country = BuyRequest { country: 64_999, ..w.request() };
    for (request, what) in [(service, "a service"), (country, "a country")] {
        let before = w.line.count();
        let outcome = w.supplier.buy(&request).await;
        let told = match &outcome {
            // the adapter has no name for it that the vendor would know
            BuyOutcome::NotSent(_) => w.line.count() == before,
            // some vendors have one word for what they do not know and what is sold out
            BuyOutcome::RejectedUncharged(no) => {
                matches!(no, Rejection::NotSold | Rejection::BadRequest(_) | Rejection::NoNumbers)
            }
            BuyOutcome::Accepted(_) | BuyOutcome::Unknown(_) => false,
        };
        let requests = w.line.count() - before;
        holds(told, &format!("{what} that is not sold, after {requests} requests, but it is said: {outcome:?}"))?;
    }
    w.sold_so_far(&w.sold().await, 0)
}

pub(super) async fn rule_01_no_funds_is_uncharged(w: &mut World) -> Checked {
    w.fixture().set_balance(w.money(0)).await;
    same(&rejected(w.supplier.buy(&w.request()).await)?, &Rejection::NoFunds, "an account without money")?;
    w.sold_so_far(&w.sold().await, 0)
}

pub(super) async fn rule_01_a_refused_key_is_uncharged(w: &mut World) -> Checked {
    let rejection = rejected(answered(w, Say::Unauthorised).await?)?;
    same(&rejection, &Rejection::Credentials, "a refused key")
}

pub(super) async fn rule_01_a_request_to_slow_down_is_uncharged(w: &mut World) -> Checked {
    let rejection = rejected(answered(w, Say::RateLimited).await?)?;
    same(&rejection, &Rejection::Throttled, "too many requests")
}

pub(super) async fn rule_01_a_used_reference_is_told(w: &mut World) -> Checked {
    let request = w.request();
    accepted(w.supplier.buy(&request).await)?;
    same(&rejected(w.supplier.buy(&request).await)?, &Rejection::ReferenceUsed, "the same reference again")?;
    w.sold_so_far(&w.sold().await, 1)
}

pub(super) async fn rule_01_a_broken_vendor_leaves_it_unknown(w: &mut World) -> Checked {
    unclear(&answered(w, Say::Broken).await?, "the vendor's own word for something broken")
}

pub(super) async fn rule_01_an_undocumented_word_leaves_it_unknown(w: &mut World) -> Checked {
    unclear(&answered(w, Say::Undocumented).await?, "a word that the documentation does not have")?;
    // whatever comes next is read by itself
    if w.is_able(Needs::RateLimited) {
        same(&rejected(answered(w, Say::RateLimited).await?)?, &Rejection::Throttled, "too many requests")?;
    }
    w.buy().await.map(drop)
}
