//! Where the machine has its Postgres, and as whom it may run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's packages put each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What to do about a machine without Postgres.
const MISSING: &str = "no Postgres found (`postgres` and `initdb`: on PATH, in /usr/lib/postgresql/*/bin, or where `pg_config --bindir` says); \
    run `cargo xtask test`, which says what is missing, or install it: apt-get install postgresql";

/// The folder with `postgres` and `initdb`.
pub(crate) fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| complete(folder));
    found.or_else(|| newest(Path::new(DEBIAN))).or_else(told_by_pg_config).expect(MISSING)
}

/// `psql`, which a given server's databases are dropped with.
pub(crate) fn psql() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(newest(Path::new(DEBIAN))).chain(told_by_pg_config());
    let found = folders.find_map(|folder| Some(folder.join("psql")).filter(|file| file.is_file()));
    found.expect(
        "no `psql`, which drops the databases on the server of TEST_DATABASE_URL: apt-get install postgresql-client",
    )
}

fn complete(folder: &Path) -> bool {
    ["postgres", "initdb"].iter().all(|program| folder.join(program).is_file())
}

/// The folder of the highest version below `root`, which has a folder for each.
fn newest(root: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(root).ok()?.flatten();
    let versions =
        folders.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))));
    versions.filter(|(_, folder)| complete(folder)).max().map(|(_, folder)| folder)
}

fn told_by_pg_config() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    complete(&folder).then_some(folder)
}

/// User and group that a server must be started as; none is the user that runs the tests.
pub(crate) fn other_user() -> Option<(u32, u32)> {
    (id(&["-u"]) == Some(0)).then(|| {
        let ids = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
        ids.expect(
            "Postgres does not run as root, and there is no user `postgres` to run it as: apt-get install postgresql",
        )
    })
}

fn id(arguments: &[&str]) -> Option<u32> {
    let said = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(said.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_version_is_taken() {
        let root = std::env::temp_dir().join(format!("smscode-installed-{}", std::process::id()));
        for (version, programs) in [("9", 2), ("15", 2), ("17", 2), ("18", 1), ("common", 2)] {
            let folder = root.join(version).join("bin");
            std::fs::create_dir_all(&folder).expect("temp dir");
            for program in &["postgres", "initdb"][..programs] {
                std::fs::write(folder.join(program), "").expect("temp dir");
            }
        }
        assert_eq!(newest(&root), Some(root.join("17/bin")));
        std::fs::remove_dir_all(&root).expect("temp dir");
        assert_eq!(newest(&root), None);
    }

    #[test]
    fn this_machine_has_one() {
        assert!(complete(&binaries()));
        assert!(psql().is_file());
    }
}
