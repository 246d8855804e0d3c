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
    ($reader:ident, $factor:expr, |$connection:ident| $read:expr) => {{
        let limit = $reader.limit * $factor;
        let mut again = true;
        loop {
            let line = &mut $reader.line;
            let reading = async {
                if line.pooled() {
                    line.begin().await?;
                }
                let $connection = line.ready().await?;
                let result = $read.await?;
                if line.has_begun() {
                    line.commit().await?;
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

pub(crate) struct Reader {
    pub(crate) line: Line,
    pub(crate) jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    pub(crate) limit: Duration,
}

impl Reader {
    /// Answers reads until nobody can ask any more.
    pub(crate) async fn run(mut self) {
        let mut taken = Vec::new();
        loop {
            // the other readers wait here while one takes; none waits while one reads
            if self.jobs.lock().await.recv_many(&mut taken, TAKEN_MAX).await == 0 {
                break;
            }
            let (mut keys, mut replies, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for job in taken.drain(..) {
                match job {
                    Job::Load(_, reply) if reply.is_closed() => {}
                    Job::Load(wanted, reply) => {
                        keys.push(wanted);
                        replies.push(reply);
                    }
                    other @ (Job::Scan(..) | Job::Totals(_) | Job::Check(_)) => others.push(other),
                }
            }
            if !keys.is_empty() {
                self.load(&keys, replies).await;
            }
            for job in others {
                self.other(job).await;
            }
        }
        self.line.close().await;
    }

    async fn load(&mut self, keys: &[Vec<LoadKey>], replies: Vec<Reply<Snapshot>>) {
        let kept = self.line.keeps_statements();
        match twice!(self, 1, |connection| read::load(connection, keys, kept)) {
            Ok(snapshots) => {
                for (snapshot, reply) in snapshots.into_iter().zip(replies) {
                    drop(reply.send(Ok(snapshot)));
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
                let kept = self.line.keeps_statements();
                let (index, range, after) = &*wanted;
                let page =
                    twice!(self, 1, |connection| scan::scan(connection, index, range, after.as_ref(), limit, kept));
                drop(reply.send(page));
            }
            Job::Totals(reply) => {
                drop(reply.send(twice!(self, TOTALS_FACTOR, |connection| scan::totals(connection))));
            }
            Job::Check(reply) => drop(reply.send(twice!(self, 1, |connection| schema::check(connection)))),
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
