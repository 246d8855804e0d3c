//! A supplier: the pure model of a supplier, and what this one does wrong.

use std::collections::BTreeMap;

use smscode_core::money::{Currency, Money};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CancelOutcome, Capabilities, Charge,
    FinishOutcome, MoreOutcome, Offer, Past, Rejection, SupplierInfo, SupplierSms,
};
use smscode_core::time::Timestamp;
use smscode_providers::sandbox::model::{self, Injection, Model, Refusal, Stage, Step, Wanted};

use crate::clock::Skew;
use crate::plan::{CallFault, CallKind, PAIRS, Shape, SmsKind};
use crate::rng::{Rng, Seeded};

/// Ids of activations begin here, a space of their own for each supplier.
const FIRST_ID: u64 = 3_900_000_000;
/// A supplier that keeps numbers open until it is told does so for this long, in seconds: longer than the longest window with
/// its grace, the longest outage and a look into the supplier's list together.
const KEPT_SECONDS: u32 = 3_600;
/// Nothing arrives by itself: the plan lets SMS arrive.
const NEVER_MS: i64 = 1 << 40;

/// What is known of a number that was sold, beside the model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sale {
    /// Readable although the activation is closed.
    pub(crate) late: Vec<(Timestamp, String)>,
    /// The number that the buyer was told, if it is not the true one.
    told_phone: Option<String>,
    /// The supplier has ended it by itself.
    pub(crate) ended: bool,
    /// Until when it stands in no list.
    unlisted_until_us: i64,
    /// What the buyer was told that it costs.
    pub(crate) told_cost: Option<i64>,
    /// When a read that was answered and showed no SMS was at the supplier last.
    pub(crate) empty_read_us: Option<i64>,
}

/// How a supplier is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away {
    pub(crate) until_us: i64,
    pub(crate) hangs: bool,
}

/// A supplier with all that it has sold.
pub(crate) struct Shop {
    pub(crate) at: usize,
    pub(crate) info: SupplierInfo,
    pub(crate) model: Model,
    entropy: Seeded,
    skew: Skew,
    prices: Vec<i64>,
    pub(crate) away: Option<Away>,
    /// How far its list may be behind.
    behind_us: i64,
    calls: BTreeMap<CallKind, u32>,
    sales: u32,
    pub(crate) sold: BTreeMap<u64, Sale>,
}

impl Shop {
    pub(crate) fn new(seed: u64, shape: &Shape, at: usize) -> Self {
        let mut rng = Rng::of(seed, &[40, at as u64]);
        let info = describe(shape, at);
        let settings = model::Settings {
            currency: info.currency,
            window_seconds: if shape.keeps_open { KEPT_SECONDS } else { shape.windows_seconds[at] },
            cancel_after_ms: i64::from(shape.cancel_after_seconds[at]) * 1_000,
            code_after_ms: NEVER_MS,
            later_after_ms: NEVER_MS,
            second_after_ms: NEVER_MS,
            first_id: FIRST_ID + at as u64 * 10_000_000,
            ..model::Settings::default()
        };
        let base = if info.currency == Currency::Rub { 90_000 } else { 100_000 };
        let prices: Vec<i64> = PAIRS.iter().map(|_| base * rng.between(80, 130) / 100).collect();
        let mut shop = Self {
            at,
            info,
            model: Model::new(settings),
            entropy: Seeded::new(Rng::of(seed, &[41, at as u64])),
            skew: Skew::default(),
            prices,
            away: None,
            behind_us: (shape.window_ms + 60_000 + rng.between(0, 600_000)) * 1_000,
            calls: BTreeMap::new(),
            sales: 0,
            sold: BTreeMap::new(),
        };
        shop.reprice(100);
        shop
    }

    /// Sets all prices, in percent of the first ones.
    pub(crate) fn reprice(&mut self, percent: i64) {
        for ((country, service), price) in PAIRS.iter().zip(&self.prices) {
            let money = Money::new(price * percent / 100, self.info.currency);
            self.model.set_price(*country, service, money);
        }
    }

    /// Has so many numbers of each pair.
    pub(crate) fn stock(&mut self, count: u32) {
        for (country, service) in PAIRS {
            self.model.set_stock(country, service, count);
        }
    }

    /// The number of this call among those of its kind.
    pub(crate) fn next_call(&mut self, kind: CallKind) -> u32 {
        let count = self.calls.entry(kind).or_insert(0);
        *count += 1;
        *count - 1
    }

