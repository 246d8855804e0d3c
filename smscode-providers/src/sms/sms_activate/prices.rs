//! Price lists: country, service, and a leaf of three kinds.

use smscode_core::money::{Currency, Money};
use smscode_core::port::Offer;

use super::activation::Frame;
use crate::json::{Json, Members};
use crate::read;

/// The most offers of one list: the largest real one has some 160,000.
const OFFER_LIMIT: usize = 400_000;
/// The longest code of a service.
const SERVICE_LIMIT: usize = 32;

/// All offers of a list. `None` if it is no price list: not an object of objects, or nothing in it can be read, so that
/// a strange reply never empties a catalogue. An empty list (also PHP's `[]`) is a list.
pub(super) fn offers(frame: Frame<'_>, json: Json<'_>) -> Option<Vec<Offer>> {
    if let Some(items) = json.array() {
        return items.is_empty().then(Vec::new);
    }
    let (mut offers, mut seen) = (Vec::new(), 0_usize);
    for (country, services) in json.object()? {
        let Ok(country) = country.parse() else {
            seen += 1;
            continue;
        };
        for (service, leaf) in services.object().unwrap_or_default() {
            seen += 1;
            if seen > OFFER_LIMIT {
                return None;
            }
            let Some((cost, count)) = leaf.object().and_then(|leaf| price(&leaf, frame.currency)) else {
                continue;
            };
            let country = frame.dialect.country_in(country);
            if let Some(service) = service_code(&service) {
                offers.push(Offer { country, service, cost, count });
            }
        }
    }
    (seen == 0 || !offers.is_empty()).then_some(offers)
}

fn service_code(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_lowercase();
    let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (!code.is_empty() && code.len() <= SERVICE_LIMIT && code.bytes().all(fine)).then_some(code)
}

/// `{cost, count}` under its various names, or a map of prices to counts: of that the cheapest that is in stock.
fn price(leaf: &Members<'_>, currency: Currency) -> Option<(Money, u32)> {
    if let Some(literal) = leaf.first_scalar(&["cost", "price"]) {
        let cost = read::cost(&literal, currency)?;
        let number = leaf.first_scalar(&["count", "quant", "qty"]).map_or(Some(0), |text| count(&text))?;
        return Some((cost, number));
    }
    let levels = leaf.iter().filter_map(|(literal, number)| {
        let cost = read::cost(literal, currency)?;
        Some((cost, count(&number.scalar()?)?))
    });
    levels.min_by_key(|(cost, number)| (*number == 0, cost.minor))
}

fn count(text: &str) -> Option<u32> {
    let whole: u64 = text.trim().parse().ok()?;
    Some(u32::try_from(whole).unwrap_or(u32::MAX))
}
