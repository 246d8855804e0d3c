//! One supplier as a pure state machine: no I/O, no clock, no randomness of its own. It serves the simulator over HTTP and
//! whatever else plays a supplier.
//!
//! What is due happens before each command, in the order of its times; nothing has to run in between.

mod chance;
mod life;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smscode_core::money::Money;
use smscode_core::port::Entropy;
use smscode_core::time::Timestamp;

pub use terms::{Activation, Arrival, Injection, Message, Refusal, Settings, Stage, Step, Wanted};

use super::scenario::{SCENARIOS, Scenario};
use super::stock::{self, PLACES, SERVICES};
use chance::{code_text, number, plain_text};
use terms::Due;

/// Closed activations that are remembered, the oldest forgotten first.
const CLOSED_LIMIT: usize = 10_000;
/// Tries to find a number that is not taken before the country counts as sold out.
const NUMBER_TRIES: u32 = 64;
/// The most SMS of an activation; injected ones beyond it are refused.
const SMS_LIMIT: usize = 100;
/// Arrived SMS that nobody has been told of, at most; the oldest are forgotten first.
const ARRIVALS_LIMIT: usize = 1_000;
/// Added to an id to make it longer than 53 bits, which not every reader of JSON keeps.
const LONG_ID: u64 = 1 << 60;

/// A supplier with one account.
pub struct Model {
    settings: Settings,
    balance_minor: i64,
    next_id: u64,
    activations: BTreeMap<u64, Activation>,
    open: BTreeSet<u64>,
    /// A number may be open more than once.
    open_by_phone: BTreeSet<(String, u64)>,
    open_by_pair: BTreeMap<(u16, String), u32>,
    by_reference: BTreeMap<String, u64>,
    closed: VecDeque<u64>,
    agenda: BTreeSet<(Timestamp, u64)>,
    /// Open ones of which reads are to be spoilt.
    to_spoil: BTreeSet<u64>,
    arrivals: VecDeque<Arrival>,
    /// From when until when nothing is answered.
    dead: Option<(Timestamp, Timestamp)>,
    /// Prices and stocks that were set, in place of the tables.
    prices: BTreeMap<(u16, String), Money>,
    stocks: BTreeMap<(u16, String), u32>,
    /// What services do, in place of the tables.
    scenarios: BTreeMap<String, Scenario>,
}