    pub(crate) fn is_away(&self, now_us: i64) -> Option<Away> {
        self.away.filter(|away| away.until_us > now_us)
    }

    fn time(&self, now_us: i64) -> Timestamp {
        self.skew.show(now_us)
    }

    pub(crate) fn offers(&mut self, now_us: i64) -> Vec<Offer> {
        self.model.advance(self.time(now_us));
        let offer = |(country, service): (u16, &str)| {
            let cost = self.model.price(country, service)?;
            Some(Offer { country, service: service.to_owned(), cost, count: self.model.count(country, service) })
        };
        PAIRS.into_iter().filter_map(offer).collect()
    }

    /// Everything that was bought in a time, by the shop's clock.
    pub(crate) fn history(&mut self, now_us: i64, from: Timestamp, until: Timestamp) -> Vec<Past> {
        self.model.advance(self.time(now_us));
        let charge = |sold: &model::Activation| match (sold.stage.is_open(), sold.taken.minor > 0) {
            (true, _) => Charge::Undecided,
            (false, true) => Charge::Kept(Some(sold.taken)),
            (false, false) => Charge::Returned,
        };
        let within = self.model.sold().filter(|sold| (from..until).contains(&sold.bought_at));
        within.map(|sold| Past { id: ActivationId(sold.id.to_string()), charge: charge(sold) }).collect()
    }

    /// Sells a number, or not. With it the number of the sale and the activation.
    pub(crate) fn sell(
        &mut self,
        now_us: i64,
        request: &BuyRequest,
        fault: Option<CallFault>,
    ) -> (BuyOutcome, Option<(u32, u64)>) {
        let rejected = |rejection| (BuyOutcome::RejectedUncharged(rejection), None);
        match fault {
            Some(CallFault::BuySoldOut) => return rejected(Rejection::NoNumbers),
            Some(CallFault::BuyThrottled) => return rejected(Rejection::Throttled),
            Some(CallFault::BuyNoFunds) => return rejected(Rejection::NoFunds),
            Some(CallFault::BuyPriceAbove) => return rejected(Rejection::PriceAboveCeiling(None)),
            Some(CallFault::BuyNeverArrives) => return (BuyOutcome::Unknown("planned".into()), None),
            _ => {}
        }
        if fault == Some(CallFault::BuyActivationTwice)
            && let Some(again) = self.again(request)
        {
            return (BuyOutcome::Accepted(again), None);
        }
        let knows_references = self.at == 2;
        let wanted = Wanted {
            country: request.country,
            service: &request.service,
            ceiling: Some(request.ceiling),
            reference: knows_references.then_some(&*request.reference),
        };
        let now = self.time(now_us);
        let sold = match self.model.buy(now, &self.entropy, &wanted) {
            Ok(sold) => sold.clone(),
            Err(refusal) => return rejected(rejection(refusal)),
        };
        let nth = self.sales;
        self.sales += 1;
        let mut got = self.row(&sold);
        let told_phone = match fault {
            Some(CallFault::BuyNumberTwice) => self.earlier_phone(&sold),
            Some(CallFault::BuyMalformed) => Some("+0".into()),
            _ => None,
        };
        if let Some(phone) = &told_phone {
            got.phone.clone_from(phone);
        }
        match fault {
            Some(CallFault::BuyWrongCountry) => got.country = Some(if request.country == 16 { 6 } else { 16 }),
            Some(CallFault::BuyAboveCeiling) => {
                got.cost = Some(Money::new(request.ceiling.minor * 2 + 1, request.ceiling.currency));
            }
            _ => {}
        }
        let told_cost = got.cost.map(|cost| cost.minor);
        let unlisted_until_us = if fault == Some(CallFault::BuyUnlisted) { now_us + self.behind_us } else { 0 };
        self.sold.insert(sold.id, Sale { told_phone, told_cost, unlisted_until_us, ..Sale::default() });
        (BuyOutcome::Accepted(got), Some((nth, sold.id)))
    }

    /// The newest open activation once more.
    fn again(&self, request: &BuyRequest) -> Option<Activation> {
        let fits = |it: &&model::Activation| it.country == request.country && it.service == request.service;
        let newest = self.model.sold().filter(|it| it.stage.is_open()).filter(fits).last()?;
        Some(Activation { reference: None, ..self.row(newest) })
    }

