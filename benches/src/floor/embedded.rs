//! The floor of redb: what the raw engine does with a fixed small payload, in groups as large as those that were seen.
//!
//! Four rows of 100 bytes, key and value, per operation, in one table, in the order of their random keys; the same
//! durability, quick repair and cache as the store has, in the same directory.

#![allow(clippy::disallowed_methods, reason = "measuring is what this program is for")]
#![allow(clippy::float_arithmetic, reason = "rates, not money")]

use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Database, Durability, TableDefinition};
use smscode_core::port::Entropy;
use smscode_providers::clock::OsEntropy;
use smscode_storage_redb::RedbOptions;

use crate::Failure;

const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("floor");
const ROWS: usize = 4;
const KEY_BYTES: usize = 20;
const VALUE_BYTES: usize = 80;

pub(crate) struct Embedded {
    database: Database,
    quick_repair: bool,
}

impl Embedded {
    pub(crate) fn open(dir: &Path) -> Result<Self, Failure> {
        let options = RedbOptions::default();
        let mut builder = Database::builder();
        builder.set_cache_size(options.cache_bytes);
        Ok(Self { database: builder.create(dir.join("floor.redb"))?, quick_repair: options.quick_repair })
    }

    /// Writes groups of so many operations for so long; how many operations, and the seconds they took. Blocks.
    pub(crate) fn run(&self, group: usize, time: Duration) -> Result<(u64, f64), Failure> {
        let begun = Instant::now();
        let mut operations = 0;
        while operations == 0 || begun.elapsed() < time {
            self.commit(group)?;
            operations += group as u64;
        }
        Ok((operations, begun.elapsed().as_secs_f64()))
    }

    fn commit(&self, group: usize) -> Result<(), Failure> {
        let mut random = vec![0; group * ROWS * KEY_BYTES];
        OsEntropy.fill(&mut random);
        let mut keys: Vec<&[u8]> = random.chunks_exact(KEY_BYTES).collect();
        keys.sort_unstable();
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_quick_repair(self.quick_repair);
        {
            let mut table = transaction.open_table(TABLE)?;
            for key in keys {
                table.insert(key, [0_u8; VALUE_BYTES].as_slice())?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
