//! The write as a value: everything one command changes.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Body, CounterKey, Key, Kind, Owner};
use crate::money::Currency;
use crate::time::Timestamp;

/// Names one ChangeSet, so that sending it again is safe. Random, made by the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationId(pub [u8; 16]);

/// What tells two ChangeSets of one operation id apart: a hash of everything in them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fingerprint(pub [u8; 16]);

/// Everything one command changes: all of it is made durable, or none of it.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    /// Names this ChangeSet.
    pub operation: OperationId,
    /// A hash of the rest, set by [`ChangeSet::seal`].
    pub fingerprint: Fingerprint,
    /// What rebuilds the reply when the ChangeSet is sent again; kept 48 h.
    pub outcome: Body,
    /// The time of the decision. Adapters read no clock: this is the only time they see.
    pub time: Timestamp,
    /// What changes, judged and applied in the order of the contract.
    pub entries: Vec<Entry>,
}

impl ChangeSet {
    /// An empty ChangeSet.
    pub fn new(operation: OperationId, time: Timestamp) -> Self {
        Self { operation, fingerprint: Fingerprint([0; 16]), outcome: Body::empty(), time, entries: Vec::new() }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: Entry) -> &mut Self {
        self.entries.push(entry);
        self
    }

    /// Sets the outcome and computes the fingerprint. Call it last.
    #[must_use]
    pub fn seal(mut self, outcome: Body) -> Self {
        self.outcome = outcome;
        let mut hash = Hasher(Sha256::new());
        hash.number(self.time.0);
        hash.bytes(self.outcome.as_bytes());
        for entry in &self.entries {
            entry.hash(&mut hash);
        }
        let digest = hash.0.finalize();
        self.fingerprint.0.copy_from_slice(&digest[..16]);
        self
    }
}

/// What a record must be like for the ChangeSet to be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// There is no such record.
    Absent,
    /// It is there, in this version.
    Version(u64),
}

/// An index term of a record: a place in an index of that name, computed by core as bytes. Personal terms are keyed hashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Term {
    /// Which index.
    pub index: Kind,
    /// Where in it, ordered as bytes.
    pub at: Vec<u8>,
}

/// One change. A closed enum, matched without a wildcard.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Writes a record and replaces all its terms.
    Put {
        /// Which record.
        key: Key,
        /// What is there now.
        expect: Expect,
        /// The version it has afterwards; random.
        version: u64,
        /// The document.
        body: Body,
        /// All its places in indexes.
        terms: Vec<Term>,
    },
    /// Removes a record and its terms.
    Delete {
        /// Which record.
        key: Key,
        /// What is there now.
        expect: Expect,
    },
    /// Removes every record of a kind that an owner has, terms included.
    DeleteOwned {
        /// The kind.
        kind: Kind,
        /// The owner, never [`Owner::NONE`].
        owner: Owner,
    },
    /// A condition on a record that is not written.
    Ensure {
        /// Which record.
        key: Key,
        /// What it must be like.
        expect: Expect,
    },
    /// Adds to a counter. A result below zero is kept as zero, so that a miscount can never block a refund.
    Count {
        /// Which counter.
        counter: CounterKey,
        /// How much is added.
        delta: i64,
        /// Refused if the result of adding a positive delta would be above this.
        max: Option<i64>,
    },
    /// Moves money.
    Post(Post),
    /// Appends an event to the owner's stream; the judge gives it the next number.
    Append {
        /// Whose event it is.
        owner: Owner,
        /// The document.
        body: Body,
    },
}

/// Names a transfer; it exists once. Capture and release of one order have the same id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub Vec<u8>);

impl fmt::Debug for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransferId({} bytes)", self.0.len())
    }
}

/// A transfer that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    /// Names it.
    pub id: TransferId,
    /// What it means.
    pub kind: TransferKind,
    /// What it is about, such as `order:12`.
    pub subject: String,
    /// Why, as a word of core's, such as `sms_received`.
    pub reason: String,
    /// Who caused it, such as `customer`, `engine`, `operator:anna`.
    pub actor: String,
    /// Where the money leaves.
    pub debit: Place,
    /// Where it goes.
    pub credit: Place,
    /// The currency of both places.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
}

/// What a transfer means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TransferKind {
    /// available to held: an order is placed.
    Hold,
    /// held to revenue: the first SMS was accepted.
    Capture,
    /// held to available: no SMS came.
    Release,
    /// clearing to available: a gateway has confirmed.
    Deposit,
    /// available to forfeits: the account is deleted.
    Forfeit,
    /// available to clearing: a charge-back.
    Reverse,
    /// By an operator, with reason and actor.
    Adjust,
    /// supplier float to supplier cost, or to loss: what a purchase has cost, once it is over at the supplier.
    Cost,
}