    fn earlier_phone(&self, sold: &model::Activation) -> Option<String> {
        let earlier = |it: &&model::Activation| it.id != sold.id && it.country == sold.country;
        self.model.sold().filter(earlier).last().map(|it| it.phone.clone())
    }

    fn row(&self, sold: &model::Activation) -> Activation {
        let sale = self.sold.get(&sold.id);
        let phone = sale.and_then(|sale| sale.told_phone.clone()).unwrap_or_else(|| sold.phone.clone());
        let mut row = Activation::new(ActivationId(sold.id.to_string()), phone);
        // what is said again is what was said before
        let told_cost = sale.and_then(|sale| sale.told_cost);
        row.cost = Some(told_cost.map_or(sold.cost, |minor| Money::new(minor, sold.cost.currency)));
        row.reference.clone_from(&sold.reference);
        row.country = Some(sold.country);
        row.service = Some(sold.service.clone());
        row
    }

    /// All that is open; one row may be missing.
    pub(crate) fn list(&mut self, now_us: i64, lacks: bool) -> Vec<Activation> {
        let now = self.time(now_us);
        let listed = |it: &model::Activation| self.sold.get(&it.id).is_none_or(|sale| sale.unlisted_until_us <= now_us);
        let open: Vec<model::Activation> =
            self.model.active(now).into_iter().filter(|it| listed(it)).cloned().collect();
        let mut rows: Vec<Activation> = open.iter().map(|it| Activation { cost: None, ..self.row(it) }).collect();
        if lacks {
            rows.pop();
        }
        rows
    }

    /// The state of one activation as a read shows it.
    pub(crate) fn state(&mut self, now_us: i64, id: &ActivationId) -> ActivationState {
        let now = self.time(now_us);
        let at = self.at;
        let Ok(number) = id.0.parse::<u64>() else { return ActivationState::NotFound };
        let Ok(known) = self.model.status(now, number).cloned() else { return ActivationState::NotFound };
        let late = self.sold.get(&number).map(|sale| sale.late.clone()).unwrap_or_default();
        if !known.stage.is_open() && late.is_empty() {
            return ActivationState::Ended;
        }
        let messages = known.messages.iter().map(|it| (it.at, it.text.clone())).chain(late);
        let sms = messages.enumerate().map(|(n, (when, text))| sms(at, number, n, when, text)).collect();
        ActivationState::open(sms)
    }

    pub(crate) fn cancel(&mut self, now_us: i64, id: &ActivationId) -> CancelOutcome {
        match self.step(now_us, id, Step::Cancel) {
            Ok(()) => CancelOutcome::Cancelled,
            Err(Refusal::TooEarly { .. }) => CancelOutcome::TooEarly,
            Err(Refusal::SmsArrived) => CancelOutcome::SmsArrived,
            Err(Refusal::NoActivation | Refusal::BadStatus) => CancelOutcome::NotOpen,
            Err(_) => CancelOutcome::Refused("planned".into()),
        }
    }

    pub(crate) fn finish(&mut self, now_us: i64, id: &ActivationId) -> FinishOutcome {
        match self.step(now_us, id, Step::Finish) {
            Ok(()) => FinishOutcome::Finished,
            Err(_) => FinishOutcome::Refused("not open".into()),
        }
    }

    pub(crate) fn more(&mut self, now_us: i64, id: &ActivationId) -> MoreOutcome {
        match self.step(now_us, id, Step::More) {
            Ok(()) => MoreOutcome::Waiting,
            Err(_) => MoreOutcome::Refused("not open".into()),
        }
    }

    fn step(&mut self, now_us: i64, id: &ActivationId, step: Step) -> Result<(), Refusal> {
        let number = id.0.parse().map_err(|_| Refusal::NoActivation)?;
        self.model.step(self.time(now_us), &self.entropy, number, step)
    }

    /// An SMS comes for a number; whether anybody can read it.
    pub(crate) fn deliver(&mut self, now_us: i64, id: u64, kind: SmsKind, n: usize) -> bool {
        let now = self.time(now_us);
        let Ok(known) = self.model.status(now, id) else { return false };
        let (phone, open) = (known.phone.clone(), known.stage.is_open());
        let text = text(id, kind, n);
        if open {
            return self.model.inject(now, &phone, &text) == Injection::Delivered;
        }
        match self.sold.get_mut(&id).filter(|_| kind == SmsKind::Late) {
            Some(sale) => {
                sale.late.push((now, text));
                true
            }
            None => false,
        }
    }

