//! Scoring: how much the words, marks and shape around a candidate say that it is the code.

use super::candidate::{Candidate, Shape};
use super::lexicon::Class;
use super::token::{Kind, Token};

/// A candidate below this is no code. Chosen on the development half of the corpus.
pub(super) const THRESHOLD: i32 = 40;

/// What a word of a class is worth, by where it stands.
struct Weight {
    /// Only marks and words without meaning between it and the number.
    touching: i32,
    /// In the same sentence; [`PER_WORD`] less for each word between, but never below `near`.
    sentence: i32,
    near: i32,
    /// In the sentence before or after.
    beside: i32,
    /// Anywhere in the text.
    anywhere: i32,
}

const PER_WORD: i32 = 2;
const OTP: Weight = Weight { touching: 50, sentence: 42, near: 26, beside: 24, anywhere: 14 };
const CODE: Weight = Weight { touching: 48, sentence: 36, near: 20, beside: 18, anywhere: 8 };
const ACT: Weight = Weight { touching: 24, sentence: 22, near: 12, beside: 8, anywhere: 4 };

/// What the shape is worth, by the number of characters.
fn shape(shape: Shape, length: usize) -> i32 {
    match (shape, length) {
        (Shape::Labelled, 4..=8) => 20,
        (Shape::Digits, 6) => 20,
        (Shape::Digits, 5) => 16,
        (Shape::Digits, 4) => 14,
        (Shape::Digits, 7 | 8) => 10,
        (Shape::Split, 6) => 18,
        (Shape::Split, 4..=9) => 10,
        (Shape::Mixed, 5..=8) => 4,
        (Shape::Mixed, 4) => -4,
        (_, 3) => -8,
        _ => -16,
    }
}

/// What stands beside the number, for or against it.
const WEB_OTP: i32 = 60;
const BARE: i32 = 30;
const OWN_LINE: i32 = 16;
const QUOTED: i32 = 12;
const COLON: i32 = 8;
const FIRST: i32 = 8;
const REPEATED: i32 = 10;
/// Counts, amounts and years do not begin with a zero.
const LEADING_ZERO: i32 = 6;
const YEAR: i32 = -18;
const TOLL_FREE: i32 = -20;
const REF: i32 = -46;
const OLD: i32 = -30;
const MONTH: i32 = -50;
const TAIL: i32 = -60;
const CALL: i32 = -60;
const CONTACT: i32 = -30;
const UNIT: i32 = -60;
const PROMO: i32 = -80;
const MONEY: i32 = -80;

const CURRENCY_SIGNS: &str = "$€£¥₹₽₺₩₫₱฿₪₸₴₦₾৳៛₭₮₼₲₡֏￥";
const QUOTES: &str = "\"“”„«»「」『』【】[]()<>";

/// The score of one candidate of a text.
pub(super) fn score(tokens: &[Token<'_>], candidate: &Candidate, all: &[Candidate]) -> i32 {
    let context = Context { tokens, candidate };
    shape(candidate.shape, candidate.value.len()) + context.named() + context.layout(all) + context.against()
}

struct Context<'a> {
    tokens: &'a [Token<'a>],
    candidate: &'a Candidate,
}

