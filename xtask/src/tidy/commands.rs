//! Rules that cargo checks for us.

use std::collections::BTreeSet;
use std::fs;

use super::{Finding, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The crate whose vendors are features.
const PROVIDERS: &str = "smscode-providers";

/// Every file is as rustfmt would write it.
pub(crate) fn formatting(workspace: &Workspace) -> Outcome {
    said("rustfmt has nothing to change", workspace, &["fmt", "--all", "--", "--check"])
}

/// Clippy on everything: libraries, programs, tests, benches, examples, with every feature.
pub(crate) fn clippy(workspace: &Workspace) -> Outcome {
    let scope =
        ["clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];
    said("no warnings on any target", workspace, &scope)
}

/// No crate that `deny.toml` bans is compiled, whether or not cargo-deny is installed. Asks `cargo tree`, since the lock file and the
/// metadata also list crates that no feature switches on.
pub(crate) fn banned(workspace: &Workspace) -> Outcome {
    let bans = fs::read_to_string(workspace.root.join("deny.toml")).unwrap_or_default();
    let shape = ["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"];
    let mut command =
        process::cargo(&workspace.root, &["tree", "--quiet", "--workspace", "--all-features", "--locked"]);
    command.args(shape);
    match process::output(command) {
        Ok(tree) => banned_in(&bans, &tree),
        Err(reason) => Outcome { summary: String::new(), findings: vec![Finding::plain("", &reason)] },
    }
}

fn banned_in(bans: &str, tree: &str) -> Outcome {
    let names: BTreeSet<&str> =
        bans.lines().filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next()).collect();
    let compiled: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect();
    let mut findings: Vec<Finding> = compiled
        .intersection(&names)
        .map(|name| Finding::plain(name, "is banned in deny.toml; `cargo tree -i` says who wants it"))
        .collect();
    if names.is_empty() {
        findings.push(Finding::plain(
            "deny.toml",
            "has no ban list that can be read, one `{ crate = \"name\", ... }` per line",
        ));
    }
    Outcome { summary: format!("{} crates compiled, none of {} banned", compiled.len(), names.len()), findings }
}

/// Every crate that is published can be packaged: manifest complete, all files it includes inside its folder.
pub(crate) fn packages(workspace: &Workspace) -> Outcome {
    let names: Vec<&str> = workspace.packages.iter().filter(|it| it.publishable).map(|it| it.name.as_str()).collect();
    let mut arguments = vec!["package", "--quiet", "--locked", "--allow-dirty", "--no-verify"];
    for name in &names {
        arguments.extend(["-p", name]);
    }
    said(&names.join(", "), workspace, &arguments)
}

/// Each vendor's feature compiles without the others, and so does none of them.
pub(crate) fn features(workspace: &Workspace) -> Outcome {
    let Some(package) = workspace.package(PROVIDERS) else {
        return Outcome {
            summary: String::new(),
            findings: vec![Finding::plain(PROVIDERS, "is not in the workspace")],
        };
    };
    let alone = ["check", "--quiet", "--locked", "-p", PROVIDERS, "--no-default-features"];
    let mut findings = said("", workspace, &alone).findings;
    let mut checked = 1;
    for feature in package.features.iter().filter(|feature| *feature != "default") {
        let arguments = [alone.as_slice(), &["--features", feature]].concat();
        findings.extend(said("", workspace, &arguments).findings);
        checked += 1;
    }
    Outcome { summary: format!("{checked} checks of {PROVIDERS}"), findings }
}

fn said(summary: &str, workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let complaints = process::complaints(process::cargo(&workspace.root, arguments));
    let findings = complaints.into_iter().map(|line| Finding::plain("", &line)).collect();
    Outcome { summary: summary.to_owned(), findings }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::workspace;

    #[test]
    fn a_banned_crate_in_the_tree_is_found() {
        let bans = "[bans]\ndeny = [\n  { crate = \"ring\", reason = \"x\" },\n]\n";
        assert_eq!(banned_in(bans, "a v1.0.0\nring v0.17.0\n\nring v0.17.0 (*)\n").places(), ["ring"]);
        assert!(banned_in(bans, "a v1.0.0\nstring v1.0.0\n").findings.is_empty());
        assert_eq!(banned_in("", "a v1.0.0\n").places(), ["deny.toml"]);
    }

    #[test]
    fn the_ban_list_of_this_workspace_is_read() {
        let bans = fs::read_to_string(workspace::read().unwrap().root.join("deny.toml")).unwrap();
        assert_eq!(
            banned_in(&bans, "openssl v0.10.0\nring v0.17.0\nrsa v0.9.0\n").places(),
            ["openssl", "ring", "rsa"]
        );
    }

    /// A mistake in `clippy.toml` would switch the bans off silently, so a crate with planted calls is put under it.
    #[test]
    fn clippy_refuses_clock_and_threads_under_the_workspaces_settings() {
        let root = workspace::read().unwrap().root;
        let folder = std::env::temp_dir().join(format!("xtask-bans-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("Cargo.toml"), "[package]\nname = \"planted\"\nedition = \"2024\"\n[workspace]\n")
            .unwrap();
        fs::copy(root.join("clippy.toml"), folder.join("clippy.toml")).unwrap();
        let planted = ["std::time::SystemTime::now", "std::time::Instant::now", "std::thread::spawn"];
        let source = format!("pub fn f() {{ let _ = ({}(), {}(), {}(|| ())); }}", planted[0], planted[1], planted[2]);
        fs::write(folder.join("src/lib.rs"), source).unwrap();
        let mut command = process::cargo(&folder, &["clippy", "--offline", "--", "-D", "clippy::disallowed-methods"]);
        command.env("CARGO_TARGET_DIR", folder.join("target"));
        let said = process::complaints(command).join("\n");
        fs::remove_dir_all(&folder).unwrap();
        for call in planted {
            assert!(said.contains(&format!("disallowed method `{call}`")), "{call}: {said}");
        }
    }
}
