//! Where clusters lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ports::random_hex;

/// Memory with the face of a folder, on Linux.
const IN_MEMORY: &str = "/dev/shm";
/// Least space to use it with: a few hundred MiB for 17 databases and the log, and what tests put in.
const ENOUGH_KIB: u64 = 2 * 1024 * 1024;

/// In memory where there is enough of it, otherwise in the temporary directory.
///
/// A database is 300 files. Measured with 600 databases created and dropped: 20 s in memory, 130 s on ext4 without a journal, which for minutes
/// after many files were deleted looks for a long time at each new one.
pub(crate) fn unsynced() -> PathBuf {
    let folder = Path::new(IN_MEMORY);
    if available_kib(folder).is_some_and(|kib| kib >= ENOUGH_KIB) { folder.to_owned() } else { std::env::temp_dir() }
}

/// A path that nobody has used. The folder is made by the guardian: a test process killed right after making it would leave it behind.
pub(crate) fn fresh(root: &Path) -> PathBuf {
    root.join(format!("smscode-postgres-{}-{}", std::process::id(), random_hex()))
}

fn available_kib(folder: &Path) -> Option<u64> {
    let said = Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|said| said.status.success())?;
    fourth_of_second_line(&String::from_utf8(said.stdout).ok()?)
}

/// POSIX's `df -P`: a heading, then file system, size, used, available.
fn fourth_of_second_line(said: &str) -> Option<u64> {
    said.lines().nth(1)?.split_ascii_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_read() {
        let said =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 12318468 24 12318444 1% /dev/shm\n";
        assert_eq!(fourth_of_second_line(said), Some(12_318_444));
        assert_eq!(fourth_of_second_line("df: no such folder"), None);
        assert!(available_kib(&std::env::temp_dir()).is_some());
        assert_eq!(available_kib(Path::new("/no/such/folder")), None);
    }
}
