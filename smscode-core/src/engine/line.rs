//! The line to a supplier: every call to it goes through here, whoever makes it. Calls get their permit, few of them are
//! made to one that does not answer, no purchase to one that is at rest, and what comes of each counts for its health.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::settings::Settings;
use crate::money::Money;
use crate::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, Clock, FinishOutcome,
    Limiter, MoreOutcome, Offer, Past, Permit, Rejection, Supplier, SupplierInfo, Urgency,
};
use crate::routing::{CallKind, Condition, Ended, Figures, Pairs, Standing};
use crate::time::Timestamp;

/// Calls under way at once at a supplier that does not answer; more of them fail at once. Enough to see soon that it is
/// back, and to ask for every open order in turn.
const OUT_OF_REACH_CALLS: usize = 4;
/// A call that has waited so long for its permit is as urgent as any: nothing waits for ever behind purchases.
const PATIENCE_MS: i64 = 5_000;
/// What is said instead of calling.
const OUT_OF_REACH: &str = "the supplier does not answer, and enough calls are waiting for it";

/// The line to one supplier.
pub(super) struct Line {
    port: Arc<dyn Supplier>,
    info: SupplierInfo,
    clock: Arc<dyn Clock>,
    limiter: Arc<dyn Limiter>,
    /// A balance below this is low; `None` measures it by what is spent.
    low_minor: Option<i64>,
    condition: Mutex<Condition>,
    pairs: Mutex<Pairs>,
    few: Semaphore,
    /// Whether offers are shown has changed, at any supplier.
    changed: Arc<Notify>,
    /// A purchase was refused for want of money.
    pub(super) no_funds: Notify,
}

/// A call under way. One that is dropped has had no answer in its time.
struct Underway<'a> {
    line: &'a Line,
    kind: CallKind,
    began: Timestamp,
    answered: bool,
}

impl Line {
    pub(super) fn new(
        port: Arc<dyn Supplier>,
        clock: Arc<dyn Clock>,
        limiter: Arc<dyn Limiter>,
        settings: &Settings,
        changed: Arc<Notify>,
    ) -> Self {
        let info = port.describe();
        Self {
            port,
            low_minor: settings.low_balances.get(&info.name).copied(),
            info,
            clock,
            limiter,
            condition: Mutex::new(Condition::new(settings.breaker)),
            pairs: Mutex::new(Pairs::default()),
            few: Semaphore::new(OUT_OF_REACH_CALLS),
            changed,
            no_funds: Notify::new(),
        }
    }

    pub(super) fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pairs(&self) -> MutexGuard<'_, Pairs> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether purchases are sent, and if not, why.
    pub(super) fn standing(&self) -> Standing {
        self.condition().standing(self.clock.now())
    }

    /// Whether one more purchase would be sent now.
    pub(super) fn admits(&self) -> bool {
        self.condition().admits(self.clock.now())
    }

