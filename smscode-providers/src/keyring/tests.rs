#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "creators race in threads")]

use std::sync::{Arc, Barrier};

use super::*;

fn key(byte: u8) -> EpochKey {
    EpochKey::new([byte; KEY_BYTES])
}

fn bytes(key: &EpochKey) -> [u8; KEY_BYTES] {
    *key.bytes()
}

fn keyring() -> (tempfile::TempDir, FileKeyring) {
    let temp = tempfile::tempdir().unwrap();
    let keyring = FileKeyring::open(temp.path().join("keys")).unwrap();
    (temp, keyring)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn keys_stand_and_survive_reopening() {
    let (_temp, keyring) = keyring();
    assert_eq!(bytes(&keyring.root(key(1)).await.unwrap()), [1; 32]);
    assert_eq!(bytes(&keyring.root(key(2)).await.unwrap()), [1; 32], "the first root stands");
    assert_eq!(bytes(&keyring.add(EpochId(1_200), key(3)).await.unwrap()), [3; 32]);
    assert_eq!(bytes(&keyring.add(EpochId(600), key(4)).await.unwrap()), [4; 32]);
    assert_eq!(bytes(&keyring.add(EpochId(600), key(5)).await.unwrap()), [4; 32], "the first epoch key stands");

    let again = FileKeyring::open(&keyring.dir).unwrap();
    let epochs: Vec<_> = again.epochs().await.unwrap().into_iter().map(|(id, key)| (id.0, bytes(&key)[0])).collect();
    assert_eq!(epochs, [(600, 4), (1_200, 3)], "oldest first, without the root");
    assert_eq!(mode(&keyring.dir), 0o700);
    for name in ["root.key", "epoch-600.key", "epoch-1200.key"] {
        assert_eq!(mode(&keyring.dir.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&keyring.dir).unwrap().count(), 3, "nothing unfinished stays");
}

#[tokio::test]
async fn a_destroyed_key_is_overwritten_and_gone_and_destroying_again_is_fine() {
    let (_temp, keyring) = keyring();
    keyring.add(EpochId(600), key(7)).await.unwrap();
    keyring.add(EpochId(1_200), key(8)).await.unwrap();
    let path = keyring.dir.join("epoch-600.key");
    let mut open_before = File::open(&path).unwrap();

    keyring.destroy(EpochId(600)).await.unwrap();
    keyring.destroy(EpochId(600)).await.unwrap();
    assert!(!path.exists());
    let mut left = Vec::new();
    open_before.read_to_end(&mut left).unwrap();
    assert_eq!(left, [0_u8; 32], "the bytes on disk are zeros, not only unlinked");
    assert_eq!(keyring.epochs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn others_must_not_be_able_to_read() {
    let (_temp, keyring) = keyring();
    keyring.add(EpochId(600), key(7)).await.unwrap();
    let path = keyring.dir.join("epoch-600.key");
    for bits in [0o640, 0o604, 0o620, 0o601] {
        set_mode(&path, bits);
        assert!(matches!(keyring.epochs().await, Err(KeyringError::NotPrivate(_))), "{bits:o}");
        assert!(matches!(keyring.add(EpochId(600), key(1)).await, Err(KeyringError::NotPrivate(_))), "{bits:o}");
    }
    set_mode(&path, 0o600);
    assert_eq!(keyring.epochs().await.unwrap().len(), 1);
    for bits in [0o750, 0o705, 0o710] {
        set_mode(&keyring.dir, bits);
        assert!(matches!(keyring.epochs().await, Err(KeyringError::NotPrivate(_))), "{bits:o}");
        assert!(matches!(keyring.root(key(1)).await, Err(KeyringError::NotPrivate(_))), "{bits:o}");
        assert!(matches!(FileKeyring::open(&keyring.dir), Err(KeyringError::NotPrivate(_))), "{bits:o}");
    }
}

#[tokio::test]
async fn damaged_and_foreign_files() {
    let (_temp, keyring) = keyring();
    keyring.add(EpochId(600), key(7)).await.unwrap();
    fs::write(keyring.dir.join("notes.txt"), "not ours").unwrap();
    fs::write(keyring.dir.join("epoch-x.key"), "not ours").unwrap();
    assert_eq!(keyring.epochs().await.unwrap().len(), 1);

    // a crash between overwriting and unlinking leaves zeros: no key
    let zeros = keyring.dir.join("epoch-1200.key");
    fs::write(&zeros, [0_u8; 32]).unwrap();
    set_mode(&zeros, 0o600);
    assert_eq!(keyring.epochs().await.unwrap().len(), 1);
    keyring.destroy(EpochId(1_200)).await.unwrap();

    fs::write(keyring.dir.join("epoch-600.key"), [1_u8; 31]).unwrap();
    let Err(KeyringError::Unavailable(text)) = keyring.epochs().await else { panic!("half a key is no key") };
    assert_eq!(text, "epoch-600.key has 31 bytes instead of 32");

    let file = keyring.dir.join("notes.txt");
    assert!(matches!(FileKeyring::open(file), Err(KeyringError::Unavailable(_))));
}

#[tokio::test]
async fn a_crash_while_creating_leaves_no_bytes_and_harms_no_standing_key() {
    let (_temp, keyring) = keyring();
    keyring.root(key(9)).await.unwrap();
    // crashed after the link: the unfinished file is the standing key; crashed before: it is a key of nobody
    fs::hard_link(keyring.dir.join("root.key"), keyring.dir.join("1-1.unfinished")).unwrap();
    let orphan = keyring.dir.join("1-2.unfinished");
    fs::write(&orphan, [5_u8; 32]).unwrap();
    let mut open_before = File::open(&orphan).unwrap();

    let again = FileKeyring::open(&keyring.dir).unwrap();
    assert_eq!(fs::read_dir(&keyring.dir).unwrap().count(), 1);
    assert_eq!(bytes(&again.root(key(1)).await.unwrap()), [9; 32]);
    let mut left = Vec::new();
    open_before.read_to_end(&mut left).unwrap();
    assert_eq!(left, [0_u8; 32]);
}

#[test]
fn of_many_creators_one_key_stands_for_all_also_while_others_open() {
    let (_temp, keyring) = keyring();
    let keyring = Arc::new(keyring);
    for round in 0..20_i64 {
        let barrier = Arc::new(Barrier::new(8));
        let creators: Vec<_> = (1..=8_u8)
            .map(|byte| {
                let (keyring, barrier) = (Arc::clone(&keyring), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    if byte == 8 {
                        FileKeyring::open(&keyring.dir).unwrap();
                    }
                    bytes(&keyring.read_or_create(&file_name(EpochId(round)), &key(byte)).unwrap())
                })
            })
            .collect();
        let seen: Vec<_> = creators.into_iter().map(|creator| creator.join().unwrap()).collect();
        assert!(seen.iter().all(|bytes| *bytes == seen[0] && bytes[0] != 0), "round {round}: {seen:?}");
    }
}
