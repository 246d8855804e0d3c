//! Claims on rented numbers: a number is one open order's at a time, decided by the commit that attaches it. A claim is a
//! record without owner whose key is a keyed hash of the number; it leads to no order, and goes with the order's end.

use serde::{Deserialize, Serialize};

use super::content::{Epochs, phone_hash};
use crate::port::EpochId;
use crate::store::{Body, BodyError, Entry, Expect, Key, Kind};
use crate::time::Timestamp;

/// Claims of open orders on their numbers.
pub const PHONE_CLAIM: Kind = Kind::of("phone_claim");

/// While the current epoch is younger, a number is claimed under the one before it, too: a node whose clock is behind, or
/// whose commit is under way, still takes that for the current one.
const OVERLAP_SECONDS: i64 = 300;

/// A claim as its order remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneClaim {
    /// Keyed hash of the number, hexadecimal, from an epoch's key.
    pub hash: String,
    /// The version of the claim's record.
    pub version: u64,
}

/// The claim's own record: that it is there says everything.
#[derive(Serialize)]
struct ClaimBody {
    v: u8,
}

/// The key of a claim.
pub(crate) fn phone_claim_key(hash: &str) -> Key {
    Key::free(PHONE_CLAIM, hash.as_bytes())
}

/// Every key under which an open order can have claimed a number: one for each epoch.
pub(crate) fn phone_claim_keys(epochs: &Epochs, phone: &str) -> Vec<Key> {
    epochs.values().map(|epoch| phone_claim_key(&phone_hash(epoch, phone))).collect()
}

/// The claims that an order has on its number from now on: what it holds already stays as it is. `version` is fresh.
pub(crate) fn phone_claims(
    held: &[PhoneClaim],
    (epochs, current): (&Epochs, EpochId),
    phone: &str,
    version: u64,
    now: Timestamp,
) -> Vec<PhoneClaim> {
    let under = if now.ms_since(current.began()) < OVERLAP_SECONDS * 1_000 { 2 } else { 1 };
    let newest = epochs.range(..=current).rev().take(under);
    newest
        .map(|(_, epoch)| {
            let hash = phone_hash(epoch, phone);
            let stays = held.iter().find(|claim| claim.hash == hash);
            // half of what a version can be: it stands in a document, whose integers have a sign
            stays.cloned().unwrap_or(PhoneClaim { hash, version: version >> 1 })
        })
        .collect()
}

/// The entries that make the claims in the store from `held` into `wanted`.
pub(crate) fn claim_entries(held: &[PhoneClaim], wanted: &[PhoneClaim]) -> Result<Vec<Entry>, BodyError> {
    let body = Body::write(&ClaimBody { v: 1 })?;
    let gone = held
        .iter()
        .filter(|claim| !wanted.contains(claim))
        .map(|claim| Entry::Delete { key: phone_claim_key(&claim.hash), expect: Expect::Version(claim.version) });
    let made = wanted.iter().filter(|claim| !held.contains(claim)).map(|claim| Entry::Put {
        key: phone_claim_key(&claim.hash),
        expect: Expect::Absent,
        version: claim.version,
        body: body.clone(),
        terms: Vec::new(),
    });
    Ok(gone.chain(made).collect())
}
