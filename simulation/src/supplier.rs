//! A supplier as a node reaches it: each call is an event at the supplier after one way, and an answer after the other.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use smscode_core::money::Money;
use smscode_core::port::{
    Activation, ActivationId, ActivationState, BuyOutcome, BuyRequest, CallError, CancelOutcome, FinishOutcome,
    MoreOutcome, Offer, Supplier, SupplierInfo,
};
use tokio::sync::oneshot;

use crate::plan::{CallFault, CallKind, SmsKind};
use crate::push;
use crate::shop::Shop;
use crate::world::{Moment, World, lock};

/// One way of a call, in microseconds.
const WAY_US: i64 = 60_000;
/// Longer than any call may take.
const SLOW_US: i64 = 40_000_000;
/// A purchase that hangs on its way arrives after this, more or less: when its call is over, or its order.
const LATE_US: i64 = 250_000_000;
/// A slow read.
const SLOW_READ_US: i64 = 9_000_000;

/// A supplier for one life of a node.
pub(crate) struct NodeSupplier {
    pub(crate) world: Arc<World>,
    pub(crate) node: usize,
    pub(crate) life: u64,
    pub(crate) shop: usize,
}

/// What the supplier is like for one call.
enum Road {
    Open(Option<CallFault>),
    Refuses,
    Hangs,
}

fn unusable() -> CallError {
    CallError::Unusable("planned".into())
}

impl NodeSupplier {
    fn look<T>(&self, look: impl FnOnce(&mut Shop) -> T) -> T {
        look(&mut lock(&self.world.shops[self.shop]))
    }

    fn road(&self, kind: CallKind) -> Road {
        let now = self.world.timeline.now_us();
        let (nth, away) = self.look(|shop| (shop.next_call(kind), shop.is_away(now)));
        if let Some(away) = away {
            return if away.hangs { Road::Hangs } else { Road::Refuses };
        }
        let found = self.world.faults.calls.get(&(self.shop, kind, nth));
        let fault = found.map(|(item, fault)| {
            self.world.used(*item);
            self.world.hit(fault.row().1);
            *fault
        });
        Road::Open(fault)
    }

    /// Carries a call there and its answer back. Without an answer it waits for ever; the caller has a limit of his own.
    async fn carry<T: Send + 'static>(
        &self,
        there_us: i64,
        back_us: i64,
        work: impl FnOnce(&Arc<World>) -> Option<T> + Send + 'static,
    ) -> T {
        let (reply, answer) = oneshot::channel();
        let world = Arc::clone(&self.world);
        self.world.timeline.after(there_us, move || {
            if let Some(done) = work(&world) {
                // the caller may be gone
                world.timeline.after(back_us, move || drop(reply.send(done)));
            }
        });
        match answer.await {
            Ok(done) => done,
            Err(_) => pending().await,
        }
    }

    /// A call whose answer is one of the shop's, when nothing is wrong with the road.
    async fn at_shop<T: Send + 'static>(&self, work: impl FnOnce(&mut Shop, i64) -> T + Send + 'static) -> T {
        let shop = self.shop;
        let (there_us, back_us) = (self.world.about(WAY_US), self.world.about(WAY_US));
        self.carry(there_us, back_us, move |world| Some(work(&mut lock(&world.shops[shop]), world.timeline.now_us())))
            .await
    }

    /// Tells who waits for it that SMS of these were read.
    fn reads(&self, ids: &[ActivationId], states: &[ActivationState]) {
        let with_sms = ids.iter().zip(states).filter(|(_, state)| !state.sms().is_empty());
        let mut read = lock(&self.world.read);
        let before = read.len();
        read.extend(with_sms.filter_map(|(id, _)| Some((self.shop, id.0.parse::<u64>().ok()?))));
        let news = read.len() > before;
        drop(read);
        if news {
            self.world.read_one.notify_waiters();
        }
    }

    async fn wait(&self) {
        self.world.timeline.sleep(self.world.about(WAY_US)).await;
    }

    /// The purchase at the supplier: sold or not, with what the plan has for the number.
    async fn purchase(&self, request: &BuyRequest, fault: Option<CallFault>) -> BuyOutcome {
        let lost = matches!(
            fault,
            Some(
                CallFault::BuyAnswerLost
                    | CallFault::BuyUnlisted
                    | CallFault::BuyArrivesLate
                    | CallFault::BuyNeverArrives
            )
        );
        let late_us = self.world.about(LATE_US);
        let there_us = if fault == Some(CallFault::BuyArrivesLate) { late_us } else { self.world.about(WAY_US) };
        // half of the lost answers are a broken connection, the others nothing at all
        let hangs = lost && self.world.toss(500);
        let back_us = if fault == Some(CallFault::BuySlow) { SLOW_US } else { self.world.about(WAY_US) };
        let (shop, request) = (self.shop, request.clone());
        self.carry(there_us, back_us, move |world| {
            let now = world.timeline.now_us();
            let (outcome, sold) = lock(&world.shops[shop]).sell(now, &request, fault);
            let id = sold.map_or(0, |(_, id)| id);
            world.tell("buy", [shop as u64, id, 0], || format!("supplier {shop}: {} {fault:?}", word(&outcome)));
            if let Some((nth, id)) = sold {
                expect(world, shop, nth, id);
            }
            match (hangs, lost) {
                (true, _) => None,
                (_, true) => Some(BuyOutcome::Unknown("planned".into())),
                _ => Some(outcome),
            }
        })
        .await
    }
}

