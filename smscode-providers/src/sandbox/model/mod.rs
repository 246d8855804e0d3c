//! One supplier as a pure state machine: no I/O, no clock, no randomness of its own. It serves the simulator over HTTP and
//! whatever else plays a supplier.
//!
//! What is due happens before each command, in the order of its times; nothing has to run in between.

mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smscode_core::money::Money;
use smscode_core::port::Entropy;
use smscode_core::time::Timestamp;

pub use terms::{Activation, Injection, Message, Refusal, Settings, Stage, Step, Wanted};

use super::stock::{self, PLACES, SCENARIOS, SERVICES, Scenario};

/// Closed activations that are remembered, the oldest forgotten first.
const CLOSED_LIMIT: usize = 10_000;
/// Tries to find a number that is not taken before the country counts as sold out.
const NUMBER_TRIES: u32 = 64;
/// The most SMS of an activation; injected ones beyond it are refused.
const SMS_LIMIT: usize = 100;

/// A supplier with one account.
pub struct Model {
    settings: Settings,
    balance_minor: i64,
    next_id: u64,
    activations: BTreeMap<u64, Activation>,
    open_by_phone: BTreeMap<String, u64>,
    open_by_pair: BTreeMap<(u16, String), u32>,
    by_reference: BTreeMap<String, u64>,
    closed: VecDeque<u64>,
    agenda: BTreeSet<(Timestamp, u64)>,
    /// Prices and stocks that were set, in place of the tables.
    prices: BTreeMap<(u16, String), Money>,
    stocks: BTreeMap<(u16, String), u32>,
}

impl Model {
    /// A supplier that has sold nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            balance_minor: settings.balance_minor,
            next_id: settings.first_id,
            settings,
            activations: BTreeMap::new(),
            open_by_phone: BTreeMap::new(),
            open_by_pair: BTreeMap::new(),
            by_reference: BTreeMap::new(),
            closed: VecDeque::new(),
            agenda: BTreeSet::new(),
            prices: BTreeMap::new(),
            stocks: BTreeMap::new(),
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

