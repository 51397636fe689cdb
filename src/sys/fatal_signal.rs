//! A fatal signal leaves a line in the log and in a file before it ends the program.
//!
//! The panel's binary is built so that a panic is an illegal instruction (SIGILL) without a text: the
//! address of that instruction is all that is needed to find its line.

use std::ffi::CString;
use std::fmt::{self, Write};
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::signal::{Signal, raise};
use nix::sys::stat::Mode;
use nix::unistd::write;

/// Signals that the kernel sends for a fault of the program, or that abort(3) does.
const FATAL: [libc::c_int; 6] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV];
/// Room for the line: an address, a number, 40 digits, and the words.
const LINE: usize = 192;
/// How the log begins an error's line.
const LEVEL: &str = "[ERROR] ";

/// Everything that the handler needs, made beforehand: it must not allocate.
struct Trace {
    file: CString,
    build_id: String,
}

static TRACE: OnceLock<Trace> = OnceLock::new();

/// From now on a fatal signal writes its place to stderr and to `file`, then ends the program as
/// it would have without this.
///
/// # Errors
/// `file` has a NUL byte in its name; `sigaction(2)` fails.
pub(crate) fn trace(file: &Path, build_id: String) -> io::Result<()> {
    let file = CString::new(file.as_os_str().as_bytes())?;
    TRACE.get_or_init(|| Trace { file, build_id });
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_signal;
    for signal in FATAL {
        // SAFETY: all-zero bytes are a valid `sigaction`: no flags, an empty mask. The handler has the
        // signature that SA_SIGINFO asks for, and only does what signal-safety(7) allows. SA_ONSTACK
        // takes the alternate stack that the standard library has set up for the main thread.
        let failed = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESETHAND | libc::SA_ONSTACK;
            libc::sigaction(signal, &raw const action, ptr::null_mut()) != 0
        };
        if failed {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// SA_RESETHAND has put the default action back: the signal that is raised at the end waits until the
/// handler returns, and then ends the program.
extern "C" fn on_signal(signal: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(trace) = TRACE.get() else { return };
    // SAFETY: with SA_SIGINFO the kernel passes a valid `ucontext_t` (sigaction(2)).
    let at = unsafe { context.cast::<libc::ucontext_t>().as_ref() }.map_or(0, program_counter);
    let mut line = Line { bytes: [0; LINE], used: 0 };
    let build_id = &trace.build_id;
    // What fails from here on can be told to nobody.
    let _ = writeln!(line, "{LEVEL}crashed by signal {signal} at {at:#010x}, build ID {build_id}");
    let line = &line.bytes[..line.used];
    // SAFETY: the descriptor is only used here, and a closed one is an error and nothing else.
    let log = unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) };
    let _ = keep(&line[LEVEL.len()..], trace);
    // In one call: the kernel's log takes each for a line.
    let _ = write(log, line);
    // A signal that was sent from outside has no faulty instruction that would run again.
    let _ = Signal::try_from(signal).and_then(raise);
}

fn keep(line: &[u8], trace: &Trace) -> nix::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_CLOEXEC;
    let file = open(trace.file.as_c_str(), flags, Mode::from_bits_truncate(0o644))?;
    write(file.as_fd(), line).map(drop)
}

fn program_counter(context: &libc::ucontext_t) -> usize {
    #[cfg(target_arch = "arm")]
    let counter = context.uc_mcontext.arm_pc;
    #[cfg(target_arch = "aarch64")]
    let counter = context.uc_mcontext.pc;
    #[cfg(target_arch = "x86_64")]
    let counter = context.uc_mcontext.gregs[libc::REG_RIP as usize];
    counter as usize
}

/// A text of limited length that needs no memory from the heap.
struct Line {
    bytes: [u8; LINE],
    used: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.used..];
        let taken = text.len().min(room.len());
        room[..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.used += taken;
        Ok(())
    }
}