impl TransferKind {
    /// All kinds, in a fixed order.
    pub const ALL: [Self; 8] = [
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Deposit,
        Self::Forfeit,
        Self::Reverse,
        Self::Adjust,
        Self::Cost,
    ];

    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Deposit => "deposit",
            Self::Forfeit => "forfeit",
            Self::Reverse => "reverse",
            Self::Adjust => "adjust",
            Self::Cost => "cost",
        }
    }

    /// How many holds are open more after it.
    pub(crate) const fn opens(self) -> i64 {
        match self {
            Self::Hold => 1,
            Self::Capture | Self::Release => -1,
            Self::Deposit | Self::Forfeit | Self::Reverse | Self::Adjust | Self::Cost => 0,
        }
    }

    /// By the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// A part of a customer's money.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bucket {
    /// Can be spent; never below zero.
    Available,
    /// Held by open orders; never below zero.
    Held,
    /// Owed; never above zero.
    Debt,
}

/// Where money can be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// A bucket of a customer.
    Customer(Owner, Bucket),
    /// A house account, summed, without a floor.
    House(House),
}

/// A house account, such as `revenue` or `clearing:duitku`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct House(pub String);

impl House {
    /// What customers have paid for.
    pub fn revenue() -> Self {
        Self("revenue".into())
    }

    /// What came in through a gateway, by its name; `host` for deposits booked by the embedding program.
    pub fn clearing(gateway: &str) -> Self {
        Self(format!("clearing:{gateway}"))
    }

    /// What deleted accounts left behind.
    pub fn forfeits() -> Self {
        Self("forfeits".into())
    }

    /// The other side of an operator's adjustments.
    pub fn adjustments() -> Self {
        Self("adjustments".into())
    }

    /// Our money at a supplier, by its name, in its currency. Begins at zero whatever is there: what is below zero was
    /// spent.
    pub fn float(supplier: &str) -> Self {
        Self(format!("float:{supplier}"))
    }

    /// What a supplier was paid for numbers that brought a customer an SMS.
    pub fn cost(supplier: &str) -> Self {
        Self(format!("cost:{supplier}"))
    }

    /// What a supplier kept, or may have kept, for numbers that brought nobody an SMS. The operator's, never a
    /// customer's.
    pub fn loss(supplier: &str) -> Self {
        Self(format!("loss:{supplier}"))
    }
}

/// How much a transfer moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amount {
    /// Just this, above zero.
    Exact(i64),
    /// All that is in the bucket, which may be nothing.
    All,
    /// This much: first what is in the bucket, the remainder from the other place.
    UpTo(i64, Place),
}

struct Hasher(Sha256);

impl Hasher {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as i64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn key(&mut self, key: &Key) {
        self.bytes(key.kind.as_str().as_bytes());
        self.0.update(key.owner.0);
        self.bytes(&key.id);
    }

    fn expect(&mut self, expect: Expect) {
        match expect {
            Expect::Absent => self.number(0),
            Expect::Version(version) => {
                self.number(1);
                self.number(version as i64);
            }
        }
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Customer(owner, bucket) => {
                self.number(*bucket as i64);
                self.0.update(owner.0);
            }
            Place::House(house) => {
                self.number(9);
                self.bytes(house.0.as_bytes());
            }
        }
    }
}

impl Hasher {
    fn post(&mut self, post: &Post) {
        self.number(6);
        self.bytes(&post.id.0);
        for text in [post.kind.word(), &post.subject, &post.reason, &post.actor, post.currency.code()] {
            self.bytes(text.as_bytes());
        }
        self.place(&post.debit);
        self.place(&post.credit);
        match &post.amount {
            Amount::Exact(n) => {
                self.number(1);
                self.number(*n);
            }
            Amount::All => self.number(2),
            Amount::UpTo(n, rest) => {
                self.number(3);
                self.number(*n);
                self.place(rest);
            }
        }
    }
}

impl Entry {
    fn hash(&self, hash: &mut Hasher) {
        match self {
            Self::Put { key, expect, version, body, terms } => {
                hash.number(1);
                hash.key(key);
                hash.expect(*expect);
                hash.number(*version as i64);
                hash.bytes(body.as_bytes());
                hash.number(terms.len() as i64);
                for term in terms {
                    hash.bytes(term.index.as_str().as_bytes());
                    hash.bytes(&term.at);
                }
            }
            Self::Delete { key, expect } => {
                hash.number(2);
                hash.key(key);
                hash.expect(*expect);
            }
            Self::DeleteOwned { kind, owner } => {
                hash.number(3);
                hash.key(&Key::owned(kind.clone(), *owner, []));
            }
            Self::Ensure { key, expect } => {
                hash.number(4);
                hash.key(key);
                hash.expect(*expect);
            }
            Self::Count { counter, delta, max } => {
                hash.number(5);
                hash.0.update(counter.owner.0);
                hash.bytes(counter.name.as_bytes());
                hash.bytes(counter.period.as_bytes());
                hash.number(*delta);
                hash.number(i64::from(max.is_some()));
                hash.number(max.unwrap_or(0));
            }
            Self::Post(post) => hash.post(post),
            Self::Append { owner, body } => {
                hash.number(7);
                hash.0.update(owner.0);
                hash.bytes(body.as_bytes());
            }
        }
    }
}
