//! Rules that cargo checks for us.

use super::{Finding, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The crate whose vendors are features.
const PROVIDERS: &str = "smscode-providers";

/// Every file is as rustfmt would write it.
pub(crate) fn formatting(workspace: &Workspace) -> Outcome {
    said(
        "rustfmt has nothing to change",
        workspace,
        &["fmt", "--all", "--", "--check"],
    )
}

/// Clippy on everything: libraries, programs, tests, benches, examples, with every feature.
pub(crate) fn clippy(workspace: &Workspace) -> Outcome {
    let scope = [
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    said("no warnings on any target", workspace, &scope)
}

/// Every crate that is published can be packaged: manifest complete, all files it includes inside its folder.
pub(crate) fn packages(workspace: &Workspace) -> Outcome {
    let names: Vec<&str> = workspace
        .packages
        .iter()
        .filter(|it| it.publishable)
        .map(|it| it.name.as_str())
        .collect();
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
    Outcome {
        summary: format!("{checked} checks of {PROVIDERS}"),
        findings,
    }
}

fn said(summary: &str, workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let complaints = process::complaints(process::cargo(&workspace.root, arguments));
    let findings = complaints.into_iter().map(|line| Finding::plain("", &line)).collect();
    Outcome {
        summary: summary.to_owned(),
        findings,
    }
}
