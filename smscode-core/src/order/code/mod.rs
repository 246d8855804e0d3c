//! The verification code in an SMS.
//!
//! One pass of pure functions: the text is folded to a plain spelling, cut into tokens, the numbers that have a code's
//! shape become candidates, and each is scored by the words around it. The rules are data: the words stand in
//! `words.rs`, the weights at the top of `score.rs`.

mod candidate;
mod fold;
mod lexicon;
mod score;
#[cfg(test)]
mod tests;
mod token;
mod words;

use lexicon::{Class, LEXICON};
use token::{Kind, Token};

/// The most candidates that are scored. Each is scored against the whole text, so this keeps the time linear in its
/// length; an SMS with more numbers than this is a list, and its code, if any, comes early.
const SCORED_CANDIDATES: usize = 32;

/// The verification code found in an SMS text, as text (leading zeros matter), or `None` if the text has none.
///
/// The code is 3 to 10 ASCII letters and digits and nothing else: digits of any script become ASCII digits, letters
/// stay in the case they were sent in. Groups are joined (`123-456` and `123 456` give `123456`, `K4T-9WZ` gives
/// `K4T9WZ`), a label of capital letters before the digits is left out (`G-415127` gives `415127`). A code of letters
/// only is not recognised. Of several codes the one that the text names most clearly is returned, the first of equals.
///
/// Never panics. Time is linear in the length of the text, of which the first 4,096 characters are looked at.
#[must_use]
pub fn extract(text: &str) -> Option<String> {
    let folded = fold::blank_links(&fold::fold(text));
    let mut tokens = token::tokens(&folded, &LEXICON);
    void_other_codes(&mut tokens);
    let mut candidates = candidate::candidates(&tokens);
    candidates.truncate(SCORED_CANDIDATES);
    let mut best = None;
    for candidate in &candidates {
        let score = score::score(&tokens, candidate, &candidates);
        if score >= score::THRESHOLD && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.value.clone())
}

/// "promo code", "code de réduction", "order code": a word for a code that is named for another use tells nothing about
/// a verification code.
fn void_other_codes(tokens: &mut [Token<'_>]) {
    let words: Vec<usize> = (0..tokens.len())
        .filter(|&at| tokens.get(at).is_some_and(|t| t.kind == Kind::Word && t.class != Class::Link))
        .collect();
    for pair in words.windows(2) {
        let &[left, right] = pair else { continue };
        let (Some(a), Some(b)) = (tokens.get(left).copied(), tokens.get(right).copied()) else {
            continue;
        };
        let near = a.sentence == b.sentence && right - left <= 2;
        let (code, other) = match (a.class, b.class) {
            (Class::Promo, Class::Code) => (right, Class::Promo),
            (Class::Code, Class::Promo) => (left, Class::Promo),
            (Class::Ref, Class::Code) if a.line == b.line => (right, Class::Ref),
            _ => continue,
        };
        if let Some(token) = tokens.get_mut(code).filter(|_| near) {
            token.class = other;
        }
    }
}
