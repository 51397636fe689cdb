//! The one way in which a durable file is replaced: after a power cut it is the old one or the new one.

use std::io;

use super::Disk;

/// What the last good copy of a file has after its name.
pub const PREVIOUS: &str = ".previous";

const TEMPORARY: &str = ".new";
const SECOND_NAME: &str = ".link";

/// Replaces a file and keeps the copy before it as `NAME.previous`.
///
/// # Errors
/// As the disk's; the file is then the old one, or the new one but perhaps not yet durable.
pub fn replace(disk: &mut impl Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}{TEMPORARY}");
    let second_name = format!("{name}{SECOND_NAME}");
    let previous = format!("{name}{PREVIOUS}");
    // jffs2's rename links the new name before it unlinks the old one. After a cut in between, the
    // temporary name is the live file's own inode, and writing into it would tear the live file.
    disk.remove(&temporary)?;
    if let Err(why) = disk.create(&temporary, bytes).and_then(|()| disk.sync(&temporary)) {
        // Half of it must not fill up a disk that is nearly full.
        let _ = disk.remove(&temporary);
        return Err(why);
    }
    disk.remove(&second_name)?;
    match disk.link(name, &second_name) {
        // Renamed over the copy before it, so that there is one at every instant.
        Ok(()) => disk.rename(&second_name, &previous)?,
        // The very first copy has none before it; or a damaged one was set aside, and then the
        // copy before it is the only good one.
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(why),
    }
    disk.rename(&temporary, name)?;
    disk.sync_dir()
}
