//! Refusals of the core as the published API's errors: one table.

use serde_json::{Value, json};
use smscode_core::account::AccountError;
use smscode_core::money::Money;
use smscode_core::order::OrderError;

use super::input::no_order;
use crate::answer::{Code, Failure};

/// The error that an order command's refusal is.
pub fn refused(error: &OrderError) -> Failure {
    use OrderError as E;
    let text = error.to_string();
    let bad = |field: &str| Failure::input(field, text.clone());
    match error {
        E::NotFound => no_order(),
        E::UnknownCountry(_) => bad("country"),
        E::UnknownService(_) | E::BlockedService(_) => bad("service"),
        E::UnknownProduct(_) => bad("product_id"),
        E::Quantity { .. } => bad("quantity"),
        E::PriceLimit(_) => bad("max_price"),
        E::Quote(_) => bad("quote"),
        E::KeyMalformed => bad("idempotency-key"),
        E::NoOffer { cheapest } => {
            let failure = Failure::new(Code::NoOffer, "nothing on offer matches product, policy and price limits");
            match cheapest {
                Some(price) => failure.with("cheapest", amount(*price)),
                None => failure,
            }
        }
        E::KeyReused => Failure::new(Code::KeyReused, text),
        E::InProgress => Failure::new(Code::InProgress, "not settled yet: send the same key again shortly"),
        E::InsufficientBalance { needed, available } => Failure::new(Code::InsufficientBalance, text)
            .with("needed", amount(*needed))
            .with("available", amount(*available)),
        E::Cap { what, max, retry_after_seconds } => Failure::new(Code::RateLimit, text)
            .with("limit", json!({"of": what, "max": max}))
            .after(*retry_after_seconds),
        E::Supplier { cause: cause @ "cancel_undecided" } => {
            let message =
                "the supplier has not granted the cancel: the order stays open, and it is asked again by itself";
            Failure::new(Code::Provider, message).with("cause", *cause)
        }
        E::Supplier { cause } => Failure::new(Code::Provider, text).with("cause", *cause),
        E::CancelTooEarly { at, wait_seconds } => {
            let message = format!("the order can be cancelled in {wait_seconds} seconds");
            Failure::new(Code::CancelTooEarly, message)
                .with("cancel_available_at", at.rfc3339())
                .with("wait_seconds", *wait_seconds)
        }
        E::ResendTooEarly { at } => Failure::new(Code::Conflict, text).with("resend_available_at", at.rfc3339()),
        E::Conflict { status, reason } => {
            Failure::new(Code::Conflict, format!("not possible: {reason}")).with("status", status.word())
        }
        E::AccountInactive => Failure::new(Code::Forbidden, text),
        E::AccountFrozen => Failure::new(Code::Forbidden, text).with("cause", error.code()),
        // not 503: waiting does not help, and clients would try again for ever
        E::WindDown => Failure::new(Code::Conflict, text).with("cause", error.code()),
        E::Unavailable(_) => {
            tracing::warn!(code = error.code(), %error, "an order command could not be done");
            Failure::new(Code::Unavailable, "temporarily unavailable")
        }
    }
}

/// The same for orders of a fixed slot: it is there or it is not, so an empty one is the supplier's refusal.
pub(super) fn refused_slot(error: &OrderError) -> Failure {
    match error {
        OrderError::NoOffer { .. } => {
            Failure::new(Code::Provider, "the product is out of stock").with("cause", "no_numbers")
        }
        other => refused(other),
    }
}

/// The same for orders of a pair: a pair without any offer, or with suppliers that are all sold out, has no offer.
pub fn refused_routed(error: &OrderError) -> Failure {
    match error {
        OrderError::UnknownProduct(_) => refused(&OrderError::NoOffer { cheapest: None }),
        OrderError::Supplier { cause: "no_numbers" } => {
            refused(&OrderError::NoOffer { cheapest: None }).with("cause", "no_numbers")
        }
        other => refused(other),
    }
}

