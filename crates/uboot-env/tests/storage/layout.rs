//! Where the environment is found, on a sandboxed board with plain files for its flash.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use uboot_env::{
    ConfigErrorKind, Error, Format, Image, Layout, Location, NoBackup, Origin, Store, Written,
};

use super::images::image;

const ERASE: usize = 0x1_0000;

const PROC_MTD: &str = "dev:    size   erasesize  name\n\
    mtd0: 00040000 00010000 \"boot\"\n\
    mtd1: 00040000 00010000 \"env\"\n";

/// A system of its own with OpenIPC's first partitions, erased; gone with the value.
struct Board(PathBuf);

impl Board {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("layout-{}-{number}", process::id());
        let board = Board(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        board.write("proc/mtd", PROC_MTD);
        board.write("dev/mtd0", [0xff; 4 * ERASE]);
        board.write("dev/mtd1", [0xff; 4 * ERASE]);
        board
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder made");
        fs::write(path, bytes).expect("the file written");
    }

    /// A partition with one copy in it.
    fn put_copy(&self, device: &str, at: usize, copy: &Image) {
        let mut bytes = vec![0xff; 4 * ERASE];
        bytes[at..at + copy.bytes().len()].copy_from_slice(copy.bytes());
        self.write(device, bytes);
    }

    fn configure(&self, text: &str) {
        self.write("etc/fw_env.config", text);
    }

    fn find(&self) -> Result<Option<(Layout, Origin)>, Error> {
        Layout::find(&self.0)
    }

    /// The environment that is found, and how.
    fn found(&self) -> (Layout, Origin) {
        self.find().expect("readable").expect("found")
    }

