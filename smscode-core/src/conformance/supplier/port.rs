//! What a supplier says of itself, of its goods and of our money there.

use super::world::World;
use crate::conformance::failure::{Checked, holds, same};

pub(super) async fn port_it_introduces_itself_without_a_call(w: &mut World) -> Checked {
    let (name, able) = (&w.info.name, &w.info.capabilities);
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    holds((1..=32).contains(&name.len()) && name.bytes().all(fine), &format!("a name like {name:?}"))?;
    holds((60..=86_400).contains(&able.window_seconds), "a window between a minute and a day")?;
    holds(able.cancel_after_seconds < able.window_seconds, "a cancel that is possible within the window")?;
    holds(able.poll_batch >= 1, "a poll of at least one")?;
    holds(able.concurrency >= 1, "at least one call at a time")?;
    same(&w.supplier.describe(), &w.info, "the second introduction")?;
    same(&w.line.count(), &0, "requests for an introduction")
}

pub(super) async fn port_offers_name_the_product_as_the_market_does(w: &mut World) -> Checked {
    let (country, service) = w.fixture().product();
    w.fixture().set_stock(42).await;
    let offers = w.supplier.offers().await?;
    holds(offers.iter().all(|offer| offer.cost.currency == w.info.currency), "all costs in the account's currency")?;
    let of_it = |offer: &&crate::port::Offer| offer.country == country && offer.service == service;
    let found: Vec<_> = offers.iter().filter(of_it).collect();
    same(&found.len(), &1, "offers of the product")?;
    same(&found.first().map(|offer| (offer.cost, offer.count)), &Some((w.price(), 42)), "cost and count")
}

pub(super) async fn port_what_is_sold_out_is_not_offered(w: &mut World) -> Checked {
    let (country, service) = w.fixture().product();
    w.fixture().set_stock(0).await;
    let offers = w.supplier.offers().await?;
    let sold_out = offers.iter().all(|o| o.country != country || o.service != service || o.count == 0);
    holds(sold_out, "a product without stock is left out or has a count of 0")
}

pub(super) async fn port_the_balance_follows_a_purchase(w: &mut World) -> Checked {
    let before = w.supplier.balance().await?;
    let bought = w.buy().await?;
    let after = w.supplier.balance().await?;
    same(&after, &w.money(before.minor - w.price().minor), "the balance after a purchase")?;
    same(&w.booked(&bought.id).await?.charged, &w.price(), "what the simulator charged")
}
