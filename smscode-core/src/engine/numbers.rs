//! Giving out order numbers.

use super::inner::{Inner, Numbers};
use crate::order::number::{NUMBERS_MAX, NUMBERS_TAKEN, number_counter, public_number};
use crate::order::{OrderError, OrderId};
use crate::store::Entry;

impl Inner {
    /// The next public number; a node takes 1,024 of the counter at a time.
    pub(super) async fn next_number(&self) -> Result<OrderId, OrderError> {
        let mut numbers = self.numbers.lock().await;
        loop {
            if numbers.next >= numbers.end {
                let take = Entry::Count { counter: number_counter(), delta: NUMBERS_TAKEN, max: Some(NUMBERS_MAX) };
                let receipt = self.commit(vec![take], self.now()).await?;
                let end = receipt.counters.first().copied().unwrap_or(0);
                *numbers = Numbers { next: end - NUMBERS_TAKEN, end };
            }
            let counter = u32::try_from(numbers.next).map_err(|_| OrderError::Unavailable("no numbers left".into()))?;
            numbers.next += 1;
            let id = public_number(&self.keys.numbers, counter);
            // zero is a number that some programs take for none
            if id.0 != 0 {
                return Ok(id);
            }
        }
    }
}
