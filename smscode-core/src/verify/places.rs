//! Places of records in indexes: whether every index lists just what the records say.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{Finding, Subject};
use crate::store::codec::keys;
use crate::store::{Index, Key, Kind, Range, Row, Store, StoreError, Term};

/// Rows asked for at a time.
const PAGE: usize = 1_000;

/// How many places there are in each index, and a hash of which.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places(BTreeMap<Kind, (u64, u128)>);

impl Places {
    /// Adds the places of a record.
    pub(super) fn add(&mut self, key: &Key, terms: &[Term]) {
        let places: BTreeSet<&Term> = terms.iter().collect();
        for Term { index, at } in places {
            let (count, hash) = self.0.entry(index.clone()).or_default();
            *count += 1;
            // a sum, so that the order does not matter
            *hash = hash.wrapping_add(place(at, key));
        }
    }
}

fn place(at: &[u8], key: &Key) -> u128 {
    let digest = Sha256::new()
        .chain_update((at.len() as u64).to_be_bytes())
        .chain_update(at)
        .chain_update(keys::record(key))
        .finalize();
    digest[..16].iter().fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

/// Lists every index that a record has a place in, and compares. For a store that nobody works with meanwhile: what
/// changes between the export and this would look wrong.
///
/// # Errors
///
/// Those of the store.
pub async fn verify_places(store: &dyn Store, wanted: &Places) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for (index, wanted) in &wanted.0 {
        let (mut found, mut after) = ((0, 0_u128), None);
        loop {
            let page = store.scan(&Index::Term(index.clone()), &Range::all(), after.as_ref(), PAGE).await?;
            for row in &page.rows {
                if let Row::Record { position, key, .. } = row {
                    found = (found.0 + 1, found.1.wrapping_add(place(position, key)));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if found != *wanted {
            let what = format!("it lists {} places, the records have {}", found.0, wanted.0);
            let what = if found.0 == wanted.0 { format!("{what}, but others") } else { what };
            findings.push(Finding { code: "places", subject: Subject::Index(index.clone()), what });
        }
    }
    Ok(findings)
}
