//! `smscode-server backup`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use smscode_core::port::Clock as _;
use smscode_core::store::copy::{Backup, CopyError, Portable};
use smscode_providers::clock::SystemClock;

use super::opened::{Must, Opened};
use super::{Done, TaskError};
use crate::config::StoreChoice;
use crate::mark::Marks;

/// Writes everything that is in a store into a file.
///
/// # Errors
///
/// [`TaskError`]: there is no file then.
pub async fn backup(choice: &StoreChoice, to: &Path) -> Result<Done, TaskError> {
    let opened = Opened::open(choice, Must::Exist).await?;
    let done = written(&opened, to).await;
    opened.close().await;
    done
}

/// Begins a backup with what its header says of the store.
pub(crate) async fn begin(store: &dyn Portable, marks: &Marks) -> Result<Backup, CopyError> {
    let mode = marks.mode().await?.map(|mode| ("mode".to_owned(), mode.word().to_owned()));
    Backup::of(store, SystemClock.now(), BTreeMap::from_iter(mode)).await
}

async fn written(opened: &Opened, to: &Path) -> Result<Done, TaskError> {
    let mut backup = begin(&*opened.store, &opened.marks()).await?;
    if to == Path::new("-") {
        pour(&mut backup, &mut std::io::stdout().lock(), to).await?;
        // the standard output is the backup's
        return Ok(Done::clean(String::new()));
    }
    let file = Unfinished::beside(to)?;
    let bytes = pour(&mut backup, &mut &file.file, to).await?;
    file.finish(to)?;
    let at = backup.header().time;
    Ok(Done::clean(format!("{}: {bytes} bytes, as of {at}\n{}", to.display(), backup.summary())))
}

async fn pour(backup: &mut Backup, out: &mut impl Write, to: &Path) -> Result<u64, TaskError> {
    let mut bytes = 0;
    while let Some(more) = backup.next().await? {
        out.write_all(&more).map_err(|error| TaskError::files(to, &error))?;
        bytes += more.len() as u64;
    }
    out.flush().map_err(|error| TaskError::files(to, &error))?;
    Ok(bytes)
}

/// A file that gets its name when it is whole.
struct Unfinished {
    path: PathBuf,
    file: fs::File,
}

impl Unfinished {
    fn beside(to: &Path) -> Result<Self, TaskError> {
        if to.exists() {
            return Err(TaskError::files(to, &"there is a file already; it is not overwritten"));
        }
        let mut path = to.as_os_str().to_owned();
        path.push(".unfinished");
        let path = PathBuf::from(path);
        let mut how = fs::OpenOptions::new();
        how.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        let file = how.open(&path).map_err(|error| TaskError::files(&path, &error))?;
        Ok(Self { path, file })
    }

    fn finish(&self, to: &Path) -> Result<(), TaskError> {
        let told = |error: std::io::Error| TaskError::files(to, &error);
        self.file.sync_all().map_err(told)?;
        fs::rename(&self.path, to).map_err(told)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        // the name is durable once its folder is; systems that cannot sync a folder need no sync
        let _synced = fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // renamed, if it was finished
        let _gone_already = fs::remove_file(&self.path);
    }
}
