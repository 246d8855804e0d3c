//! Wake-ups between nodes: NOTIFY and LISTEN. Hints, sent beside the commits: one that is lost costs time, nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use smscode_core::port::Woken;
use smscode_core::store::Owner;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::mpsc;

use crate::connect::{Line, Target};
use crate::within;

/// The channel.
const CHANNEL: &str = "smscode";
/// Accounts named in one message: a message has at most 8,000 bytes.
const OWNERS_MAX: usize = 200;
/// Groups and messages that may wait; more are left out.
const WAITING_MAX: usize = 1_024;
/// A pause before a connection that failed is made again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where committers leave word of accounts that something happened on.
#[derive(Clone)]
pub(crate) struct Herald(Option<mpsc::Sender<BTreeSet<Owner>>>);

impl Herald {
    /// Nobody hears it: behind a pooler messages do not arrive.
    pub(crate) const fn silent() -> Self {
        Self(None)
    }

    pub(crate) fn tell(&self, owners: BTreeSet<Owner>) {
        if let Some(sender) = &self.0
            && !owners.is_empty()
        {
            // full: nobody waits for a hint
            drop(sender.try_send(owners));
        }
    }
}

/// A herald and the task that sends what it is told, apart from the commits: NOTIFY within them would make them wait for
/// one another.
pub(crate) fn herald(target: Target, limit: Duration) -> (Herald, impl Future<Output = ()>) {
    let (sender, mut words) = mpsc::channel::<BTreeSet<Owner>>(WAITING_MAX);
    let send = async move {
        let mut line = Line::new(target);
        let mut heard = Vec::new();
        while words.recv_many(&mut heard, WAITING_MAX).await > 0 {
            let owners: BTreeSet<Owner> = heard.drain(..).flatten().collect();
            let owners: Vec<Owner> = owners.into_iter().collect();
            for some in owners.chunks(OWNERS_MAX) {
                let notify = async {
                    let connection = line.ready().await?;
                    let query = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(message(some));
                    query.execute(connection).await?;
                    Ok(())
                };
                if within(limit, notify).await.is_err() {
                    line.hang_up();
                }
            }
        }
        line.close().await;
    };
    (Herald(Some(sender)), send)
}

/// What other nodes say, and the task that listens to them until it is aborted.
pub(crate) fn listener(target: &Target) -> (mpsc::Receiver<Woken>, impl Future<Output = ()> + use<>) {
    let (sender, woken) = mpsc::channel(WAITING_MAX);
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(target.options());
    let listen = async move {
        loop {
            if let Ok(mut listener) = PgListener::connect_with(&pool).await
                && listener.listen(CHANNEL).await.is_ok()
            {
                drop(sender.try_send(Woken::All)); // whatever was said before
                while let Ok(Some(message)) = listener.try_recv().await {
                    drop(sender.try_send(read(message.payload())));
                }
            }
            pause().await;
        }
    };
    (woken, listen)
}

#[allow(clippy::disallowed_methods, reason = "an adapter's pause before it connects again; no rule depends on it")]
async fn pause() {
    tokio::time::sleep(AGAIN).await;
}

fn message(owners: &[Owner]) -> String {
    owners.iter().fold(String::new(), |mut text, owner| {
        // writing to a text does not fail
        let _never_fails = write!(text, "{:032x}", u128::from_be_bytes(owner.0));
        text
    })
}

/// A message that is not ours wakes all.
fn read(message: &str) -> Woken {
    let owner = |digits: &[u8]| {
        let number = u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        Some(Owner(number.to_be_bytes()))
    };
    let (chunks, rest) = message.as_bytes().as_chunks::<32>();
    let owners: Option<Vec<Owner>> = chunks.iter().map(|digits| owner(digits)).collect();
    match owners {
        Some(owners) if rest.is_empty() && !owners.is_empty() => Woken::Accounts(owners),
        _ => Woken::All,
    }
}

#[cfg(test)]
mod tests {
    use smscode_core::port::Woken;
    use smscode_core::store::Owner;

    use super::{OWNERS_MAX, message, read};

    #[test]
    fn messages_are_read_as_they_were_written() {
        let owners: Vec<Owner> = (0..OWNERS_MAX as u8).map(|n| Owner([n; 16])).collect();
        assert!(message(&owners).len() < 8_000);
        assert_eq!(read(&message(&owners)), Woken::Accounts(owners));
        for other in ["", "hello", "0123456789abcdef0123456789abcdef0", "zz23456789abcdef0123456789abcdef"] {
            assert_eq!(read(other), Woken::All, "{other}");
        }
    }
}
