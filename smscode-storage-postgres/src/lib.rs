#![doc = include_str!("../README.md")]
//!
//! # What a commit costs
//!
//! A commit shares its transaction with what else is waiting for the same committer, at most [`PostgresOptions::group_max`]
//! commits. A test keeps this table true.
//!
//! | cost | once for a group | for each commit in it |
//! |---|---|---|
//! | round trips | 2: a statement that reads, one that writes; 1 if all are refused or were made before | |
//! | transactions, syncs | 1: the statement that writes; none if all are refused or were made before | |
//! | rows looked up | | 1 for the operation id, each record, account, counter and transfer id that it names |
//! | rows locked | | each record that it relies on (shared), changes or deletes; its account; each counter |
//! | locks held over a round trip | none | |
//! | rows for records | | 1 for each put or deleted; 1 for each index term that came or went |
//! | rows for money | 1 for each currency (2 sums) and each house account | 1 for each transfer |
//! | rows for events, operations | | 1 for each event; 1 for the operation id |
//! | rows for heads, counters | 1 for each that changed | |
//! | rows forgotten | up to 256 operation ids of 48 h before, looked for once a second of header time | |
//! | messages to other nodes | 1, after the commit and on another connection, for all groups since the last | |
//!
//! A group that was overtaken by another process is run again in a transaction that locks first: BEGIN, records, heads,
//! counters, read, write, COMMIT. With an expectation that a record is absent and stays so: BEGIN, 2 to reserve it, read
//! again, write, COMMIT.

mod committer;
mod connect;
mod copying;
mod fault;
mod figures;
mod read;
mod reader;
mod role;
mod scan;
mod schema;
mod wake;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use smscode_core::port::{Wakeups, Woken};
use smscode_core::store::{
    ChangeSet, CommitQueue, Cursor, Effect, Entry, Index, LoadKey, Owner, Page, Place, Range, Receipt, Snapshot, Store,
    StoreError, StoreInfo, Totals, check_load, limits,
};
use smscode_core::time::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::task::{AbortHandle, JoinHandle};

pub use figures::PostgresFigures;
pub use schema::{Migrated, migrate};

use committer::{Committer, Tallies};
use connect::{Line, Target};
use fault::{Fault, STORE};
use reader::{Job, Reader, ask};
use wake::Herald;

/// The largest group there can be: as many operation ids as one group forgets.
const GROUP_MAX: usize = limits::OPERATIONS_FORGOTTEN_MAX;
/// Tasks of either sort, at most: each holds a connection.
const TASKS_MAX: usize = 32;

/// How a store works. All have defaults that fit a server on a small machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Tasks that commit, each with a connection; accounts are shared out between them. With two, one prepares a group
    /// while the other waits for its sync. 1 to 32, default 2.
    pub committers: usize,
    /// Tasks that read, each with a connection. 1 to 32, default 2.
    pub readers: usize,
    /// Commits that may wait for one committer, and reads that may wait for all readers; further ones are refused as
    /// unavailable. Default 1,024.
    pub queue_max: usize,
    /// Commits that share one transaction, 1 to 256. Default 64.
    pub group_max: usize,
    /// Milliseconds for a connection to come up, for a read, and for one try of a group. Default 10,000.
    pub limit_ms: u64,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { committers: 2, readers: 2, queue_max: 1_024, group_max: 64, limit_ms: 10_000 }
    }
}

/// A [`Store`] in a Postgres database, for any number of processes.
pub struct PostgresStore {
    committers: Vec<Arc<CommitQueue>>,
    jobs: Lock<Option<mpsc::Sender<Job>>>,
    woken: Mutex<Option<mpsc::Receiver<Woken>>>,
    tallies: Arc<Tallies>,
    group_max: usize,
    target: Target,
    limit: Duration,
    listener: Option<AbortHandle>,
    tasks: Lock<Vec<JoinHandle<()>>>,
}

impl PostgresStore {
    /// Opens a database by its address, such as `postgres://user:password@host/database?sslmode=verify-full`. An empty
    /// database is set up if the role may create schemas; an older one is refused, see [`migrate`]. To be called within a
    /// Tokio runtime, which then drives the store's tasks.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the server cannot be reached or refuses, `Format` if the database is empty, older or newer and
    /// this role or program cannot change that.
    pub async fn open(url: &str, mut options: PostgresOptions) -> Result<Self, StoreError> {
        options.group_max = options.group_max.clamp(1, GROUP_MAX);
        let limit = Duration::from_millis(options.limit_ms.max(1));
        let mut line = Line::find(url, limit).await?;
        within(limit, schema::set_up(&mut line)).await.map_err(|fault| fault.tell(Effect::No))?;
        Ok(Self::start(line, &options, limit))
    }

