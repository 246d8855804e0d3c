//! A backup of the store that this server has open, while it serves: for operators, and the only way for a redb file.
#![allow(clippy::disallowed_methods, reason = "the server is the host: slow readers are waited for in real time")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use smscode_core::store::copy::{Backup, CopyError};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::answer::{Code, Failure};
use crate::app::App;
use crate::mark::Marks;
use crate::task;

/// Pieces on their way to the client: each is a few hundred rows.
const AHEAD: usize = 4;
/// A client that takes nothing for so long has gone: the moment that is kept for it costs room in the store.
const STALL: Duration = Duration::from_secs(60);

/// Streams a backup, one at a time. It is whole if its end is there, which `restore` and `verify --file` look for.
///
/// # Errors
///
/// Another one is being made, or the store is away.
pub async fn backup(app: &Arc<App>) -> Result<Response, Failure> {
    let Ok(permit) = app.backups.clone().try_acquire_owned() else {
        return Err(Failure::new(Code::Conflict, "a backup is being made already"));
    };
    let marks = Marks::of(app.store.clone(), "the store".to_owned());
    let begun = task::begin(&*app.store, &marks).await;
    let backup = begun.map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
    let (out, pieces) = mpsc::channel(AHEAD);
    tokio::spawn(pour(backup, out, permit));
    let body =
        Body::from_stream(stream::unfold(pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) }));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"smscode.backup\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}

/// Hands on piece by piece. An error breaks the connection off, so that nobody takes half a backup for a whole one.
async fn pour(mut backup: Backup, out: mpsc::Sender<Result<Bytes, CopyError>>, _one_at_a_time: OwnedSemaphorePermit) {
    loop {
        let piece = match backup.next().await {
            Ok(Some(piece)) if piece.is_empty() => continue,
            Ok(Some(piece)) => Ok(Bytes::from(piece)),
            Ok(None) => return tracing::info!(rows = backup.summary().count(), "a backup was made"),
            Err(error) => {
                tracing::error!(%error, "a backup broke off");
                Err(error)
            }
        };
        let failed = piece.is_err();
        match tokio::time::timeout(STALL, out.send(piece)).await {
            Ok(Ok(())) if !failed => {}
            Ok(Ok(())) => return,
            Ok(Err(_)) => return tracing::warn!("the client of a backup went away"),
            Err(_) => {
                // without an end the connection would look as if all had been sent
                let _nobody_takes_it = out.try_send(Err(CopyError::CutOff { bytes: 0 }));
                return tracing::warn!("the client of a backup took nothing for a minute");
            }
        }
    }
}