impl Model {
    /// A supplier that has sold nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            balance_minor: settings.balance_minor,
            next_id: settings.first_id,
            settings,
            activations: BTreeMap::new(),
            open: BTreeSet::new(),
            open_by_phone: BTreeSet::new(),
            open_by_pair: BTreeMap::new(),
            by_reference: BTreeMap::new(),
            closed: VecDeque::new(),
            agenda: BTreeSet::new(),
            to_spoil: BTreeSet::new(),
            arrivals: VecDeque::new(),
            dead: None,
            prices: BTreeMap::new(),
            stocks: BTreeMap::new(),
            scenarios: BTreeMap::new(),
        }
    }

    /// Sets the price of a pair, in the account's currency.
    pub fn set_price(&mut self, country: u16, service: &str, price: Money) {
        self.prices.insert((country, service.to_owned()), price);
    }

    /// Sets how many numbers of a pair may be open at once.
    pub fn set_stock(&mut self, country: u16, service: &str, count: u32) {
        self.stocks.insert((country, service.to_owned()), count);
    }

    /// Lets a service play a scenario from the next purchase on: a live server sells the market's services and no others.
    pub fn set_scenario(&mut self, service: &str, scenario: Scenario) {
        self.scenarios.insert(service.to_owned(), scenario);
    }

    /// What a purchase of this service is like; `None` if it is not sold.
    pub(super) fn scenario(&self, service: &str) -> Option<Scenario> {
        let (scenario, _) = stock::service(service)?;
        Some(self.scenarios.get(service).copied().unwrap_or(scenario))
    }

    /// Sets the account's money, in its currency.
    pub fn set_balance(&mut self, balance: Money) {
        self.balance_minor = balance.minor;
    }

    /// The account's money.
    pub fn balance(&self) -> Money {
        Money::new(self.balance_minor, self.settings.currency)
    }

    /// When something is due next by itself: an SMS or the end of an activation.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// The price of a pair; `None` if it is not sold.
    pub fn price(&self, country: u16, service: &str) -> Option<Money> {
        let place = PLACES.iter().find(|place| place.country == country)?;
        let (_, units) = stock::service(service)?;
        if let Some(price) = self.prices.get(&(country, service.to_owned())) {
            return Some(*price);
        }
        let minor = units * stock::unit_minor(self.settings.currency) * place.percent / 100;
        Some(Money::new(minor, self.settings.currency))
    }

    /// How many numbers a pair has left.
    pub fn count(&self, country: u16, service: &str) -> u32 {
        let pair = (country, service.to_owned());
        let open = self.open_by_pair.get(&pair).copied().unwrap_or_default();
        self.stocks.get(&pair).copied().unwrap_or(self.settings.stock).saturating_sub(open)
    }

    /// Sells a number.
    pub fn buy(&mut self, now: Timestamp, entropy: &dyn Entropy, wanted: &Wanted<'_>) -> Result<&Activation, Refusal> {
        self.advance(now);
        let scenario = self.scenario(wanted.service).ok_or(Refusal::BadService)?;
        let price = self.price(wanted.country, wanted.service).ok_or(Refusal::BadCountry)?;
        self.check(wanted, scenario, price)?;
        let phone = self.number_for(wanted, scenario, entropy).ok_or(Refusal::NoNumbers)?;
        let id = if scenario == Scenario::OddForm { self.next_id | LONG_ID } else { self.next_id };
        self.next_id += 1;
        let cost = match scenario {
            Scenario::ChargedAbove => {
                let asked = wanted.ceiling.map_or(price.minor, |ceiling| ceiling.minor);
                Money::new(asked.saturating_mul(2), price.currency)
            }
            _ => price,
        };
        self.balance_minor -= cost.minor;
        let lock_ms = match scenario {
            Scenario::CancelEarly => self.settings.long_cancel_after_ms,
            _ => self.settings.cancel_after_ms,
        };
        let activation = Activation {
            id,
            phone: phone.clone(),
            country: wanted.country,
            service: wanted.service.to_owned(),
            cost,
            reference: wanted.reference.map(str::to_owned),
            bought_at: now,
            cancel_from: now.plus_ms(lock_ms),
            ends_at: now.plus_seconds(i64::from(self.settings.window_seconds)),
            stage: Stage::Waiting,
            messages: Vec::new(),
            scenario,
            due: self.schedule(now, scenario, entropy),
            spoilt: 0,
        };
        self.agenda.extend(activation.due.iter().map(|(at, _)| (*at, id)));
        self.agenda.insert((activation.ends_at, id));
        self.open.insert(id);
        self.open_by_phone.insert((phone, id));
        *self.open_by_pair.entry((wanted.country, wanted.service.to_owned())).or_default() += 1;
        if let Some(reference) = wanted.reference {
            self.by_reference.insert(reference.to_owned(), id);
        }
        if scenario.spoilt_reads() > 0 {
            self.to_spoil.insert(id);
        }
        if scenario == Scenario::SupplierDies {
            // not yet in this moment: its number is still told
            self.dead = Some((now.plus_ms(1), now.plus_ms(self.settings.dead_ms)));
        }
        Ok(self.activations.entry(id).or_insert(activation))
    }

    fn check(&self, wanted: &Wanted<'_>, scenario: Scenario, price: Money) -> Result<(), Refusal> {
        if wanted.reference.is_some_and(|reference| self.by_reference.contains_key(reference)) {
            return Err(Refusal::ReferenceUsed);
        }
        if scenario == Scenario::SoldOut || self.count(wanted.country, wanted.service) == 0 {
            return Err(Refusal::NoNumbers);
        }
        if scenario == Scenario::PriceAbove {
            let above = wanted.ceiling.map_or(price.minor, |ceiling| ceiling.minor.max(price.minor));
            return Err(Refusal::PriceAboveCeiling(Money::new(above.saturating_mul(2), price.currency)));
        }
        if wanted.ceiling.is_some_and(|ceiling| ceiling.minor < price.minor) {
            return Err(Refusal::PriceAboveCeiling(price));
        }
        if self.balance_minor < price.minor {
            return Err(Refusal::NoBalance);
        }
        let (open, limit) = (self.open.len(), self.settings.channels);
        if open >= limit { Err(Refusal::ChannelsLimit { open, limit }) } else { Ok(()) }
    }

    /// The number that is sold: a free one of the country, unless the scenario gives another.
    fn number_for(&self, wanted: &Wanted<'_>, scenario: Scenario, entropy: &dyn Entropy) -> Option<String> {
        let place = PLACES.iter().position(|place| place.country == wanted.country)?;
        if scenario == Scenario::DuplicateNumber {
            let of_pair = |one: &&Activation| one.country == wanted.country && one.service == wanted.service;
            if let Some(open) = self.open.iter().filter_map(|id| self.activations.get(id)).find(of_pair) {
                return Some(open.phone.clone());
            }
        }
        let shift = usize::from(scenario == Scenario::WrongCountry);
        let pattern = PLACES.get((place + shift) % PLACES.len())?.pattern;
        (0..NUMBER_TRIES).map(|_| number(pattern, entropy)).find(|phone| self.open_with(phone).is_none())
    }

    /// The oldest open activation of a number.
    fn open_with(&self, phone: &str) -> Option<u64> {
        let from = (phone.to_owned(), 0);
        self.open_by_phone.range(from..).next().filter(|(found, _)| found == phone).map(|(_, id)| *id)
    }

    /// An activation, open or closed a while ago.
    pub fn status(&mut self, now: Timestamp, id: u64) -> Result<&Activation, Refusal> {
        self.advance(now);
        self.activations.get(&id).ok_or(Refusal::NoActivation)
    }

    /// An activation as it was when something happened last.
    pub fn find(&self, id: u64) -> Option<&Activation> {
        self.activations.get(&id)
    }

    /// All that is open, oldest first.
    pub fn active(&mut self, now: Timestamp) -> Vec<&Activation> {
        self.advance(now);
        self.open.iter().filter_map(|id| self.activations.get(id)).collect()
    }

    /// Takes a step. One that has been taken already is taken again without effect.
    pub fn step(&mut self, now: Timestamp, entropy: &dyn Entropy, id: u64, step: Step) -> Result<(), Refusal> {
        self.advance(now);
        let activation = self.activations.get_mut(&id).ok_or(Refusal::NoActivation)?;
        match (step, activation.stage) {
            (Step::Ready, Stage::Waiting)
            | (Step::More, Stage::Retrying)
            | (Step::Finish, Stage::Finished)
            | (Step::Cancel, Stage::Cancelled) => Ok(()),
            (Step::More, Stage::Received) => {
                activation.stage = Stage::Retrying;
                let at = now.plus_ms(self.settings.code_after_ms);
                match activation.scenario {
                    Scenario::Ordinary | Scenario::CodeNow | Scenario::CodeLater => {
                        activation.due.push_back((at, Due::Sms(code_text(entropy))));
                    }
                    Scenario::TextOnly => activation.due.push_back((at, Due::Sms(plain_text(entropy)))),
                    Scenario::TwoSms => activation.due.iter_mut().for_each(|(due, _)| *due = at.min(*due)),
                    _ => {}
                }
                self.agenda.insert((at, id));
                Ok(())
            }
            (Step::Finish, Stage::Received | Stage::Retrying) => {
                self.close(id, Stage::Finished, now);
                Ok(())
            }
            (Step::Cancel, Stage::Waiting) if now < activation.cancel_from => {
                let after_seconds = activation.cancel_from.ms_since(activation.bought_at) / 1_000;
                Err(Refusal::TooEarly { after_seconds })
            }
            (Step::Cancel, Stage::Waiting) => match activation.scenario {
                Scenario::CancelRefused => Err(Refusal::BadStatus),
                Scenario::CancelSmsWon => {
                    self.receive(id, now, code_text(entropy));
                    Err(Refusal::SmsArrived)
                }
                _ => {
                    self.close(id, Stage::Cancelled, now);
                    Ok(())
                }
            },
            // its right hand does not know what its left hand sends
            (Step::Cancel, Stage::Received) if activation.scenario == Scenario::LateSms => {
                self.close(id, Stage::Cancelled, now);
                Ok(())
            }
            (Step::Cancel, Stage::Received | Stage::Retrying) => Err(Refusal::SmsArrived),
            (Step::Ready | Step::More | Step::Finish | Step::Cancel, _) => Err(Refusal::BadStatus),
        }
    }

    /// Lets an SMS arrive at an open number, given with or without plus and blanks.
    pub fn inject(&mut self, now: Timestamp, phone: &str, text: &str) -> Injection {
        self.advance(now);
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let found = self.open_with(&digits).and_then(|id| self.activations.get(&id));
        match found.map(|activation| (activation.id, activation.messages.len())) {
            None => Injection::NoOpenNumber,
            Some((_, SMS_LIMIT..)) => Injection::TooMany,
            Some((id, _)) => {
                self.receive(id, now, text.to_owned());
                Injection::Delivered
            }
        }
    }

    /// Ends an open activation as its window would: finished if it has an SMS, refunded if not.
    pub fn end(&mut self, now: Timestamp, id: u64) {
        self.advance(now);
        self.run_out(id, now);
    }

    /// Everything that was sold and is remembered, oldest first.
    pub fn sold(&self) -> impl Iterator<Item = &Activation> {
        self.activations.values()
    }

    /// Each pair that is sold.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, &'static str)> {
        let codes = || SERVICES.iter().map(|(code, _)| *code).chain(SCENARIOS.iter().map(|one| one.code));
        PLACES.iter().flat_map(move |place| codes().map(|code| (place.country, code)))
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
