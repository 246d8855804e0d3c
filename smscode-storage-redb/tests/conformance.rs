//! The conformance suite on the store in a file.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the macro draws a fresh seed")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use smscode_core::conformance::{Excuse, Fixture, PortableFixture};
use smscode_core::store::copy::Portable;
use smscode_core::store::{Store, StoreError};
use smscode_storage_redb::{RedbOptions, RedbStore};

/// A store with a folder of its own.
struct Embedded {
    store: Arc<RedbStore>,
    folder: Folder,
    options: RedbOptions,
    crashes: u32,
}

struct Folder(PathBuf);

impl Folder {
    fn file(&self, crashes: u32) -> PathBuf {
        self.0.join(format!("{crashes}.redb"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const ALONE: &str = "a file has one process at a time";

#[async_trait]
impl Fixture for Embedded {
    async fn open(group_max: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("smscode-redb-suite-{}-{unique}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        let options = RedbOptions { group_max, cache_bytes: 4 << 20, ..RedbOptions::default() };
        Self { store: Arc::new(RedbStore::open(folder.file(0), options.clone()).unwrap()), folder, options, crashes: 0 }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Goes on with the file as it is at this moment, as if the process had been killed: never closed, perhaps half
    /// through a commit.
    async fn reopen(mut self) -> Result<Self, StoreError> {
        let (before, after) = (self.folder.file(self.crashes), self.folder.file(self.crashes + 1));
        std::fs::copy(&before, &after).unwrap();
        self.store = Arc::new(RedbStore::open(&after, self.options.clone())?);
        self.crashes += 1;
        std::fs::remove_file(before).unwrap();
        Ok(self)
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        std::fs::read(self.folder.file(self.crashes)).unwrap()
    }

    async fn second(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn excuses() -> &'static [Excuse] {
        const EXCUSES: &[Excuse] = &[
            Excuse { case: "rule_10_a_second_node_sees_what_returned", reason: ALONE },
            Excuse { case: "rule_10_twins_at_two_nodes_have_one_winner", reason: ALONE },
            Excuse { case: "rule_10_two_nodes_share_money_and_caps", reason: ALONE },
            Excuse { case: "rule_10_crossed_locks_all_end", reason: ALONE },
        ];
        EXCUSES
    }
}

impl PortableFixture for Embedded {
    fn portable(&self) -> Arc<dyn Portable> {
        self.store.clone()
    }
}

smscode_core::conformance_suite!(Embedded);
smscode_core::copying_suite!(Embedded);
