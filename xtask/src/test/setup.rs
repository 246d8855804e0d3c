//! What the tests need on the machine beside a compiler: found, or installed from the distribution.

use std::fs::{OpenOptions, remove_file};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process;

#[path = "../../../test-postgres/src/installed.rs"]
mod installed;

/// Something that tests start by themselves.
#[derive(Debug)]
struct Tool {
    name: &'static str,
    /// Debian's package.
    package: &'static str,
    /// First major version that will do.
    least: u32,
    /// The program that tells its version.
    find: fn() -> Option<PathBuf>,
}

/// All of them. Postgres is needed beside a given one too: some tests kill their server.
const TOOLS: &[Tool] = &[
    Tool {
        name: "Postgres",
        package: "postgresql",
        least: 14,
        find: || installed::postgres().map(|folder| folder.join("postgres")),
    },
    Tool { name: "PgBouncer", package: "pgbouncer", least: 1, find: || installed::program("pgbouncer") },
];

/// A given Postgres, which tests then share instead of one of their own.
const GIVEN_URL: &str = "TEST_DATABASE_URL";
/// Longest that one command of an installation may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// Debian's packages ask this program whether a service may be started, see invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// What was found or done, and what is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SetUp {
    pub(super) notes: Vec<String>,
    pub(super) failures: Vec<String>,
}

/// A program and the version that it tells; empty if it tells none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    path: PathBuf,
    version: String,
}

/// What is done about a tool.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Use(Program),
    Install,
    Fail(String),
}

/// Finds every tool, or installs it where that may be done without asking: as root with CI=true.
pub(super) fn run() -> SetUp {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let may_install = is_ci && installed::id(&["-u"]) == Some(0) && installed::program("apt-get").is_some();
    let mut set_up = SetUp::default();
    let mut wanted = Vec::new();
    for tool in TOOLS {
        match decide(tool, look(tool), may_install) {
            Decision::Install => wanted.push(tool),
            decision => set_up.add(tool, decision, "found"),
        }
    }
    if !wanted.is_empty() {
        let packages: Vec<&str> = wanted.iter().map(|tool| tool.package).collect();
        set_up.failures.extend(install(&packages).err());
        for tool in wanted {
            set_up.add(tool, decide(tool, look(tool), false), "installed");
        }
    }
    if std::env::var_os(GIVEN_URL).is_some() {
        set_up.notes.push(format!("{GIVEN_URL} is set: tests that share a server use that one"));
    }
    set_up
}

impl SetUp {
    fn add(&mut self, tool: &Tool, decision: Decision, how: &str) {
        match decision {
            Decision::Use(Program { path, version }) => {
                self.notes.push(format!("{} {version} {how} at {}", tool.name, path.display()));
            }
            Decision::Install => self.failures.push(format!("{} is still missing", tool.name)),
            Decision::Fail(reason) => self.failures.push(reason),
        }
    }
}

fn decide(tool: &Tool, found: Option<Program>, may_install: bool) -> Decision {
    let Tool { name, package, least, .. } = tool;
    let Some(program) = found else {
        let by_hand = format!(
            "no {name}; install it: apt-get install -y --no-install-recommends {package} (done here by itself as root with CI=true)"
        );
        return if may_install { Decision::Install } else { Decision::Fail(by_hand) };
    };
    let Program { path, version } = &program;
    match major(version) {
        Some(major) if major >= *least => Decision::Use(program),
        Some(_) => Decision::Fail(format!("{name} {version} at {} is too old: {least} or later", path.display())),
        None => Decision::Fail(format!("{name} at {} does not tell its version", path.display())),
    }
}

fn look(tool: &Tool) -> Option<Program> {
    let path = (tool.find)()?;
    let said = Command::new(&path).arg("--version").stdin(Stdio::null()).output();
    let text = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
    Some(Program { version: version(&text).to_owned(), path })
}

/// The version in a line such as `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
fn version(said: &str) -> &str {
    let words = said.lines().next().unwrap_or_default().split_ascii_whitespace();
    words.into_iter().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit())).unwrap_or_default()
}