const fn word(outcome: &BuyOutcome) -> &'static str {
    match outcome {
        BuyOutcome::NotSent(_) => "not sent",
        BuyOutcome::RejectedUncharged(rejection) => rejection.code(),
        BuyOutcome::Accepted(_) => "sold",
        BuyOutcome::Unknown(_) => "nothing sold, no answer",
    }
}

/// Lets happen what the plan has for the n-th number of a supplier.
fn expect(world: &Arc<World>, shop: usize, nth: u32, id: u64) {
    for (item, after_ms, kind) in world.faults.sms.get(&(shop, nth)).cloned().unwrap_or_default() {
        let later = Arc::clone(world);
        world.timeline.after(after_ms * 1_000, move || {
            later.used(item);
            deliver(&later, shop, id, kind);
            if kind == SmsKind::Pair {
                deliver(&later, shop, id, kind);
            }
        });
    }
    if let Some((item, after_ms)) = world.faults.ends.get(&(shop, nth)).copied() {
        let later = Arc::clone(world);
        world.timeline.after(after_ms * 1_000, move || {
            later.used(item);
            let now = later.timeline.now_us();
            lock(&later.shops[shop]).end(now, id);
            later.tell("supplier ends", [shop as u64, id, 0], || format!("supplier {shop}, activation {id}"));
        });
    }
}

fn deliver(world: &Arc<World>, shop: usize, id: u64, kind: SmsKind) {
    let now = world.timeline.now_us();
    let readable = {
        let mut shop = lock(&world.shops[shop]);
        let n = shop.stands(now, id).map_or(0, |(_, count)| count);
        shop.deliver(now, id, kind, n)
    };
    if readable {
        push::after_sms(world, shop, id);
    }
    world.tell("SMS", [shop as u64, id, u64::from(readable)], || {
        format!("supplier {shop}, activation {id}, {kind:?}{}", if readable { "" } else { ", lost" })
    });
}

#[async_trait]
impl Supplier for NodeSupplier {
    fn describe(&self) -> SupplierInfo {
        self.look(|shop| shop.info.clone())
    }

    async fn offers(&self) -> Result<Vec<Offer>, CallError> {
        let now = self.world.timeline.now_us();
        match self.look(|shop| shop.is_away(now)) {
            Some(away) if away.hangs => pending().await,
            Some(_) => {
                self.wait().await;
                Err(unusable())
            }
            None => Ok(self.at_shop(Shop::offers).await),
        }
    }

    async fn balance(&self) -> Result<Money, CallError> {
        Ok(self.at_shop(|shop, _| shop.model.balance()).await)
    }

    async fn buy(&self, request: &BuyRequest) -> BuyOutcome {
        self.world.reach(self.node, Moment::BeforeFirstByte);
        // a node that dies here has not sent anything
        self.wait().await;
        let caller = (self.node, self.life);
        let pair = (self.shop, request.country);
        crate::invariants::sent(&self.world, caller, self.shop, request);
        let outcome = match self.road(CallKind::Buy) {
            Road::Refuses | Road::Open(Some(CallFault::BuyNotSent)) => {
                self.wait().await;
                BuyOutcome::NotSent("planned".into())
            }
            Road::Hangs => {
                self.world.reach(self.node, Moment::AfterFirstByte);
                // one that hangs may well sell
                let fault = if self.world.toss(300) { CallFault::BuyAnswerLost } else { CallFault::BuyNeverArrives };
                self.purchase(request, Some(fault)).await
            }
            Road::Open(fault) => {
                self.world.reach(self.node, Moment::AfterFirstByte);
                self.purchase(request, fault).await
            }
        };
        self.world.tell("bought", [self.node as u64, pair.0 as u64, u64::from(pair.1)], || {
            format!("node {} hears from supplier {}: {}", self.node, self.shop, word(&outcome))
        });
        lock(&self.world.watch).answered(caller, self.shop, request, &outcome);
        outcome
    }

