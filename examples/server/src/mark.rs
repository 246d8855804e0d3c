//! What a store is for, kept in the store itself: whether it is a sandbox or live, which accounts belong to which names
//! of the settings, and which keyring it belongs to.
//!
//! Everything is put only where nothing is, so of several servers that start at once one is first and the others read
//! what it has written.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use smscode_core::account::AccountId;
use smscode_core::account::record::ACCOUNT;
use smscode_core::order::skip_numbers;
use smscode_core::port::{Clock, Entropy, EpochKey};
use smscode_core::store::{
    Body, ChangeSet, Entry, Expect, Index, Key, Kind, LoadKey, OperationId, Range, Store, StoreError,
};
use smscode_core::time::Timestamp;
use smscode_providers::clock::{OsEntropy, SystemClock};

use crate::note::Note;

/// What the server keeps about the store as a whole.
const SERVER: Kind = Kind::of("host_server");
/// The account behind a name of the settings, by that name.
const CUSTOMER: Kind = Kind::of("host_customer");
const MODE: &str = "mode";
const KEYRING: &str = "keyring";
const MOVED: &str = "moved";
const RESTORED: &str = "restored";
const CLOCK: &str = "sandbox_clock";

/// What a store is for, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Play money and a simulated supplier.
    Sandbox,
    /// Money and suppliers.
    Live,
}

impl Mode {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }
}

/// What is wrong with a store's marks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// The store is of the other kind.
    #[error("{store} is a {is} store and is never served as {wanted}: name another with --store or --data-dir{advice}")]
    OtherMode {
        /// The store.
        store: String,
        /// What it is.
        is: &'static str,
        /// What was wanted.
        wanted: &'static str,
        /// What may have gone wrong, as the end of the sentence.
        advice: &'static str,
    },
    /// There are accounts, but nothing says what the store is for.
    #[error(
        "{store} holds accounts, but nothing says whether it is a sandbox or live: it is of another program, or the note of \
         an earlier version beside its file (.mode) was lost"
    )]
    Missing {
        /// The store.
        store: String,
    },
    /// The keyring belongs to another store.
    #[error("the keys in the keyring are not those of {store}: all servers of one store share one keyring directory")]
    OtherKeyring {
        /// The store.
        store: String,
    },
    /// The store was moved: what is done in it now would be lost.
    #[error(
        "{store} was moved to {to} at {at}; serve that one. The way back: smscode-server move --undo if nothing was done \
         there since, otherwise move it again, into a new store"
    )]
    Moved {
        /// The store.
        store: String,
        /// Where it was moved.
        to: String,
        /// When.
        at: Timestamp,
    },
    /// The store is away, or holds something unreadable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MarkError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherMode { .. } => "store_mode",
            Self::Missing { .. } => "store_mark_missing",
            Self::OtherKeyring { .. } => "keyring_other",
            Self::Moved { .. } => "store_moved",
            Self::Store(error) => error.code(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ModeRecord {
    v: u8,
    mode: Mode,
}

#[derive(Serialize, Deserialize)]
struct KeyringRecord {
    v: u8,
    check: String,
}

/// Where a store was moved, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MovedRecord {
    v: u8,
    pub(crate) to: String,
    pub(crate) at: Timestamp,
}

/// What a store was restored from, and when.
#[derive(Serialize, Deserialize)]
struct RestoredRecord {
    v: u8,
    taken_at: Timestamp,
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ClockRecord {
    v: u8,
    ahead_us: i64,
}

#[derive(Serialize, Deserialize)]
struct CustomerRecord {
    v: u8,
    account: String,
}

/// The marks of an open store.
#[derive(Clone)]
pub(crate) struct Marks {
    store: Arc<dyn Store>,
    /// The store's name for people.
    shown: String,
}

impl Marks {
    pub(crate) const fn of(store: Arc<dyn Store>, shown: String) -> Self {
        Self { store, shown }
    }

