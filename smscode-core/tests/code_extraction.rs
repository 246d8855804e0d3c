//! Measures code extraction on 500 invented texts (`corpus/sms.jsonl`): recall and precision are printed with every
//! miss.
//!
//! How far the figures can be trusted. Both halves were written before the first rule; the rules and weights were
//! developed on the half `dev`, then the half `held` was run once, at the commit "rules as developed on the first half
//! of the corpus":
//!
//! | set | recall, first run | precision, first run |
//! |---|---|---|
//! | dev | 198/201 = 0.985 | 198/199 = 0.995 |
//! | held | 196/200 = 0.980 | 196/197 = 0.995 |
//! | fresh, 128 texts | 69/72 = 0.958 | 69/73 = 0.945 |
//! | fresh, 56 more | 35/37 = 0.946 | 35/38 = 0.921 |
//!
//! One author wrote both halves and the words of the lexicon, so `held` is not independent of the vocabulary, and its
//! figure is kinder than that of texts from elsewhere. Therefore `corpus/fresh.jsonl` was written after all rules, in two
//! rounds, with many near misses among the texts without a code; its first runs are the more honest figures. Each first
//! run was taken before anything was changed for it.
//!
//! After `held`: "finish, prompted" and the Burmese "number" became words, "ignore" and "old" reach past the word "code",
//! "Hasło SMS" is a code and "SMS" no call. After the first round of `fresh`: postal and article codes in Slavic languages
//! and Indonesian, "mã của", "prove, identity, quote"; Hindi "entered" alone no longer counts. After the second: "customer"
//! names no number, "helpdesk" is a call, toll-free numbers, signs around a bare code. Three of its texts stay wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, whose figures are to be read"
)]

use std::collections::BTreeSet;

use smscode_core::order::code::extract;

/// Recall and precision must reach this many thousandths, in each half and in all.
const REQUIRED_PER_MILLE: usize = 980;

const CORPUS: &str = include_str!("corpus/sms.jsonl");
const FRESH: &str = include_str!("corpus/fresh.jsonl");

struct Sample {
    set: String,
    lang: String,
    tag: String,
    text: String,
    code: Option<String>,
}

fn corpus(jsonl: &str) -> Vec<Sample> {
    jsonl
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of the corpus is JSON");
            let text = |name: &str| value[name].as_str().map(str::to_owned);
            let required = |name: &str| text(name).unwrap_or_else(|| panic!("{name} is missing: {line}"));
            let code = if value["code"].is_null() { None } else { Some(required("code")) };
            let optional = |name: &str| text(name).unwrap_or_default();
            Sample { set: optional("set"), lang: optional("lang"), tag: optional("tag"), text: required("text"), code }
        })
        .collect()
}

/// Texts with a code, texts for which a code was given, texts for which the right one was given.
#[derive(Default)]
struct Tally {
    having: usize,
    given: usize,
    right: usize,
}

impl Tally {
    fn add(&mut self, wanted: Option<&str>, given: Option<&str>) {
        self.having += usize::from(wanted.is_some());
        self.given += usize::from(given.is_some());
        self.right += usize::from(wanted.is_some() && wanted == given);
    }

    fn check(&self, name: &str) -> bool {
        let per_mille = |of: usize| self.right * 1000 / of.max(1);
        let (recall, precision) = (per_mille(self.having), per_mille(self.given));
        println!(
            "{name}: recall {}/{} = {recall} per mille, precision {}/{} = {precision} per mille",
            self.right, self.having, self.right, self.given
        );
        recall >= REQUIRED_PER_MILLE && precision >= REQUIRED_PER_MILLE
    }
}

/// Prints the misses and the figures; true if both are good enough.
fn measure<'a>(name: &str, samples: impl Iterator<Item = &'a Sample>) -> bool {
    let mut tally = Tally::default();
    for Sample { lang, tag, text, code, .. } in samples {
        let given = extract(text);
        tally.add(code.as_deref(), given.as_deref());
        if given != *code {
            println!("{name}: miss {lang} {tag}: wanted {code:?}, given {given:?}: {text:?}");
        }
    }
    tally.check(name)
}

#[test]
fn the_corpus_is_whole() {
    let corpus = corpus(CORPUS);
    assert_eq!(corpus.len(), 500);
    assert_eq!(corpus.iter().map(|s| &s.text).collect::<BTreeSet<_>>().len(), 500, "two texts are the same");
    assert_eq!(corpus.iter().filter(|s| s.set == "dev").count(), 250);
    assert_eq!(corpus.iter().filter(|s| s.set == "held").count(), 250);
    assert!(corpus.iter().all(|s| !s.lang.is_empty() && !s.tag.is_empty()));
    let languages: BTreeSet<_> = corpus.iter().map(|s| &s.lang).collect();
    println!(
        "{} languages, {} texts without a code",
        languages.len(),
        corpus.iter().filter(|s| s.code.is_none()).count()
    );
    assert!(languages.len() >= 25, "{languages:?}");
}

#[test]
fn recall_and_precision() {
    let corpus = corpus(CORPUS);
    let half = |name| measure(name, corpus.iter().filter(|s| s.set == name));
    let enough = [half("dev"), half("held"), measure("all", corpus.iter())];
    assert_eq!(enough, [true; 3], "recall or precision is too low");
}

#[test]
fn recall_and_precision_of_the_fresh_texts() {
    assert!(measure("fresh", corpus(FRESH).iter()), "recall or precision is too low");
}
