//! The files that the rules look at.

use std::fs;
use std::path::Path;

/// Folders that hold nothing of ours: build output, data of a running server, files vendored from elsewhere.
const SKIPPED: &[&str] = &["target", "data", "vendor", "node_modules"];
/// Hidden folders that are looked at.
const HIDDEN: &[&str] = &[".ci", ".cargo", ".github"];
/// Larger files are data, not text somebody wrote.
const LARGEST_BYTES: u64 = 4 << 20;

/// A text file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    pub(crate) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|it| it.to_str()).unwrap_or_default()
    }

    /// Tests and benches may be longer than other files. The package `benches/` itself is code like any other.
    pub(crate) fn is_test(&self) -> bool {
        let inside_benches = self.path.split('/').skip(1).any(|part| part == "benches");
        inside_benches || self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

/// Every readable text file below the root, in the order of their paths. (`.git` is a file in a second worktree.)
pub(crate) fn read(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && is_looked_at(&name) {
                folders.push(entry.path());
            } else if kind.is_file() && name != ".git" && entry.metadata().map_err(failed)?.len() <= LARGEST_BYTES {
                files.extend(text_file(root, &entry.path()));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_looked_at(folder: &str) -> bool {
    if folder.starts_with('.') { HIDDEN.contains(&folder) } else { !SKIPPED.contains(&folder) }
}

fn text_file(root: &Path, path: &Path) -> Option<SourceFile> {
    let text = String::from_utf8(fs::read(path).ok()?).ok()?;
    let parts = path.strip_prefix(root).ok()?.iter().map(|part| part.to_string_lossy());
    Some(SourceFile { path: parts.collect::<Vec<_>>().join("/"), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_from_code() {
        let table = [
            ("smscode-core/src/order/tests.rs", true),
            ("smscode-core/tests/conformance.rs", true),
            ("smscode-core/benches/commit.rs", true),
            ("benches/benches/commit.rs", true),
            ("benches/src/main.rs", false),
            ("smscode-core/src/order/decide.rs", false),
        ];
        for (path, is_test) in table {
            assert_eq!(SourceFile { path: path.to_owned(), text: String::new() }.is_test(), is_test, "{path}");
        }
    }

    #[test]
    fn folders_that_are_looked_at() {
        for (folder, looked_at) in [("src", true), (".ci", true), (".git", false), ("target", false), ("vendor", false)]
        {
            assert_eq!(is_looked_at(folder), looked_at, "{folder}");
        }
    }
}
