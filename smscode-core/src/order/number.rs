//! Public order numbers: a keyed permutation of 31 bits over a counter, so that nobody can count our orders.

use super::record::OrderId;
use crate::privacy::keyed_hash;
use crate::store::{CounterKey, Entry, Owner};

/// Numbers that a node takes from the counter at a time. Gaps are fine.
pub(crate) const NUMBERS_TAKEN: i64 = 1_024;

/// There are so many numbers.
pub(crate) const NUMBERS_MAX: i64 = 1 << 31;

/// Numbers left out after a restore: more than are given out between two backups, and a two-thousandth of all there are.
const NUMBERS_SKIPPED: i64 = 1 << 20;

/// The counter that numbers come from.
pub(crate) fn number_counter() -> CounterKey {
    CounterKey::of(Owner::NONE, "order_number")
}

/// Lets order numbers go on further ahead, for a store that was restored: it does not know which ones were given out since
/// its backup was made, and no customer is to meet another order under a number of his.
pub fn skip_numbers() -> Entry {
    Entry::Count { counter: number_counter(), delta: NUMBERS_SKIPPED, max: None }
}

/// Rounds of the permutation: four make it a strong one, eight leave room.
const ROUNDS: u8 = 8;

/// The public number of the counter's value: a Feistel network over 32 bits, walked until it is below 2^31.
pub(crate) fn public_number(key: &[u8; 32], counter: u32) -> OrderId {
    let mut value = counter;
    loop {
        let (mut left, mut right) = ((value >> 16) as u16, (value & 0xffff) as u16);
        for round in 0..ROUNDS {
            let digest = keyed_hash(key, &[&[round], &right.to_be_bytes()]);
            (left, right) = (right, left ^ u16::from_be_bytes([digest[0], digest[1]]));
        }
        value = (u32::from(left) << 16) | u32::from(right);
        if i64::from(value) < NUMBERS_MAX {
            return OrderId(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::public_number;

    #[test]
    fn numbers_are_distinct_small_enough_and_not_in_order() {
        let numbers: Vec<u32> = (0..20_000).map(|n| public_number(&[5; 32], n).0).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        assert!(numbers.iter().all(|n| *n < 1 << 31));
        let ascending = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((9_000..11_000).contains(&ascending), "{ascending} of 19999 steps go up");
        assert_ne!(public_number(&[6; 32], 1), public_number(&[5; 32], 1));
    }
}
