//! How a call ended, whichever call it was.

use std::fmt;

use super::Call;
use crate::conformance::failure::{Checked, holds};
use crate::money::Money;
use crate::port::{
    Activation, ActivationState, BuyOutcome, CallError, CancelOutcome, FinishOutcome, MoreOutcome, Offer, Past,
    Rejection,
};

/// The end of a call.
pub(super) enum Told {
    Offers(Result<Vec<Offer>, CallError>),
    Balance(Result<Money, CallError>),
    Buy(BuyOutcome),
    Poll(Result<ActivationState, CallError>),
    Active(Result<Vec<Activation>, CallError>),
    History(Result<Vec<Past>, CallError>),
    More(MoreOutcome),
    Cancel(CancelOutcome),
    Finish(FinishOutcome),
}

impl Told {
    fn call(&self) -> Call {
        match self {
            Self::Offers(_) => Call::Offers,
            Self::Balance(_) => Call::Balance,
            Self::Buy(_) => Call::Buy,
            Self::Poll(_) => Call::Poll,
            Self::Active(_) => Call::Active,
            Self::History(_) => Call::History,
            Self::More(_) => Call::More,
            Self::Cancel(_) => Call::Cancel,
            Self::Finish(_) => Call::Finish,
        }
    }

    fn error(&self) -> Option<&CallError> {
        match self {
            Self::Offers(Err(error))
            | Self::Balance(Err(error))
            | Self::Poll(Err(error))
            | Self::Active(Err(error))
            | Self::History(Err(error)) => Some(error),
            _ => None,
        }
    }

    /// Checks that it says: no usable answer.
    #[track_caller]
    pub(super) fn is_no_answer(&self, after: &dyn fmt::Display) -> Checked {
        let so = match self {
            Self::Buy(outcome) => matches!(outcome, BuyOutcome::Unknown(_)),
            Self::More(outcome) => matches!(outcome, MoreOutcome::Unknown(_)),
            Self::Cancel(outcome) => matches!(outcome, CancelOutcome::Unknown(_)),
            Self::Finish(outcome) => matches!(outcome, FinishOutcome::Unknown(_)),
            // nothing new is as good as an error
            Self::Poll(Ok(state)) => *state == ActivationState::Waiting,
            _ => matches!(self.error(), Some(CallError::Unusable(_))),
        };
        holds(so, &format!("after {after} {:?} has no usable answer, but it is said: {self}", self.call()))
    }

    /// Checks that a refused key is said: a read fails with it, a step is not done.
    #[track_caller]
    pub(super) fn is_unauthorised(&self) -> Checked {
        let so = match self {
            Self::Buy(outcome) => *outcome == BuyOutcome::RejectedUncharged(Rejection::Credentials),
            Self::More(outcome) => *outcome != MoreOutcome::Waiting,
            Self::Cancel(outcome) => matches!(outcome, CancelOutcome::Refused(_) | CancelOutcome::Unknown(_)),
            Self::Finish(outcome) => *outcome != FinishOutcome::Finished,
            _ => matches!(self.error(), Some(CallError::Credentials(_))),
        };
        holds(so, &format!("the vendor refuses the key of {:?}, but it is said: {self}", self.call()))
    }

    /// Checks that a request to slow down is said: a read fails with it, a step is not done.
    #[track_caller]
    pub(super) fn is_throttled(&self) -> Checked {
        let so = match self {
            Self::Buy(outcome) => *outcome == BuyOutcome::RejectedUncharged(Rejection::Throttled),
            Self::More(outcome) => *outcome != MoreOutcome::Waiting,
            Self::Cancel(outcome) => matches!(outcome, CancelOutcome::Refused(_) | CancelOutcome::Unknown(_)),
            Self::Finish(outcome) => *outcome != FinishOutcome::Finished,
            _ => matches!(self.error(), Some(CallError::Throttled(_))),
        };
        holds(so, &format!("the vendor asks {:?} to slow down, but it is said: {self}", self.call()))
    }

    /// Checks that a step is not said to be taken.
    #[track_caller]
    pub(super) fn is_not_done(&self, after: &dyn fmt::Display) -> Checked {
        let so = match self {
            Self::Buy(outcome) => !matches!(outcome, BuyOutcome::Accepted(_)),
            Self::More(outcome) => *outcome != MoreOutcome::Waiting,
            Self::Cancel(outcome) => !matches!(outcome, CancelOutcome::Cancelled | CancelOutcome::NotOpen),
            Self::Finish(outcome) => *outcome != FinishOutcome::Finished,
            Self::Offers(_) | Self::Balance(_) | Self::Poll(_) | Self::Active(_) | Self::History(_) => {
                self.error().is_some()
            }
        };
        holds(so, &format!("after {after} {:?} is not done, but it is said: {self}", self.call()))
    }

    /// Checks that it went well.
    #[track_caller]
    pub(super) fn is_done(&self) -> Checked {
        let so = match self {
            Self::Buy(outcome) => matches!(outcome, BuyOutcome::Accepted(_)),
            Self::More(outcome) => *outcome == MoreOutcome::Waiting,
            Self::Cancel(outcome) => matches!(outcome, CancelOutcome::Cancelled | CancelOutcome::NotOpen),
            Self::Finish(outcome) => *outcome == FinishOutcome::Finished,
            Self::Offers(_) | Self::Balance(_) | Self::Poll(_) | Self::Active(_) | Self::History(_) => {
                self.error().is_none()
            }
        };
        holds(so, &format!("nothing stands against {:?}, but it is said: {self}", self.call()))
    }
}

/// What is told, errors in both of their forms.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.error() {
            return write!(f, "{error:?} ({error})");
        }
        match self {
            Self::Offers(offers) => write!(f, "{} offers", offers.as_ref().map_or(0, Vec::len)),
            Self::Balance(balance) => write!(f, "{balance:?}"),
            Self::Buy(outcome) => write!(f, "{outcome:?}"),
            Self::Poll(state) => write!(f, "{state:?}"),
            Self::Active(all) => write!(f, "{all:?}"),
            Self::History(all) => write!(f, "{all:?}"),
            Self::More(outcome) => write!(f, "{outcome:?}"),
            Self::Cancel(outcome) => write!(f, "{outcome:?}"),
            Self::Finish(outcome) => write!(f, "{outcome:?}"),
        }
    }
}
