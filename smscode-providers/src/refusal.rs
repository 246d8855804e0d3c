//! What vendors mean by a refusal, and what each call of the port makes of it: the same for every adapter.

use smscode_core::money::Money;
use smscode_core::port::{BuyOutcome, CallError, CancelOutcome, FinishOutcome, MoreOutcome, Rejection};

use crate::http::Failure;
use crate::json::Json;

/// What a vendor means by a refusal. Only what its documentation says belongs here: a word of which it does not say that
/// nothing was charged leaves a purchase [`Refusal::Broken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key is wrong or missing, or the account is blocked.
    Credentials,
    /// Too many requests, or too many activations at once.
    Throttled,
    /// Our account there has no money.
    NoFunds,
    /// Sold out at present.
    NoNumbers,
    /// The ceiling is below the price.
    PriceAboveCeiling,
    /// Not sold in this country, or not at all.
    NotSold,
    /// The reference of a purchase was used before.
    ReferenceUsed,
    /// Our request is wrong.
    BadRequest,
    /// There is no such call.
    NoSuchCall,
    /// The activation is not known.
    NotFound,
    /// The step is not allowed in this state.
    NotOpen,
    /// Too early to cancel.
    TooEarly,
    /// The time for cancelling is over.
    TooLate,
    /// Not cancelled because an SMS is there.
    SmsArrived,
    /// Something broke at the vendor: after a purchase nobody knows what happened.
    Broken,
}

/// The word of a refusal in an answer, looked up: `None` if it is no refusal, `Some(None)` if the word is not known.
pub(crate) fn said(
    answer: Json<'_>,
    member: &str,
    words: &[(&'static str, Refusal)],
) -> Option<Option<(&'static str, Refusal)>> {
    let mut found = answer;
    for name in member.split('.') {
        found = found.object()?.first(&[name])?;
    }
    let word = found.scalar();
    Some(words.iter().find(|(known, _)| word.as_deref() == Some(known)).copied())
}

/// A refusal, by a word that we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is meant.
    pub refusal: Refusal,
    /// The word, as our own table spells it: nothing of an answer gets into an error.
    pub word: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The price that would do, if it is said.
    pub price: Option<Money>,
    /// How long to wait, if it is said, in milliseconds.
    pub retry_after_ms: Option<u32>,
}

/// Why a call has no result. It turns into the outcome of any call (`.into()`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum No {
    /// The vendor refuses, in words that we know.
    Refused(Refused),
    /// There is no usable answer.
    Failed(Failure),
}

impl Refused {
    /// The word with the status, where it is no answer to what was asked.
    fn out_of_place(&self) -> String {
        format!("the word {} (HTTP {})", self.word, self.status)
    }

    /// Whether it refuses a finish or a request for more. A word that is out of place refuses nothing.
    const fn refuses_steps(&self) -> bool {
        match self.refusal {
            Refusal::Credentials
            | Refusal::NoFunds
            | Refusal::NoNumbers
            | Refusal::NotSold
            | Refusal::BadRequest
            | Refusal::NoSuchCall
            | Refusal::NotOpen
            | Refusal::NotFound
            | Refusal::TooEarly
            | Refusal::TooLate => true,
            Refusal::Throttled
            | Refusal::PriceAboveCeiling
            | Refusal::ReferenceUsed
            | Refusal::SmsArrived
            | Refusal::Broken => false,
        }
    }
}

impl From<No> for BuyOutcome {
    fn from(no: No) -> Self {
        let refused = match no {
            No::Refused(refused) => refused,
            No::Failed(failure) => return failure.into(),
        };
        Self::RejectedUncharged(match refused.refusal {
            Refusal::Credentials => Rejection::Credentials,
            Refusal::Throttled => Rejection::Throttled,
            Refusal::NoFunds => Rejection::NoFunds,
            Refusal::NoNumbers => Rejection::NoNumbers,
            Refusal::PriceAboveCeiling => Rejection::PriceAboveCeiling(refused.price),
            Refusal::NotSold => Rejection::NotSold,
            Refusal::ReferenceUsed => Rejection::ReferenceUsed,
            Refusal::BadRequest | Refusal::NoSuchCall => Rejection::BadRequest(refused.word.to_owned()),
            Refusal::NotFound
            | Refusal::NotOpen
            | Refusal::TooEarly
            | Refusal::TooLate
            | Refusal::SmsArrived
            | Refusal::Broken => return Self::Unknown(refused.out_of_place()),
        })
    }
}

