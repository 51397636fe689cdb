//! The calls that a change cannot do without, and nothing else: the intention made durable, the link
//! set, the new identity made durable in the record and in one copy of the U-Boot environment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

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

/// One change of `eth0`'s MAC address.
pub fn change(dir: &Path, mac: [u8; 6]) -> io::Result<()> {
    replace_record(dir)?;
    set_address(mac)?;
    replace_record(dir)?;
    let copy = OpenOptions::new().write(true).open(dir.join("copy"))?;
    copy.write_all_at(&ENVIRONMENT, 0)?;
    copy.sync_all()
}

/// What it needs to be there.
pub fn prepare(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("copy"), ENVIRONMENT)?;
    replace_record(dir)
}

/// How long each of so many changes takes.
pub fn timed(dir: &Path, runs: usize) -> Outcome<Vec<Duration>> {
    prepare(dir)?;
    let mut times = Vec::new();
    for run in 0..runs {
        let start = Instant::now();
        change(dir, [2, 0, 0, 0, 0, run as u8])?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// So many changes, for strace to count.
pub fn repeat(dir: &Path, runs: usize) -> Outcome<()> {
    timed(dir, runs).map(drop)
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
    for (to, from) in request.ifr_name.iter_mut().zip(b"eth0") {
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
