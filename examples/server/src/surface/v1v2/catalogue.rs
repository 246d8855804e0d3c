//! What is sold: countries, services, products, and the rate.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use smscode_core::catalogue::{Catalogue, Product, Sort};
use smscode_core::money::Currency;

use super::Surface;
use super::input::Parameters;
use super::money::{Fx, PRICE, Pricing, Shown, whole};
use crate::answer::{Code, Failure, Success};
use crate::app::App;
use crate::auth::Caller;

/// Products on a page, unless the client says how many.
const PAGE_DEFAULT: i64 = 1_000;
/// Products on a page at most; more is cut to this, not refused.
const PAGE_MAX: i64 = 10_000;

#[derive(Serialize)]
struct CountryView {
    id: u16,
    code: String,
    name: &'static str,
    dial_code: &'static str,
    emoji: String,
    active: bool,
}

/// `GET /catalog/countries`: all of them, sold in or not.
pub(super) async fn countries(_: Caller, State(app): State<Arc<App>>) -> Response {
    let catalogue = app.platform.catalogue();
    let shown: Vec<CountryView> = catalogue
        .countries()
        .into_iter()
        .map(|(country, active)| CountryView {
            id: country.id,
            code: country.iso.to_ascii_lowercase(),
            name: country.name,
            dial_code: country.dial_code,
            emoji: flag(country.iso),
            active,
        })
        .collect();
    Success::plain(shown).into_response()
}

/// The flag of a country: its two letters as regional indicators.
fn flag(iso: &str) -> String {
    let indicator = |letter: u8| char::from_u32(0x1F1E6 + u32::from(letter.to_ascii_uppercase().saturating_sub(b'A')));
    iso.bytes().filter_map(indicator).collect()
}

#[derive(Serialize)]
struct ServiceView<'a> {
    id: u16,
    code: &'a str,
    name: &'a str,
    active: bool,
}

/// `GET /catalog/services`: all, or with a country those that are in stock there.
pub(super) async fn services(_: Caller, State(app): State<Arc<App>>, query: Parameters) -> Result<Response, Failure> {
    let country = query.id("country_id")?;
    let catalogue = app.platform.catalogue();
    let found = match country.map(u16::try_from) {
        // an id that no country can have: nothing is sold there
        Some(Err(_)) => Vec::new(),
        Some(Ok(id)) => catalogue.services(Some(id)),
        None => catalogue.services(None),
    };
    let shown: Vec<ServiceView<'_>> = found
        .into_iter()
        .map(|(service, active)| ServiceView { id: service.id, code: &service.slug, name: &service.name, active })
        .collect();
    Ok(Success::plain(shown).into_response())
}

/// `GET /catalog/operators`: no supplier of ours sells by operator, so there is never a choice.
pub(super) async fn operators(_: Caller, query: Parameters) -> Result<Response, Failure> {
    for name in ["country_id", "platform_id"] {
        if query.id(name)?.is_none() {
            return Err(Failure::input(name, format!("{name} is needed")));
        }
    }
    let none: [(); 0] = [];
    Ok(Success::plain(none).into_response())
}

#[derive(Serialize)]
struct ProductView {
    id: u32,
    name: Option<String>,
    country_id: u16,
    platform_id: Option<u16>,
    available: u32,
    price: Shown,
    active: bool,
    catalog_product_id: u32,
    operator_id: Option<i32>,
    operator_name: Option<&'static str>,
}

#[derive(Serialize)]
struct PageMeta<'a> {
    page: i64,
    limit: i64,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fx: Option<&'a Fx>,
}

