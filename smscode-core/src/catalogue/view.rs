//! The catalogue as it is sold now: one immutable value, replaced when suppliers have been asked again.

use std::collections::{BTreeMap, BTreeSet};

use super::countries::{self, COUNTRIES, Country};
use super::services::{Category, SERVICES};
use crate::money::Money;
use crate::time::Timestamp;

/// A service as it is sold here: one of the market's, or one that the host has added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// Its number.
    pub id: u16,
    /// The market's code, lower case.
    pub code: String,
    /// Name for addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// What kind it is.
    pub category: Category,
    /// Not sold here.
    pub blocked: bool,
}

/// A slot: one supplier's offer of a service in a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Stable id.
    pub id: u32,
    /// The pair's id.
    pub umbrella: u32,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// Whose offer it is.
    pub supplier: String,
    /// What the supplier asks.
    pub cost: Money,
    /// What the customer pays.
    pub price: Money,
    /// About how many there are.
    pub available: u32,
}

/// How products are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sort {
    /// Cheapest first.
    #[default]
    PriceAscending,
    /// Dearest first.
    PriceDescending,
    /// Fewest first.
    AvailableAscending,
    /// Most first.
    AvailableDescending,
    /// By service and country.
    NameAscending,
    /// The other way round.
    NameDescending,
}

/// What is sold now.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    services: BTreeMap<String, ServiceEntry>,
    products: BTreeMap<u32, Product>,
    umbrellas: BTreeMap<u32, (u16, String)>,
    /// Suppliers whose offers are shown as sold out.
    closed: BTreeSet<String>,
    /// When suppliers were last asked; `None` before the first answer.
    pub refreshed_at: Option<Timestamp>,
}

impl Catalogue {
    /// A catalogue of the market's services and the host's, without products.
    pub fn new(extra: &[ServiceEntry], blocked: &BTreeSet<String>, allowed: &BTreeSet<String>) -> Self {
        let of_market = SERVICES.iter().map(|service| ServiceEntry {
            id: service.id,
            code: service.code.to_owned(),
            slug: service.slug.to_owned(),
            name: service.name.to_owned(),
            category: service.category,
            blocked: false,
        });
        let services = of_market
            .chain(extra.iter().cloned())
            .map(|mut service| {
                let by_category = service.category.blocked_by_default() && !allowed.contains(&service.code);
                service.blocked = service.blocked || by_category || blocked.contains(&service.code);
                (service.code.clone(), service)
            })
            .collect();
        Self {
            services,
            products: BTreeMap::new(),
            umbrellas: BTreeMap::new(),
            closed: BTreeSet::new(),
            refreshed_at: None,
        }
    }

    /// The same services with other products; those of closed suppliers are sold out.
    #[must_use]
    pub fn with_products(&self, mut products: Vec<Product>, closed: BTreeSet<String>, at: Timestamp) -> Self {
        for product in products.iter_mut().filter(|product| closed.contains(&product.supplier)) {
            product.available = 0;
        }
        let pair = |product: &Product| (product.umbrella, (product.country, product.service.clone()));
        let umbrellas = products.iter().map(pair).collect();
        let products = products.into_iter().map(|product| (product.id, product)).collect();
        Self { services: self.services.clone(), products, umbrellas, closed, refreshed_at: Some(at) }
    }

    /// All products, sold out or not, by id.
    pub(crate) fn all_products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// Suppliers that get no purchases now, so that nothing of theirs is in stock.
    pub fn closed(&self) -> &BTreeSet<String> {
        &self.closed
    }

    /// All countries, with whether anything is sold there now.
    pub fn countries(&self) -> Vec<(&'static Country, bool)> {
        let in_stock = self.products.values().filter(|product| product.available > 0);
        let sold: BTreeSet<u16> = in_stock.map(|product| product.country).collect();
        COUNTRIES.iter().map(|country| (country, sold.contains(&country.id))).collect()
    }

    /// All services with whether they are sold now; with a country, only those sold there.
    pub fn services(&self, country: Option<u16>) -> Vec<(&ServiceEntry, bool)> {
        let here =
            |product: &&Product| product.available > 0 && country.is_none_or(|country| product.country == country);
        let sold: BTreeSet<&str> = self.products.values().filter(here).map(|product| &*product.service).collect();
        self.services
            .values()
            .map(|service| (service, !service.blocked && sold.contains(&*service.code)))
            .filter(|(_, active)| country.is_none() || *active)
            .collect()
    }

    /// A service by the market's code, in any case.
    pub fn service(&self, code: &str) -> Option<&ServiceEntry> {
        self.services.get(&code.to_ascii_lowercase())
    }

    /// A service by its number.
    pub fn service_by_id(&self, id: u16) -> Option<&ServiceEntry> {
        self.services.values().find(|service| service.id == id)
    }

    /// A country by the market's id.
    pub fn country(&self, id: u16) -> Option<&'static Country> {
        countries::by_id(id)
    }

    /// A product, whether or not it is in stock.
    pub fn product(&self, id: u32) -> Option<&Product> {
        self.products.get(&id)
    }

    /// All products in stock that match, sorted.
    pub fn products(&self, country: Option<u16>, service: Option<&str>, sort: Sort) -> Vec<&Product> {
        let mut found: Vec<&Product> = self
            .products
            .values()
            .filter(|product| product.available > 0)
            .filter(|product| country.is_none_or(|country| product.country == country))
            .filter(|product| service.is_none_or(|service| product.service.eq_ignore_ascii_case(service)))
            .collect();
        let name = |p: &Product| (self.service(&p.service).map(|s| s.name.clone()), p.country, p.id);
        match sort {
            Sort::PriceAscending => found.sort_by_key(|p| (p.price.minor, p.id)),
            Sort::PriceDescending => found.sort_by_key(|p| (std::cmp::Reverse(p.price.minor), p.id)),
            Sort::AvailableAscending => found.sort_by_key(|p| (p.available, p.id)),
            Sort::AvailableDescending => found.sort_by_key(|p| (std::cmp::Reverse(p.available), p.id)),
            Sort::NameAscending => found.sort_by_key(|p| name(p)),
            Sort::NameDescending => found.sort_by_key(|p| std::cmp::Reverse(name(p))),
        }
        found
    }

    /// The pair of an umbrella.
    pub fn umbrella(&self, id: u32) -> Option<(u16, &str)> {
        self.umbrellas.get(&id).map(|(country, service)| (*country, &**service))
    }

    /// The offers of a pair that are in stock, cheapest first.
    pub fn offers(&self, country: u16, service: &str) -> Vec<&Product> {
        self.products(Some(country), Some(service), Sort::PriceAscending)
    }
}
