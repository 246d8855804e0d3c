//! `cargo xtask simulate`: runs the whole-platform simulation, optimised. It is a program of its own, so that this one needs
//! nothing of the library.

use std::process::Stdio;

use crate::process;
use crate::workspace::Workspace;

/// The crate that plays seeds.
const PACKAGE: &str = "smscode-simulation";

/// Passes the options on. Whether no rule was broken; `Err` if it could not start.
pub(crate) fn run(workspace: &Workspace, options: &[String]) -> Result<bool, String> {
    let mut command =
        process::cargo(&workspace.root, &["run", "--quiet", "--locked", "--profile", "simulate", "-p", PACKAGE, "--"]);
    command.args(options).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!("the simulation did not run: {status}")),
    }
}
