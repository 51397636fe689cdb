//! The daemon's end of the control socket.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use intercom_wire::{MAX_REQUEST_BYTES, json};
use log::{debug, warn};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{Answer, Ask, Asked};

/// The longest question: a few words and the largest payload, each byte of which may become six as
/// a JSON string.
const MAX_LINE: u64 = 6 * MAX_REQUEST_BYTES as u64 + 1024;
/// How long a command may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a failed accept.
const PAUSE: Duration = Duration::from_secs(1);
/// How many answers wait for a slow reader.
const ANSWERS: usize = 64;

/// Serves the socket for as long as the daemon takes questions.
///
/// # Errors
/// When the socket cannot be made.
pub async fn serve(socket: &Path, asked: mpsc::Sender<Asked>) -> io::Result<()> {
    // A socket that a killed daemon left behind; the lock on the state directory says that no
    // other daemon runs.
    match fs::remove_file(socket) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // No descriptors or no memory for now: it must not end the socket for good.
            Err(why) => {
                warn!("the control socket cannot take a command: {why}; trying again");
                sleep(PAUSE).await;
                continue;
            }
        };
        if !is_trusted(&stream) {
            warn!("the control socket takes no commands from this user");
            continue;
        }
        tokio::spawn(converse(stream, asked.clone()));
    }
}

/// Root, or whoever the daemon runs as (in a sandbox).
fn is_trusted(stream: &UnixStream) -> bool {
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == nix::unistd::geteuid().as_raw())
}

async fn converse(stream: UnixStream, asked: mpsc::Sender<Asked>) {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut bounded = BufReader::new(read.take(MAX_LINE));
    let (answers, mut to_write) = mpsc::channel(ANSWERS);
    match timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) | Err(_) => return,
    }
    match json::read::<Ask>(&line) {
        Ok(ask) => {
            if asked.send(Asked { ask, answers }).await.is_err() {
                return;
            }
        }
        Err(why) => {
            // The channel is empty, so there is room.
            let refused = Answer::Refused(format!("the question cannot be read: {why}"));
            let _ = answers.try_send(refused);
            drop(answers);
        }
    }
    while let Some(answer) = to_write.recv().await {
        let Ok(mut line) = serde_json::to_vec(&answer) else { return };
        line.push(b'\n');
        if let Err(why) = write.write_all(&line).await {
            debug!("a command went away: {why}");
            return;
        }
    }
}
