//! How often who may ask: token buckets in memory, for one node.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use smscode_core::account::AccountId;
use smscode_core::order::OrderId;
use smscode_core::port::Clock as _;
use smscode_core::time::Timestamp;
use smscode_providers::clock::SystemClock;

use crate::answer::{Code, Failure};

/// Buckets in memory at most. Full ones are forgotten when there are more; if that does not help, all are.
const BUCKETS_MAX: usize = 100_000;
/// One order may be polled this often without counting as a request.
const POLLS_A_MINUTE: u32 = 60;
/// Millionths of a permit: buckets count in these, so that nothing is ever rounded away.
const PERMIT: i64 = 1_000_000;

/// The limits of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests of one account a minute.
    pub requests_a_minute: u32,
    /// Requests without a valid token from one address a minute; 0 for no limit.
    pub attempts_a_minute: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { requests_a_minute: 300, attempts_a_minute: 60 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Account(AccountId),
    Order(AccountId, OrderId),
    Address(u128),
}

#[derive(Clone, Copy)]
struct Bucket {
    left: i64,
    at: Timestamp,
}

impl Bucket {
    /// What is in it now, when it fills in a minute.
    fn now(self, a_minute: u32, now: Timestamp) -> i64 {
        let full = i64::from(a_minute) * PERMIT;
        // a clock that was set back fills nothing
        let gained = i128::from(now.ms_since(self.at).max(0)) * i128::from(full) / 60_000;
        full.min(i64::try_from(gained + i128::from(self.left)).unwrap_or(full))
    }
}

/// Now, for limits: real time, also in a sandbox whose clock is ahead.
pub fn real_now() -> Timestamp {
    SystemClock.now()
}

/// Counts requests.
pub struct Limits {
    settings: LimitSettings,
    buckets: Mutex<BTreeMap<Who, Bucket>>,
}

