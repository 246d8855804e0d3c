//! The price rule: what a customer pays for what costs us so much. Pure.

use crate::money::{Currency, Money};
use crate::port::Rate;
use crate::store::limits::AMOUNT_MAX;

/// How a selling price is made from a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// Added to the cost, in parts per million: 300,000 is 30 %.
    pub markup_ppm: u32,
    /// No price is below this, in the smallest unit of the ledger's currency.
    pub minimum_minor: i64,
}

impl Default for PriceRule {
    fn default() -> Self {
        Self { markup_ppm: 300_000, minimum_minor: 1 }
    }
}

const MILLION: i128 = 1_000_000;

/// What the customer pays, in the ledger's currency, rounded up to its smallest unit. `None` if the rate is for other
/// currencies or the result is more than the ledger takes in one transfer.
///
/// ```
/// use smscode_core::catalogue::{PriceRule, price};
/// use smscode_core::money::{Currency, Money};
/// use smscode_core::port::Rate;
///
/// let rate = Rate { base: Currency::Usd, quote: Currency::Idr, micro: 16_000_000_000, as_of: None };
/// let rule = PriceRule { markup_ppm: 250_000, minimum_minor: 500 };
/// let cost = Money::new(100_000, Currency::Usd); // 0.10 USD
/// assert_eq!(price(rule, cost, rate), Some(Money::new(2_000, Currency::Idr)));
/// ```
pub fn price(rule: PriceRule, cost: Money, rate: Rate) -> Option<Money> {
    if rate.base != cost.currency || cost.minor < 0 || rate.micro <= 0 {
        return None;
    }
    // cost / 10^eb * micro / 10^6 * 10^eq * (1 + markup)
    let factor = MILLION + i128::from(rule.markup_ppm);
    let numerator = i128::from(cost.minor)
        .checked_mul(i128::from(rate.micro))?
        .checked_mul(factor)?
        .checked_mul(unit(rate.quote))?;
    let denominator = unit(rate.base) * MILLION * MILLION;
    let minor =
        i64::try_from(numerator.div_euclid(denominator) + i128::from(numerator.rem_euclid(denominator) > 0)).ok()?;
    let minor = minor.max(rule.minimum_minor);
    (minor <= AMOUNT_MAX).then_some(Money::new(minor, rate.quote))
}

/// The most we may pay a supplier for something that is sold at this price: the largest cost whose price is not above
/// it. It is the only figure of the customer's that a supplier sees, so it comes from our rule and never from the
/// customer's own limit.
pub fn ceiling(rule: PriceRule, price: Money, rate: Rate) -> Option<Money> {
    if rate.quote != price.currency || price.minor < 0 || rate.micro <= 0 {
        return None;
    }
    let factor = MILLION + i128::from(rule.markup_ppm);
    let numerator = i128::from(price.minor).checked_mul(unit(rate.base))?.checked_mul(MILLION)?.checked_mul(MILLION)?;
    let denominator = i128::from(rate.micro).checked_mul(unit(rate.quote))?.checked_mul(factor)?;
    Some(Money::new(i64::try_from(numerator / denominator).ok()?, rate.base))
}

const fn unit(currency: Currency) -> i128 {
    10_i128.pow(currency.exponent())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{PriceRule, ceiling, price};
    use crate::money::{Currency, Money};
    use crate::port::Rate;

    const fn rate(base: Currency, quote: Currency, micro: i64) -> Rate {
        Rate { base, quote, micro, as_of: None }
    }

    #[test]
    fn prices_are_rounded_up_and_never_below_the_minimum() {
        let usd = rate(Currency::Usd, Currency::Idr, 16_000_000_000);
        let same = rate(Currency::Idr, Currency::Idr, 1_000_000);
        let cases = [
            // markup, minimum, cost, rate, price
            (0, 1, Money::new(100_000, Currency::Usd), usd, Some(1_600)),
            (300_000, 1, Money::new(100_000, Currency::Usd), usd, Some(2_080)),
            (0, 1, Money::new(1, Currency::Usd), usd, Some(1)),
            (0, 500, Money::new(1, Currency::Usd), usd, Some(500)),
            (333_333, 1, Money::new(1_000, Currency::Idr), same, Some(1_334)),
            (0, 1, Money::new(0, Currency::Idr), same, Some(1)),
            (0, 1, Money::new(-1, Currency::Idr), same, None),
            (0, 1, Money::new(5, Currency::Rub), usd, None),
            (0, 1, Money::new(i64::MAX, Currency::Usd), usd, None),
        ];
        for (markup_ppm, minimum_minor, cost, rate, expected) in cases {
            let rule = PriceRule { markup_ppm, minimum_minor };
            assert_eq!(price(rule, cost, rate).map(|m| m.minor), expected, "{cost} at {markup_ppm}");
        }
    }

    #[test]
    fn the_ceiling_is_the_largest_cost_of_a_price() {
        let usd = rate(Currency::Usd, Currency::Idr, 16_321_000_000);
        let rule = PriceRule { markup_ppm: 270_000, minimum_minor: 1 };
        for minor in [1, 139, 2_500, 1_000_003] {
            let sold = Money::new(minor, Currency::Idr);
            let most = ceiling(rule, sold, usd).unwrap();
            assert!(price(rule, most, usd).unwrap().minor <= minor);
            let more = Money::new(most.minor + 1, Currency::Usd);
            assert!(price(rule, more, usd).unwrap().minor > minor);
        }
    }
}