    fn start(line: Line, options: &PostgresOptions, limit: Duration) -> Self {
        let target = &line.target().clone();
        let mut tasks = Vec::new();
        let (mut herald, mut woken, mut listener) = (Herald::silent(), None, None);
        if !target.pooled {
            let (told, send) = wake::herald(target.clone(), limit);
            let (heard, listen) = wake::listener(target);
            let listen = spawn(listen);
            (herald, woken, listener) = (told, Some(heard), Some(listen.abort_handle()));
            tasks.extend([spawn(send), listen]);
        }
        let tallies = Arc::new(Tallies::default());
        let queue = || Arc::new(CommitQueue::new(STORE, options.queue_max));
        let committers: Vec<_> = (0..options.committers.clamp(1, TASKS_MAX)).map(|_| queue()).collect();
        for queue in &committers {
            let committer = Committer {
                line: Line::new(target.clone()),
                queue: queue.clone(),
                group_max: options.group_max,
                limit,
                tallies: tallies.clone(),
                herald: herald.clone(),
                forget_after: Timestamp::EPOCH,
            };
            tasks.push(spawn(committer.run()));
        }
        let (jobs, waiting) = mpsc::channel(options.queue_max.max(1));
        let waiting = Arc::new(Mutex::new(waiting));
        let further = (1..options.readers.clamp(1, TASKS_MAX)).map(|_| Line::new(target.clone()));
        for line in std::iter::once(line).chain(further) {
            let reader = Reader { line, jobs: waiting.clone(), limit };
            tasks.push(spawn(reader.run()));
        }
        Self {
            committers,
            jobs: Lock::new(Some(jobs)),
            woken: Mutex::new(woken),
            tallies,
            group_max: options.group_max,
            target: target.clone(),
            limit,
            listener,
            tasks: Lock::new(tasks),
        }
    }

    /// Commits what waits and closes all connections. What comes later is refused as unavailable. Dropping the store does
    /// the same, without waiting for it.
    pub async fn close(&self) {
        self.stop();
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // one that panicked has answered nobody, which his callers were told
            drop(task.await);
        }
    }

    fn stop(&self) {
        self.committers.iter().for_each(|queue| queue.close());
        self.listener.iter().for_each(AbortHandle::abort);
    }

    /// A connection beside those of the tasks, and the limit of its statements.
    fn own_line(&self) -> (Line, Duration) {
        (Line::new(self.target.clone()), self.limit)
    }

    fn jobs(&self) -> Option<mpsc::Sender<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The committer of a ChangeSet: that of the account it is about.
    fn committer(&self, set: &ChangeSet) -> &CommitQueue {
        let owner = set.entries.iter().map(owner).find(|owner| !owner.is_none()).unwrap_or(Owner::NONE);
        &self.committers[usize::from(owner.0[15]) % self.committers.len()]
    }
}

fn owner(entry: &Entry) -> Owner {
    match entry {
        Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } => key.owner,
        Entry::DeleteOwned { owner, .. } | Entry::Append { owner, .. } => *owner,
        Entry::Count { counter, .. } => counter.owner,
        Entry::Post(post) => match (&post.debit, &post.credit) {
            (Place::Customer(owner, _), _) | (_, Place::Customer(owner, _)) => *owner,
            (Place::House(_), Place::House(_)) => Owner::NONE,
        },
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is no core: connections live in tasks, so that no caller can drop them"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

/// Runs a step against the server, but not for ever.
#[allow(clippy::disallowed_methods, reason = "a bounded wait for a server; no rule depends on the clock")]
async fn within<T>(limit: Duration, step: impl Future<Output = fault::Result<T>>) -> fault::Result<T> {
    tokio::time::timeout(limit, step).await.unwrap_or(Err(Fault::Late(limit)))
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("committers", &self.committers.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        ask(self.jobs(), Job::Check).await?;
        Ok(StoreInfo { name: STORE, format: schema::FORMAT, durable: true, shared: true, group_max: self.group_max })
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        check_load(keys)?;
        ask(self.jobs(), |reply| Job::Load(keys.to_vec(), reply)).await
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.committer(&change_set).submit(change_set.clone(), async {}).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let wanted = Box::new((index.clone(), range.clone(), after.cloned()));
        ask(self.jobs(), |reply| Job::Scan(wanted, limit, reply)).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        ask(self.jobs(), Job::Totals).await
    }
}

#[async_trait]
impl Wakeups for PostgresStore {
    async fn next(&self) -> Woken {
        let mut woken = self.woken.lock().await;
        match woken.as_mut() {
            Some(receiver) => match receiver.recv().await {
                Some(word) => word,
                None => std::future::pending().await,
            },
            // behind a pooler none arrive
            None => std::future::pending().await,
        }
    }
}
