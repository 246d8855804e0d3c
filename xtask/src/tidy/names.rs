//! Names that say nothing.

use syn::visit::{self, Visit};

use super::files::SourceFile;
use super::{Finding, Outcome};

/// Last words of type names that name no job.
const EMPTY_WORDS: &[&str] = &["Manager", "Managers", "Helper", "Helpers", "Util", "Utils"];
/// Last words that are empty only behind another word: a service is what a number is rented for, a term of the field.
const EMPTY_ENDINGS: &[&str] = &["Service", "Services"];

/// Types named `...Manager`, `...Helper`, `...Util`, `...Service`, and functions named `get_...`; tests may be named as they like.
pub(crate) fn names(files: &[SourceFile]) -> Outcome {
    let mut findings = Vec::new();
    let mut count = 0;
    for file in files.iter().filter(|file| file.is_rust()) {
        // A file that cannot be parsed is a finding of the rule on function length.
        let Ok(parsed) = syn::parse_file(&file.text) else {
            continue;
        };
        let mut names = Names { file, count: 0, findings: Vec::new() };
        names.visit_file(&parsed);
        count += names.count;
        findings.extend(names.findings);
    }
    Outcome { summary: format!("{count} types and functions"), findings }
}

struct Names<'a> {
    file: &'a SourceFile,
    count: usize,
    findings: Vec<Finding>,
}

impl Names<'_> {
    fn type_name(&mut self, ident: &syn::Ident) {
        self.count += 1;
        let name = ident.to_string();
        let word = name.rfind(char::is_uppercase).and_then(|at| name.get(at..)).unwrap_or_default();
        if EMPTY_WORDS.contains(&word) || (EMPTY_ENDINGS.contains(&word) && word != name) {
            self.find(ident, format!("a name ending in `{word}` names no job; say what it does"));
        }
    }

    fn function_name(&mut self, signature: &syn::Signature, attributes: &[syn::Attribute]) {
        self.count += 1;
        let is_test =
            |attribute: &syn::Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "test");
        if signature.ident.to_string().starts_with("get_") && !attributes.iter().any(is_test) {
            self.find(&signature.ident, "drop the prefix `get_`".to_owned());
        }
    }

    fn find(&mut self, ident: &syn::Ident, message: String) {
        self.findings.push(Finding::of_name(self.file, &ident.to_string(), ident.span().start().line, message));
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.type_name(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.type_name(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.type_name(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.type_name(&item.ident);
        visit::visit_item_type(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function_name(&item.sig, &item.attrs);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function_name(&item.sig, &item.attrs);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function_name(&item.sig, &item.attrs);
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_names() {
        let table: &[(&str, bool)] = &[
            ("struct OrderManager;", true),
            ("pub enum SMSHelper {}", true),
            ("trait StringUtils {}", true),
            ("type Util = u8;", true),
            ("mod inner { struct OrderService; }", true),
            ("struct Service;", false),
            ("struct ServiceRow;", false),
            ("struct Managed;", false),
            ("struct Utility;", false),
            ("fn get_order() {}", true),
            ("impl S { fn get_order(&self) {} }", true),
            ("trait T { fn get_order(&self); }", true),
            ("fn getaway() {}", false),
            ("fn order() { fn get_inner() {} }", true),
            ("#[test] fn get_by_get_is_refused() {}", false),
            ("#[tokio::test] async fn get_by_get_is_refused() {}", false),
        ];
        for (text, found) in table {
            let file = SourceFile { path: "a.rs".to_owned(), text: (*text).to_owned() };
            assert_eq!(!names(&[file]).findings.is_empty(), *found, "{text}");
        }
    }
}
