//! The line between an adapter and its simulator: it passes requests on, counts them, and breaks what a case wants broken.
//!
//! So faults of the network are the same for every adapter, and no simulator has to play them. It runs on threads of its
//! own and asks for no runtime. Nothing else of this crate opens a socket.
#![allow(clippy::disallowed_methods, reason = "a server that asks for no runtime has threads, which wait")]

mod fault;
mod http;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::Notify;

pub(super) use fault::{Fault, Reply, pages, shapes, unusable};

use crate::conformance::Failure;
use http::{Answer, Message};

/// An address of loopback where nobody listens: a port that is never handed out, of a service that nobody runs.
pub(super) const NOWHERE: &str = "http://127.0.0.1:1";
/// How often a waiting thread looks whether it is still wanted.
const TURN: Duration = Duration::from_millis(20);
/// Turns that a reply is held back for an adapter that does not hang up: 8 s.
const HELD_TURNS: usize = 400;
/// The simulator has this long for a reply.
const SIMULATOR_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest reply of a simulator.
const ANSWER_BYTES: u64 = 64 << 20;
/// The length of an endless body. The adapter of a vendor with large price lists may read half of it.
const ENDLESS_BYTES: usize = 64 << 20;
/// Connections at once; more than any pool of an adapter opens for the calls of a case.
const CONNECTIONS_MAX: usize = 256;

/// A running line. It stops when this is dropped.
pub(super) struct Line {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the simulator listens; without one each connection is closed as soon as it is there.
    simulator: Option<SocketAddr>,
    state: Mutex<State>,
    changed: Notify,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Requests so far.
    count: usize,
    /// Requests that are being answered.
    busy: usize,
    /// Replies that were held back or without end, and that the adapter gave up by hanging up.
    given_up: usize,
    /// Whether requests that were paused go on.
    resumed: bool,
    skip: usize,
    left: usize,
    fault: Option<Fault>,
}

impl Line {
    /// A line to this simulator.
    pub(super) fn start(simulator: SocketAddr) -> Result<Self, Failure> {
        Self::open(Some(simulator))
    }

    /// A line that closes each connection at once, without reading.
    pub(super) fn slamming() -> Result<Self, Failure> {
        Self::open(None)
    }

    fn open(simulator: Option<SocketAddr>) -> Result<Self, Failure> {
        let refused = |error: io::Error| Failure::new(format!("the suite cannot listen on loopback: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(Shared {
            simulator,
            state: Mutex::default(),
            changed: Notify::new(),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, shared })
    }

    /// Where an adapter finds it, without a slash at the end.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks the next request.
    pub(super) fn break_next(&self, fault: Fault) {
        self.plan(0, 1, fault);
    }

    /// Breaks every request.
    pub(super) fn break_all(&self, fault: Fault) {
        self.plan(0, usize::MAX, fault);
    }

    /// Breaks every request after this many.
    pub(super) fn break_after(&self, skip: usize, fault: Fault) {
        self.plan(skip, usize::MAX, fault);
    }

    /// Breaks no more.
    pub(super) fn mend(&self) {
        self.shared.lock().fault = None;
    }

    fn plan(&self, skip: usize, left: usize, fault: Fault) {
        let mut state = self.shared.lock();
        (state.skip, state.left, state.fault, state.resumed) = (skip, left, Some(fault), false);
    }

    /// Lets requests that were paused go on.
    pub(super) fn resume(&self) {
        self.shared.lock().resumed = true;
    }

    /// Requests so far.
    pub(super) fn count(&self) -> usize {
        self.shared.lock().count
    }

    /// Replies that the adapter gave up by hanging up.
    pub(super) fn given_up(&self) -> usize {
        self.shared.lock().given_up
    }

    /// Waits until this many requests have come.
    pub(super) async fn reached(&self, count: usize) {
        self.until(|state| state.count >= count).await;
    }

    /// Waits until no request is being answered.
    pub(super) async fn settled(&self) {
        self.until(|state| state.busy == 0).await;
    }

