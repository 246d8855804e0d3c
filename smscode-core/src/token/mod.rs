//! API tokens: 32 letters and digits, of which only a hash is kept.

pub mod record;

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How long a token is: existing programs of the market refuse keys of any other length.
pub const TOKEN_LENGTH: usize = 32;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token in clear: shown once, kept nowhere. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Reads a token: 32 letters and digits, whoever made it.
    pub fn read(text: &str) -> Option<Self> {
        let fine = text.len() == TOKEN_LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fine.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Makes a token from 32 random bytes: `smsc`, 22 random characters, 6 of checksum, so that a scanner of leaked
    /// secrets recognises it.
    pub fn make(random: &[u8; 32]) -> Self {
        let mut text = String::with_capacity(TOKEN_LENGTH);
        text.push_str("smsc");
        let digest = Sha256::digest(random);
        let number = random.iter().fold(0_u128, |n, b| (n << 4) ^ u128::from(*b));
        let mixed = number ^ u128::from_be_bytes(first_16(&digest));
        // 62^22 is above 2^130: 22 characters hold 128 bits
        push_base62(&mut text, mixed, 22);
        let sum = checksum(&text);
        push_base62(&mut text, u128::from(sum), 6);
        Self(Zeroizing::new(text))
    }

    /// Whether the token was made by this program: prefix and checksum fit.
    pub fn is_ours(&self) -> bool {
        let (body, sum) = self.0.split_at(TOKEN_LENGTH - 6);
        let mut expected = String::new();
        push_base62(&mut expected, u128::from(checksum(body)), 6);
        body.starts_with("smsc") && sum == expected
    }

    /// The token in clear, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes
}

fn push_base62(text: &mut String, mut number: u128, digits: usize) {
    for _ in 0..digits {
        text.push(char::from(ALPHABET[(number % 62) as usize]));
        number /= 62;
    }
}

/// 30 bits over the first 26 characters.
fn checksum(body: &str) -> u32 {
    let digest = Sha256::digest(body.as_bytes());
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 2
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Token;

    #[test]
    fn tokens_have_the_shape_that_programs_expect() {
        let token = Token::make(&[7; 32]);
        assert!(token.reveal().starts_with("smsc") && token.is_ours());
        assert_eq!(Token::read(token.reveal()), Some(token.clone()));
        assert_ne!(Token::make(&[8; 32]), token);
        let mut wrong = token.reveal().to_owned();
        wrong.replace_range(5..6, if &wrong[5..6] == "a" { "b" } else { "a" });
        assert!(!Token::read(&wrong).unwrap().is_ours());
        for bad in ["", "short", "with space in the middle of this", "ümläut-ümläut-ümläut-ümläut"] {
            assert!(Token::read(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
