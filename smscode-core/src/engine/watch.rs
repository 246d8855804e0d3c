//! Wake-ups: they make reading fast, never correct.

use tokio::sync::broadcast;

use crate::account::AccountId;

/// Tells that something happened on an account. May wake for nothing; read the events to know.
#[derive(Debug)]
pub struct Watch {
    pub(super) account: AccountId,
    pub(super) receiver: broadcast::Receiver<Option<AccountId>>,
}

impl Watch {
    /// Waits until something may have happened. `false` once the platform is gone.
    pub async fn changed(&mut self) -> bool {
        loop {
            match self.receiver.recv().await {
                // none: whoever it is
                Ok(account) if account.is_none_or(|account| account == self.account) => return true,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return false,
            }
        }
    }
}
