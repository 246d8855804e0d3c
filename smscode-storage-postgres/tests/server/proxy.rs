//! A line between store and server that can be told what to do with a statement. It knows the messages of Postgres's
//! protocol (version 3, without TLS) well enough to tell one statement from the next.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

// Statements, each by its beginning.

/// Writes a group.
pub(crate) const WRITE: &str = "-- All that a judged group changes";
/// Reads the rows of a group, and those that callers load.
pub(crate) const LOAD: &str = "-- Rows by key";
/// Locks the records of a group that was overtaken.
pub(crate) const LOCK: &str = "SELECT 1 FROM (SELECT * FROM unnest";
/// Reserves records that must not be there.
pub(crate) const RESERVE: &str = "INSERT INTO smscode.records";

/// What is done with a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// Nothing, so that an order after this one begins later.
    Pass,
    /// The server never sees it; the answer is an error with this SQLSTATE.
    Refuse(&'static str),
    /// The server never sees it, and the line is cut.
    CutBefore,
    /// The server does it, then the line is cut before the answer.
    CutAfter,
    /// The server does it, and the answer comes so much later.
    AnswerLate(Duration),
    /// It reaches the server so much later, also if the store has given up meanwhile.
    ReachLate(Duration),
    /// It goes nowhere and nothing comes back until the store hangs up.
    Swallow,
}

/// A deed for the next statements that begin in a certain way.
struct Order {
    beginning: &'static str,
    deed: Deed,
    left: usize,
    done: Arc<AtomicUsize>,
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// They are closed at once.
    Closed,
    /// The server refuses them with this SQLSTATE.
    Refuses(&'static str),
    /// They are taken, and nobody answers.
    Silent,
}

struct State {
    orders: Mutex<Vec<Order>>,
    door: Mutex<Door>,
    /// Changes when all lines are to be cut.
    cut: watch::Sender<u64>,
    server: u16,
}

/// The line. It ends with the test's runtime.
pub(crate) struct Proxy {
    state: Arc<State>,
    port: u16,
}

impl Proxy {
    /// Before the server of this address.
    pub(crate) async fn before(url: &str) -> Self {
        let server = port_of(url).parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = watch::channel(0).0;
        let state = Arc::new(State { orders: Mutex::default(), door: Mutex::new(Door::Open), cut, server });
        tokio::spawn(accept(listener, state.clone()));
        Self { state, port }
    }

    /// The address of the database through this line.
    pub(crate) fn url(&self, url: &str) -> String {
        let through = url.replace(&format!(":{}/", port_of(url)), &format!(":{}/", self.port));
        format!("{through}?sslmode=disable")
    }

    /// Orders a deed for the next `times` statements with this beginning. How many have met it.
    pub(crate) fn order(&self, beginning: &'static str, deed: Deed, times: usize) -> Arc<AtomicUsize> {
        let done = Arc::new(AtomicUsize::new(0));
        lock(&self.state.orders).push(Order { beginning, deed, left: times, done: done.clone() });
        done
    }

    pub(crate) fn door(&self, door: Door) {
        *lock(&self.state.door) = door;
    }

    /// Cuts every line that is open now.
    pub(crate) fn cut(&self) {
        self.state.cut.send_modify(|times| *times += 1);
    }
}

fn port_of(url: &str) -> &str {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl State {
    /// What was ordered for a statement.
    fn deed(&self, statement: &str) -> Option<Deed> {
        let mut orders = lock(&self.orders);
        let order = orders.iter_mut().find(|order| order.left > 0 && statement.starts_with(order.beginning))?;
        order.left -= 1;
        order.done.fetch_add(1, Ordering::SeqCst);
        Some(order.deed)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let mut cut = state.cut.subscribe();
            tokio::select! {
                biased;
                _ = cut.changed() => {}
                _ = serve(client, &state) => {}
            }
        });
    }
}

