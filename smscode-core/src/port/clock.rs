//! Time and chance come in here and nowhere else.

use async_trait::async_trait;

use crate::time::Timestamp;

/// The clock of a node.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Waits until it is that time. Returns at once if it is already.
    async fn sleep_until(&self, at: Timestamp);
}

/// The source of randomness: of ids, versions, keys and tokens. Must be fit for cryptography, except in simulations.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}
