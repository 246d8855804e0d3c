//! A disk that is full. Only root can mount a small one; for others this is said, and nothing is checked.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use smscode_core::store::{Body, Effect, Entry, Expect, Key, LoadKey, Store};
use smscode_storage_postgres::{PostgresOptions, PostgresStore};
use smscode_test_postgres::{Cluster, ClusterOptions};

use crate::common::{THING, commit, effects, numbered, open, owner, plain, set, single, unavailable};

/// A disk of a few megabytes in memory, which goes with this value.
struct Disk(PathBuf);

impl Disk {
    /// None if this user may not mount.
    fn mount(owner_of: &Path, megabytes: u32) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("smscode-full-disk-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        let size = format!("size={megabytes}m");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).output();
        if !mounted.is_ok_and(|mount| mount.status.success()) {
            std::fs::remove_dir(&folder).unwrap();
            return None;
        }
        let whose = std::fs::metadata(owner_of).unwrap();
        chown(&folder, Some(whose.uid()), Some(whose.gid())).unwrap();
        Some(Self(folder))
    }

    fn resize(&self, megabytes: u32) {
        let option = format!("remount,size={megabytes}m");
        assert!(Command::new("mount").args(["-o", &option]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
        let _gone = std::fs::remove_dir(&self.0);
    }
}

fn large(n: u64) -> Arc<smscode_core::store::ChangeSet> {
    let put = |part: u64| {
        // no two parts are alike, so that the server cannot make them small
        let text: String = (0..3_000_u64)
            .map(|m| format!("{:016x}", (n * 7 + part + m).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        let key = Key::owned(THING, owner(9), [n.to_be_bytes(), part.to_be_bytes()].concat());
        Entry::Put {
            key,
            expect: Expect::Absent,
            version: 1,
            body: Body::from_text(&format!("\"{text}\"")).unwrap(),
            terms: Vec::new(),
        }
    };
    set((0..8).map(put))
}

#[tokio::test]
async fn a_full_disk_refuses_commits_and_goes_on_when_there_is_room() {
    let cluster = Cluster::start(&ClusterOptions { fsync: false, ..ClusterOptions::default() });
    let Some(disk) = Disk::mount(&cluster.data_dir(), 24) else {
        println!("not checked: this user may not mount a small disk to fill");
        return;
    };
    let place = format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.display());
    cluster.sql("postgres", &place).await;
    cluster.sql("postgres", "CREATE DATABASE full_one TABLESPACE small TEMPLATE template0").await;
    let url = cluster.url("full_one");
    let store: PostgresStore = open(&url, PostgresOptions::default()).await;
    commit(&store, &numbered(owner(1), 0)).await.unwrap();
    let (mut n, mut refused) = (0, Vec::new());
    while refused.len() < 3 {
        let set = large(n);
        n += 1;
        assert!(n < 200, "24 MB are full some time");
        if let Err(error) = commit(&store, &set).await {
            refused.push((set, error));
        }
    }
    for (_, error) in &refused {
        assert_eq!(error.code(), "store_unavailable", "{error}");
        let (effect, reason) = unavailable::<()>(Err(error.clone()));
        assert_eq!(effect, Effect::No, "{reason}");
        assert!(reason.contains("no room on its disk"), "{reason}");
        plain(&reason);
    }
    // reading goes on, for this store and for one that is opened now
    store.load(&[LoadKey::Head(owner(1))]).await.unwrap();
    open(&url, single()).await.describe().await.unwrap();
    disk.resize(64);
    for (set, _) in &refused {
        assert!(!commit(&store, set).await.unwrap().replayed, "nothing of it was done");
    }
    commit(&store, &numbered(owner(1), 1)).await.unwrap();
    assert_eq!(effects(&store, owner(1)).await, 2);
    store.close().await;
    cluster.sql("postgres", "DROP DATABASE full_one WITH (FORCE)").await;
    println!("full after {n} ChangeSets of 390 KB");
}