impl Context<'_> {
    fn before(&self) -> impl Iterator<Item = &Token<'_>> {
        self.tokens.get(..self.candidate.first).unwrap_or_default().iter().rev()
    }

    fn after(&self) -> impl Iterator<Item = &Token<'_>> {
        self.tokens.get(self.candidate.last + 1..).unwrap_or_default().iter()
    }

    fn here(&self) -> (usize, usize) {
        self.tokens.get(self.candidate.first).map_or((0, 0), |t| (t.sentence, t.line))
    }

    /// The best word that names a code, and the best and half of the second best word of what a code is for.
    fn named(&self) -> i32 {
        let mut name = 0;
        let mut acts = (0, 0);
        for (class, worth) in self.words() {
            match class {
                Class::Otp | Class::Code => name = worth.max(name),
                _ if worth > acts.0 => acts = (worth, acts.0),
                _ => acts.1 = worth.max(acts.1),
            }
        }
        name + acts.0 + acts.1 / 2
    }

    /// Each word for a code, with its worth at its place.
    fn words(&self) -> Vec<(Class, i32)> {
        let (sentence, _) = self.here();
        let mut found = Vec::new();
        for side in [&mut self.before() as &mut dyn Iterator<Item = &Token<'_>>, &mut self.after()] {
            let mut between = 0;
            for token in side {
                let weight = match token.class {
                    Class::Otp => OTP,
                    Class::Code => CODE,
                    Class::Act => ACT,
                    Class::Link => continue,
                    _ => {
                        between += i32::from(matches!(token.kind, Kind::Word | Kind::Digits | Kind::Mixed));
                        continue;
                    }
                };
                let worth = match token.sentence.abs_diff(sentence) {
                    0 if between == 0 => weight.touching,
                    0 => weight.near.max(weight.sentence - PER_WORD * between),
                    1 => weight.beside,
                    _ => weight.anywhere,
                };
                found.push((token.class, worth));
            }
        }
        found
    }

    fn layout(&self, all: &[Candidate]) -> i32 {
        let (_, line) = self.here();
        let before = self.before().next();
        let after = self.after().next();
        let quoted = before.is_some_and(|t| t.is_mark(QUOTES)) && after.is_some_and(|t| t.is_mark(QUOTES));
        let is_host = |t: &&Token<'_>| t.is_mark("-.") || matches!(t.kind, Kind::Word | Kind::Mixed);
        let web = before.is_some_and(|t| t.is_mark("#"))
            && self.before().skip(1).find(|t| !is_host(t)).is_some_and(|t| t.is_mark("@"));
        let alone = before.is_none_or(|t| t.line < line) && after.is_none_or(|t| t.line > line || t.is_mark("."));
        let rules = [
            (web, WEB_OTP),
            (alone, OWN_LINE),
            (quoted, QUOTED),
            (before.is_some_and(|t| t.is_mark(":：")), COLON),
            (self.before().all(|t| t.is_mark("<#>")), FIRST),
            (all.iter().filter(|c| c.value == self.candidate.value).count() > 1, REPEATED),
            (self.candidate.value.starts_with('0'), LEADING_ZERO),
            (self.is_bare(all), BARE),
        ];
        rules.iter().filter(|(holds, _)| *holds).map(|(_, worth)| worth).sum()
    }

    /// The text is the number, or a sender's name and the number.
    fn is_bare(&self, all: &[Candidate]) -> bool {
        let words = self.tokens.iter().filter(|t| t.kind == Kind::Word).count();
        let is_mark = |t: &Token<'_>| matches!(t.kind, Kind::Mark(_));
        let ends = self.after().all(is_mark) || self.before().all(is_mark);
        words <= 2 && all.len() == 1 && ends && self.tokens.iter().all(|t| matches!(t.class, Class::None | Class::Link))
    }

    fn against(&self) -> i32 {
        let near = |class: Class, reach: usize| self.near_before(class, reach);
        let after = self.after().next().filter(|t| t.line == self.here().1);
        let touching_after = |class| after.is_some_and(|t| t.class == class);
        let currency = |t: Option<&Token<'_>>| t.is_some_and(|t| t.class == Class::Money || t.is_mark(CURRENCY_SIGNS));
        let rules = [
            (currency(self.before().find(|t| !t.is_mark(".:"))) || currency(after), MONEY),
            (touching_after(Class::Unit), UNIT),
            (touching_after(Class::Month) || near(Class::Month, 0), MONTH),
            (near(Class::Call, 2), CALL),
            (near(Class::Contact, 0), CONTACT),
            (near(Class::Tail, 1), TAIL),
            (near(Class::Ref, 0), REF),
            (near(Class::Old, 2) || touching_after(Class::Old), OLD),
            (near(Class::Promo, 1), PROMO),
            (self.is_year(), YEAR),
            (self.is_toll_free(), TOLL_FREE),
        ];
        rules.iter().filter(|(holds, _)| *holds).map(|(_, worth)| worth).sum()
    }

    /// A word of the class stands before the number in its sentence, with at most `reach` words between and no word for
    /// a code. "Old code" is still old, but only up to the next comma.
    fn near_before(&self, class: Class, reach: usize) -> bool {
        let (sentence, _) = self.here();
        let is_code = |t: &Token<'_>| matches!(t.class, Class::Otp | Class::Code);
        let stops = |t: &Token<'_>| {
            if class == Class::Old { t.is_mark(",") } else { is_code(t) }
        };
        let words = self.before().take_while(|t| t.sentence == sentence && !stops(t));
        let is_word = |t: &Token<'_>| matches!(t.kind, Kind::Word | Kind::Digits | Kind::Mixed);
        let mut words = words.filter(|t| is_word(t) && t.class != Class::Link && !is_code(t)).take(reach + 1);
        words.any(|t| t.class == class)
    }

    /// The beginnings of numbers that cost the caller little, in many countries.
    fn is_toll_free(&self) -> bool {
        let starts =
            ["0800", "1300", "1500", "1800", "8800"].iter().any(|start| self.candidate.value.starts_with(start));
        starts && self.candidate.value.len() >= 7
    }

    fn is_year(&self) -> bool {
        let year = self.candidate.value.parse::<u32>().is_ok_and(|n| (1990..=2039).contains(&n));
        year && self.candidate.shape == Shape::Digits && self.candidate.value.len() == 4
    }
}
