//! What is sold: prices, stock, countries, services.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use smscode_core::Platform;
use smscode_core::catalogue::{Catalogue, Product, Sort};
use smscode_core::money::Money;

use super::input::{Country, Parameters};
use super::money;
use super::reply::{Reply, word};

/// Keys that old programs look up without asking whether they are there, each with the suffix `_0`.
const OLD_SERVICES: &str =
    "vk ok wa vi tg wb go av fb tw ot ub qw gt sn ig ss ym ma mm uk me mb we bd kp dt ya mt oi fd zz kt pm tn";
/// Of those the ones that are looked up with `_1` (call forwarding), too.
const OLD_FORWARDED: [&str; 4] = ["av", "ot", "ym", "ya"];

/// The cheapest price of a pair, and how many numbers there are at any price.
struct Pair {
    price: Money,
    count: u64,
}

/// All pairs in stock that match, by country and service. A country that is none matches nothing.
fn pairs(catalogue: &Catalogue, country: Country, service: Option<&str>) -> BTreeMap<(u16, String), Pair> {
    let country = match country {
        Country::Any => None,
        Country::Id(id) => Some(id),
        Country::Unreadable => return BTreeMap::new(),
    };
    let mut found: BTreeMap<(u16, String), Pair> = BTreeMap::new();
    // cheapest first: the first of a pair has its price
    for product in catalogue.products(country, service, Sort::PriceAscending) {
        if !sold(catalogue, product) {
            continue;
        }
        let pair =
            found.entry((product.country, product.service.clone())).or_insert(Pair { price: product.price, count: 0 });
        pair.count += u64::from(product.available);
    }
    found
}

fn sold(catalogue: &Catalogue, product: &Product) -> bool {
    catalogue.service(&product.service).is_some_and(|service| !service.blocked)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    cost: Box<RawValue>,
    count: u64,
    physical_count: u64,
}

/// `getPrices`: country, service, leaf. Nothing offered is an empty object.
pub(super) fn prices(platform: &Platform, sent: &Parameters) -> Reply {
    let mut tree: BTreeMap<u16, BTreeMap<String, Price>> = BTreeMap::new();
    for ((country, service), pair) in pairs(&platform.catalogue(), sent.country(), sent.text(&["service"])) {
        let leaf = Price { cost: money::number(pair.price), count: pair.count, physical_count: pair.count };
        tree.entry(country).or_default().insert(service, leaf);
    }
    Reply::json(&tree)
}

/// `getNumbersStatus`: the stock by service, in both notations, with zeros for what is not in stock.
pub(super) fn stock(platform: &Platform, sent: &Parameters) -> Reply {
    let catalogue = platform.catalogue();
    let mut stock: BTreeMap<String, u64> = BTreeMap::new();
    for old in OLD_SERVICES.split(' ') {
        stock.insert(format!("{old}_0"), 0);
    }
    for old in OLD_FORWARDED {
        stock.insert(format!("{old}_1"), 0);
    }
    for (service, _) in catalogue.services(None) {
        stock.insert(service.code.clone(), 0);
        stock.insert(format!("{}_0", service.code), 0);
    }
    if !sent.wants_other_numbers() {
        for ((_, service), pair) in pairs(&catalogue, sent.country(), None) {
            *stock.entry(format!("{service}_0")).or_default() += pair.count;
            *stock.entry(service).or_default() += pair.count;
        }
    }
    Reply::json(&stock)
}

#[derive(Serialize)]
struct Place {
    country: u16,
    count: u64,
    price: Box<RawValue>,
    retail_price: Box<RawValue>,
}

/// `getTopCountriesByService`: for one service or for each, countries by stock, under the keys 0, 1, 2, ...
pub(super) fn top_countries(platform: &Platform, sent: &Parameters) -> Reply {
    let catalogue = platform.catalogue();
    let service = sent.text(&["service"]);
    if service.is_some_and(|code| catalogue.service(code).is_none()) {
        return Reply::word(word::BAD_SERVICE);
    }
    let mut by_service: BTreeMap<String, Vec<(u16, Pair)>> = BTreeMap::new();
    for ((country, code), pair) in pairs(&catalogue, Country::Any, service) {
        by_service.entry(code).or_default().push((country, pair));
    }
    let mut ranked: BTreeMap<String, BTreeMap<usize, Place>> = BTreeMap::new();
    for (code, mut places) in by_service {
        places.sort_by_key(|(country, pair)| (std::cmp::Reverse(pair.count), *country));
        let places = places.into_iter().map(|(country, pair)| Place {
            country,
            count: pair.count,
            price: money::number(pair.price),
            retail_price: money::number(pair.price),
        });
        ranked.insert(code, places.enumerate().collect());
    }
    match service {
        Some(code) => Reply::json(&ranked.remove(&code.to_ascii_lowercase()).unwrap_or_default()),
        None => Reply::json(&ranked),
    }
}

#[derive(Serialize)]
struct CountryRow {
    id: u16,
    rus: &'static str,
    eng: &'static str,
    chn: &'static str,
    visible: u8,
    retry: u8,
    rent: u8,
    #[serde(rename = "multiService")]
    multi_service: u8,
}

/// `getCountries`: all countries by id, with whether anything is sold there. Names are English in all three members.
pub(super) fn countries(platform: &Platform) -> Reply {
    let catalogue = platform.catalogue();
    let rows = catalogue.countries().into_iter().map(|(country, sold)| {
        let row = CountryRow {
            id: country.id,
            rus: country.name,
            eng: country.name,
            chn: country.name,
            visible: u8::from(sold),
            retry: 1,
            rent: 0,
            multi_service: 0,
        };
        (country.id, row)
    });
    Reply::json(&rows.collect::<BTreeMap<_, _>>())
}

#[derive(Serialize)]
struct Services<'a> {
    status: &'static str,
    services: Vec<Service<'a>>,
}

#[derive(Serialize)]
struct Service<'a> {
    code: &'a str,
    name: &'a str,
}

/// `getServicesList`: what is not blocked here; with a country, what is sold there.
pub(super) fn services(platform: &Platform, sent: &Parameters) -> Reply {
    let catalogue = platform.catalogue();
    let listed = match sent.country() {
        Country::Any => catalogue.services(None),
        Country::Id(id) => catalogue.services(Some(id)),
        Country::Unreadable => Vec::new(),
    };
    let open = listed.iter().filter(|(service, _)| !service.blocked);
    let services = open.map(|(service, _)| Service { code: &service.code, name: &service.name });
    Reply::json(&Services { status: "success", services: services.collect() })
}

#[derive(Serialize)]
struct NoOperators {
    status: &'static str,
    error: &'static str,
}

/// `getOperators`: numbers are not sold by operator.
pub(super) fn operators() -> Reply {
    Reply::json(&NoOperators { status: "error", error: "OPERATORS_NOT_FOUND" })
}
