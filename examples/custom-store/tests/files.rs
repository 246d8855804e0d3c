//! Files that are not as the store left them: each is read on or refused with a clear error, and nothing that was
//! answered is lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_store::JournalStore;
use smscode_core::conformance::{Failure, run};
use smscode_core::store::{Body, ChangeSet, Entry, LoadKey, OperationId, Owner, Store, StoreError};
use smscode_core::time::Timestamp;

const ACCOUNT: Owner = Owner([1; 16]);

struct TempFile(PathBuf);

impl TempFile {
    fn of(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("custom-store-files-{}-{name}", std::process::id())))
    }

    fn with(name: &str, bytes: &[u8]) -> Self {
        let file = Self::of(name);
        std::fs::write(&file.0, bytes).unwrap();
        file
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn open(file: &TempFile) -> Result<JournalStore, StoreError> {
    JournalStore::open(&file.0, 64)
}

/// Appends an event, the only one of its ChangeSet.
fn append(store: &JournalStore, n: u8) -> Result<(), Failure> {
    let mut set = ChangeSet::new(OperationId([n; 16]), Timestamp::EPOCH);
    set.push(Entry::Append { owner: ACCOUNT, body: Body::empty() });
    run(async { Ok(store.commit(Arc::new(set.seal(Body::empty()))).await.map(drop)?) })
}

fn events(store: &JournalStore) -> u64 {
    run(async { Ok(store.load(&[LoadKey::Head(ACCOUNT)]).await?.head(ACCOUNT).last_event) }).unwrap()
}

/// The bytes after the first and after the second commit.
fn journal(name: &str) -> (Vec<u8>, Vec<u8>) {
    let file = TempFile::of(name);
    let store = open(&file).unwrap();
    append(&store, 1).unwrap();
    let first = std::fs::read(&file.0).unwrap();
    append(&store, 2).unwrap();
    (first, std::fs::read(&file.0).unwrap())
}

#[test]
fn half_a_frame_is_cut_off_and_the_next_one_stands() {
    let (first, both) = journal("torn-source");
    for length in first.len()..both.len() {
        let file = TempFile::with("torn", &both[..length]);
        let store = open(&file).unwrap();
        assert_eq!(events(&store), 1, "{length} bytes");
        append(&store, 3).unwrap();
        drop(store);
        assert_eq!(events(&open(&file).unwrap()), 2, "{length} bytes");
    }
    // room that the file system gave but nobody filled
    let file = TempFile::with("unfilled", &[&first[..], &[0; 4_096]].concat());
    assert_eq!(events(&open(&file).unwrap()), 1);
}

#[test]
fn a_beginning_that_was_never_finished_is_begun_again() {
    let (first, _) = journal("begun-source");
    for length in 0..24 {
        let file = TempFile::with("begun", &first[..length.min(first.len())]);
        let store = open(&file).unwrap();
        append(&store, 1).unwrap();
        drop(store);
        assert_eq!(events(&open(&file).unwrap()), 1, "{length} bytes");
    }
}

#[test]
fn damage_inside_is_refused_and_left_as_it_is() {
    let (first, both) = journal("damaged-source");
    for at in [first.len() - 1, first.len() - 20] {
        let mut bytes = both.clone();
        bytes[at] ^= 1;
        let file = TempFile::with("damaged", &bytes);
        assert_eq!(open(&file).map(drop).unwrap_err().code(), "store_corrupt");
        assert_eq!(std::fs::read(&file.0).unwrap(), bytes);
    }
}

#[test]
fn what_is_not_ours_or_newer_is_refused_and_left_as_it_is() {
    let (first, _) = journal("newer-source");
    let mut newer = first;
    newer[23] = 2;
    for (bytes, code) in [(&b"#!/bin/sh\necho not a journal\n"[..], "store_corrupt"), (&newer, "store_format")] {
        let file = TempFile::with("foreign", bytes);
        assert_eq!(open(&file).map(drop).unwrap_err().code(), code);
        assert_eq!(std::fs::read(&file.0).unwrap(), bytes);
    }
    let nowhere = JournalStore::open(Path::new("/no-such-folder/x.journal"), 1);
    assert_eq!(nowhere.map(drop).unwrap_err().code(), "store_unavailable");
}

#[test]
fn a_file_has_one_user_at_a_time() {
    let file = TempFile::of("shared");
    let store = open(&file).unwrap();
    assert_eq!(open(&file).map(drop).unwrap_err().code(), "store_unavailable");
    append(&store, 1).unwrap();
    drop(store);
    assert_eq!(events(&open(&file).unwrap()), 1, "dropped, it lets the file go");
}
