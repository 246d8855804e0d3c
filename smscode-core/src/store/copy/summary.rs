//! What tells two copies apart: how many rows of each sort, and a hash of all.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::{CopyError, StoredRow};
use crate::store::Totals;
use crate::store::ordered::Table;

/// What was copied. Two stores with equal summaries hold the same rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// How many rows of each sort, by the name of the sort; sorts without a row are left out.
    pub rows: BTreeMap<String, u64>,
    /// SHA-256 of the frames of all rows, hexadecimal.
    pub sha256: String,
}

impl Summary {
    /// How many rows of all sorts.
    pub fn count(&self) -> u64 {
        self.rows.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.count())?;
        for (n, (sort, rows)) in self.rows.iter().enumerate() {
            write!(f, "{}{rows} {}", if n == 0 { " (" } else { ", " }, sort.replace('_', " "))?;
        }
        write!(f, "{}, sha256 {}", if self.rows.is_empty() { "" } else { ")" }, self.sha256)
    }
}

/// A summary in the making.
#[derive(Default)]
pub(super) struct Counting {
    rows: BTreeMap<&'static str, u64>,
    hash: Sha256,
    last: Option<(Table, Vec<u8>)>,
    /// Made of heads and sums.
    pub(super) totals: Totals,
    frame: Vec<u8>,
}

impl Counting {
    /// Counts a row, which must come behind the last one, and gives its frame.
    pub(super) fn add(&mut self, row: &StoredRow) -> Result<&[u8], CopyError> {
        let at = (row.table(), row.key());
        if self.last.as_ref().is_some_and(|last| *last >= at) {
            return Err(CopyError::Damaged { what: "rows are not in their order".to_owned(), bytes: 0 });
        }
        self.frame.clear();
        self.frame.extend([at.0.byte(), 0, 0, 0, 0]);
        put_length(&mut self.frame, at.1.len());
        self.frame.extend_from_slice(&at.1);
        row.put_value(&mut self.frame);
        let length = u32::try_from(self.frame.len() - 5).unwrap_or(u32::MAX);
        self.frame[1..5].copy_from_slice(&length.to_le_bytes());
        self.hash.update(&self.frame);
        *self.rows.entry(sort(row)).or_insert(0) += 1;
        row.add_to(&mut self.totals);
        self.last = Some(at);
        Ok(&self.frame)
    }

    pub(super) fn summary(&self) -> Summary {
        let rows = self.rows.iter().map(|(sort, rows)| ((*sort).to_owned(), *rows)).collect();
        Summary { rows, sha256: hex(&self.hash.clone().finalize()) }
    }
}

const fn sort(row: &StoredRow) -> &'static str {
    match row.table() {
        Table::TransferIds => "house_transfers",
        Table::Totals => "sums",
        other => other.name(),
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut left = length;
    while left >= 0x80 {
        out.push((left & 0x7F) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
