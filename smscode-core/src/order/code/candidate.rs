//! Candidates: the numbers of a text that have the shape of a code and are not plainly part of something else.

use super::lexicon::Class;
use super::token::{Kind, Token};

/// The shortest and the longest code, in characters.
pub(super) const CODE_CHARS: std::ops::RangeInclusive<usize> = 3..=10;

/// How a candidate is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `482913`
    Digits,
    /// `482-913`, `482 913`, `4 8 2 9 1 3`
    Split,
    /// `G-482913`
    Labelled,
    /// `A7K9Q2`, `K4T-9WZ`
    Mixed,
}

/// A run of tokens that could be the code. Not `Debug`: a code is not to be printed.
pub(super) struct Candidate {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) shape: Shape,
    /// ASCII letters and digits only.
    pub(super) value: String,
}

/// Marks that glue numbers into dates, times, amounts, ranges and phone numbers when no space is beside them.
const JOINERS: &str = "-./:,*+";
const MASKS: &str = "*#…";

/// The candidates of a text, in its order.
pub(super) fn candidates(tokens: &[Token<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = chunk_end(tokens, at);
        if tokens.get(at).is_some_and(Token::is_digits) && end == at {
            at = row(tokens, at, &mut found);
        } else {
            found.extend(chunk(tokens, at, end));
            at = end;
        }
        at += 1;
    }
    found.retain(|c| CODE_CHARS.contains(&c.value.len()) && !masked(tokens, c));
    found
}

