//! What the line does to a request and to its reply, as data.

use std::fmt;

/// As much of a body as a failure shows.
const SHOWN_CHARS: usize = 24;

/// A fault of one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::conformance::supplier) struct Fault {
    /// Whether the simulator gets the request, so that it has its effect.
    pub(in crate::conformance::supplier) passed_on: bool,
    /// What the adapter gets.
    pub(in crate::conformance::supplier) reply: Reply,
}

/// What the adapter gets in place of the simulator's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::conformance::supplier) enum Reply {
    /// Nothing: the connection is closed.
    Closed,
    /// Nothing, until the adapter hangs up.
    Held,
    /// The head and a byte now and then, until the adapter hangs up.
    Drip,
    /// The true reply, once [`super::Line::resume`] is called; the simulator gets the request then.
    Paused,
    /// A page with the true reply inside, with this status.
    Inside(u16),
    /// The first half of the body, as if it were all.
    Cut,
    /// The whole length is announced, half of it comes, the connection is closed.
    Short,
    /// This status and body.
    Body(u16, Vec<u8>),
    /// A body that does not end before [`super::ENDLESS_BYTES`].
    Endless,
    /// This status, with a location.
    Redirect(u16, String),
    /// The request as the body, inside this text in place of `{}`, with this status.
    Echo(u16, &'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reply {
            Reply::Closed => f.write_str("a connection that closes")?,
            Reply::Held => f.write_str("a long silence")?,
            Reply::Drip => f.write_str("a byte now and then")?,
            Reply::Paused => f.write_str("a pause")?,
            Reply::Inside(status) => write!(f, "a page (HTTP {status}) around the reply")?,
            Reply::Cut => f.write_str("half a body")?,
            Reply::Short => f.write_str("a body that breaks off")?,
            Reply::Body(status, body) => {
                let text: String = String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect();
                write!(f, "HTTP {status} with the body {text:?}")?;
            }
            Reply::Endless => f.write_str("a body without end")?,
            Reply::Redirect(status, _) => write!(f, "a redirect (HTTP {status})")?,
            Reply::Echo(status, _) => write!(f, "the request as the answer (HTTP {status})")?,
        }
        f.write_str(if self.passed_on { ", the request done," } else { ", the request not passed on," })
    }
}

impl Reply {
    pub(in crate::conformance::supplier) fn body(status: u16, text: &str) -> Self {
        Self::Body(status, text.as_bytes().to_vec())
    }

    /// Nothing reaches the simulator.
    pub(in crate::conformance::supplier) fn before(self) -> Fault {
        Fault { passed_on: false, reply: self }
    }

    /// The simulator has done what was asked.
    pub(in crate::conformance::supplier) fn after(self) -> Fault {
        Fault { passed_on: true, reply: self }
    }
}

/// Pages that proxies and firewalls put in place of an answer.
pub(in crate::conformance::supplier) fn pages() -> Vec<Reply> {
    let page = "<!DOCTYPE html><html><head><title>One moment</title></head><body>maintenance</body></html>";
    [200, 403, 500, 502, 503].map(|status| Reply::body(status, page)).to_vec()
}

/// Replies of another shape than any that the protocol has.
pub(in crate::conformance::supplier) fn shapes() -> Vec<Reply> {
    let texts = ["null", "42", "true", "\"x\"", "[1,2,3]", r#"{"neither":{"here":["nor","there"]}}"#, ""];
    let mut shapes: Vec<Reply> = texts.iter().map(|text| Reply::body(200, text)).collect();
    shapes.push(Reply::body(500, ""));
    shapes.push(Reply::body(500, "null"));
    shapes.push(Reply::Body(200, b"\x1f\x8b\x08\x00\x00\xff\xfe\x9f\xc3\x28\x00".to_vec()));
    shapes
}

/// Everything that can stand in place of a reply and says nothing, apart from what costs a time limit.
pub(in crate::conformance::supplier) fn unusable() -> Vec<Fault> {
    let mut replies = pages();
    replies.extend(shapes());
    replies.push(Reply::Closed);
    let both = |reply: Reply| [reply.clone().before(), reply.after()];
    let mut faults: Vec<Fault> = replies.into_iter().flat_map(both).collect();
    faults.extend([Reply::Inside(200), Reply::Inside(502), Reply::Cut, Reply::Short].map(Reply::after));
    faults
}
