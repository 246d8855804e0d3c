//! A shell that outlives the test process by a moment, and takes everything along that was started for it.
//!
//! Statics are not dropped, a panic may abort and SIGKILL asks nobody. But the kernel closes the files of a process however it ends: the guardian
//! reads a pipe from the test process, and when that ends it stops what it has started and removes the folder. It is in a process group of its own,
//! so that Ctrl-C reaches the tests and not it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::installed::id;

/// What a guardian runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    /// A server, which refuses to be root: then the user `postgres`, which its packages make, runs it.
    Server,
    /// A client, as whoever runs the tests.
    Client,
}

/// A process that obeys lines on its standard input, answers each with a line, and cleans up at the end of its input.
#[derive(Debug)]
pub(crate) struct Guardian {
    child: Child,
    /// None once it is told to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Guardian {
    /// Runs `script`, with nothing of the environment but PATH and `environment`.
    pub(crate) fn start(script: &str, runs: Runs, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).current_dir("/").process_group(0);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.envs(environment.iter().copied());
        if runs == Runs::Server && id(&["-u"]) == Some(0) {
            let ids = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
            let (user, group) =
                ids.expect("this is root, and no user `postgres` to run a server as: apt-get install postgresql");
            command.uid(user).gid(group);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a shell starts");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("piped above"));
        Self { child, orders, answers }
    }

    /// Gives an order and waits for its answer; an empty answer means that the guardian has gone.
    pub(crate) fn order(&mut self, line: &str) -> String {
        let mut answer = String::new();
        if let Some(orders) = &mut self.orders
            && writeln!(orders, "{line}").is_ok()
            && self.answers.read_line(&mut answer).is_err()
        {
            answer.clear();
        }
        answer.trim_end().to_owned()
    }
}

impl Drop for Guardian {
    /// Waits until everything is gone. A static one is never dropped, and does the same by itself.
    fn drop(&mut self) {
        self.orders = None;
        let _ended = self.child.wait();
    }
}