    /// Makes sure that the store is for this. A new one is from now on; `note` is what lay beside an older one.
    pub(crate) async fn settle(&self, mode: Mode, note: Option<&Note>) -> Result<(), MarkError> {
        if let Some(MovedRecord { to, at, .. }) = self.moved().await? {
            return Err(MarkError::Moved { store: self.shown.clone(), to, at });
        }
        let key = Key::free(SERVER, MODE);
        let found: Option<(u64, ModeRecord)> = self.read(&key).await?;
        let is = match (found, note) {
            (Some((_, record)), _) => record.mode,
            (None, Some(note)) => {
                self.take_over(&key, note).await?;
                note.mode
            }
            (None, None) if self.is_used().await? => {
                return Err(MarkError::Missing { store: self.shown.clone() });
            }
            (None, None) => {
                let entry = put(key.clone(), Expect::Absent, &ModeRecord { v: 1, mode })?;
                self.commit(vec![entry]).await?;
                let (_, standing): (u64, ModeRecord) = self.standing(&key).await?;
                standing.mode
            }
        };
        if is == mode {
            return Ok(());
        }
        Err(MarkError::OtherMode {
            store: self.shown.clone(),
            is: is.word(),
            wanted: mode.word(),
            advice: match mode {
                Mode::Sandbox => ". Without a supplier in the settings a server is a sandbox: is --config missing?",
                Mode::Live => "",
            },
        })
    }

    /// Makes sure that this is the root key of the keyring that the store is used with: under another one numbers and
    /// SMS of open orders could not be read, and order numbers would come twice.
    pub(crate) async fn settle_keyring(&self, root: &EpochKey) -> Result<(), MarkError> {
        let key = Key::free(SERVER, KEYRING);
        let check = check_of(root);
        if self.read::<KeyringRecord>(&key).await?.is_none() {
            let entry = put(key.clone(), Expect::Absent, &KeyringRecord { v: 1, check: check.clone() })?;
            self.commit(vec![entry]).await?;
        }
        let (_, standing): (u64, KeyringRecord) = self.standing(&key).await?;
        if standing.check == check { Ok(()) } else { Err(MarkError::OtherKeyring { store: self.shown.clone() }) }
    }

    /// The account behind a name of the settings.
    pub(crate) async fn account(&self, name: &str) -> Result<Option<AccountId>, StoreError> {
        let found: Option<(u64, CustomerRecord)> = self.read(&customer_key(name)).await?;
        Ok(found.and_then(|(_, record)| account_of(&record.account)))
    }

    /// Keeps the account behind a name, instead of an older one that is gone. The account that stands now, which is
    /// another one if another server was faster.
    pub(crate) async fn keep_account(
        &self,
        name: &str,
        account: AccountId,
        gone: Option<AccountId>,
    ) -> Result<AccountId, StoreError> {
        let key = customer_key(name);
        let found: Option<(u64, CustomerRecord)> = self.read(&key).await?;
        let expect = match &found {
            Some((version, record)) if account_of(&record.account) == gone => Expect::Version(*version),
            _ => Expect::Absent,
        };
        let record = CustomerRecord { v: 1, account: hex(account) };
        self.commit(vec![put(key.clone(), expect, &record)?]).await?;
        let (_, standing): (u64, CustomerRecord) = self.standing(&key).await?;
        account_of(&standing.account).ok_or_else(|| unreadable("the account of a customer"))
    }

    /// What the store is for, if that is settled.
    pub(crate) async fn mode(&self) -> Result<Option<Mode>, StoreError> {
        let found: Option<(u64, ModeRecord)> = self.read(&Key::free(SERVER, MODE)).await?;
        Ok(found.map(|(_, record)| record.mode))
    }

    /// Where the store was moved, if it was.
    pub(crate) async fn moved(&self) -> Result<Option<MovedRecord>, StoreError> {
        Ok(self.read(&moved_key()).await?.map(|(_, record)| record))
    }

    /// Notes that the store was moved: no server serves it any more.
    pub(crate) async fn set_moved(&self, to: &str) -> Result<(), StoreError> {
        let record = MovedRecord { v: 1, to: to.to_owned(), at: SystemClock.now() };
        self.commit(vec![put(moved_key(), Expect::Absent, &record)?]).await
    }