impl Limits {
    /// Full buckets for everybody.
    pub fn new(settings: LimitSettings) -> Self {
        Self { settings, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Takes a permit of an account.
    pub fn request(&self, account: AccountId, now: Timestamp) -> Result<(), Failure> {
        self.take(Who::Account(account), self.settings.requests_a_minute, now)
            .map_err(|seconds| too_many("too many requests", seconds))
    }

    /// Takes a permit for reading one order: once a second is free, beyond that it is a request like any other. The
    /// first read of an order is one, too, so that made-up numbers are not free.
    pub fn poll(&self, account: AccountId, order: OrderId, now: Timestamp) -> Result<(), Failure> {
        let who = Who::Order(account, order);
        let known = self.lock().contains_key(&who);
        if known && self.take(who, POLLS_A_MINUTE, now).is_ok() {
            return Ok(());
        }
        self.request(account, now)?;
        if !known {
            insert(&mut self.lock(), who, Bucket { left: 0, at: now });
        }
        Ok(())
    }

    /// Whether this address may try another token.
    pub fn may_try(&self, address: IpAddr, now: Timestamp) -> Result<(), Failure> {
        let a_minute = self.settings.attempts_a_minute;
        let left = match self.lock().get(&Who::Address(network(address))) {
            Some(bucket) => bucket.now(a_minute, now),
            None => return Ok(()),
        };
        if a_minute == 0 || left >= PERMIT {
            return Ok(());
        }
        Err(too_many("too many attempts without a valid token", wait(left, a_minute)))
    }

    /// Counts an attempt that failed.
    pub fn failed_try(&self, address: IpAddr, now: Timestamp) {
        if self.settings.attempts_a_minute > 0 {
            let _counted = self.take(Who::Address(network(address)), self.settings.attempts_a_minute, now);
        }
    }

    /// One permit, or the seconds until there is one.
    fn take(&self, who: Who, a_minute: u32, now: Timestamp) -> Result<(), i64> {
        let mut buckets = self.lock();
        let full = i64::from(a_minute) * PERMIT;
        let left = buckets.get(&who).map_or(full, |bucket| bucket.now(a_minute, now));
        let (rest, answer) = match left - PERMIT {
            rest if rest >= 0 => (rest, Ok(())),
            _ => (left, Err(wait(left, a_minute))),
        };
        insert(&mut buckets, who, Bucket { left: rest, at: now });
        answer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Who, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a bucket; who has not asked for a minute has a full one and can be forgotten.
fn insert(buckets: &mut BTreeMap<Who, Bucket>, who: Who, bucket: Bucket) {
    if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&who) {
        let minute_ago = bucket.at.plus_seconds(-60);
        buckets.retain(|_, old| old.at > minute_ago);
        if buckets.len() >= BUCKETS_MAX {
            buckets.clear();
        }
    }
    buckets.insert(who, bucket);
}

/// Whole seconds until a permit is there.
fn wait(left: i64, a_minute: u32) -> i64 {
    let a_minute = (i64::from(a_minute) * PERMIT).max(1);
    ((PERMIT - left).max(0) * 60 + a_minute - 1) / a_minute
}

fn too_many(message: &str, seconds: i64) -> Failure {
    Failure::new(Code::RateLimit, message).after(seconds.max(1))
}

/// An address as an attacker has them: one of version 4, or a /64 of version 6.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
    const OTHER: AccountId = AccountId::from_bytes([2; 16]);

    fn limits(requests_a_minute: u32, attempts_a_minute: u32) -> Limits {
        Limits::new(LimitSettings { requests_a_minute, attempts_a_minute })
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000).plus_ms(ms)
    }

    #[test]
    fn a_bucket_empties_at_once_and_fills_evenly() {
        let limits = limits(60, 0);
        let cases = [
            // ms, requests, of which are let through, seconds to wait after that
            (0, 70, 60, 1),
            (500, 1, 0, 1),
            (1_000, 2, 1, 1),
            (3_000, 5, 2, 1),
            (63_000, 70, 60, 1),
            // a clock that was set back fills nothing and breaks nothing
            (10_000, 1, 0, 1),
        ];
        for (ms, requests, through, seconds) in cases {
            let answers: Vec<_> = (0..requests).map(|_| limits.request(ACCOUNT, at(ms))).collect();
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), through, "at {ms}");
            let refused = answers.into_iter().find_map(Result::err);
            assert_eq!(refused.unwrap().retry_after, Some(seconds), "at {ms}");
        }
        assert!(limits.request(OTHER, at(10_000)).is_ok(), "others have their own");
    }

    #[test]
    fn waits_are_whole_seconds_until_there_is_a_permit() {
        let limits = limits(3, 0);
        for _ in 0..3 {
            limits.request(ACCOUNT, at(0)).unwrap();
        }
        assert_eq!(limits.request(ACCOUNT, at(0)).unwrap_err().retry_after, Some(20));
        assert_eq!(limits.request(ACCOUNT, at(12_500)).unwrap_err().retry_after, Some(8));
        assert!(limits.request(ACCOUNT, at(20_000)).is_ok());
    }

    #[test]
    fn an_order_is_polled_once_a_second_for_free() {
        let limits = limits(2, 0);
        let order = OrderId(7);
        limits.poll(ACCOUNT, order, at(0)).unwrap();
        for second in 1..120 {
            limits.poll(ACCOUNT, order, at(second * 1_000)).unwrap();
        }
        // faster than that takes of the requests
        let burst = (0..10).filter(|_| limits.poll(ACCOUNT, order, at(119_500)).is_ok()).count();
        assert_eq!(burst, 2);
        assert!(limits.poll(ACCOUNT, OrderId(8), at(119_500)).is_err(), "another number is a request");
    }

    #[test]
    fn failed_attempts_are_counted_by_network() {
        let limits = limits(1, 2);
        let first: IpAddr = "2001:db8:1:1::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8:1:1:ffff::2".parse().unwrap();
        let elsewhere: IpAddr = "2001:db8:1:2::1".parse().unwrap();
        for _ in 0..2 {
            limits.may_try(first, at(0)).unwrap();
            limits.failed_try(first, at(0));
        }
        assert_eq!(limits.may_try(neighbour, at(0)).unwrap_err().retry_after, Some(30));
        assert!(limits.may_try(elsewhere, at(0)).is_ok());
        assert!(limits.may_try(neighbour, at(30_000)).is_ok());
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(network(mapped), network("192.0.2.1".parse().unwrap()));
        let unlimited = super::tests::limits(1, 0);
        (0..100).for_each(|_| unlimited.failed_try(first, at(0)));
        assert!(unlimited.may_try(first, at(0)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let limits = limits(10, 0);
        let mut buckets = limits.lock();
        for n in 0..BUCKETS_MAX as u128 + 10 {
            insert(&mut buckets, Who::Address(n), Bucket { left: 0, at: at(0) });
        }
        assert!(buckets.len() <= BUCKETS_MAX);
    }
}
