//! The bytes of a backup: written, and read in whatever pieces they come.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::summary::{Counting, hex};
use super::{CopyError, StoredRow, Summary};
use crate::money::Currency;
use crate::store::codec::Unreadable;
use crate::store::ordered::Table;
use crate::store::{Body, CurrencyTotals, House, Totals, limits};
use crate::time::Timestamp;

/// The newest format.
pub(super) const FORMAT: u64 = 1;
const MAGIC: &[u8] = b"smscode backup ";
/// The first line is not longer.
const MAGIC_MAX: usize = 40;
const HEADER: u8 = b'H';
const TRAILER: u8 = b'T';
/// No frame is longer: no row is, and totals have a few thousand house accounts at most.
const FRAME_MAX: usize = limits::CHANGE_SET_BYTES_MAX;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// When it was made.
    pub time: Timestamp,
    /// The store it was made of, such as `redb`.
    pub store: String,
    /// What the host has written into it, such as what the store is for.
    pub host: BTreeMap<String, String>,
    /// The sums at that moment.
    pub totals: Totals,
}

#[derive(Serialize, Deserialize)]
struct HeaderFrame {
    time: Timestamp,
    store: String,
    #[serde(default)]
    host: BTreeMap<String, String>,
    totals: BTreeMap<Currency, Line>,
}

/// Sums as text: JSON readers do not agree on whole numbers beyond 53 bits.
#[derive(Serialize, Deserialize)]
struct Line {
    available: String,
    held: String,
    debt: String,
    house: BTreeMap<String, String>,
    transfers: u64,
    open_holds: u64,
}

#[derive(Serialize, Deserialize)]
struct TrailerFrame {
    rows: BTreeMap<String, u64>,
    sha256: String,
    bytes_sha256: String,
}

impl Header {
    fn frame(&self) -> HeaderFrame {
        let line = |line: &CurrencyTotals| Line {
            available: line.available.to_string(),
            held: line.held.to_string(),
            debt: line.debt.to_string(),
            house: line.house.iter().map(|(house, sum)| (house.0.clone(), sum.to_string())).collect(),
            transfers: line.transfers,
            open_holds: line.open_holds,
        };
        let totals = self.totals.currencies.iter().map(|(currency, of)| (*currency, line(of))).collect();
        HeaderFrame { time: self.time, store: self.store.clone(), host: self.host.clone(), totals }
    }

    fn of(frame: HeaderFrame) -> Option<Self> {
        let mut totals = Totals::default();
        for (currency, line) in frame.totals {
            let mut house = BTreeMap::new();
            for (name, sum) in line.house {
                house.insert(House(name), sum.parse().ok()?);
            }
            let line = CurrencyTotals {
                available: line.available.parse().ok()?,
                held: line.held.parse().ok()?,
                debt: line.debt.parse().ok()?,
                house,
                transfers: line.transfers,
                open_holds: line.open_holds,
            };
            totals.currencies.insert(currency, line);
        }
        Some(Self { time: frame.time, store: frame.store, host: frame.host, totals })
    }
}

/// Writes a backup.
#[derive(Default)]
pub(super) struct Encoder {
    counting: Counting,
    hash: Sha256,
}

impl Encoder {
    pub(super) fn header(&mut self, header: &Header) -> Result<Vec<u8>, CopyError> {
        let mut out = [MAGIC, FORMAT.to_string().as_bytes(), b"\n"].concat();
        put_json(&mut out, HEADER, &header.frame())?;
        self.hash.update(&out);
        Ok(out)
    }

    pub(super) fn rows(&mut self, rows: &[StoredRow]) -> Result<Vec<u8>, CopyError> {
        let mut out = Vec::new();
        for row in rows {
            out.extend_from_slice(self.counting.add(row)?);
        }
        self.hash.update(&out);
        Ok(out)
    }

    pub(super) fn trailer(&self) -> Result<Vec<u8>, CopyError> {
        let Summary { rows, sha256 } = self.counting.summary();
        let mut out = Vec::new();
        let bytes_sha256 = hex(&self.hash.clone().finalize());
        put_json(&mut out, TRAILER, &TrailerFrame { rows, sha256, bytes_sha256 })?;
        Ok(out)
    }

    pub(super) fn summary(&self) -> Summary {
        self.counting.summary()
    }
}

fn put_json<T: Serialize>(out: &mut Vec<u8>, sort: u8, value: &T) -> Result<(), CopyError> {
    let json = serde_json::to_vec(value).map_err(|_| Unreadable("a frame"))?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length as usize <= FRAME_MAX);
    out.push(sort);
    out.extend_from_slice(&length.ok_or(Unreadable("a frame"))?.to_le_bytes());
    out.extend_from_slice(&json);
    Ok(())
}

/// Reads a backup.
#[derive(Default)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
    /// Bytes read, without those in the buffer.
    read: u64,
    begun: bool,
    hash: Sha256,
    counting: Counting,
    header: Option<Header>,
    ended: bool,
}