/// `GET /catalog/products`: what is in stock.
pub(super) async fn products(
    _: Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    query: Parameters,
) -> Result<Response, Failure> {
    let (country, platform) = (query.id("country_id")?, query.id("platform_id")?);
    let operator = query.id("operator_id")?;
    let limit = query.integer("limit", i64::MIN, i64::MAX)?.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let page = query.integer("page", i64::MIN, i64::MAX)?.unwrap_or(1).max(1);
    let sort = sort(query.text("sort"));
    let pricing = Pricing::of(surface, &app.platform)?;
    let catalogue = app.platform.catalogue();
    let skip = usize::try_from(page.saturating_sub(1).saturating_mul(limit)).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown: Vec<ProductView> = matching(&catalogue, country, platform, operator, sort)
        .into_iter()
        .skip(skip)
        .take(take)
        .map(|product| product_view(&catalogue, product, &pricing))
        .collect();
    let meta = PageMeta { page, limit, count: shown.len(), fx: pricing.fx() };
    Ok(Success::with_meta(shown, Some(meta)).into_response())
}

/// Products in stock that match; ids that nothing has match nothing.
fn matching(
    catalogue: &Catalogue,
    country: Option<i64>,
    platform: Option<i64>,
    operator: Option<i64>,
    sort: Sort,
) -> Vec<&Product> {
    let country = country.map(u16::try_from);
    let platform = platform.map(|id| u16::try_from(id).ok().and_then(|id| catalogue.service_by_id(id)));
    // all our tiers are without operator
    let nothing = operator.is_some() || matches!(country, Some(Err(_))) || matches!(platform, Some(None));
    if nothing {
        return Vec::new();
    }
    let service = platform.flatten().map(|service| &*service.code);
    catalogue.products(country.and_then(Result::ok), service, sort)
}

fn product_view(catalogue: &Catalogue, product: &Product, pricing: &Pricing) -> ProductView {
    let service = catalogue.service(&product.service);
    let country = catalogue.country(product.country);
    ProductView {
        id: product.id,
        name: service.zip(country).map(|(service, country)| format!("{} - {}", service.name, country.name)),
        country_id: product.country,
        platform_id: service.map(|service| service.id),
        // an int32 on the wire
        available: product.available.min(i32::MAX.unsigned_abs()),
        price: pricing.show(product.price, PRICE),
        active: true,
        catalog_product_id: product.umbrella,
        operator_id: None,
        operator_name: None,
    }
}

/// The order of a list; unknown words fall back.
fn sort(word: Option<&str>) -> Sort {
    match word.unwrap_or_default() {
        "price_desc" => Sort::PriceDescending,
        "available_asc" => Sort::AvailableAscending,
        "available_desc" => Sort::AvailableDescending,
        "name_asc" => Sort::NameAscending,
        "name_desc" => Sort::NameDescending,
        _ => Sort::PriceAscending,
    }
}

/// `GET /catalog/exchange-rate`.
pub(super) async fn exchange_rate(
    _: Caller,
    State(app): State<Arc<App>>,
    Extension(surface): Extension<Surface>,
    query: Parameters,
) -> Result<Response, Failure> {
    if surface == Surface::V2 {
        return Ok(Success::plain(Fx::of(&app.platform)?).into_response());
    }
    let pair = query.text("pair").unwrap_or("USD/IDR");
    let currencies = pair
        .split_once('/')
        .and_then(|(base, quote)| Some((Currency::from_code(base)?, Currency::from_code(quote)?)))
        .filter(|(base, quote)| base != quote);
    let rate = currencies.and_then(|(base, quote)| app.platform.rate(base, quote));
    let Some((rate, shown)) = rate.and_then(|rate| Some((rate, whole(rate.micro)?))) else {
        return Err(Failure::new(Code::NotFound, "there is no rate for this pair"));
    };
    let (base, quote) = (rate.base.code(), rate.quote.code());
    let data = json!({
        "pair": format!("{base}/{quote}"), "base_currency": base, "quote_currency": quote, "rate": shown,
    });
    Ok(Success::plain(data).into_response())
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn flags_are_two_regional_indicators() {
        assert_eq!(flag("ID"), "🇮🇩");
        assert_eq!(flag("gb"), "🇬🇧");
    }
}
