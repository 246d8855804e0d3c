//! In which order offers are tried. Pure.

use std::cmp::Reverse;

use super::Deliveries;
use crate::catalogue::Product;
use crate::order::Policy;

/// What routing knows of an offer beside its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// How its supplier has delivered this pair.
    pub(crate) deliveries: Deliveries,
    /// Its supplier has said a little while ago that it does not sell this pair.
    pub(crate) not_sold: bool,
    /// Purchases of this supplier are being probed: another one is surer.
    pub(crate) shaky: bool,
}

/// Sorts offers by policy, without those that are not sold. `BestSuccess` takes the better class of delivery, five percent
/// each, and within a class the lower price; a preferred supplier goes first whatever the policy says.
pub(crate) fn rank<'a>(
    offers: Vec<&'a Product>,
    policy: Policy,
    prefer: Option<&str>,
    figures: &dyn Fn(&Product) -> Figures,
) -> Vec<&'a Product> {
    let mut ranked = Vec::with_capacity(offers.len());
    for product in offers {
        let known = figures(product);
        if known.not_sold {
            continue;
        }
        let other = !prefer.is_some_and(|name| product.supplier.eq_ignore_ascii_case(name));
        let success = match policy {
            Policy::Cheapest => 0,
            Policy::BestSuccess => known.deliveries.rank(),
        };
        ranked.push(((other, Reverse(success), product.price.minor, product.id), product));
    }
    ranked.sort_by_key(|(place, _)| *place);
    ranked.into_iter().map(|(_, product)| product).collect()
}

/// Puts suppliers that are being probed behind all others, whose order stays: for who has been refused once already.
pub(crate) fn surest_first(offers: &mut [&Product], figures: &dyn Fn(&Product) -> Figures) {
    offers.sort_by_key(|product| figures(product).shaky);
}
