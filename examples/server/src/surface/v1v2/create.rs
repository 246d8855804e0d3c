//! `POST /orders/create`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use smscode_core::money::{Currency, Money};
use smscode_core::order::{
    Idempotency, ItemOutcome, OrderError, OrderView, PlaceOrders, Placed, Policy, QUANTITY_MAX, Wanted,
};

use super::Surface;
use super::input::{Members, idempotency_key};
use super::money::{Fx, Pricing, Rounding, read_dollars, rupiah};
use super::orders::fx_meta;
use super::refuse::{refused, refused_routed, refused_slot};
use super::view::Created;
use crate::answer::{Code, Failure};
use crate::app::App;
use crate::auth::Caller;

/// Longest name of a preferred supplier, and longest price text.
const TEXT_MAX: usize = 64;
/// Says that an answer is the one to an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A price limit as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Limit {
    /// Rupiah, `/v1`.
    Rupiah(i64),
    /// Decimal text, `/v2`. Its worth in rupiah is not part of the request: the rate moves between retries.
    Dollars(String),
}

/// The request after parsing, defaults filled in. Serialized it is the canonical form that a key stands for: members in
/// a fixed order, absent and `null` alike, so that only another meaning makes another request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Request {
    product_id: Option<u32>,
    catalog_product_id: Option<u32>,
    max_price: Option<Limit>,
    min_price: Option<Limit>,
    prefer_provider: Option<String>,
    policy: &'static str,
    operator_id: Option<i64>,
    quantity: u32,
}

impl Request {
    fn read(surface: Surface, mut body: Members) -> Result<Self, Failure> {
        let int32 = (i64::from(i32::MIN), i64::from(i32::MAX));
        let product = body.integer("product_id", int32.0, int32.1)?;
        let umbrella = body.integer("catalog_product_id", int32.0, int32.1)?;
        let max_price = limit(surface, &mut body, "max_price")?;
        let min_price = limit(surface, &mut body, "min_price")?;
        let prefer_provider = body.text("prefer_provider", TEXT_MAX)?;
        let policy = body.text("policy", TEXT_MAX)?;
        let operator_id = body.integer("operator_id", int32.0, int32.1)?;
        let quantity = body.integer("quantity", 1, i64::from(QUANTITY_MAX))?;
        body.end()?;
        if product.is_some() == umbrella.is_some() {
            return Err(Failure::input("product_id", "exactly one of product_id and catalog_product_id is needed"));
        }
        if product.is_some() {
            let routed = [
                ("max_price", max_price.is_some()),
                ("min_price", min_price.is_some()),
                ("prefer_provider", prefer_provider.is_some()),
                ("policy", policy.is_some()),
                ("operator_id", operator_id.is_some()),
            ];
            if let Some((name, _)) = routed.into_iter().find(|(_, given)| *given) {
                let message = format!("{name} goes with catalog_product_id only: a product_id names one price");
                return Err(Failure::input(name, message));
            }
        }
        let policy = match policy.as_deref() {
            None | Some("cheapest") => "cheapest",
            Some("best_success") => "best_success",
            Some(_) => return Err(Failure::input("policy", "policy must be cheapest or best_success")),
        };
        // an id below zero is the id of nothing, as one too large is
        let id = |id: Option<i64>| id.map(|id| u32::try_from(id).unwrap_or(u32::MAX));
        let request = Self {
            product_id: id(product),
            catalog_product_id: id(umbrella),
            max_price,
            min_price,
            prefer_provider,
            policy,
            operator_id,
            quantity: quantity.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        };
        request.check_limits()?;
        Ok(request)
    }

    /// Both limits in one unit make sense together.
    fn check_limits(&self) -> Result<(), Failure> {
        let size = |name: &str, limit: &Option<Limit>| match limit {
            None => Ok(None),
            Some(Limit::Rupiah(amount)) => Ok(Some(*amount)),
            Some(Limit::Dollars(text)) => read_dollars(name, text).map(Some),
        };
        let (max, min) = (size("max_price", &self.max_price)?, size("min_price", &self.min_price)?);
        match (max, min) {
            (Some(max), Some(min)) if min > max => Err(Failure::input("min_price", "min_price is above max_price")),
            _ => Ok(()),
        }
    }