impl From<No> for CallError {
    fn from(no: No) -> Self {
        let refused = match no {
            No::Refused(refused) => refused,
            No::Failed(failure) => return failure.into(),
        };
        match refused.refusal {
            Refusal::Credentials => Self::Credentials(refused.word.to_owned()),
            Refusal::Throttled => Self::Throttled(refused.retry_after_ms),
            Refusal::NoSuchCall => Self::Unsupported,
            Refusal::NoFunds
            | Refusal::NoNumbers
            | Refusal::PriceAboveCeiling
            | Refusal::NotSold
            | Refusal::ReferenceUsed
            | Refusal::BadRequest
            | Refusal::NotFound
            | Refusal::NotOpen
            | Refusal::TooEarly
            | Refusal::TooLate
            | Refusal::SmsArrived
            | Refusal::Broken => Self::Unusable(refused.out_of_place()),
        }
    }
}

impl From<No> for CancelOutcome {
    fn from(no: No) -> Self {
        match no {
            No::Failed(failure) => failure.into(),
            No::Refused(refused) => match refused.refusal {
                Refusal::TooEarly => Self::TooEarly,
                Refusal::SmsArrived => Self::SmsArrived,
                Refusal::NotFound | Refusal::NotOpen => Self::NotOpen,
                Refusal::Credentials
                | Refusal::NoFunds
                | Refusal::NoNumbers
                | Refusal::NotSold
                | Refusal::BadRequest
                | Refusal::NoSuchCall
                | Refusal::TooLate => Self::Refused(refused.word.to_owned()),
                Refusal::Throttled | Refusal::PriceAboveCeiling | Refusal::ReferenceUsed | Refusal::Broken => {
                    Self::Unknown(refused.out_of_place())
                }
            },
        }
    }
}

impl From<No> for FinishOutcome {
    fn from(no: No) -> Self {
        match no {
            No::Failed(failure) => failure.into(),
            // what the vendor has forgotten is closed
            No::Refused(Refused { refusal: Refusal::NotFound, .. }) => Self::Finished,
            No::Refused(refused) if refused.refuses_steps() => Self::Refused(refused.word.to_owned()),
            No::Refused(refused) => Self::Unknown(refused.out_of_place()),
        }
    }
}

impl From<No> for MoreOutcome {
    fn from(no: No) -> Self {
        match no {
            No::Failed(failure) => failure.into(),
            No::Refused(refused) if refused.refuses_steps() => Self::Refused(refused.word.to_owned()),
            No::Refused(refused) => Self::Unknown(refused.out_of_place()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_stand() {
        let words: &[(&str, Refusal)] = &[("sold_out", Refusal::NoNumbers), ("17", Refusal::NoFunds)];
        let table = [
            (r#"{"error":"sold_out"}"#, Some(Some(Refusal::NoNumbers)), None),
            (r#"{"error":17}"#, Some(Some(Refusal::NoFunds)), None),
            (r#"{"error":"other"}"#, Some(None), None),
            (r#"{"error":null,"id":1}"#, None, None),
            (r#"{"error":{"code":"sold_out"}}"#, Some(None), Some(Some(Refusal::NoNumbers))),
            (r#"{"error":{"code":"other"}}"#, Some(None), Some(None)),
            (r#"["sold_out"]"#, None, None),
        ];
        for (text, at_flat, at_deep) in table {
            let found = |member: &str| {
                let answer = Json::parse(text)?;
                Some(said(answer, member, words)?.map(|(_, refusal)| refusal))
            };
            assert_eq!((found("error"), found("error.code")), (at_flat, at_deep), "{text}");
        }
    }

    #[test]
    fn only_words_for_a_purchase_reject_one() {
        let no = |refusal| No::Refused(Refused { refusal, word: "w", status: 400, price: None, retry_after_ms: None });
        assert_eq!(BuyOutcome::from(no(Refusal::NoNumbers)), BuyOutcome::RejectedUncharged(Rejection::NoNumbers));
        for refusal in [Refusal::NotFound, Refusal::TooEarly, Refusal::SmsArrived, Refusal::Broken, Refusal::NotOpen] {
            assert_eq!(BuyOutcome::from(no(refusal)), BuyOutcome::Unknown("the word w (HTTP 400)".into()));
        }
        for refusal in [Refusal::Throttled, Refusal::Broken, Refusal::ReferenceUsed] {
            assert!(matches!(CancelOutcome::from(no(refusal)), CancelOutcome::Unknown(_)), "{refusal:?}");
            assert!(matches!(FinishOutcome::from(no(refusal)), FinishOutcome::Unknown(_)), "{refusal:?}");
            assert!(matches!(MoreOutcome::from(no(refusal)), MoreOutcome::Unknown(_)), "{refusal:?}");
        }
        assert_eq!(FinishOutcome::from(no(Refusal::NotFound)), FinishOutcome::Finished);
        assert_eq!(CallError::from(no(Refusal::NoSuchCall)), CallError::Unsupported);
    }
}
