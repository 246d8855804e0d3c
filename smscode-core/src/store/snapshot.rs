//! What a load gives back.

use std::collections::BTreeMap;

use super::{Body, Bucket, CounterKey, Fingerprint, House, Key, Owner, Place, Term, TransferId, TransferKind};
use crate::money::Currency;
use crate::time::Timestamp;

/// A row that a command wants to see.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LoadKey {
    /// A record.
    Record(Key),
    /// An account's head.
    Head(Owner),
    /// A counter.
    Counter(CounterKey),
}

/// A stored record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Changes with every write; random.
    pub version: u64,
    /// The document.
    pub body: Body,
    /// Its places in indexes.
    pub terms: Vec<Term>,
}

/// An account's money and numbers: one row, under one lock. An account without a row has the zero head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Fixed by the account's first transfer.
    pub currency: Option<Currency>,
    /// Can be spent, >= 0.
    pub available: i64,
    /// Held by open orders, >= 0.
    pub held: i64,
    /// Owed, <= 0.
    pub debt: i64,
    /// Number of the newest transfer, 0 before the first.
    pub last_transfer: u64,
    /// Number of the newest event, 0 before the first.
    pub last_event: u64,
}

impl Head {
    /// What is in a bucket.
    pub const fn bucket(&self, bucket: Bucket) -> i64 {
        match bucket {
            Bucket::Available => self.available,
            Bucket::Held => self.held,
            Bucket::Debt => self.debt,
        }
    }

    /// Access to a bucket.
    pub const fn bucket_mut(&mut self, bucket: Bucket) -> &mut i64 {
        match bucket {
            Bucket::Available => &mut self.available,
            Bucket::Held => &mut self.held,
            Bucket::Debt => &mut self.debt,
        }
    }
}

/// A transfer as it happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Names it.
    pub id: TransferId,
    /// What it means.
    pub kind: TransferKind,
    /// What it is about.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who caused it.
    pub actor: String,
    /// Where the money left.
    pub debit: Place,
    /// Where it went.
    pub credit: Place,
    /// In which currency.
    pub currency: Currency,
    /// How much went to `credit`, >= 0.
    pub amount: i64,
    /// How much of it left another place than `debit`.
    pub rest: Option<(Place, i64)>,
    /// The ChangeSet's time.
    pub time: Timestamp,
    /// The account's side; `None` between house accounts.
    pub entry: Option<StatementEntry>,
}

/// The account's side of a transfer: a line of its statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatementEntry {
    /// Whose statement.
    pub owner: Owner,
    /// 1, 2, 3 ... without gaps.
    pub number: u64,
    /// Available after it.
    pub available: i64,
    /// Held after it.
    pub held: i64,
    /// Debt after it.
    pub debt: i64,
}

/// An event of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Whose.
    pub owner: Owner,
    /// 1, 2, 3 ... without gaps.
    pub number: u64,
    /// The document.
    pub body: Body,
    /// The ChangeSet's time.
    pub time: Timestamp,
}

/// What is remembered of a ChangeSet for 48 h.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredOperation {
    /// Of the ChangeSet.
    pub fingerprint: Fingerprint,
    /// Of the ChangeSet.
    pub time: Timestamp,
    /// What was answered.
    pub receipt: Receipt,
}

/// The answer to a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The ChangeSet's outcome.
    pub outcome: Body,
    /// What each `Post` moved, in the order of the entries.
    pub transfers: Vec<Resolved>,
    /// The number of each event, in the order of the entries.
    pub events: Vec<u64>,
    /// What each counter is afterwards, in the order of the entries.
    pub counters: Vec<i64>,
    /// Whether this commit had been made before and was only read back.
    pub replayed: bool,
}

/// What a transfer really moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// How much left `debit`.
    pub moved: i64,
    /// How much left the other place of `UpTo`.
    pub rest: i64,
    /// The transfer's number on the account's statement, 0 between house accounts.
    pub number: u64,
}

/// One consistent view of the rows that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    records: BTreeMap<Key, Record>,
    heads: BTreeMap<Owner, Head>,
    counters: BTreeMap<CounterKey, i64>,
}

impl Snapshot {
    /// Adds a record that was found.
    pub fn add_record(&mut self, key: Key, record: Record) {
        self.records.insert(key, record);
    }

    /// Adds a head that was found.
    pub fn add_head(&mut self, owner: Owner, head: Head) {
        self.heads.insert(owner, head);
    }

    /// Adds a counter that was found.
    pub fn add_counter(&mut self, counter: CounterKey, value: i64) {
        self.counters.insert(counter, value);
    }

    /// A record, `None` if it does not exist (or was not asked for).
    pub fn record(&self, key: &Key) -> Option<&Record> {
        self.records.get(key)
    }

    /// An account's head; the zero head if it has none yet.
    pub fn head(&self, owner: Owner) -> Head {
        self.heads.get(&owner).copied().unwrap_or_default()
    }

    /// A counter; zero if it was never counted.
    pub fn counter(&self, counter: &CounterKey) -> i64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }
}

/// Sums over the whole store, per currency, in one consistent view.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// One line per currency that has any account or transfer.
    pub currencies: BTreeMap<Currency, CurrencyTotals>,
}

impl Totals {
    /// Adds what is in an account.
    pub fn add_head(&mut self, head: &Head) {
        if let Some(currency) = head.currency {
            let line = self.currencies.entry(currency).or_default();
            line.available += i128::from(head.available);
            line.held += i128::from(head.held);
            line.debt += i128::from(head.debt);
        }
    }
}

/// Sums of one currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CurrencyTotals {
    /// All customers' available money.
    pub available: i128,
    /// All customers' held money.
    pub held: i128,
    /// All customers' debt, <= 0.
    pub debt: i128,
    /// Each house account, folded.
    pub house: BTreeMap<House, i128>,
    /// How many transfers there are.
    pub transfers: u64,
    /// How many holds are neither captured nor released.
    pub open_holds: u64,
}

impl CurrencyTotals {
    /// The sum of all accounts: zero, always.
    pub fn sum(&self) -> i128 {
        self.available + self.held + self.debt + self.house.values().sum::<i128>()
    }
}
