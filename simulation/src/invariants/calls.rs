//! A supplier is never sent two purchases for one attempt of an order, none before its intent is durable, and a next one
//! only after a certain rejection.
//!
//! A purchase carries no order, so these are counted: per life of a node, supplier and pair.

use smscode_core::port::{BuyOutcome, BuyRequest, Rejection};
use smscode_core::store::OperationId;

use super::{Caller, Calls, Life, Watch};
use smscode_core::order::decide::State;

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

impl Watch {
    /// A node knows that its commit took effect: what it committed to call it may call now.
    pub(crate) fn acknowledged(&mut self, caller: Caller, operation: OperationId) {
        for (supplier, country, service) in self.unheard.remove(&operation).unwrap_or_default() {
            self.calls.entry((caller, supplier, country, service)).or_default().unsent += 1;
        }
    }

    fn calls_at(&mut self, caller: Caller, shop: usize, request: &BuyRequest) -> &mut Calls {
        let name = NAMES.get(shop).copied().unwrap_or_default();
        self.calls.entry((caller, name.to_owned(), request.country, request.service.clone())).or_default()
    }

    pub(crate) fn sent(&mut self, now_us: i64, caller: Caller, shop: usize, request: &BuyRequest) {
        if !self.references.insert(request.reference.clone()) {
            self.fail(now_us, None, format!("supplier {shop} is sent the same purchase twice"));
        }
        let calls = self.calls_at(caller, shop, request);
        if calls.unsent == 0 {
            self.fail(
                now_us,
                None,
                format!("node {} calls supplier {shop} without a durable intent of its own", caller.0),
            );
            return;
        }
        calls.unsent -= 1;
    }

    /// A node has the answer to a purchase.
    pub(crate) fn answered(&mut self, caller: Caller, shop: usize, request: &BuyRequest, outcome: &BuyOutcome) {
        let calls = self.calls_at(caller, shop, request);
        match outcome {
            BuyOutcome::NotSent(_) => calls.rejected += 1,
            BuyOutcome::RejectedUncharged(Rejection::ReferenceUsed) | BuyOutcome::Unknown(_) => {}
            BuyOutcome::RejectedUncharged(_) => calls.rejected += 1,
            BuyOutcome::Accepted(got) => {
                let misfit = got.phone.starts_with('+')
                    || got.country.is_some_and(|country| country != request.country)
                    || got.cost.is_some_and(|cost| cost.minor > request.ceiling.minor);
                match got.id.0.parse() {
                    Ok(id) if !misfit => calls.accepted.push(id),
                    _ => calls.rejected += 1,
                }
            }
        }
    }

    /// An order goes on from a supplier as after a certain rejection: there must be one. Whether there was.
    pub(super) fn take_rejection(&mut self, caller: Caller, life: &Life, number_in_use: bool) -> bool {
        let shop = Self::shop_of(&life.supplier);
        let lane = (caller, life.supplier.clone(), life.country, life.service.clone());
        let unclear_twin = self.orders.values().any(|other| {
            other.state == State::Unclear && other.supplier == life.supplier && other.country == life.country
        });
        let attached = &self.attached;
        let Some(calls) = self.calls.get_mut(&lane) else { return false };
        if number_in_use {
            // the number is another order's: it was there, or a look-up has found it first, or is about to
            if let Some(at) = calls.accepted.iter().position(|id| attached.contains_key(&(shop, *id))) {
                calls.accepted.remove(at);
                return true;
            }
            return (!calls.accepted.is_empty() && unclear_twin) || calls.accepted.pop().is_some();
        }
        if calls.rejected > 0 {
            calls.rejected -= 1;
            return true;
        }
        // not sent after all: too many calls under way, the platform stopping, its time over
        if calls.unsent > 0 {
            calls.unsent -= 1;
            return true;
        }
        false
    }
}
