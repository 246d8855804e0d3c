//! Tokens: the folded text cut into words, numbers and marks, each word with its class from the lexicon.

use super::lexicon::{Class, Lexicon};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters only.
    Word,
    /// ASCII digits only.
    Digits,
    /// ASCII letters and digits in one run.
    Mixed,
    /// One character that is none of these.
    Mark(char),
}

/// A piece of the folded text. Not `Debug`: the text of an SMS is not to be printed.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) class: Class,
    /// White space (but no line break) stands before it.
    pub(super) spaced: bool,
    /// How many sentences ended before it.
    pub(super) sentence: usize,
    /// How many lines ended before it.
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn is_mark(&self, marks: &str) -> bool {
        matches!(self.kind, Kind::Mark(c) if marks.contains(c))
    }

    pub(super) fn is_digits(&self) -> bool {
        self.kind == Kind::Digits
    }
}

const SENTENCE_ENDS: &str = ".!?。！？।॥؟۔።།။။។։;";

/// Cuts a folded text into tokens.
pub(super) fn tokens<'a>(folded: &'a str, lexicon: &Lexicon) -> Vec<Token<'a>> {
    let mut cutter = Cutter { lexicon, out: Vec::new(), spaced: false, sentence: 0, line: 0 };
    let mut rest = folded;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(if length > 0 { length } else { c.len_utf8() });
        match c {
            _ if length > 0 => cutter.run(head),
            '\n' => {
                cutter.line += 1;
                cutter.sentence += 1;
                cutter.spaced = false;
            }
            ' ' => cutter.spaced = true,
            _ => {
                cutter.push(Kind::Mark(c), head, Class::None);
                let inside_number = tail.starts_with(|c: char| c.is_ascii_alphanumeric()) && c == '.';
                if SENTENCE_ENDS.contains(c) && !inside_number {
                    cutter.sentence += 1;
                }
            }
        }
        rest = tail;
    }
    let mut out = cutter.out;
    join_pairs(&mut out, lexicon);
    out
}

/// Letters, digits and the signs that belong to a letter in the scripts of South and South-East Asia.
fn is_word_char(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        '\u{964}'
        | '\u{965}'
        | '\u{e3f}'
        | '\u{f08}'..='\u{f0a}'
        | '\u{f0c}'..='\u{f14}'
        | '\u{104a}'..='\u{104f}'
        | '\u{17d4}'..='\u{17db}'
        | '\u{df4}' => false,
        '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17dd}' | '\u{780}'..='\u{7bf}' => true,
        _ => c.is_alphabetic(),
    }
}

/// Scripts written without spaces, or (Hangul) with endings and compounds glued on: words are looked for anywhere in a
/// run.
fn is_unsegmented(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

struct Cutter<'a, 'l> {
    lexicon: &'l Lexicon,
    out: Vec<Token<'a>>,
    spaced: bool,
    sentence: usize,
    line: usize,
}

impl<'a> Cutter<'a, '_> {
    fn push(&mut self, kind: Kind, text: &'a str, class: Class) {
        self.out.push(Token { kind, text, class, spaced: self.spaced, sentence: self.sentence, line: self.line });
        self.spaced = false;
    }

    /// A run of word characters: cut where ASCII meets another script, if digits are in it.
    fn run(&mut self, run: &'a str) {
        let plain = !run.bytes().any(|b| b.is_ascii_digit()) && !run.contains(is_unsegmented);
        let mut rest = run;
        while let Some(c) = rest.chars().next() {
            let ascii = c.is_ascii();
            let end = if plain { None } else { rest.find(|c: char| c.is_ascii() != ascii) };
            let (head, tail) = rest.split_at(end.unwrap_or(rest.len()));
            if !plain && ascii {
                self.ascii(head);
            } else if head.contains(is_unsegmented) {
                self.unsegmented(head);
            } else {
                self.word(head);
            }
            rest = tail;
        }
    }

    fn word(&mut self, word: &'a str) {
        let class = self.lexicon.word(&word.to_ascii_lowercase());
        self.push(Kind::Word, word, class);
    }

    /// Letters and digits of ASCII. A known word glued to a number (`code4821`, `Rp150`, `10min`) is cut off.
    fn ascii(&mut self, run: &'a str) {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        if digits == run.len() {
            return self.push(Kind::Digits, run, Class::None);
        }
        if digits == 0 {
            return self.word(run);
        }
        let digits_first = run.starts_with(|c: char| c.is_ascii_digit());
        let cut = run.find(|c: char| c.is_ascii_digit() != digits_first).unwrap_or(run.len());
        let (head, tail) = run.split_at(cut);
        let (letters, number) = if digits_first { (tail, head) } else { (head, tail) };
        let pure = letters.len() + digits == run.len() && number.len() == digits;
        let unit_like = letters.len() > 1 || letters.bytes().all(|b| b.is_ascii_lowercase());
        if !pure || !unit_like || self.lexicon.word(&letters.to_ascii_lowercase()) == Class::None {
            return self.push(Kind::Mixed, run, Class::None);
        }
        for part in [head, tail] {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                self.push(Kind::Digits, part, Class::None);
            } else {
                self.word(part);
            }
        }
    }

    /// The longest known word at each place; what lies between known words stays together.
    fn unsegmented(&mut self, run: &'a str) {
        let mut from = 0;
        let mut at = 0;
        while let Some(rest) = run.get(at..).filter(|rest| !rest.is_empty()) {
            let Some((length, class)) = self.lexicon.inside(rest) else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            if from < at {
                self.push(Kind::Word, run.get(from..at).unwrap_or_default(), Class::None);
            }
            self.push(Kind::Word, run.get(at..at + length).unwrap_or_default(), class);
            at += length;
            from = at;
        }
        if from < run.len() {
            self.push(Kind::Word, run.get(from..).unwrap_or_default(), Class::None);
        }
    }
}

/// Terms of two words (`one time`, `mã xác`): both words get the class of the term.
fn join_pairs(tokens: &mut [Token<'_>], lexicon: &Lexicon) {
    for at in 1..tokens.len() {
        let [first, second] = tokens.get_mut(at - 1..=at).unwrap_or_default() else {
            continue;
        };
        if first.kind == Kind::Word && second.kind == Kind::Word && first.sentence == second.sentence {
            let class = lexicon.pair(&first.text.to_ascii_lowercase(), &second.text.to_ascii_lowercase());
            if class != Class::None {
                first.class = class;
                second.class = class;
            }
        }
    }
}
