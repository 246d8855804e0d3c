//! Folding: one plain spelling for the many that a hostile or careless sender may use.
//!
//! Every digit of Unicode becomes its ASCII digit, full-width forms become ASCII, accents and invisible characters go,
//! letters outside ASCII become lower case. The case of ASCII letters stays, because a code is returned as sent.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How many characters of a text are looked at. A concatenated SMS has at most 255 parts, but networks and suppliers
/// stop at ten (1,530 characters); a code after more than twice that is not one that a person would look for.
pub(super) const LOOKED_AT_CHARS: usize = 4_096;

/// The code points of the digit zero in each script that has decimal digits (Unicode general category Nd); nine more
/// follow each.
const ZEROS: &[u32] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0,
    0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50,
    0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0,
    0x1E4F0, 0x1E950, 0x1FBF0,
];

/// Letters (lower case) and what they are folded to, so that texts sent without accents meet the same words.
const LETTERS: &[(&str, &str)] = &[
    ("a", "àáâãäåāăąǎạảấầẩẫậắằẳẵặ"),
    ("ae", "æ"),
    ("c", "çćĉċč"),
    ("d", "ďđðɗḍ"),
    ("e", "èéêëēĕėęěẹẻẽếềểễệə"),
    ("g", "ĝğġģǧ"),
    ("h", "ĥħḥ"),
    ("i", "ìíîïĩīĭįıǐịỉ"),
    ("j", "ĵ"),
    ("k", "ķǩƙ"),
    ("l", "ĺļľŀłḷ"),
    ("n", "ñńņňŋṅ"),
    ("o", "òóôõöøōŏőǒọỏốồổỗộơớờởỡợ"),
    ("oe", "œ"),
    ("r", "ŕŗř"),
    ("s", "śŝşšșṣ"),
    ("ss", "ß"),
    ("t", "ţťțŧṭ"),
    ("th", "þ"),
    ("u", "ùúûüũūŭůűųǔụủưứừửữự"),
    ("w", "ŵẁẃẅ"),
    ("y", "ýÿŷỳỵỷỹ"),
    ("z", "źżžẓ"),
    ("α", "ά"),
    ("ε", "έ"),
    ("η", "ή"),
    ("ι", "ίϊΐ"),
    ("ο", "ό"),
    ("υ", "ύϋΰ"),
    ("ω", "ώ"),
    ("σ", "ς"),
    ("е", "ё"),
    ("ا", "أإآٱ"),
    ("ی", "يى"),
    ("ک", "كڪ"),
    ("ه", "ةۀہۃە"),
    (".", "．"),
    ("%", "٪﹪"),
    (".", "٫"),
    (",", "٬"),
    (", ", "，、،"),
    ("-", "‐‑‒–—―−﹘﹣－־"),
    ("*", "•●∗＊⁎×"),
    ("'", "’‘ʼ＇"),
];

static FOLDED: LazyLock<HashMap<char, &'static str>> =
    LazyLock::new(|| LETTERS.iter().flat_map(|&(to, from)| from.chars().map(move |c| (c, to))).collect());

/// The folded text: no control character but `\n`, no invisible character, no digit outside ASCII.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(LOOKED_AT_CHARS * 2));
    for c in text.chars().take(LOOKED_AT_CHARS) {
        push(&mut folded, c);
    }
    folded
}

fn push(folded: &mut String, c: char) {
    if c.is_ascii_graphic() || c == ' ' || c == '\n' {
        folded.push(c);
    } else if is_dropped(c) {
    } else if let Some(digit) = digit(c) {
        folded.push(digit);
    } else if matches!(c, '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
        folded.push('\n');
    } else if c.is_control() || c.is_whitespace() {
        folded.push(' ');
    } else if let Some(to) = FOLDED.get(&c) {
        folded.push_str(to);
    } else if let Some(ascii) = half_width(c) {
        folded.push(ascii);
    } else {
        let lower = c.to_lowercase().next().unwrap_or(c);
        match FOLDED.get(&lower) {
            Some(to) => folded.push_str(to),
            None => folded.push(lower),
        }
    }
}

/// Invisible characters, direction controls and marks that only decorate a letter or digit.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c7}'
        | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dd}'
        | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{70f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn digit(c: char) -> Option<char> {
    let point = u32::from(c);
    let zero = ZEROS.get(ZEROS.partition_point(|&zero| zero <= point).checked_sub(1)?)?;
    char::from_digit(point.checked_sub(*zero)?, 10)
}

fn half_width(c: char) -> Option<char> {
    match u32::from(c) {
        point @ 0xFF01..=0xFF5E => char::from_u32(point - 0xFEE0),
        _ => None,
    }
}

/// Replaces links, mail addresses and the trailing check value of automatic readers (eleven characters, as in `<#> …
/// Qz81+tK/0aB`) by one `\u{fffc}` each: what stands in them is never the code.
pub(super) fn blank_links(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut rest = folded;
    while let Some(start) = rest.find(|c: char| c.is_ascii_graphic()) {
        out.push_str(rest.get(..start).unwrap_or_default());
        let run = rest.get(start..).unwrap_or_default();
        let end = run.find(|c: char| !c.is_ascii_graphic()).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        let own_word = out.is_empty() || out.ends_with([' ', '\n']);
        match link_start(run) {
            Some(at) => {
                out.push_str(run.get(..at).unwrap_or_default());
                out.push('\u{fffc}');
            }
            None if own_word && after.trim().is_empty() && is_check_value(run) => out.push('\u{fffc}'),
            None => out.push_str(run),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where a link or mail address starts in a run of visible ASCII, if one does. `@host #code` (the form read by
/// browsers) is none.
fn link_start(run: &str) -> Option<usize> {
    let host_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let back = |end: usize, allowed: &dyn Fn(char) -> bool| {
        let head = run.get(..end).unwrap_or_default();
        head.len() - head.chars().rev().take_while(|&c| allowed(c)).count()
    };
    if let Some(at) = run.find("://") {
        return Some(back(at, &|c| c.is_ascii_alphabetic()));
    }
    if let Some(at) = run.find("www.") {
        return Some(at);
    }
    if let Some(at) = run.find('@') {
        let host = run.get(at + 1..).unwrap_or_default();
        let local = back(at, &|c| c.is_ascii_alphanumeric() || "._+-*".contains(c));
        return (local < at && host.contains('.')).then_some(local);
    }
    let slash = run.find(['/', '?'])?;
    let host = back(slash, &host_char);
    let (name, domain) = run.get(host..slash)?.rsplit_once('.')?;
    let is_domain = domain.len() >= 2 && domain.bytes().all(|b| b.is_ascii_alphabetic());
    (is_domain && name.bytes().any(|b| b.is_ascii_alphabetic())).then_some(host)
}

fn is_check_value(run: &str) -> bool {
    let base64 = run.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let has = |test: fn(&u8) -> bool| run.as_bytes().iter().any(test);
    run.len() == 11 && base64 && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}
