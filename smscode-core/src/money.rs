//! Money: whole numbers of a currency's smallest unit, never a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency of the ledger or of a supplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Indonesian rupiah, whole.
    Idr,
    /// US dollar, in millionths.
    Usd,
    /// Tether, in millionths.
    Usdt,
    /// Russian rouble, in ten-thousandths.
    Rub,
}

impl Currency {
    /// All currencies, in a fixed order.
    pub const ALL: [Self; 4] = [Self::Idr, Self::Usd, Self::Usdt, Self::Rub];

    /// ISO 4217 letters (and `USDT`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Idr => "IDR",
            Self::Usd => "USD",
            Self::Usdt => "USDT",
            Self::Rub => "RUB",
        }
    }

    /// How many decimals the smallest unit has: an amount `n` means `n * 10^-exponent`.
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Idr => 0,
            Self::Usd | Self::Usdt => 6,
            Self::Rub => 4,
        }
    }

    /// ISO 4217 number, where there is one; the SMS-Activate protocol speaks in these.
    pub const fn iso_number(self) -> Option<u16> {
        match self {
            Self::Idr => Some(360),
            Self::Usd => Some(840),
            Self::Rub => Some(643),
            Self::Usdt => None,
        }
    }

    /// By letters, in any case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code().eq_ignore_ascii_case(code))
    }

    /// By ISO 4217 number.
    pub fn from_iso_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.iso_number() == Some(number))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// In the smallest unit of the currency.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount of a currency.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads decimal text such as `12.50` exactly. `None` for signs, exponents, commas, blanks, too many decimals
    /// (unless they are zeros) and what does not fit.
    pub fn parse(text: &str, currency: Currency) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || text.ends_with('.') || !digits(whole) || !digits(fraction) {
            return None;
        }
        let exponent = currency.exponent() as usize;
        let kept = &fraction[..fraction.len().min(exponent)];
        if fraction.bytes().skip(exponent).any(|b| b != b'0') {
            return None;
        }
        let minor: i64 = format!("{whole}{kept:0<exponent$}").parse().ok()?;
        Some(Self { minor, currency })
    }

    /// Decimal text without trailing zeros, such as `12.5`.
    pub fn decimal(self) -> String {
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, fraction) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        if fraction == 0 {
            return format!("{sign}{whole}");
        }
        let text = format!("{fraction:0width$}", width = exponent as usize);
        format!("{sign}{whole}.{}", text.trim_end_matches('0'))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money};

    #[test]
    fn reads_and_writes_decimals_exactly() {
        let cases = [
            ("12.50", Currency::Usd, Some(12_500_000), "12.5"),
            ("0.0608", Currency::Usd, Some(60_800), "0.0608"),
            ("139", Currency::Idr, Some(139), "139"),
            ("139.00", Currency::Idr, Some(139), "139"),
            ("139.5", Currency::Idr, None, ""),
            ("21.5", Currency::Rub, Some(215_000), "21.5"),
            ("0.00000010", Currency::Usd, None, ""),
            ("9223372036854775807", Currency::Idr, Some(i64::MAX), "9223372036854775807"),
            ("9223372036854775808", Currency::Idr, None, ""),
            ("", Currency::Usd, None, ""),
            (".5", Currency::Usd, None, ""),
            ("5.", Currency::Usd, None, ""),
            ("-1", Currency::Usd, None, ""),
            ("1e3", Currency::Usd, None, ""),
            ("1,5", Currency::Usd, None, ""),
            ("١", Currency::Usd, None, ""),
        ];
        for (text, currency, minor, shown) in cases {
            let read = Money::parse(text, currency);
            assert_eq!(read.map(|m| m.minor), minor, "{text}");
            if let Some(money) = read {
                assert_eq!(money.decimal(), shown, "{text}");
            }
        }
        assert_eq!(Money::new(-1_500_000, Currency::Usd).decimal(), "-1.5");
    }
}
