//! The commands' end of the control socket.

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

/// How long the daemon may take to tell its state.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to read the board: longer than a held lock and a command that is a source.
const READING: Duration = Duration::from_secs(60);

/// Whether [`ask`] failed because no daemon runs.
pub fn no_daemon(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Asks the daemon and hands each answer on as it comes.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` if no daemon runs; otherwise as the socket's.
pub fn ask(socket: &Path, ask: &Ask, mut each: impl FnMut(Answer)) -> io::Result<()> {
    let stream = send(socket, ask)?;
    // A change takes its own time; of the others, each answer is there soon unless the daemon hangs.
    stream.set_read_timeout(match ask {
        Ask::Status | Ask::ForgetSequence | Ask::Log { .. } => Some(PATIENCE),
        Ask::Restore => Some(READING),
        Ask::Follow | Ask::Apply { .. } | Ask::Rollback { .. } => None,
    })?;
    for line in BufReader::new(stream).split(b'\n') {
        each(json::read(&line?).map_err(io::Error::other)?);
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
    let patience = in_poll(patience);
    loop {
        match wait_for_answer(&answers, patience)? {
            Waited::Answer => {}
            Waited::Nothing => {
                self::ask(socket, &Ask::Status, &mut *each)?;
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

/// Follows what the daemon does, until it ends, `each` breaks off, or nobody reads the standard output
/// any more. The first answer is the daemon's state. Where there is no other for so long, the state is one
/// again.
///
/// # Errors
/// As [`ask`].
pub fn follow(
    socket: &Path,
    patience: Option<Duration>,
    each: &mut dyn FnMut(Answer) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut answers = BufReader::new(send(socket, &Ask::Follow)?);
    let patience = patience.map_or(PollTimeout::NONE, in_poll);
    loop {
        let answer = match wait_for_answer(&answers, patience)? {
            Waited::Answer => next(&mut answers)?,
            Waited::Nothing => {
                let mut state = None;
                self::ask(socket, &Ask::Status, |answer| state = Some(answer))?;
                state
            }
            Waited::NobodyReads => return Ok(()),
        };
        match answer.map(&mut *each) {
            Some(ControlFlow::Continue(())) => {}
            Some(ControlFlow::Break(())) | None => return Ok(()),
        }
    }
}

fn in_poll(patience: Duration) -> PollTimeout {
    PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX)
}

fn next(answers: &mut BufReader<UnixStream>) -> io::Result<Option<Answer>> {
    let mut line = Vec::new();
    match answers.read_until(b'\n', &mut line)? {
        0 => Ok(None),
        _ => json::read(&line).map(Some).map_err(io::Error::other),
    }
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
