//! `smscode-server move`.

use smscode_core::port::Clock as _;
use smscode_core::store::copy::{CopyError, carry, summary};
use smscode_core::worked_on_until;
use smscode_providers::clock::SystemClock;

use super::look::{look_through, told};
use super::opened::{Must, Opened};
use super::{Done, TaskError};
use crate::config::StoreChoice;
use crate::mark::{MarkError, MovedRecord, moved_key};

/// Carries everything from one store into another, an empty one, and marks the first.
///
/// # Errors
///
/// [`TaskError`]: the second store is empty then, and the first as it was. Unless the process ends half way: then the first
/// may be marked already, and the same move is done again.
pub async fn move_store(from: &StoreChoice, to: &StoreChoice) -> Result<Done, TaskError> {
    let source = Opened::open(from, Must::Exist).await?;
    let mut target = match Opened::open(to, Must::BeEmpty).await {
        Ok(target) => target,
        Err(error) => {
            source.close().await;
            return Err(error);
        }
    };
    let done = moved(&source, &mut target).await;
    source.close().await;
    target.close().await;
    done
}

async fn moved(source: &Opened, target: &mut Opened) -> Result<Done, TaskError> {
    idle(source).await?;
    let marks = source.marks();
    let before = marks.moved().await?;
    match &before {
        // an earlier try that did not come to its end, or one that did
        Some(MovedRecord { to, .. }) if *to == target.shown => {}
        Some(MovedRecord { to, at, .. }) => {
            return Err(MarkError::Moved { store: source.shown.clone(), to: to.clone(), at: *at }.into());
        }
        None => {}
    }
    if target.store.import().await?.is_none() {
        return Err(CopyError::NotEmpty.into());
    }
    if before.is_none() {
        // before anything is read: a server that starts now is turned away
        marks.set_moved(&target.shown).await?;
    }
    let carried = match carried(source, target).await {
        Err(error) if before.is_none() => {
            // served as before
            marks.forget_moved().await?;
            return Err(error);
        }
        carried => carried?,
    };
    target.keep();
    let report = look_through(target, true).await?;
    let text = format!("{} is in {} now, row by row\n{carried}\n{}", source.shown, target.shown, told(&report));
    Ok(Done { text, clean: report.is_clean() })
}

/// Fails if a server works with a store.
async fn idle(opened: &Opened) -> Result<(), TaskError> {
    match worked_on_until(&*opened.store).await? {
        Some(until) if !opened.is_alone() && until > SystemClock.now() => {
            Err(TaskError::InUse { store: opened.shown.clone(), until })
        }
        _ => Ok(()),
    }
}

async fn carried(source: &Opened, target: &Opened) -> Result<String, TaskError> {
    let marks = [moved_key()];
    let carried = carry(&*source.store, &*target.store, &marks).await?;
    if summary(&*source.store, &marks).await? != *carried.summary() {
        return Err(TaskError::WrittenTo { store: source.shown.clone() });
    }
    let (summary, _) = carried.finish().await?;
    Ok(summary.to_string())
}

/// Takes a move back while both stores are equal: the first is served again, the second is marked instead.
///
/// # Errors
///
/// [`TaskError`]: nothing was changed.
pub async fn undo(from: &StoreChoice, to: &StoreChoice) -> Result<Done, TaskError> {
    let first = Opened::open(from, Must::Exist).await?;
    let second = match Opened::open(to, Must::Exist).await {
        Ok(second) => second,
        Err(error) => {
            first.close().await;
            return Err(error);
        }
    };
    let done = undone(&first, &second).await;
    first.close().await;
    second.close().await;
    done
}

async fn undone(first: &Opened, second: &Opened) -> Result<Done, TaskError> {
    idle(second).await?;
    let marks = first.marks();
    if marks.moved().await?.is_none_or(|moved| moved.to != second.shown) {
        let reason = format!("{} was not moved to {}", first.shown, second.shown);
        return Err(TaskError::NoWayBack { reason });
    }
    let mine = [moved_key()];
    if summary(&*first.store, &mine).await? != summary(&*second.store, &mine).await? {
        let reason = format!(
            "{} was worked with since the move; move it again, into a new store, instead of taking the move back",
            second.shown
        );
        return Err(TaskError::NoWayBack { reason });
    }
    second.marks().set_moved(&first.shown).await?;
    marks.forget_moved().await?;
    Ok(Done::clean(format!("{} is served again; {} is marked as moved", first.shown, second.shown)))
}