    fn place(&self, surface: Surface, pricing: &Pricing, key: Option<String>) -> Result<PlaceOrders, Failure> {
        let wanted = match (self.product_id, self.catalog_product_id) {
            (Some(product), _) => Wanted::Product(product),
            (None, umbrella) => Wanted::Umbrella(umbrella.unwrap_or(u32::MAX)),
        };
        let limit = |name: &str, limit: &Option<Limit>, rounding: Rounding| -> Result<Option<Money>, Failure> {
            let minor = match (limit, pricing.fx()) {
                (None, _) | (Some(Limit::Dollars(_)), None) => return Ok(None),
                (Some(Limit::Rupiah(amount)), _) => *amount,
                (Some(Limit::Dollars(text)), Some(fx)) => in_rupiah(name, text, fx, rounding)?,
            };
            Ok(Some(Money::new(minor, Currency::Idr)))
        };
        let alone = self.quantity == 1;
        Ok(PlaceOrders {
            wanted,
            quantity: self.quantity,
            max_price: limit("max_price", &self.max_price, Rounding::Down)?,
            min_price: limit("min_price", &self.min_price, Rounding::Up)?,
            prefer_supplier: self.prefer_provider.clone(),
            policy: if self.policy == "best_success" { Policy::BestSuccess } else { Policy::Cheapest },
            // the published API has no quotes
            quote: None,
            // without a key an answer of "in progress" gives nobody a way back to the order
            abandon_when_late: alone && key.is_none(),
            idempotency: match key {
                None => None,
                Some(key) => Some(Idempotency {
                    operation: match surface {
                        Surface::V1 => "create/v1",
                        Surface::V2 => "create/v2",
                    },
                    key,
                    request: serde_json::to_vec(self)
                        .map_err(|_| Failure::new(Code::Internal, "the request has no canonical form"))?,
                }),
            },
        })
    }
}

fn limit(surface: Surface, body: &mut Members, name: &'static str) -> Result<Option<Limit>, Failure> {
    match surface {
        Surface::V1 => Ok(body.integer(name, 1, i64::MAX)?.map(Limit::Rupiah)),
        Surface::V2 => Ok(body.text(name, TEXT_MAX)?.map(Limit::Dollars)),
    }
}

fn in_rupiah(name: &str, text: &str, fx: &Fx, rounding: Rounding) -> Result<i64, Failure> {
    Ok(rupiah(read_dollars(name, text)?, fx, rounding))
}

/// `POST /orders/create`. The rate comes first: without one nothing is bought on `/v2`.
pub(super) async fn create(
    Caller(account): Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    headers: HeaderMap,
    body: Members,
) -> Result<Response, Failure> {
    let request = Request::read(surface, body)?;
    let key = idempotency_key(&headers)?;
    let pricing = Pricing::of(surface, &app.platform)?;
    let routed = request.catalog_product_id.is_some();
    let fail = |error: &OrderError| {
        if routed { refused_routed(error) } else { refused_slot(error) }
    };
    if request.operator_id.is_some() {
        // all our tiers are without operator
        return Err(refused(&OrderError::NoOffer { cheapest: None }));
    }
    let placed = app
        .platform
        .place_orders(account, request.place(surface, &pricing, key)?)
        .await
        .map_err(|error| fail(&error))?;
    answer(&placed, request.quantity, &pricing, fail)
}

#[derive(Serialize)]
struct Answer<'a> {
    success: bool,
    data: Data<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
    /// Why items of a bulk failed: the envelope is open for it, `data` is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Value>,
}

#[derive(Serialize)]
struct Data<'a> {
    orders: Vec<Created<'a>>,
    failed_count: usize,
}

