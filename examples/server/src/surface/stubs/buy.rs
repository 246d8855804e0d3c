//! `getNumber` and `getNumberV2`.

use serde::Serialize;
use serde_json::value::RawValue;
use smscode_core::Platform;
use smscode_core::account::AccountId;
use smscode_core::catalogue::Sort;
use smscode_core::money::Money;
use smscode_core::order::{Idempotency, ItemOutcome, OrderView, PlaceOrders, Wanted};

use super::input::{Country, Parameters};
use super::reply::{Reply, word};
use super::{money, refuse};

/// How a number is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `ACCESS_NUMBER:id:phone`.
    Words,
    /// A document.
    Json,
}

/// Buys a number.
///
/// Without a country (or with `any`) it is the cheapest country in stock: no country may be this platform's first, and
/// the programs that leave it out take whatever comes.
pub(super) async fn number(platform: &Platform, account: AccountId, sent: &Parameters, form: Form) -> Reply {
    let wanted = match wanted(platform, sent) {
        Ok(wanted) => wanted,
        Err(reply) => return reply,
    };
    let limited = wanted.max_price.is_some();
    let cheapest = || match &wanted.wanted {
        Wanted::Pair { country, service } => cheapest(platform, Some(*country), service).map(|(_, price)| price),
        Wanted::Product(_) | Wanted::Umbrella(_) => None,
    };
    let cheapest = cheapest();
    let placed = match platform.place_orders(account, wanted).await {
        Ok(placed) => placed,
        Err(smscode_core::order::OrderError::PriceLimit(_)) => return refuse::ceiling(cheapest),
        Err(error) => return refuse::purchase(&error, limited),
    };
    // the number of the first call was given then; a second call must never look like a second purchase
    if placed.replayed {
        return Reply::word(word::ORDER_ALREADY_EXISTS);
    }
    match placed.items.into_iter().next().map(|item| item.outcome) {
        Some(ItemOutcome::Settled(order)) => told(&order, form),
        Some(ItemOutcome::Rejected(error)) => refuse::purchase(&error, limited),
        // neither a yes nor a no: with an orderId it can be found later, without one it is given back once it is found
        Some(ItemOutcome::Pending(_)) => Reply::word(word::SERVER_ERROR),
        None => Reply::Broken,
    }
}

fn wanted(platform: &Platform, sent: &Parameters) -> Result<PlaceOrders, Reply> {
    let service = sent.text(&["service"]).ok_or(Reply::word(word::BAD_SERVICE))?.to_ascii_lowercase();
    let known = platform.catalogue().service(&service).is_some_and(|service| !service.blocked);
    if !known {
        return Err(Reply::word(word::BAD_SERVICE));
    }
    let country = match sent.country() {
        Country::Id(id) => id,
        Country::Unreadable => return Err(Reply::word(word::WRONG_COUNTRY)),
        Country::Any => cheapest(platform, None, &service).ok_or(Reply::word(word::NO_NUMBERS))?.0,
    };
    if platform.catalogue().country(country).is_none() {
        return Err(Reply::word(word::WRONG_COUNTRY));
    }
    if sent.wants_other_numbers() {
        return Err(Reply::word(word::NO_NUMBERS));
    }
    let limit = sent.text(&["maxPrice", "max_price"]);
    let max_price = match limit.map(|text| money::ceiling(text, platform.currency())) {
        None => None,
        Some(Some(price)) => Some(price),
        Some(None) => {
            return Err(refuse::ceiling(cheapest(platform, Some(country), &service).map(|(_, price)| price)));
        }
    };
    let idempotency = sent.text(&["orderId"]).map(|key| Idempotency {
        operation: "create/stubs",
        key: key.to_owned(),
        request: as_sent(sent),
    });
    Ok(PlaceOrders {
        max_price,
        abandon_when_late: idempotency.is_none(),
        idempotency,
        ..PlaceOrders::one(Wanted::Pair { country, service })
    })
}

/// The request as it was sent: what our prices and stock make of it does not count.
fn as_sent(sent: &Parameters) -> Vec<u8> {
    let parts = ["service", "country", "operator", "maxPrice", "max_price"].map(|name| sent.text(&[name]));
    serde_json::to_vec(&parts).unwrap_or_default()
}

/// Where a service is cheapest now, and its price there.
fn cheapest(platform: &Platform, country: Option<u16>, service: &str) -> Option<(u16, Money)> {
    let catalogue = platform.catalogue();
    let offers = catalogue.products(country, Some(service), Sort::PriceAscending);
    offers.first().map(|offer| (offer.country, offer.price))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bought<'a> {
    activation_id: u32,
    phone_number: &'a str,
    activation_cost: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u16>,
    country_code: String,
    can_get_another_sms: &'static str,
    activation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_end_time: Option<String>,
    activation_operator: &'static str,
    service_code: &'a str,
}

/// The purchase as the program wants it.
fn told(order: &OrderView, form: Form) -> Reply {
    // an order that ended while it was placed has no number any more
    let Some(phone) = order.phone.as_deref() else {
        return Reply::word(word::NO_NUMBERS);
    };
    if form == Form::Words {
        return Reply::detail("ACCESS_NUMBER", format_args!("{}:{phone}", order.id.0));
    }
    Reply::json(&Bought {
        activation_id: order.id.0,
        phone_number: phone,
        activation_cost: money::number(order.price),
        currency: order.price.currency.iso_number(),
        country_code: order.country.to_string(),
        can_get_another_sms: "1",
        activation_time: order.created_at.plain(),
        activation_end_time: order.expires_at.map(|at| at.plain()),
        activation_operator: "any",
        service_code: &order.service,
    })
}

#[cfg(test)]
mod tests {
    use smscode_core::order::State;

    use super::super::input::Parameters;
    use super::super::reply::Reply;
    use super::super::status::tests::order;
    use super::{Form, as_sent, told};

    #[test]
    fn a_purchase_in_both_forms() {
        let mut bought = order(State::Active, false, None, None);
        assert_eq!(told(&bought, Form::Words), Reply::Word("ACCESS_NUMBER:635468024:6281234567890".into()));
        let json = concat!(
            r#"{"activationId":635468024,"phoneNumber":"6281234567890","activationCost":2500,"currency":360,"countryCode":"6","#,
            r#""canGetAnotherSms":"1","activationTime":"2026-05-11 09:00:00","activationEndTime":"2026-05-11 09:20:00","#,
            r#""activationOperator":"any","serviceCode":"tg"}"#
        );
        assert_eq!(told(&bought, Form::Json), Reply::Json(json.into()));
        bought.phone = None;
        assert_eq!(told(&bought, Form::Json), Reply::word("NO_NUMBERS"));
    }

    #[test]
    fn requests_are_compared_as_sent() {
        let canonical = |query: &str| as_sent(&Parameters::read(query.as_bytes(), b""));
        assert_eq!(canonical("service=tg&country=6&ref=1"), canonical("ref=2&country=6&service=tg"));
        assert_ne!(canonical("service=tg&country=6"), canonical("service=tg&country=6&maxPrice=1"));
        assert_ne!(canonical("service=tg"), canonical("country=tg"));
    }
}
