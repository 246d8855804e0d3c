//! What is installed on the machine, and who we are on it. `cargo xtask test` shares this file, to install what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian's packages put each version of Postgres.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Where daemons are, which need not be on the path of an ordinary user.
const DAEMONS: &str = "/usr/sbin";

/// The folder with `postgres` and `initdb`: on the path, else of Debian's newest version, else where `pg_config` says.
pub(crate) fn postgres() -> Option<PathBuf> {
    on_path()
        .into_iter()
        .find(|folder| complete(folder))
        .or_else(|| newest(Path::new(DEBIAN)))
        .or_else(told_by_pg_config)
}

/// A program that belongs to Postgres or stands beside it, such as `psql` and `pgbouncer`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = on_path().into_iter().chain([PathBuf::from(DAEMONS)]).chain(postgres());
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Asks `id`, with `-u` or `-g` and perhaps a user's name.
pub(crate) fn id(arguments: &[&str]) -> Option<u32> {
    let said = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(said.stdout).ok()?.trim().parse().ok()
}

fn on_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_newest_complete_version_is_taken() {
        let root = std::env::temp_dir().join(format!("smscode-installed-{}", std::process::id()));
        for (version, programs) in [("9", 2), ("15", 2), ("17", 2), ("18", 1), ("common", 2)] {
            let folder = root.join(version).join("bin");
            std::fs::create_dir_all(&folder).unwrap();
            for program in &["postgres", "initdb"][..programs] {
                std::fs::write(folder.join(program), "").unwrap();
            }
        }
        assert_eq!(newest(&root), Some(root.join("17/bin")));
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(newest(&root), None);
    }

    #[test]
    fn programs_and_users_are_found_or_not() {
        assert!(program("sh").is_some_and(|file| file.ends_with("sh")));
        assert_eq!(program("no-such-program"), None);
        assert_eq!(id(&["-u", "root"]), Some(0));
        assert_eq!(id(&["-u", "no-such-user"]), None);
    }
}
