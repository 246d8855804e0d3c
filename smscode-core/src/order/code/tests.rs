#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::candidate::CODE_CHARS;
use super::extract;
use super::fold::{LOOKED_AT_CHARS, blank_links, fold};
use super::lexicon::{Class, LEXICON, Lexicon};
use super::token::{self, Kind};
use super::words::WORDS;

fn check(table: &[(&str, Option<&str>)]) {
    let wrong: Vec<_> = table
        .iter()
        .map(|&(text, code)| (text, code, extract(text)))
        .filter(|(_, code, given)| given.as_deref() != *code)
        .collect();
    assert!(wrong.is_empty(), "(text, wanted, given), {} of {}: {wrong:#?}", wrong.len(), table.len());
}

#[test]
fn written_forms() {
    check(&[
        ("code 1234", Some("1234")),
        ("code 12345678", Some("12345678")),
        ("code: 0000", Some("0000")),
        ("Your code is 123-456", Some("123456")),
        ("Your code is 123 456", Some("123456")),
        ("Your code is 12-34-56", Some("123456")),
        ("Your code is 12 34 56", Some("123456")),
        ("Your code is 1234-5678", Some("12345678")),
        ("Your code is 1-2-3-4-5-6", Some("123456")),
        ("Your code is 123\u{a0}456", Some("123456")),
        ("Your code is 123\u{2011}456", Some("123456")),
        ("Your code is 123–456", Some("123456")),
        ("G-415127 is your code", Some("415127")),
        ("Your code: AB-4151", Some("4151")),
        ("Your code: K4T-9WZ", Some("K4T9WZ")),
        ("Your code: 7QX-KLM", Some("7QXKLM")),
        ("Your code: a7k9q2", Some("a7k9q2")),
        ("Your code:A7K9Q2.", Some("A7K9Q2")),
        ("code=481920", Some("481920")),
        ("code481920", Some("481920")),
        ("OTP-481920", Some("481920")),
        ("<b>481920</b> is your code", Some("481920")),
        ("Your code is *481920*", Some("481920")),
        ("Your code is **481920**.", Some("481920")),
        ("Your code is '481920'", Some("481920")),
        ("Your code is\n\n  481920  \n", Some("481920")),
        ("481920", Some("481920")),
        ("  4819\n", Some("4819")),
        ("Quillon: 481920.", Some("481920")),
        ("Your code is ４８１９２０", Some("481920")),
        ("Your code is 𝟒𝟖𝟏𝟗𝟐𝟎", Some("481920")),
        ("Your code is 4\u{200b}8\u{200d}1\u{2060}9\u{feff}2\u{ad}0", Some("481920")),
        ("\u{202e}Your code is \u{202d}481920\u{202c}", Some("481920")),
        ("Your code is \u{0}481920\u{1b}", Some("481920")),
        ("Your code is 12 345 678 901 234", None),
        ("Your code is 12345678901", None),
        ("", None),
        ("12", None),
        ("hello", None),
        ("Your code is ready", None),
    ]);
}

#[test]
fn beside_the_code() {
    check(&[
        ("Enter the code from this text: 481920", Some("481920")),
        ("Code to verify your phone: 481920", Some("481920")),
        ("Your code for phone +1 202 555 0147 is 481920", Some("481920")),
        ("Your code is 481920. Valid until 14:20 on 2026-03-01.", Some("481920")),
        ("Your code is 481920 (valid for 1200 seconds)", Some("481920")),
        ("Login from 198.51.100.27. Code 4819.", Some("4819")),
        ("Code 4819 for order 4820.", Some("4819")),
        ("Order 4820: code 4819", Some("4819")),
        ("Pay $ 4,820 with code 4819", Some("4819")),
        ("Pay 4820 EUR with code 4819", Some("4819")),
        ("Card *4820, code 4819", Some("4819")),
        ("Card ending in 4820, code 4819", Some("4819")),
        ("Do not share 4819, your PIN, with anyone", Some("4819")),
        ("Your code will expire in 600 s: 4819", Some("4819")),
        ("Your previous code 482011 is void, your new code is 481920", Some("481920")),
        ("Use 481920 as your code. Call 18005550 if this was not you.", Some("481920")),
        ("Use 481920 as your code. Reply STOP to 72345.", Some("481920")),
        ("https://a.example/482011 is the link, 481920 the code", Some("481920")),
        ("a.example/482011?x=1 or code 481920", Some("481920")),
        ("Signed in as jo4820@a.example with code 481920", Some("481920")),
        ("481920 is your code.\n@a.example #481920", Some("481920")),
        ("Your code is 2026", Some("2026")),
        ("In 2026 your code is 4819", Some("4819")),
        ("Введите код из SMS: 481920", Some("481920")),
        ("Код 481920, заказ 482011 на 1 500 руб.", Some("481920")),
        ("验证码481920，10分钟内有效。尾号4820", Some("481920")),
        ("您的验证码：481920,10分钟内有效", Some("481920")),
        ("인증번호[481920]입니다. 문의 1588-0000", Some("481920")),
        ("コード481920、有効期限10分", Some("481920")),
    ]);
}

