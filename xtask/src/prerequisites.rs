//! What must be on the machine, said plainly before anything runs.

use crate::process;

/// A missing C compiler is usually noticed earlier, since nothing links without one; `.ci/run` installs it where it may.
const C_COMPILER: &str = "no C compiler `cc` on the path, which the TLS library (aws-lc-sys) is built with; \
    on Debian: apt-get install -y gcc libc6-dev (cmake, Go and Perl are not needed on x86_64 and aarch64 Linux)";

/// Cargo subcommands that the rules need, with the command that installs each.
const SUBCOMMANDS: &[(&str, &str)] =
    &[("fmt", "rustup component add rustfmt"), ("clippy", "rustup component add clippy")];

/// Fails with what is missing and the command that installs it.
pub(crate) fn check() -> Result<(), String> {
    if !on_path("cc", std::env::var_os("CC").is_some()) {
        return Err(C_COMPILER.to_owned());
    }
    for (name, install) in SUBCOMMANDS {
        if !process::cargo_has(name) {
            return Err(format!("cargo has no `{name}`; install it: {install}"));
        }
    }
    Ok(())
}

fn on_path(program: &str, replaced: bool) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    replaced || std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_missed() {
        assert!(on_path("cc", false));
        assert!(!on_path("no-such-compiler", false));
        assert!(on_path("no-such-compiler", true));
    }
}
