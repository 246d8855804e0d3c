//! From refusals to the protocol's words. Pure.

use smscode_core::money::Money;
use smscode_core::order::{OrderError, Status};

use super::reply::{Reply, word};

/// Why no number was sold.
///
/// `limited` tells that the program named a ceiling: only then is a price the reason. Whatever a supplier refuses is
/// "no numbers" to the customer: our money or our key at a supplier is the operator's affair.
pub(super) fn purchase(error: &OrderError, limited: bool) -> Reply {
    match error {
        OrderError::UnknownService(_) | OrderError::UnknownProduct(_) | OrderError::BlockedService(_) => {
            Reply::word(word::BAD_SERVICE)
        }
        OrderError::UnknownCountry(_) => Reply::word(word::WRONG_COUNTRY),
        OrderError::NoOffer { cheapest: Some(price) } if limited => ceiling(Some(*price)),
        // a platform that is being wound down sells nothing: programs go elsewhere and do not hammer
        OrderError::NoOffer { .. } | OrderError::Supplier { .. } | OrderError::WindDown => {
            Reply::word(word::NO_NUMBERS)
        }
        OrderError::PriceLimit(_) => ceiling(None),
        OrderError::KeyMalformed => Reply::word(word::BAD_ID),
        OrderError::KeyReused => Reply::word(word::ORDER_ALREADY_EXISTS),
        OrderError::InsufficientBalance { .. } => Reply::word(word::NO_BALANCE),
        OrderError::Cap { .. } => Reply::word(word::CHANNELS_LIMIT),
        // the first request with this orderId is under way: neither a yes nor a no
        OrderError::InProgress => Reply::word(word::SERVER_ERROR),
        _ => other(error),
    }
}

/// The ceiling is too low; with the smallest price that would do, if it is known.
pub(super) fn ceiling(cheapest: Option<Money>) -> Reply {
    match cheapest {
        Some(price) => Reply::detail(word::WRONG_MAX_PRICE, price.decimal()),
        None => Reply::word(word::WRONG_MAX_PRICE),
    }
}

/// What a program wanted to be done with its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Another SMS.
    More,
    /// Finish.
    Finish,
    /// Cancel.
    Cancel,
}

/// Why a step was not taken. What is done already is a success: programs repeat the last step until they see its word,
/// and one that gives up an activation whose window has just ended has what it wants, its money.
pub(super) fn step(step: Step, error: &OrderError) -> Reply {
    match (step, error) {
        (Step::Cancel, OrderError::CancelTooEarly { .. }) => Reply::word(word::EARLY_CANCEL_DENIED),
        (Step::Cancel, OrderError::Conflict { status: Status::Canceled | Status::Expired, .. }) => {
            Reply::word(word::ACCESS_CANCEL)
        }
        (Step::Finish, OrderError::Conflict { status: Status::Completed, .. }) => Reply::word(word::ACCESS_ACTIVATION),
        (_, OrderError::Conflict { .. } | OrderError::ResendTooEarly { .. } | OrderError::CancelTooEarly { .. }) => {
            Reply::word(word::BAD_STATUS)
        }
        // a day's cap of cancels: to be tried later
        (_, OrderError::Cap { .. }) => Reply::word(word::RATE_LIMIT),
        // the order is as it was: to be tried again
        (_, OrderError::Supplier { .. } | OrderError::InProgress) => Reply::word(word::SERVER_ERROR),
        (_, error) => other(error),
    }
}

/// Why an activation could not be read, and what is left over from the others.
pub(super) fn other(error: &OrderError) -> Reply {
    match error {
        OrderError::NotFound => Reply::word(word::NO_ACTIVATION),
        OrderError::AccountInactive | OrderError::AccountFrozen => Reply::word(word::ACCOUNT_INACTIVE),
        error => {
            tracing::warn!(code = error.code(), "a call of the SMS-Activate surface failed");
            Reply::Broken
        }
    }
}

#[cfg(test)]
mod tests {
    use smscode_core::money::{Currency, Money};
    use smscode_core::order::{OrderError, Status};
    use smscode_core::time::Timestamp;

