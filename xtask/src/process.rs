//! Child processes: cargo itself, output captured or echoed, with a time limit.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longest a child may take after it has closed its output.
const LINGER: Duration = Duration::from_secs(30);
/// How often a lingering child is looked at.
const LINGER_STEP: Duration = Duration::from_millis(20);

/// A command for the same cargo that runs this program.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).args(arguments);
    command
}

/// Whether cargo knows this subcommand.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    let mut command = cargo(Path::new("."), &[subcommand, "--version"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Standard output of a command that must succeed; its errors are shown as they come.
pub(crate) fn output(mut command: Command) -> Result<String, String> {
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| format!("cannot start {}: {error}", shown(&command)))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() { Ok(text) } else { Err(format!("{} failed: {}", shown(&command), done.status)) }
}

/// Runs quietly; on failure gives everything the command said, line by line.
pub(crate) fn complaints(mut command: Command) -> Vec<String> {
    let done = match command.stdin(Stdio::null()).output() {
        Ok(done) => done,
        Err(error) => return vec![format!("cannot start {}: {error}", shown(&command))],
    };
    if done.status.success() {
        return Vec::new();
    }
    let said = [done.stdout, done.stderr].concat();
    let mut lines = vec![format!("{} failed: {}", shown(&command), done.status)];
    lines.extend(String::from_utf8_lossy(&said).lines().map(str::to_owned));
    lines
}

/// Runs a command, hands each line of its standard output to `each`, and kills it after `limit`. Whether it ended well.
pub(crate) fn stream(mut command: Command, limit: Duration, mut each: impl FnMut(&str)) -> Result<bool, String> {
    let name = shown(&command);
    let deadline = Instant::now() + limit;
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(format!("{name} has no output"));
    };
    let lines = lines_of(stdout);
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => return ended_well(&mut child, &name),
            Err(RecvTimeoutError::Timeout) => {
                let killed = child.kill().and_then(|()| child.wait());
                return Err(format!("{name} took longer than {} s and was killed ({killed:?})", limit.as_secs()));
            }
        }
    }
}

fn lines_of(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            bytes.clear();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The child has closed its output; it should end by itself soon.
fn ended_well(child: &mut Child, name: &str) -> Result<bool, String> {
    let deadline = Instant::now() + LINGER;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) => thread::sleep(LINGER_STEP),
            Err(error) => return Err(format!("{name}: {error}")),
        }
    }
    let killed = child.kill().and_then(|()| child.wait());
    Err(format!("{name} closed its output but did not end, and was killed ({killed:?})"))
}

/// The command as a person would type it, without folders of this machine.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_arrive_and_the_end_is_told() {
        let mut lines = Vec::new();
        let ended =
            stream(shell("echo one; echo two; exit 3"), Duration::from_secs(20), |line| lines.push(line.to_owned()));
        assert_eq!(ended, Ok(false));
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(stream(shell("true"), Duration::from_secs(20), |_| ()), Ok(true));
    }

    #[test]
    fn a_command_that_hangs_is_killed() {
        let started = Instant::now();
        let ended = stream(shell("exec sleep 60"), Duration::from_millis(100), |_| ());
        assert!(ended.is_err_and(|reason| reason.contains("was killed")));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn complaints_hold_both_outputs_and_only_of_failures() {
        assert_eq!(complaints(shell("echo fine")), Vec::<String>::new());
        assert_eq!(complaints(shell("echo out; echo err >&2; exit 1"))[1..], ["out", "err"]);
        assert_eq!(complaints(Command::new("no-such-program")).len(), 1);
    }
}
