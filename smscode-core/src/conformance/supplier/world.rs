//! An adapter under test with its simulator and the line between them, and the calls that cases make.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::line::Line;
use super::told::Told;
use super::{Answer, Call, Needs, Say, Sold, SupplierFixture};
use crate::conformance::Failure;
use crate::conformance::failure::{Checked, holds, same};
use crate::money::Money;
use crate::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, Past, Supplier, SupplierInfo,
};
use crate::time::Timestamp;

/// What the product costs in most cases, in hundredths of the currency: no power of two divides it.
const PRICE_HUNDREDTHS: i64 = 29;
/// What the account has, in hundredths.
const BALANCE_HUNDREDTHS: i64 = 10_000_000;

/// A fresh simulator and an adapter that talks to it through the suite's line.
pub struct World {
    fixture: Box<dyn SupplierFixture>,
    lacks: &'static [Needs],
    pub(super) line: Line,
    pub(super) supplier: Arc<dyn Supplier>,
    pub(super) info: SupplierInfo,
    references: AtomicU64,
}

/// Whether the vendor has what a case needs: by its capabilities, by what it has an answer for, by what it lacks.
pub(super) fn is_able(fixture: &dyn SupplierFixture, info: &SupplierInfo, lacks: &[Needs], needs: Needs) -> bool {
    let (able, zero) = (&info.capabilities, Money::new(0, info.currency));
    let sold = Sold { id: ActivationId("1".into()), phone: "15550100".into(), charged: zero, is_open: true };
    let says = |call: Call, say: Say<'_>| fixture.answer(call, say).is_some();
    match needs {
        Needs::Nothing => true,
        Needs::ActiveList => able.lists_active,
        Needs::History => able.lists_history,
        Needs::Batch => able.poll_batch > 1,
        Needs::Reference => able.reference_is_unique,
        Needs::Finish => able.wants_finish,
        Needs::Unauthorised => says(Call::Buy, Say::Unauthorised),
        Needs::RateLimited => says(Call::Buy, Say::RateLimited),
        Needs::Broken => says(Call::Buy, Say::Broken),
        Needs::Undocumented => says(Call::Buy, Say::Undocumented),
        Needs::TooEarly => says(Call::Cancel, Say::TooEarly),
        Needs::Status => says(Call::Poll, Say::Status(&sold)),
        Needs::PastStatus => able.lists_history && says(Call::History, Say::Status(&sold)),
        Needs::Cost => says(Call::Buy, Say::SoldFor(&sold, zero)),
        Needs::StillOpen => says(Call::Cancel, Say::StillOpen(&sold)),
        Needs::StillOpenAfterSms => {
            (able.wants_finish && says(Call::Finish, Say::StillOpen(&sold)))
                || (!lacks.contains(&Needs::More) && says(Call::More, Say::StillOpen(&sold)))
        }
        Needs::NoAmount => says(Call::Balance, Say::NoAmount("x")),
        Needs::More | Needs::EverySms | Needs::Text | Needs::SmsArrived | Needs::Word | Needs::ErrorBody => {
            !lacks.contains(&needs)
        }
    }
}

impl World {
    pub(super) async fn open(fixture: Box<dyn SupplierFixture>, lacks: &'static [Needs]) -> Result<Self, Failure> {
        let line = Line::start(fixture.address())?;
        let supplier = fixture.supplier(&line.url());
        let info = supplier.describe();
        let world = Self { fixture, lacks, line, supplier, info, references: AtomicU64::new(1) };
        world.fixture.set_price(world.price()).await;
        world.fixture.set_stock(1_000_000).await;
        world.fixture.set_balance(world.hundredths(BALANCE_HUNDREDTHS)).await;
        Ok(world)
    }

    pub(super) fn fixture(&self) -> &dyn SupplierFixture {
        &*self.fixture
    }

    pub(super) fn is_able(&self, needs: Needs) -> bool {
        is_able(&*self.fixture, &self.info, self.lacks, needs)
    }

