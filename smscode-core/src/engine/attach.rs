//! A number comes into its order: bought now, or found by a look-up. One number and one activation are one order's.

use super::command::{Failed, Step};
use super::inner::{Inner, Slot};
use super::purchase::{put_supply, settle};
use crate::account::AccountId;
use crate::catalogue::countries;
use crate::money::Money;
use crate::order::content::{self, Link};
use crate::order::decide::Input;
use crate::order::phone::{PHONE_CLAIM, phone_claim_keys, phone_claims};
use crate::order::supply::{SUPPLY, SupplyState, supply_key};
use crate::order::{OrderError, OrderId, rules};
use crate::port::Activation;
use crate::privacy::OrderKey;
use crate::store::{LoadKey, Refusal, StoreError};

/// What became of attaching an activation to an order.
pub(super) enum Attached {
    /// The order has it; or it had one already or has ended, and this one goes back.
    Done,
    /// An open order has this number by another activation.
    NumberInUse,
    /// This activation was attached before.
    Known,
}

impl Inner {
    /// Whether the supplier's side of an activation is recorded: it belongs to an order, or did.
    pub(super) async fn is_known(&self, supplier: &str, got: &Activation) -> Result<bool, StoreError> {
        let key = supply_key(supplier, &got.id.0);
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await?;
        Ok(snapshot.record(&key).is_some())
    }

    /// Attaches an activation to its order: now, or when a look-up has found it.
    pub(super) async fn attach(
        &self,
        order: (AccountId, OrderId),
        key: &OrderKey,
        reference: &str,
        got: &Activation,
        looked_up: bool,
    ) -> Result<Attached, StoreError> {
        let (account, id) = order;
        if let Some(taken) = self.taken(account, id, got).await? {
            return Ok(taken);
        }
        let epoch = self.current_epoch().await.map_err(|error| StoreError::Unavailable {
            store: "keyring",
            effect: crate::store::Effect::No,
            reason: error.to_string(),
        })?;
        let attached = self
            .change_order::<bool, OrderError>(account, id, false, |draft, sight| {
                let Some(slot) = self.suppliers.get(&draft.record.supplier) else {
                    return Ok(Step::Leave(false));
                };
                // it has a number or has ended meanwhile: this one is nobody's and goes back
                if draft.advance(Input::Accept, None, "engine", sight.now).is_err() {
                    let supply = self.supply_record(draft, got, SupplyState::Cancelling, sight.now);
                    draft.push(put_supply(got, &supply, self.version())?);
                    return Ok(Step::Write(true));
                }
                let link = Link { reference: reference.to_owned(), activation: Some(got.id.0.clone()) };
                let record = &mut draft.record;
                record.key = content::wrap((epoch.0, &epoch.1), self.nonce(), account, id, key);
                record.link = content::seal_link(key, self.nonce(), &link);
                record.phone = content::seal_phone(key, self.nonce(), &got.phone);
                record.phone_claims =
                    phone_claims(&[], (&*self.epochs(), epoch.0), &got.phone, self.version(), sight.now);
                record.call = None;
                rules::begin_window(record, &slot.info.capabilities, &self.settings, got, looked_up, sight.now);
                let supply = self.supply_record(draft, got, SupplyState::Open, sight.now);
                draft.push(put_supply(got, &supply, self.version())?);
                Ok(Step::Write(false))
            })
            .await;
        match attached {
            Ok(goes_back) => {
                if goes_back {
                    self.supply.notify_one();
                }
                Ok(Attached::Done)
            }
            // somebody was faster with the same activation, or with the same number
            Err(Failed::Store(StoreError::Refused(Refusal::Expectation { key, .. })))
                if key.kind == SUPPLY || key.kind == PHONE_CLAIM =>
            {
                Ok(self.taken(account, id, got).await?.unwrap_or(Attached::NumberInUse))
            }
            other => settle(other.map(|_| ())).map(|()| Attached::Done),
        }
    }

    /// Why what was bought is not what was wanted.
    pub(super) fn misfit(
        &self,
        slot: &Slot,
        (country, service): (u16, &str),
        price: Money,
        got: &Activation,
    ) -> Option<&'static str> {
        let dial_code = countries::by_id(country).map_or("", |country| country.dial_code);
        let most = self.ceiling(slot, price).map(|money| money.minor);
        rules::misfit((country, dial_code), service, most, got)
    }

    /// An unclear purchase was found, and what it bought is of no use: it goes back, and so does the money.
    pub(super) async fn give_back_found(
        &self,
        (account, id): (AccountId, OrderId),
        reason: &'static str,
        got: &Activation,
    ) -> Result<(), StoreError> {
        tracing::warn!(reason, "a number that was found is given back");
        let done = self
            .change_order::<(), OrderError>(account, id, false, |draft, sight| {
                let supply = self.supply_record(draft, got, SupplyState::Cancelling, sight.now);
                match draft.advance(Input::Reject, Some(reason), "engine", sight.now) {
                    Ok(()) => {
                        draft.push(put_supply(got, &supply, self.version())?);
                        Ok(Step::Write(()))
                    }
                    Err(_) => Ok(Step::Leave(())),
                }
            })
            .await;
        self.supply.notify_one();
        settle(done)
    }

    /// Why an activation cannot be an order's, as far as the store knows. Claims under the epochs of the last minutes are
    /// judged once more by the commit; older ones are seen here, in one view, also while one is moved to a newer epoch.
    async fn taken(&self, account: AccountId, id: OrderId, got: &Activation) -> Result<Option<Attached>, StoreError> {
        let Some((_, record)) = self.load_order(account, id).await? else {
            return Ok(Some(Attached::Done));
        };
        let supply = supply_key(&record.supplier, &got.id.0);
        let claims = phone_claim_keys(&self.epochs(), &got.phone);
        let keys: Vec<LoadKey> = claims.iter().chain([&supply]).cloned().map(LoadKey::Record).collect();
        let snapshot = self.store.load(&keys).await?;
        if snapshot.record(&supply).is_some() {
            return Ok(Some(Attached::Known));
        }
        let in_use = claims.iter().any(|claim| snapshot.record(claim).is_some());
        Ok(in_use.then_some(Attached::NumberInUse))
    }
}
