//! ChangeSets in few words, for the cases.

use std::sync::Arc;

use crate::money::Currency;
use crate::store::{
    Amount, Body, Bucket, ChangeSet, CounterKey, Entry, Expect, House, Key, Kind, OperationId, Owner, Place, Post,
    Term, TransferId, TransferKind,
};
use crate::time::Timestamp;

/// The header time of a draft that says nothing else.
pub(super) const NOON: Timestamp = Timestamp::from_seconds(1_780_000_000);

/// A ChangeSet in the making.
#[derive(Clone)]
pub(super) struct Draft {
    set: ChangeSet,
    outcome: Body,
}

impl Draft {
    pub(super) fn of(operation: OperationId) -> Self {
        Self { set: ChangeSet::new(operation, NOON), outcome: Body::empty() }
    }

    pub(super) fn at(mut self, time: Timestamp) -> Self {
        self.set.time = time;
        self
    }

    pub(super) fn outcome(mut self, outcome: Body) -> Self {
        self.outcome = outcome;
        self
    }

    pub(super) fn with(mut self, entry: Entry) -> Self {
        self.set.push(entry);
        self
    }

    pub(super) fn put(self, key: &Key, expect: Expect, version: u64, body: Body) -> Self {
        self.with(Entry::Put { key: key.clone(), expect, version, body, terms: Vec::new() })
    }

    /// Puts a record that is absent.
    pub(super) fn fresh(self, key: &Key, version: u64) -> Self {
        self.put(key, Expect::Absent, version, number(version))
    }

    /// Puts a record over another version.
    pub(super) fn over(self, key: &Key, old: u64, version: u64) -> Self {
        self.put(key, Expect::Version(old), version, number(version))
    }

    /// Gives the record put last a term.
    pub(super) fn term(mut self, index: &'static str, at: impl Into<Vec<u8>>) -> Self {
        if let Some(Entry::Put { terms, .. }) = self.set.entries.last_mut() {
            terms.push(Term { index: Kind::of(index), at: at.into() });
        }
        self
    }

    pub(super) fn delete(self, key: &Key, version: u64) -> Self {
        self.with(Entry::Delete { key: key.clone(), expect: Expect::Version(version) })
    }

    pub(super) fn delete_owned(self, kind: &'static str, owner: Owner) -> Self {
        self.with(Entry::DeleteOwned { kind: Kind::of(kind), owner })
    }

    pub(super) fn ensure(self, key: &Key, expect: Expect) -> Self {
        self.with(Entry::Ensure { key: key.clone(), expect })
    }

    pub(super) fn count(self, counter: &CounterKey, delta: i64, max: Option<i64>) -> Self {
        self.with(Entry::Count { counter: counter.clone(), delta, max })
    }

    pub(super) fn post(self, post: Post) -> Self {
        self.with(Entry::Post(post))
    }

    pub(super) fn append(self, owner: Owner, n: u64) -> Self {
        self.with(Entry::Append { owner, body: number(n) })
    }

    pub(super) fn seal(self) -> Arc<ChangeSet> {
        Arc::new(self.set.seal(self.outcome))
    }
}

/// A document that holds a number.
pub(super) fn number(n: u64) -> Body {
    Body::from_stored(format!("{{\"n\":\"{n}\"}}").as_bytes())
}

/// An account.
pub(super) fn owner(n: u8) -> Owner {
    Owner([n; 16])
}

/// A record of an account.
pub(super) fn record(kind: &'static str, n: u8, id: impl Into<Vec<u8>>) -> Key {
    Key::owned(Kind::of(kind), owner(n), id)
}

/// A record of nobody.
pub(super) fn free(kind: &'static str, id: impl Into<Vec<u8>>) -> Key {
    Key::free(Kind::of(kind), id)
}

pub(super) fn available(of: Owner) -> Place {
    Place::Customer(of, Bucket::Available)
}

pub(super) fn held(of: Owner) -> Place {
    Place::Customer(of, Bucket::Held)
}

pub(super) fn debt(of: Owner) -> Place {
    Place::Customer(of, Bucket::Debt)
}

/// A transfer in rupiah.
pub(super) fn transfer(
    id: impl Into<Vec<u8>>,
    kind: TransferKind,
    debit: Place,
    credit: Place,
    amount: Amount,
) -> Post {
    let id: Vec<u8> = id.into();
    Post {
        subject: std::str::from_utf8(&id).map_or("about:bytes".into(), |id| format!("about:{}", id.replace('\0', "0"))),
        id: TransferId(id),
        kind,
        reason: "case".into(),
        actor: "suite".into(),
        debit,
        credit,
        currency: Currency::Idr,
        amount,
    }
}

pub(super) fn deposit(of: Owner, id: impl Into<Vec<u8>>, n: i64) -> Post {
    let clearing = Place::House(House::clearing("host"));
    transfer(id, TransferKind::Deposit, clearing, available(of), Amount::Exact(n))
}

pub(super) fn hold(of: Owner, id: impl Into<Vec<u8>>, n: i64) -> Post {
    transfer(id, TransferKind::Hold, available(of), held(of), Amount::Exact(n))
}

pub(super) fn capture(of: Owner, id: impl Into<Vec<u8>>, n: i64) -> Post {
    transfer(id, TransferKind::Capture, held(of), Place::House(House::revenue()), Amount::Exact(n))
}

pub(super) fn release(of: Owner, id: impl Into<Vec<u8>>, n: i64) -> Post {
    transfer(id, TransferKind::Release, held(of), available(of), Amount::Exact(n))
}

pub(super) fn forfeit(of: Owner, id: impl Into<Vec<u8>>) -> Post {
    transfer(id, TransferKind::Forfeit, available(of), Place::House(House::forfeits()), Amount::All)
}

/// A charge-back: what is available, the remainder as debt.
pub(super) fn reverse(of: Owner, id: impl Into<Vec<u8>>, n: i64) -> Post {
    let clearing = Place::House(House::clearing("host"));
    transfer(id, TransferKind::Reverse, available(of), clearing, Amount::UpTo(n, debt(of)))
}