fn answer(
    placed: &Placed,
    quantity: u32,
    pricing: &Pricing,
    fail: impl Fn(&OrderError) -> Failure,
) -> Result<Response, Failure> {
    let mut orders: Vec<&OrderView> = Vec::new();
    let mut failures: Vec<(usize, Failure)> = Vec::new();
    for (index, item) in placed.items.iter().enumerate() {
        match &item.outcome {
            ItemOutcome::Settled(order) => orders.push(order),
            ItemOutcome::Pending(_) if quantity == 1 => return Err(fail(&OrderError::InProgress)),
            ItemOutcome::Pending(order) => orders.push(order),
            ItemOutcome::Rejected(error) => failures.push((index, fail(error))),
        }
    }
    if orders.is_empty() {
        return Err(all_failed(failures));
    }
    let body = Answer {
        success: true,
        data: Data {
            orders: orders.iter().map(|order| Created::of(order, pricing)).collect(),
            failed_count: failures.len(),
        },
        meta: fx_meta(pricing),
        failures: failures.into_iter().map(reason).collect(),
    };
    let mut response = axum::Json(body).into_response();
    if placed.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Why an item of a bulk failed.
fn reason((index, failure): (usize, Failure)) -> Value {
    json!({"index": index, "code": failure.code.word(), "message": failure.message, "details": failure.details})
}

/// When nothing worked the answer is the cause, or that suppliers failed in different ways.
fn all_failed(failures: Vec<(usize, Failure)>) -> Failure {
    let mut causes = failures.into_iter().map(|(_, failure)| failure);
    let Some(first) = causes.next() else {
        return Failure::new(Code::Internal, "no order came of it");
    };
    if causes.all(|other| other.code == first.code && other.details.get("cause") == first.details.get("cause")) {
        return first;
    }
    Failure::new(Code::Provider, "the suppliers refused for different reasons").with("cause", "provider_error")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::Surface;
    use super::super::input::Members;
    use super::super::money::{Fx, Pricing};
    use super::Request;

    fn read(surface: Surface, body: &str) -> Result<Request, String> {
        let members = Members::parse(body.as_bytes()).map_err(|failure| failure.message)?;
        Request::read(surface, members).map_err(|failure| failure.details["field"].as_str().unwrap().to_owned())
    }

    #[test]
    fn closed_bodies_name_what_is_wrong() {
        let cases = [
            (Surface::V1, r#"{}"#, "product_id"),
            (Surface::V1, r#"{"product_id":1,"catalog_product_id":1}"#, "product_id"),
            (Surface::V1, r#"{"product_id":"1"}"#, "product_id"),
            (Surface::V1, r#"{"product_id":1.0}"#, "product_id"),
            (Surface::V1, r#"{"product_id":2147483648}"#, "product_id"),
            (Surface::V1, r#"{"product_id":1,"max_price":5}"#, "max_price"),
            (Surface::V1, r#"{"product_id":1,"policy":"cheapest"}"#, "policy"),
            (Surface::V1, r#"{"product_id":1,"quantity":0}"#, "quantity"),
            (Surface::V1, r#"{"product_id":1,"quantity":101}"#, "quantity"),
            (Surface::V1, r#"{"product_id":1,"quantity":true}"#, "quantity"),
            (Surface::V1, r#"{"catalog_product_id":1,"max_prize":5}"#, "max_prize"),
            (Surface::V1, r#"{"catalog_product_id":1,"max_price":0}"#, "max_price"),
            (Surface::V1, r#"{"catalog_product_id":1,"max_price":"5"}"#, "max_price"),
            (Surface::V1, r#"{"catalog_product_id":1,"max_price":5,"min_price":6}"#, "min_price"),
            (Surface::V1, r#"{"catalog_product_id":1,"policy":"fastest"}"#, "policy"),
            (Surface::V2, r#"{"catalog_product_id":1,"max_price":5}"#, "max_price"),
            (Surface::V2, r#"{"catalog_product_id":1,"max_price":"0"}"#, "max_price"),
            (Surface::V2, r#"{"catalog_product_id":1,"max_price":"0.1","min_price":"0.2"}"#, "min_price"),
        ];
        for (surface, body, field) in cases {
            assert_eq!(read(surface, body).unwrap_err(), field, "{body}");
        }
    }

    #[test]
    fn the_same_request_has_the_same_form() {
        let form = |body: &str| {
            let request = read(Surface::V2, body).unwrap();
            let pricing = Pricing::Dollars(Fx::fixed(16_000));
            let placed = request.place(Surface::V2, &pricing, Some("k".to_owned())).unwrap();
            placed.idempotency.unwrap().request
        };
        let plain = form(r#"{"catalog_product_id":1,"max_price":"0.50"}"#);
        let same = [
            r#" { "max_price" : "0.50", "catalog_product_id" : 1 } "#,
            r#"{"catalog_product_id":1,"max_price":"0.50","quantity":1,"policy":"cheapest"}"#,
            r#"{"catalog_product_id":1,"max_price":"0.50","min_price":null,"product_id":null,"operator_id":null}"#,
        ];
        for body in same {
            assert_eq!(form(body), plain, "{body}");
        }
        let other = [
            r#"{"catalog_product_id":1}"#,
            r#"{"catalog_product_id":1,"max_price":"0.51"}"#,
            r#"{"catalog_product_id":1,"max_price":"0.50","quantity":2}"#,
            r#"{"catalog_product_id":1,"max_price":"0.50","policy":"best_success"}"#,
            r#"{"catalog_product_id":2,"max_price":"0.50"}"#,
        ];
        for body in other {
            assert_ne!(form(body), plain, "{body}");
        }
    }

    #[test]
    fn without_a_key_nobody_can_come_back() {
        let late = |body: &str, key: Option<&str>| {
            let request = read(Surface::V1, body).unwrap();
            request.place(Surface::V1, &Pricing::Rupiah, key.map(str::to_owned)).unwrap().abandon_when_late
        };
        assert!(late(r#"{"product_id":1}"#, None));
        assert!(!late(r#"{"product_id":1}"#, Some("k")));
        assert!(!late(r#"{"product_id":1,"quantity":2}"#, None));
    }
}
