//! Reading what vendors write: amounts from their literal text, phones, texts of SMS.

use std::collections::BTreeMap;

use smscode_core::money::{Currency, Money};
use smscode_core::port::{Activation, ActivationId, ActivationState};

/// What happens to decimals that the currency does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    /// Rounded up: what something costs us is never understated.
    Up,
    /// Cut: what we own is never overstated.
    Down,
}

/// The widest shift that an exponent may ask for; anything wider is no price.
const EXPONENT_LIMIT: i32 = 30;
/// The longest literal that is looked at.
const LITERAL_LIMIT: usize = 64;
/// The longest text of an SMS, in bytes: the longest that the networks can put together has some 39,000, but no code is
/// sent in one of more than a few hundred. Cut, not refused.
const SMS_TEXT_LIMIT: usize = 4_096;

/// What something costs us, from its literal text: `12.50`, `0.0608`, and JSON's exponent notation (`6.08e-2`), never
/// through a float. Decimals that the currency does not have are rounded up.
///
/// `None` for a sign, for a comma (it may mean thousands), for what is no number and for what does not fit.
///
/// ```
/// use smscode_core::money::{Currency, Money};
/// use smscode_providers::read;
///
/// assert_eq!(read::cost("0.29", Currency::Usd), Some(Money::new(290_000, Currency::Usd)));
/// assert_eq!(read::cost("0.00000029", Currency::Usd), Some(Money::new(1, Currency::Usd)));
/// assert_eq!(read::cost("0,29", Currency::Usd), None);
/// ```
pub fn cost(literal: &str, currency: Currency) -> Option<Money> {
    amount(literal, currency, Excess::Up)
}

/// What we own, as [`cost`], but rounded down, and it may be negative.
pub fn balance(literal: &str, currency: Currency) -> Option<Money> {
    match literal.trim().strip_prefix('-') {
        None => amount(literal, currency, Excess::Down),
        Some(rest) => {
            let owed = amount(rest, currency, Excess::Up)?;
            Some(Money::new(owed.minor.checked_neg()?, currency))
        }
    }
}

/// What something costs us, where a vendor counts in a smaller unit than the whole one: `29` with two decimals are 29 cents.
/// `decimals` is the vendor's figure, whatever our currency has; else as [`cost`].
///
/// ```
/// use smscode_core::money::{Currency, Money};
/// use smscode_providers::read;
///
/// assert_eq!(read::cost_minor("29", Currency::Usd, 2), Some(Money::new(290_000, Currency::Usd)));
/// assert_eq!(read::cost("29", Currency::Usd), Some(Money::new(29_000_000, Currency::Usd)));
/// ```
pub fn cost_minor(literal: &str, currency: Currency, decimals: u8) -> Option<Money> {
    cost(&shifted(literal, decimals)?, currency)
}

/// What we own, where a vendor counts in a smaller unit than the whole one: as [`balance`], with the vendor's decimals as
/// [`cost_minor`] has them.
pub fn balance_minor(literal: &str, currency: Currency, decimals: u8) -> Option<Money> {
    balance(&shifted(literal, decimals)?, currency)
}

/// The dot moved to the left, as an exponent.
fn shifted(literal: &str, decimals: u8) -> Option<String> {
    let (mantissa, exponent) = literal.trim().split_once(['e', 'E']).unwrap_or((literal.trim(), "0"));
    let shift = exponent.parse::<i32>().ok()?.checked_sub(i32::from(decimals))?;
    Some(format!("{mantissa}e{shift}"))
}

