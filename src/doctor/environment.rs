//! The U-Boot environment: found, whole, and written only where that can lose nothing.

use uboot_env::{ConfigErrorKind, Error, Health};

use super::{Check, Finding, Look};
use crate::environment::{BACKUP_FILE, LookedAt, Policy, Refusal, may_write};
use crate::panel::Panel;
use crate::storage::Disk;

pub(super) const GOOD: Check = Check {
    id: "environment",
    description: "the U-Boot environment is found and whole",
    look: Look::Board(good),
};

pub(super) const WRITING: Check = Check {
    id: "environment-writing",
    description: "no power cut while it is written can lose the U-Boot environment",
    look: Look::Board(writing),
};

pub(super) const BACKUP: Check = Check {
    id: "environment-backup",
    description: "the U-Boot environment can be backed up, and no backup is left over",
    look: Look::Board(backup),
};

/// What to do where the environment cannot be read.
fn advice(why: &Error) -> &'static str {
    match why {
        // The firmware's own tools need the file as it is.
        Error::Config(line)
            if matches!(line.kind, ConfigErrorKind::Yaml | ConfigErrorKind::UbiVolume(_)) =>
        {
            "set `environment = \"never\"`; the MAC address is then set at each boot by \
             `intercom-agent restore`"
        }
        Error::Lock(_) => {
            "if no tool such as fw_setenv is at work, find who holds the lock and end it: \
             `fuser /var/lock/fw_printenv.lock`"
        }
        _ => "run this as root; correct or remove /etc/fw_env.config if it is wrong",
    }
}

fn good(panel: &Panel) -> Finding {
    let (layout, origin, health) = match &*panel.environment {
        LookedAt::Found { layout, origin, environment } => (layout, origin, environment.health),
        LookedAt::Absent if panel.settings.environment == Policy::Never => {
            return Finding::ok("none found, and none is used");
        }
        LookedAt::Absent => {
            return Finding::warning(
                "none: there is no /etc/fw_env.config, and no flash has one",
                "if U-Boot starts this board, say in /etc/fw_env.config where its environment is; \
                 otherwise set `environment = \"never\"`",
            );
        }
        LookedAt::Unreadable(why) => return Finding::failed(why.to_string(), advice(why)),
    };
    let place = format!("{layout} ({origin})");
    let Health { copies, good, .. } = health;
    match good {
        0 => Finding::failed(
            format!("no copy in {place} has a checksum that fits"),
            // `fw_setenv` is not advised: with a wrong layout it writes its defaults over a good copy.
            "compare /etc/fw_env.config with U-Boot's own layout; only if it is right, save the \
             environment once from U-Boot (`saveenv`)",
        ),
        good if good < copies => Finding::warning(
            format!("{good} of {copies} copies in {place} is whole"),
            "nothing is lost: the next write mends the other one",
        ),
        _ => Finding::ok(format!("whole, in {place}")),
    }
}

fn writing(panel: &Panel) -> Finding {
    let Some(health) = panel.environment.health() else {
        return Finding::ok("not written: there is none, or it cannot be read");
    };
    match (may_write(panel.settings.environment, health), health.copies) {
        (Ok(()), 1) => Finding::warning(
            "one copy, which is written since the configuration says `environment = \"always\"`; a \
             power cut meanwhile loses it until the agent runs again",
            "make sure that this board boots to Linux without its environment, or set \
             `environment = \"redundant-only\"`",
        ),
        (Ok(()), _) => Finding::ok("one copy stays whole while the other is written"),
        (Err(why @ (Refusal::Never | Refusal::SingleCopy)), _) => {
            Finding::ok(format!("not written: {why}. The MAC address is set at each boot instead"))
        }
        (Err(why @ Refusal::Unsafe(_)), _) => Finding::failed(
            format!("not written: {why}"),
            "until then the MAC address is set at each boot by `intercom-agent restore`",
        ),
    }
}

fn backup(panel: &Panel) -> Finding {
    let mut state = panel.state();
    match state.read(BACKUP_FILE) {
        Ok(Some(_)) => {
            return Finding::warning(
                format!("{BACKUP_FILE} is there: a write goes on, or a power cut ended one"),
                "leave the power on, and start the daemon or run `intercom-agent restore`: it puts \
                 the environment right",
            );
        }
        Ok(None) => {}
        Err(why) => {
            return Finding::failed(
                format!("{BACKUP_FILE} cannot be read: {why}"),
                "run this as root; if that does not help, the flash is failing",
            );
        }
    }
    let is_written = |health| may_write(panel.settings.environment, health).is_ok();
    if !panel.environment.health().is_some_and(is_written) {
        return Finding::ok("none is needed: the environment is not written");
    }
    match state.is_durable() {
        Ok(()) => Finding::ok("possible, and none is left over"),
        Err(why) => Finding::failed(
            format!("not possible: {why}; the environment would not be written"),
            "see state-durable",
        ),
    }
}
