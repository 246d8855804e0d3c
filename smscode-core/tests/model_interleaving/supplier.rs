//! A supplier whose every call waits at a gate twice: before it takes the request, and before its answer arrives.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use smscode_core::money::{Currency, Money};
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Capabilities,
    FinishOutcome, MoreOutcome, Offer, Past, Rejection, Supplier, SupplierInfo, SupplierSms,
};
use smscode_core::time::Timestamp;

use crate::choices::Event;
use crate::hub::{Answer, Call, Hub, What};

pub(crate) const COST: i64 = 100_000;
/// The texts that can come: the first, a second, and one after the end.
pub(crate) const TEXTS: [&str; 3] = ["Your code is 415127", "Your code is 998877", "Your code is 330044"];
/// Its window as it says; ours is the same.
pub(crate) const WINDOW_SECONDS: u32 = 240;
/// So long after a purchase the supplier closes it by itself.
const OVER_AFTER_MS: i64 = 25 * 60_000;

/// How an activation ended at the supplier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum End {
    Cancelled,
    Finished,
}

/// What it has sold.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sold {
    pub(crate) sms: Vec<usize>,
    pub(crate) end: Option<End>,
    /// An SMS came after its end, and the supplier shows it.
    pub(crate) late: bool,
    at_ms: i64,
}

impl Sold {
    /// Whether nothing can come any more: it was ended, or its time is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.end.is_some() || now.0 / 1_000 - self.at_ms >= OVER_AFTER_MS
    }

    fn can_get(&self, event: Event) -> bool {
        match event {
            Event::Sms => self.end.is_none() && self.sms.is_empty(),
            Event::SecondSms => self.end.is_none() && self.sms == [0],
            Event::LateSms => self.end.is_some() && !self.late,
            Event::Cancel | Event::Finish | Event::DeleteAccount => false,
        }
    }
}

/// How a request is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Manner {
    Does,
    Refuses,
}

#[derive(Clone, Default)]
pub(crate) struct Shop {
    pub(crate) sold: Vec<Sold>,
    /// Requests to buy that arrived, and those among them that were refused.
    pub(crate) asked: u32,
    pub(crate) refused: u32,
}

pub(crate) struct GatedSupplier {
    pub(crate) name: &'static str,
    pub(crate) place: usize,
    pub(crate) shop: Mutex<Shop>,
    pub(crate) hub: Arc<Hub>,
    /// Planted bug: takes a lost answer to a purchase for a rejection.
    pub(crate) lost_is_no: bool,
}

impl GatedSupplier {
    fn phone(&self, at: usize) -> String {
        format!("62812000{}{at:04}", self.place)
    }

    fn activation(&self, at: usize, sold: &Sold, over: bool) -> Activation {
        Activation {
            cost: Some(Money::new(COST, Currency::Usd)),
            country: Some(6),
            service: Some("wa".into()),
            state: state_of(sold, over),
            ..Activation::new(ActivationId(format!("{}{at}", self.name)), self.phone(at))
        }
    }

    fn at(&self, id: &ActivationId) -> Option<usize> {
        id.0.strip_prefix(self.name)?.parse().ok()
    }

    /// Does what a request asks for; its answer is then on its way.
    pub(crate) fn take(&self, call: &Call, manner: Manner) -> Answer {
        let now_ms = self.hub.lock().now.0 / 1_000;
        let mut shop = self.shop.lock().unwrap();
        let over = |sold: &Sold| now_ms - sold.at_ms >= OVER_AFTER_MS;
        match call {
            Call::Buy => {
                shop.asked += 1;
                if manner == Manner::Refuses {
                    shop.refused += 1;
                    return Answer::Bought(BuyOutcome::RejectedUncharged(Rejection::NoNumbers));
                }
                let sold = Sold { sms: Vec::new(), end: None, late: false, at_ms: now_ms };
                let activation = self.activation(shop.sold.len(), &sold, false);
                shop.sold.push(sold);
                Answer::Bought(BuyOutcome::Accepted(activation))
            }
            Call::Poll(ids) => {
                let state = |id| {
                    let sold = self.at(id).and_then(|at| shop.sold.get(at));
                    sold.map_or(ActivationState::NotFound, |sold| state_of(sold, over(sold)))
                };
                Answer::States(Ok(ids.iter().map(state).collect()))
            }
            Call::Cancel(_) if manner == Manner::Refuses => Answer::Cancelled(CancelOutcome::Refused("not now".into())),
            Call::Cancel(id) => {
                let outcome = match self.at(id).and_then(|at| shop.sold.get_mut(at)) {
                    None => CancelOutcome::NotOpen,
                    Some(sold) if sold.end.is_some() || over(sold) => CancelOutcome::NotOpen,
                    Some(sold) if !sold.sms.is_empty() => CancelOutcome::SmsArrived,
                    Some(sold) => {
                        sold.end = Some(End::Cancelled);
                        CancelOutcome::Cancelled
                    }
                };
                Answer::Cancelled(outcome)
            }
            Call::Finish(id) => {
                let outcome = match self.at(id).and_then(|at| shop.sold.get_mut(at)) {
                    Some(sold) if sold.end != Some(End::Cancelled) => {
                        sold.end = Some(End::Finished);
                        FinishOutcome::Finished
                    }
                    _ => FinishOutcome::Refused("not open".into()),
                };
                Answer::Finished(outcome)
            }
            Call::Active => {
                let open = shop.sold.iter().enumerate().filter(|(_, sold)| sold.end.is_none() && !over(sold));
                Answer::Active(Ok(open.map(|(at, sold)| self.activation(at, sold, false)).collect()))
            }
        }
    }

