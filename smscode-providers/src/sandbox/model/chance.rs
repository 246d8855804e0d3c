//! What is drawn: numbers and texts.

use smscode_core::port::Entropy;

use super::super::stock;

/// The first run of four to eight digits, as a simple supplier looks for it.
pub(super) fn code_in(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.into_iter().find(|run| (4..=8).contains(&run.len())).map(str::to_owned)
}

pub(super) fn number(pattern: &str, entropy: &dyn Entropy) -> String {
    let digit = |from: u32| char::from_digit(from + below(entropy, 10 - from), 10).unwrap_or('0');
    pattern
        .chars()
        .map(|sign| match sign {
            '#' => digit(0),
            '%' => digit(2),
            other => other,
        })
        .collect()
}

pub(super) fn code_text(entropy: &dyn Entropy) -> String {
    pick(&stock::TEXTS, entropy).replace("{}", &code(entropy))
}

pub(super) fn odd_text(entropy: &dyn Entropy) -> String {
    stock::ODD_TEXT.replace("{}", &code(entropy))
}

pub(super) fn plain_text(entropy: &dyn Entropy) -> String {
    pick(&stock::TEXTS_WITHOUT_CODE, entropy).to_owned()
}

fn code(entropy: &dyn Entropy) -> String {
    format!("{:06}", below(entropy, 1_000_000))
}

fn pick(texts: &'static [&'static str], entropy: &dyn Entropy) -> &'static str {
    let count = u32::try_from(texts.len()).unwrap_or(1);
    texts.get(below(entropy, count) as usize).copied().unwrap_or_default()
}

/// A number below the bound. Not quite even, which does not matter here.
fn below(entropy: &dyn Entropy, bound: u32) -> u32 {
    let mut bytes = [0_u8; 4];
    entropy.fill(&mut bytes);
    u32::from_le_bytes(bytes) % bound.max(1)
}