/// Runs one line until an end of it closes, or an order cuts it.
async fn serve(client: TcpStream, state: &State) -> Option<()> {
    let (from, to) = client.into_split();
    let (mut client, mut answers) = (Messages::of(from), to);
    let door = *lock(&state.door);
    let startup = client.startup().await?;
    match door {
        Door::Open => {}
        Door::Closed => return None,
        Door::Refuses(code) => return answers.write_all(&error(code, "FATAL")).await.ok(),
        Door::Silent => std::future::pending().await,
    }
    let (from, to) = TcpStream::connect(("127.0.0.1", state.server)).await.ok()?.into_split();
    let (mut server, mut questions) = (Messages::of(from), to);
    questions.write_all(&startup).await.ok()?;
    let mut line = Line { statements: BTreeMap::new(), status: b'I', batch: Vec::new(), statement: String::new() };
    loop {
        tokio::select! {
            biased;
            message = server.next() => {
                let message = message?;
                line.answered(&message);
                answers.write_all(&message).await.ok()?;
            }
            message = client.next() => {
                let message = message?;
                if line.asked(message) {
                    let deed = state.deed(&line.statement);
                    line.forward(deed, &mut client, (&mut server, &mut questions), &mut answers).await?;
                }
            }
        }
    }
}

/// What is known of a line.
struct Line {
    /// Prepared statements by name.
    statements: BTreeMap<Vec<u8>, String>,
    /// The server's word on whether a transaction is open.
    status: u8,
    /// Messages that belong together and have not been passed on.
    batch: Vec<u8>,
    /// The statement that they run, empty if none.
    statement: String,
}

impl Line {
    /// Takes a message of the store; whether it completes a batch.
    fn asked(&mut self, message: Vec<u8>) -> bool {
        if self.batch.is_empty() {
            self.statement.clear();
        }
        let mut texts = message[5..].split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut next = || texts.next().unwrap_or_default();
        match message[0] {
            b'P' => drop(self.statements.insert(next(), String::from_utf8(next()).unwrap())),
            b'B' => {
                next(); // the portal
                self.statement = self.statements.get(&next()).cloned().unwrap_or_default();
            }
            b'Q' => self.statement = String::from_utf8(next()).unwrap(),
            _ => {}
        }
        self.batch.extend_from_slice(&message);
        matches!(message[0], b'S' | b'Q' | b'H' | b'X' | b'p')
    }

    /// Sees a message of the server; whether it is the last answer to a batch.
    fn answered(&mut self, message: &[u8]) -> bool {
        if message[0] == b'Z' {
            self.status = message[5];
        }
        message[0] == b'Z'
    }

    /// Passes a batch on, or does what was ordered. None if the line is to be cut.
    async fn forward(
        &mut self,
        deed: Option<Deed>,
        client: &mut Messages,
        (server, questions): (&mut Messages, &mut OwnedWriteHalf),
        answers: &mut OwnedWriteHalf,
    ) -> Option<()> {
        let batch = std::mem::take(&mut self.batch);
        let wait = match deed {
            None | Some(Deed::Pass) => return questions.write_all(&batch).await.ok(),
            Some(Deed::Refuse(code)) => {
                let status = if self.status == b'I' { b'I' } else { b'E' };
                let answer = [error(code, "ERROR").as_slice(), &[b'Z', 0, 0, 0, 5, status]].concat();
                return answers.write_all(&answer).await.ok();
            }
            Some(Deed::CutBefore) => return None,
            Some(Deed::Swallow) => loop {
                client.next().await?;
            },
            Some(Deed::ReachLate(delay)) => {
                tokio::time::sleep(delay).await;
                Duration::ZERO
            }
            Some(Deed::AnswerLate(delay)) => delay,
            Some(Deed::CutAfter) => Duration::ZERO,
        };
        questions.write_all(&batch).await.ok()?;
        let mut answer = Vec::new();
        loop {
            let message = server.next().await?;
            answer.extend_from_slice(&message);
            if self.answered(&message) {
                break;
            }
        }
        tokio::time::sleep(wait).await;
        if matches!(deed, Some(Deed::CutAfter)) { None } else { answers.write_all(&answer).await.ok() }
    }
}

fn error(code: &str, severity: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C{code}\0Mordered by the test\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}

/// One direction of a line, message by message. Waiting for a message may be given up at any time.
struct Messages {
    from: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Messages {
    const fn of(from: OwnedReadHalf) -> Self {
        Self { from, buffer: Vec::new() }
    }

    /// The first message of a client has no letter.
    async fn startup(&mut self) -> Option<Vec<u8>> {
        self.take(0).await
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        self.take(1).await
    }

    async fn take(&mut self, letters: usize) -> Option<Vec<u8>> {
        loop {
            let length =
                self.buffer.get(letters..letters + 4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
            let end = length.map(|length| letters + length as usize);
            if let Some(end) = end.filter(|end| self.buffer.len() >= *end) {
                return Some(self.buffer.drain(..end).collect());
            }
            if self.from.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }
}