    /// The supplier ends a number.
    pub(crate) fn end(&mut self, now_us: i64, id: u64) {
        if let Some(sale) = self.sold.get_mut(&id) {
            sale.ended = true;
        }
        self.model.end(self.time(now_us), id);
    }

    /// How an activation stands: its stage, and how many SMS are readable.
    pub(crate) fn stands(&mut self, now_us: i64, id: u64) -> Option<(Stage, usize)> {
        let now = self.time(now_us);
        let late = self.sold.get(&id).map_or(0, |sale| sale.late.len());
        self.model.status(now, id).ok().map(|it| (it.stage, it.messages.len() + late))
    }
}

fn describe(shape: &Shape, at: usize) -> SupplierInfo {
    let times = Capabilities {
        cancel_after_seconds: shape.cancel_after_seconds[at],
        window_seconds: shape.windows_seconds[at],
        ..Capabilities::LEAST
    };
    let (name, currency, capabilities) = match at {
        // a list without references, batches
        0 => {
            let can = Capabilities {
                lists_active: true,
                lists_history: true,
                poll_batch: 50,
                further_sms_free: true,
                wants_finish: true,
                concurrency: 8,
                ..times
            };
            ("alpha", Currency::Usd, can)
        }
        // no list, one number at a time
        1 => ("beta", Currency::Usd, times),
        // references that are used once, a list that has them
        _ => {
            let can = Capabilities {
                lists_active: true,
                reference_is_unique: true,
                poll_batch: 20,
                poll_floor_ms: 1_000,
                further_sms_free: true,
                wants_finish: true,
                concurrency: 16,
                ..times
            };
            ("gamma", Currency::Rub, can)
        }
    };
    SupplierInfo { name: name.into(), currency, capabilities }
}

fn rejection(refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::BadService | Refusal::BadCountry => Rejection::NotSold,
        Refusal::NoNumbers => Rejection::NoNumbers,
        Refusal::NoBalance => Rejection::NoFunds,
        Refusal::PriceAboveCeiling(price) => Rejection::PriceAboveCeiling(Some(price)),
        Refusal::ChannelsLimit { .. } => Rejection::Throttled,
        Refusal::ReferenceUsed => Rejection::ReferenceUsed,
        Refusal::NoActivation | Refusal::BadStatus | Refusal::TooEarly { .. } | Refusal::SmsArrived => {
            Rejection::BadRequest("planned".into())
        }
    }
}

/// Before the letters that say which activation a text belongs to; nothing that core writes looks like it.
pub(crate) const MARK: &str = "mk~";

fn text(id: u64, kind: SmsKind, n: usize) -> String {
    // in letters, so that nobody takes it for the code
    let letters: String = id.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    match kind {
        SmsKind::NoCode => format!("{MARK}{letters} Welcome, dear {}", char::from(b'a' + (n % 26) as u8)),
        SmsKind::Code | SmsKind::Late | SmsKind::Pair => {
            format!("{MARK}{letters} Your code is {:06}", (id * 7_919 + n as u64 * 104_729) % 1_000_000)
        }
    }
}

/// The activation that a text belongs to.
pub(crate) fn read_mark(text: &str) -> Option<u64> {
    let letters = text.split(MARK).nth(1)?.split(' ').next()?;
    let digits: String =
        letters.bytes().map(|letter| char::from(letter.wrapping_sub(b'a').wrapping_add(b'0'))).collect();
    digits.parse().ok()
}

/// An SMS in this supplier's words: what names it differs.
fn sms(at: usize, id: u64, n: usize, when: Timestamp, text: String) -> SupplierSms {
    let whole = SupplierSms { text, ..SupplierSms::default() };
    match at {
        0 => SupplierSms { id: Some(format!("{id}-{n}")), ..whole },
        1 => SupplierSms { at: Some(when.plain()), ..whole },
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_activation() {
        for kind in [SmsKind::Code, SmsKind::NoCode] {
            assert_eq!(read_mark(&text(3_910_000_017, kind, 2)), Some(3_910_000_017));
        }
        assert_eq!(read_mark("something else"), None);
    }
}
