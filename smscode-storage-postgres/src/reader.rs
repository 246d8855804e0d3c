//! Reading: a few tasks with a connection each. Loads that wait together are read in one statement.

use std::sync::Arc;
use std::time::Duration;

use smscode_core::store::{Cursor, Effect, Index, LoadKey, Page, Range, Snapshot, StoreError, Totals};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::connect::Line;
use crate::fault::{Fault, unavailable};
use crate::{read, scan, schema, within};

/// Reads taken at once: as many as share one load statement.
const TAKEN_MAX: usize = 64;
/// Sums over everything may take so many times the limit of a statement.
const TOTALS_FACTOR: u32 = 60;

type Reply<T> = oneshot::Sender<std::result::Result<T, StoreError>>;

/// A read that a caller waits for.
pub(crate) enum Job {
    Load(Vec<LoadKey>, Reply<Snapshot>),
    Scan(Box<(Index, Range, Option<Cursor>)>, usize, Reply<Page>),
    Totals(Reply<Totals>),
    Check(Reply<()>),
}

/// Runs a read; once more, if need be on a new connection, when that may help.
macro_rules! twice {
    ($reader:ident, $factor:expr, |$line:ident| $read:expr) => {{
        let limit = $reader.limit * $factor;
        let mut again = true;
        loop {
            let $line = &mut $reader.line;
            let reading = async {
                if $line.pooled() {
                    $line.begin().await?;
                }
                let result = $read.await?;
                if $line.has_begun() {
                    $line.commit().await?;
                }
                Ok(result)
            };
            match within(limit, reading).await {
                Ok(result) => break Ok(result),
                Err(fault) => {
                    $reader.failed(&fault).await;
                    if !std::mem::take(&mut again) || !fault.may_pass() {
                        break Err(fault.tell(Effect::No));
                    }
                }
            }
        }
    }};
}

impl Job {
    /// Whether nobody waits for it any more.
    fn is_gone(&self) -> bool {
        match self {
            Self::Load(_, reply) => reply.is_closed(),
            Self::Scan(_, _, reply) => reply.is_closed(),
            Self::Totals(reply) => reply.is_closed(),
            Self::Check(reply) => reply.is_closed(),
        }
    }
}

/// Reads that one reader does next.
struct Taken {
    loads: Vec<(Vec<LoadKey>, Reply<Snapshot>)>,
    other: Option<Job>,
}

pub(crate) struct Reader {
    pub(crate) line: Line,
    pub(crate) jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    pub(crate) limit: Duration,
}

impl Reader {
    /// Answers reads until nobody can ask any more.
    pub(crate) async fn run(mut self) {
        while let Some(Taken { loads, other }) = self.take().await {
            if !loads.is_empty() {
                let (keys, replies): (Vec<_>, Vec<_>) = loads.into_iter().unzip();
                self.load(&keys, replies).await;
            }
            if let Some(job) = other {
                self.other(job).await;
            }
        }
        self.line.close().await;
    }

    /// What waits: loads, and at most one other read after them, which would keep what comes behind it from a reader that
    /// has nothing to do. Callers who have gone away are left out.
    async fn take(&self) -> Option<Taken> {
        // the other readers wait here while one takes; none waits while one reads
        let mut jobs = self.jobs.lock().await;
        let mut next = Some(jobs.recv().await?);
        let mut taken = Taken { loads: Vec::new(), other: None };
        while let Some(job) = next {
            match job {
                gone if gone.is_gone() => {}
                Job::Load(keys, reply) => taken.loads.push((keys, reply)),
                other @ (Job::Scan(..) | Job::Totals(_) | Job::Check(_)) => taken.other = Some(other),
            }
            let full = taken.loads.len() == TAKEN_MAX || taken.other.is_some();
            next = if full { None } else { jobs.try_recv().ok() };
        }
        Some(taken)
    }

    async fn load(&mut self, keys: &[Vec<LoadKey>], replies: Vec<Reply<Snapshot>>) {
        match twice!(self, 1, |line| read::load(line, keys)) {
            Ok(snapshots) => {
                for (snapshot, reply) in snapshots.into_iter().zip(replies) {
                    drop(reply.send(Ok(snapshot)));
                }
            }
            Err(StoreError::Corrupt { .. }) if keys.len() > 1 => {
                // a row that one of them wants; the others need not suffer
                for (key, reply) in keys.iter().zip(replies) {
                    let loaded = twice!(self, 1, |line| read::load(line, std::slice::from_ref(key)));
                    drop(reply.send(loaded.map(|mut snapshots| snapshots.pop().unwrap_or_default())));
                }
            }
            Err(error) => {
                for reply in replies {
                    drop(reply.send(Err(error.clone())));
                }
            }
        }
    }

    async fn other(&mut self, job: Job) {
        match job {
            Job::Scan(wanted, limit, reply) => {
                let (index, range, after) = &*wanted;
                let page = twice!(self, 1, |line| scan::scan(line, index, range, after.as_ref(), limit));
                drop(reply.send(page));
            }
            Job::Totals(reply) => {
                drop(reply.send(twice!(self, TOTALS_FACTOR, |line| scan::totals(line))));
            }
            Job::Check(reply) => drop(reply.send(twice!(self, 1, |line| schema::check(line)))),
            Job::Load(..) => {} // read together with others
        }
    }

    /// After a read that failed: leaves a connection that can be used, or none.
    async fn failed(&mut self, fault: &Fault) {
        if fault.ends_connection() {
            self.line.hang_up();
        } else {
            self.line.roll_back().await;
        }
    }
}

/// Hands a read to the readers and waits for the answer.
pub(crate) async fn ask<T>(
    jobs: Option<mpsc::Sender<Job>>,
    job: impl FnOnce(Reply<T>) -> Job,
) -> std::result::Result<T, StoreError> {
    let jobs = jobs.ok_or_else(|| unavailable(Effect::No, "it is closed"))?;
    let (reply, answer) = oneshot::channel();
    jobs.try_send(job(reply)).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => unavailable(Effect::No, "too many reads are waiting"),
        mpsc::error::TrySendError::Closed(_) => unavailable(Effect::No, "it is closed"),
    })?;
    answer.await.unwrap_or_else(|_| Err(unavailable(Effect::No, "it is closed")))
}
