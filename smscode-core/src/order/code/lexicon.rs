//! The lexicon: which words say that a number is a code, and which say that it is something else.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::fold;
use super::words::WORDS;

/// What a word tells about the numbers near it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Nothing.
    #[default]
    None,
    /// Names a one-time code and nothing else: OTP, passcode, 验证码.
    Otp,
    /// Names a code or password, of whatever use.
    Code,
    /// What is done with a code, or what it is for: enter, use, confirm, sign in.
    Act,
    /// Stands between a word and its number without meaning: is, of, number.
    Link,
    /// Turns "code" beside it into another thing: promo, coupon, post, QR.
    Promo,
    /// The number after it names a thing: order, invoice, room, street.
    Ref,
    /// The number after it is to be called or written to.
    Call,
    /// A way of reaching somebody; the number right after it may be one to be called or written to.
    Contact,
    /// The number after it is the end of a card, account or phone number.
    Tail,
    /// Counts what the number before it says: minutes, days, GB, points.
    Unit,
    /// A currency; the number before or after it is an amount.
    Money,
    /// A month; the number beside it is a day or a year.
    Month,
    /// Says that the code after it no longer counts.
    Old,
}

/// The longest word of the table, in characters; longer beginnings and endings of a word are not looked up.
const LONGEST_WORD: usize = 24;

/// The table of words, ready for look-up.
#[derive(Default)]
pub(super) struct Lexicon {
    exact: HashMap<String, Class>,
    starts: HashMap<String, Class>,
    ends: HashMap<String, Class>,
    inside: HashMap<String, Class>,
    pairs: HashMap<String, Vec<(String, Class)>>,
}

/// The lexicon made of [`WORDS`].
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::of(WORDS));

impl Lexicon {
    fn of(table: &[(Class, &str)]) -> Self {
        let mut lexicon = Self::default();
        for &(class, words) in table {
            for word in words.split_whitespace() {
                lexicon.add(class, &fold(word).to_ascii_lowercase());
            }
        }
        lexicon
    }

    fn add(&mut self, class: Class, word: &str) {
        if let Some((first, second)) = word.split_once('_') {
            self.pairs.entry(first.to_owned()).or_default().push((second.to_owned(), class));
        } else if let Some(middle) = word.strip_prefix('~') {
            self.inside.insert(middle.to_owned(), class);
        } else if let Some(end) = word.strip_prefix('*') {
            self.ends.insert(end.to_owned(), class);
        } else if let Some(start) = word.strip_suffix('*') {
            self.starts.insert(start.to_owned(), class);
        } else {
            self.exact.insert(word.to_owned(), class);
        }
    }

    /// The class of a whole word: as it stands, else by its longest known beginning, else by its longest known ending.
    pub(super) fn word(&self, lower: &str) -> Class {
        if let Some(&class) = self.exact.get(lower) {
            return class;
        }
        let mut found = Class::None;
        for (at, c) in lower.char_indices().take(LONGEST_WORD) {
            if let Some(&class) = lower.get(..at + c.len_utf8()).and_then(|start| self.starts.get(start)) {
                found = class;
            }
        }
        if found != Class::None {
            return found;
        }
        for (at, _) in lower.char_indices().rev().take(LONGEST_WORD) {
            if let Some(&class) = lower.get(at..).and_then(|end| self.ends.get(end)) {
                found = class;
            }
        }
        found
    }

    /// The longest word without spaces around it that a run begins with: its length in bytes and its class.
    pub(super) fn inside(&self, run: &str) -> Option<(usize, Class)> {
        let mut found = None;
        for (at, c) in run.char_indices().take(LONGEST_WORD) {
            let length = at + c.len_utf8();
            if let Some(&class) = run.get(..length).and_then(|word| self.inside.get(word)) {
                found = Some((length, class));
            }
        }
        found
    }

    /// The class of a term of two words.
    pub(super) fn pair(&self, first: &str, second: &str) -> Class {
        let seconds = self.pairs.get(first).map_or(&[][..], Vec::as_slice);
        seconds.iter().find(|(word, _)| word == second).map_or(Class::None, |&(_, class)| class)
    }
}
