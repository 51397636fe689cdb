//! Reading device registers through `/dev/mem`, mem(4).

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr;

use nix::libc;

const PAGE: usize = 4096;

/// Reads 32-bit registers of one page, in the order given.
///
/// Reading an address where nothing answers can stop the machine: only ever call it on the SoC
/// whose registers these are.
///
/// # Errors
/// As `open(2)` and `mmap(2)`; `InvalidInput` when an address is not a word of that page.
pub fn read_registers(device: &Path, page: u32, addresses: &[u32]) -> io::Result<Vec<u32>> {
    let fits = |address: &u32| address & !(PAGE as u32 - 1) == page && address.is_multiple_of(4);
    if !addresses.iter().all(fits) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // O_SYNC asks for an uncached mapping: a register is not memory.
    let memory =
        OpenOptions::new().read(true).custom_flags(libc::O_SYNC | libc::O_CLOEXEC).open(device)?;
    // SAFETY: a new shared read-only mapping of one whole page at an address of the kernel's
    // choice; it overlaps nothing.
    let mapping = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ,
            libc::MAP_SHARED,
            memory.as_raw_fd(),
            page as libc::off_t,
        )
    };
    if mapping == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let words = addresses
        .iter()
        .map(|address| {
            let offset = (address - page) as usize;
            // SAFETY: the offset is a multiple of four below the page's size, so that the word is
            // aligned and inside the mapping, which is still there; volatile, as a register needs.
            unsafe { mapping.cast::<u8>().add(offset).cast::<u32>().read_volatile() }
        })
        .collect();
    // SAFETY: the mapping is ours, whole, and nothing points into it any more.
    unsafe { libc::munmap(mapping, PAGE) };
    Ok(words)
}
