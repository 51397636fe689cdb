//! Whether a directory survives a power cut, as the kernel's table of mounts tells it
//! (`/proc/self/mountinfo`, proc(5)).
//!
//! `statfs` is not enough: an overlay over a tmpfs looks like any other overlay, and that is just what a
//! panel has after its flash would not mount.

use std::path::{Component, Path, PathBuf};

use super::{FileSystemFlaw, NotDurable};

/// File systems whose files are on flash or on a disk. What is not here is taken to be volatile.
const DURABLE: [&str; 9] =
    ["jffs2", "ubifs", "yaffs2", "ext2", "ext3", "ext4", "f2fs", "xfs", "btrfs"];

/// One line of the table, as much of it as matters.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    read_only: bool,
    kind: String,
    upper_dir: Option<PathBuf>,
}

/// Looks `dir` up in the table.
///
/// # Errors
/// Why what is written there may not survive a power cut.
pub fn check(mountinfo: &str, dir: &Path) -> Result<(), NotDurable> {
    let mounts: Vec<_> = mountinfo.lines().filter_map(Mount::read).collect();
    let mount = covering(&mounts, dir).ok_or_else(|| NotDurable::NoMount(dir.to_owned()))?;
    check_mount(&mounts, mount).map_err(|flaw| NotDurable::FileSystem {
        dir: dir.to_owned(),
        mounted_at: mount.point.clone(),
        flaw,
    })
}

fn check_mount(mounts: &[Mount], mount: &Mount) -> Result<(), FileSystemFlaw> {
    if mount.read_only {
        return Err(FileSystemFlaw::ReadOnly);
    }
    if DURABLE.contains(&mount.kind.as_str()) {
        return Ok(());
    }
    if mount.kind != "overlay" {
        return Err(FileSystemFlaw::Volatile(mount.kind.clone()));
    }
    let upper = mount.upper_dir.as_ref().ok_or(FileSystemFlaw::NoUpperLayer)?;
    // The overlay itself may cover the name of its own upper layer; then nobody can tell.
    match covering(mounts, upper) {
        Some(below) if below.kind == "overlay" => Err(FileSystemFlaw::HiddenUpperLayer),
        Some(below) if below.read_only => Err(FileSystemFlaw::ReadOnlyUpperLayer),
        Some(below) if DURABLE.contains(&below.kind.as_str()) => Ok(()),
        Some(below) => Err(FileSystemFlaw::VolatileUpperLayer(below.kind.clone())),
        None => Err(FileSystemFlaw::HiddenUpperLayer),
    }
}

/// The mount that a path is on: the deepest, and of several at the same place the last.
fn covering<'m>(mounts: &'m [Mount], path: &Path) -> Option<&'m Mount> {
    let inside = |mount: &&Mount| path.starts_with(&mount.point);
    mounts.iter().filter(inside).max_by_key(|mount| mount.point.components().count())
}

impl Mount {
    /// `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/root rw,errors=continue`
    fn read(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(4);
        let point = unescape(mount.next()?)?;
        let options = mount.next()?;
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?.to_owned();
        let super_options = file_system.nth(1)?;
        let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
        let upper_dir =
            super_options.split(',').find_map(|option| option.strip_prefix("upperdir="));
        Some(Mount {
            point,
            read_only: is_read_only(options) || is_read_only(super_options),
            kind,
            upper_dir: upper_dir.and_then(unescape),
        })
    }
}

/// An absolute path in which the kernel wrote space, tab, line feed and backslash as three octal digits.
fn unescape(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| std::str::from_utf8(after.get(..3)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..)?;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    let absolute = matches!(path.components().next(), Some(Component::RootDir));
    absolute.then_some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An OpenIPC panel: read-only squashfs, jffs2 at /overlay, and the overlay of both as the root.
    const PANEL: &str = "\
14 20 31:3 / /rom ro,relatime - squashfs /dev/root ro
15 20 31:4 / /overlay rw,noatime - jffs2 /dev/mtdblock4 rw
20 1 0:12 / / rw,noatime - overlay overlayfs:/overlay rw,lowerdir=/,upperdir=/overlay/root,workdir=/overlay/work
21 20 0:13 / /tmp rw - tmpfs tmpfs rw
22 20 0:14 / /mnt/with\\040space rw - ext4 /dev/sda1 rw";

    fn check_on(table: &str, dir: &str) -> Result<(), String> {
        check(table, Path::new(dir)).map_err(|why| why.to_string())
    }

    #[test]
    fn an_overlay_over_flash_is_durable() {
        assert_eq!(check_on(PANEL, "/var/lib/intercom-agent"), Ok(()));
        assert_eq!(check_on(PANEL, "/overlay/x"), Ok(()));
        assert_eq!(check_on(PANEL, "/mnt/with space/x"), Ok(()));
    }

    #[test]
    fn an_overlay_over_a_tmpfs_is_volatile() {
        let table = PANEL.replace("jffs2 /dev/mtdblock4", "tmpfs tmpfs");
        let why = check_on(&table, "/var/lib/intercom-agent").expect_err("volatile");
        assert!(why.contains("upper layer is a tmpfs"), "{why}");
    }

    #[test]
    fn an_overlay_that_hides_its_upper_layer_counts_as_volatile() {
        let table = PANEL.replace("/overlay rw,noatime - jffs2", "/elsewhere rw,noatime - jffs2");
        let why = check_on(&table, "/var").expect_err("unknown");
        assert!(why.contains("hidden"), "{why}");
    }

    #[test]
    fn a_tmpfs_a_read_only_and_an_unknown_file_system_are_told_apart() {
        assert!(check_on(PANEL, "/tmp/x").expect_err("volatile").contains("a tmpfs"));
        assert!(check_on(PANEL, "/rom/x").expect_err("read-only").contains("read-only"));
        let table = PANEL.replace("ext4 /dev/sda1", "magicfs none");
        assert!(check_on(&table, "/mnt/with space").expect_err("unknown").contains("magicfs"));
        assert!(check_on("", "/var").expect_err("no table").contains("no mount"));
    }

    #[test]
    fn the_last_of_two_mounts_at_one_place_counts() {
        let table = format!("{PANEL}\n30 20 0:20 / /overlay rw - tmpfs tmpfs rw");
        assert!(check_on(&table, "/overlay").is_err());
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic(table in "(\\PC|\n| - |\\\\04){0,200}", dir in "/\\PC{0,20}") {
            let _ = check(&table, Path::new(&dir));
        }
    }
}