#[test]
fn no_code() {
    check(&[
        ("Your parcel 481920 is on its way", None),
        ("Invoice 481920 is due on 2026-03-01", None),
        ("Room 4819, seat 114", None),
        ("Pay 481920 IDR now", None),
        ("Pay Rp481.920 now", None),
        ("Total: $481.20", None),
        ("Call 18005550 to confirm", None),
        ("Reply STOP to 72345", None),
        ("Reply YES to 481920 to confirm", None),
        ("Use promo code 481920 at checkout", None),
        ("Your discount code: SAVE20NOW", None),
        ("Our post code is 48192", None),
        ("Card ending 4819 was used", None),
        ("Account XX4819 credited", None),
        ("Phone 0812 3456 7890", None),
        ("Phone +62 812 3456 7890", None),
        ("Meet at 0930 in 2026", None),
        ("Valid for 1200 seconds", None),
        ("Save 100% or 250 %", None),
        ("Sign in: https://a.example/login?code=481920", None),
        ("Sign in at a.example/481920", None),
        ("481920 people use our secure app", None),
        ("Dial *123*4819#", None),
        ("Your code has been sent to ***-***-4819", None),
        ("2026-03-01 09:30:00", None),
        ("192.168.10.254", None),
        ("We never ask for your code. Questions? 18005550", None),
    ]);
}

#[test]
fn folding() {
    for (text, folded) in [
        ("Ärger ÄÖ", "arger ao"),
        ("Größe", "Grosse"),
        ("Cafe\u{301}", "Cafe"),
        ("МОЁ", "мое"),
        ("ΚΩΔΙΚΌΣ", "κωδικοσ"),
        ("١٢٣ ۴۵۶ १२३ ৪৫৬ ๑๒๓ ໔໕໖ ១២៣ ၄၅၆ 1️⃣", "123 456 123 456 123 456 123 456 1"),
        ("ＡＢ：１２", "AB:12"),
        ("a\u{2003}b\tc\r\nd\u{7}e", "a b c \nd e"),
        ("\u{202e}x\u{200b}y\u{e0041}", "xy"),
        ("٥٠٪", "50%"),
    ] {
        assert_eq!(fold(text), folded, "{text:?}");
    }
}

#[test]
fn links_are_blanked() {
    for (text, blanked) in [
        ("see https://a.example/1234 now", "see \u{fffc} now"),
        ("见https://a.example/1234。", "见\u{fffc}。"),
        ("www.a.example 1234", "\u{fffc} 1234"),
        ("a.example/1234", "\u{fffc}"),
        ("jo.1234@a.example", "\u{fffc}"),
        ("@a.example #1234", "@a.example #1234"),
        ("1234.Berlaku s/d 5", "1234.Berlaku s/d 5"),
        ("code 1234\nabCD+12/xYz", "code 1234\n\u{fffc}"),
        ("code 1234 abCD+12/xYz more", "code 1234 abCD+12/xYz more"),
    ] {
        assert_eq!(blank_links(text), blanked, "{text:?}");
    }
}

