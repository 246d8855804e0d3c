//! What a case says when a store or an adapter is not as its contract wants it.

use std::fmt;
use std::panic::Location;

use crate::port::CallError;
use crate::store::{BodyError, StoreError};

/// What a store or a supplier's adapter did wrong. `Debug` is the text itself, since a test prints that.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

pub(super) type Checked = Result<(), Failure>;

impl Failure {
    /// A failure, with the line that saw it.
    #[track_caller]
    pub fn new(text: impl fmt::Display) -> Self {
        let at = Location::caller();
        Self(format!("{text} ({}:{})", at.file(), at.line()))
    }

    /// The same failure, said to have happened inside something.
    #[must_use]
    pub fn within(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        Self::new(format!("the store answered {error}"))
    }
}

impl From<CallError> for Failure {
    #[track_caller]
    fn from(error: CallError) -> Self {
        Self::new(format!("a read that nothing stands against failed: {error:?}"))
    }
}

impl From<BodyError> for Failure {
    #[track_caller]
    fn from(error: BodyError) -> Self {
        Self::new(error)
    }
}

/// Checks that two values are the same.
#[track_caller]
pub(super) fn same<T: PartialEq + fmt::Debug>(found: &T, wanted: &T, what: &str) -> Checked {
    if found == wanted {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: found {}, wanted {}", shown(found), shown(wanted))))
}

/// A value as text, cut where nobody reads on.
pub(super) fn shown(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(600) {
        Some((at, _)) => format!("{} ...", &text[..at]),
        None => text,
    }
}

/// Checks that something is so.
#[track_caller]
pub(super) fn holds(so: bool, what: &str) -> Checked {
    if so { Ok(()) } else { Err(Failure::new(what)) }
}
