//! The queue before a committer: many callers, one writer, groups as large as what is waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{ChangeSet, Effect, Receipt, StoreError};

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
    filled: Condvar,
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
}

impl CommitQueue {
    /// A queue for a store of that name that refuses what comes when `capacity` ChangeSets wait.
    pub fn new(store: &'static str, capacity: usize) -> Self {
        Self { store, capacity: capacity.max(1), state: Mutex::new(State::default()), filled: Condvar::new() }
    }

    /// Puts a ChangeSet into the queue; await the returned receiver through [`CommitQueue::answer_of`].
    fn push(&self, change_set: Arc<ChangeSet>) -> Result<oneshot::Receiver<Result<Receipt, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(self.unavailable(Effect::No, "it is closed"));
        }
        if state.waiting.len() >= self.capacity {
            return Err(self.unavailable(Effect::No, "too many commits are waiting"));
        }
        state.waiting.push_back(Pending { change_set, reply });
        drop(state);
        self.filled.notify_one();
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.group(group_max)
    }

    /// Blocks the thread until something waits, and takes at most `group_max` of it. `None` once the queue is closed
    /// and empty. For a committer with a thread of its own.
    pub fn take_blocking(&self, group_max: usize) -> Option<Vec<Pending>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let group = state.group(group_max);
            if !group.is_empty() {
                return Some(group);
            }
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Refuses what comes from now on; what waits is still committed.
    pub fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.filled.notify_all();
    }

    fn unavailable(&self, effect: Effect, reason: &str) -> StoreError {
        StoreError::Unavailable { store: self.store, effect, reason: reason.to_owned() }
    }
}
