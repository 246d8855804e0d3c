//! Measures code extraction on 500 invented texts (`corpus/sms.jsonl`): recall and precision are printed with every miss.
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

struct Sample {
    set: String,
    lang: String,
    tag: String,
    text: String,
    code: Option<String>,
}

fn corpus() -> Vec<Sample> {
    let lines = include_str!("corpus/sms.jsonl").lines();
    lines
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of the corpus is JSON");
            let text = |name: &str| value[name].as_str().map(str::to_owned);
            let required = |name: &str| text(name).unwrap_or_else(|| panic!("{name} is missing: {line}"));
            let code = if value["code"].is_null() { None } else { Some(required("code")) };
            Sample { set: required("set"), lang: required("lang"), tag: required("tag"), text: required("text"), code }
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
        println!("{name}: recall {}/{} = {recall} per mille, precision {}/{} = {precision} per mille",
            self.right, self.having, self.right, self.given);
        recall >= REQUIRED_PER_MILLE && precision >= REQUIRED_PER_MILLE
    }
}

#[test]
fn the_corpus_is_whole() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 500);
    assert_eq!(corpus.iter().map(|s| &s.text).collect::<BTreeSet<_>>().len(), 500, "two texts are the same");
    assert_eq!(corpus.iter().filter(|s| s.set == "dev").count(), 250);
    assert_eq!(corpus.iter().filter(|s| s.set == "held").count(), 250);
    let languages: BTreeSet<_> = corpus.iter().map(|s| &s.lang).collect();
    println!("{} languages, {} texts without a code", languages.len(), corpus.iter().filter(|s| s.code.is_none()).count());
    assert!(languages.len() >= 25, "{languages:?}");
}

#[test]
fn recall_and_precision() {
    let (mut dev, mut held, mut all) = (Tally::default(), Tally::default(), Tally::default());
    for sample in corpus() {
        let given = extract(&sample.text);
        let half = if sample.set == "dev" { &mut dev } else { &mut held };
        for tally in [half, &mut all] {
            tally.add(sample.code.as_deref(), given.as_deref());
        }
        if given != sample.code && std::env::var("ONLY").is_ok_and(|o| o != sample.set) {
            continue;
        }
        if given != sample.code {
            println!("miss {}/{}/{}: wanted {:?}, given {given:?}: {:?}", sample.set, sample.lang, sample.tag, sample.code, sample.text);
        }
    }
    let enough = [dev.check("dev"), std::env::var("ONLY").is_ok_and(|o| o == "dev") || held.check("held")];
    assert_eq!(enough, [true; 2], "recall or precision is too low");
}
