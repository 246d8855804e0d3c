//! The workspace as `cargo metadata` describes it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process;

/// Packages of the workspace and where they are.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    /// Cargo's id, as in the messages of a build.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) folder: PathBuf,
    pub(crate) publishable: bool,
    pub(crate) features: Vec<String>,
    /// Kind and name of each target that `cargo test` builds as a test.
    pub(crate) tested: Vec<(String, String)>,
    /// Crate name of the library, if there is one.
    pub(crate) library: Option<String>,
}

impl Workspace {
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

/// Reads the workspace around the current folder.
pub(crate) fn read() -> Result<Workspace, String> {
    let command = process::cargo(Path::new("."), &["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    let text = process::output(command)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    from_metadata(&value).ok_or_else(|| "cargo metadata has an unknown shape".to_owned())
}

fn from_metadata(value: &Value) -> Option<Workspace> {
    Some(Workspace {
        root: PathBuf::from(value["workspace_root"].as_str()?),
        target: PathBuf::from(value["target_directory"].as_str()?),
        packages: value["packages"].as_array()?.iter().map(package).collect::<Option<_>>()?,
    })
}

fn package(value: &Value) -> Option<Package> {
    let targets = value["targets"].as_array()?;
    let kind_and_name =
        |target: &Value| Some((target["kind"][0].as_str()?.to_owned(), target["name"].as_str()?.to_owned()));
    let library = targets.iter().filter_map(kind_and_name).find(|(kind, _)| kind == "lib");
    let tested = targets.iter().filter(|target| target["test"] == true);
    Some(Package {
        id: value["id"].as_str()?.to_owned(),
        name: value["name"].as_str()?.to_owned(),
        version: value["version"].as_str()?.to_owned(),
        folder: Path::new(value["manifest_path"].as_str()?).parent()?.to_owned(),
        // `publish = false` is an empty list of registries, no word about it is null.
        publishable: value["publish"].is_null(),
        features: value["features"].as_object()?.keys().cloned().collect(),
        tested: tested.map(kind_and_name).collect::<Option<_>>()?,
        library: library.map(|(_, name)| name.replace('-', "_")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn this_workspace_is_read() {
        let workspace = read().unwrap();
        let core = workspace.package("smscode-core").unwrap();
        assert!(core.publishable && core.folder.join("Cargo.toml").is_file());
        assert_eq!(core.library.as_deref(), Some("smscode_core"));
        let own = workspace.package("xtask").unwrap();
        assert!(!own.publishable);
        assert_eq!(own.tested, [("bin".to_owned(), "xtask".to_owned())]);
    }

    #[test]
    fn an_unknown_shape_is_told() {
        assert!(from_metadata(&Value::Null).is_none());
    }
}
