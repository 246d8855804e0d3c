//! Marks that unfinished or silenced work leaves behind.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::files::SourceFile;
use super::{Finding, Outcome};

/// Words of somebody who meant to come back. Written in two parts, since this file is looked at too.
const LATER: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
/// Files whose text is looked at for those words.
const WRITTEN: &[&str] = &["rs", "toml", "md", "sh", "html", "css", "sql", "yml", "yaml"];
/// Folders of the machine this was written on.
const WORKPLACE: &str = concat!("/", "work/");
/// Doc tests that never run.
const IGNORED_EXAMPLES: &[&str] = &[concat!("```", "ignore"), concat!("```", "rust,ignore")];

/// Words for later, `todo!`, ignored tests and examples, lints silenced without a reason, `select!` whose order is left to chance.
pub(crate) fn marks(files: &[SourceFile]) -> Outcome {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| WRITTEN.contains(&file.extension())) {
        for (at, line) in file.text.lines().enumerate() {
            let words = LATER.iter().filter(|word| has_word(line, word));
            let examples = IGNORED_EXAMPLES.iter().filter(|_| file.is_rust()).filter(|mark| line.contains(**mark));
            for mark in words.chain(examples) {
                findings.push(Finding { line: Some(at + 1), ..Finding::of_file(file, format!("`{mark}`")) });
            }
        }
        if file.is_rust() {
            // A file that is no Rust is a finding of the rule on function length.
            let tokens: TokenStream = file.text.parse().unwrap_or_default();
            walk(tokens, &mut |line, message| {
                findings.push(Finding { line: Some(line), ..Finding::of_file(file, message) })
            });
        }
    }
    Outcome { summary: "no words for later, every silenced lint has its reason".to_owned(), findings }
}

/// Paths of the machine this was written on, in any text file.
pub(crate) fn workplace(files: &[SourceFile]) -> Outcome {
    let mut findings = Vec::new();
    for file in files {
        for (at, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains(WORKPLACE)) {
            findings
                .push(Finding { line: Some(at + 1), ..Finding::of_file(file, "a path of the workplace".to_owned()) });
        }
    }
    Outcome { summary: format!("{} text files", files.len()), findings }
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |neighbour: Option<char>| neighbour.is_some_and(|it| it.is_alphanumeric() || it == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !is_part(before) && !is_part(after)
    })
}

/// Looks at tokens rather than syntax, so that the bodies of macros are seen and strings and comments are not.
fn walk(tokens: TokenStream, find: &mut impl FnMut(usize, String)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        match (token, rest) {
            (TokenTree::Punct(hash), [TokenTree::Group(group), ..]) if hash.as_char() == '#' => attribute(group, find),
            (TokenTree::Punct(hash), [TokenTree::Punct(bang), TokenTree::Group(group), ..])
                if hash.as_char() == '#' && bang.as_char() == '!' =>
            {
                attribute(group, find);
            }
            (TokenTree::Ident(name), [TokenTree::Punct(bang), TokenTree::Group(group), ..])
                if bang.as_char() == '!' =>
            {
                invocation(name, group, find);
            }
            _ => {}
        }
        if let TokenTree::Group(group) = token {
            walk(group.stream(), find);
        }
    }
}

fn invocation(name: &proc_macro2::Ident, body: &Group, find: &mut impl FnMut(usize, String)) {
    let line = name.span().start().line;
    if name == "todo" || name == "unimplemented" {
        find(line, format!("`{name}!`"));
    }
    let is_biased = || matches!(body.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == "biased");
    if name == "select" && !is_biased() {
        find(line, "`select!` must begin with `biased;`: the same seed gives the same events".to_owned());
    }
}

fn attribute(group: &Group, find: &mut impl FnMut(usize, String)) {
    if group.delimiter() != Delimiter::Bracket {
        return;
    }
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    silenced(&tokens, find);
    if let [TokenTree::Ident(name), TokenTree::Group(inner)] = tokens.as_slice()
        && name == "cfg_attr"
    {
        let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
        for at in 0..inner.len() {
            silenced(inner.get(at..).unwrap_or_default(), find);
        }
    }
}

/// Whether an attribute that begins here switches off a test or a lint.
fn silenced(tokens: &[TokenTree], find: &mut impl FnMut(usize, String)) {
    match tokens {
        [TokenTree::Ident(name), ..] if name == "ignore" => {
            find(name.span().start().line, "an ignored test".to_owned())
        }
        [TokenTree::Ident(name), TokenTree::Group(lints), ..]
            if (name == "allow" || name == "expect") && !has_reason(lints) =>
        {
            find(name.span().start().line, format!("`{name}` without `reason = ...`"));
        }
        _ => {}
    }
}

fn has_reason(lints: &Group) -> bool {
    lints.stream().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        marks(&[SourceFile { path: path.to_owned(), text: text.to_owned() }]).findings.len()
    }

    #[test]
    fn words_for_later() {
        for (line, has) in [
            ("// TO_DO", false),
            ("// TO\u{44}O: x", true),
            ("// (FIX\u{4d}E)", true),
            ("// MASTO\u{44}ON", false),
            ("TO\u{44}OS", false),
        ] {
            assert_eq!(LATER.iter().any(|word| has_word(line, word)), has, "{line}");
        }
        let word = LATER[0];
        for path in ["a.rs", "Cargo.toml", "README.md"] {
            assert_eq!(found(path, &format!("# x = 1 # {word} later").replace('#', "//")), 1, "{path}");
        }
        assert_eq!(found("a.bin", word), 0);
    }

    #[test]
    fn planted_marks() {
        let table = [
            ("fn f() { todo!() }", 1),
            ("fn f() { unimplemented!(\"x\") }", 1),
            ("macro_rules! m { () => { todo!() } }", 1),
            ("fn f() { if todo != (1) {} }", 0),
            ("fn f() { call(\"todo!()\") }", 0),
            ("#[ignore] #[test] fn f() {}", 1),
            ("#[ignore = \"slow\"] fn f() {}", 1),
            ("#[cfg_attr(miri, ignore)] fn f() {}", 1),
            ("#[allow(dead_code)] fn f() {}", 1),
            ("#![allow(dead_code)]", 1),
            ("#[expect(dead_code)] fn f() {}", 1),
            ("#[cfg_attr(test, allow(dead_code))] fn f() {}", 1),
            ("#[cfg_attr(test, allow(dead_code, reason = \"x\"))] fn f() {}", 0),
            ("macro_rules! m { () => { #[allow(dead_code)] fn f() {} } }", 1),
            ("#[allow(dead_code, reason = \"used by the macro\")] fn f() {}", 0),
            ("#[serde(ignore)] struct S;", 0),
            ("fn f() { tokio::select! { a = b => {} } }", 1),
            ("fn f() { tokio::select! { biased; a = b => {} } }", 0),
        ];
        for (text, count) in table {
            assert_eq!(found("a.rs", text), count, "{text}");
        }
        assert_eq!(found("a.rs", &format!("/// {}\nfn f() {{}}", IGNORED_EXAMPLES[0])), 1);
    }

    #[test]
    fn paths_of_the_workplace() {
        let file = |text: String| [SourceFile { path: "docs/a.md".to_owned(), text }];
        assert_eq!(workplace(&file(format!("see\n{WORKPLACE}notes.md"))).findings[0].line, Some(2));
        assert!(workplace(&file("network/of/things".to_owned())).findings.is_empty());
    }
}
