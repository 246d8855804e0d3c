//! The conformance suite on the toy store.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the macro draws a fresh seed")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use custom_store::JournalStore as MyStore;
use smscode_core::conformance::{Excuse, Fixture};
use smscode_core::store::{Store, StoreError};

struct Mine {
    store: Arc<MyStore>,
    file: TempFile,
    group_max: usize,
}

/// A name of its own for each store: many cases run at once.
struct TempFile(PathBuf);

impl TempFile {
    fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("my-suite-{}-{unique}", std::process::id())))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[async_trait]
impl Fixture for Mine {
    async fn open(group_max: usize) -> Self {
        let file = TempFile::fresh();
        Self { store: Arc::new(MyStore::open(&file.0, group_max).unwrap()), file, group_max }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Goes on with the file as it is at this moment, as if the process had been killed: never closed, perhaps half
    /// through a write.
    async fn reopen(self) -> Result<Self, StoreError> {
        let file = TempFile::fresh();
        std::fs::copy(&self.file.0, &file.0).unwrap();
        Ok(Self { store: Arc::new(MyStore::open(&file.0, self.group_max)?), file, group_max: self.group_max })
    }

    /// Every file: data, log, what lies beside. The suite looks in it for what must not be there.
    async fn raw_bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file.0).unwrap()
    }

    /// Another handle to the same data, as a second process has it.
    async fn second(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn excuses() -> &'static [Excuse] {
        const ALONE: &str = "a journal has one process at a time";
        const EXCUSES: &[Excuse] = &[
            Excuse { case: "rule_10_a_second_node_sees_what_returned", reason: ALONE },
            Excuse { case: "rule_10_twins_at_two_nodes_have_one_winner", reason: ALONE },
            Excuse { case: "rule_10_two_nodes_share_money_and_caps", reason: ALONE },
            Excuse { case: "rule_10_crossed_locks_all_end", reason: ALONE },
        ];
        EXCUSES
    }
}

smscode_core::conformance_suite!(Mine);
