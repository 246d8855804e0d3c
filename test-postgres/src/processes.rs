//! Processes of the machine, as Linux shows them below `/proc`.
#![allow(clippy::disallowed_methods, reason = "waits for processes")]

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a process is looked at while it is waited for.
const STEP: Duration = Duration::from_millis(10);
/// Longest that a process may take to come to a halt.
const HALT_LIMIT: Duration = Duration::from_secs(10);

/// Sends a signal (`KILL`, `INT`, ...) to processes; those that are gone are passed over.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        r#"signal=$1; shift; for pid in "$@"; do kill -s "$signal" "$pid" 2>/dev/null; done; :"#,
        "sh",
        name,
    ]);
    let status = command.args(pids.iter().map(u32::to_string)).status();
    assert!(status.is_ok_and(|status| status.success()), "no shell to send SIG{name} with");
}

/// Waits until `ready`; false after `limit`.
pub(crate) fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !ready() {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(STEP);
    }
    true
}

/// Whether the process runs; one that only waits to be reaped does not.
pub(crate) fn runs(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != 'Z')
}

/// Halts a process, and waits until it has come to a halt.
pub(crate) fn halt(pid: u32) {
    signal("STOP", &[pid]);
    let halted = || state_and_parent(pid).is_none_or(|(state, _)| matches!(state, 'T' | 'Z'));
    assert!(wait_until(HALT_LIMIT, halted), "process {pid} does not halt");
}

/// All processes below this one.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("Linux, with /proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut others: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, state_and_parent(pid)?.1))).collect();
    let mut found = vec![ancestor];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        others.retain(|&(pid, its_parent)| {
            let is_child = its_parent == parent;
            if is_child {
                found.push(pid);
            }
            !is_child
        });
        at += 1;
    }
    found.split_off(1)
}

/// Letter of the state, and the parent. The name before them is in brackets and may itself hold anything.
fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
