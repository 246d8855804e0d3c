//! What is asked first: an order call against the catalogue. Pure.

use super::error::OrderError;
use super::place::{PlaceOrders, QUANTITY_MAX, Wanted};
use super::quote::{QuoteFault, Terms};
use crate::catalogue::{Catalogue, Product};
use crate::money::{Currency, Money};
use crate::routing::{Figures, rank};

/// The offer that is asked first, at the price that is charged, and whether others may be tried after it.
pub(crate) fn offer(
    catalogue: &Catalogue,
    wanted: &PlaceOrders,
    currency: Currency,
    quoted: Option<&Terms>,
    figures: &dyn Fn(&Product) -> Figures,
) -> Result<(Product, bool), OrderError> {
    check(wanted, currency)?;
    let (country, code) = match &wanted.wanted {
        Wanted::Product(id) => {
            let product = catalogue.product(*id).ok_or(OrderError::UnknownProduct(*id))?;
            sellable(catalogue, product.country, &product.service)?;
            let quoted = for_this(quoted, Some(*id), product.country, &product.service)?;
            let slot = priced(product, quoted);
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
    let quoted = for_this(quoted, None, country, &code)?;
    let ranked = rank(catalogue.offers(country, &code), wanted.policy, wanted.prefer_supplier.as_deref(), figures);
    let cheapest = quoted.or_else(|| ranked.iter().map(|product| product.price).min_by_key(|price| price.minor));
    // what has become dearer than its quote may still be had at it: the supplier is asked, with the quote as ceiling
    let at_its_price = |product: &&Product| quoted.is_none_or(|quoted| product.price.minor <= quoted.minor);
    let first = ranked.iter().copied().find(at_its_price).or_else(|| ranked.first().copied());
    let found = match quoted {
        Some(_) => first.map(|product| priced(product, quoted)).filter(|product| within(product, wanted)),
        None => ranked.into_iter().find(|product| within(product, wanted)).cloned(),
    };
    found.map(|product| (product, true)).ok_or(OrderError::NoOffer { cheapest })
}

fn check(wanted: &PlaceOrders, currency: Currency) -> Result<(), OrderError> {
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
    Ok(())
}

/// The quoted price, if the quote is for this.
fn for_this(
    quoted: Option<&Terms>,
    product: Option<u32>,
    country: u16,
    service: &str,
) -> Result<Option<Money>, OrderError> {
    let Some(terms) = quoted else { return Ok(None) };
    if terms.product != product || terms.country != country || terms.service != service {
        return Err(OrderError::Quote(QuoteFault::OtherThing));
    }
    Ok(Some(terms.price()))
}

fn priced(product: &Product, quoted: Option<Money>) -> Product {
    Product { price: quoted.unwrap_or(product.price), ..product.clone() }
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
