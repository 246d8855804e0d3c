//! Money to the last digit.

use super::line::Reply;
use super::world::{World, accepted};
use super::{Answer, Call, Say, Sold};
use crate::conformance::failure::{Checked, holds, same};
use crate::port::{ActivationId, CallError};

/// Prices in the vendor's smallest steps: those that a float of them loses or cuts, and plain ones.
pub(super) const STEPS: [i64; 12] = [1, 3, 7, 29, 57, 115, 435, 1_005, 2_675, 16_777_217, 100_000_001, 9_007_199_254];

/// Balances in the vendor's smallest steps. The last ones have more digits than a float.
const BALANCES: [i64; 9] =
    [0, 1, 29, 115, 1_005, 16_777_217, 4_503_599_627_371, 9_007_199_254_740_993, 36_028_797_018_963_969];

/// What looks like an amount and is none, in whatever unit.
const NO_AMOUNTS: [&str; 17] = [
    "",
    "abc",
    "1,5",
    "1.5.5",
    "0x10",
    "--1",
    "1.",
    ".5",
    "1.e2",
    ".5e1",
    "1.e-2",
    "1e",
    "NaN",
    "inf",
    "1e400",
    "99999999999999999999",
    "\u{661}",
];

/// What JSON may have in the place of an amount.
const NO_TEXTS: [&str; 5] = ["null", "true", "false", "[]", "{}"];

pub(super) async fn rule_12_prices_keep_every_digit(w: &mut World) -> Checked {
    let (country, service) = w.fixture().product();
    for steps in STEPS {
        let price = w.money(steps * w.fixture().step_minor());
        w.fixture().set_price(price).await;
        let offers = w.supplier.offers().await?;
        let found = offers.iter().find(|offer| offer.country == country && offer.service == service);
        same(&found.map(|offer| offer.cost), &Some(price), "the price of the product")?;
    }
    Ok(())
}

pub(super) async fn rule_12_the_balance_keeps_every_digit(w: &mut World) -> Checked {
    for steps in BALANCES {
        // the largest ones fit only where a step is small
        let Some(minor) = steps.checked_mul(w.fixture().step_minor()) else { continue };
        let balance = w.money(minor);
        w.fixture().set_balance(balance).await;
        same(&w.supplier.balance().await?, &balance, "the balance")?;
    }
    Ok(())
}

pub(super) async fn rule_12_what_was_charged_keeps_every_digit(w: &mut World) -> Checked {
    for (n, steps) in STEPS.into_iter().enumerate() {
        let charged = w.money(steps * w.fixture().step_minor());
        let id = ActivationId(format!("47{n:02}"));
        let sold = Sold { id, phone: format!("628100000{n:04}"), charged, is_open: true };
        let Answer { status, body } = w.answer(Call::Buy, Say::SoldFor(&sold, charged))?;
        w.line.break_next(Reply::body(status, &body).before());
        let bought = accepted(w.supplier.buy(&w.request()).await)?;
        same(&bought.cost, &Some(charged), "what was charged")?;
    }
    Ok(())
}

pub(super) async fn rule_12_what_is_no_amount_is_an_error(w: &mut World) -> Checked {
    // in quotation marks, too: without them most are no JSON, and what reads amounts never sees them
    let quoted = NO_AMOUNTS.map(|text| format!("\"{text}\""));
    for text in NO_AMOUNTS.into_iter().chain(quoted.iter().map(String::as_str)).chain(NO_TEXTS) {
        let Answer { status, body } = w.answer(Call::Balance, Say::NoAmount(text))?;
        w.line.break_next(Reply::body(status, &body).before());
        let balance = w.supplier.balance().await;
        w.line.mend();
        let failed = matches!(balance, Err(CallError::Unusable(_)));
        holds(failed, &format!("a balance of {text}, but it is said: {balance:?}"))?;
    }
    let twelve = w.money(12 * 10_i64.pow(w.info.currency.exponent()));
    w.fixture().set_balance(twelve).await;
    same(&w.supplier.balance().await?, &twelve, "a balance that is an amount, after all that")
}
