//! The accept loop: limits on connections and heads, an orderly end.
#![allow(clippy::disallowed_methods, reason = "the server is the host: its sockets wait in real time")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::app::Stopping;
use crate::auth::Peer;
use crate::config::HttpSettings;
use crate::door::Door;

/// The head of a request may have this many bytes.
const HEAD_MAX: usize = 32 * 1024;
/// After a failed accept (out of file handles, mostly) there is this pause.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until stopping begins; then requests under way are given their time.
pub(crate) async fn serve(listener: TcpListener, door: Arc<Door>, settings: HttpSettings, stopping: Stopping) {
    let permits = Arc::new(Semaphore::new(settings.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let next = tokio::select! {
            biased;
            () = stopping.wait() => break,
            next = next(&listener, &permits) => next,
        };
        match next {
            Some((stream, peer, permit)) => {
                let served = connection(stream, peer, door.clone(), settings, graceful.watcher());
                connections.spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            None => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    let limit = Duration::from_millis(settings.drain_limit_ms);
    if tokio::time::timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with requests under way");
    }
    connections.shutdown().await;
}

/// The next connection, once there is room for one.
async fn next(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, Peer(peer), permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

async fn connection(stream: TcpStream, peer: Peer, door: Arc<Door>, settings: HttpSettings, watcher: Watcher) {
    // answers are small: sending them at once matters more than filling packets
    let _kept_as_it_is = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let answer = door.router().oneshot(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(settings.head_limit_ms))
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // a client that breaks off, dawdles or talks nonsense is no event
    let _ended = watcher.watch(served).await;
}
