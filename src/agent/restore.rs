//! Restore: at boot, before the network comes up, the board is made to agree with the record.

use intercom_wire::{FactoryIdentity, Mac};

use super::environment_copy::{self, Copied};
use super::rules::Rules;
use super::seams::Seams;
use super::set_board::{SetBoardError, set_link, write_runtime_files};
use crate::board::{Board, LinkError};
use crate::clock::Clock;
use crate::record::{BoardReading, NoMac, Record};
use crate::record_store::Loaded;

/// How many boots may try a change before it is rolled back.
const MAX_ATTEMPTS: u8 = 3;

/// What [`restore`] made of what it found.
#[derive(Debug)]
pub struct Restored {
    /// The record that the board now agrees with.
    pub record: Record,
    /// Whether the disk would not take it.
    pub unsaved: bool,
    /// What whoever looks after the panel should know.
    pub remarks: Vec<String>,
    /// What the board said of itself.
    pub reading: BoardReading,
    /// The address that a link in use had instead of the record's; the hooks are to run after it.
    pub link_had: Option<Mac>,
    /// How far the board agrees with the record.
    pub agreement: Agreement,
    /// What became of the copy in the U-Boot environment.
    pub(super) environment: Copied,
}

/// How far the board agrees with the record.
#[derive(Debug)]
pub struct Agreement {
    /// Whether the link has the address that the record gives it; why that cannot be read. A link that the
    /// record leaves alone agrees.
    pub link: Result<bool, LinkError>,
    /// Whether the runtime files and the record itself are written.
    pub is_written: bool,
}

/// Who restores, and so what may be done to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restorer {
    /// The boot, before the network comes up, or a person by the command.
    Boot,
    /// The daemon: the link may be in use. An address that became known late is left for the next boot.
    Daemon,
}

/// Makes the board agree with the record. Safe to be cut off anywhere and to run again; writes
/// nothing when all agrees.
///
/// `reading` is what the board says of itself: the record of a board that has none begins with it, and
/// what is open in a record is taken from it.
///
/// # Errors
/// When there is no record, and no MAC address to begin one with.
pub fn restore<S: Seams>(
    seams: &mut S,
    rules: &Rules,
    restorer: Restorer,
    reading: BoardReading,
) -> Result<Restored, NoMac> {
    let mut restored = load(seams, restorer, reading)?;
    go_on_or_take_back(seams, rules, restorer, &mut restored);
    let record = &restored.record;
    let wanted = record.carried();
    // Each by itself: a link that does not take its address must not keep the files from telling it.
    let had = seams.board().link_mac().ok().filter(|had| *had != wanted.identity.mac);
    let sets_link = record.sets_link(&seams.clock().boot_id());
    let link = match sets_link {
        true => set_link(seams.board(), wanted.identity.mac),
        false => Ok(()),
    };
    let link_had = had.filter(|_| restorer == Restorer::Daemon && sets_link && link.is_ok());
    let files = write_runtime_files(seams.board(), rules, record, wanted);
    restored.link_had = link_had;
    restored.agreement.is_written = !restored.unsaved && files.is_ok();
    let link = match link {
        Err(SetBoardError::LinkUnreadable(why)) => {
            restored.agreement.link = Err(why);
            Ok(())
        }
        link => {
            restored.agreement.link = Ok(link.is_ok());
            link
        }
    };
    let failed = [link, files].into_iter().filter_map(Result::err);
    restored.remarks.extend(failed.map(|why| why.to_string()));
    // Also while a change is in progress: an earlier write of it may have been cut off.
    restored.environment =
        environment_copy::put_right(seams, rules, &restored.record, &mut restored.remarks);
    Ok(restored)
}

impl Agreement {
    /// Whether the board was put right, as far as it can be read.
    pub fn is_put_right(&self) -> bool {
        self.is_written && !matches!(self.link, Ok(false))
    }
}

impl Restored {
    /// Whether another program's lock has kept the copy in the U-Boot environment from being made.
    pub fn environment_is_locked(&self) -> bool {
        self.environment == Copied::Locked
    }

    fn save<S: Seams>(&mut self, seams: &mut S) {
        let saved = seams.store().save(&self.record);
        self.unsaved = saved.is_err();
        if let Err(why) = saved {
            self.remarks.push(format!("the record cannot be written: {why}"));
        }
    }
}

fn load<S: Seams>(
    seams: &mut S,
    restorer: Restorer,
    reading: BoardReading,
) -> Result<Restored, NoMac> {
    let boot_id = seams.clock().boot_id();
    let first = || Record::first(&reading, &boot_id);
    let (mut record, good, remarks) = match seams.store().load() {
        Loaded::Good(record) => (record, true, Vec::new()),
        Loaded::Nothing => {
            let remark =
                "there was no record, and one begins with what the board itself says: this is the \
                          first start, or the state directory was wiped"
                    .to_owned();
            (first()?, false, vec![remark])
        }
        Loaded::Previous(record, damage) => {
            let remark =
                format!("the record is damaged: {damage}; going on from its last good copy");
            (record, false, vec![remark])
        }
        Loaded::Lost(damage) => {
            let remark = format!("the record is damaged: {damage}; going on from the board");
            (without_factory(first()?), false, vec![remark])
        }
    };
    let is_new = record.take_over(&reading, &boot_id, restorer == Restorer::Daemon);
    let mut restored = Restored {
        record,
        unsaved: false,
        remarks,
        reading,
        link_had: None,
        agreement: Agreement { link: Ok(false), is_written: false },
        environment: Copied::AsFarAsItCanBe,
    };
    if is_new || !good {
        restored.save(seams);
    }
    Ok(restored)
}

/// This is not the first start, so what the board shows now need not be the factory's. (What an earlier
/// record wrote into the environment is, and is taken over.)
fn without_factory(mut record: Record) -> Record {
    record.factory = Some(FactoryIdentity::Unknown);
    record
}

/// A boot that finds a change counts it durably before it touches the link.
fn go_on_or_take_back<S: Seams>(
    seams: &mut S,
    rules: &Rules,
    restorer: Restorer,
    restored: &mut Restored,
) {
    let boot_id = seams.clock().boot_id();
    let deadline = seams.clock().now() + rules.confirm_within;
    let at = seams.clock().wall_time();
    let Some(change) = &restored.record.change else { return };
    if change.boot_id == boot_id {
        return;
    }
    if change.attempts < MAX_ATTEMPTS {
        restored.record.resume(boot_id.clone(), deadline);
        restored.save(seams);
        if !restored.unsaved {
            return;
        }
        let reason = "the record could not be written after a restart".to_owned();
        restored.record.roll_back(reason, at);
    } else {
        let reason = format!("{MAX_ATTEMPTS} boots could not confirm it");
        restored.remarks.push(format!("the change is rolled back: {reason}"));
        restored.record.roll_back(reason, at);
    }
    // The change has kept it open; without it nothing is written to the environment.
    restored.record.take_over(&restored.reading, &boot_id, restorer == Restorer::Daemon);
    restored.save(seams);
}
