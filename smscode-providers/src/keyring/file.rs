//! A keyring of files in a directory of its own, outside the store and its data directory.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use smscode_core::port::{EpochId, EpochKey, Keyring, KeyringError};
use zeroize::Zeroizing;

/// Bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;
/// The length of a key file: the key and nothing else.
const KEY_BYTES: usize = 32;
/// Epoch keys live ninety minutes and begin every ten; this many means that nobody destroys them.
const EPOCH_LIMIT: usize = 1_024;
/// Tries to create a key while one of that name is being destroyed.
const CREATE_TRIES: u32 = 3;
/// The ending of unfinished files.
const UNFINISHED: &str = ".unfinished";

/// Tells unfinished files of one process apart.
static UNFINISHED_COUNT: AtomicU64 = AtomicU64::new(0);

/// Keys as files: `root.key` and one `epoch-<second>.key` per epoch, 32 raw bytes each, mode 0600, in a directory of mode
/// 0700. Several processes of one machine may share it: of two that create the same key the first one stands.
///
/// The calls block for a few small reads and writes; a key is created every ten minutes and then kept in memory by the
/// platform, so they are not moved to another thread.
///
/// [`Keyring::destroy`] overwrites a file in place before it goes. A file system that copies on write, keeps snapshots, or a
/// drive that moves blocks may still hold the old bytes for a while: put the directory on a plain or an encrypted file
/// system, and keep it out of backups.
#[derive(Debug)]
pub struct FileKeyring {
    dir: PathBuf,
}

impl FileKeyring {
    /// Opens the directory, creating it if it is missing, and removes what a crash has left unfinished.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, KeyringError> {
        let dir = dir.as_ref().to_path_buf();
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(|e| unavailable("the directory", &e))?;
        let keyring = Self { dir };
        keyring.check_dir()?;
        keyring.sweep().map_err(|e| unavailable("an unfinished file", &e))?;
        Ok(keyring)
    }

    fn check_dir(&self) -> Result<(), KeyringError> {
        let meta = fs::metadata(&self.dir).map_err(|e| unavailable("the directory", &e))?;
        if !meta.is_dir() {
            return Err(KeyringError::Unavailable("the place is not a directory".to_owned()));
        }
        private("the directory", meta.mode())
    }

    /// Removes unfinished files. Under the lock their makers are dead: nobody can link one that is being overwritten.
    fn sweep(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if !path.to_string_lossy().ends_with(UNFINISHED) {
                continue;
            }
            // with a second name its bytes are a standing key's
            match fs::metadata(&path)?.nlink() {
                1 => erase(&path)?,
                _ => fs::remove_file(&path)?,
            }
        }
        self.sync_dir()
    }

    /// Keeps other creators and sweepers out, in this and other processes, until the file is dropped. Creating goes
    /// through a second name, and to look whether a file has one before overwriting it is not enough: the kernel may be
    /// half way through linking it.
    fn lock(&self) -> io::Result<File> {
        let dir = File::open(&self.dir)?;
        dir.lock()?;
        Ok(dir)
    }

    fn unfinished(&self) -> PathBuf {
        let count = UNFINISHED_COUNT.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("{}-{count}{UNFINISHED}", std::process::id()))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    /// The key of this name; `None` if there is none, or if its bytes are overwritten already.
    fn read(&self, name: &str) -> Result<Option<EpochKey>, KeyringError> {
        let mut file = match File::open(self.dir.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unavailable(name, &error)),
        };
        let meta = file.metadata().map_err(|e| unavailable(name, &e))?;
        private(name, meta.mode())?;
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        if meta.len() != KEY_BYTES as u64 {
            return Err(KeyringError::Unavailable(format!("{name} has {} bytes instead of {KEY_BYTES}", meta.len())));
        }
        file.read_exact(bytes.as_mut()).map_err(|e| unavailable(name, &e))?;
        Ok((*bytes != [0_u8; KEY_BYTES]).then(|| EpochKey::new(*bytes)))
    }

    /// The key of this name, which is `fresh` if there was none. It is written and synced under another name first, then
    /// linked: a link never replaces, so that the first one stands and nobody ever sees half a key.
    fn read_or_create(&self, name: &str, fresh: &EpochKey) -> Result<EpochKey, KeyringError> {
        self.check_dir()?;
        for _ in 0..CREATE_TRIES {
            if let Some(standing) = self.read(name)? {
                return Ok(standing);
            }
            match self.create(name, fresh) {
                Ok(()) => return Ok(fresh.clone()),
                // somebody was faster: read theirs, unless it is being destroyed at this moment
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unavailable(name, &error)),
            }
        }
        self.read(name)?.ok_or_else(|| KeyringError::Unavailable(format!("{name} could not be created")))
    }

    fn create(&self, name: &str, fresh: &EpochKey) -> io::Result<()> {
        let _lock = self.lock()?;
        let (unfinished, path) = (self.unfinished(), self.dir.join(name));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        // the mask of the process may have taken bits away, never added: state the mode whatever it is
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(fresh.bytes())?;
        file.sync_all()?;
        match fs::hard_link(&unfinished, &path) {
            Ok(()) => fs::remove_file(&unfinished)?,
            Err(error) => {
                erase(&unfinished)?;
                return Err(error);
            }
        }
        self.sync_dir()
    }
}

#[async_trait]
impl Keyring for FileKeyring {
    async fn root(&self, fresh: EpochKey) -> Result<EpochKey, KeyringError> {
        self.read_or_create("root.key", &fresh)
    }

    async fn epochs(&self) -> Result<Vec<(EpochId, EpochKey)>, KeyringError> {
        self.check_dir()?;
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(|e| unavailable("the directory", &e))? {
            let name = entry.map_err(|e| unavailable("the directory", &e))?.file_name();
            ids.extend(name.to_str().and_then(epoch_of));
            if ids.len() > EPOCH_LIMIT {
                return Err(KeyringError::Unavailable(format!("more than {EPOCH_LIMIT} epoch keys")));
            }
        }
        ids.sort_unstable();
        let mut keys = Vec::new();
        for id in ids {
            if let Some(key) = self.read(&file_name(id))? {
                keys.push((id, key));
            }
        }
        Ok(keys)
    }

    async fn add(&self, epoch: EpochId, fresh: EpochKey) -> Result<EpochKey, KeyringError> {
        self.read_or_create(&file_name(epoch), &fresh)
    }

    async fn destroy(&self, epoch: EpochId) -> Result<(), KeyringError> {
        let name = file_name(epoch);
        erase(&self.dir.join(&name)).and_then(|()| self.sync_dir()).map_err(|e| unavailable(&name, &e))
    }
}

fn file_name(epoch: EpochId) -> String {
    format!("epoch-{}.key", epoch.0)
}

fn epoch_of(name: &str) -> Option<EpochId> {
    name.strip_prefix("epoch-")?.strip_suffix(".key")?.parse().ok().map(EpochId)
}

/// Overwrites with zeros, syncs, unlinks. A file that is gone already is no error.
fn erase(path: &Path) -> io::Result<()> {
    let gone = |error: io::Error| {
        if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
    };
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    file.rewind()?;
    file.write_all(&[0_u8; KEY_BYTES])?;
    file.sync_all()?;
    fs::remove_file(path).or_else(gone)
}

fn private(what: &str, mode: u32) -> Result<(), KeyringError> {
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(KeyringError::NotPrivate(format!("{what} has mode {:04o}, others can get in", mode & 0o7777)))
}

fn unavailable(what: &str, error: &io::Error) -> KeyringError {
    KeyringError::Unavailable(format!("{what}: {error}"))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
