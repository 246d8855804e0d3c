//! From replies to the outcomes of the port: pure, tested as tables.

use smscode_core::port::{
    ActivationState, BuyOutcome, CallError, CancelOutcome, FinishOutcome, MoreOutcome, Past, Rejection,
};

use super::activation::{self, Frame, Row};
use super::dialects::HttpStatus;
use super::reply::{self, Reply};
use super::words::Meaning;
use crate::http::{Answer, Failure};
use crate::json::Json;
use crate::read;
use crate::refusal::{No, Refusal};

/// The outcome of a purchase. Only a connection that never came about and a word that means "no" are a no.
pub(super) fn bought(frame: Frame<'_>, answer: &Result<Answer, Failure>) -> BuyOutcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => return failure.clone().into(),
    };
    let text = answer.text();
    match reply::read(frame.dialect, answer.status, &text) {
        Reply::Word(word) => match word.meaning {
            Meaning::Number => word.detail.as_deref().and_then(activation::number).map_or_else(
                || BuyOutcome::Unknown("a number in a form that we cannot read".to_owned()),
                BuyOutcome::Accepted,
            ),
            // a ban of one pair ends by itself within the hour: as good as sold out
            Meaning::Refused(Refusal::Credentials) if word.info("scope").as_deref() == Some("specific") => {
                word.refused(answer, Refusal::NoNumbers).into()
            }
            Meaning::Refused(Refusal::PriceAboveCeiling) => {
                let named = word.detail.as_deref().map(str::to_owned).or_else(|| word.info("min"));
                let price = named.and_then(|literal| read::cost(&literal, frame.currency));
                BuyOutcome::RejectedUncharged(Rejection::PriceAboveCeiling(price))
            }
            Meaning::Refused(refusal) => word.refused(answer, refusal).into(),
            _ => BuyOutcome::Unknown(word.out_of_place(answer)),
        },
        Reply::Json(json) => activation::purchase(frame, json).map_or_else(
            || BuyOutcome::Unknown(format!("JSON that is no purchase (HTTP {})", answer.status)),
            BuyOutcome::Accepted,
        ),
        Reply::Unreadable(_) if answer.status == 429 && frame.dialect.http_status == HttpStatus::Meaningful => {
            BuyOutcome::RejectedUncharged(Rejection::Throttled)
        }
        Reply::Unreadable(what) => BuyOutcome::Unknown(what),
        Reply::NoContent => BuyOutcome::Unknown("no content (HTTP 204)".to_owned()),
    }
}

/// The state of one activation.
pub(super) fn state(frame: Frame<'_>, answer: &Answer) -> Result<ActivationState, CallError> {
    let text = answer.text();
    let reply = reply::read(frame.dialect, answer.status, &text);
    match &reply {
        Reply::Word(word) => match word.meaning {
            Meaning::Waiting => Ok(ActivationState::Waiting),
            Meaning::Received => Ok(activation::status_ok(word.detail.as_deref())),
            Meaning::Ended | Meaning::Cancelled => Ok(ActivationState::Ended),
            Meaning::Refused(Refusal::NotFound) => Ok(ActivationState::NotFound),
            _ => Err(reply::refusal(frame.dialect, answer, &reply)),
        },
        Reply::Json(json) => activation::status(*json).ok_or_else(|| reply::refusal(frame.dialect, answer, &reply)),
        Reply::Unreadable(_) | Reply::NoContent => Err(reply::refusal(frame.dialect, answer, &reply)),
    }
}

/// The rows of a list. An object where a list should be, or a row without an id, is not an empty list.
pub(super) fn rows(frame: Frame<'_>, answer: &Answer) -> Result<Vec<Row>, CallError> {
    let text = answer.text();
    let reply = reply::read(frame.dialect, answer.status, &text);
    match &reply {
        Reply::Word(word) if word.meaning == Meaning::EmptyList => Ok(Vec::new()),
        Reply::Json(json) => list(*json)
            .and_then(|items| items.into_iter().map(|item| activation::row(frame, item)).collect())
            .ok_or_else(|| CallError::Unusable("a list of open activations that we cannot read".to_owned())),
        _ => Err(reply::refusal(frame.dialect, answer, &reply)),
    }
}

/// The rows of a page of the history. A row without an id fails it: what it lacks would count as unknown there.
pub(super) fn past(frame: Frame<'_>, answer: &Answer) -> Result<Vec<Past>, CallError> {
    let text = answer.text();
    let reply = reply::read(frame.dialect, answer.status, &text);
    match &reply {
        Reply::Word(word) if word.meaning == Meaning::EmptyList => Ok(Vec::new()),
        Reply::Json(json) => json
            .array()
            .or_else(|| json.object()?.get("data")?.array())
            .and_then(|items| items.into_iter().map(|item| activation::past(frame, item)).collect())
            .ok_or_else(|| CallError::Unusable("a history that we cannot read".to_owned())),
        _ => Err(reply::refusal(frame.dialect, answer, &reply)),
    }
}

