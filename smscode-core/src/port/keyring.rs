//! The keyring: where the keys live that sealed content cannot be read without, outside the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::time::Timestamp;

/// Names an epoch: the second at which it began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EpochId(pub i64);

impl EpochId {
    /// When the epoch began.
    pub const fn began(self) -> Timestamp {
        Timestamp::from_seconds(self.0)
    }
}

/// A key of 256 bits. `Debug` prints nothing of it; the memory is cleared when it is dropped.
#[derive(Clone)]
pub struct EpochKey(Zeroizing<[u8; 32]>);

impl EpochKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key's bytes, for sealing and for the keyring's own storage.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKey(..)")
    }
}

/// Why a keyring did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The place where the keys are kept cannot be read or written.
    #[error("the keyring is unavailable: {0}")]
    Unavailable(String),
    /// The keys are readable by others than this user, so nothing may be sealed with them.
    #[error("the keyring is not private: {0}")]
    NotPrivate(String),
}

/// Keeps the epoch keys and the long-lived root key. Epochs last ten minutes, and no epoch key lives beyond ninety.
#[async_trait]
pub trait Keyring: Send + Sync + 'static {
    /// The long-lived key from which the keys of look-up hashes and of order numbers are derived. `fresh` becomes the
    /// root if there is none yet.
    async fn root(&self, fresh: EpochKey) -> Result<EpochKey, KeyringError>;

    /// All epoch keys that exist, oldest first.
    async fn epochs(&self) -> Result<Vec<(EpochId, EpochKey)>, KeyringError>;

    /// Adds an epoch, durable on return. If another node was faster its key stands; the standing key is returned.
    async fn add(&self, epoch: EpochId, fresh: EpochKey) -> Result<EpochKey, KeyringError>;

    /// Destroys an epoch key: its bytes are overwritten and gone on return. One that is gone already is no error.
    async fn destroy(&self, epoch: EpochId) -> Result<(), KeyringError>;
}

/// A keyring in memory, for tests and for stores that are in memory too.
#[derive(Debug, Default)]
pub struct MemoryKeyring {
    keys: Mutex<(Option<EpochKey>, BTreeMap<EpochId, EpochKey>)>,
}

impl MemoryKeyring {
    /// An empty keyring.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Keyring for MemoryKeyring {
    async fn root(&self, fresh: EpochKey) -> Result<EpochKey, KeyringError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.0.get_or_insert(fresh).clone())
    }

    async fn epochs(&self) -> Result<Vec<(EpochId, EpochKey)>, KeyringError> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.1.iter().map(|(id, key)| (*id, key.clone())).collect())
    }

    async fn add(&self, epoch: EpochId, fresh: EpochKey) -> Result<EpochKey, KeyringError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.1.entry(epoch).or_insert(fresh).clone())
    }

    async fn destroy(&self, epoch: EpochId) -> Result<(), KeyringError> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&epoch);
        Ok(())
    }
}
