//! How often who may ask: token buckets in memory, for one node.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use smscode_core::account::AccountId;
use smscode_core::order::OrderId;
use smscode_core::time::Timestamp;

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
        Self {
            requests_a_minute: 300,
            attempts_a_minute: 60,
        }
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

/// Counts requests.
pub struct Limits {
    settings: LimitSettings,
    buckets: Mutex<BTreeMap<Who, Bucket>>,
}

impl Limits {
    /// Full buckets for everybody.
    pub fn new(settings: LimitSettings) -> Self {
        Self {
            settings,
            buckets: Mutex::new(BTreeMap::new()),
        }
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
        Err(too_many(
            "too many attempts without a valid token",
            wait(left, a_minute),
        ))
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
    let missing = (PERMIT - left).max(0);
    let per_second = (i64::from(a_minute) * PERMIT / 60).max(1);
    (missing + per_second - 1) / per_second
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
