//! Waiting for a store that is away when the server starts.
#![allow(clippy::disallowed_methods, reason = "the server is the host: it waits in real time")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use smscode_core::BuildError;
use smscode_core::account::AccountError;
use smscode_core::store::{Effect, StoreError};

use crate::config::{Config, StoreChoice};
use crate::door::Door;
use crate::mark::MarkError;
use crate::parts::{self, Parts};
use crate::start::StartError;

/// The pauses between tries grow from this, doubling,
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// to this: soon enough for whoever waits, and no load for a server that comes up.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// One cause is logged this often.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// Causes that are remembered; there are fewer.
const CAUSES_MAX: usize = 16;

/// Opens everything, once the store is there. Only a store on another server is waited for, and only while it is away:
/// what somebody has to change first ends the start.
pub(crate) async fn when_there(config: &Config, address: SocketAddr, door: &Door) -> Result<Parts, StartError> {
    let mut causes = Causes::default();
    let mut pause = PAUSE_MIN;
    loop {
        let error = match parts::open(config).await {
            Ok(parts) => return Ok(parts),
            Err(error) => error,
        };
        let away = match (&config.store, &error) {
            (StoreChoice::Postgres(_), error) => away(error),
            (StoreChoice::Memory | StoreChoice::Redb(_), _) => None,
        };
        let Some(away) = away else { return Err(error) };
        if causes.is_news(&away.to_string(), Instant::now()) {
            tracing::warn!(%address, error = %away, "the store is away: answering 503 and trying again");
        }
        door.tell(away);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// The store's error, if it is that it is away.
fn away(error: &StartError) -> Option<StoreError> {
    match error {
        StartError::Store(error)
        | StartError::Platform(BuildError::Store(error))
        | StartError::Mark(MarkError::Store(error)) => {
            matches!(error, StoreError::Unavailable { .. }).then(|| error.clone())
        }
        StartError::Customer { error: AccountError::Unavailable(reason), .. } => {
            Some(StoreError::Unavailable { store: "server", effect: Effect::No, reason: reason.clone() })
        }
        StartError::Customer { .. }
        | StartError::Platform(_)
        | StartError::Mark(_)
        | StartError::Listen { .. }
        | StartError::Files { .. }
        | StartError::Keyring(_)
        | StartError::Supplier { .. } => None,
    }
}

/// When which cause was logged.
#[derive(Default)]
struct Causes(BTreeMap<String, Instant>);

impl Causes {
    /// Whether this was not logged within the last minute.
    fn is_news(&mut self, cause: &str, now: Instant) -> bool {
        if self.0.get(cause).is_some_and(|at| now.duration_since(*at) < LOG_EVERY) {
            return false;
        }
        if self.0.len() >= CAUSES_MAX {
            self.0.clear();
        }
        self.0.insert(cause.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Causes;

    #[test]
    fn each_cause_is_logged_once_a_minute() {
        let (mut causes, began) = (Causes::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let told: Vec<bool> = [("a", 0), ("b", 1), ("a", 2), ("b", 59), ("a", 60), ("b", 61), ("a", 100)]
            .map(|(cause, seconds)| causes.is_news(cause, at(seconds)))
            .to_vec();
        assert_eq!(told, [true, true, false, false, true, true, false]);
    }
}