    use super::super::reply::Reply;
    use super::{Step, purchase, step};

    const PRICE: Money = Money::new(2_500, Currency::Idr);

    fn cap(what: &'static str) -> OrderError {
        OrderError::Cap { what, max: 5, retry_after_seconds: 60 }
    }

    fn conflict(status: Status) -> OrderError {
        OrderError::Conflict { status, reason: "a reason" }
    }

    #[test]
    fn words_for_purchases() {
        let short = OrderError::InsufficientBalance { needed: PRICE, available: Money::new(0, Currency::Idr) };
        let cheapest = |cheapest| OrderError::NoOffer { cheapest };
        let cases = [
            (OrderError::UnknownService("zz".into()), false, "BAD_SERVICE"),
            (OrderError::BlockedService("ts".into()), false, "BAD_SERVICE"),
            (OrderError::UnknownCountry("999".into()), false, "WRONG_COUNTRY"),
            (cheapest(None), false, "NO_NUMBERS"),
            (cheapest(None), true, "NO_NUMBERS"),
            (cheapest(Some(PRICE)), false, "NO_NUMBERS"),
            (cheapest(Some(PRICE)), true, "WRONG_MAX_PRICE:2500"),
            (OrderError::PriceLimit("zero"), true, "WRONG_MAX_PRICE"),
            (OrderError::KeyMalformed, false, "BAD_ID"),
            (OrderError::KeyReused, false, "ORDER_ALREADY_EXISTS"),
            (OrderError::InProgress, false, "SERVER_ERROR"),
            (short, false, "NO_BALANCE"),
            (cap("open orders"), false, "CHANNELS_LIMIT"),
            (OrderError::AccountInactive, false, "ACCOUNT_INACTIVE"),
        ];
        for (error, limited, expected) in cases {
            assert_eq!(purchase(&error, limited), Reply::word(expected), "{error}");
        }
        for cause in ["no_numbers", "price_rejected", "provider_account_balance", "provider_unavailable"] {
            let error = OrderError::Supplier { cause };
            assert_eq!(purchase(&error, true), Reply::word("NO_NUMBERS"), "{cause}");
        }
        assert_eq!(purchase(&OrderError::Unavailable("store".into()), false), Reply::Broken);
    }

    #[test]
    fn words_for_steps() {
        let early = OrderError::CancelTooEarly { at: Timestamp::EPOCH, wait_seconds: 7 };
        let pause = OrderError::ResendTooEarly { at: Timestamp::EPOCH };
        let cases = [
            (Step::Cancel, early, "EARLY_CANCEL_DENIED"),
            (Step::Cancel, conflict(Status::Active), "BAD_STATUS"),
            (Step::Cancel, conflict(Status::OtpReceived), "BAD_STATUS"),
            (Step::Cancel, conflict(Status::Completed), "BAD_STATUS"),
            (Step::Cancel, conflict(Status::Canceled), "ACCESS_CANCEL"),
            (Step::Cancel, conflict(Status::Expired), "ACCESS_CANCEL"),
            (Step::Cancel, cap("cancels a day"), "RATE_LIMIT"),
            (Step::Cancel, OrderError::Supplier { cause: "refused" }, "SERVER_ERROR"),
            (Step::Cancel, OrderError::NotFound, "NO_ACTIVATION"),
            (Step::Finish, conflict(Status::Active), "BAD_STATUS"),
            (Step::Finish, conflict(Status::Completed), "ACCESS_ACTIVATION"),
            (Step::Finish, conflict(Status::Canceled), "BAD_STATUS"),
            (Step::More, conflict(Status::Active), "BAD_STATUS"),
            (Step::More, conflict(Status::Completed), "BAD_STATUS"),
            (Step::More, pause, "BAD_STATUS"),
        ];
        for (wanted, error, expected) in cases {
            assert_eq!(step(wanted, &error), Reply::word(expected), "{wanted:?} {error}");
        }
    }
}
