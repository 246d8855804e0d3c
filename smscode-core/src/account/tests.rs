//! The pure rules of accounts as tables of values.

use super::{Becomes, becomes};
use crate::order::decide::State;
use crate::time::Timestamp;

#[test]
fn what_a_deletion_makes_of_an_order() {
    let now = Timestamp::from_seconds(1_000);
    let later = Timestamp::from_seconds(1_100);
    let cases = [
        (State::Calling, None, Some(Becomes::LookedUp)),
        (State::Unclear, None, Some(Becomes::LookedUp)),
        (State::Active, Some(later), Some(Becomes::Cancelled { from: Some(later) })),
        (State::Active, Some(now), Some(Becomes::Cancelled { from: None })),
        (State::Active, None, Some(Becomes::Cancelled { from: None })),
        (State::Canceling, Some(later), Some(Becomes::Cancelled { from: None })),
        (State::Received, Some(now), Some(Becomes::Completed)),
        (State::Completed, None, None),
        (State::Cancelled, None, None),
        (State::Expired, None, None),
        (State::Rejected, None, None),
    ];
    for (state, cancel_at, expected) in cases {
        assert_eq!(becomes(state, cancel_at, now), expected, "{state:?}");
    }
}
