//! A disk that loses what was not synced, tears what was being written, and runs full.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::RedbOptions;
use crate::open::{Opener, open_backend};

/// Numbers from a seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % sides
    }
}

/// What a disk writes at once.
const SECTOR: usize = 512;

#[derive(Debug)]
enum Pending {
    Length(usize),
    Write(usize, Vec<u8>),
}

#[derive(Debug)]
struct State {
    dice: Dice,
    /// What a program sees.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    synced: Vec<u8>,
    pending: Vec<Pending>,
    /// Accesses that change something until the power is cut.
    power: Option<u64>,
    dead: bool,
    full: bool,
    /// How far it was ever written: there the disk has room.
    written: usize,
    syncs: u64,
    growths: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Disk(Arc<Mutex<State>>);

fn apply(image: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if image.len() < offset + data.len() {
        image.resize(offset + data.len(), 0);
    }
    image[offset..offset + data.len()].copy_from_slice(data);
}

impl State {
    /// Counts an access; when the power goes, an unsynced write is kept, lost or torn at a sector, each by chance.
    fn access(&mut self) -> Result<()> {
        match self.power {
            _ if self.dead => return Err(Error::other("no power")),
            Some(0) => {}
            Some(left) => {
                self.power = Some(left - 1);
                return Ok(());
            }
            None => return Ok(()),
        }
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Length(length) if self.dice.roll(2) == 0 => self.synced.resize(length, 0),
                Pending::Length(_) => {}
                Pending::Write(offset, data) => {
                    let luck = self.dice.roll(3);
                    let mut at = 0;
                    while at < data.len() {
                        let end = data.len().min((offset + at) / SECTOR * SECTOR + SECTOR - offset);
                        if luck == 0 || luck == 1 && self.dice.roll(2) == 0 {
                            apply(&mut self.synced, offset + at, &data[at..end]);
                        }
                        at = end;
                    }
                }
            }
        }
        self.dead = true;
        Err(Error::other("no power"))
    }
}

impl Disk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            dice: Dice(seed),
            seen: Vec::new(),
            synced: Vec::new(),
            pending: Vec::new(),
            power: None,
            dead: false,
            full: false,
            written: 0,
            syncs: 0,
            growths: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Cuts the power after so many changing accesses.
    pub(super) fn cut_power_after(&self, accesses: u64) {
        self.lock().power = Some(accesses);
    }

    /// Power is back: what was not synced may be gone.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        if !state.dead {
            state.power = Some(0);
            state.access().unwrap_err();
        }
        (state.dead, state.power) = (false, None);
        state.seen = state.synced.clone();
    }

    pub(super) fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    pub(super) fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// How often it was made longer.
    pub(super) fn growths(&self) -> u64 {
        self.lock().growths
    }

    pub(super) fn opener(&self, options: &RedbOptions) -> Opener {
        let (disk, cache_bytes) = (self.clone(), options.cache_bytes);
        Box::new(move || open_backend(disk.clone(), cache_bytes))
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.lock().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let state = self.lock();
        if state.dead {
            return Err(Error::other("no power"));
        }
        let from = offset as usize;
        let part = state.seen.get(from..from + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut state = self.lock();
        state.access()?;
        state.growths += u64::from(len as usize > state.seen.len());
        state.seen.resize(len as usize, 0);
        state.pending.push(Pending::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.lock();
        state.access()?;
        state.syncs += 1;
        state.pending.clear();
        state.synced = state.seen.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut state = self.lock();
        state.access()?;
        let (from, end) = (offset as usize, offset as usize + data.len());
        if state.full && end > state.written {
            return Err(ErrorKind::StorageFull.into());
        }
        state.written = state.written.max(end);
        apply(&mut state.seen, from, data);
        state.pending.push(Pending::Write(from, data.to_vec()));
        Ok(())
    }
}
