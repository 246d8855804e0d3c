//! A binding quote: a price that holds for a minute. Nothing is stored: the quote is a text that only this platform can
//! make, with a keyed hash over what it says. Pure.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::account::AccountId;
use crate::money::{Currency, Money};
use crate::order::content::hex;
use crate::privacy::keyed_hash;
use crate::time::Timestamp;

/// How long a quote holds.
pub const QUOTE_MS: i64 = 60_000;
/// The longest text that is looked at: ours have about 220 characters.
const TEXT_MAX: usize = 400;
/// Bytes of the keyed hash.
const HASH_BYTES: usize = 16;

/// Names a quote. Good for its account alone, so it is not shown in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct QuoteId(String);

impl QuoteId {
    /// From the text that was given out; whether it is good turns out when it is used.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for its account: letters, digits, `-`, `_`, at most 400.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for QuoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuoteId(..)")
    }
}

/// A price that holds for a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// For `PlaceOrders::quote`.
    pub id: QuoteId,
    /// What one order costs.
    pub price: Money,
    /// Country id.
    pub country: u16,
    /// Service code.
    pub service: String,
    /// The slot, if exactly that one was asked for.
    pub product: Option<u32>,
    /// It holds until then.
    pub expires_at: Timestamp,
}

/// Why a quote is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteFault {
    /// Not a quote of this platform, or changed.
    Malformed,
    /// Another account's.
    Foreign,
    /// Its minute is over.
    Expired,
    /// For another product, country or service.
    OtherThing,
}

impl QuoteFault {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "quote_malformed",
            Self::Foreign => "quote_foreign",
            Self::Expired => "quote_expired",
            Self::OtherThing => "quote_other_thing",
        }
    }
}

impl fmt::Display for QuoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is none of ours",
            Self::Foreign => "it is for another account",
            Self::Expired => "it has expired",
            Self::OtherThing => "it is for something else",
        })
    }
}

/// What a quote says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    v: u8,
    pub(crate) product: Option<u32>,
    pub(crate) country: u16,
    pub(crate) service: String,
    price_minor: i64,
    currency: Currency,
    pub(crate) expires_at: Timestamp,
    /// Keyed hash of the account and the end, so that two quotes of one account have nothing in common.
    holder: String,
}

impl Terms {
    pub(crate) const fn price(&self) -> Money {
        Money::new(self.price_minor, self.currency)
    }
}

/// Makes a quote. `None` only if it cannot be written down.
pub(crate) fn make(
    key: &[u8; 32],
    account: AccountId,
    product: Option<u32>,
    pair: (u16, &str),
    price: Money,
    now: Timestamp,
) -> Option<Quote> {
    let (country, service) = pair;
    let expires_at = now.plus_ms(QUOTE_MS);
    let terms = Terms {
        v: 1,
        product,
        country,
        service: service.to_owned(),
        price_minor: price.minor,
        currency: price.currency,
        expires_at,
        holder: holder(key, account, expires_at),
    };
    let said = serde_json::to_vec(&terms).ok()?;
    let text = BASE64.encode([&seal(key, &said)[..], &said].concat());
    let id = (text.len() <= TEXT_MAX).then_some(QuoteId(text))?;
    Some(Quote { id, price, country, service: terms.service, product, expires_at })
}

/// Reads a quote.
///
/// # Errors
///
/// Why it is not good.
pub(crate) fn read(key: &[u8; 32], account: AccountId, quote: &QuoteId, now: Timestamp) -> Result<Terms, QuoteFault> {
    if quote.0.len() > TEXT_MAX {
        return Err(QuoteFault::Malformed);
    }
    let bytes = BASE64.decode(&quote.0).map_err(|_| QuoteFault::Malformed)?;
    let (hash, said) = bytes.split_at_checked(HASH_BYTES).ok_or(QuoteFault::Malformed)?;
    if !bool::from(hash.ct_eq(&seal(key, said))) {
        return Err(QuoteFault::Malformed);
    }
    let terms: Terms = serde_json::from_slice(said).map_err(|_| QuoteFault::Malformed)?;
    if terms.holder != holder(key, account, terms.expires_at) {
        return Err(QuoteFault::Foreign);
    }
    if now >= terms.expires_at {
        return Err(QuoteFault::Expired);
    }
    Ok(terms)
}

fn seal(key: &[u8; 32], said: &[u8]) -> [u8; HASH_BYTES] {
    cut(keyed_hash(key, &[b"quote", said]))
}

fn holder(key: &[u8; 32], account: AccountId, expires_at: Timestamp) -> String {
    let bytes: [u8; HASH_BYTES] = cut(keyed_hash(key, &[b"holder", &account.bytes(), &expires_at.sort_bytes()]));
    hex(&bytes)
}

fn cut<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    std::array::from_fn(|n| hash[n])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{QUOTE_MS, Quote, QuoteFault, QuoteId, TEXT_MAX, make, read};
    use crate::account::AccountId;
    use crate::money::{Currency, Money};
    use crate::time::Timestamp;

    const KEY: [u8; 32] = [7; 32];
    const MINE: AccountId = AccountId::from_bytes([1; 16]);
    const OTHER: AccountId = AccountId::from_bytes([2; 16]);

    fn quote(service: &str, now: Timestamp) -> Quote {
        make(&KEY, MINE, Some(u32::MAX), (6, service), Money::new(1 << 53, Currency::Usdt), now).unwrap()
    }

    #[test]
    fn good_for_its_account_and_its_minute() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let made = quote("wa", now);
        let cases = [
            (KEY, MINE, 0, Ok(1 << 53)),
            (KEY, MINE, QUOTE_MS - 1, Ok(1 << 53)),
            (KEY, MINE, QUOTE_MS, Err(QuoteFault::Expired)),
            (KEY, OTHER, 0, Err(QuoteFault::Foreign)),
            (KEY, OTHER, QUOTE_MS, Err(QuoteFault::Foreign)),
            ([8; 32], MINE, 0, Err(QuoteFault::Malformed)),
        ];
        for (n, (key, account, ms, expected)) in cases.into_iter().enumerate() {
            let found = read(&key, account, &made.id, now.plus_ms(ms));
            assert_eq!(found.map(|terms| terms.price().minor), expected, "case {n}");
        }
        assert_eq!(format!("{:?}", made.id), "QuoteId(..)");
    }

    #[test]
    fn nothing_of_it_can_be_changed() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let text = quote("wa", now).id.as_str().to_owned();
        for place in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = QuoteId::new(String::from_utf8(other).unwrap());
            assert_eq!(read(&KEY, MINE, &other, now), Err(QuoteFault::Malformed), "at {place}");
        }
        let long = "A".repeat(100_000);
        for other in ["", "A", "quote", "ÄÖ", &text[1..], &long] {
            assert_eq!(read(&KEY, MINE, &QuoteId::new(other), now), Err(QuoteFault::Malformed));
        }
    }

    #[test]
    fn fits_its_limit_and_tells_nothing_of_the_account() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let (one, two) = (quote(&"x".repeat(32), now), quote("wa", now.plus_ms(1)));
        assert!(one.id.as_str().len() <= TEXT_MAX);
        let holder = |quote: &Quote| read(&KEY, MINE, &quote.id, now).unwrap().holder;
        assert_ne!(holder(&one), holder(&two), "two quotes of one account could be matched");
    }
}