fn major(version: &str) -> Option<u32> {
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn install(packages: &[&str]) -> Result<(), String> {
    println!("installing {} with apt-get, since this is root and CI=true", packages.join(" and "));
    let _quiet = NothingStarts::until_dropped(Path::new(POLICY))?;
    let commands = [vec!["update", "-qq"], [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat()];
    for arguments in commands {
        let mut command = Command::new("apt-get");
        command.args(&arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if !process::stream(command, INSTALL_LIMIT, |line| println!("{line}"))? {
            return Err(format!("apt-get {} failed", arguments.join(" ")));
        }
    }
    Ok(())
}

/// Forbids the packages to start their services: tests start their own, and nothing else is to listen. A policy of the machine's own stays.
#[derive(Debug)]
struct NothingStarts<'a> {
    ours: Option<&'a Path>,
}

impl<'a> NothingStarts<'a> {
    fn until_dropped(policy: &'a Path) -> Result<Self, String> {
        if policy.exists() {
            return Ok(Self { ours: None });
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(policy);
        // 101 is "forbidden".
        file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"))
            .map_err(|error| format!("{}: {error}", policy.display()))?;
        Ok(Self { ours: Some(policy) })
    }
}

impl Drop for NothingStarts<'_> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.ours.map(remove_file) {
            println!("{POLICY} stays behind: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn decisions() {
        let [postgres, pgbouncer] = TOOLS else { unreachable!("two tools") };
        let program = |version: &str| Program { path: PathBuf::from("/bin/x"), version: version.to_owned() };
        // Tool, version found, whether it may be installed; a failure by a part of its text, else whether it is used.
        let table = [
            (postgres, Some("15.13"), false, Ok(true)),
            (postgres, Some("14.0"), true, Ok(true)),
            (postgres, Some("18beta1"), true, Ok(true)),
            (postgres, Some("13.21"), false, Err("13.21 at /bin/x is too old: 14 or later")),
            (postgres, Some("9.6.24"), true, Err("is too old")),
            (postgres, Some(""), true, Err("does not tell its version")),
            (postgres, None, true, Ok(false)),
            (
                postgres,
                None,
                false,
                Err("no Postgres; install it: apt-get install -y --no-install-recommends postgresql "),
            ),
            (pgbouncer, Some("1.18.0"), false, Ok(true)),
            (pgbouncer, None, true, Ok(false)),
            (pgbouncer, None, false, Err("--no-install-recommends pgbouncer ")),
        ];
        for (tool, found, may_install, expected) in table {
            let found = found.map(program);
            match (decide(tool, found.clone(), may_install), expected) {
                (Decision::Use(used), Ok(true)) => assert_eq!(Some(used), found),
                (Decision::Install, Ok(false)) => {}
                (Decision::Fail(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
                (decision, expected) => unreachable!("{} {found:?}: {decision:?}, not {expected:?}", tool.name),
            }
        }
    }

    #[test]
    fn what_is_done_is_said() {
        let mut set_up = SetUp::default();
        let program = Program { path: PathBuf::from("/bin/x"), version: "15.1".to_owned() };
        set_up.add(&TOOLS[0], Decision::Use(program), "installed");
        set_up.add(&TOOLS[1], Decision::Fail("no".to_owned()), "found");
        assert_eq!(set_up.notes, ["Postgres 15.1 installed at /bin/x"]);
        assert_eq!(set_up.failures, ["no"]);
    }

    #[test]
    fn versions_are_read() {
        let table = [
            ("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n", "15.13", Some(15)),
            ("postgres (PostgreSQL) 18beta1\n", "18beta1", Some(18)),
            ("PgBouncer 1.18.0\nlibevent 2.1.12-stable\n", "1.18.0", Some(1)),
            ("usage: something else\n3 lines\n", "", None),
            ("", "", None),
        ];
        for (said, text, number) in table {
            assert_eq!((version(said), major(version(said))), (text, number), "{said}");
        }
    }

    #[test]
    fn services_are_forbidden_only_meanwhile_and_a_policy_of_the_machine_stays() {
        let policy = std::env::temp_dir().join(format!("smscode-policy-{}", std::process::id()));
        let forbidden = NothingStarts::until_dropped(&policy).unwrap();
        assert_eq!(Command::new("sh").arg(&policy).status().unwrap().code(), Some(101));
        assert_eq!(policy.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        drop(NothingStarts::until_dropped(&policy).unwrap());
        assert!(policy.exists(), "it was there before the second");
        drop(forbidden);
        assert!(!policy.exists());
    }
}
