//! What is asked first: an order call against the catalogue. Pure.

use super::error::OrderError;
use super::place::{PlaceOrders, QUANTITY_MAX, Wanted};
use crate::catalogue::{Catalogue, Product};
use crate::money::Currency;

/// The offer that is asked first, and whether others may be tried after it.
pub(crate) fn offer(
    catalogue: &Catalogue,
    wanted: &PlaceOrders,
    currency: Currency,
) -> Result<(Product, bool), OrderError> {
    if !(1..=QUANTITY_MAX).contains(&wanted.quantity) {
        return Err(OrderError::Quantity { found: wanted.quantity, max: QUANTITY_MAX });
    }
    let limits = [wanted.max_price, wanted.min_price];
    if limits.iter().flatten().any(|limit| limit.minor <= 0) {
        return Err(OrderError::PriceLimit("a price limit must be above zero"));
    }
    if limits.iter().flatten().any(|limit| limit.currency != currency) {
        return Err(OrderError::PriceLimit("a price limit must be in the ledger's currency"));
    }
    if let (Some(max), Some(min)) = (wanted.max_price, wanted.min_price)
        && min.minor > max.minor
    {
        return Err(OrderError::PriceLimit("the smallest price is above the largest"));
    }
    let (country, code) = match &wanted.wanted {
        Wanted::Product(id) => {
            let product = catalogue.product(*id).ok_or(OrderError::UnknownProduct(*id))?;
            sellable(catalogue, product.country, &product.service)?;
            let slot = product.clone();
            return match slot.available {
                0 => Err(OrderError::Supplier { cause: "no_numbers" }),
                _ => within(&slot, wanted).then_some((slot, false)).ok_or(OrderError::NoOffer { cheapest: None }),
            };
        }
        Wanted::Umbrella(id) => {
            let (country, code) = catalogue.umbrella(*id).ok_or(OrderError::NoOffer { cheapest: None })?;
            (country, code.to_owned())
        }
        Wanted::Pair { country, service } => (*country, service.to_ascii_lowercase()),
    };
    sellable(catalogue, country, &code)?;
    let ranked = catalogue.ranked(country, &code, wanted.policy, wanted.prefer_supplier.as_deref());
    let cheapest = ranked.iter().map(|product| product.price).min_by_key(|price| price.minor);
    let found = ranked.into_iter().find(|product| within(product, wanted)).cloned();
    found.map(|product| (product, true)).ok_or(OrderError::NoOffer { cheapest })
}

fn within(product: &Product, wanted: &PlaceOrders) -> bool {
    wanted.max_price.is_none_or(|max| product.price.minor <= max.minor)
        && wanted.min_price.is_none_or(|min| product.price.minor >= min.minor)
}

fn sellable(catalogue: &Catalogue, country: u16, code: &str) -> Result<(), OrderError> {
    if catalogue.country(country).is_none() {
        return Err(OrderError::UnknownCountry(country.to_string()));
    }
    match catalogue.service(code) {
        None => Err(OrderError::UnknownService(code.chars().take(32).collect())),
        Some(service) if service.blocked => Err(OrderError::BlockedService(service.code.clone())),
        Some(_) => Ok(()),
    }
}