    async fn poll(&self, ids: &[ActivationId]) -> Result<Vec<ActivationState>, CallError> {
        let fault = match self.road(CallKind::Poll) {
            Road::Hangs => return pending().await,
            Road::Refuses | Road::Open(Some(CallFault::PollFails)) => {
                self.wait().await;
                return Err(unusable());
            }
            Road::Open(Some(CallFault::PollThrottled)) => {
                self.wait().await;
                return Err(CallError::Throttled(Some(2_000)));
            }
            Road::Open(fault) => fault,
        };
        let (shop, wanted) = (self.shop, ids.to_vec());
        let back_us = if fault == Some(CallFault::PollSlow) { SLOW_READ_US } else { self.world.about(WAY_US) };
        let there_us = self.world.about(WAY_US);
        let (at_us, mut states) = self
            .carry(there_us, back_us, move |world| {
                let now = world.timeline.now_us();
                let mut shop = lock(&world.shops[shop]);
                Some((now, wanted.iter().map(|id| shop.state(now, id)).collect::<Vec<_>>()))
            })
            .await;
        let mut doubled = false;
        for (at, state) in states.iter_mut().enumerate() {
            match (fault, &mut *state) {
                (Some(CallFault::PollNotFound), _) if at == 0 => *state = ActivationState::NotFound,
                (Some(CallFault::PollDoubled), ActivationState::Received(sms)) => {
                    sms.extend(sms.clone());
                    doubled = true;
                }
                (Some(CallFault::PollReordered), ActivationState::Received(sms)) => {
                    sms.reverse();
                    doubled |= sms.len() > 1;
                }
                _ => {}
            }
        }
        if doubled {
            self.world.hit("U14");
        }
        self.reads(ids, &states);
        self.look(|shop| {
            for (id, state) in ids.iter().zip(&states) {
                let empty = matches!(state, ActivationState::Waiting | ActivationState::Ended);
                if let Some(sale) = id.0.parse().ok().and_then(|id: u64| shop.sold.get_mut(&id)).filter(|_| empty) {
                    sale.empty_read_us = sale.empty_read_us.max(Some(at_us));
                }
            }
        });
        Ok(states)
    }

    async fn active(&self) -> Result<Vec<Activation>, CallError> {
        if !self.look(|shop| shop.info.capabilities.lists_active) {
            return Err(CallError::Unsupported);
        }
        match self.road(CallKind::List) {
            Road::Hangs => pending().await,
            Road::Refuses | Road::Open(Some(CallFault::ListFails)) => {
                self.wait().await;
                Err(unusable())
            }
            Road::Open(fault) => {
                let lacks = fault == Some(CallFault::ListLacksRow);
                Ok(self.at_shop(move |shop, now| shop.list(now, lacks)).await)
            }
        }
    }

    async fn more(&self, id: &ActivationId) -> MoreOutcome {
        let id = id.clone();
        match self.road(CallKind::More) {
            Road::Hangs => pending().await,
            Road::Refuses => MoreOutcome::Unknown("planned".into()),
            Road::Open(Some(_)) => MoreOutcome::Refused("planned".into()),
            Road::Open(None) => self.at_shop(move |shop, now| shop.more(now, &id)).await,
        }
    }

    async fn cancel(&self, id: &ActivationId) -> CancelOutcome {
        let id = id.clone();
        let lost = || CancelOutcome::Unknown("planned".into());
        match self.road(CallKind::Cancel) {
            Road::Hangs => pending().await,
            Road::Refuses | Road::Open(Some(CallFault::CancelNeverArrives)) => {
                self.wait().await;
                lost()
            }
            Road::Open(Some(CallFault::CancelRefused)) => {
                self.wait().await;
                CancelOutcome::Refused("planned".into())
            }
            Road::Open(Some(CallFault::CancelAnswerLost)) => {
                drop(self.at_shop(move |shop, now| shop.cancel(now, &id)).await);
                lost()
            }
            Road::Open(fault) => {
                let shop = self.shop;
                let (there_us, back_us) = (self.world.about(WAY_US), self.world.about(WAY_US));
                self.carry(there_us, back_us, move |world| {
                    if fault == Some(CallFault::CancelSmsFirst)
                        && let Ok(number) = id.0.parse()
                    {
                        deliver(world, shop, number, SmsKind::Code);
                    }
                    Some(lock(&world.shops[shop]).cancel(world.timeline.now_us(), &id))
                })
                .await
            }
        }
    }

    async fn finish(&self, id: &ActivationId) -> FinishOutcome {
        let id = id.clone();
        let lost = || FinishOutcome::Unknown("planned".into());
        match self.road(CallKind::Finish) {
            Road::Hangs => pending().await,
            Road::Refuses | Road::Open(Some(CallFault::FinishNeverArrives)) => {
                self.wait().await;
                lost()
            }
            Road::Open(Some(CallFault::FinishRefused)) => {
                self.wait().await;
                FinishOutcome::Refused("planned".into())
            }
            Road::Open(Some(_)) => {
                drop(self.at_shop(move |shop, now| shop.finish(now, &id)).await);
                lost()
            }
            Road::Open(None) => self.at_shop(move |shop, now| shop.finish(now, &id)).await,
        }
    }
}
