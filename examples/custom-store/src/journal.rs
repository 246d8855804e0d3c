//! The file: a name, a format, and one frame for each group, so that a group is there as a whole or not at all.

use std::fs::{File, TryLockError};
use std::io::{Error, Read, Seek, SeekFrom, Write};
use std::path::Path;

use smscode_core::store::{Effect, StoreError};

use crate::map::{Map, Row};
use crate::{STORE, unavailable};

/// Version of the file's form.
pub(crate) const FORMAT: u64 = 1;

/// What a file begins with; then the format as eight bytes, big-endian.
const NAME: &[u8] = b"smscode journal\n";

pub(crate) struct Journal {
    file: File,
    /// A write failed, so nobody knows how the file ends.
    failed: bool,
}

impl Journal {
    /// Opens a file, or makes it, and reads all of it. What a crash left of the last frame was never answered: it is
    /// cut off.
    pub(crate) fn open(path: &Path) -> Result<(Self, Map), StoreError> {
        let mut how = File::options();
        how.read(true).write(true).create(true).truncate(false);
        let mut file = how.open(path).map_err(|error| io(Effect::No, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(unavailable(Effect::No, "the file is in use; it has one user at a time"));
            }
            Err(TryLockError::Error(error)) => return Err(io(Effect::No, &error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| io(Effect::No, &error))?;
        let (map, end) = read(&bytes)?;
        // the cursor stays where the next frame begins
        let cut = file.set_len(end as u64).and_then(|()| file.seek(SeekFrom::End(0)));
        let begun = cut.and_then(|_| if end == 0 { file.write_all(&head()) } else { Ok(()) });
        begun.and_then(|()| file.sync_all()).map_err(|error| io(Effect::No, &error))?;
        // a new file has its name for certain once its folder is synced; not every system can
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        drop(File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()));
        Ok((Self { file, failed: false }, map))
    }

    /// Writes a group and waits until the disk has it. After an error nobody knows whether it has: the callers are told
    /// so, and nothing more is written, since it might stand behind half a frame.
    pub(crate) fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(unavailable(Effect::No, "a write has failed; open the store again"));
        }
        let written = self.file.write_all(&frame(rows)).and_then(|()| self.file.sync_data());
        written.map_err(|error| io(Effect::Unknown, &error))?;
        self.failed = false;
        Ok(())
    }
}

fn io(effect: Effect, error: &Error) -> StoreError {
    unavailable(effect, error.to_string())
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

fn head() -> Vec<u8> {
    [NAME, &FORMAT.to_be_bytes()].concat()
}

/// All rows in a file, and where it ends; 0 if it was not even begun.
fn read(bytes: &[u8]) -> Result<(Map, usize), StoreError> {
    let mut map = Map::default();
    if head().starts_with(bytes) && bytes.len() < head().len() {
        return Ok((map, 0));
    }
    let Some((found, mut rest)) = bytes.strip_prefix(NAME).and_then(<[u8]>::split_first_chunk) else {
        return Err(corrupt("a file of another program; it was left as it is"));
    };
    let found = u64::from_be_bytes(*found);
    if found != FORMAT {
        let advice = "start the version of the program that wrote it, or a newer one".to_owned();
        return Err(StoreError::Format { store: STORE, found, known: FORMAT, advice });
    }
    while !rest.is_empty() {
        let mut after = rest;
        match read_frame(&mut after) {
            Some(rows) => map.apply(rows),
            // what a crash leaves is the last frame, or room that was never filled
            None if after.is_empty() || rest.iter().all(|byte| *byte == 0) => break,
            None => return Err(corrupt("a damaged frame with others behind it; the file was left as it is")),
        }
        rest = after;
    }
    Ok((map, bytes.len() - rest.len()))
}

/// Length and checksum of what follows; then of each row the length of its key, of its value (and one; nothing is
/// 0), key and value.
fn frame(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in rows {
        put_length(&mut out, key.len());
        put_length(&mut out, value.as_ref().map_or(0, |value| value.len() + 1));
        out.extend_from_slice(key);
        out.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    [&(out.len() as u32).to_le_bytes()[..], &checksum(&out), &out].concat()
}

/// Reads a frame; leaves what is behind it. A frame that is not whole reaches to the end.
fn read_frame(rest: &mut &[u8]) -> Option<Vec<Row>> {
    let (bytes, sum) = (read_length(rest), take(rest, 8));
    let mut frame = take(rest, bytes.unwrap_or(usize::MAX))?;
    let mut rows = Vec::new();
    if checksum(frame) != *sum? {
        return None;
    }
    while !frame.is_empty() {
        let (key, value) = (read_length(&mut frame)?, read_length(&mut frame)?);
        let key = take(&mut frame, key)?.to_vec();
        let value = value.checked_sub(1).map(|bytes| Some(take(&mut frame, bytes)?.to_vec()));
        rows.push((key, value.flatten()));
    }
    Some(rows)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u32).to_le_bytes());
}

fn read_length(rest: &mut &[u8]) -> Option<usize> {
    take(rest, 4)?.try_into().ok().map(|bytes| u32::from_le_bytes(bytes) as usize)
}

/// So many bytes of what is left; all of it is gone if there are fewer.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (first, after) = rest.split_at_checked(count).map_or((None, &[][..]), |(first, after)| (Some(first), after));
    *rest = after;
    first
}

/// FNV-1a: finds what a crash left half written. It is no guard against somebody who means harm.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, step).to_le_bytes()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_write_that_fails_is_unknown_and_the_last_one() {
        let file = File::options().write(true).open("/dev/full").unwrap();
        let mut journal = Journal { file, failed: false };
        let mut effect = || match journal.append(&[(vec![1], None)]) {
            Err(StoreError::Unavailable { effect, .. }) => Some(effect),
            _ => None,
        };
        assert_eq!((effect(), effect()), (Some(Effect::Unknown), Some(Effect::No)));
    }
}
