//! AES-256-GCM over small texts, with the purpose as associated data, and keyed hashes.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Random bytes that each seal needs. 96 bits at random are safe for 2^32 seals of one key; an order has a dozen.
pub(crate) const NONCE_BYTES: usize = 12;

/// Sealed bytes as they are stored: version, nonce, ciphertext and tag, in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// How many characters it takes in a record.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} characters)", self.0.len())
    }
}

/// The key of one order.
#[derive(Clone)]
pub(crate) struct OrderKey(pub(crate) Zeroizing<[u8; 32]>);

/// The first byte of every sealed text; another algorithm gets another one.
const VERSION: u8 = 1;

/// Seals a text for one purpose. `None` only if the cipher refuses, which it does for texts beyond its 64 GiB.
pub(crate) fn seal(key: &[u8; 32], nonce: [u8; NONCE_BYTES], purpose: &[u8], plain: &[u8]) -> Option<Sealed> {
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: purpose }).ok()?;
    let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Some(Sealed(BASE64.encode(bytes)))
}

/// Opens what was sealed with this key for this purpose; `None` for anything else.
pub(crate) fn open(key: &[u8; 32], purpose: &[u8], sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64.decode(&sealed.0).ok()?;
    let (version, rest) = bytes.split_first()?;
    if *version != VERSION || rest.len() < NONCE_BYTES {
        return None;
    }
    let (nonce, text) = rest.split_at(NONCE_BYTES);
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    cipher.decrypt(&Nonce::from(nonce), Payload { msg: text, aad: purpose }).ok().map(Zeroizing::new)
}

/// A keyed hash over parts, each with its length, so that no two lists of parts run into each other.
pub(crate) fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{keyed_hash, open, seal};

    #[test]
    fn opens_only_with_the_same_key_and_purpose() {
        let sealed = seal(&[1; 32], [2; 12], b"phone", b"6281234567890").unwrap();
        assert_eq!(open(&[1; 32], b"phone", &sealed).unwrap().as_slice(), b"6281234567890");
        assert!(open(&[3; 32], b"phone", &sealed).is_none());
        assert!(open(&[1; 32], b"text", &sealed).is_none());
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("6281234567890") && !format!("{sealed:?}").contains(&text[1..20]));
    }

    #[test]
    fn hashes_keep_parts_apart() {
        assert_ne!(keyed_hash(&[1; 32], &[b"ab", b"c"]), keyed_hash(&[1; 32], &[b"a", b"bc"]));
        assert_ne!(keyed_hash(&[1; 32], &[b"a"]), keyed_hash(&[2; 32], &[b"a"]));
    }
}
