//! Epochs of keys: begun every ten minutes, re-wrapped after sixty, destroyed at the latest after ninety.

use std::sync::{Arc, PoisonError};

use super::command::{Failed, Step};
use super::inner::Inner;
use crate::order::OrderError;
use crate::order::content::{self, Epochs};
use crate::order::phone::phone_claims;
use crate::order::record::{BY_EPOCH, OrderRecord, read_order_key};
use crate::port::{EpochId, EpochKey, KeyringError};
use crate::store::{Index, Range, Row, StoreError};
use crate::time::Timestamp;

/// How long new orders are sealed under one epoch.
const EPOCH_SECONDS: i64 = 600;
/// From this age on what is still open is re-wrapped.
const REWRAP_SECONDS: i64 = 3_600;
/// No epoch key gets older.
const EPOCH_MAX_SECONDS: i64 = 5_400;
/// Orders re-wrapped per page.
const PAGE: usize = 100;
/// Pages per pass: more orders than can be open.
const PAGES_MAX: usize = 10_000;

impl Inner {
    /// The epoch that new orders are sealed under; begun if the newest is too old.
    pub(super) async fn current_epoch(&self) -> Result<(EpochId, EpochKey), KeyringError> {
        if let Some(current) = newest(&self.epochs(), self.now()) {
            return Ok(current);
        }
        let _one_at_a_time = self.beginning.lock().await;
        let now = self.now();
        if let Some(current) = newest(&self.epochs(), now) {
            return Ok(current);
        }
        // the same id at every node that begins it in the same ten minutes
        let id = EpochId(now.seconds().div_euclid(EPOCH_SECONDS) * EPOCH_SECONDS);
        let key = self.keyring.add(id, EpochKey::new(self.random())).await?;
        let mut epochs = Epochs::clone(&self.epochs());
        epochs.insert(id, key.clone());
        self.set_epochs(epochs);
        Ok((id, key))
    }

    /// Reads the keyring again: other nodes begin and destroy epochs too.
    pub(super) async fn reload_epochs(&self) -> Result<(), KeyringError> {
        let _one_at_a_time = self.beginning.lock().await;
        let epochs = self.keyring.epochs().await?.into_iter().collect();
        self.set_epochs(epochs);
        Ok(())
    }

    /// Makes sure that the key of an order's epoch is known if there is one: another node may have begun the epoch after
    /// this one has read the keyring. Epochs older than those known have been destroyed.
    pub(super) async fn know_epoch(&self, record: &OrderRecord) {
        let Some(wrapped) = &record.key else { return };
        let newest = self.epochs().keys().next_back().copied();
        if newest.is_none_or(|newest| newest < EpochId(wrapped.epoch))
            && let Err(error) = self.reload_epochs().await
        {
            tracing::error!(%error, "the keyring cannot be read");
        }
    }

    fn set_epochs(&self, epochs: Epochs) {
        *self.epochs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(epochs);
    }

    /// Age of the oldest key.
    pub(super) fn oldest_epoch_seconds(&self) -> i64 {
        let now = self.now();
        self.epochs().keys().next().map_or(0, |id| now.ms_since(id.began()) / 1_000)
    }

    /// One pass: reload, re-wrap what is open in old epochs, destroy epochs that nothing needs any more.
    pub(super) async fn keep_epochs(&self) -> Result<(), StoreError> {
        if let Err(error) = self.reload_epochs().await {
            tracing::error!(%error, "the keyring cannot be read");
            return Ok(());
        }
        let old: Vec<EpochId> = {
            let now = self.now();
            self.epochs().keys().copied().filter(|id| now.ms_since(id.began()) >= REWRAP_SECONDS * 1_000).collect()
        };
        for id in old {
            let left = self.rewrap(id).await?;
            let age_ms = self.now().ms_since(id.began());
            if left > 0 && age_ms < EPOCH_MAX_SECONDS * 1_000 {
                continue;
            }
            match self.keyring.destroy(id).await {
                Ok(()) => {
                    let mut epochs = Epochs::clone(&self.epochs());
                    epochs.remove(&id);
                    self.set_epochs(epochs);
                }
                Err(error) => tracing::error!(%error, "an epoch key could not be destroyed"),
            }
        }
        Ok(())
    }

    /// Wraps the keys of an epoch's open orders into the current epoch; how many could not be.
    async fn rewrap(&self, id: EpochId) -> Result<usize, StoreError> {
        let mut left = 0;
        let range = Range::prefix(&id.0.to_be_bytes());
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let page = self.store.scan(&Index::Term(BY_EPOCH), &range, after.as_ref(), PAGE).await?;
            for row in &page.rows {
                let Row::Record { key, .. } = row else { continue };
                let Some((account, order)) = read_order_key(key) else {
                    continue;
                };
                let Ok((epoch, epoch_key)) = self.current_epoch().await else {
                    return Ok(left + 1);
                };
                let done = self
                    .change_order::<(), OrderError>(account, order, false, |draft, sight| {
                        let Some(key) = content::unwrap(&self.epochs(), account, order, &draft.record) else {
                            return Ok(Step::Leave(())); // its key is lost: the order runs out
                        };
                        let phone = content::open_all(&key, &draft.record).phone;
                        draft.record.key = content::wrap((epoch, &epoch_key), self.nonce(), account, order, &key);
                        if let Some(phone) = phone {
                            let held = std::mem::take(&mut draft.record.phone_claims);
                            let under = (&*self.epochs(), epoch);
                            draft.record.phone_claims = phone_claims(&held, under, &phone, self.version(), sight.now);
                        }
                        Ok(Step::Write(()))
                    })
                    .await;
                if let Err(Failed::Store(_)) = done {
                    left += 1;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(left)
    }
}

fn newest(epochs: &Epochs, now: Timestamp) -> Option<(EpochId, EpochKey)> {
    let (id, key) = epochs.last_key_value()?;
    let age_ms = now.ms_since(id.began());
    (age_ms < EPOCH_SECONDS * 1_000).then(|| (*id, key.clone()))
}
