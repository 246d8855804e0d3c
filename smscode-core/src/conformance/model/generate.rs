//! Random ChangeSets over few names, so that conflicts are common.

use std::sync::Arc;

use super::super::draft::{NOON, available, debt, held, transfer};
use crate::money::Currency;
use crate::store::{
    Amount, Body, ChangeSet, CounterKey, Entry, Expect, House, Key, Kind, OperationId, Owner, Place, Post, Term,
    TransferKind,
};

use super::reference::Now;

/// Numbers from a seed (the SplitMix64 sequence).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to `below`.
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let n = self.roll(of.len() as u64) as usize;
        of[n].clone()
    }
}

pub(super) const OWNED_KINDS: [&str; 2] = ["order", "session"];
pub(super) const FREE_KIND: &str = "claim";
pub(super) const INDEXES: [&str; 3] = ["due", "phone", "token"];

/// The accounts: four, near to each other as bytes.
pub(super) fn accounts() -> Vec<Owner> {
    (0..4_u8)
        .map(|n| {
            let mut bytes = [7; 16];
            bytes[15] = n;
            Owner(bytes)
        })
        .collect()
}

/// Ids: few, and awkward as bytes.
fn ids() -> Vec<Vec<u8>> {
    vec![vec![], vec![0], b"a".to_vec(), b"a\0".to_vec(), vec![0xff], vec![0xff; 128]]
}

/// All records there can be.
pub(super) fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    for id in ids() {
        keys.push(Key::free(Kind::of(FREE_KIND), id.clone()));
        for owner in accounts() {
            for kind in OWNED_KINDS {
                keys.push(Key::owned(Kind::of(kind), owner, id.clone()));
            }
        }
    }
    keys
}

/// All counters there can be.
pub(super) fn counters() -> Vec<CounterKey> {
    let mut counters = vec![CounterKey::of(Owner::NONE, "all")];
    for owner in accounts() {
        counters.push(CounterKey::of(owner, "open"));
        counters.push(CounterKey { owner, name: "cancels".into(), period: "2026-11-22".into() });
    }
    counters
}