    async fn until(&self, so: impl Fn(&State) -> bool) {
        loop {
            // hears of a change from here on, also before it is waited for
            let changed = self.shared.changed.notified();
            if so(&self.shared.lock()) {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // wakes the thread that accepts; if it is gone already, all the better
        drop(TcpStream::connect_timeout(&self.address, TURN));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_waiters();
        changed
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl State {
    fn take(&mut self) -> Option<Fault> {
        self.count += 1;
        self.busy += 1;
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let fault = self.fault.clone()?;
        self.left -= 1;
        if self.left == 0 {
            self.fault = None;
        }
        Some(fault)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_stopped() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Some(simulator) = shared.simulator else { continue };
        if shared.connections.load(Ordering::Acquire) >= CONNECTIONS_MAX {
            continue;
        }
        shared.connections.fetch_add(1, Ordering::AcqRel);
        let shared = shared.clone();
        thread::spawn(move || {
            // an error ends the connection; the adapter sees that
            drop(serve(&Connection { stream: &stream, shared: &shared, simulator }));
            drop(stream.shutdown(Shutdown::Both));
            shared.connections.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

struct Connection<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    simulator: SocketAddr,
}

fn serve(connection: &Connection<'_>) -> io::Result<()> {
    connection.stream.set_nodelay(true)?;
    connection.stream.set_read_timeout(Some(TURN))?;
    connection.stream.set_write_timeout(Some(SIMULATOR_TIMEOUT))?;
    while let Some(message) = http::request(|part| connection.wait(part))? {
        let fault = connection.shared.change(State::take);
        let stays = connection.exchange(&message, fault);
        connection.shared.change(|state| state.busy -= 1);
        if !stays? {
            return Ok(());
        }
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

impl Connection<'_> {
    /// Reads what comes, however long it takes, unless the line stops.
    fn wait(&self, part: &mut [u8]) -> io::Result<usize> {
        let mut stream = self.stream;
        loop {
            match stream.read(part) {
                Err(error) if is_timeout(&error) && !self.shared.is_stopped() => {}
                read => return read,
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.stream;
        stream.write_all(bytes)
    }

    fn pass_on(&self, message: &Message) -> io::Result<Answer> {
        let mut simulator = TcpStream::connect(self.simulator)?;
        simulator.set_read_timeout(Some(SIMULATOR_TIMEOUT))?;
        simulator.write_all(&message.alone())?;
        Answer::read(simulator, ANSWER_BYTES)
    }

    /// One request and what comes of it; whether the connection stays.
    fn exchange(&self, message: &Message, fault: Option<Fault>) -> io::Result<bool> {
        let fault = match fault {
            Some(Fault { reply: Reply::Paused, .. }) if self.pause() => None,
            fault => fault,
        };
        let passed_on = fault.as_ref().is_none_or(|fault| fault.passed_on);
        let answer = if passed_on { Some(self.pass_on(message)?) } else { None };
        let Some(fault) = fault else {
            let length = answer.as_ref().map_or(0, |answer| answer.body.len());
            return self.shortened(answer.as_ref(), length, length);
        };
        match fault.reply {
            Reply::Closed | Reply::Paused => Ok(false),
            Reply::Held => self.hold(None),
            Reply::Drip => {
                self.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
                self.hold(Some(b" "))
            }
            Reply::Cut => {
                let half = answer.as_ref().map_or(0, |answer| answer.body.len() / 2);
                Ok(half > 0 && self.shortened(answer.as_ref(), half, half)?)
            }
            Reply::Short => {
                let length = answer.as_ref().map_or(0, |answer| answer.body.len());
                self.shortened(answer.as_ref(), length, length / 2).map(|_| false)
            }
            Reply::Inside(status) => {
                let body = answer.map_or_else(Vec::new, |answer| answer.body);
                let page = [b"<html><body><pre>", body.as_slice(), b"</pre></body></html>"].concat();
                self.write(&http::reply(status, "", &page)).map(|()| true)
            }
            Reply::Body(status, body) => self.write(&http::reply(status, "", &body)).map(|()| true),
            Reply::Endless => self.endless(),
            Reply::Redirect(status, to) => {
                let location = format!("location: {to}{}\r\n", message.target());
                self.write(&http::reply(status, &location, b"moved")).map(|()| true)
            }
            Reply::Echo(status, around) => {
                let request = String::from_utf8_lossy(&message.bytes).replace(['\r', '\n', '"', '\\'], " ");
                self.write(&http::reply(status, "", around.replace("{}", &request).as_bytes())).map(|()| true)
            }
        }
    }

    fn shortened(&self, answer: Option<&Answer>, announced: usize, sent: usize) -> io::Result<bool> {
        let Some(answer) = answer else { return Ok(false) };
        self.write(&answer.framed(announced, sent)).map(|()| true)
    }

    /// Waits until requests go on; whether they do.
    fn pause(&self) -> bool {
        for _ in 0..HELD_TURNS {
            if self.shared.lock().resumed {
                return true;
            }
            thread::sleep(TURN);
        }
        false
    }

    /// Waits until the adapter hangs up, and sends this now and then meanwhile.
    fn hold(&self, drip: Option<&[u8]>) -> io::Result<bool> {
        let mut stream = self.stream;
        for _ in 0..HELD_TURNS {
            let gone = match stream.read(&mut [0_u8; 64]) {
                Ok(0) => true,
                Ok(_) => false,
                Err(error) => !is_timeout(&error),
            };
            if gone || drip.is_some_and(|drip| self.write(drip).is_err()) {
                self.shared.change(|state| state.given_up += 1);
                return Ok(false);
            }
            if self.shared.is_stopped() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn endless(&self) -> io::Result<bool> {
        self.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        let chunk = [b"10000\r\n", &[b'x'; 0x1_0000][..], b"\r\n"].concat();
        for _ in 0..ENDLESS_BYTES / 0x1_0000 {
            if self.write(&chunk).is_err() {
                self.shared.change(|state| state.given_up += 1);
                return Ok(false);
            }
        }
        self.write(b"0\r\n\r\n").map(|()| true)
    }
}
