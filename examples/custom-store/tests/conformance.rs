//! The conformance suite on the toy store.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the macro draws a fresh seed")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use custom_store::JournalStore;
use smscode_core::conformance::{Excuse, Fixture};
use smscode_core::store::{Store, StoreError};

/// A store with a file of its own.
struct Journalled {
    store: Arc<JournalStore>,
    file: TempFile,
    group_max: usize,
}

struct TempFile(PathBuf);

impl TempFile {
    fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("custom-store-suite-{}-{unique}", std::process::id())))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

const ALONE: &str = "a journal has one process at a time";

#[async_trait]
impl Fixture for Journalled {
    async fn open(group_max: usize) -> Self {
        let file = TempFile::fresh();
        Self { store: Arc::new(JournalStore::open(&file.0, group_max).unwrap()), file, group_max }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Goes on with the file as it is at this moment, as if the process had been killed: never closed, perhaps half
    /// through a frame.
    async fn reopen(self) -> Result<Self, StoreError> {
        let file = TempFile::fresh();
        std::fs::copy(&self.file.0, &file.0).unwrap();
        Ok(Self { store: Arc::new(JournalStore::open(&file.0, self.group_max)?), file, group_max: self.group_max })
    }

    async fn raw_bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file.0).unwrap()
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

smscode_core::conformance_suite!(Journalled);
