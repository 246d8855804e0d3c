//! Money as the two surfaces show it: whole rupiah on `/v1`, a dollar view of them on `/v2`. Whole numbers only.

use serde::{Serialize, Serializer};
use smscode_core::Platform;
use smscode_core::money::{Currency, Money};

use super::Surface;
use crate::answer::{Code, Failure};

/// Decimals of a balance in dollars.
pub(super) const BALANCE: u32 = 2;
/// Decimals of a price in dollars.
pub(super) const PRICE: u32 = 4;
/// Decimals that a price limit in dollars may have; zeros beyond them do no harm.
const INPUT_DECIMALS: u32 = 4;
/// Longest text of a price limit.
const INPUT_MAX: usize = 40;
const PAIR: &str = "USD/IDR";

/// The rate that an answer was made with: one for all its amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fx {
    pair: &'static str,
    rate: i64,
    rate_as_of: Option<String>,
}

impl Fx {
    /// The newest known rate, whatever its age: a refund must not fail because a price cannot be shown.
    pub(super) fn of(platform: &Platform) -> Result<Self, Failure> {
        let rate = platform.rate(Currency::Usd, Currency::Idr);
        let shown = rate.and_then(|rate| Some((whole(rate.micro)?, rate.as_of)));
        match shown {
            Some((rate, as_of)) => Ok(Self { pair: PAIR, rate, rate_as_of: as_of.map(|at| at.rfc3339()) }),
            None => Err(Failure::new(Code::FxUnavailable, "there is no USD/IDR rate at present; nothing was done")),
        }
    }

    #[cfg(test)]
    pub(super) const fn fixed(rate: i64) -> Self {
        Self { pair: PAIR, rate, rate_as_of: None }
    }
}

/// A rate in whole units, rounded half up; `None` for what is not worth one.
pub(super) fn whole(micro: i64) -> Option<i64> {
    Some(micro.saturating_add(500_000) / 1_000_000).filter(|rate| *rate > 0)
}

/// How amounts are shown in one answer.
#[derive(Clone, Debug)]
pub(super) enum Pricing {
    /// Whole rupiah.
    Rupiah,
    /// Dollars at a rate, beside the rupiah.
    Dollars(Fx),
}

impl Pricing {
    /// For a surface; on `/v2` only with a rate.
    pub(super) fn of(surface: Surface, platform: &Platform) -> Result<Self, Failure> {
        match surface {
            Surface::V1 => Ok(Self::Rupiah),
            Surface::V2 => Fx::of(platform).map(Self::Dollars),
        }
    }

    /// The receipt for `meta`.
    pub(super) const fn fx(&self) -> Option<&Fx> {
        match self {
            Self::Rupiah => None,
            Self::Dollars(fx) => Some(fx),
        }
    }

    /// An amount as this answer shows it.
    pub(super) fn show(&self, amount: Money, decimals: u32) -> Shown {
        match self {
            Self::Rupiah => Shown::Rupiah(amount.minor),
            Self::Dollars(fx) => {
                Shown::Dollars { amount: dollars(amount.minor, fx.rate, decimals), canonical: amount.minor }
            }
        }
    }
}

/// An amount on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A JSON integer.
    Rupiah(i64),
    /// The money object of `/v2`.
    Dollars {
        /// Decimal text.
        amount: String,
        /// The ledger's integer.
        canonical: i64,
    },
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a> {
            amount: &'a str,
            currency: &'static str,
            canonical_amount: i64,
            canonical_currency: &'static str,
        }
        match self {
            Self::Rupiah(amount) => serializer.serialize_i64(*amount),
            Self::Dollars { amount, canonical } => {
                Object { amount, currency: "USD", canonical_amount: *canonical, canonical_currency: "IDR" }
                    .serialize(serializer)
            }
        }
    }
}