    /// An amount in the account's currency.
    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.info.currency)
    }

    fn hundredths(&self, hundredths: i64) -> Money {
        let unit = 10_i64.pow(self.info.currency.exponent().saturating_sub(2));
        self.money(hundredths * unit)
    }

    /// What the product costs at first.
    pub(super) fn price(&self) -> Money {
        self.hundredths(PRICE_HUNDREDTHS)
    }

    /// The calls that this supplier has.
    pub(super) fn calls(&self) -> Vec<Call> {
        let mut calls = vec![Call::Offers, Call::Balance, Call::Buy, Call::Poll, Call::Cancel];
        let lists = [(Needs::ActiveList, Call::Active), (Needs::History, Call::History)];
        let extra = lists.into_iter().chain([(Needs::More, Call::More), (Needs::Finish, Call::Finish)]);
        for (needs, call) in extra {
            if self.is_able(needs) {
                calls.push(call);
            }
        }
        calls
    }

    /// A purchase of the product that nothing stands against.
    pub(super) fn request(&self) -> BuyRequest {
        let (country, service) = self.fixture.product();
        let n = self.references.fetch_add(1, Ordering::Relaxed);
        let ceiling = self.money(self.price().minor.saturating_mul(3));
        BuyRequest { country, service, ceiling, reference: format!("5afe{n:028x}") }
    }

    /// Buys a number, which must go well.
    pub(super) async fn buy(&self) -> Result<Activation, Failure> {
        accepted(self.supplier.buy(&self.request()).await)
    }

    /// The state of one activation.
    pub(super) async fn poll(&self, id: &ActivationId) -> Result<ActivationState, CallError> {
        one(self.supplier.poll(std::slice::from_ref(id)).await)
    }

    /// The state of one activation, which must be read well.
    pub(super) async fn state(&self, id: &ActivationId) -> Result<ActivationState, Failure> {
        self.poll(id).await.map_err(|error| Failure::new(format!("a poll failed: {error}")))
    }

    /// The history of the last day, and of the next hour: the simulator's clock need not be this one.
    #[allow(clippy::disallowed_methods, reason = "the simulator's clock is the machine's")]
    pub(super) async fn history(&self) -> Result<Vec<Past>, CallError> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or_default());
        self.supplier.history(now.plus_seconds(-86_400), now.plus_seconds(3_600)).await
    }

    /// The books of the simulator.
    pub(super) async fn sold(&self) -> Vec<Sold> {
        self.fixture.sold().await
    }

    /// One activation in the books.
    pub(super) async fn booked(&self, id: &ActivationId) -> Result<Sold, Failure> {
        let found = self.sold().await.into_iter().find(|sold| sold.id == *id);
        found.ok_or_else(|| Failure::new("the simulator has not sold the activation that the adapter names"))
    }

    /// Checks how many numbers were sold so far.
    #[track_caller]
    pub(super) fn sold_so_far(&self, sold: &[Sold], wanted: usize) -> Checked {
        same(&sold.len(), &wanted, "numbers that the simulator has sold")
    }

    /// Makes a call, of which it is only seen how it ended.
    pub(super) async fn tell(&self, call: Call, id: &ActivationId) -> Told {
        match call {
            Call::Offers => Told::Offers(self.supplier.offers().await),
            Call::Balance => Told::Balance(self.supplier.balance().await),
            Call::Buy => Told::Buy(self.supplier.buy(&self.request()).await),
            Call::Poll => Told::Poll(self.poll(id).await),
            Call::Active => Told::Active(self.supplier.active().await),
            Call::History => Told::History(self.history().await),
            Call::More => Told::More(self.supplier.more(id).await),
            Call::Cancel => Told::Cancel(self.supplier.cancel(id).await),
            Call::Finish => Told::Finish(self.supplier.finish(id).await),
        }
    }

    /// How the vendor says this, as what the next requests get.
    pub(super) fn answer(&self, call: Call, say: Say<'_>) -> Result<Answer, Failure> {
        let answer = self.fixture.answer(call, say);
        answer.ok_or_else(|| Failure::new(format!("the fixture has an answer to others, but none to {call:?}")))
    }
}

/// The only state of an answer to a poll of one.
fn one(states: Result<Vec<ActivationState>, CallError>) -> Result<ActivationState, CallError> {
    match <[ActivationState; 1]>::try_from(states?) {
        Ok([state]) => Ok(state),
        Err(states) => Err(CallError::Unusable(format!("{} states for one id", states.len()))),
    }
}

/// The number of a purchase that must go well.
#[track_caller]
pub(super) fn accepted(outcome: BuyOutcome) -> Result<Activation, Failure> {
    match outcome {
        BuyOutcome::Accepted(activation) => Ok(activation),
        BuyOutcome::NotSent(_) | BuyOutcome::RejectedUncharged(_) | BuyOutcome::Unknown(_) => {
            Err(Failure::new(format!("a purchase that nothing stands against ended in {outcome:?}")))
        }
    }
}

/// Checks that a purchase is unclear.
#[track_caller]
pub(super) fn unclear(outcome: &BuyOutcome, after: &str) -> Checked {
    holds(matches!(outcome, BuyOutcome::Unknown(_)), &format!("after {after} a purchase is Unknown, not {outcome:?}"))
}
