//! A program that runs beside the test and ends with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::LIMIT;

/// A program; killed with the value, and quoted where the test fails.
pub struct Process {
    name: String,
    child: Child,
    /// What it prints, on either stream; closed once it has ended.
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Process {
    /// Starts it; `name` is what failures call it.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("{name}: {why}; tests/run installs what is missing"));
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (send, lines) = channel();
        let send_too = send.clone();
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        thread::spawn(move || {
            BufReader::new(err)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send_too.send(line))
        });
        Process { name: name.to_owned(), child, lines, said: Vec::new() }
    }

    /// Waits until it prints a line with `text` in it, from now on; the line.
    pub fn wait_for(&mut self, text: &str) -> String {
        match self.next_with(&[text]) {
            Ok(line) => line,
            Err(why) => panic!("{} did not say `{text}`: {why}", self.name),
        }
    }

    /// Waits until it prints a line with one of `texts` in it, or ends; whether it printed one.
    pub fn says_any(&mut self, texts: &[&str]) -> bool {
        match self.next_with(texts) {
            Ok(_) => true,
            Err(RecvTimeoutError::Disconnected) => false,
            Err(why @ RecvTimeoutError::Timeout) => panic!("{}: {texts:?}: {why}", self.name),
        }
    }

    /// Waits until it prints anything, at most for `limit`.
    pub fn says_something(&mut self, limit: Duration) {
        self.said.extend(self.lines.recv_timeout(limit));
    }

    fn next_with(&mut self, texts: &[&str]) -> Result<String, RecvTimeoutError> {
        let end = Instant::now() + LIMIT;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()))?;
            self.said.push(line.clone());
            if texts.iter().any(|text| line.contains(text)) {
                return Ok(line);
            }
        }
    }

    /// All that it has printed so far.
    pub fn said(&mut self) -> &[String] {
        self.said.extend(self.lines.try_iter());
        &self.said
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Stops it until it may go on.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on after it was stopped.
    pub fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Tells it to read its configuration again.
    pub fn hang_up(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Sends it the signals that mean nothing of themselves.
    pub fn user_defined_signals(&self) {
        self.signal(Signal::SIGUSR1);
        self.signal(Signal::SIGUSR2);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("it runs");
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(self) -> ExitStatus {
        self.end(Signal::SIGTERM)
    }

    /// Asks it to end at once, without tidying up, and waits until it has.
    pub fn quit(self) -> ExitStatus {
        self.end(Signal::SIGQUIT)
    }

    fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        // Its output is closed when it ends.
        let ended = self.next_with(&["\0"]);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "{} does not end", self.name);
        self.child.wait().expect("a child")
    }

    /// Pulls the plug.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("a child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.said.extend(self.lines.try_iter());
            for line in &self.said {
                eprintln!("{}: {line}", self.name);
            }
        }
    }
}