/// Array at the top; else `data`; else `activeActivations`; else empty, if the reply says so consistently.
fn list(json: Json<'_>) -> Option<Vec<Json<'_>>> {
    if let Some(items) = json.array() {
        return Some(items);
    }
    let members = json.object()?;
    let named = ["data", "activeActivations"];
    if let Some(items) = named.iter().find_map(|name| members.get(*name)?.items().filter(|items| !items.is_empty())) {
        return Some(items);
    }
    // nothing in either: believed if nothing contradicts
    let says_success = members.get("status").and_then(|json| json.string()).is_some_and(|status| status == "success");
    let has_array = named.iter().any(|name| members.get(*name).is_some_and(|json| json.array().is_some()));
    let contradicted = named.iter().filter_map(|name| members.get(*name)).any(|json| {
        let rows = json.object().and_then(|object| object.get("num_rows").and_then(|json| json.scalar()));
        !json.is_absent() && rows.as_deref() != Some("0")
    });
    ((says_success || has_array) && !contradicted).then(Vec::new)
}

/// The outcome of a cancel: a success is the exact word (or 204, where statuses mean something), nothing that looks like it.
pub(super) fn cancelled(frame: Frame<'_>, answer: &Result<Answer, Failure>) -> CancelOutcome {
    match step(frame, answer) {
        Ok(Meant::Done | Meant::Word(_, Meaning::Cancelled)) => CancelOutcome::Cancelled,
        Ok(Meant::No(no)) => no.into(),
        Ok(Meant::Word(_, Meaning::Ended)) => CancelOutcome::NotOpen,
        // words of success, but of another step: some say them to refuse politely
        Ok(Meant::Word(name, Meaning::Ready | Meaning::RetryAccepted | Meaning::Finished)) => {
            CancelOutcome::Refused(name.to_owned())
        }
        Ok(Meant::Word(name, _)) => CancelOutcome::Unknown(name.to_owned()),
        Err(why) => CancelOutcome::Unknown(why),
    }
}

/// The outcome of a finish; the second value says that only a read can tell whether it was closed before.
pub(super) fn finished(frame: Frame<'_>, answer: &Result<Answer, Failure>) -> (FinishOutcome, bool) {
    match step(frame, answer) {
        Ok(Meant::Done | Meant::Word(_, Meaning::Finished | Meaning::Ended)) => (FinishOutcome::Finished, false),
        Ok(Meant::No(no)) => {
            let look = matches!(&no, No::Refused(refused) if refused.refusal == Refusal::NotOpen);
            (no.into(), look)
        }
        Ok(Meant::Word(name, Meaning::Ready)) => (FinishOutcome::Refused(name.to_owned()), false),
        Ok(Meant::Word(name, _)) => (FinishOutcome::Unknown(name.to_owned()), false),
        Err(why) => (FinishOutcome::Unknown(why), false),
    }
}

/// The outcome of asking for another SMS.
pub(super) fn more(frame: Frame<'_>, answer: &Result<Answer, Failure>) -> MoreOutcome {
    match step(frame, answer) {
        Ok(Meant::Done) => MoreOutcome::Unknown("no content (HTTP 204)".to_owned()),
        Ok(Meant::No(no)) => no.into(),
        Ok(Meant::Word(_, Meaning::RetryAccepted)) => MoreOutcome::Waiting,
        Ok(Meant::Word(name, Meaning::Ended)) => MoreOutcome::Refused(name.to_owned()),
        Ok(Meant::Word(name, _)) => MoreOutcome::Unknown(name.to_owned()),
        Err(why) => MoreOutcome::Unknown(why),
    }
}

enum Meant {
    /// HTTP 204.
    Done,
    No(No),
    Word(&'static str, Meaning),
}

/// The word that answers a step, or why there is none.
fn step(frame: Frame<'_>, answer: &Result<Answer, Failure>) -> Result<Meant, String> {
    let answer = answer.as_ref().map_err(Failure::to_string)?;
    let text = answer.text();
    match reply::read(frame.dialect, answer.status, &text) {
        Reply::Word(word) => Ok(match word.meaning {
            Meaning::Refused(refusal) => Meant::No(word.refused(answer, refusal)),
            meaning => Meant::Word(word.name, meaning),
        }),
        Reply::NoContent if frame.dialect.http_status == HttpStatus::Meaningful => Ok(Meant::Done),
        Reply::NoContent => Err("no content (HTTP 204)".to_owned()),
        Reply::Json(_) => Err(format!("JSON in place of a word (HTTP {})", answer.status)),
        Reply::Unreadable(what) => Err(what),
    }
}
