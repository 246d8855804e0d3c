//! One future that drives all workers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{join, join_all, join3, join4, join5, pending};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::inner::{Inner, Task};
use crate::account::AccountId;
use crate::port::Woken;
use crate::time::Timestamp;

/// Commands in work at once. Each waits for suppliers and commits most of its time.
const COMMANDS_MAX: usize = 4_096;
/// Epochs are looked after this often.
const EPOCHS_EVERY_MS: i64 = 30_000;
/// A pause before a failed recovery is begun again.
const RECOVER_AGAIN_MS: i64 = 1_000;

impl Inner {
    /// Drives everything until `shutdown` is ready; then commands under way may end, at most for the call limit.
    pub(super) async fn run(self: &Arc<Self>, shutdown: impl Future<Output = ()>) {
        let taken = self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(mut tasks) = taken else {
            tracing::error!("the platform is being run already");
            return shutdown.await;
        };
        let mut commands = FuturesUnordered::new();
        {
            let workers = self.workers();
            let commanding = drive(&mut tasks, &mut commands);
            tokio::pin!(shutdown, workers, commanding);
            tokio::select! {
                biased;
                () = &mut shutdown => {}
                () = &mut workers => {}
                () = &mut commanding => {}
            }
        }
        self.running.send_replace(false);
        self.stopping.store(true, Ordering::Release);
        tasks.close();
        let limit = self.now().plus_ms(self.settings.call_limit_ms);
        self.drain(&mut tasks, &mut commands, limit).await;
    }

    async fn drain(&self, tasks: &mut mpsc::Receiver<Task>, commands: &mut FuturesUnordered<Task>, limit: Timestamp) {
        while let Ok(task) = tasks.try_recv() {
            commands.push(task);
        }
        let ended = self.until(limit, async { while commands.next().await.is_some() {} }).await;
        if ended.is_none() {
            tracing::warn!(left = commands.len(), "stopped with commands under way; recovery will find them");
        }
    }

    async fn workers(self: &Arc<Self>) {
        loop {
            match self.recover().await {
                Ok(found) => {
                    if found > 0 {
                        tracing::info!(found, "purchases of an earlier run are looked up");
                    }
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, "recovery is tried again");
                    self.clock.sleep_until(self.now().plus_ms(RECOVER_AGAIN_MS)).await;
                }
            }
        }
        self.share_places().await;
        self.running.send_replace(true);
        let polling = join_all(self.suppliers.keys().map(|name| self.poll_supplier(name).boxed()).collect::<Vec<_>>());
        let (due, offers, epochs) = (self.do_due(), self.refresh_offers(), self.look_after_epochs());
        let suppliers_side = join(self.tell_suppliers(), self.watch_orphans());
        let (hearing, suppliers) = (self.hear_others(), self.look_after_suppliers());
        // none of these ends
        let books = join3(self.look_after_accounts(), self.look_after_books(), self.keep_presence());
        join4(join5(polling, due, suppliers_side, offers, epochs), hearing, suppliers, books).await;
    }

    /// Hands on what other nodes say.
    async fn hear_others(&self) {
        let Some(wakeups) = &self.wakeups else {
            return pending().await;
        };
        loop {
            // nobody listens: nothing to hand on
            match wakeups.next().await {
                Woken::All => drop(self.wake_ups.send(None)),
                Woken::Accounts(owners) => {
                    for owner in owners {
                        drop(self.wake_ups.send(Some(AccountId(owner))));
                    }
                }
            }
        }
    }

    async fn look_after_epochs(&self) {
        loop {
            if let Err(error) = self.keep_epochs().await {
                tracing::error!(%error, "epochs are looked after later");
            }
            self.clock.sleep_until(self.now().plus_ms(EPOCHS_EVERY_MS)).await;
        }
    }
}

/// Takes commands and drives them.
async fn drive(tasks: &mut mpsc::Receiver<Task>, commands: &mut FuturesUnordered<Task>) {
    loop {
        let room = commands.len() < COMMANDS_MAX;
        tokio::select! {
            biased;
            Some(()) = commands.next(), if !commands.is_empty() => {}
            task = tasks.recv(), if room => match task {
                Some(task) => commands.push(task),
                None => pending().await,
            },
        }
    }
}