    /// Whether this SMS can come now.
    pub(crate) fn can_deliver(&self, event: Event) -> bool {
        self.shop.lock().unwrap().sold.iter().any(|sold| sold.can_get(event))
    }

    /// An SMS comes to whatever can get it.
    pub(crate) fn deliver(&self, event: Event) {
        for sold in self.shop.lock().unwrap().sold.iter_mut().filter(|sold| sold.can_get(event)) {
            match event {
                Event::Sms => sold.sms.push(0),
                Event::SecondSms => sold.sms.push(1),
                Event::LateSms => {
                    sold.sms.push(2);
                    sold.late = true;
                }
                Event::Cancel | Event::Finish | Event::DeleteAccount => {}
            }
        }
    }

    /// What the caller is told when the answer is lost on its way.
    pub(crate) fn lost(&self, call: &Call) -> Answer {
        let why = || "the answer was lost".to_owned();
        match call {
            Call::Buy if self.lost_is_no => Answer::Bought(BuyOutcome::RejectedUncharged(Rejection::Throttled)),
            Call::Buy => Answer::Bought(BuyOutcome::Unknown(why())),
            Call::Poll(_) => Answer::States(Err(CallError::Unusable(why()))),
            Call::Cancel(_) => Answer::Cancelled(CancelOutcome::Unknown(why())),
            Call::Finish(_) => Answer::Finished(FinishOutcome::Unknown(why())),
            Call::Active => Answer::Active(Err(CallError::Unusable(why()))),
        }
    }

    fn wait(&self, call: Call) -> crate::hub::Waiting {
        self.hub.wait(What::Call(self.place, call))
    }
}

fn state_of(sold: &Sold, over: bool) -> ActivationState {
    if (sold.end.is_some() && !sold.late) || over {
        return ActivationState::Ended;
    }
    let sms = sold.sms.iter().map(|which| SupplierSms {
        id: Some(format!("m{which}")),
        text: TEXTS[*which].into(),
        ..SupplierSms::default()
    });
    ActivationState::open(sms.collect())
}

#[async_trait]
impl Supplier for GatedSupplier {
    fn describe(&self) -> SupplierInfo {
        SupplierInfo {
            name: self.name.into(),
            currency: Currency::Usd,
            capabilities: Capabilities {
                cancel_after_seconds: 0,
                window_seconds: WINDOW_SECONDS,
                lists_active: true,
                poll_batch: 50,
                poll_floor_ms: 100,
                further_sms_free: true,
                wants_finish: true,
                ..Capabilities::LEAST
            },
        }
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        let cost = Money::new(COST, Currency::Usd);
        Ok(vec![Offer { country: 6, service: "wa".into(), cost, count: 100 }])
    }

    async fn balance(&self) -> Result<Money, CallError> {
        Ok(Money::new(1_000_000_000, Currency::Usd))
    }

    async fn buy(&self, _request: &BuyRequest) -> BuyOutcome {
        match self.wait(Call::Buy).await {
            Answer::Bought(outcome) => outcome,
            _ => BuyOutcome::Unknown("no gate".into()),
        }
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        match self.wait(Call::Poll(ids.to_vec())).await {
            Answer::States(states) => states,
            _ => Err(CallError::Unsupported),
        }
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        match self.wait(Call::Active).await {
            Answer::Active(list) => list,
            _ => Err(CallError::Unsupported),
        }
    }

    async fn history(&self, _from: Timestamp, _until: Timestamp) -> Result<Vec<Past>, CallError> {
        Err(CallError::Unsupported)
    }

    async fn more(&self, _id: &ActivationId) -> MoreOutcome {
        MoreOutcome::Waiting
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        match self.wait(Call::Cancel(id.clone())).await {
            Answer::Cancelled(outcome) => outcome,
            _ => CancelOutcome::Unknown("no gate".into()),
        }
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        match self.wait(Call::Finish(id.clone())).await {
            Answer::Finished(outcome) => outcome,
            _ => FinishOutcome::Unknown("no gate".into()),
        }
    }
}
