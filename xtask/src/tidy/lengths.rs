//! Lengths of files, functions and lines.

use syn::visit::{self, Visit};

use super::files::SourceFile;
use super::{Finding, Outcome};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const LINE_COLUMNS: usize = 160;

/// Files above 600 lines, except tests; data tables are exceptions by name.
pub(crate) fn files(files: &[SourceFile]) -> Outcome {
    let rust = files.iter().filter(|file| file.is_rust());
    let mut sizes: Vec<(usize, &SourceFile)> = rust.map(|file| (file.text.lines().count(), file)).collect();
    sizes.sort_by_key(|(lines, _)| *lines);
    let (tests, code): (Vec<_>, Vec<_>) = sizes.into_iter().partition(|(_, file)| file.is_test());
    let long = code.iter().filter(|(lines, _)| *lines > FILE_LINES);
    let findings = long.map(|(lines, file)| Finding::of_file(file, format!("{lines} lines, at most {FILE_LINES}")));
    Outcome {
        summary: format!("{}; {}", figures("files", &code), figures("tests", &tests)),
        findings: findings.collect(),
    }
}

fn figures(what: &str, ascending: &[(usize, &SourceFile)]) -> String {
    let median = ascending.get(ascending.len() / 2).map_or(0, |(lines, _)| *lines);
    let largest = ascending.last().map_or_else(String::new, |(lines, file)| format!(", largest {lines} {}", file.path));
    format!("{} {what}, median {median}{largest}", ascending.len())
}

/// Functions above 70 lines, from signature to closing brace.
pub(crate) fn functions(files: &[SourceFile]) -> Outcome {
    let mut count = 0;
    let mut longest = 0;
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let parsed = match syn::parse_file(&file.text) {
            Ok(parsed) => parsed,
            Err(error) => {
                findings.push(Finding::of_file(file, format!("cannot be parsed: {error}")));
                continue;
            }
        };
        let mut seen = Functions::default();
        seen.visit_file(&parsed);
        count += seen.0.len();
        for function in seen.0 {
            longest = longest.max(function.lines);
            if function.lines > FUNCTION_LINES {
                let message = format!("{} lines, at most {FUNCTION_LINES}", function.lines);
                findings.push(Finding::of_name(file, &function.name, function.first_line, message));
            }
        }
    }
    Outcome { summary: format!("{count} functions, longest {longest}"), findings }
}

/// The functions of a file.
#[derive(Default)]
struct Functions(Vec<Function>);

struct Function {
    name: String,
    first_line: usize,
    lines: usize,
}

impl Functions {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first_line = signature.fn_token.span.start().line;
        let lines = block.brace_token.span.close().end().line + 1 - first_line;
        self.0.push(Function { name: signature.ident.to_string(), first_line, lines });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.note(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Lines above 160 columns in Rust files, comments and strings included.
pub(crate) fn lines(files: &[SourceFile]) -> Outcome {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (at, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > LINE_COLUMNS {
                let message = format!("{columns} columns, at most {LINE_COLUMNS}");
                findings.push(Finding { line: Some(at + 1), ..Finding::of_file(file, message) });
            }
        }
    }
    Outcome { summary: format!("at most {LINE_COLUMNS} columns"), findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> SourceFile {
        SourceFile { path: path.to_owned(), text }
    }

    fn function_of(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    work();\n".repeat(lines - 2))
    }

    #[test]
    fn long_files_are_found_except_tests() {
        let text = |lines: usize| "\n".repeat(lines);
        let outcome = files(&[
            file("a/src/short.rs", text(10)),
            file("a/src/limit.rs", text(600)),
            file("a/src/long.rs", text(601)),
            file("a/src/tests.rs", text(900)),
            file("a/README.md", text(900)),
        ]);
        assert_eq!(outcome.places(), ["a/src/long.rs"]);
        assert_eq!(
            outcome.summary,
            "3 files, median 600, largest 601 a/src/long.rs; 1 tests, median 900, largest 900 a/src/tests.rs"
        );
    }

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        assert!(functions(&[file("a.rs", function_of(70))]).findings.is_empty());
        let long = function_of(71);
        for text in [
            long.clone(),
            format!("mod m {{ {long} }}"),
            format!("impl S {{ {long} }}"),
            format!("trait T {{ {long} }}"),
            format!("fn outer() {{ {} }}\nmod m {{ {long} }}", "inner();"),
        ] {
            assert_eq!(functions(&[file("a.rs", text)]).places(), ["a.rs::f"]);
        }
        assert_eq!(functions(&[file("a.rs", "fn {".to_owned())]).places(), ["a.rs"]);
    }

    #[test]
    fn long_lines_are_counted_in_characters() {
        let outcome = lines(&[file("a.rs", format!("{}\n{}\n", "é".repeat(160), "é".repeat(161)))]);
        assert_eq!(outcome.findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(2)]);
    }
}
