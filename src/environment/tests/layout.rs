//! Where the environment is found, on a sandboxed board with plain files for its flash.

use super::super::*;
use super::format::image;
use crate::board::testing::Sandbox;

const ERASE: usize = 0x1_0000;

const PROC_MTD: &str = "dev:    size   erasesize  name\n\
    mtd0: 00040000 00010000 \"boot\"\n\
    mtd1: 00040000 00010000 \"env\"\n\
    mtd9: 00010000 00010000 \"gone\"\n";

/// OpenIPC's first partitions, erased.
struct Board(Sandbox);

impl Board {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("/proc/mtd", PROC_MTD);
        sandbox.write("/dev/mtd0", [0xff; 4 * ERASE]);
        sandbox.write("/dev/mtd1", [0xff; 4 * ERASE]);
        Board(sandbox)
    }

    /// A partition with one copy in it.
    fn put_copy(&self, device: &str, at: usize, copy: &Image) {
        let mut bytes = vec![0xff; 4 * ERASE];
        bytes[at..at + copy.bytes().len()].copy_from_slice(copy.bytes());
        self.0.write(device, bytes);
    }

    fn configure(&self, text: &str) {
        self.0.write("/etc/fw_env.config", text);
    }

    fn find(&self) -> Result<Option<Layout>, Error> {
        Layout::find(self.0.root())
    }

    fn open(&self, copies: Vec<Location>) -> Result<Store, Error> {
        Store::open(self.0.root(), &Layout { copies, origin: Origin::Config })
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
            let copy = image(size, false, b"bootcmd=run linux\0\0", 0xff);
            board.put_copy("/dev/mtd1", block * ERASE, &copy);
            let layout = board.find().expect("readable").expect("found");
            assert_eq!(layout.copies, [at("/dev/mtd1", block * ERASE, size)]);
            assert_eq!(layout.origin, Origin::Scan);
            let mut store = board.open(layout.copies).expect("opened");
            let environment = store.load().expect("read");
            assert_eq!(environment.get("bootcmd").as_deref(), Some("run linux"));
        }
    }
}

#[test]
fn a_partition_of_that_name_is_looked_at_first_and_all_others_too() {
    let board = Board::new();
    let copy = image(ERASE, false, b"a=1\0\0", 0);
    board.put_copy("/dev/mtd0", 2 * ERASE, &copy);
    let found = || board.find().expect("readable").expect("found").copies;
    assert_eq!(found(), [at("/dev/mtd0", 2 * ERASE, ERASE)]);
    board.put_copy("/dev/mtd1", 0, &copy);
    assert_eq!(found(), [at("/dev/mtd1", 0, ERASE)]);
}

#[test]
fn a_damaged_one_and_one_of_two_are_not_guessed() {
    let board = Board::new();
    let mut torn = image(ERASE, false, b"a=1\0\0", 0).bytes().to_vec();
    torn[100] = 1;
    board.put_copy("/dev/mtd0", 0, &Image::new(torn, false).expect("long enough"));
    board.put_copy("/dev/mtd1", 0, &image(ERASE, true, b"a=1\0\0", 0));
    assert_eq!(board.find().expect("readable"), None);
}

#[test]
fn the_configuration_comes_first_and_is_under_the_root() {
    let board = Board::new();
    board.put_copy("/dev/mtd1", 0, &image(ERASE, false, b"a=1\0\0", 0));
    board.configure("/dev/mtd0 0x0 0x1000\n/dev/mtd1 0x10000 0x1000\n");
    let layout = board.find().expect("readable").expect("found");
    assert_eq!(layout.copies, [at("/dev/mtd0", 0, 0x1000), at("/dev/mtd1", 0x1_0000, 0x1000)]);
    assert_eq!(
        layout.to_string(),
        "/dev/mtd0 at 0x0, 0x1000 bytes and /dev/mtd1 at 0x10000, 0x1000 bytes \
         (from /etc/fw_env.config)"
    );
}

#[test]
fn a_configuration_that_names_nothing_is_none_and_a_bad_line_is_an_error() {
    let board = Board::new();
    board.put_copy("/dev/mtd1", 0, &image(ERASE, false, b"a=1\0\0", 0));
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
        let error = board.open(vec![Location { device: "/dev/mtd1".into(), offset, size }]).err();
        assert!(matches!(error, Some(Error::Outside(_))), "{offset}");
    }
    let error = board.open(vec![at("/dev/mtd7", 0, 32)]).err().expect("no such device");
    assert!(error.to_string().contains("/dev/mtd7"), "{error}");
}

#[test]
fn below_zero_an_offset_counts_from_the_end() {
    let board = Board::new();
    board.put_copy("/dev/mtd1", 3 * ERASE, &image(ERASE, false, b"a=1\0\0", 0));
    board.configure("/dev/mtd1 -0x10000 0x10000\n");
    let layout = board.find().expect("readable").expect("found");
    let mut store = board.open(layout.copies).expect("opened");
    assert_eq!(store.load().expect("read").get("a").as_deref(), Some("1"));
}
