//! `smscode-server restore`.

use std::io::Read;
use std::path::Path;

use smscode_core::store::copy::{Header, Restore, Summary};

use super::look::{look_through, told};
use super::opened::{Must, Opened};
use super::{Done, TaskError};
use crate::config::StoreChoice;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// Fills an empty store with a backup, and looks through it.
///
/// # Errors
///
/// [`TaskError`]: nothing was written then.
pub async fn restore(choice: &StoreChoice, from: &Path) -> Result<Done, TaskError> {
    let mut source = source(from)?;
    let mut opened = Opened::open(choice, Must::BeEmpty).await?;
    let done = restored(&mut opened, &mut *source, from).await;
    opened.close().await;
    done
}

async fn restored(opened: &mut Opened, source: &mut dyn Read, from: &Path) -> Result<Done, TaskError> {
    let (header, summary) = filled(opened, source, from).await?;
    opened.keep();
    let report = look_through(opened, true).await?;
    opened.marks().set_restored(header.time).await?;
    let of = header.host.get("mode").map_or("", String::as_str);
    let mut text = format!("{} holds the {of} store of {}, {}\n{summary}\n", opened.shown, header.time, header.store);
    text.push_str(&told(&report));
    Ok(Done { text, clean: report.is_clean() })
}

async fn filled(opened: &Opened, source: &mut dyn Read, from: &Path) -> Result<(Header, Summary), TaskError> {
    let mut restore = Restore::into(&*opened.store).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = source.read(&mut piece).map_err(|error| TaskError::files(from, &error))?;
        if length == 0 {
            return Ok(restore.finish().await?);
        }
        restore.push(&piece[..length]).await?;
    }
}

/// A backup to be read.
pub(super) fn source(from: &Path) -> Result<Box<dyn Read>, TaskError> {
    if from == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    match std::fs::File::open(from) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(TaskError::files(from, &error)),
    }
}
