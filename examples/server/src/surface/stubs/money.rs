//! Amounts of the protocol: decimal text and JSON numbers in the ledger's currency, never through a float.

use serde_json::value::RawValue;
use smscode_core::money::{Currency, Money};

/// An amount as a JSON number, from its exact decimal text.
pub(super) fn number(amount: Money) -> Box<RawValue> {
    // decimal text is always a JSON number
    RawValue::from_string(amount.decimal()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A ceiling as programs write it, rounded down to the smallest unit of the currency. What is too large to fit limits
/// nothing. `None` for what is no decimal number.
pub(super) fn ceiling(text: &str, currency: Currency) -> Option<Money> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(currency.exponent() as usize)];
    let cut = match kept {
        "" => format!("0{whole}"),
        kept => format!("0{whole}.{kept}"),
    };
    Some(Money::parse(&cut, currency).unwrap_or(Money::new(i64::MAX, currency)))
}

#[cfg(test)]
mod tests {
    use smscode_core::money::{Currency, Money};

    use super::{ceiling, number};

    #[test]
    fn ceilings_are_rounded_down() {
        let cases = [
            ("2500", Currency::Idr, Some(2_500)),
            ("2500.99", Currency::Idr, Some(2_500)),
            ("0.5", Currency::Idr, Some(0)),
            (".5", Currency::Idr, Some(0)),
            ("7.", Currency::Idr, Some(7)),
            ("0.12345678", Currency::Usd, Some(123_456)),
            ("99999999999999999999", Currency::Idr, Some(i64::MAX)),
            ("", Currency::Idr, None),
            (".", Currency::Idr, None),
            ("-1", Currency::Idr, None),
            ("1,5", Currency::Idr, None),
            ("1e3", Currency::Idr, None),
            ("1.2.3", Currency::Idr, None),
            ("cheap", Currency::Idr, None),
        ];
        for (text, currency, minor) in cases {
            assert_eq!(ceiling(text, currency).map(|money| money.minor), minor, "{text}");
        }
    }

    #[test]
    fn numbers_are_exact() {
        let cases = [
            (Money::new(2_500, Currency::Idr), "2500"),
            (Money::new(60_800, Currency::Usd), "0.0608"),
            (Money::new(-1, Currency::Usd), "-0.000001"),
            (Money::new(i64::MAX, Currency::Idr), "9223372036854775807"),
        ];
        for (amount, expected) in cases {
            assert_eq!(number(amount).get(), expected);
        }
    }
}
