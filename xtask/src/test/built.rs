//! Compiling every test once, and what came out of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::layers::Which;
use crate::process;
use crate::workspace::Workspace;

/// A compiled test program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) package: String,
    pub(crate) version: String,
    /// Where its package is; tests run there, as under `cargo test`.
    pub(crate) folder: PathBuf,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
}

impl Program {
    pub(crate) fn which(&self) -> Which<'_> {
        Which { package: &self.package, kind: &self.kind, name: &self.name }
    }
}

/// Arguments shared by every cargo command that compiles tests, so that nothing compiles twice with other features.
pub(crate) const EVERYTHING: &[&str] = &["--workspace", "--all-features", "--locked"];

/// Builds all tests; fails when the build fails or a target that cargo tests was not built.
pub(crate) fn build(workspace: &Workspace, limit: Duration) -> Result<Vec<Program>, String> {
    let mut command = process::cargo(&workspace.root, &["test"]);
    command.args(EVERYTHING).args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let mut programs = Vec::new();
    let built = process::stream(command, limit, |line| programs.extend(program(workspace, line)))?;
    if !built {
        return Err("the build failed".to_owned());
    }
    let missing = missing(workspace, &programs);
    if missing.is_empty() { Ok(programs) } else { Err(format!("not built: {}", missing.join(", "))) }
}

/// The test program that a message of the build announces, if it announces one.
fn program(workspace: &Workspace, line: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let executable = message["executable"].as_str().filter(|_| is_test)?;
    let package =
        workspace.packages.iter().find(|package| Some(package.id.as_str()) == message["package_id"].as_str())?;
    Some(Program {
        package: package.name.clone(),
        version: package.version.clone(),
        folder: package.folder.clone(),
        kind: message["target"]["kind"][0].as_str()?.to_owned(),
        name: message["target"]["name"].as_str()?.to_owned(),
        executable: PathBuf::from(executable),
    })
}

/// Targets that cargo lists as tested but did not build, so that none is ever left out silently.
fn missing(workspace: &Workspace, programs: &[Program]) -> Vec<String> {
    let built: BTreeSet<(&str, &str, &str)> = programs.iter().map(|it| (&*it.package, &*it.kind, &*it.name)).collect();
    let listed =
        workspace.packages.iter().flat_map(|package| package.tested.iter().map(move |target| (package, target)));
    let left_out = listed.filter(|(package, (kind, name))| !built.contains(&(&*package.name, &**kind, &**name)));
    left_out.map(|(package, (kind, name))| format!("{} {kind} {name}", package.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    fn workspace() -> Workspace {
        let package = Package {
            id: "path+file:///a#0.1.0".to_owned(),
            name: "a".to_owned(),
            version: "0.1.0".to_owned(),
            folder: PathBuf::from("a"),
            publishable: true,
            features: Vec::new(),
            tested: vec![("lib".to_owned(), "a".to_owned()), ("test".to_owned(), "later".to_owned())],
            library: None,
        };
        Workspace { root: PathBuf::from("."), target: PathBuf::from("target"), packages: vec![package] }
    }

    #[test]
    fn messages() {
        let artifact = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///a#0.1.0","target":{{"kind":["lib"],"name":"a"}},
                "profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let found = program(&workspace(), &artifact(true, "\"deps/a-1\""));
        assert_eq!(found.map(|it| it.executable), Some(PathBuf::from("deps/a-1")));
        assert!(program(&workspace(), &artifact(false, "\"a\"")).is_none());
        assert!(program(&workspace(), &artifact(true, "null")).is_none());
        assert!(program(&workspace(), "running 3 tests").is_none());
    }

    #[test]
    fn a_target_that_was_not_built_is_named() {
        let line = r#"{"reason":"compiler-artifact","package_id":"path+file:///a#0.1.0","target":{"kind":["lib"],"name":"a"},
            "profile":{"test":true},"executable":"x"}"#;
        let programs: Vec<Program> = program(&workspace(), line).into_iter().collect();
        assert_eq!(missing(&workspace(), &programs), ["a test later"]);
    }
}
