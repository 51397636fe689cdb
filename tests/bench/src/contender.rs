//! One who carries out changes: the agent or the script. What it prints tells how far it has come.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::Outcome;
use crate::strace::under_strace;

const LIMIT: Duration = Duration::from_secs(30);

pub struct Contender {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

/// When a change had come how far.
#[derive(Clone, Copy)]
pub struct Marks {
    /// The intention is durable, the link and the runtime files are set.
    pub carries: Instant,
    /// There is a new connection under the new identity.
    pub reached: Instant,
    /// The new identity is durable in the record and in the U-Boot environment.
    pub durable: Instant,
    /// How long it waited to know who else has the new MAC address: before the change, and after the
    /// new connection. The script does not ask.
    pub waits: [Duration; 2],
}

impl Contender {
    /// Starts it, under strace where there is a file for what that sees.
    pub fn start(command: Command, trace: Option<&Path>) -> Outcome<Self> {
        let mut command = match trace {
            Some(trace) => under_strace(&command, trace),
            None => command,
        };
        // A group of its own, to be ended as a whole.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|why| format!("{command:?}: {why}"))?;
        let (send, lines) = channel();
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            listen(out, send.clone());
            listen(err, send);
        }
        let mut contender = Contender { child, lines };
        contender.says("board gate-1")?;
        Ok(contender)
    }

    /// Waits for a line with `text` in it; when it came.
    pub fn says(&mut self, text: &str) -> Outcome<Instant> {
        let mut said = String::new();
        loop {
            let (at, line) =
                self.lines.recv_timeout(LIMIT).map_err(|_| format!("no `{text}` after:{said}"))?;
            if line.contains(text) {
                return Ok(at);
            }
            said.push_str(&format!("\n{line}"));
        }
    }

    /// Waits for a line with `text` in it; when it came, and how long the look-ups before it took.
    fn says_after_look_ups(&mut self, text: &str) -> Outcome<(Instant, Duration)> {
        let (mut begun, mut waited) = (None, Duration::ZERO);
        loop {
            let (at, line) = self.lines.recv_timeout(LIMIT).map_err(|_| format!("no `{text}`"))?;
            if line.contains(text) {
                return Ok((at, waited));
            }
            match LookUp::told(&line) {
                Some(LookUp::Begins) => begun = Some(at),
                Some(LookUp::Ends) => {
                    waited += begun.take().map_or(Duration::ZERO, |from| at - from)
                }
                None => {}
            }
        }
    }

    /// The marks of the next change.
    pub fn marks(&mut self) -> Outcome<Marks> {
        let (carries, before) = self.says_after_look_ups("the board now carries")?;
        let reached = self.says("under the new identity")?;
        let (durable, after) = self.says_after_look_ups("the U-Boot environment now says")?;
        Ok(Marks { carries, reached, durable, waits: [before, after] })
    }
}

/// What a line says of a look-up of a MAC address.
pub enum LookUp {
    Begins,
    Ends,
}

impl LookUp {
    pub fn told(line: &str) -> Option<Self> {
        let (_, of) = line.split_once("the look-up of ")?;
        Some(if of.contains("begins") { LookUp::Begins } else { LookUp::Ends })
    }
}

fn listen(stream: impl Read + Send + 'static, lines: Sender<(Instant, String)>) {
    thread::spawn(move || {
        let read = BufReader::new(stream).lines().map_while(Result::ok);
        read.map(|line| (Instant::now(), line)).try_for_each(|line| lines.send(line))
    });
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
