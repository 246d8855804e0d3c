//! Rents numbers from Pelican; [`crate::simulator`] stands for its documentation.

use serde_json::json;
use smscode_core::{catalogue::countries, money::Currency, money::Money, port::*, time::Timestamp};
use smscode_providers::refusal::{No, Refusal};
use smscode_providers::{http::Api, json::Json, read};

/// Its words for a refusal, in the member `error`, and what its documentation says of each.
const WORDS: &[(&str, Refusal)] = &[
    ("unauthorised", Refusal::Credentials),
    ("rate_limited", Refusal::Throttled),
    ("no_funds", Refusal::NoFunds),
    ("out_of_stock", Refusal::NoNumbers),
    ("price_too_low", Refusal::PriceAboveCeiling),
    ("reference_used", Refusal::ReferenceUsed),
    ("not_found", Refusal::NotFound),
    ("too_early", Refusal::TooEarly),
    ("has_messages", Refusal::SmsArrived),
];

/// An account at Pelican, in US dollars.
#[derive(Debug)]
pub struct Pelican(pub Api);

fn rental(it: Json<'_>) -> Option<Activation> {
    let ended = matches!(it.text("state")?.as_str(), "cancelled" | "expired" | "finished");
    let sms = it.rows("messages", |it| {
        let text = read::sms_text(&it.member("text")?.string()?);
        Some(SupplierSms { id: it.text("id"), sender: it.text("from"), text, code: it.text("code"), at: it.text("at") })
    })?;
    Some(Activation {
        cost: Some(read::cost(&it.text("price")?, Currency::Usd)?),
        window_seconds: it.whole("seconds_left"),
        reference: it.text("ref"),
        country: it.text("country").and_then(|iso| countries::by_iso(&iso)).map(|country| country.id),
        state: if ended { ActivationState::Ended } else { ActivationState::open(sms) },
        ..Activation::new(ActivationId(it.text("id")?), read::phone(&it.text("phone")?)?)
    })
}

fn offer(it: Json<'_>) -> Option<Option<Offer>> {
    let (cost, count) = (read::cost(&it.text("price")?, Currency::Usd)?, it.whole("count")?);
    let (country, service) = (countries::by_iso(&it.text("country")?), it.text("service")?); // the market's, or none
    Some(country.map(|country| Offer { country: country.id, service, cost, count }))
}

fn past(it: Json<'_>) -> Option<Past> {
    let cost = read::cost(&it.text("price")?, Currency::Usd)?;
    let charge = match it.text("state")?.as_str() {
        "cancelled" => Charge::Returned,
        "expired" | "finished" => Charge::Kept(Some(cost)),
        _ => Charge::Undecided,
    };
    Some(Past { id: ActivationId(it.text("id")?), charge })
}

/// Takes a step, which is done when the rental is in this state.
async fn step(api: &Api, path: &str, id: &ActivationId, done: &str) -> Result<(), No> {
    let request = api.post(path).json(json!({ "id": id.0 }).to_string());
    request.ask("error", WORDS, |it| (it.text("state")? == done).then_some(())).await
}

#[async_trait::async_trait]
impl Supplier for Pelican {
    fn describe(&self) -> SupplierInfo {
        let able = Capabilities { lists_active: true, reference_is_unique: true, ..Capabilities::LEAST };
        let capabilities = Capabilities { lists_history: true, wants_finish: true, poll_batch: 50, ..able };
        SupplierInfo { name: "pelican".into(), currency: Currency::Usd, capabilities }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        Ok(self.0.get("offers").ask("error", WORDS, |it| it.known_rows("offers", offer)).await?)
    }

    async fn balance(&self) -> Result<Money, CallError> {
        Ok(self.0.get("balance").ask("error", WORDS, |it| read::balance(&it.text("balance")?, Currency::Usd)).await?)
    }

    async fn buy(&self, wanted: &BuyRequest) -> BuyOutcome {
        let (Some(country), Currency::Usd) = (countries::by_id(wanted.country), wanted.ceiling.currency) else {
            return BuyOutcome::NotSent("a country without a name, or a ceiling that is not in dollars".into());
        };
        let (price, reference) = (wanted.ceiling.decimal(), &wanted.reference);
        let body = json!({ "country": country.iso, "service": wanted.service, "max_price": price, "ref": reference });
        let bought = self.0.post("rentals").json(body.to_string()).ask("error", WORDS, rental).await;
        bought.map_or_else(Into::into, BuyOutcome::Accepted)
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let asked = ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(",");
        let request = self.0.get("rentals").query(&[("ids", &asked)]);
        Ok(read::in_order(ids, request.ask("error", WORDS, |it| it.rows("rentals", rental)).await?))
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        Ok(self.0.get("rentals?state=open").ask("error", WORDS, |it| it.rows("rentals", rental)).await?)
    }

    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        let (from, until) = (from.seconds().to_string(), until.seconds().to_string());
        let request = self.0.get("rentals").query(&[("from", &from), ("until", &until)]);
        Ok(request.ask("error", WORDS, |it| it.rows("rentals", past)).await?)
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        step(&self.0, "rentals/more", id, "waiting").await.map_or_else(Into::into, |()| MoreOutcome::Waiting)
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        step(&self.0, "rentals/cancel", id, "cancelled").await.map_or_else(Into::into, |()| CancelOutcome::Cancelled)
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        step(&self.0, "rentals/finish", id, "finished").await.map_or_else(Into::into, |()| FinishOutcome::Finished)
    }
}