    /// Lets everything happen that is due by now.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, id));
            let Some(activation) = self.activations.get_mut(&id).filter(|activation| activation.stage.is_open()) else {
                continue;
            };
            while let Some((due, text)) = activation.due.pop_front_if(|(due, _)| *due <= at) {
                activation.receive(due, text);
            }
            if activation.ends_at <= at {
                self.run_out(id);
            }
        }
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
        let (scenario, _) = stock::service(wanted.service).ok_or(Refusal::BadService)?;
        let price = self.price(wanted.country, wanted.service).ok_or(Refusal::BadCountry)?;
        self.check(wanted, scenario, price)?;
        let phone = self.free_number(wanted.country, entropy).ok_or(Refusal::NoNumbers)?;
        let id = self.next_id;
        self.next_id += 1;
        self.balance_minor -= price.minor;
        let lock_ms = match scenario {
            Scenario::CancelEarly => self.settings.long_cancel_after_ms,
            _ => self.settings.cancel_after_ms,
        };
        let activation = Activation {
            id,
            phone: phone.clone(),
            country: wanted.country,
            service: wanted.service.to_owned(),
            cost: price,
            reference: wanted.reference.map(str::to_owned),
            bought_at: now,
            cancel_from: now.plus_ms(lock_ms),
            ends_at: now.plus_seconds(i64::from(self.settings.window_seconds)),
            stage: Stage::Waiting,
            messages: Vec::new(),
            scenario,
            due: self.schedule(now, scenario, entropy),
        };
        self.agenda.extend(activation.due.iter().map(|(at, _)| (*at, id)));
        self.agenda.insert((activation.ends_at, id));
        self.open_by_phone.insert(phone, id);
        *self.open_by_pair.entry((wanted.country, wanted.service.to_owned())).or_default() += 1;
        if let Some(reference) = wanted.reference {
            self.by_reference.insert(reference.to_owned(), id);
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
        let (open, limit) = (self.open_by_phone.len(), self.settings.channels);
        if open >= limit { Err(Refusal::ChannelsLimit { open, limit }) } else { Ok(()) }
    }

    /// The SMS that arrive by themselves.
    fn schedule(&self, now: Timestamp, scenario: Scenario, entropy: &dyn Entropy) -> VecDeque<(Timestamp, String)> {
        let settings = &self.settings;
        let first = now.plus_ms(settings.code_after_ms);
        match scenario {
            Scenario::Ordinary => [(first, code_text(entropy))].into(),
            Scenario::CodeNow => [(now, code_text(entropy))].into(),
            Scenario::CodeLater => [(now.plus_ms(settings.later_after_ms), code_text(entropy))].into(),
            Scenario::TwoSms => {
                [(first, code_text(entropy)), (first.plus_ms(settings.second_after_ms), code_text(entropy))].into()
            }
            Scenario::TextOnly => [(first, plain_text(entropy))].into(),
            Scenario::Manual | Scenario::NoSms | Scenario::SoldOut | Scenario::PriceAbove | Scenario::CancelEarly => {
                VecDeque::new()
            }
        }
    }

    fn free_number(&self, country: u16, entropy: &dyn Entropy) -> Option<String> {
        let place = PLACES.iter().find(|place| place.country == country)?;
        (0..NUMBER_TRIES).map(|_| number(place.pattern, entropy)).find(|phone| !self.open_by_phone.contains_key(phone))
    }

    /// An activation, open or closed a while ago.
    pub fn status(&mut self, now: Timestamp, id: u64) -> Result<&Activation, Refusal> {
        self.advance(now);
        self.activations.get(&id).ok_or(Refusal::NoActivation)
    }

    /// All that is open, oldest first.
    pub fn active(&mut self, now: Timestamp) -> Vec<&Activation> {
        self.advance(now);
        let mut open: Vec<_> = self.open_by_phone.values().filter_map(|id| self.activations.get(id)).collect();
        open.sort_unstable_by_key(|activation| activation.id);
        open
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
                        activation.due.push_back((at, code_text(entropy)));
                    }
                    Scenario::TextOnly => activation.due.push_back((at, plain_text(entropy))),
                    Scenario::TwoSms => activation.due.iter_mut().for_each(|(due, _)| *due = at.min(*due)),
                    _ => {}
                }
                self.agenda.insert((at, id));
                Ok(())
            }
            (Step::Finish, Stage::Received | Stage::Retrying) => {
                self.close(id, Stage::Finished);
                Ok(())
            }
            (Step::Cancel, Stage::Waiting) if now < activation.cancel_from => {
                let after_seconds = activation.cancel_from.ms_since(activation.bought_at) / 1_000;
                Err(Refusal::TooEarly { after_seconds })
            }
            (Step::Cancel, Stage::Waiting) => {
                self.close(id, Stage::Cancelled);
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
        let found = self.open_by_phone.get(&digits).and_then(|id| self.activations.get_mut(id));
        match found {
            None => Injection::NoOpenNumber,
            Some(activation) if activation.messages.len() >= SMS_LIMIT => Injection::TooMany,
            Some(activation) => {
                activation.receive(now, text.to_owned());
                Injection::Delivered
            }
        }
    }

    /// Ends an open activation as its window would: finished if it has an SMS, refunded if not.
    pub fn end(&mut self, now: Timestamp, id: u64) {
        self.advance(now);
        self.run_out(id);
    }

    /// The window of an activation is over.
    fn run_out(&mut self, id: u64) {
        if let Some(activation) = self.activations.get(&id).filter(|activation| activation.stage.is_open()) {
            let paid = !activation.messages.is_empty();
            self.close(id, if paid { Stage::Finished } else { Stage::Cancelled });
        }
    }

    /// Everything that was sold and is remembered, oldest first.
    pub fn sold(&self) -> impl Iterator<Item = &Activation> {
        self.activations.values()
    }

    fn close(&mut self, id: u64, stage: Stage) {
        let Some(activation) = self.activations.get_mut(&id) else {
            return;
        };
        activation.stage = stage;
        activation.due.clear();
        if stage == Stage::Cancelled {
            self.balance_minor += activation.cost.minor;
        }
        self.agenda.remove(&(activation.ends_at, id));
        self.open_by_phone.remove(&activation.phone);
        if let Some(open) = self.open_by_pair.get_mut(&(activation.country, activation.service.clone())) {
            *open = open.saturating_sub(1);
        }
        self.closed.push_back(id);
        while self.closed.len() > CLOSED_LIMIT {
            let forgotten = self.closed.pop_front().and_then(|id| self.activations.remove(&id));
            if let Some(reference) = forgotten.and_then(|activation| activation.reference) {
                self.by_reference.remove(&reference);
            }
        }
    }

    /// Each pair that is sold.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, &'static str)> {
        let codes = || SERVICES.iter().map(|(code, _)| *code).chain(SCENARIOS.iter().map(|(code, ..)| *code));
        PLACES.iter().flat_map(move |place| codes().map(|code| (place.country, code)))
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Activation {
    fn receive(&mut self, at: Timestamp, text: String) {
        let code = code_in(&text);
        self.messages.push(Message { at, text, code });
        self.stage = Stage::Received;
    }
}

/// The first run of four to eight digits, as a simple supplier looks for it.
fn code_in(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.into_iter().find(|run| (4..=8).contains(&run.len())).map(str::to_owned)
}

fn number(pattern: &str, entropy: &dyn Entropy) -> String {
    let digit = |from: u32| char::from_digit(from + below(entropy, 10 - from), 10).unwrap_or('0');
    pattern
        .chars()
        .map(|sign| match sign {
            '#' => digit(0),
            '%' => digit(2),
            other => other,
        })
        .collect()
}

fn code_text(entropy: &dyn Entropy) -> String {
    let code = format!("{:06}", below(entropy, 1_000_000));
    pick(&stock::TEXTS, entropy).replace("{}", &code)
}

fn plain_text(entropy: &dyn Entropy) -> String {
    pick(&stock::TEXTS_WITHOUT_CODE, entropy).to_owned()
}

fn pick(texts: &'static [&'static str], entropy: &dyn Entropy) -> &'static str {
    let count = u32::try_from(texts.len()).unwrap_or(1);
    texts.get(below(entropy, count) as usize).copied().unwrap_or_default()
}

/// A number below the bound. Not quite even, which does not matter here.
fn below(entropy: &dyn Entropy, bound: u32) -> u32 {
    let mut bytes = [0_u8; 4];
    entropy.fill(&mut bytes);
    u32::from_le_bytes(bytes) % bound.max(1)
}