/// Rupiah in dollars, rounded half up (away from zero below it) to so many decimals.
pub(super) fn dollars(rupiah: i64, rate: i64, decimals: u32) -> String {
    let unit = 10_u128.pow(decimals);
    let rate = u128::from(rate.unsigned_abs()).max(1);
    let scaled = u128::from(rupiah.unsigned_abs()) * unit;
    let rounded = (2 * scaled + rate) / (2 * rate);
    let sign = if rupiah < 0 && rounded > 0 { "-" } else { "" };
    let (whole, fraction) = (rounded / unit, rounded % unit);
    format!("{sign}{whole}.{fraction:0width$}", width = decimals as usize)
}

/// Which way a price limit is rounded: never towards what its sender did not agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// A maximum.
    Down,
    /// A minimum.
    Up,
}

/// A price limit in dollars, as millionths: digits, perhaps a point and up to four decimals, above zero.
pub(super) fn read_dollars(name: &str, text: &str) -> Result<i64, Failure> {
    let bad = || Failure::input(name, format!("{name} must be a decimal text above zero, such as \"0.25\""));
    if text.len() > INPUT_MAX {
        return Err(bad());
    }
    let read = Money::parse(text, Currency::Usd).ok_or_else(bad)?;
    let finest = 10_i64.pow(Currency::Usd.exponent() - INPUT_DECIMALS);
    if read.minor <= 0 || read.minor % finest != 0 {
        return Err(bad());
    }
    Ok(read.minor)
}

/// Millionths of a dollar in whole rupiah; what does not fit is no limit at all.
pub(super) fn rupiah(micro: i64, fx: &Fx, rounding: Rounding) -> i64 {
    let product = i128::from(micro) * i128::from(fx.rate);
    let rounded = match rounding {
        Rounding::Down => product / 1_000_000,
        Rounding::Up => (product + 999_999) / 1_000_000,
    };
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{Fx, Rounding, dollars, read_dollars, rupiah, whole};

    #[test]
    fn dollars_are_rounded_half_up() {
        let cases = [
            (1_250_000, 16_000, 2, "78.13"),
            (750_000, 16_000, 4, "46.8750"),
            (15_000, 16_250, 4, "0.9231"),
            (139, 17_970, 4, "0.0077"),
            (0, 16_000, 4, "0.0000"),
            (1, 16_000, 2, "0.00"),
            (80, 16_000, 2, "0.01"),
            (79, 16_000, 2, "0.00"),
            (-80, 16_000, 2, "-0.01"),
            (-1, 16_000, 2, "0.00"),
            (i64::MAX, 1, 4, "9223372036854775807.0000"),
            (i64::MIN, 1, 2, "-9223372036854775808.00"),
        ];
        for (amount, rate, decimals, shown) in cases {
            assert_eq!(dollars(amount, rate, decimals), shown, "{amount} at {rate}");
        }
    }

    #[test]
    fn limits_are_rounded_to_the_safe_side() {
        let cases = [
            // as sent, rate, maximum, minimum
            ("0.0077", 17_970, 138, 139),
            ("0.0001", 16_000, 1, 2),
            ("1", 16_000, 16_000, 16_000),
            ("1.50", 16_001, 24_001, 24_002),
            ("0.2500000", 16_000, 4_000, 4_000),
            ("9000000000000", i64::MAX, i64::MAX, i64::MAX),
        ];
        for (text, rate, max, min) in cases {
            let micro = read_dollars("max_price", text).unwrap();
            assert_eq!(rupiah(micro, &Fx::fixed(rate), Rounding::Down), max, "{text}");
            assert_eq!(rupiah(micro, &Fx::fixed(rate), Rounding::Up), min, "{text}");
        }
    }

    #[test]
    fn other_forms_of_limits_are_refused() {
        for text in
            ["0", "0.0000", "", "-1", "+1", "1,5", "1e3", " 1", ".5", "5.", "0.00001", "NaN", "99999999999999999999"]
        {
            assert!(read_dollars("max_price", text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_shown_whole() {
        let cases = [
            (16_000_000_000, Some(16_000)),
            (16_000_499_999, Some(16_000)),
            (16_000_500_000, Some(16_001)),
            (62, None),
            (0, None),
        ];
        for (micro, shown) in cases {
            assert_eq!(whole(micro), shown);
        }
    }
}