    /// Takes that back.
    pub(crate) async fn forget_moved(&self) -> Result<(), StoreError> {
        let found: Option<(u64, MovedRecord)> = self.read(&moved_key()).await?;
        let Some((version, _)) = found else { return Ok(()) };
        self.commit(vec![Entry::Delete { key: moved_key(), expect: Expect::Version(version) }]).await
    }

    /// Notes that the store was filled from a backup, and lets order numbers go on where those that were given out since
    /// certainly end.
    pub(crate) async fn set_restored(&self, taken_at: Timestamp) -> Result<(), StoreError> {
        let key = Key::free(SERVER, RESTORED);
        let before: Option<(u64, RestoredRecord)> = self.read(&key).await?;
        let expect = before.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
        let record = RestoredRecord { v: 1, taken_at, at: SystemClock.now() };
        self.commit(vec![put(key, expect, &record)?, skip_numbers()]).await
    }

    /// How far a sandbox's clock is ahead of real time: what is in the store was written by it.
    pub(crate) async fn clock_ahead_us(&self) -> Result<i64, StoreError> {
        let found: Option<(u64, ClockRecord)> = self.read(&Key::free(SERVER, CLOCK)).await?;
        Ok(found.map_or(0, |(_, record)| record.ahead_us))
    }

    /// Keeps how far it is, unless it is further already.
    pub(crate) async fn keep_clock(&self, ahead_us: i64) -> Result<(), StoreError> {
        let key = Key::free(SERVER, CLOCK);
        let expect = match self.read::<ClockRecord>(&key).await? {
            Some((_, record)) if record.ahead_us >= ahead_us => return Ok(()),
            Some((version, _)) => Expect::Version(version),
            None => Expect::Absent,
        };
        self.commit(vec![put(key, expect, &ClockRecord { v: 1, ahead_us })?]).await
    }

    /// Whether somebody has worked with the store.
    async fn is_used(&self) -> Result<bool, StoreError> {
        let page = self.store.scan(&Index::Kind(ACCOUNT), &Range::all(), None, 1).await?;
        Ok(!page.rows.is_empty())
    }