impl Decoder {
    /// The rows in the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<StoredRow>, CopyError> {
        self.buffer.extend_from_slice(bytes);
        let mut rows = Vec::new();
        let mut at = 0;
        let result = loop {
            match self.step(at, &mut rows) {
                Ok(0) => break Ok(()),
                Ok(length) => {
                    at += length;
                    self.read += length as u64;
                }
                Err(error) => break Err(self.at(error)),
            }
        };
        self.buffer.drain(..at);
        result.map(|()| rows)
    }

    /// Says how far it has come.
    fn at(&self, error: CopyError) -> CopyError {
        match error {
            CopyError::Damaged { what, .. } => CopyError::Damaged { what, bytes: self.read },
            other => other,
        }
    }

    /// Reads what begins there in the buffer, and how long it was; 0 if it is not whole.
    fn step(&mut self, at: usize, rows: &mut Vec<StoredRow>) -> Result<usize, CopyError> {
        if !self.begun {
            return self.begin();
        }
        let left = &self.buffer[at..];
        if self.ended && !left.is_empty() {
            return Err(damaged("bytes behind its end"));
        }
        let Some((sort, rest)) = left.split_first() else { return Ok(0) };
        let Some((length, rest)) = rest.split_first_chunk() else { return Ok(0) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > FRAME_MAX {
            return Err(damaged("a frame that is too long"));
        }
        let Some(payload) = rest.get(..length) else { return Ok(0) };
        let whole = 5 + length;
        if *sort == TRAILER {
            let payload = payload.to_vec();
            return self.trailer(&payload).map(|()| whole);
        }
        self.hash.update(&left[..whole]);
        match (*sort, self.header.is_some()) {
            (HEADER, false) => {
                let header: HeaderFrame = json(payload)?;
                self.header = Some(Header::of(header).ok_or_else(|| damaged("its header"))?);
            }
            (HEADER, true) => return Err(damaged("a second header")),
            (_, false) => return Err(damaged("a row before the header")),
            (byte, true) => {
                let row = row(byte, payload)?;
                self.counting.add(&row)?;
                rows.push(row);
            }
        }
        Ok(whole)
    }

    fn begin(&mut self) -> Result<usize, CopyError> {
        let common = self.buffer.len().min(MAGIC.len());
        if self.buffer[..common] != MAGIC[..common] {
            return Err(CopyError::NotABackup);
        }
        let Some(end) = self.buffer.iter().take(MAGIC_MAX).position(|byte| *byte == b'\n') else {
            return if self.buffer.len() < MAGIC_MAX { Ok(0) } else { Err(CopyError::NotABackup) };
        };
        let number = std::str::from_utf8(&self.buffer[MAGIC.len()..end]).ok().and_then(|text| text.parse().ok());
        match number {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => return Err(CopyError::Newer { found, known: FORMAT }),
            _ => return Err(CopyError::NotABackup),
        }
        self.begun = true;
        self.hash.update(&self.buffer[..=end]);
        Ok(end + 1)
    }

    fn trailer(&mut self, payload: &[u8]) -> Result<(), CopyError> {
        let Some(header) = &self.header else { return Err(damaged("an end before the header")) };
        let trailer: TrailerFrame = json(payload)?;
        if trailer.bytes_sha256 != hex(&self.hash.clone().finalize()) {
            return Err(damaged("its bytes are not those that were written (SHA-256)"));
        }
        if (Summary { rows: trailer.rows, sha256: trailer.sha256 }) != self.counting.summary() {
            return Err(damaged("its rows are not those that were written"));
        }
        if self.counting.totals != header.totals {
            return Err(damaged("its rows do not come to the sums in its header"));
        }
        self.ended = true;
        Ok(())
    }

    /// What it was a backup of, once all bytes were pushed.
    pub(super) fn end(self) -> Result<(Header, Summary), CopyError> {
        match self.header {
            Some(header) if self.ended => Ok((header, self.counting.summary())),
            _ => Err(CopyError::CutOff { bytes: self.read + self.buffer.len() as u64 }),
        }
    }
}

fn damaged(what: &str) -> CopyError {
    CopyError::Damaged { what: what.to_owned(), bytes: 0 }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CopyError> {
    serde_json::from_slice(bytes).map_err(|_| damaged("a frame that is no JSON"))
}

fn row(byte: u8, payload: &[u8]) -> Result<StoredRow, CopyError> {
    let table = Table::ALL.into_iter().find(|table| table.byte() == byte);
    let table = table.ok_or_else(|| damaged("a frame of no known sort"))?;
    let (key, value) = split(payload).ok_or_else(|| damaged("a row without a key"))?;
    let row = StoredRow::read(table, key, value)?.ok_or_else(|| damaged("a row that is not copied"))?;
    let body = match &row {
        StoredRow::Record(_, record) => Some(&record.body),
        StoredRow::Event(event) => Some(&event.body),
        StoredRow::Operation(_, operation) => Some(&operation.receipt.outcome),
        StoredRow::Head(..)
        | StoredRow::Counter(..)
        | StoredRow::Transfer(_)
        | StoredRow::Tally { .. }
        | StoredRow::House(..) => None,
    };
    let fine = |body: &Body| std::str::from_utf8(body.as_bytes()).is_ok_and(|text| Body::from_text(text).is_ok());
    if body.is_some_and(|body| !fine(body)) {
        return Err(damaged("a document that no store could keep"));
    }
    Ok(row)
}

/// Key and value of a row.
fn split(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut shift, mut rest) = (0_usize, 0, payload);
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return rest.split_at_checked(length);
        }
        shift += 7;
        if shift > 21 {
            return None;
        }
    }
}
