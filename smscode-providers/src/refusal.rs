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

/// What an answer says by the member that tells success and refusal apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// No refusal.
    Success,
    /// A refusal, by a word that we know.
    Refused(&'static str, Refusal),
    /// A word that we do not know.
    Unknown,
    /// Nothing, though every answer has the member.
    Nothing,
}

/// What an answer says if `member` is one that refusals alone have.
pub(crate) fn said(answer: Json<'_>, member: &str, words: &[(&'static str, Refusal)]) -> Said {
    find(answer, member).map_or(Said::Success, |found| look_up(found.scalar().as_deref(), words))
}

/// What an answer says if `member` stands in every answer.
pub(crate) fn coded(answer: Json<'_>, member: &str, success: &str, words: &[(&'static str, Refusal)]) -> Said {
    match find(answer, member).map(Json::scalar) {
        None => Said::Nothing,
        Some(Some(word)) if word == success => Said::Success,
        Some(word) => look_up(word.as_deref(), words),
    }
}

/// A member that says something; one inside another is written with a dot.
fn find<'a>(answer: Json<'a>, member: &str) -> Option<Json<'a>> {
    member.split('.').try_fold(answer, |found, name| found.object()?.first(&[name]))
}

fn look_up(word: Option<&str>, words: &[(&'static str, Refusal)]) -> Said {
    let known = words.iter().find(|(known, _)| word == Some(known));
    known.map_or(Said::Unknown, |(word, refusal)| Said::Refused(word, *refusal))
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
        let (sold_out, no_funds) =
            (Said::Refused("sold_out", Refusal::NoNumbers), Said::Refused("17", Refusal::NoFunds));
        let table = [
            (r#"{"error":"sold_out"}"#, sold_out, Said::Success),
            (r#"{"error":17}"#, no_funds, Said::Success),
            (r#"{"error":"other"}"#, Said::Unknown, Said::Success),
            (r#"{"error":null,"id":1}"#, Said::Success, Said::Success),
            (r#"{"error":{"code":"sold_out"}}"#, Said::Unknown, sold_out),
            (r#"{"error":{"code":"other"}}"#, Said::Unknown, Said::Unknown),
            (r#"["sold_out"]"#, Said::Success, Said::Success),
        ];
        for (text, at_flat, at_deep) in table {
            let found = |member: &str| Json::parse(text).map(|answer| said(answer, member, words));
            assert_eq!((found("error"), found("error.code")), (Some(at_flat), Some(at_deep)), "{text}");
        }
        let table = [
            (r#"{"code":0,"data":1}"#, Said::Success, Said::Nothing),
            (r#"{"code":"0"}"#, Said::Success, Said::Nothing),
            (r#"{"code":17}"#, no_funds, Said::Nothing),
            (r#"{"code":"sold_out"}"#, sold_out, Said::Nothing),
            (r#"{"code":0.0}"#, Said::Unknown, Said::Nothing),
            (r#"{"code":1}"#, Said::Unknown, Said::Nothing),
            (r#"{"code":[0]}"#, Said::Unknown, Said::Nothing),
            (r#"{"code":null}"#, Said::Nothing, Said::Nothing),
            (r#"{"data":1}"#, Said::Nothing, Said::Nothing),
            (r#"{"head":{"code":17}}"#, Said::Nothing, no_funds),
            ("0", Said::Nothing, Said::Nothing),
        ];
        for (text, at_flat, at_deep) in table {
            let found = |member: &str| Json::parse(text).map(|answer| coded(answer, member, "0", words));
            assert_eq!((found("code"), found("head.code")), (Some(at_flat), Some(at_deep)), "{text}");
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