/// A phone in international digits, with plus, blanks and dashes taken off. `None` for a masked one and for what is no
/// phone of 6 to 15 digits.
pub fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text.strip_prefix('+').unwrap_or(text).chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    ((6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// The text of an SMS as an adapter hands it on: without U+0000, which no document of ours may hold, and at most 4 KiB.
pub fn sms_text(text: &str) -> String {
    let mut end = text.len().min(SMS_TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "")
}

/// The states that [`poll`](smscode_core::port::Supplier::poll) wants, in the order of the question. An id that was not
/// found is `NotFound`: this is for a vendor whose documentation says that it leaves out what it does not know.
pub fn in_order(asked: &[ActivationId], found: Vec<Activation>) -> Vec<ActivationState> {
    let states: BTreeMap<_, _> = found.into_iter().map(|one| (one.id, one.state)).collect();
    asked.iter().map(|id| states.get(id).cloned().unwrap_or(ActivationState::NotFound)).collect()
}

fn amount(literal: &str, currency: Currency, excess: Excess) -> Option<Money> {
    if literal.len() > LITERAL_LIMIT {
        return None;
    }
    let plain = expand(literal.trim())?;
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let kept = fraction.len().min(currency.exponent() as usize);
    let (fraction, rest) = fraction.split_at_checked(kept)?;
    let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    if plain.ends_with('.') || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut money = Money::parse(&text, currency)?;
    if excess == Excess::Up && rest.bytes().any(|b| b != b'0') {
        money.minor = money.minor.checked_add(1)?;
    }
    Some(money)
}

/// Writes exponent notation out; other text is handed through.
fn expand(literal: &str) -> Option<String> {
    let Some((mantissa, exponent)) = literal.split_once(['e', 'E']) else {
        return Some(literal.to_owned());
    };
    let shift: i32 = exponent.parse().ok()?;
    if shift.abs() > EXPONENT_LIMIT {
        return None;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    // a dot has digits on both sides, as in JSON
    if whole.is_empty() || mantissa.ends_with('.') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()?.checked_add(shift)?;
    match usize::try_from(point) {
        Ok(point @ 1..) if point < digits.len() => Some(format!("{}.{}", &digits[..point], &digits[point..])),
        Ok(point @ 1..) => Some(format!("{digits:0<point$}")),
        _ => {
            let zeros = "0".repeat(usize::try_from(point.unsigned_abs()).ok()?);
            Some(format!("0.{zeros}{digits}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_become_exact_amounts() {
        let cases = [
            ("0.0608", Currency::Usd, Some((60_800, 60_800))),
            ("12.50", Currency::Usd, Some((12_500_000, 12_500_000))),
            ("12", Currency::Idr, Some((12, 12))),
            ("12.0000", Currency::Idr, Some((12, 12))),
            ("12.1", Currency::Idr, Some((13, 12))),
            ("0.00000049", Currency::Usd, Some((1, 0))),
            ("6.08e-2", Currency::Usd, Some((60_800, 60_800))),
            ("6E-2", Currency::Usd, Some((60_000, 60_000))),
            ("1e3", Currency::Idr, Some((1_000, 1_000))),
            ("1.25e1", Currency::Rub, Some((125_000, 125_000))),
            ("1.25e+1", Currency::Rub, Some((125_000, 125_000))),
            ("1e-20", Currency::Usd, Some((1, 0))),
            ("0.1000000000000000055511151231257827", Currency::Usd, Some((100_001, 100_000))),
            ("1e31", Currency::Idr, None),
            ("1e", Currency::Idr, None),
            ("1.e2", Currency::Usd, None),
            (".5e1", Currency::Usd, None),
            ("1.e-2", Currency::Usd, None),
            (".e1", Currency::Usd, None),
            (".5", Currency::Usd, None),
            ("1.5e1.5", Currency::Usd, None),
            ("e5", Currency::Idr, None),
            ("1,5", Currency::Usd, None),
            ("1.5.5", Currency::Usd, None),
            ("1.2345678x", Currency::Usd, None),
            ("-1", Currency::Usd, None),
            ("", Currency::Usd, None),
            ("1.", Currency::Usd, None),
            ("NaN", Currency::Usd, None),
            ("99999999999999999999", Currency::Usd, None),
            ("1.23456é", Currency::Usd, None),
        ];
        for (literal, currency, expected) in cases {
            let up = cost(literal, currency).map(|money| money.minor);
            let down = balance(literal, currency).filter(|money| money.minor >= 0).map(|money| money.minor);
            assert_eq!(up.zip(down), expected, "{literal}");
        }
        assert_eq!(balance("-1.5", Currency::Usd).map(|m| m.minor), Some(-1_500_000));
        assert_eq!(balance("-0.0000001", Currency::Usd).map(|m| m.minor), Some(-1), "never more than we own");
        assert_eq!(balance("--1", Currency::Usd), None);
    }

    #[test]
    fn small_units_are_shifted_exactly() {
        let cases = [
            ("29", Currency::Usd, 2, Some((290_000, 290_000))),
            ("2900", Currency::Usd, 4, Some((290_000, 290_000))),
            ("29", Currency::Idr, 0, Some((29, 29))),
            ("2950", Currency::Idr, 2, Some((30, 29))),
            ("0", Currency::Usd, 2, Some((0, 0))),
            ("29.5", Currency::Usd, 2, Some((295_000, 295_000))),
            ("29e1", Currency::Usd, 2, Some((2_900_000, 2_900_000))),
            ("1", Currency::Usd, 9, Some((1, 0))),
            ("9007199254740993", Currency::Rub, 4, Some((9_007_199_254_740_993, 9_007_199_254_740_993))),
            ("29.", Currency::Usd, 2, None),
            ("29e", Currency::Usd, 2, None),
            ("", Currency::Usd, 2, None),
            ("2,9", Currency::Usd, 2, None),
            ("1", Currency::Usd, 255, None),
        ];
        for (literal, currency, decimals, expected) in cases {
            let up = cost_minor(literal, currency, decimals).map(|money| money.minor);
            let down = balance_minor(literal, currency, decimals).map(|money| money.minor);
            assert_eq!(up.zip(down), expected, "{literal} with {decimals} decimals");
        }
        assert_eq!(cost_minor("-29", Currency::Usd, 2), None);
        assert_eq!(balance_minor("-29", Currency::Usd, 2).map(|m| m.minor), Some(-290_000));
    }

    #[test]
    fn phones_are_digits() {
        let table = [
            ("+62 810-1234", Some("628101234")),
            ("628101234", Some("628101234")),
            ("+6281****34", None),
            ("++628101234", None),
            ("12345", None),
            ("1234567890123456", None),
            ("", None),
        ];
        for (text, digits) in table {
            assert_eq!(phone(text).as_deref(), digits, "{text}");
        }
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(sms_text("a\0b"), "ab");
        let long = "\u{434}".repeat(3_000);
        assert_eq!(sms_text(&format!("x{long}")).len(), 4_095);
    }
}