/// Makes ChangeSets.
pub(super) struct Generator {
    pub(super) dice: Dice,
    made: u64,
    /// Holds that were accepted: owner, number and amount; some of the newest.
    holds: Vec<(Owner, u64, i64)>,
    /// ChangeSets made before for callers alone and for crowds, some of which are sent again.
    sent: [Vec<Arc<ChangeSet>>; 2],
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), made: 0, holds: Vec::new(), sent: Default::default() }
    }

    /// Remembers a hold that was accepted, so that it is closed some time.
    pub(super) fn held(&mut self, owner: Owner, number: u64, amount: i64) {
        if self.holds.len() == 30 {
            let at = self.dice.roll(30) as usize;
            self.holds.swap_remove(at);
        }
        self.holds.push((owner, number, amount));
    }

    /// The next ChangeSet. One for a crowd has an event for every account it touches, whose number tells its turn.
    pub(super) fn change_set(&mut self, now: &Now, crowd: bool) -> Arc<ChangeSet> {
        let sent = usize::from(crowd);
        if !self.sent[sent].is_empty() && self.dice.chance(6) {
            return self.again(sent);
        }
        let set = self.fresh(now, crowd);
        if self.sent[sent].len() < 64 {
            self.sent[sent].push(set.clone());
        } else {
            let at = self.dice.roll(64) as usize;
            self.sent[sent][at] = set.clone();
        }
        set
    }

    /// One that was sent before, as it was or with other content.
    fn again(&mut self, sent: usize) -> Arc<ChangeSet> {
        let at = self.dice.roll(self.sent[sent].len() as u64) as usize;
        let old = self.sent[sent][at].clone();
        if self.dice.chance(70) {
            return old;
        }
        let mut other = ChangeSet::new(old.operation, old.time);
        other.entries.clone_from(&old.entries);
        self.made += 1;
        Arc::new(other.seal(self.body()))
    }

    fn fresh(&mut self, now: &Now, crowd: bool) -> Arc<ChangeSet> {
        self.made += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.dice.next().to_be_bytes());
        id[8..].copy_from_slice(&self.made.to_be_bytes());
        // some milliseconds apart, at times back: in all far below 48 hours
        let time = NOON.plus_ms((self.made * 7) as i64 - self.dice.roll(30) as i64);
        let mut set = ChangeSet::new(OperationId(id), time);
        let mut written: Vec<Key> = Vec::new();
        let mut touched: Vec<Owner> = Vec::new();
        for _ in 0..=self.dice.roll(5) {
            let entry = self.entry(now, &mut written);
            touched.extend(owners(&entry));
            set.push(entry);
        }
        if crowd {
            // what belongs to nobody takes its turn from the first account
            let first = accounts()[0];
            touched.iter_mut().filter(|owner| owner.is_none()).for_each(|owner| *owner = first);
            touched.sort_unstable();
            touched.dedup();
            for owner in touched {
                let body = self.body();
                set.push(Entry::Append { owner, body });
            }
        }
        Arc::new(set.seal(self.body()))
    }

    fn entry(&mut self, now: &Now, written: &mut Vec<Key>) -> Entry {
        match self.dice.roll(100) {
            0..35 => self.record(now, written),
            35..39 => {
                Entry::DeleteOwned { kind: Kind::of(self.dice.pick(&OWNED_KINDS)), owner: self.dice.pick(&accounts()) }
            }
            39..45 => {
                let key = self.dice.pick(&keys());
                let expect = self.expect(now, &key);
                Entry::Ensure { key, expect }
            }
            45..60 => Entry::Count {
                counter: self.dice.pick(&counters()),
                delta: self.dice.roll(7) as i64 - 3,
                max: self.dice.chance(60).then(|| self.dice.roll(8) as i64),
            },
            60..72 => Entry::Append { owner: self.dice.pick(&accounts()), body: self.body() },
            _ => Entry::Post(self.post(now)),
        }
    }

    /// A put or a delete of a record that this ChangeSet has not written yet.
    fn record(&mut self, now: &Now, written: &mut Vec<Key>) -> Entry {
        let key = self.dice.pick(&keys());
        let expect = self.expect(now, &key);
        if written.contains(&key) {
            return Entry::Ensure { key, expect };
        }
        written.push(key.clone());
        if expect != Expect::Absent && self.dice.chance(35) {
            return Entry::Delete { key, expect };
        }
        let mut terms = Vec::new();
        for _ in 0..self.dice.roll(4) {
            let at = match self.dice.roll(4) {
                0 => Vec::new(),
                1 => vec![0xff; 1 + self.dice.roll(2) as usize],
                _ => vec![self.dice.roll(4) as u8],
            };
            let term = Term { index: Kind::of(self.dice.pick(&INDEXES)), at };
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        Entry::Put { key, expect, version: self.dice.next(), body: self.body(), terms }
    }

    /// What is so now, or (sometimes) something else.
    fn expect(&mut self, now: &Now, key: &Key) -> Expect {
        match now.records.get(key) {
            Some(record) if self.dice.chance(92) => Expect::Version(record.version),
            None if self.dice.chance(92) => Expect::Absent,
            _ if self.dice.chance(50) => Expect::Version(self.dice.next()),
            _ => Expect::Absent,
        }
    }

    fn post(&mut self, now: &Now) -> Post {
        self.made += 1;
        let n = self.made;
        let owner = self.dice.pick(&accounts());
        let amount = 1 + self.dice.roll(60) as i64;
        let id = |of: &str, n: u64| format!("{of}{n}").into_bytes();
        let house = |house| Place::House(house);
        let clearing = || Place::House(House::clearing("host"));
        let exact = Amount::Exact;
        let mut post = match self.dice.roll(100) {
            0..25 => {
                // at times one that was made before
                let n = if self.dice.chance(8) { self.dice.roll(n) } else { n };
                transfer(id("d", n), TransferKind::Deposit, clearing(), available(owner), exact(amount * 2))
            }
            25..50 => transfer(id("h", n), TransferKind::Hold, available(owner), held(owner), exact(amount)),
            50..80 if !self.holds.is_empty() => {
                let (owner, n, amount) = self.dice.pick(&self.holds);
                let close = id("c", n);
                if self.dice.chance(50) {
                    let post =
                        transfer(close, TransferKind::Capture, held(owner), house(House::revenue()), exact(amount));
                    return self.of_account(now, post, owner);
                }
                let post = transfer(close, TransferKind::Release, held(owner), available(owner), exact(amount));
                return self.of_account(now, post, owner);
            }
            50..84 => {
                transfer(id("f", n), TransferKind::Forfeit, available(owner), house(House::forfeits()), Amount::All)
            }
            84..92 => {
                let amount = Amount::UpTo(amount * 3, debt(owner));
                transfer(id("r", n), TransferKind::Reverse, available(owner), clearing(), amount)
            }
            92..96 => transfer(id("p", n), TransferKind::Deposit, clearing(), debt(owner), exact(amount)),
            _ => {
                let between =
                    transfer(id("x", n), TransferKind::Adjust, clearing(), house(House::revenue()), exact(amount));
                return between;
            }
        };
        post.subject = format!("order:{n}");
        self.of_account(now, post, owner)
    }

    /// In the account's currency, sometimes in another.
    fn of_account(&mut self, now: &Now, mut post: Post, owner: Owner) -> Post {
        let first = Currency::ALL[usize::from(owner.0[15]) % 2];
        let own = now.heads.get(&owner).and_then(|head| head.currency).unwrap_or(first);
        post.currency = if self.dice.chance(3) { self.dice.pick(&Currency::ALL) } else { own };
        post
    }

    fn body(&mut self) -> Body {
        let text = match self.dice.roll(4) {
            0 => "\u{2028}ж\u{1f600}".to_owned(),
            1 => "x".repeat(self.dice.roll(300) as usize),
            _ => String::new(),
        };
        Body::from_stored(format!("{{\"n\":\"{}\",\"t\":\"{text}\"}}", self.dice.next()).as_bytes())
    }
}

/// The accounts that an entry touches.
fn owners(entry: &Entry) -> Vec<Owner> {
    match entry {
        Entry::Put { key, .. } | Entry::Delete { key, .. } | Entry::Ensure { key, .. } => vec![key.owner],
        Entry::DeleteOwned { owner, .. } | Entry::Append { owner, .. } => vec![*owner],
        Entry::Count { counter, .. } => vec![counter.owner],
        Entry::Post(post) => [&post.debit, &post.credit]
            .into_iter()
            .filter_map(|place| match place {
                Place::Customer(owner, _) => Some(*owner),
                Place::House(_) => None,
            })
            .collect(),
    }
}
