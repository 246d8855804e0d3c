//! Wake-ups from other nodes: they make reading fast, never correct.

use async_trait::async_trait;

use crate::store::Owner;

/// Where word of other nodes' commits comes from. Hints: they may be lost, come twice, or come for nothing.
///
/// A store that several processes share may offer it, see `PlatformBuilder::wakeups`.
#[async_trait]
pub trait Wakeups: Send + Sync + 'static {
    /// Waits for the next word. For ever, if there will be none. One caller at a time; it may be dropped at any await.
    async fn next(&self) -> Woken;
}

/// What may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Something on these accounts.
    Accounts(Vec<Owner>),
    /// Anything: words were lost.
    All,
}