/// The last token of the chunk that begins at `at`: numbers and ASCII words held together by joiners.
fn chunk_end(tokens: &[Token<'_>], at: usize) -> usize {
    let mut end = at;
    while let Some([left, mark, right]) = tokens.get(end..end + 3) {
        let counts_on = mark.is_mark(",") && tokens.get(end + 3).is_some_and(|t| t.class == Class::Unit);
        if counts_on
            || !mark.is_mark(JOINERS)
            || mark.spaced
            || right.spaced
            || right.line != left.line
            || !joins(left, mark, right)
        {
            break;
        }
        end += 2;
    }
    end
}

fn joins(left: &Token<'_>, mark: &Token<'_>, right: &Token<'_>) -> bool {
    let numeric = |t: &Token<'_>| matches!(t.kind, Kind::Digits | Kind::Mixed);
    let ascii = |t: &Token<'_>| t.text.is_ascii() && matches!(t.kind, Kind::Word | Kind::Digits | Kind::Mixed);
    match mark.kind {
        Kind::Mark('-') => ascii(left) && ascii(right) && (numeric(right) || numeric(left) && is_label(right)),
        Kind::Mark(':') => left.is_digits() && right.is_digits() && left.text.len() <= 2 && right.text.len() == 2,
        Kind::Mark(_) => numeric(left) && numeric(right),
        _ => false,
    }
}

fn is_label(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && token.text.len() <= 5 && token.text.bytes().all(|b| b.is_ascii_uppercase())
}

/// What a chunk is worth as a candidate.
fn chunk(tokens: &[Token<'_>], first: usize, last: usize) -> Option<Candidate> {
    let tokens = tokens.get(first..=last)?;
    let parts: Vec<&Token<'_>> = tokens.iter().step_by(2).collect();
    let dashes = tokens.iter().skip(1).step_by(2).all(|t| t.is_mark("-"));
    let joined = || parts.iter().map(|t| t.text).collect::<String>();
    let make = |first, shape, value| Some(Candidate { first, last, shape, value });
    match parts.as_slice() {
        [one] if one.kind == Kind::Mixed => make(first, Shape::Mixed, joined()),
        _ if !dashes => None,
        [word, number] if word.kind == Kind::Word && number.is_digits() => {
            let shape = if is_label(word) { Shape::Labelled } else { Shape::Digits };
            make(last, shape, number.text.to_owned())
        }
        [a, b] if a.is_digits() && b.is_digits() => {
            let (a, b) = (a.text.len(), b.text.len());
            (a >= 2 && b >= 2 && a.abs_diff(b) <= 1 && a + b >= 5).then(|| make(first, Shape::Split, joined()))?
        }
        [a, .., last] if parts.len() <= 10 && parts.iter().all(|t| t.is_digits() && t.text.len() == a.text.len()) => {
            let date = parts.len() == 3 && parts.get(1).is_some_and(|b| is_date(a.text, b.text, last.text));
            (!date).then(|| make(first, Shape::Split, joined()))?
        }
        [_, _] | [_, _, _]
            if parts.iter().any(|t| t.kind == Kind::Mixed)
                && parts.iter().all(|t| t.kind != Kind::Word || is_label(t)) =>
        {
            make(first, Shape::Mixed, joined())
        }
        _ => None,
    }
}

fn is_date(a: &str, b: &str, c: &str) -> bool {
    let number = |s: &str| s.parse::<u32>().unwrap_or(u32::MAX);
    [a, b, c].iter().all(|s| s.len() == 2) && number(b) <= 12 && (number(a) <= 31 || number(c) <= 31)
}

/// Numbers in a row, one space between: a code written in groups, an amount, a phone number, or numbers that only stand
/// side by side. Returns the last token used.
fn row(tokens: &[Token<'_>], first: usize, found: &mut Vec<Candidate>) -> usize {
    let mut last = first;
    while let Some([_, next]) = tokens.get(last..last + 2) {
        if !next.is_digits() || !next.spaced || chunk_end(tokens, last + 1) != last + 1 {
            break;
        }
        last += 1;
    }
    let groups: Vec<&str> = tokens.get(first..=last).unwrap_or_default().iter().map(|t| t.text).collect();
    let digits: usize = groups.iter().map(|g| g.len()).sum();
    let width = groups.first().map_or(0, |g| g.len());
    let even = groups.iter().all(|g| g.len() == width);
    let mut push = |first, last, shape, value| found.push(Candidate { first, last, shape, value });
    if groups.len() == 1 {
        push(first, last, Shape::Digits, groups.concat());
    } else if even
        && digits >= 4
        && (width == 1 && groups.len() >= 4 || (2..=4).contains(&width) && digits >= 6)
        && digits <= 9
    {
        push(first, last, Shape::Split, groups.concat());
    } else if groups.len() == 2 && digits < 9 || groups.iter().all(|g| g.len() >= 4) {
        for (offset, group) in groups.iter().enumerate() {
            push(first + offset, first + offset, Shape::Digits, (*group).to_owned());
        }
    }
    last
}

/// A plus or masking sign before it, or a percent sign, a masking sign or a further group of an amount or phone number
/// at it.
fn masked(tokens: &[Token<'_>], candidate: &Candidate) -> bool {
    let here = tokens.get(candidate.first);
    let before = candidate.first.checked_sub(1).and_then(|at| tokens.get(at));
    let further = candidate.first.checked_sub(2).and_then(|at| tokens.get(at));
    let after = tokens.get(candidate.last + 1);
    let touching = |t: &&Token<'_>| here.is_some_and(|h| !h.spaced && h.line == t.line);
    let dots = before.is_some_and(|t| t.is_mark(".")) && further.is_some_and(|t| t.is_mark("."));
    let mask = after.is_some_and(|t| !t.spaced && t.is_mark("*"));
    let sign = before.filter(touching).is_some_and(|t| t.is_mark("+…") || t.is_mark("*") && !mask || dots);
    let behind_mask = further.is_some_and(|t| t.is_mark(MASKS)) && before.is_some_and(|t| t.is_mark("-"));
    let percent = after.is_some_and(|t| t.is_mark("%"));
    let mask = mask && !before.filter(touching).is_some_and(|t| t.is_mark("*"));
    let host = candidate.shape == Shape::Mixed && after.is_some_and(|t| t.is_mark("@"));
    sign || behind_mask || percent || mask || host
}
