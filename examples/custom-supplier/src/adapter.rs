//! Rents numbers from Pelican, whose documentation is [`crate::simulator`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use smscode_core::catalogue::countries;
use smscode_core::money::{Currency, Money};
use smscode_core::port::*;
use smscode_providers::http::{Client, Failure, Request};
use smscode_providers::{ApiKey, read};

/// A page has 50 rentals with 100 SMS each at most.
const BODY_LIMIT: usize = 4 << 20;
/// An account may have 10,000 rentals.
const PAGES_MAX: usize = 200;

/// An account at Pelican: client, address without a slash at the end, key, limit of each call in milliseconds.
#[derive(Debug)]
pub struct Pelican(pub Client, pub String, pub ApiKey, pub u32);

/// Why a call has no result: the vendor's word for a refusal, or no usable answer.
enum No {
    Word(String),
    Failed(Failure),
}

impl From<No> for CallError {
    fn from(no: No) -> Self {
        match no {
            No::Word(word) if word == "unauthorised" => Self::Credentials("the key is refused".into()),
            No::Word(word) if word == "rate_limited" => Self::Throttled(None),
            No::Word(_) => unreadable(),
            No::Failed(failure) => failure.into(),
        }
    }
}

fn unreadable() -> CallError {
    CallError::Unusable("an answer that is not as documented".into())
}

impl Pelican {
    async fn call(&self, request: Request) -> Result<Value, No> {
        let request = request.bearer(&self.2).timeout_ms(self.3).body_limit(BODY_LIMIT);
        let answer = request.send().await.map_err(No::Failed)?;
        let said: Value = serde_json::from_slice(&answer.body).map_err(|_| No::Failed(answer.unreadable()))?;
        match said["error"].as_str() {
            Some(word) => Err(No::Word(word.to_owned())),
            None => Ok(said),
        }
    }

    async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CallError> {
        Ok(self.call(self.0.get(&format!("{}/v1/{path}", self.1)).query(query)).await?)
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, No> {
        self.call(self.0.post(&format!("{}/v1/{path}", self.1)).json(body.to_string())).await
    }
}

fn text<'a>(said: &'a Value, name: &str) -> Option<&'a str> {
    said[name].as_str()
}

fn rental(said: &Value) -> Option<Activation> {
    let message = |sms: &Value| {
        let own = |name| text(sms, name).map(str::to_owned);
        let text = read::sms_text(text(sms, "text")?);
        Some(SupplierSms { id: own("id"), sender: own("from"), text, code: own("code"), at: own("at") })
    };
    let sms = said["messages"].as_array()?.iter().map(message).collect::<Option<Vec<_>>>()?;
    Some(Activation {
        id: ActivationId(text(said, "id")?.to_owned()),
        phone: read::phone(text(said, "phone")?)?,
        cost: Some(read::cost(text(said, "price")?, Currency::Usd)?),
        window_seconds: said["seconds_left"].as_u64().and_then(|seconds| seconds.try_into().ok()),
        reference: text(said, "reference").map(str::to_owned),
        country: text(said, "country").and_then(countries::by_iso).map(|country| country.id),
        service: text(said, "service").map(str::to_owned),
        state: match text(said, "state")? {
            "cancelled" | "expired" | "finished" => ActivationState::Ended,
            _ if sms.is_empty() => ActivationState::Waiting,
            _ => ActivationState::Received(sms),
        },
    })
}

fn rentals(said: &Value) -> Result<Vec<Activation>, CallError> {
    let found = said["rentals"].as_array().and_then(|rows| rows.iter().map(rental).collect());
    found.ok_or_else(unreadable)
}

fn offer(said: &Value) -> Option<Offer> {
    let country = countries::by_iso(text(said, "country")?)?.id;
    let (service, cost) = (text(said, "service")?.to_owned(), read::cost(text(said, "price")?, Currency::Usd)?);
    Some(Offer { country, service, cost, count: said["count"].as_u64()?.try_into().unwrap_or(u32::MAX) })
}

#[async_trait]
impl Supplier for Pelican {
    fn describe(&self) -> SupplierInfo {
        let capabilities = Capabilities {
            cancel_after_seconds: 60,
            window_seconds: 900,
            lists_active: true,
            reference_is_unique: true,
            poll_batch: 50,
            poll_floor_ms: 1_000,
            further_sms_free: true,
            wants_finish: true,
            concurrency: 16,
        };
        SupplierInfo { name: "pelican".into(), currency: Currency::Usd, capabilities }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        let said = self.read("offers", &[]).await?;
        said["offers"].as_array().and_then(|all| all.iter().map(offer).collect()).ok_or_else(unreadable)
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let said = self.read("balance", &[]).await?;
        text(&said, "balance").and_then(|text| read::balance(text, Currency::Usd)).ok_or_else(unreadable)
    }

    async fn buy(&self, wanted: &BuyRequest) -> BuyOutcome {
        let country = countries::by_id(wanted.country).map(|country| country.iso);
        if wanted.ceiling.currency != Currency::Usd {
            return BuyOutcome::NotSent("the account is in US dollars".into());
        }
        let body = json!({ "country": country, "service": wanted.service, "max_price": wanted.ceiling.decimal(),
            "reference": wanted.reference });
        let word = match self.post("rentals", body).await {
            Ok(said) => {
                return rental(&said).map_or_else(|| BuyOutcome::Unknown("no rental".into()), BuyOutcome::Accepted);
            }
            Err(No::Failed(failure)) => return failure.into(),
            Err(No::Word(word)) => word,
        };
        BuyOutcome::RejectedUncharged(match word.as_str() {
            "out_of_stock" => Rejection::NoNumbers,
            "not_sold" => Rejection::NotSold,
            "price_too_low" => Rejection::PriceAboveCeiling(None),
            "no_funds" => Rejection::NoFunds,
            "unauthorised" => Rejection::Credentials,
            "rate_limited" => Rejection::Throttled,
            "reference_used" => Rejection::ReferenceUsed,
            _ => return BuyOutcome::Unknown("a word that is not documented".into()),
        })
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let asked: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
        let found = rentals(&self.read("rentals", &[("ids", &asked.join(","))]).await?)?;
        let states: BTreeMap<_, _> = found.into_iter().map(|one| (one.id, one.state)).collect();
        Ok(ids.iter().map(|id| states.get(id).cloned().unwrap_or(ActivationState::NotFound)).collect())
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let said = self.read("rentals", &[("state", "open"), ("after", &after)]).await?;
            all.extend(rentals(&said)?);
            match text(&said, "next") {
                Some(next) => after = next.to_owned(),
                None => return Ok(all),
            }
        }
        Err(unreadable())
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        match self.post("rentals/more", json!({ "id": id.0 })).await {
            Ok(said) if text(&said, "state") == Some("waiting") => MoreOutcome::Waiting,
            Ok(_) => MoreOutcome::Unknown("another state".into()),
            Err(No::Failed(failure)) => failure.into(),
            Err(No::Word(_)) => MoreOutcome::Refused("a refusal".into()),
        }
    }
}
