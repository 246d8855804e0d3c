//! The actions of the protocol, over the model.

use std::collections::BTreeMap;

use smscode_core::catalogue::countries;
use smscode_core::money::Money;
use smscode_core::port::Entropy;
use smscode_core::time::Timestamp;

use super::answer::{self, Answer, Object, Style};
use super::fault::Fault;
use super::model::{Model, Refusal, Step, Wanted};
use super::scenario::Moment;
use super::stock::{self, PLACES};

/// The most rows of a page of the active list.
const PAGE_LIMIT: usize = 100;
/// Keys that old programs index in `getNumbersStatus` and fail without; those marked also with forwarding.
const LEGACY_KEYS: &str =
    "vk ok wa vi tg wb go av fb tw ot ub qw gt sn ig ss ym ma mm uk me mb we bd kp dt ya mt oi fd zz kt pm tn";
const LEGACY_FORWARDED: [&str; 4] = ["av", "ot", "ym", "ya"];

/// The parameters of a call: query and form in one, names and values without blanks around them.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect())
    }

    /// The first of these names that has a value.
    pub(super) fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) style: Style,
    pub(super) now: Timestamp,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) action: &'a str,
    pub(super) parameters: &'a Parameters,
}

impl Call<'_> {
    /// Does it. The key has been checked.
    pub(super) fn run(&self, model: &mut Model) -> Answer {
        let style = self.style;
        if !style.has(self.action) {
            return answer::error(style, 404, "BAD_ACTION", None);
        }
        let done = match self.action {
            "getBalance" => {
                model.advance(self.now);
                Ok(answer::word(style, &format!("ACCESS_BALANCE:{}", model.balance().decimal())))
            }
            "getNumber" => {
                self.buy(model, |sold| answer::word(style, &format!("ACCESS_NUMBER:{}:{}", sold.id, sold.written())))
            }
            "getNumberV2" => self.buy(model, |sold| answer::sold(style, sold)),
            "getStatus" => self.activation(model).map(|activation| answer::status(style, activation)),
            "getStatusV2" => self.activation(model).map(|activation| answer::status_v2(style, activation)),
            "setStatus" => self.set_status(model),
            "finishActivation" => self.step(model, Step::Finish).map(|()| no_content(style)),
            "cancelActivation" => self.step(model, Step::Cancel).map(|()| no_content(style)),
            "getActiveActivations" => Ok(self.active(model)),
            "getPrices" | "getPricesV2" | "getPricesV3" => Ok(self.prices(model)),
            "getNumbersStatus" => Ok(self.numbers_status(model)),
            "getCountries" => Ok(answer::json(style, countries_list())),
            "getServicesList" => Ok(answer::json(style, services_list())),
            _ => Ok(answer::error(style, 404, "BAD_ACTION", None)),
        };
        done.unwrap_or_else(|refusal| answer::refused(style, refusal))
    }

    /// What the scenario that the call is about makes of it on the wire.
    pub(super) fn fault(&self, model: &mut Model) -> Option<Fault> {
        let (scenario, moment) = match self.action {
            "getNumber" | "getNumberV2" => (model.scenario(&self.service())?, Moment::Purchase),
            "cancelActivation" => model.moment_of_cancel(self.now, self.id().ok()?)?,
            "setStatus" if matches!(self.parameters.get(&["status"]), Some("8" | "-1")) => {
                model.moment_of_cancel(self.now, self.id().ok()?)?
            }
            "getStatus" | "getStatusV2" => model.moment_of_read(self.now, Some(self.id().ok()?))?,
            "getActiveActivations" => model.moment_of_read(self.now, None)?,
            _ => return None,
        };
        scenario.fault(moment, model.settings())
    }

    fn service(&self) -> String {
        self.parameters.get(&["service"]).unwrap_or_default().to_ascii_lowercase()
    }

    fn buy(
        &self,
        model: &mut Model,
        tell: impl FnOnce(&super::model::Activation) -> Answer,
    ) -> Result<Answer, Refusal> {
        let service = self.service();
        let country = self.parameters.get(&["country"]).and_then(|id| id.parse().ok()).ok_or(Refusal::BadCountry)?;
        let ceiling = self.parameters.get(&["maxPrice", "max_price"]);
        let ceiling = ceiling.and_then(|text| Money::parse(text, model.settings().currency));
        // only the original knows references of the buyer
        let reference = self.parameters.get(&["orderId"]).filter(|_| self.style == Style::Plain);
        let wanted = Wanted { country, service: &service, ceiling, reference };
        model.buy(self.now, self.entropy, &wanted).map(tell)
    }

    fn id(&self) -> Result<u64, Refusal> {
        self.parameters.get(&["id", "activationId"]).and_then(|id| id.parse().ok()).ok_or(Refusal::NoActivation)
    }

    fn activation<'m>(&self, model: &'m mut Model) -> Result<&'m super::model::Activation, Refusal> {
        model.status(self.now, self.id()?)
    }

    fn step(&self, model: &mut Model, step: Step) -> Result<(), Refusal> {
        model.step(self.now, self.entropy, self.id()?, step)
    }

    fn set_status(&self, model: &mut Model) -> Result<Answer, Refusal> {
        let (step, word) = match self.parameters.get(&["status"]) {
            Some("1") => (Step::Ready, "ACCESS_READY"),
            Some("3") => (Step::More, "ACCESS_RETRY_GET"),
            Some("6") => (Step::Finish, "ACCESS_ACTIVATION"),
            Some("8" | "-1") => (Step::Cancel, "ACCESS_CANCEL"),
            _ => return Err(Refusal::BadStatus),
        };
        self.step(model, step).map(|()| answer::word(self.style, word))
    }

    fn active(&self, model: &mut Model) -> Answer {
        let number = |names: &[&str]| self.parameters.get(names).and_then(|text| text.parse::<usize>().ok());
        let (start, limit) = match self.style {
            Style::HeroSms => (number(&["start"]).unwrap_or(0), number(&["limit", "size"]).unwrap_or(PAGE_LIMIT)),
            Style::Plain | Style::Grizzly | Style::SmsHub => (0, usize::MAX),
        };
        let limit = if self.style == Style::HeroSms { limit.min(PAGE_LIMIT) } else { limit };
        let rows: Vec<_> = model.active(self.now).into_iter().skip(start).take(limit).collect();
        answer::active(self.style, &rows)
    }

    /// Country, service, leaf; filtered if asked for.
    fn prices(&self, model: &mut Model) -> Answer {
        model.advance(self.now);
        let country = self.parameters.get(&["country"]);
        let service = self.parameters.get(&["service"]);
        let mut list: BTreeMap<u16, Object> = BTreeMap::new();
        for (id, code) in model.pairs() {
            let wanted = country.is_none_or(|text| text == id.to_string())
                && service.is_none_or(|text| text.eq_ignore_ascii_case(code));
            if let Some(price) = model.price(id, code).filter(|_| wanted) {
                let leaf = answer::price_leaf(self.action, price, model.count(id, code));
                let services = list.remove(&id).unwrap_or_default();
                list.insert(id, services.raw(code, &leaf));
            }
        }
        if list.is_empty() {
            return answer::json(self.style, "[]".to_owned());
        }
        let all =
            list.into_iter().fold(Object::default(), |all, (id, services)| all.raw(&id.to_string(), &services.end()));
        answer::json(self.style, all.end())
    }

    /// Both notations, with every key that old programs index.
    fn numbers_status(&self, model: &mut Model) -> Answer {
        model.advance(self.now);
        let country = self.parameters.get(&["country"]).and_then(|id| id.parse().ok()).unwrap_or(0);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for key in LEGACY_KEYS.split(' ') {
            counts.insert(format!("{key}_0"), 0);
        }
        counts.extend(LEGACY_FORWARDED.map(|key| (format!("{key}_1"), 0)));
        for (id, code) in model.pairs().filter(|(id, _)| *id == country) {
            let count = model.count(id, code);
            counts.insert(code.to_owned(), count);
            counts.insert(format!("{code}_0"), count);
        }
        let all = counts.into_iter().fold(Object::default(), |all, (key, count)| all.raw(&key, &count.to_string()));
        answer::json(self.style, all.end())
    }
}

fn no_content(style: Style) -> Answer {
    Answer { status: 204, ..answer::word(style, "") }
}

fn countries_list() -> String {
    let known = PLACES.iter().filter_map(|place| countries::by_id(place.country));
    let all = known.fold(Object::default(), |all, country| {
        let id = country.id.to_string();
        let flags = ["visible", "retry"].iter();
        let named =
            ["rus", "eng", "chn"].iter().fold(Object::default().raw("id", &id), |o, key| o.text(key, country.name));
        let leaf = flags.fold(named, |leaf, key| leaf.raw(key, "1")).raw("rent", "0").raw("multiService", "0");
        all.raw(&id, &leaf.end())
    });
    all.end()
}

fn services_list() -> String {
    let services: Vec<String> =
        stock::names().map(|(code, name)| Object::default().text("code", code).text("name", name).end()).collect();
    Object::default().text("status", "success").raw("services", &answer::array(&services)).end()
}
