//! As much of HTTP/1.1 as it takes to stand between an adapter and its simulator.

use std::io::{self, Read};

/// The longest head of a message.
const HEAD_BYTES: usize = 64 << 10;
/// The longest body of a request: adapters send a few parameters.
const REQUEST_BYTES: usize = 1 << 20;

/// A request as it came.
pub(super) struct Message {
    /// Head with its empty line, and body.
    pub(super) bytes: Vec<u8>,
    head: usize,
}

impl Message {
    /// What the message says in its head, lower case, one line each.
    fn head(&self) -> String {
        String::from_utf8_lossy(self.bytes.get(..self.head).unwrap_or_default()).into_owned()
    }

    fn header(&self, name: &str) -> Option<String> {
        header(&self.head(), name)
    }

    /// The path with its query.
    pub(super) fn target(&self) -> String {
        self.head().split(' ').nth(1).unwrap_or("/").to_owned()
    }

    /// The same request for one connection of its own.
    pub(super) fn alone(&self) -> Vec<u8> {
        let head = self.head();
        let kept = head.trim_end().split("\r\n").filter(|line| !is_header(line, "connection"));
        let mut bytes = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
        bytes.extend_from_slice(self.bytes.get(self.head..).unwrap_or_default());
        bytes
    }
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.split("\r\n").find(|line| is_header(line, name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn too_long() -> io::Error {
    io::Error::other("the request is longer than the line carries")
}

/// The next request of a connection; `None` if it is closed instead. `more` reads what has come, and waits for it.
pub(super) fn request(mut more: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let mut part = [0_u8; 4096];
    let head = loop {
        if let Some(at) = end_of_head(&bytes) {
            break at;
        }
        if bytes.len() > HEAD_BYTES {
            return Err(too_long());
        }
        match more(&mut part)? {
            0 => return Ok(None),
            n => bytes.extend_from_slice(part.get(..n).unwrap_or_default()),
        }
    };
    let mut message = Message { bytes, head };
    let length: Option<usize> = message.header("content-length").and_then(|text| text.parse().ok());
    let chunked = message.header("transfer-encoding").is_some();
    while !is_whole(&message, length, chunked) {
        if message.bytes.len() > HEAD_BYTES + REQUEST_BYTES {
            return Err(too_long());
        }
        match more(&mut part)? {
            0 => return Ok(None),
            n => message.bytes.extend_from_slice(part.get(..n).unwrap_or_default()),
        }
    }
    Ok(Some(message))
}

fn is_whole(message: &Message, length: Option<usize>, chunked: bool) -> bool {
    if chunked {
        return message.bytes.ends_with(b"0\r\n\r\n");
    }
    message.bytes.len() >= message.head + length.unwrap_or(0)
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// A reply of the simulator, its body taken out of its chunks.
pub(super) struct Answer {
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Reads to the end of the connection.
    pub(super) fn read(mut from: impl Read, limit: u64) -> io::Result<Self> {
        let mut bytes = Vec::new();
        from.by_ref().take(limit).read_to_end(&mut bytes)?;
        let head = end_of_head(&bytes).ok_or_else(|| io::Error::other("the simulator sent no whole head"))?;
        let body = bytes.split_off(head);
        let head = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let chunked = header(&head, "transfer-encoding").is_some();
        let body = if chunked { unchunked(&body) } else { Some(body) };
        Ok(Self { head, body: body.ok_or_else(|| io::Error::other("the simulator sent broken chunks"))? })
    }

    /// Head and body, framed by a length, fit for a connection that stays open. `sent` of the body's bytes are there.
    pub(super) fn framed(&self, announced: usize, sent: usize) -> Vec<u8> {
        let hidden = ["connection", "transfer-encoding", "content-length", "keep-alive"];
        let kept = self.head.split("\r\n").filter(|line| !hidden.iter().any(|name| is_header(line, name)));
        let mut bytes = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
        // 204 and 304 have no body and may not announce one
        let bodiless = [" 204", " 304"].iter().any(|status| self.head.get(8..).is_some_and(|s| s.starts_with(status)));
        if !bodiless {
            bytes.extend_from_slice(format!("\r\ncontent-length: {announced}").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(self.body.get(..sent).unwrap_or(&self.body));
        bytes
    }
}

fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(body.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(body.get(end + 2..end + 2 + size)?);
        body = body.get(end + 2 + size + 2..)?;
    }
}

/// A reply of the line's own.
pub(super) fn reply(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Said\r\ncontent-type: text/html\r\n{headers}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn requests_are_read_to_their_end() {
        let whole = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello";
        let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        for text in [whole, chunked] {
            let mut rest = text.as_bytes();
            // byte by byte, as a slow client sends it
            let found = request(|part| {
                let n = rest.len().min(1);
                part[..n].copy_from_slice(&rest[..n]);
                rest = &rest[n..];
                Ok(n)
            });
            assert_eq!(found.unwrap().unwrap().bytes, text.as_bytes());
        }
        let message = Message { bytes: whole.as_bytes().to_vec(), head: whole.len() - 5 };
        assert_eq!(message.target(), "/a?b=c");
        let alone = String::from_utf8(message.alone()).unwrap();
        assert!(alone.ends_with("Content-Length: 5\r\nconnection: close\r\n\r\nhello"), "{alone}");
        assert!(request(|_| Ok(0)).unwrap().is_none());
        assert!(request(|part| Ok(part.len())).is_err(), "a head without an end");
    }

    #[test]
    fn replies_are_framed_by_their_length() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\nx: y\r\n\r\n\
                       5;a=b\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        let answer = Answer::read(chunked.as_bytes(), 1_000).unwrap();
        assert_eq!(answer.framed(6, 6), b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 6\r\n\r\nhello!");
        assert_eq!(answer.framed(6, 3), b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 6\r\n\r\nhel");
        let none = Answer::read(&b"HTTP/1.1 204 No Content\r\n\r\n"[..], 1_000).unwrap();
        assert_eq!(none.framed(0, 0), b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(Answer::read(&b"HTTP/1.1 200 OK\r\n"[..], 1_000).is_err());
    }
}