    async fn take_over(&self, key: &Key, note: &Note) -> Result<(), MarkError> {
        let mut entries = vec![put(key.clone(), Expect::Absent, &ModeRecord { v: 1, mode: note.mode })?];
        for (name, account) in &note.customers {
            let record = CustomerRecord { v: 1, account: account.clone() };
            entries.push(put(customer_key(name), Expect::Absent, &record)?);
        }
        self.commit(entries).await?;
        tracing::info!("the note beside the store's file is in the store now");
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<(u64, T)>, StoreError> {
        let snapshot = self.store.load(&[LoadKey::Record(key.clone())]).await?;
        let Some(stored) = snapshot.record(key) else {
            return Ok(None);
        };
        let record = serde_json::from_slice(stored.body.as_bytes()).map_err(|_| unreadable("a mark of the server"))?;
        Ok(Some((stored.version, record)))
    }

    async fn standing<T: DeserializeOwned>(&self, key: &Key) -> Result<(u64, T), StoreError> {
        self.read(key).await?.ok_or_else(|| unreadable("a mark that was there a moment ago"))
    }

    /// Commits; somebody who was faster is no error.
    async fn commit(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut change_set = ChangeSet::new(OperationId(random()), SystemClock.now());
        change_set.entries = entries;
        match self.store.commit(Arc::new(change_set.seal(Body::empty()))).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The mark of a store that was moved: it belongs to that store and is not moved with it.
pub(crate) fn moved_key() -> Key {
    Key::free(SERVER, MOVED)
}

fn customer_key(name: &str) -> Key {
    Key::free(CUSTOMER, name)
}

fn put<T: Serialize>(key: Key, expect: Expect, record: &T) -> Result<Entry, StoreError> {
    let text = serde_json::to_string(record).map_err(|_| unreadable("a mark that cannot be written"))?;
    let body = Body::from_text(&text).map_err(|error| unreadable(&error.to_string()))?;
    Ok(Entry::Put { key, expect, version: u64::from_be_bytes(random()), body, terms: Vec::new() })
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsEntropy.fill(&mut bytes);
    bytes
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt { store: "server", what: what.to_owned() }
}

/// Tells a key from others without saying anything about it.
fn check_of(root: &EpochKey) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(root.bytes()) else {
        return String::new(); // keys of every length are taken
    };
    mac.update(b"smscode: which keyring a store belongs to");
    mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(account: AccountId) -> String {
    format!("{:032x}", u128::from_be_bytes(account.bytes()))
}

fn account_of(hex: &str) -> Option<AccountId> {
    let number = u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32)?;
    Some(AccountId::from_bytes(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use smscode_core::store::MemoryStore;

    use super::*;

    fn account(byte: u8) -> AccountId {
        AccountId::from_bytes([byte; 16])
    }

    fn marks() -> (Marks, Marks) {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        (Marks::of(store.clone(), "a".to_owned()), Marks::of(store, "a".to_owned()))
    }

    #[tokio::test]
    async fn a_store_stays_what_it_was() {
        let (one, other) = marks();
        one.settle(Mode::Sandbox, None).await.unwrap();
        other.settle(Mode::Sandbox, None).await.unwrap();
        assert_eq!(other.settle(Mode::Live, None).await.unwrap_err().code(), "store_mode");
        let note = Note { mode: Mode::Live, customers: [("shop".to_owned(), hex(account(7)))].into() };
        assert_eq!(one.settle(Mode::Live, Some(&note)).await.unwrap_err().code(), "store_mode", "the store counts");
        assert_eq!(one.account("shop").await.unwrap(), None);

        let (one, other) = marks();
        assert_eq!(one.settle(Mode::Sandbox, Some(&note)).await.unwrap_err().code(), "store_mode");
        other.settle(Mode::Live, None).await.unwrap();
        assert_eq!(other.account("shop").await.unwrap(), Some(account(7)), "taken over with the mode");
    }

    #[tokio::test]
    async fn of_two_servers_at_once_one_is_first_and_both_go_on_with_its_account() {
        let (one, other) = marks();
        let (first, second) =
            tokio::join!(one.keep_account("shop", account(1), None), other.keep_account("shop", account(2), None));
        assert_eq!(first.unwrap(), second.unwrap());
        let standing = one.account("shop").await.unwrap();
        // an account that is gone is replaced, one that another server has put there meanwhile is not
        assert_eq!(other.keep_account("shop", account(3), standing).await.unwrap(), account(3));
        assert_eq!(one.keep_account("shop", account(4), standing).await.unwrap(), account(3));
    }

    #[tokio::test]
    async fn a_store_of_somebody_else_is_left_alone() {
        let (one, other) = marks();
        let used = put(Key::owned(ACCOUNT, smscode_core::store::Owner([1; 16]), []), Expect::Absent, &7).unwrap();
        one.commit(vec![used]).await.unwrap();
        assert_eq!(other.settle(Mode::Live, None).await.unwrap_err().code(), "store_mark_missing");
    }

    #[tokio::test]
    async fn a_store_that_was_moved_is_not_served() {
        let (one, other) = marks();
        one.settle(Mode::Live, None).await.unwrap();
        one.set_moved("b").await.unwrap();
        let told = other.settle(Mode::Live, None).await.unwrap_err();
        assert_eq!(told.code(), "store_moved");
        assert!(told.to_string().starts_with("a was moved to b at ") && told.to_string().contains("--undo"), "{told}");
        other.forget_moved().await.unwrap();
        one.settle(Mode::Live, None).await.unwrap();
    }

    #[tokio::test]
    async fn a_clock_never_goes_back() {
        let (one, other) = marks();
        assert_eq!(one.clock_ahead_us().await.unwrap(), 0);
        for (kept, stands) in [(7, 7), (5, 7), (9, 9)] {
            one.keep_clock(kept).await.unwrap();
            assert_eq!(other.clock_ahead_us().await.unwrap(), stands);
        }
    }

    #[tokio::test]
    async fn another_keyring_is_told() {
        let (one, other) = marks();
        one.settle_keyring(&EpochKey::new([1; 32])).await.unwrap();
        other.settle_keyring(&EpochKey::new([1; 32])).await.unwrap();
        assert_eq!(other.settle_keyring(&EpochKey::new([2; 32])).await.unwrap_err().code(), "keyring_other");
    }
}