    fn open(&self, layout: &Layout) -> Result<Store, Error> {
        Store::open(&self.0, layout)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(device: &str, offset: usize, size: usize) -> Location {
    Location { device: device.into(), offset: offset as i64, size }
}

#[test]
fn without_a_configuration_it_is_where_a_checksum_fits() {
    let board = Board::new();
    assert_eq!(board.find().expect("readable"), None);
    for size in [0x1000, 0x8000, 0x1_0000, 0x2_0000] {
        for block in [0, 1, 2] {
            let copy = image(size, Format::Single, b"bootcmd=run linux\0\0", 0xff);
            board.put_copy("dev/mtd1", block * ERASE, &copy);
            let (layout, origin) = board.found();
            assert_eq!(layout.copies(), [at("/dev/mtd1", block * ERASE, size)]);
            assert_eq!(origin, Origin::Scan);
            let mut store = board.open(&layout).expect("opened");
            let environment = store.read().expect("read");
            assert_eq!(environment.get("bootcmd").as_deref(), Some("run linux"));
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_none() {
    let board = Board::new();
    board.write("proc/mtd", format!("{PROC_MTD}mtd9: 00010000 00010000 \"late\"\n"));
    let error = board.find().expect_err("it may be there").to_string();
    assert!(error.starts_with("/dev/mtd9 cannot be read: "), "{error}");
    board.put_copy("dev/mtd1", 0, &image(ERASE, Format::Single, b"a=1\0\0", 0));
    assert!(board.find().expect("found all the same").is_some());
}

#[test]
fn without_a_list_of_flash_there_is_none_unless_it_is_not_mounted_yet() {
    let board = Board::new();
    fs::remove_file(board.0.join("proc/mtd")).expect("removed");
    let error = board.find().expect_err("nothing is mounted on it").to_string();
    assert!(error.starts_with("/proc/mtd cannot be read: "), "{error}");
    board.write("proc/self/mounts", "");
    assert_eq!(board.find().expect("a kernel without flash"), None);
    fs::remove_dir_all(board.0.join("proc")).expect("removed");
    assert_eq!(board.find().expect("no such folder"), None);
}

#[test]
fn a_partition_of_that_name_is_looked_at_first_and_all_others_too() {
    let board = Board::new();
    let copy = image(ERASE, Format::Single, b"a=1\0\0", 0);
    board.put_copy("dev/mtd0", 2 * ERASE, &copy);
    let found = || board.found().0.copies().to_vec();
    assert_eq!(found(), [at("/dev/mtd0", 2 * ERASE, ERASE)]);
    board.put_copy("dev/mtd1", 0, &copy);
    assert_eq!(found(), [at("/dev/mtd1", 0, ERASE)]);
}

#[test]
fn a_damaged_one_and_one_of_two_are_not_guessed() {
    let board = Board::new();
    let mut torn = image(ERASE, Format::Single, b"a=1\0\0", 0).bytes().to_vec();
    torn[100] = 1;
    board.put_copy("dev/mtd0", 0, &Image::new(torn, Format::Single).expect("long enough"));
    board.put_copy("dev/mtd1", 0, &image(ERASE, Format::Redundant, b"a=1\0\0", 0));
    assert_eq!(board.find().expect("readable"), None);
}

#[test]
fn the_configuration_comes_first_and_is_under_the_root() {
    let board = Board::new();
    board.put_copy("dev/mtd1", 0, &image(ERASE, Format::Single, b"a=1\0\0", 0));
    board.configure("/dev/mtd0 0x0 0x1000\n/dev/mtd1 0x10000 0x1000\n");
    let (layout, origin) = board.found();
    assert_eq!(layout.copies(), [at("/dev/mtd0", 0, 0x1000), at("/dev/mtd1", 0x1_0000, 0x1000)]);
    assert_eq!(
        format!("{layout} ({origin})"),
        "/dev/mtd0 at 0x0, 0x1000 bytes and /dev/mtd1 at 0x10000, 0x1000 bytes \
         (from /etc/fw_env.config)"
    );
}

#[test]
fn a_configuration_that_names_nothing_is_none_and_a_bad_line_is_an_error() {
    let board = Board::new();
    board.put_copy("dev/mtd1", 0, &image(ERASE, Format::Single, b"a=1\0\0", 0));
    board.configure("# nothing yet\n");
    assert!(board.find().expect("readable").is_some());
    board.configure("\n/dev/mtd1 0x0\n");
    let error = board.find().expect_err("a bad line").to_string();
    assert!(error.starts_with("/etc/fw_env.config line 2: "), "{error}");
}

#[test]
fn a_copy_that_is_not_within_its_device_is_an_error() {
    let board = Board::new();
    for (offset, size) in [(4 * ERASE as i64 - 16, 32), (i64::MAX, 32), (i64::MIN, 32)] {
        let copy = Location { device: "/dev/mtd1".into(), offset, size };
        let error = board.open(&Layout::single(copy)).err();
        assert!(matches!(error, Some(Error::Outside { .. })), "{offset}");
    }
    let gone = Layout::single(at("/dev/mtd7", 0, 32));
    let error = board.open(&gone).err().expect("no such device");
    assert!(error.to_string().contains("/dev/mtd7"), "{error}");
}

#[test]
fn below_zero_an_offset_counts_from_the_end() {
    let board = Board::new();
    board.put_copy("dev/mtd1", 3 * ERASE, &image(ERASE, Format::Single, b"a=1\0\0", 0));
    board.configure("/dev/mtd1 -0x10000 0x10000\n");
    let mut store = Store::find(&board.0).expect("readable").expect("found");
    assert_eq!(store.read().expect("read").get("a").as_deref(), Some("1"));
}

#[test]
fn yaml_is_refused_by_its_name() {
    let board = Board::new();
    board.configure("uboot:\n  size : 0x4000\n  devices:\n    - path : /dev/mtd1\n");
    let error = board.find().expect_err("not supported");
    assert!(matches!(&error, Error::Config(why) if why.kind == ConfigErrorKind::Yaml), "{error}");
}

#[test]
fn two_copies_of_different_size_are_no_layout() {
    assert_eq!(Layout::redundant(at("/dev/mtd1", 0, 32), at("/dev/mtd2", 0, 64)), None);
}

/// Files and block devices count up in the flag byte, and need no backup.
#[test]
fn a_redundant_environment_in_files_is_written_in_turns() {
    let board = Board::new();
    let copy = image(0x1000, Format::Redundant, b"a=0\0\0", 0);
    board.write("env0", copy.bytes());
    board.write("env1", [0xff; 0x1000]);
    board.configure("/env0 0 1000\n/env1 0 1000\n");
    for turn in 1..=4 {
        let mut store = Store::find(&board.0).expect("readable").expect("found");
        let mut transaction = store.begin().expect("good");
        transaction.set("a", turn.to_string()).set("b", "1").remove("b");
        let written = transaction.commit(&mut NoBackup).expect("written");
        assert_eq!(written, Written::Changed);
        let environment = store.read().expect("read");
        assert_eq!(environment.get("a"), Some(turn.to_string().into()));
        assert_eq!(environment.variables().count(), 1);
        let written = fs::read(board.0.join(format!("env{}", turn % 2))).expect("read");
        assert_eq!(written[4], 1 + turn as u8);
    }
}
