//! Journeys end at the ledger.

use syn::visit::{self, Visit};

use super::files::SourceFile;
use super::{Finding, Outcome};

/// Letters of the journeys: orders, deposits, accounts, operations, happy ones.
const LETTERS: &[char] = &['u', 'd', 'a', 'o', 'j'];
/// What such a test ends in: the postings of an order, and that the books balance.
const ENDING: &str = "assert_postings";

/// Tests in a `tests` folder that are named after a journey, such as `u4_found_in_the_list`, and assert no postings.
pub(crate) fn journeys(files: &[SourceFile]) -> Outcome {
    let mut findings = Vec::new();
    let mut count = 0;
    for file in files.iter().filter(|file| file.is_rust() && is_in_tests(&file.path)) {
        // A file that cannot be parsed is a finding of the rule on function length.
        let Ok(parsed) = syn::parse_file(&file.text) else {
            continue;
        };
        let mut seen = Journeys { file, count: 0, findings: Vec::new() };
        seen.visit_file(&parsed);
        count += seen.count;
        findings.extend(seen.findings);
    }
    Outcome { summary: format!("{count} tests named after journeys"), findings }
}

fn is_in_tests(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|part| part == "tests"))
}

/// `u4_...`: a letter, digits, an underscore.
fn is_named_after_a_journey(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(LETTERS) else {
        return false;
    };
    let after_digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after_digits.len() < rest.len() && after_digits.starts_with('_')
}

struct Journeys<'a> {
    file: &'a SourceFile,
    count: usize,
    findings: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Journeys<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let name = item.sig.ident.to_string();
        let is_test = item.attrs.iter().any(|it| it.path().segments.last().is_some_and(|last| last.ident == "test"));
        if is_test && is_named_after_a_journey(&name) {
            self.count += 1;
            let mut body = Body { asserts: false };
            body.visit_block(&item.block);
            if !body.asserts {
                let line = item.sig.ident.span().start().line;
                let message = format!("a journey without `{ENDING}(...)`");
                self.findings.push(Finding::of_name(self.file, &name, line, message));
            }
        }
        visit::visit_item_fn(self, item);
    }
}

/// Whether a body calls what a journey ends in.
struct Body {
    asserts: bool,
}

impl<'ast> Visit<'ast> for Body {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.asserts |= call.method == ENDING;
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            self.asserts |= function.path.segments.last().is_some_and(|last| last.ident == ENDING);
        }
        visit::visit_expr_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_journeys() {
        let table = [
            ("u4_found", true),
            ("u13_", true),
            ("o2_a_crash", true),
            ("d1_twice", true),
            ("j5_order", true),
            ("a10_reset", true),
            ("u_4", false),
            ("u4", false),
            ("u4found", false),
            ("w1_webhook", false),
            ("use_4_", false),
            ("", false),
        ];
        for (name, expected) in table {
            assert_eq!(is_named_after_a_journey(name), expected, "{name}");
        }
    }

    #[test]
    fn planted_journeys() {
        let table: &[(&str, &str, usize)] = &[
            ("a/tests/b.rs", "#[test] fn u4_x() {}", 1),
            ("a/tests/b.rs", "#[test] fn u4_x() { w.assert_postings(1); }", 0),
            ("a/tests/b.rs", "#[test] fn u4_x() { assert_postings(1); }", 0),
            ("a/tests/b.rs", "#[test] fn u4_x() { for _ in 0..3 { block(async { w.assert_postings(1).await }); } }", 0),
            ("a/tests/b.rs", "#[test] fn u4_x() { let s = \"assert_postings(1)\"; // assert_postings(1)\n }", 1),
            ("a/tests/b.rs", "#[tokio::test] async fn u4_x() {} #[tokio::test] async fn o1_y() {}", 2),
            ("a/tests/b.rs", "fn u4_x() {}", 0),
            ("a/tests/b.rs", "#[test] fn the_cap() {}", 0),
            ("a/tests/journeys/b.rs", "#[test] fn u4_x() {}", 1),
            ("a/tests/b.rs", "mod m { #[test] fn u4_x() {} }", 1),
            ("a/src/tests.rs", "#[test] fn u4_x() {}", 0),
        ];
        for (path, text, count) in table {
            let file = SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
            assert_eq!(journeys(&[file]).findings.len(), *count, "{path}: {text}");
        }
    }
}
