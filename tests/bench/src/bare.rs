//! The calls that a change cannot do without, and nothing else: the intention made durable, the link
//! set, the new identity made durable in the record and in one copy of the U-Boot environment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use intercom_test_support::ip;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::Outcome;

/// As long as the agent's record after some changes.
const RECORD: [u8; 4096] = [b'r'; 4096];
const ENVIRONMENT: [u8; 0x4000] = [0; 0x4000];

mod raw {
    nix::ioctl_write_ptr_bad!(
        /// `SIOCSIFHWADDR` of netdevice(7).
        set_hardware_address,
        nix::libc::SIOCSIFHWADDR,
        nix::libc::ifreq
    );
}

/// The link whose MAC address is changed: not the panel's, so that both can take turns.
const LINK: &str = "bare0";

/// One change of that link's MAC address.
fn change(dir: &Path, mac: [u8; 6]) -> io::Result<()> {
    replace_record(dir)?;
    set_address(mac)?;
    replace_record(dir)?;
    let copy = OpenOptions::new().write(true).open(dir.join("copy"))?;
    copy.write_all_at(&ENVIRONMENT, 0)?;
    copy.sync_all()
}

/// The link, beside the panel's and up as that one is.
pub fn add_link() {
    ip(&format!("link add {LINK} type veth peer name bare1"));
    ip(&format!("link set {LINK} up"));
}

/// The files that it needs.
pub fn prepare(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("copy"), ENVIRONMENT)?;
    replace_record(dir)
}

/// How long a change takes.
pub fn timed(dir: &Path, run: usize) -> Outcome<Duration> {
    let start = Instant::now();
    change(dir, [2, 0, 0, 0, 0, run as u8])?;
    Ok(start.elapsed())
}

/// So many changes, for strace to count.
pub fn repeat(dir: &Path, runs: usize) -> Outcome<()> {
    prepare(dir)?;
    (0..runs).try_for_each(|run| timed(dir, run).map(drop))
}

fn replace_record(dir: &Path) -> io::Result<()> {
    let (name, temporary) = (dir.join("record"), dir.join("record.new"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(&RECORD)?;
    file.sync_all()?;
    fs::rename(temporary, name)?;
    File::open(dir)?.sync_all()
}

#[allow(unsafe_code, reason = "an ioctl")]
fn set_address(mac: [u8; 6]) -> io::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: all zeros is an ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(LINK.as_bytes()) {
        *to = *from as libc::c_char;
    }
    let mut address = libc::sockaddr { sa_family: libc::ARPHRD_ETHER, sa_data: [0; 14] };
    for (to, from) in address.sa_data.iter_mut().zip(mac) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_hwaddr = address;
    // SAFETY: SIOCSIFHWADDR reads one ifreq, which lives until the call returns.
    unsafe { raw::set_hardware_address(socket.as_raw_fd(), &request) }?;
    Ok(())
}
