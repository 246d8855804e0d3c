//! What was found.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Places;
use crate::money::Currency;
use crate::store::{Kind, Owner, Totals};

/// Findings that are kept; further ones are counted. Whoever has so many needs no more of them.
const KEPT_MAX: usize = 1_000;

/// Something that does not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Stable code; the table is at the [module](super).
    pub code: &'static str,
    /// Where.
    pub subject: Subject,
    /// What is there and what should be.
    pub what: String,
}

/// What a finding is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An account.
    Account(Owner),
    /// An order, by its public number, with its account.
    Order(Owner, u32),
    /// A transfer on an account's statement.
    Transfer(Owner, u64),
    /// An event of an account.
    Event(Owner, u64),
    /// A record of this kind, of an account or of nobody.
    Record(Kind, Owner),
    /// A currency.
    Currency(Currency),
    /// An index.
    Index(Kind),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.code, self.subject, self.what)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(owner) => write!(f, "account {}", pseudonym(*owner)),
            Self::Order(owner, order) => write!(f, "order {order} of account {}", pseudonym(*owner)),
            Self::Transfer(owner, number) => write!(f, "transfer {number} of account {}", pseudonym(*owner)),
            Self::Event(owner, number) => write!(f, "event {number} of account {}", pseudonym(*owner)),
            Self::Record(kind, owner) if owner.is_none() => write!(f, "a record {kind:?}"),
            Self::Record(kind, owner) => write!(f, "a record {kind:?} of account {}", pseudonym(*owner)),
            Self::Currency(currency) => write!(f, "{currency}"),
            Self::Index(index) => write!(f, "index {index:?}"),
        }
    }
}

/// Tells accounts apart without naming them: the account's id stands in no output.
fn pseudonym(owner: Owner) -> String {
    let digest = Sha256::new().chain_update(b"smscode account").chain_update(owner.0).finalize();
    digest[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What came of looking through everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Accounts there are.
    pub accounts: u64,
    /// Orders there are.
    pub orders: u64,
    /// Transfers there are.
    pub transfers: u64,
    /// Events there are.
    pub events: u64,
    /// Records there are, of every kind.
    pub records: u64,
    /// The sums at that moment.
    pub totals: Totals,
    /// Where records stand in indexes, for [`verify_places`](super::verify_places).
    pub places: Places,
    /// What does not fit, at most 1,000.
    pub findings: Vec<Finding>,
    /// How many findings there were.
    pub found: u64,
}

impl Report {
    /// Whether everything fits.
    pub const fn is_clean(&self) -> bool {
        self.found == 0
    }

    /// Adds findings that were made elsewhere.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.found += findings.len() as u64;
        self.findings.extend(findings);
        self.findings.truncate(KEPT_MAX);
    }
}

/// Findings in the making.
#[derive(Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    found: u64,
}

impl Findings {
    pub(super) fn add(&mut self, code: &'static str, subject: Subject, what: impl Into<String>) {
        self.found += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(Finding { code, subject, what: what.into() });
        }
    }

    /// Adds a finding unless two values are the same.
    pub(super) fn same<T: PartialEq + fmt::Display>(
        &mut self,
        code: &'static str,
        subject: impl FnOnce() -> Subject,
        what: &str,
        found: T,
        wanted: T,
    ) {
        if found != wanted {
            self.add(code, subject(), format!("{what} {found}, should be {wanted}"));
        }
    }

    /// Counts findings that were not kept.
    pub(super) const fn count(&mut self, more: u64) {
        self.found += more;
    }

    pub(super) fn end(self) -> (Vec<Finding>, u64) {
        (self.kept, self.found)
    }
}
