//! The commands' end of the control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use intercom_wire::json;

use super::{Answer, Ask};

/// How long the daemon may take to tell its state.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether [`ask`] failed because no daemon runs.
pub fn no_daemon(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Asks the daemon and hands each answer on as it comes.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` if no daemon runs; otherwise as the socket's.
pub fn ask(socket: &Path, ask: &Ask, mut each: impl FnMut(Answer)) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    if matches!(ask, Ask::Status) {
        // The one answer that is there at once, unless the daemon hangs.
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    for line in BufReader::new(stream).split(b'\n') {
        each(json::read(&line?).map_err(io::Error::other)?);
    }
    Ok(())
}
