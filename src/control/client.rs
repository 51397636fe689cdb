//! The commands' end of the control socket.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use intercom_wire::json;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Answer, Ask};
use crate::file_error::of_file;

/// How long the daemon may take to answer. (A change takes its own time, and the daemon's state can be asked
/// meanwhile.)
const ANSWER: Duration = Duration::from_secs(5);
/// How long it may take to read the board: longer than a held lock and a command that is a source.
const READING: Duration = Duration::from_secs(60);

/// How long to wait for an answer.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How long it has been silent already.
    before: Duration,
    /// After which further silence a person is told, again and again.
    quiet: Duration,
    /// All in all.
    limit: Duration,
}

impl Patience {
    /// Of a question that is answered at once, unless the daemon hangs.
    const AT_ONCE: Self =
        Patience { before: Duration::ZERO, quiet: Duration::from_secs(2), limit: ANSWER };

    /// Of asking a daemon for its state that has said nothing for a while.
    fn after(before: Duration) -> Self {
        Patience { before, quiet: Duration::from_millis(300), limit: ANSWER }
    }
}

/// The daemon is there and says nothing.
#[derive(Debug)]
struct NoAnswer {
    within: Duration,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it does not answer (for {} s): restart it", self.within.as_secs())
    }
}

impl std::error::Error for NoAnswer {}

/// Whether [`ask`] failed because no daemon runs.
pub fn no_daemon(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Asks the daemon and hands each answer on as it comes.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` if no daemon runs, `TimedOut` if it does not answer; otherwise as the
/// socket's.
pub fn ask(socket: &Path, ask: &Ask, each: impl FnMut(Answer)) -> io::Result<()> {
    let patience = match ask {
        Ask::Restore => Patience { limit: READING, quiet: READING / 2, ..Patience::AT_ONCE },
        _ => Patience::AT_ONCE,
    };
    ask_within(socket, ask, patience, each)
}

fn ask_within(
    socket: &Path,
    ask: &Ask,
    patience: Patience,
    mut each: impl FnMut(Answer),
) -> io::Result<()> {
    let mut answers = BufReader::new(send(socket, ask)?);
    while let Some(answer) = next_within(&mut answers, patience)? {
        each(answer);
    }
    Ok(())
}

/// Asks for a change and hands each answer on as it comes. Where there is none for so long, the daemon's
/// state is one.
///
/// # Errors
/// As [`ask`].
pub fn ask_patiently(
    socket: &Path,
    ask: &Ask,
    patience: Duration,
    each: &mut dyn FnMut(Answer),
) -> io::Result<()> {
    let mut answers = BufReader::new(send(socket, ask)?);
    loop {
        match wait_for_answer(&answers, in_poll(patience))? {
            Waited::Answer => {}
            Waited::Nothing => {
                ask_within(socket, &Ask::Status, Patience::after(patience), &mut *each)?;
                continue;
            }
            // The change goes on without a reader, and so does the command.
            Waited::NobodyReads => {}
        }
        match next(&mut answers)? {
            Some(answer) => each(answer),
            None => return Ok(()),
        }
    }
}

/// Whether [`follow`] failed because the daemon ended.
pub fn daemon_ended(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

/// Follows what the daemon does, until `each` breaks off, or nobody reads the standard output any more. The
/// first answer is the daemon's state. Where there is no other for so long, the state is one again.
///
/// # Errors
/// As [`ask`]; `UnexpectedEof` or `ConnectionReset` if the daemon ends.
pub fn follow(
    socket: &Path,
    patience: Option<Duration>,
    each: &mut dyn FnMut(Answer) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut answers = BufReader::new(send(socket, &Ask::Follow)?);
    let mut answer = next_within(&mut answers, Patience::AT_ONCE)?;
    answers.get_ref().set_read_timeout(None)?;
    let in_poll = patience.map_or(PollTimeout::NONE, in_poll);
    loop {
        let Some(told) = answer else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        if each(told).is_break() {
            return Ok(());
        }
        answer = match wait_for_answer(&answers, in_poll)? {
            Waited::Answer => next(&mut answers)?,
            Waited::Nothing => {
                let mut state = None;
                let patience = Patience::after(patience.unwrap_or_default());
                let asked =
                    ask_within(socket, &Ask::Status, patience, |answer| state = Some(answer));
                match asked {
                    // It ended since it was last waited for.
                    Err(why) if no_daemon(&why) => None,
                    asked => asked.map(|()| state)?,
                }
            }
            Waited::NobodyReads => return Ok(()),
        };
    }
}

fn in_poll(patience: Duration) -> PollTimeout {
    PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX)
}

fn next(answers: &mut BufReader<UnixStream>) -> io::Result<Option<Answer>> {
    let mut line = Vec::new();
    answers.read_until(b'\n', &mut line)?;
    read(&line)
}

/// # Errors
/// `TimedOut` if there is none for so long.
fn next_within(
    answers: &mut BufReader<UnixStream>,
    Patience { before, quiet, limit }: Patience,
) -> io::Result<Option<Answer>> {
    // A read that is given up leaves here what it has.
    let mut line = Vec::new();
    let (mut silent, mut wait) = (before, quiet);
    while silent < limit {
        answers.get_ref().set_read_timeout(Some(wait))?;
        silent += wait;
        match answers.read_until(b'\n', &mut line) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            read_or_not => return read_or_not.and_then(|_| read(&line)),
        }
        wait = quiet.max(Patience::AT_ONCE.quiet).min(limit.saturating_sub(silent));
        if !wait.is_zero() {
            // Not by the log: most commands have none. A stderr that nobody reads ends nothing.
            let silent = silent.as_secs();
            let _ = writeln!(io::stderr(), "  the daemon has not answered for {silent} s");
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, NoAnswer { within: limit }))
}

fn read(line: &[u8]) -> io::Result<Option<Answer>> {
    if line.is_empty() {
        return Ok(None);
    }
    json::read(line).map(Some).map_err(io::Error::other)
}

fn send(socket: &Path, ask: &Ask) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket).map_err(|why| of_file(socket, why))?;
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    Ok(stream)
}

#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Answer,
    Nothing,
    NobodyReads,
}

/// Waits until the daemon says something, or whoever reads our output is gone: hours may pass between two
/// steps, and only the next write would tell.
fn wait_for_answer(answers: &BufReader<UnixStream>, patience: PollTimeout) -> io::Result<Waited> {
    if !answers.buffer().is_empty() {
        return Ok(Waited::Answer);
    }
    let out = io::stdout();
    let mut ends = [
        PollFd::new(answers.get_ref().as_fd(), PollFlags::POLLIN),
        PollFd::new(out.as_fd(), PollFlags::empty()),
    ];
    let ready = loop {
        match poll(&mut ends, patience) {
            Err(Errno::EINTR) => {}
            ready => break ready?,
        }
    };
    Ok(match (ready, ends[1].any()) {
        (0, _) => Waited::Nothing,
        (_, Some(true)) => Waited::NobodyReads,
        _ => Waited::Answer,
    })
}
