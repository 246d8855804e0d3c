//! The ceiling goes along, and what was charged is told.

use std::collections::BTreeSet;

use super::line::Reply;
use super::world::{World, accepted};
use super::{Answer, Call, Say, Sold};
use crate::conformance::failure::{Checked, holds, same};
use crate::money::{Currency, Money};
use crate::port::{ActivationId, BuyOutcome, BuyRequest, Rejection};

pub(super) async fn rule_04_a_price_at_the_ceiling_is_paid(w: &mut World) -> Checked {
    let request = BuyRequest { ceiling: w.price(), ..w.request() };
    accepted(w.supplier.buy(&request).await).map(drop)
}

pub(super) async fn rule_04_a_price_above_the_ceiling_is_not_paid(w: &mut World) -> Checked {
    let below = w.money(w.price().minor - w.fixture().step_minor());
    let outcome = w.supplier.buy(&BuyRequest { ceiling: below, ..w.request() }).await;
    w.sold_so_far(&w.sold().await, 0)?;
    match outcome {
        BuyOutcome::RejectedUncharged(Rejection::PriceAboveCeiling(None)) => Ok(()),
        BuyOutcome::RejectedUncharged(Rejection::PriceAboveCeiling(Some(price))) => {
            same(&price, &w.price(), "the price that would do")
        }
        // some vendors have no word of its own for it
        BuyOutcome::RejectedUncharged(Rejection::NoNumbers) => Ok(()),
        other => holds(false, &format!("a price above the ceiling, but it is said: {other:?}")),
    }
}

pub(super) async fn rule_04_the_ceiling_keeps_every_digit(w: &mut World) -> Checked {
    let step = w.fixture().step_minor();
    for steps in super::rule_12::STEPS {
        let price = w.money(steps * step);
        w.fixture().set_price(price).await;
        // it is the ceiling that counts here, not what we have there
        w.fixture().set_balance(price).await;
        // core's ceilings are no multiples of the vendor's step: what lies between two is the lower one
        for below in BTreeSet::from([step, 1]) {
            let ceiling = w.money(price.minor - below);
            let outcome = w.supplier.buy(&BuyRequest { ceiling, ..w.request() }).await;
            let no = matches!(outcome, BuyOutcome::RejectedUncharged(_) | BuyOutcome::NotSent(_));
            holds(no, &format!("a ceiling of {ceiling} is below the price of {price}, but it is said: {outcome:?}"))?;
        }
        for above in BTreeSet::from([0, step - 1]) {
            let ceiling = w.money(price.minor + above);
            accepted(w.supplier.buy(&BuyRequest { ceiling, ..w.request() }).await)
                .map_err(|failure| failure.within(&format!("a ceiling of {ceiling} and a price of {price}")))?;
            w.fixture().set_balance(price).await;
        }
    }
    Ok(())
}

pub(super) async fn rule_04_a_charge_above_the_ceiling_is_told(w: &mut World) -> Checked {
    let request = w.request();
    let charged = w.money(request.ceiling.minor * 2);
    let sold = Sold { id: ActivationId("4711".into()), phone: "6281000004711".into(), charged, is_open: true };
    let Answer { status, body } = w.answer(Call::Buy, Say::SoldFor(&sold, charged))?;
    w.line.break_next(Reply::body(status, &body).before());
    let bought = accepted(w.supplier.buy(&request).await)?;
    same(&bought.cost, &Some(charged), "what was charged, although it is above the ceiling")
}

pub(super) async fn rule_04_a_ceiling_in_another_currency_is_not_sent(w: &mut World) -> Checked {
    let own = w.info.currency;
    for currency in Currency::ALL.into_iter().filter(|currency| *currency != own) {
        let request = BuyRequest { ceiling: Money::new(1_000_000_000, currency), ..w.request() };
        let outcome = w.supplier.buy(&request).await;
        holds(matches!(outcome, BuyOutcome::NotSent(_)), &format!("a ceiling in {currency} ended in {outcome:?}"))?;
    }
    same(&w.line.count(), &0, "requests with a ceiling in another currency")
}
