//! What a terminal says of itself, ioctl_tty(2).

use std::io::IsTerminal;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// The width that a terminal has where it does not say, as a serial line.
const USUAL: usize = 80;

/// How many columns the terminal has; `None` if it is no terminal.
pub fn columns(stream: impl AsFd) -> Option<usize> {
    let stream = stream.as_fd();
    if !stream.is_terminal() {
        return None;
    }
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one `winsize`, which is there for as long as the call lasts.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    match (answer, size.ws_col) {
        (0, 1..) => Some(size.ws_col.into()),
        _ => Some(USUAL),
    }
}