/// The error that an account command's refusal is. An account that is gone has no valid token either.
pub fn refused_account(error: &AccountError) -> Failure {
    match error {
        AccountError::NotFound => Failure::new(Code::Unauthorized, "a valid token is needed"),
        other => {
            tracing::warn!(code = other.code(), error = %other, "an account could not be read");
            Failure::new(Code::Unavailable, "temporarily unavailable")
        }
    }
}

fn amount(money: Money) -> Value {
    json!({"canonical_amount": money.minor, "canonical_currency": money.currency.code()})
}

#[cfg(test)]
mod tests {
    use smscode_core::money::{Currency, Money};
    use smscode_core::order::{OrderError as E, Status};
    use smscode_core::time::Timestamp;

    use super::{refused, refused_routed, refused_slot};

    fn word(failure: &crate::answer::Failure) -> (&'static str, u16) {
        (failure.code.word(), failure.code.status().as_u16())
    }

    #[test]
    fn every_refusal_has_a_code_of_the_contract() {
        let money = Money::new(1, Currency::Idr);
        let at = Timestamp::EPOCH;
        let cap = E::Cap { what: "cancels a day", max: 1, retry_after_seconds: 7 };
        let cases = [
            (E::NotFound, "NOT_FOUND", 404),
            (E::UnknownCountry("x".into()), "VALIDATION_ERROR", 422),
            (E::UnknownService("x".into()), "VALIDATION_ERROR", 422),
            (E::UnknownProduct(1), "VALIDATION_ERROR", 422),
            (E::BlockedService("x".into()), "VALIDATION_ERROR", 422),
            (E::NoOffer { cheapest: Some(money) }, "NO_OFFER_AVAILABLE", 422),
            (E::Quantity { found: 0, max: 100 }, "VALIDATION_ERROR", 422),
            (E::PriceLimit("x"), "VALIDATION_ERROR", 422),
            (E::KeyMalformed, "VALIDATION_ERROR", 422),
            (E::KeyReused, "IDEMPOTENCY_KEY_REUSED", 422),
            (E::InProgress, "REQUEST_IN_PROGRESS", 409),
            (E::InsufficientBalance { needed: money, available: money }, "INSUFFICIENT_BALANCE", 409),
            (cap.clone(), "RATE_LIMIT_EXCEEDED", 429),
            (E::Supplier { cause: "no_numbers" }, "PROVIDER_ERROR", 422),
            (E::CancelTooEarly { at, wait_seconds: 3 }, "CANCEL_TOO_EARLY", 409),
            (E::ResendTooEarly { at }, "CONFLICT", 409),
            (E::Conflict { status: Status::Expired, reason: "it has ended" }, "CONFLICT", 409),
            (E::AccountInactive, "FORBIDDEN", 403),
            (E::AccountFrozen, "FORBIDDEN", 403),
            (E::WindDown, "CONFLICT", 409),
            (E::Unavailable("x".into()), "SERVICE_UNAVAILABLE", 503),
        ];
        for (error, code, status) in cases {
            assert_eq!(word(&refused(&error)), (code, status), "{error:?}");
        }
        assert_eq!(refused(&cap).retry_after, Some(7));
        assert_eq!(refused(&E::Unavailable("x".into())).retry_after, Some(2));
    }

    #[test]
    fn an_empty_slot_is_the_suppliers_and_an_empty_pair_has_no_offer() {
        let empty = E::NoOffer { cheapest: None };
        let sold_out = E::Supplier { cause: "no_numbers" };
        assert_eq!(refused_slot(&empty).details["cause"], "no_numbers");
        assert_eq!(word(&refused_slot(&sold_out)).0, "PROVIDER_ERROR");
        assert_eq!(word(&refused_routed(&sold_out)).0, "NO_OFFER_AVAILABLE");
        assert_eq!(word(&refused_routed(&E::UnknownProduct(1))).0, "NO_OFFER_AVAILABLE");
    }
}
