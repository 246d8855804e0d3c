//! Files that cannot be opened: a clear error each, and the file as it was.

use std::fs;
use std::path::Path;

use redb::{Database, TableDefinition};
use smscode_core::store::{LoadKey, Store, StoreError};
use smscode_core::time::Timestamp;

use super::disk::Dice;
use super::{Folder, order, order_key, owner};
use crate::tables::{FORMAT_KEY, META};
use crate::{RedbOptions, RedbStore};

fn refusal(path: &Path) -> StoreError {
    let before = fs::read(path).ok();
    let error = RedbStore::open(path, RedbOptions::default()).unwrap_err();
    assert_eq!(fs::read(path).ok(), before, "the file was left as it was");
    error
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = Folder::new();
    let cases: [(&str, Vec<u8>); 4] = [
        ("text", b"dear diary".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("sqlite", b"SQLite format 3\0".repeat(1_000)),
        ("short", vec![b'r']),
    ];
    for (name, content) in cases {
        let path = folder.0.join(name);
        fs::write(&path, content).unwrap();
        assert_eq!(
            refusal(&path).to_string(),
            format!(
                "the store redb holds something unreadable: {name} is not a file of this store; it was left as it \
                 is, name another file"
            )
        );
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = Folder::new();
    let numbers: TableDefinition<'_, u64, u64> = TableDefinition::new("numbers");
    let same_name: TableDefinition<'_, u64, u64> = TableDefinition::new("meta");
    for (name, table) in [("a", numbers), ("b", same_name)] {
        let path = folder.0.join(name);
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert(1, 1).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let error = RedbStore::open(&path, RedbOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the store redb holds something unreadable: {name}: a database of another program; it was left as it \
                 is, name another file"
            )
        );
    }
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let folder = Folder::new();
    drop(RedbStore::open(folder.file(), RedbOptions::default()).unwrap());
    let database = Database::open(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert(FORMAT_KEY, 7).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStore::open(folder.file(), RedbOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Format { found: 7, known: 1, .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the store redb has format 7, this program reads up to 1: start the version of the program that wrote it, or a \
         newer one; the file was left as it is"
    );
}

#[test]
fn a_file_in_use_is_refused_by_name() {
    let folder = Folder::new();
    let first = RedbStore::open(folder.file(), RedbOptions::default()).unwrap();
    let error = RedbStore::open(folder.file(), RedbOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store redb is unavailable (effect: No): orders.redb is in use by another process (or opened twice by this \
         one); a file has one user at a time"
    );
    drop(first);
    RedbStore::open(folder.file(), RedbOptions::default()).unwrap();
}

#[test]
fn places_where_no_file_can_be_are_named() {
    let folder = Folder::new();
    let missing = refusal(&folder.0.join("nowhere/orders.redb")).to_string();
    assert!(missing.contains("orders.redb: No such file or directory"), "{missing}");
    let error = refusal(&folder.0).to_string();
    assert!(error.contains("directory"), "{error}");
}

#[test]
fn making_a_file_leaves_nothing_beside_it_and_keeps_it_private() {
    let folder = Folder::new();
    drop(RedbStore::open(folder.file(), RedbOptions::default()).unwrap());
    let names: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["orders.redb"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // a file that somebody made empty beforehand is taken
    fs::write(folder.0.join("empty"), b"").unwrap();
    drop(RedbStore::open(folder.0.join("empty"), RedbOptions::default()).unwrap());
}

/// Several at once find one file, and one of them has it.
#[test]
fn making_a_file_at_the_same_time_is_no_race() {
    for _ in 0..20 {
        let folder = Folder::new();
        let path = folder.file();
        let opened = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..4).map(|_| scope.spawn(|| RedbStore::open(&path, RedbOptions::default()))).collect();
            let results: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
            for error in results.iter().filter_map(|result| result.as_ref().err()) {
                assert!(error.to_string().contains("in use"), "{error}");
            }
            results.iter().filter(|result| result.is_ok()).count()
        });
        assert_eq!(opened, 1);
    }
}

/// Damage ends in an error or goes unnoticed, never in a hang or a dead process.
#[test]
fn a_damaged_file_is_an_error_or_reads_on() {
    let seed = 11;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let folder = Folder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = RedbStore::open(folder.file(), RedbOptions::default()).unwrap();
    runtime.block_on(async {
        for number in 0..50 {
            store.commit(order(owner(1), number, Timestamp(number as i64))).await.unwrap();
        }
    });
    store.close();
    let whole = fs::read(folder.file()).unwrap();
    let mut refused = 0;
    for _ in 0..60 {
        let mut damaged = whole.clone();
        if dice.roll(4) == 0 {
            damaged.truncate(dice.roll(whole.len() as u64) as usize);
        }
        for _ in 0..=dice.roll(40) {
            if let Some(at) = (dice.roll(whole.len() as u64) as usize).checked_rem(damaged.len()) {
                damaged[at] = dice.roll(256) as u8;
            }
        }
        let path = folder.0.join("damaged.redb");
        fs::write(&path, damaged).unwrap();
        let Ok(store) = RedbStore::open(&path, RedbOptions::default()) else {
            refused += 1;
            continue;
        };
        runtime.block_on(async {
            for number in 0..50 {
                drop(store.load(&[LoadKey::Record(order_key(owner(1), number))]).await);
            }
            drop(store.totals().await);
            drop(store.commit(order(owner(1), 99, Timestamp(99))).await);
        });
    }
    assert!(refused > 0);
}
