//! The queue before a committer: many callers, one writer, groups as large as what is waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::{Notify, oneshot};

use super::{ChangeSet, Effect, Receipt, Refusal, StoreError};

/// A ChangeSet that waits for its turn, with the way back to its caller.
#[derive(Debug)]
pub struct Pending {
    /// What is to be committed.
    pub change_set: Arc<ChangeSet>,
    reply: oneshot::Sender<Result<Receipt, StoreError>>,
}

impl Pending {
    /// Answers the caller; one that has gone away is not an error.
    pub fn answer(self, result: Result<Receipt, StoreError>) {
        drop(self.reply.send(result));
    }

    /// Answers a group: each member with its own result, in their order, or all with one error.
    pub fn answer_all(group: Vec<Self>, results: Result<Vec<Result<Receipt, Refusal>>, StoreError>) {
        match results {
            Ok(results) => {
                for (pending, result) in group.into_iter().zip(results) {
                    pending.answer(result.map_err(StoreError::from));
                }
            }
            Err(error) => group.into_iter().for_each(|pending| pending.answer(Err(error.clone()))),
        }
    }
}

/// A bounded queue of ChangeSets between async callers and one committer.
///
/// There is no artificial delay: a committer takes what is there, at most a group, and while it writes the next group
/// gathers.
#[derive(Debug)]
pub struct CommitQueue {
    store: &'static str,
    capacity: usize,
    state: Mutex<State>,
    /// Wakes committers that are threads.
    filled: Condvar,
    /// Wakes committers that are tasks.
    woken: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Pending>,
    closed: bool,
}

impl State {
    /// The next group, empty only if nobody waits. A caller who has gone away before his turn is left out and takes
    /// nobody's place: nothing of his takes effect later.
    fn group(&mut self, group_max: usize) -> Vec<Pending> {
        let mut group = Vec::new();
        while group.len() < group_max.max(1) {
            match self.waiting.pop_front() {
                Some(pending) if pending.reply.is_closed() => {}
                Some(pending) => group.push(pending),
                None => break,
            }
        }
        group
    }

    /// The next group, `None` once the queue is closed and empty; not ready while nobody waits.
    fn next(&mut self, group_max: usize) -> Poll<Option<Vec<Pending>>> {
        let group = self.group(group_max);
        match group.is_empty() {
            false => Poll::Ready(Some(group)),
            true if self.closed => Poll::Ready(None),
            true => Poll::Pending,
        }
    }
}

impl CommitQueue {
    /// A queue for a store of that name that refuses what comes when `capacity` ChangeSets wait.
    pub fn new(store: &'static str, capacity: usize) -> Self {
        Self {
            store,
            capacity: capacity.max(1),
            state: Mutex::new(State::default()),
            filled: Condvar::new(),
            woken: Notify::new(),
        }
    }

    /// Puts a ChangeSet into the queue; await the returned receiver through [`CommitQueue::answer_of`].
    fn push(&self, change_set: Arc<ChangeSet>) -> Result<oneshot::Receiver<Result<Receipt, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.lock();
        if state.closed {
            return Err(self.unavailable(Effect::No, "it is closed"));
        }
        if state.waiting.len() >= self.capacity {
            return Err(self.unavailable(Effect::No, "too many commits are waiting"));
        }
        state.waiting.push_back(Pending { change_set, reply });
        drop(state);
        self.filled.notify_one();
        self.woken.notify_one();
        Ok(answer)
    }

    /// Queues a ChangeSet and waits for the committer's answer. `between` runs after queueing, before waiting: a store
    /// without a thread of its own lets one of the callers commit there.
    pub async fn submit<F: Future<Output = ()>>(
        &self,
        change_set: Arc<ChangeSet>,
        between: F,
    ) -> Result<Receipt, StoreError> {
        let answer = self.push(change_set)?;
        between.await;
        answer.await.unwrap_or_else(|_| Err(self.unavailable(Effect::Unknown, "the committer ended without an answer")))
    }

    /// What waits now, at most `group_max`; empty only if nobody waits. For a committer that is one of the callers: it
    /// must go on until its own ChangeSet was taken, because another caller who would have taken it may be gone.
    pub fn take(&self, group_max: usize) -> Vec<Pending> {
        self.lock().group(group_max)
    }

    /// Blocks the thread until something waits, and takes at most `group_max` of it. `None` once the queue is closed
    /// and empty. For a committer with a thread of its own.
    pub fn take_blocking(&self, group_max: usize) -> Option<Vec<Pending>> {
        let mut state = self.lock();
        loop {
            if let Poll::Ready(taken) = state.next(group_max) {
                return taken;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The work of a committer with a thread of its own: takes groups until the queue is closed and empty, and answers
    /// each with what `commit` says of it. However it ends, also by a panic of `commit`, nobody waits in vain: the queue
    /// is closed, and who is not answered is told that the effect is unknown.
    pub fn serve_blocking(
        &self,
        group_max: usize,
        mut commit: impl FnMut(&[Pending]) -> Result<Vec<Result<Receipt, Refusal>>, StoreError>,
    ) {
        let _end = ClosedAtEnd(self);
        while let Some(group) = self.take_blocking(group_max) {
            let results = commit(&group);
            Pending::answer_all(group, results);
        }
    }

    /// As [`CommitQueue::take_blocking`], for a committer that is a task, and needs no runtime. Several may take from one
    /// queue. Nothing is taken by a future that is dropped before it is ready.
    pub async fn take_when_filled(&self, group_max: usize) -> Option<Vec<Pending>> {
        loop {
            // made before looking, so that a close right after the look is heard too
            let woken = self.woken.notified();
            let (taken, rest) = {
                let mut state = self.lock();
                (state.next(group_max), !state.waiting.is_empty())
            };
            if rest {
                // two that came at once may have woken one committer: this one wakes the next
                self.woken.notify_one();
            }
            if let Poll::Ready(taken) = taken {
                return taken;
            }
            woken.await;
        }
    }

    /// Refuses what comes from now on; what waits is still committed.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.woken.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, effect: Effect, reason: &str) -> StoreError {
        StoreError::Unavailable { store: self.store, effect, reason: reason.to_owned() }
    }
}

struct ClosedAtEnd<'a>(&'a CommitQueue);

impl Drop for ClosedAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
        drop(self.0.take(usize::MAX));
    }
}
