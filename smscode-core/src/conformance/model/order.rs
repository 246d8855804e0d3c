//! The search for an order in which a crowd's answers make sense.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::failure::{Failure, shown};
use super::Answer;
use super::compare::View;
use super::reference::{Added, History, Now, Step, judge};
use crate::store::ChangeSet;

/// Judgements before the search is given up: far more than the event numbers of a crowd leave open.
const JUDGEMENTS_MAX: usize = 300_000;

struct Search<'a> {
    sets: &'a [Arc<ChangeSet>],
    answers: &'a [Answer],
    view: &'a View,
    judgements: usize,
    /// What was left where no way led on. Answers fix the turn of each member on each account, so that the state is the
    /// same in whatever order the others were placed.
    dead_ends: BTreeSet<Vec<usize>>,
}

/// The state after an order of the ChangeSets that explains the answers and what is in the store now. The history has
/// grown by them.
pub(super) fn find(
    now: &Now,
    history: &mut History,
    sets: &[Arc<ChangeSet>],
    answers: &[Answer],
    view: &View,
) -> Result<Now, Failure> {
    let as_sent = match in_order(now, history, sets, answers, view) {
        Ok(now) => return Ok(now),
        Err(what) => what,
    };
    let mut search = Search { sets, answers, view, judgements: 0, dead_ends: BTreeSet::new() };
    let all: Vec<usize> = (0..sets.len()).collect();
    let found = search.go(now, history, &all);
    let judgements = search.judgements;
    found.ok_or_else(|| {
        let sure = if judgements > JUDGEMENTS_MAX { "found in time" } else { "there" };
        let count = sets.len();
        Failure::new(format!(
            "no order of {count} ChangeSets that explains the answers and the rows is {sure}; in the order sent, {as_sent}"
        ))
    })
}

fn add(history: &mut History, added: Added, sizes: &mut Vec<(usize, usize)>) {
    sizes.push((history.transfers.len(), history.events.len()));
    history.add(added);
}

/// Tries the order sent; says where it parts from what was answered.
fn in_order(
    now: &Now,
    history: &mut History,
    sets: &[Arc<ChangeSet>],
    answers: &[Answer],
    view: &View,
) -> Result<Now, String> {
    let mut now = now.clone();
    let mut done: Vec<&ChangeSet> = Vec::new();
    let mut sizes = Vec::new();
    let mut what = String::new();
    for (n, (set, answer)) in sets.iter().zip(answers).enumerate() {
        let Step { answer: wanted, effect } = judge(&now, history, set);
        if wanted != *answer {
            what = format!("number {n} was answered {}, the model says {}", shown(answer), shown(&wanted));
            break;
        }
        if let Some((next, added)) = effect {
            add(history, added, &mut sizes);
            done.push(set);
            now = next;
        }
    }
    if what.is_empty() {
        match view.parts_from(&now) {
            None => return Ok(now),
            Some(row) => what = format!("all answers are right, but {row}"),
        }
    }
    for (set, (transfers, events)) in done.iter().zip(sizes).rev() {
        history.forget(set.operation, transfers, events);
    }
    Err(what)
}

impl Search<'_> {
    fn judge(&mut self, now: &Now, history: &History, n: usize) -> Option<Step> {
        self.judgements += 1;
        let step = judge(now, history, &self.sets[n]);
        (step.answer == self.answers[n]).then_some(step)
    }

    fn go(&mut self, now: &Now, history: &mut History, left: &[usize]) -> Option<Now> {
        let (mut rest, mut next) = (Vec::new(), Vec::new());
        for &n in left {
            match self.judge(now, history, n) {
                // a refusal or a replay changes nothing: if it may stand here, it stands here
                Some(Step { effect: None, .. }) => {}
                Some(Step { effect: Some((then, added)), .. }) => {
                    rest.push(n);
                    next.push((n, then, added));
                }
                None => rest.push(n),
            }
        }
        if rest.is_empty() {
            return self.view.parts_from(now).is_none().then(|| now.clone());
        }
        if self.dead_ends.contains(&rest) {
            return None;
        }
        for (n, then, added) in next {
            if self.judgements > JUDGEMENTS_MAX {
                return None;
            }
            let mut size = Vec::new();
            add(history, added, &mut size);
            let left: Vec<usize> = rest.iter().copied().filter(|other| *other != n).collect();
            if let Some(end) = self.go(&then, history, &left) {
                return Some(end);
            }
            for (transfers, events) in size {
                history.forget(self.sets[n].operation, transfers, events);
            }
        }
        self.dead_ends.insert(rest);
        None
    }
}
