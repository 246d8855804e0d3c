//! Opening the file, and opening it again after the disk failed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, TryLockError};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableError};
use smscode_core::store::ordered::Table;
use smscode_core::store::{Effect, StoreError};

use crate::RedbOptions;
use crate::fault::{Fault, Result, STORE, corrupt, guarded, unavailable};
use crate::read::View;
use crate::tables::{FORMAT, FORMAT_KEY, META, definition};

/// How to open the engine; a crash test puts another disk underneath here.
pub(crate) type Opener = Box<dyn Fn() -> Result<Database> + Send + Sync>;

/// The engine, which may be away for a while after the disk failed.
pub(crate) struct Engine {
    opener: Opener,
    state: RwLock<State>,
    /// The engine latches input/output errors: after one it has to be opened again.
    failed: AtomicBool,
}

enum State {
    Open(Database),
    /// The last try to open it failed.
    Away,
    Closed,
}

/// The engine for as long as a transaction is begun. Keeps it from being opened again meanwhile.
pub(crate) struct Opened<'a>(RwLockReadGuard<'a, State>);

impl Opened<'_> {
    pub(crate) fn database(&self) -> Result<&Database> {
        match &*self.0 {
            State::Open(database) => Ok(database),
            State::Away => Err(told("the file could not be opened again after an error")),
            State::Closed => Err(told("it is closed")),
        }
    }
}

fn told(reason: &str) -> Fault {
    Fault::Told(unavailable(Effect::No, reason))
}

impl Engine {
    pub(crate) fn open(opener: Opener) -> Result<Self> {
        let database = opener()?;
        Ok(Self { opener, state: RwLock::new(State::Open(database)), failed: AtomicBool::new(false) })
    }

    /// For the writer: waits until the engine can be had, and opens it again if it failed before.
    pub(crate) fn for_writing(&self) -> Result<Opened<'_>> {
        if self.failed.load(Ordering::Acquire) {
            let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            self.reopen(state)?;
        }
        Ok(Opened(self.state.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// For readers: the newest committed view. Never waits for the writer; opens the engine again if it failed before
    /// and nobody else is at it.
    pub(crate) fn view(&self) -> Result<View> {
        if self.failed.load(Ordering::Acquire) {
            match self.state.try_write() {
                Ok(state) => self.reopen(state)?,
                Err(TryLockError::Poisoned(state)) => self.reopen(state.into_inner())?,
                Err(TryLockError::WouldBlock) => {
                    return Err(told("it is being opened again after an error"));
                }
            }
        }
        let opened = Opened(self.state.read().unwrap_or_else(PoisonError::into_inner));
        Ok(View::of(opened.database()?.begin_read()?))
    }

    fn reopen(&self, mut state: std::sync::RwLockWriteGuard<'_, State>) -> Result<()> {
        if matches!(*state, State::Closed) || !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        // the old one must let go of the file first
        let_go(std::mem::replace(&mut *state, State::Away));
        *state = State::Open((self.opener)()?);
        self.failed.store(false, Ordering::Release);
        Ok(())
    }

    /// Notes that the engine refuses everything until it is opened again.
    pub(crate) fn mark_failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    pub(crate) fn close(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let_go(std::mem::replace(&mut *state, State::Closed));
    }
}

/// Closes the engine. What it cannot write any more is found again at the next opening.
fn let_go(old: State) {
    let closed = guarded(|| {
        if let State::Open(database) = old {
            database.close()?;
        }
        Ok(())
    });
    drop(closed);
}

/// An opener for a file of the file system. The name in its errors is the file's, without its folders.
pub(crate) fn file_opener(path: &Path, options: &RedbOptions) -> Opener {
    let path = path.to_path_buf();
    let cache_bytes = options.cache_bytes;
    Box::new(move || {
        let file_name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        open_file(&path, cache_bytes).map_err(|fault| explain(fault, &file_name))
    })
}

fn open_file(path: &Path, cache_bytes: usize) -> Result<Database> {
    if matches!(path.try_exists(), Ok(false)) {
        make_file(path, cache_bytes)?;
    }
    // made already, except where the file system has no links
    let file = private_file().create(true).truncate(false).open(path).map_err(redb::StorageError::from)?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(told("it is not a file"));
    }
    open_backend(FileBackend::new(file)?, cache_bytes)
}

/// Makes a file that is complete as soon as it has its name: whoever is killed while making it leaves no half file there.
fn make_file(path: &Path, cache_bytes: usize) -> Result<()> {
    static TRIES: AtomicU64 = AtomicU64::new(0);
    let mut name = path.as_os_str().to_owned();
    let unique = TRIES.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{unique}.new", std::process::id()));
    let unfinished = PathBuf::from(name);
    let made = make_unfinished(&unfinished, cache_bytes).and_then(|()| {
        match fs::hard_link(&unfinished, path) {
            // if somebody else was faster, his is as good
            Err(error) if error.kind() != ErrorKind::AlreadyExists && !without_links(&error) => {
                Err(redb::StorageError::from(error).into())
            }
            _ => Ok(()),
        }
    });
    drop(fs::remove_file(&unfinished));
    made?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // the name is durable once its folder is; systems that cannot sync a folder need no sync
    drop(fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()));
    Ok(())
}

