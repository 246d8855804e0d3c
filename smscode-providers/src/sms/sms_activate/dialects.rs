//! The dialects of the protocol, as data. No line of the adapter asks for a vendor's name.

use smscode_core::money::Currency;

use super::words::Meaning;
use crate::refusal::Refusal;

/// Which call buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purchase {
    /// `getNumber`: the reply has neither price nor times.
    V1,
    /// `getNumberV2`.
    V2,
}

/// Which call reads one activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCall {
    /// `getStatus`: the last code alone.
    V1,
    /// `getStatusV2`: text, code and time of the last SMS.
    V2,
}

/// Which call lists prices. All replies are read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceList {
    /// `getPrices`: country, service, `{cost, count}`.
    V1,
    /// `getPricesV2`: country, service, price, count.
    V2,
    /// `getPricesV3`: country, service, `{price, count, providers}`.
    V3,
}

/// The list of what is open (`getActiveActivations`), where it can be trusted. All envelopes are read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveList {
    /// Rows per request; `None` where one reply has all.
    pub page: Option<u16>,
    /// Whether a row has all SMS of its activation, so that it is worth more than the status of a single one.
    pub all_sms: bool,
}

/// What HTTP statuses are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpStatus {
    /// Every business answer has status 200.
    Always200,
    /// Errors have real statuses: 401 means the key, 429 means slow down, 204 means done.
    Meaningful,
}

/// A dialect of the protocol. A host may make its own: `Dialect { name: "mine", ..SMS_ACTIVATE }`.
///
/// Not in here, because it is read alike everywhere: envelopes, types of fields, phones with or without plus.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Its name in a configuration.
    pub name: &'static str,
    /// Where the service answers, with path; empty where the configuration has to say it.
    pub base_url: &'static str,
    /// The currency that accounts usually have; the configuration decides.
    pub currency: Currency,
    /// Which call buys.
    pub purchase: Purchase,
    /// Which call reads one activation.
    pub status: StatusCall,
    /// The list of open activations, if there is one.
    pub active: Option<ActiveList>,
    /// Whether there is a list of everything that was bought (`getHistory`) that can be trusted to be whole.
    pub history: bool,
    /// Which call lists prices.
    pub prices: PriceList,
    /// The name of the parameter for the ceiling.
    pub ceiling_parameter: &'static str,
    /// Whether `getNumberV2` takes `orderId` and refuses one that was used.
    pub order_id: bool,
    /// The value of `status` that cancels.
    pub cancel_status: &'static str,
    /// Seconds before which a cancel is refused.
    pub cancel_after_seconds: u32,
    /// Seconds that an activation lives if the purchase does not say.
    pub window_seconds: u32,
    /// Milliseconds between two polls, at least.
    pub poll_floor_ms: u32,
    /// Calls at once.
    pub concurrency: u32,
    /// Calls a second that an account may make; 0 where nothing is documented.
    pub requests_a_second: u32,
    /// Whether an open activation counts against a limit until it is finished.
    pub wants_finish: bool,
    /// Whether more SMS on a number are free.
    pub further_sms_free: bool,
    /// What HTTP statuses are worth.
    pub http_status: HttpStatus,
    /// Words that only this dialect has, or means differently: for a bad key, a cancelled activation, a refusal.
    pub words: &'static [(&'static str, Meaning)],
    /// Countries with another id than the market's: (the market's, theirs).
    pub countries: &'static [(u16, u16)],
}

impl Dialect {
    /// Their id of a country of the market.
    pub(super) fn country_out(&self, market: u16) -> u16 {
        self.countries.iter().find(|(ours, _)| *ours == market).map_or(market, |(_, theirs)| *theirs)
    }

    /// The market's id of a country of theirs.
    pub(super) fn country_in(&self, theirs: u16) -> u16 {
        self.countries.iter().find(|(_, other)| *other == theirs).map_or(theirs, |(ours, _)| *ours)
    }
}

/// The original protocol, and what most servers of it serve.
pub const SMS_ACTIVATE: Dialect = Dialect {
    name: "sms-activate",
    base_url: "https://api.sms-activate.ae/stubs/handler_api.php",
    currency: Currency::Usd,
    purchase: Purchase::V2,
    status: StatusCall::V2,
    active: Some(ActiveList { page: None, all_sms: true }),
    history: true,
    prices: PriceList::V1,
    ceiling_parameter: "maxPrice",
    order_id: true,
    cancel_status: "8",
    cancel_after_seconds: 120,
    window_seconds: 1_200,
    poll_floor_ms: 3_000,
    concurrency: 8,
    requests_a_second: 0,
    wants_finish: true,
    further_sms_free: true,
    http_status: HttpStatus::Always200,
    words: &[],
    countries: &[],
};

/// HeroSMS: real HTTP statuses, errors in `title`, a paged list with the last SMS of each row. It documents 50 requests a
/// second and a block of 10 s beyond them, and throttles after about a dozen fast calls.
pub const HEROSMS: Dialect = Dialect {
    name: "herosms",
    base_url: "https://hero-sms.com/stubs/handler_api.php",
    active: Some(ActiveList { page: Some(100), all_sms: false }),
    order_id: false,
    concurrency: 4,
    requests_a_second: 10,
    http_status: HttpStatus::Meaningful,
    ..SMS_ACTIVATE
};

/// GrizzlySMS: a bare array as list, prices of the third kind, a cancel after five minutes, refusals in sentences.
pub const GRIZZLYSMS: Dialect = Dialect {
    name: "grizzlysms",
    base_url: "https://api.grizzlysms.com/stubs/handler_api.php",
    active: Some(ActiveList { page: None, all_sms: false }),
    history: false,
    prices: PriceList::V3,
    order_id: false,
    cancel_after_seconds: 300,
    words: &[("The service is prohibited for sale by administration", Meaning::Refused(Refusal::NotSold))],
    ..SMS_ACTIVATE
};

/// SMSHub: the core four and prices, nothing else.
pub const SMSHUB: Dialect = Dialect {
    name: "smshub",
    base_url: "https://smshub.org/stubs/handler_api.php",
    purchase: Purchase::V1,
    status: StatusCall::V1,
    active: None,
    history: false,
    order_id: false,
    ..SMS_ACTIVATE
};

/// A server of this project as the supplier of another: the configuration says where it is and what its currency is.
pub const SMSCODE: Dialect =
    Dialect { name: "smscode", base_url: "", poll_floor_ms: 1_000, concurrency: 32, ..SMS_ACTIVATE };

/// All dialects, by name in alphabetical order.
pub const ALL: [&Dialect; 5] = [&GRIZZLYSMS, &HEROSMS, &SMS_ACTIVATE, &SMSCODE, &SMSHUB];

/// The dialect of this name.
pub fn dialect(name: &str) -> Option<&'static Dialect> {
    ALL.into_iter().find(|dialect| dialect.name == name)
}
