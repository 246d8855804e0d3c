//! The random model test: a store against a plain model of the contract.
//!
//! Random ChangeSets over a few names are committed alone and in crowds, and every answer is compared with the model's.
//! The order in which a store judges a crowd is its own affair. So the test looks for an order of the crowd in which the
//! model gives exactly the answers that the store gave and ends with exactly the rows that the store has. The order
//! sent is tried first; the others are searched. Every member of a crowd carries an event for each account it touches,
//! whose number tells its turn, so that the search is short.

mod compare;
mod generate;
mod order;
mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::failure::{Failure, shown};
use super::{Fixture, executor};
use crate::store::{Amount, ChangeSet, Entry, Place, Receipt, Refusal, Store, StoreError, TransferKind};
use generate::Generator;
use reference::{History, Now};

/// Names the seed of a run that failed, to see it again.
pub const SEED: &str = "SMSCODE_SEED";

/// Crowds between two comparisons of everything.
const CROWDS_BETWEEN: usize = 40;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// Commits made.
    pub operations: usize,
    /// How often each answer was given: `done`, `replayed`, or the code of a refusal.
    pub answers: BTreeMap<&'static str, usize>,
}

/// The seed that the environment names in `SMSCODE_SEED`, otherwise `fresh`.
///
/// # Errors
///
/// The environment names something that is no number.
pub fn seed(fresh: u64) -> Result<u64, Failure> {
    match std::env::var(SEED) {
        Ok(text) => {
            text.trim().parse().map_err(|_| Failure::new(format!("{SEED}={text} is no number from 0 to {}", u64::MAX)))
        }
        Err(_) => Ok(fresh),
    }
}

/// Runs the model test on a fresh store of a fixture.
///
/// # Errors
///
/// As [`run`].
pub async fn check<F: Fixture>(group_max: usize, seed: u64, operations: usize) -> Result<Summary, Failure> {
    let fixture = F::open(group_max).await;
    run(fixture.store(), seed, operations).await
}

/// Commits so many random ChangeSets to an empty store and compares it with the model. Prints the seed first.
///
/// # Errors
///
/// What the store answered or held otherwise than the model, with the seed.
pub async fn run(store: Arc<dyn Store>, seed: u64, operations: usize) -> Result<Summary, Failure> {
    let name = store.describe().await?.name;
    executor::say(&format!("model test of {name}: {operations} operations, {SEED}={seed}"));
    let mut model = Model {
        store,
        now: Now::default(),
        history: History::default(),
        generator: Generator::new(seed),
        summary: Summary { seed, ..Summary::default() },
    };
    match model.run(operations).await {
        Ok(()) => {
            executor::say(&format!("model test of {name}, {SEED}={seed}: {:?}", model.summary.answers));
            Ok(model.summary)
        }
        Err(failure) => {
            let at = model.summary.operations;
            Err(failure.within(&format!("model test of {name} with {SEED}={seed}, after {at} operations")))
        }
    }
}

type Answer = Result<Receipt, Refusal>;

struct Model {
    store: Arc<dyn Store>,
    now: Now,
    history: History,
    generator: Generator,
    summary: Summary,
}

impl Model {
    async fn run(&mut self, operations: usize) -> Result<(), Failure> {
        let mut crowds = 0;
        while self.summary.operations < operations {
            self.crowd(operations - self.summary.operations).await?;
            crowds += 1;
            if crowds % CROWDS_BETWEEN == 0 {
                self.compare().await?;
            }
        }
        self.compare().await
    }

    async fn compare(&mut self) -> Result<(), Failure> {
        let limit = 1 + self.generator.dice.roll(9) as usize;
        compare::everything(&*self.store, &self.now, &self.history, limit).await
    }

    async fn crowd(&mut self, at_most: usize) -> Result<(), Failure> {
        let dice = &mut self.generator.dice;
        let size = match dice.roll(100) {
            0..40 => 1,
            40..75 => 2 + dice.roll(7),
            _ => 20 + dice.roll(50),
        };
        let size = at_most.min(size as usize);
        let sets: Vec<_> = (0..size).map(|_| self.generator.change_set(&self.now, size > 1)).collect();
        let found = join_all(sets.iter().map(|set| self.store.commit(set.clone()))).await;
        let mut answers = Vec::new();
        for answer in found {
            *self.summary.answers.entry(super::world::word(&answer)).or_insert(0) += 1;
            answers.push(match answer {
                Ok(receipt) => Ok(receipt),
                Err(StoreError::Refused(refusal)) => Err(refusal),
                Err(error) => return Err(error.into()),
            });
        }
        if let [set] = &sets[..] {
            self.alone(set, &answers[0])?;
        } else {
            let view = compare::view(&*self.store).await?;
            self.now = order::find(&self.now, &mut self.history, &sets, &answers, &view)?;
        }
        self.summary.operations += size;
        for (set, answer) in sets.iter().zip(&answers) {
            if answer.as_ref().is_ok_and(|receipt| !receipt.replayed) {
                self.remember_holds(set);
            }
        }
        Ok(())
    }

    fn alone(&mut self, set: &ChangeSet, answer: &Answer) -> Result<(), Failure> {
        let step = reference::judge(&self.now, &self.history, set);
        if step.answer != *answer {
            return Err(Failure::new(format!(
                "answered {}, the model says {}, to {}",
                shown(answer),
                shown(&step.answer),
                shown(&set.entries)
            )));
        }
        if let Some((now, added)) = step.effect {
            self.now = now;
            self.history.add(added);
        }
        Ok(())
    }

    fn remember_holds(&mut self, set: &ChangeSet) {
        for entry in &set.entries {
            if let Entry::Post(post) = entry
                && post.kind == TransferKind::Hold
                && let (Place::Customer(owner, _), Amount::Exact(amount)) = (&post.debit, &post.amount)
            {
                let number = String::from_utf8_lossy(&post.id.0[1..]).parse().unwrap_or(0);
                self.generator.held(*owner, number, *amount);
            }
        }
    }
}