    /// Whether calls for open orders are to be few.
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.condition().is_out_of_reach(self.clock.now())
    }

    /// What routing knows of a pair of this supplier.
    pub(super) fn figures(&self, country: u16, service: &str) -> Figures {
        let now = self.clock.now();
        let shaky = self.standing() != Standing::Selling;
        let pairs = self.pairs();
        Figures {
            deliveries: pairs.of(country, service, now),
            not_sold: pairs.is_not_sold(country, service, now),
            shaky,
        }
    }

    /// Sets whether the operator wants purchases.
    pub(super) fn drain(&self, drained: bool) {
        self.condition().drained = drained;
        self.changed.notify_one();
    }

    /// Waits for a permit until a time; whether there is one.
    pub(super) async fn permit(&self, urgency: Urgency, until: Option<Timestamp>) -> bool {
        let a_second = self.info.capabilities.requests_a_second;
        if a_second == 0 {
            return true;
        }
        let impatient_at = self.clock.now().plus_ms(PATIENCE_MS);
        loop {
            let now = self.clock.now();
            let urgency = if now >= impatient_at { Urgency::First } else { urgency };
            let wanted = Permit { supplier: &self.info.name, a_second, urgency };
            match self.limiter.take(wanted, now).await {
                Ok(()) => return true,
                Err(again) if until.is_some_and(|until| again > until) => return false,
                // never in a tight loop, whatever a limiter answers
                Err(again) => self.clock.sleep_until(again.max(now.plus_ms(1))).await,
            }
        }
    }

    /// A place for a call that is no purchase; `None` if there are enough of them. Inside is the place among the few.
    async fn place(&self, urgency: Urgency) -> Option<Option<SemaphorePermit<'_>>> {
        let few = if self.is_out_of_reach() { Some(self.few.try_acquire().ok()?) } else { None };
        self.permit(urgency, None).await;
        Some(few)
    }

    fn begin(&self, kind: CallKind) -> Underway<'_> {
        let began = self.clock.now();
        self.condition().begins(kind, began);
        Underway { line: self, kind, began, answered: false }
    }

    /// Begins a purchase, unless none is to be sent: judged and counted under one lock, so that one probe is one.
    fn begin_purchase(&self) -> Option<Underway<'_>> {
        let began = self.clock.now();
        let mut condition = self.condition();
        if !condition.admits(began) {
            return None;
        }
        condition.begins(CallKind::Purchase, began);
        Some(Underway { line: self, kind: CallKind::Purchase, began, answered: false })
    }

    fn ended(&self, kind: CallKind, ended: Ended, answered: bool, began: Timestamp) {
        let now = self.clock.now();
        let mut condition = self.condition();
        let sold = condition.standing(now).sells();
        condition.ended(kind, ended, answered, now.ms_since(began).max(0), now);
        let standing = condition.standing(now);
        drop(condition);
        if sold != standing.sells() {
            tracing::warn!(supplier = %self.info.name, standing = standing.word(), "purchases begin or end");
            self.changed.notify_one();
        }
    }

    fn bought(&self, request: &BuyRequest, outcome: &BuyOutcome) -> Ended {
        let now = self.clock.now();
        match outcome {
            BuyOutcome::Accepted(got) => {
                let cost = got.cost.unwrap_or(request.ceiling);
                self.condition().funds.spent(cost.minor, now);
                Ended::Fine
            }
            BuyOutcome::NotSent(_) | BuyOutcome::Unknown(_) => Ended::Failed,
            BuyOutcome::RejectedUncharged(rejection) => match rejection {
                Rejection::Credentials | Rejection::Throttled => Ended::Failed,
                Rejection::NoFunds => {
                    self.no_funds.notify_one();
                    Ended::NoFunds(request.ceiling.minor)
                }
                Rejection::NotSold => {
                    self.pairs().not_sold(request.country, &request.service, now);
                    Ended::Fine
                }
                Rejection::NoNumbers
                | Rejection::PriceAboveCeiling(_)
                | Rejection::ReferenceUsed
                | Rejection::BadRequest(_) => Ended::Fine,
            },
        }
    }

    /// Makes a read.
    async fn read<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let Some(_few) = self.place(Urgency::Later).await else {
            return Err(CallError::Unusable(OUT_OF_REACH.into()));
        };
        let underway = self.begin(CallKind::Read);
        let answer = call.await;
        underway.end(match &answer {
            Ok(_) | Err(CallError::Unsupported) => Ended::Fine,
            Err(CallError::Unusable(_) | CallError::Credentials(_) | CallError::Throttled(_)) => Ended::Failed,
        });
        answer
    }
}

impl Underway<'_> {
    fn end(mut self, ended: Ended) {
        self.answered = true;
        self.line.ended(self.kind, ended, true, self.began);
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.line.ended(self.kind, Ended::Failed, false, self.began);
        }
    }
}

#[async_trait]
impl Supplier for Line {
    fn describe(&self) -> SupplierInfo {
        self.info.clone()
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        self.read(self.port.offers()).await
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let answer = self.read(self.port.balance()).await;
        let mut condition = self.condition();
        match &answer {
            Ok(balance) => condition.funds.read(*balance, self.low_minor, self.clock.now()),
            Err(CallError::Unsupported) => condition.funds.cannot_be_read(),
            Err(CallError::Unusable(_) | CallError::Credentials(_) | CallError::Throttled(_)) => {}
        }
        drop(condition);
        self.changed.notify_one();
        answer
    }

    /// The permit comes before: a purchase that waits in here would be taken for one that was sent.
    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        let Some(underway) = self.begin_purchase() else {
            return BuyOutcome::NotSent("the supplier gets no purchases now".into());
        };
        let outcome = self.port.buy(request).await;
        let ended = self.bought(request, &outcome);
        underway.end(ended);
        outcome
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        self.read(self.port.poll(ids)).await
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        self.read(self.port.active()).await
    }

    /// One call of many requests: how long it takes says nothing of the supplier's health, so it is not counted there.
    async fn history(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Past>, CallError> {
        let Some(_few) = self.place(Urgency::Later).await else {
            return Err(CallError::Unusable(OUT_OF_REACH.into()));
        };
        self.port.history(from, until).await
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        let Some(_few) = self.place(Urgency::First).await else {
            return MoreOutcome::Unknown(OUT_OF_REACH.into());
        };
        let underway = self.begin(CallKind::Word);
        let outcome = self.port.more(id).await;
        underway.end(if matches!(outcome, MoreOutcome::Unknown(_)) { Ended::Failed } else { Ended::Fine });
        outcome
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        let Some(_few) = self.place(Urgency::First).await else {
            return CancelOutcome::Unknown(OUT_OF_REACH.into());
        };
        let underway = self.begin(CallKind::Word);
        let outcome = self.port.cancel(id).await;
        underway.end(if matches!(outcome, CancelOutcome::Unknown(_)) { Ended::Failed } else { Ended::Fine });
        outcome
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        let Some(_few) = self.place(Urgency::Later).await else {
            return FinishOutcome::Unknown(OUT_OF_REACH.into());
        };
        let underway = self.begin(CallKind::Word);
        let outcome = self.port.finish(id).await;
        underway.end(if matches!(outcome, FinishOutcome::Unknown(_)) { Ended::Failed } else { Ended::Fine });
        outcome
    }
}
