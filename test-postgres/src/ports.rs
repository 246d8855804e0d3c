//! Free ports, and chance.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::ops::RangeInclusive;

/// Below the ports that Linux gives to outgoing connections, so that a client which tries again and again while the server is away can neither
/// take its port nor be connected to itself.
const PORTS: RangeInclusive<u16> = 20_000..=32_000;
/// How many ports are looked at.
const LOOKS: u16 = 1_000;
/// How many starts are tried; another process may take a port between the look and the start.
const STARTS: u16 = 10;

/// Starts something on a port of 127.0.0.1 that was free a moment ago; on others while `start` gives nothing.
pub(crate) fn on_free_port<T>(mut start: impl FnMut(u16) -> Option<T>) -> Option<(u16, T)> {
    (0..STARTS).find_map(|_| {
        let port = free_port();
        Some((port, start(port)?))
    })
}

/// A port of 127.0.0.1 that is free at this moment, and that Linux gives to nobody who asks for any port.
///
/// # Panics
///
/// If none of a thousand is free.
#[must_use]
pub fn free_port() -> u16 {
    let span = PORTS.end() - PORTS.start() + 1;
    let mut candidates = (0..LOOKS).map(|_| PORTS.start() + u16::from_le_bytes(random_bytes()) % span);
    candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// 16 hexadecimal digits that nobody can guess.
pub(crate) fn random_hex() -> String {
    format!("{:016x}", u64::from_le_bytes(random_bytes()))
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.expect("/dev/urandom");
    bytes
}
