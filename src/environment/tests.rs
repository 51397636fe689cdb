//! What the policy allows and what is kept meanwhile, on a sandboxed board with files for its flash.

use uboot_env::{Backup, Blocks, Change, Format, Image, Store, Unsafe, Written};

use super::backup::DiskBackup;
use super::*;
use crate::storage::{Disk, StateDir};
use crate::testing::Sandbox;

const SIZE: usize = 0x1000;
const CHANGES: &[Change<'_>] =
    &[("ethaddr", Some("AA:BB:CC:DD:EE:FF")), ("serialno", Some("A1-0042"))];

/// A board with a single copy in `/env0`, or a redundant environment in `/env0` and `/env1`.
struct Board {
    sandbox: Sandbox,
    state: StateDir,
}

impl Board {
    fn single() -> Self {
        Board::new(Format::Single, "/env0 0 1000\n")
    }

    fn redundant() -> Self {
        Board::new(Format::Redundant, "/env0 0 1000\n/env1 0 1000\n")
    }

    fn new(format: Format, config: &str) -> Self {
        let sandbox = Sandbox::new();
        let empty = Image::empty(SIZE, format).expect("long enough");
        let good = empty.changed(&[("bootcmd", Some("run linux"))]).expect("fits");
        sandbox.write("/env0", good.bytes());
        sandbox.write("/env1", [0xff; SIZE]);
        sandbox.write("/etc/fw_env.config", config);
        sandbox.write("/state/lock", "");
        let state = StateDir::new(sandbox.root(), "/state".as_ref());
        Board { sandbox, state }
    }

    /// On a tmpfs the backup of a single copy would be gone with the power.
    fn on_a_tmpfs(mut self) -> Self {
        self.sandbox.write("/proc/self/mountinfo", "1 0 0:1 / / rw - tmpfs tmpfs rw\n");
        self.state = StateDir::new(self.sandbox.root(), "/state".as_ref());
        self
    }

    /// A write that a power cut ended between erasing and writing.
    fn interrupted(mut self) -> Self {
        let blocks = Blocks { device: "/env0".into(), start: 0, bytes: self.bytes()[0].clone() };
        DiskBackup(&mut self.state).save(&blocks).expect("saved");
        self.sandbox.write("/env0", [0xff; SIZE]);
        self
    }

    fn store(&self) -> Store {
        open(self.sandbox.root()).expect("readable").expect("found")
    }

    fn write(&mut self, policy: Policy, changes: &[Change<'_>]) -> Result<Written, Error> {
        let mut store = self.store();
        write(store.begin()?, &mut self.state, policy, changes)
    }

    fn heal(&mut self, policy: Policy) -> Result<Healed, Error> {
        heal(&mut self.store(), &mut self.state, policy)
    }

    fn bytes(&self) -> [Vec<u8>; 2] {
        ["/env0", "/env1"]
            .map(|path| std::fs::read(self.sandbox.root().path(path)).expect("readable"))
    }

    fn is_new(&self) -> bool {
        let environment = self.store().read().expect("readable");
        CHANGES.iter().all(|(name, value)| environment.get(name).as_deref() == *value)
    }

    fn has_backup(&mut self) -> bool {
        self.state.read(BACKUP_FILE).expect("readable").is_some()
    }
}

#[test]
fn nothing_is_written_when_nothing_changes_whatever_the_policy() {
    for policy in [Policy::Always, Policy::Never, Policy::RedundantOnly] {
        let mut board = Board::single();
        let before = board.bytes();
        let same = [("bootcmd", Some("run linux")), ("nothing", None)];
        assert_eq!(board.write(policy, &same).expect("nothing to do"), Written::Unchanged);
        assert_eq!(board.heal(policy).expect("whole"), Healed::Whole);
        assert_eq!(board.bytes(), before);
    }
}

#[test]
fn by_default_a_single_copy_is_never_touched() {
    let mut board = Board::single();
    let before = board.bytes();
    let refused = board.write(Policy::default(), CHANGES);
    assert!(matches!(refused, Err(Error::Refused(Refusal::SingleCopy))));
    assert_eq!(board.bytes(), before);
}

#[test]
fn where_the_policy_allows_it_all_variables_are_written_and_no_backup_is_left() {
    for (mut board, policy) in
        [(Board::single(), Policy::Always), (Board::redundant(), Policy::default())]
    {
        assert_eq!(board.write(policy, CHANGES).expect("allowed"), Written::Changed);
        assert!(board.is_new() && !board.has_backup());
    }
}

#[test]
fn a_damaged_environment_without_a_backup_is_never_written() {
    let mut board = Board::single();
    board.sandbox.write("/env0", [0xff; SIZE]);
    let before = board.bytes();
    let refused = board.write(Policy::Always, CHANGES);
    assert!(matches!(refused, Err(Error::Store(uboot_env::Error::Unsafe(Unsafe::Damaged)))));
    assert_eq!(board.heal(Policy::Always).expect("nothing to do"), Healed::Damaged);
    assert_eq!(board.bytes(), before);
}

#[test]
fn a_volatile_state_directory_is_found_out_before_anything_is_touched() {
    let mut board = Board::single().on_a_tmpfs();
    let before = board.bytes();
    let refused = board.write(Policy::Always, CHANGES);
    assert!(matches!(refused, Err(Error::Store(uboot_env::Error::BackupNotSaved(_)))));
    assert_eq!(board.bytes(), before);
    // No file is needed where the copy that counts is not touched.
    let mut redundant = Board::redundant().on_a_tmpfs();
    assert!(redundant.write(Policy::default(), CHANGES).is_ok());
}

#[test]
fn a_torn_write_is_not_healed_where_the_policy_forbids_it_now() {
    let before = Board::single().bytes();
    let mut board = Board::single().interrupted();
    let torn = board.bytes();
    for policy in [Policy::Never, Policy::RedundantOnly] {
        assert!(matches!(board.heal(policy), Err(Error::Refused(_))));
    }
    assert_eq!(board.bytes(), torn);
    assert_eq!(board.heal(Policy::Always).expect("allowed"), Healed::Restored);
    assert_eq!(board.bytes(), before);
    assert!(!board.has_backup());
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let mut board = Board::single().interrupted();
    board.sandbox.write(&format!("/state/{BACKUP_FILE}"), "{}");
    assert_eq!(board.heal(Policy::Always).expect("nothing to do"), Healed::Damaged);
}
