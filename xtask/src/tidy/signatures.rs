//! No foreign type in a public signature: a host must never have to match the versions of our dependencies.
//!
//! Reads the documentation as JSON, which only unstable rustdoc writes. This program therefore stands in for rustdoc and switches it on
//! for that one process; the compilers of dependencies never see the switch, so nothing is built twice because of it.
//! Warnings of rustdoc, such as links that lead nowhere, are findings here too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use super::{Finding, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// Set for the stand-in: the folder that the JSON goes to.
const STAND_IN: &str = "XTASK_RUSTDOC_FOLDER";
const FLAGS: &str = "-Z unstable-options --output-format json -D warnings";
/// Crates whose types may stand in a signature, besides our own.
const STANDARD: &[&str] = &["std", "core", "alloc"];
const OURS: &str = "smscode_";

/// Looks through the signatures of every published library, with all features.
pub(crate) fn signatures(workspace: &Workspace) -> Outcome {
    let folder = folder(workspace);
    let findings = match document(workspace, &folder) {
        Ok(()) => Vec::new(),
        Err(complaints) => complaints.iter().map(|line| Finding::plain("", line)).collect(),
    };
    let mut outcome = Outcome { summary: String::new(), findings };
    let mut items = 0;
    let libraries =
        workspace.packages.iter().filter(|package| package.publishable).filter_map(|it| it.library.as_deref());
    for library in libraries {
        let path = folder.join(format!("{library}.json"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let value = serde_json::from_str(&text).unwrap_or(Value::Null);
        match foreign(library, &value) {
            Some((seen, findings)) => {
                items += seen;
                outcome.findings.extend(findings);
            }
            None => outcome
                .findings
                .push(Finding::plain(library, "its documentation as JSON is missing or has an unknown shape")),
        }
    }
    outcome.summary = format!("{items} public items");
    outcome
}

/// One folder per checkout, so that two checkouts with one target folder do not read each other's.
fn folder(workspace: &Workspace) -> PathBuf {
    let root = workspace.root.to_string_lossy().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    workspace.target.join("signatures").join(root)
}

fn document(workspace: &Workspace, folder: &Path) -> Result<(), Vec<String>> {
    let own = std::env::current_exe().map_err(|error| vec![format!("cannot find this program: {error}")])?;
    // Cargo does not know where the output goes; what was deleted there is written again only under flags it has not seen.
    let flags = if folder.is_dir() { FLAGS.to_owned() } else { format!("{FLAGS} --cfg again_{}", std::process::id()) };
    let mut command =
        process::cargo(&workspace.root, &["doc", "--quiet", "--lib", "--no-deps", "--all-features", "--locked"]);
    for package in workspace.packages.iter().filter(|package| package.publishable && package.library.is_some()) {
        command.args(["-p", &package.name]);
    }
    command.env("RUSTDOC", own).env("RUSTDOCFLAGS", flags).env(STAND_IN, folder);
    let complaints = process::complaints(command);
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}

/// When called as rustdoc by [`document`]: the real one, with its unstable output switched on and its output redirected.
pub(crate) fn rustdoc_stand_in() -> Option<ExitCode> {
    let folder = std::env::var_os(STAND_IN)?;
    let mut command = Command::new("rustdoc");
    command.env_remove(STAND_IN).env("RUSTC_BOOTSTRAP", "1").stdin(Stdio::null());
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        let is_output = argument == "-o" || argument == "--out-dir";
        command.arg(&argument);
        if is_output && arguments.next().is_some() {
            command.arg(&folder);
        }
    }
    let well = command.status().is_ok_and(|status| status.success());
    Some(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many items were looked at and what was found; none if the JSON has an unknown shape.
fn foreign(library: &str, documentation: &Value) -> Option<(usize, Vec<Finding>)> {
    let index = documentation["index"].as_object()?;
    documentation["paths"].as_object()?;
    let of_impls = items_of_trait_impls(index.values());
    let mut findings = Vec::new();
    let mut seen = 0;
    for (id, item) in index {
        if item["crate_id"] != 0 || of_impls.contains(id) {
            continue;
        }
        let (kind, inner) = item["inner"].as_object()?.iter().next()?;
        let parts: &[&Value] = match kind.as_str() {
            "impl" if inner["trait"].is_null() => &[&inner["generics"], &inner["for"]],
            "impl" | "module" | "macro" | "proc_macro" => continue,
            _ => &[inner],
        };
        seen += 1;
        let mut types = BTreeSet::new();
        parts.iter().for_each(|part| paths_in(part, &mut types));
        if kind == "use" {
            types.extend(inner["id"].as_u64());
        }
        findings.extend(
            types
                .iter()
                .filter_map(|id| foreign_path(documentation, *id))
                .map(|path| finding(library, item, kind, &path)),
        );
    }
    findings.sort_by(|one, other| (&one.place, &one.message).cmp(&(&other.place, &other.message)));
    Some((seen, findings))
}

/// What a foreign trait dictates is no signature of ours.
fn items_of_trait_impls<'a>(items: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let impls = items.map(|item| &item["inner"]["impl"]).filter(|it| it["trait"].is_object());
    impls.filter_map(|it| it["items"].as_array()).flatten().map(Value::to_string).collect()
}

/// Ids of every path inside a signature: types, trait bounds, `dyn` and `impl` traits, arguments of generics.
fn paths_in(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Object(members) => {
            if members.get("path").is_some_and(Value::is_string) {
                found.extend(members.get("id").and_then(Value::as_u64));
            }
            members.values().for_each(|member| paths_in(member, found));
        }
        Value::Array(members) => members.iter().for_each(|member| paths_in(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The path of a type that is neither ours nor the standard library's.
fn foreign_path(documentation: &Value, id: u64) -> Option<String> {
    let entry = &documentation["paths"][id.to_string()];
    let origin = entry["crate_id"].as_u64().filter(|origin| *origin != 0)?;
    let name = documentation["external_crates"][origin.to_string()]["name"].as_str().unwrap_or("unknown");
    let parts = entry["path"].as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
    (!STANDARD.contains(&name) && !name.starts_with(OURS)).then(|| parts.join("::"))
}

fn finding(library: &str, item: &Value, kind: &str, path: &str) -> Finding {
    let name = item["name"].as_str().or_else(|| item["inner"]["use"]["name"].as_str()).unwrap_or("an impl");
    let (file, line) =
        (item["span"]["filename"].as_str().unwrap_or("?"), item["span"]["begin"][0].as_u64().unwrap_or(0));
    Finding::plain(&format!("{library}: {path}"), &format!("in the signature of {kind} `{name}`, {file}:{line}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const FOREIGN: &str = "pub struct Thing; pub trait Mark {}";
    /// Every way a foreign type can get into a signature, each item named for what must be found, and ways that are none.
    const PLANTED: &str = "
        pub fn input(_: foreign::Thing) {}
        pub fn output() -> Vec<Option<foreign::Thing>> { Vec::new() }
        pub fn bound<T: foreign::Mark>(_: T) {}
        pub fn by_where<T>(_: T) where T: foreign::Mark {}
        pub fn dynamic(_: &dyn foreign::Mark) {}
        pub fn opaque() -> impl foreign::Mark { Ours { field: foreign::Thing, hidden: foreign::Thing } }
        pub use foreign::Thing as Again;
        pub type Alias = foreign::Thing;
        pub const CONSTANT: foreign::Thing = foreign::Thing;
        pub struct Ours { pub field: foreign::Thing, hidden: foreign::Thing }
        pub enum Choice { One(foreign::Thing), Two { named: foreign::Thing } }
        pub trait Port: foreign::Mark { type Bound: foreign::Mark; fn method(&self) -> foreign::Thing; }
        impl Ours { pub fn inherent(&self) -> &foreign::Thing { &self.hidden } fn private(&self) -> foreign::Thing { foreign::Thing } }
        impl foreign::Mark for Ours {}
        impl From<foreign::Thing> for Ours { fn from(field: foreign::Thing) -> Self { Ours { field, hidden: foreign::Thing } } }
        mod inner { pub struct Unreachable(pub foreign::Thing); }
        pub fn fine(_: std::collections::BTreeMap<String, u8>) -> Result<(), std::fmt::Error> { Ok(()) }
    ";

    /// Compiles the plant with the real tools, so that a new format of the JSON cannot go unnoticed.
    fn documentation() -> Value {
        let folder = std::env::temp_dir().join(format!("xtask-signatures-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("foreign.rs"), FOREIGN).unwrap();
        fs::write(folder.join("planted.rs"), PLANTED).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.current_dir(&folder).env("RUSTC_BOOTSTRAP", "1").args(arguments);
            assert_eq!(process::complaints(command), Vec::<String>::new());
        };
        run("rustc", &["--crate-type", "lib", "--edition", "2024", "foreign.rs"]);
        run(
            "rustdoc",
            &[
                "planted.rs",
                "--edition",
                "2024",
                "--extern",
                "foreign=libforeign.rlib",
                "-Z",
                "unstable-options",
                "--output-format",
                "json",
                "-o",
                ".",
            ],
        );
        let value = serde_json::from_str(&fs::read_to_string(folder.join("planted.json")).unwrap()).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        value
    }

    #[test]
    fn every_planted_type_is_found_and_nothing_else() {
        let (_, findings) = foreign("planted", &documentation()).unwrap();
        let mut named: Vec<&str> = findings.iter().filter_map(|it| it.message.split('`').nth(1)).collect();
        named.sort_unstable();
        let mut planted = [
            "input", "output", "bound", "by_where", "dynamic", "opaque", "Again", "Alias", "CONSTANT", "field", "0",
            "named", "Port", "Bound", "method", "inherent",
        ];
        planted.sort_unstable();
        assert_eq!(named, planted);
        assert!(findings.iter().any(|it| it.place == "planted: foreign::Thing"));
    }

    #[test]
    fn an_unknown_shape_is_told() {
        assert!(foreign("planted", &Value::Null).is_none());
        assert!(
            foreign("planted", &serde_json::json!({"index": {"1": {"crate_id": 0, "inner": 5}}, "paths": {}}))
                .is_none()
        );
    }
}