fn without_links(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied | ErrorKind::TooManyLinks)
}

fn make_unfinished(path: &Path, cache_bytes: usize) -> Result<()> {
    drop(fs::remove_file(path)); // of a process that had the same number
    let file = private_file().create_new(true).open(path).map_err(redb::StorageError::from)?;
    drop(open_backend(FileBackend::new(file)?, cache_bytes)?);
    Ok(())
}

fn private_file() -> fs::OpenOptions {
    let mut how = fs::OpenOptions::new();
    how.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    how
}

/// Opens or makes the engine on a disk, and makes sure that what is on it is ours.
pub(crate) fn open_backend(backend: impl redb::StorageBackend, cache_bytes: usize) -> Result<Database> {
    let database = guarded(|| {
        let mut builder = redb::Builder::new();
        Ok(builder.set_cache_size(cache_bytes).create_with_backend(backend)?)
    })?;
    let view = database.begin_read()?;
    let format = match view.open_table(META) {
        Ok(meta) => meta.get(FORMAT_KEY)?.map(|row| row.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(Fault::Told(foreign())),
    };
    match format {
        Some(FORMAT) => Ok(database),
        Some(found) => Err(Fault::Told(StoreError::Format {
            store: STORE,
            found,
            known: FORMAT,
            advice: "start the version of the program that wrote it, or a newer one; the file was left as it is"
                .to_owned(),
        })),
        None if view.list_tables()?.next().is_some() || view.list_multimap_tables()?.next().is_some() => {
            Err(Fault::Told(foreign()))
        }
        None => {
            drop(view);
            make_tables(&database)?;
            Ok(database)
        }
    }
}

fn foreign() -> StoreError {
    corrupt("a database of another program; it was left as it is, name another file")
}

fn make_tables(database: &Database) -> Result<()> {
    let transaction = database.begin_write()?;
    for table in Table::ALL {
        transaction.open_table(definition(table))?;
    }
    transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    Ok(transaction.commit()?)
}

/// Says which file it is about, and what to do.
fn explain(fault: Fault, file_name: &str) -> Fault {
    let not_ours = format!("{file_name} is not a file of this store; it was left as it is, name another file");
    let told = match fault {
        Fault::Engine(error) => match *error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                let who = "is in use by another process (or opened twice by this one)";
                return told(&format!("{file_name} {who}; a file has one user at a time"));
            }
            redb::Error::UpgradeRequired(_) => corrupt(&not_ours),
            redb::Error::Io(error) if error.kind() == ErrorKind::InvalidData => corrupt(&not_ours),
            other => Fault::Engine(Box::new(other)).tell(Effect::No),
        },
        other => other.tell(Effect::No),
    };
    Fault::Told(match told {
        StoreError::Corrupt { what, .. } if what != not_ours => corrupt(&format!("{file_name}: {what}")),
        StoreError::Unavailable { effect, reason, .. } => unavailable(effect, format!("{file_name}: {reason}")),
        other => other,
    })
}