#[test]
fn words_have_their_class() {
    for (word, class) in [
        ("code", Class::Code),
        ("decode", Class::Code),
        ("pink", Class::None),
        ("otp", Class::Otp),
        ("sicherheitscodes", Class::Otp),
        ("кодом", Class::Code),
        ("minutes", Class::Unit),
        ("rp", Class::Money),
    ] {
        assert_eq!(LEXICON.word(word), class, "{word}");
    }
    assert_eq!(LEXICON.inside("验证码是"), Some(("验证码".len(), Class::Otp)));
    assert_eq!(LEXICON.pair("ma", "xac"), Class::Code);
}

#[test]
fn no_word_stands_in_two_classes() {
    let mut seen = std::collections::BTreeMap::new();
    let mut twice = Vec::new();
    for (class, word) in
        WORDS.iter().flat_map(|(class, words)| words.split_whitespace().map(move |word| (*class, word)))
    {
        let spelling = fold(word).to_ascii_lowercase();
        if let Some(other) = seen.insert(spelling, class)
            && other != class
        {
            twice.push((word, other, class));
        }
    }
    assert!(twice.is_empty(), "{twice:?}");
}

/// A word that the cutting of a text never yields could never be met.
#[test]
fn each_word_of_the_table_can_be_met() {
    for (_, words) in WORDS {
        for word in words.split_whitespace().flat_map(|word| word.split('_')) {
            let folded = fold(word.trim_matches(['*', '~']));
            let cut = token::tokens(&folded, &Lexicon::default());
            assert!(cut.len() == 1 && cut.iter().all(|t| t.kind == Kind::Word), "{word}");
        }
    }
}

#[test]
fn a_code_beyond_the_limit_is_not_looked_at() {
    let near = format!("{}code 481920", "x ".repeat(1_000));
    let far = format!("{}code 481920", "x ".repeat(LOOKED_AT_CHARS));
    assert_eq!(extract(&near).as_deref(), Some("481920"));
    assert_eq!(extract(&far), None);
}

#[test]
fn hostile_lengths() {
    for piece in [
        "1",
        "1 ",
        "1-",
        "a1",
        "code ",
        "验证码",
        "code 1234 ",
        "\u{202e}",
        "@",
        "a.",
        "://",
        "1.2.3/",
        "é",
        "\u{0}",
        "123 456 ",
    ] {
        let text = piece.repeat(65_536 / piece.len());
        if let Some(code) = extract(&text) {
            assert!(CODE_CHARS.contains(&code.len()), "{piece:?}: {code}");
        }
    }
}

fn is_code(code: &str) -> bool {
    CODE_CHARS.contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric())
        && code.bytes().any(|b| b.is_ascii_digit())
}

/// Text in which the parts that rules look at come up often.
fn sms_like() -> impl Strategy<Value = String> {
    let known: Vec<String> =
        WORDS.iter().flat_map(|(_, words)| words.split_whitespace()).map(|w| w.replace(['*', '~', '_'], "")).collect();
    let piece = prop_oneof![
        prop::sample::select(known),
        "[0-9]{1,11}",
        "[A-Z0-9]{3,9}",
        "[ \\-.,:/#*@+%<>'\n]{1,3}",
        "[٠-٩۰-۹०-९０-９]{1,8}",
        "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]{1,2}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_gives_a_code_or_none(text in any::<String>()) {
        prop_assert!(extract(&text).is_none_or(|code| is_code(&code)));
    }

    #[test]
    fn sms_like_text_gives_a_code_or_none(text in sms_like()) {
        prop_assert!(extract(&text).is_none_or(|code| is_code(&code)), "{:?}", extract(&text));
    }

    #[test]
    fn invisible_characters_change_nothing(text in sms_like(), hidden in "[\u{200b}\u{2060}\u{202e}\u{feff}]") {
        let stuffed: String = text.chars().take(1_000).flat_map(|c| [c].into_iter().chain(hidden.chars())).collect();
        let plain: String = text.chars().take(1_000).collect();
        prop_assert_eq!(extract(&stuffed), extract(&plain));
    }

    #[test]
    fn a_plain_code_is_found(code in "[1-9][0-9]{3,7}") {
        let text = format!("Your verification code is {code}.");
        prop_assert_eq!(extract(&text), Some(code));
    }
}
