//! Logging to stderr: plain lines that journald and syslog both like.

use std::io;
use std::os::fd::AsFd;

use log::{LevelFilter, SetLoggerError};
use nix::sys::stat::{fstat, makedev};
use simplelog::{ConfigBuilder, WriteLogger};
use time::macros::format_description;

use super::log_lines::LogLines;

/// Starts logging. Where the journal reads, it has the time and we write none.
pub(super) fn start(level: LevelFilter) -> Result<(), SetLoggerError> {
    let mut config = ConfigBuilder::new();
    config
        .set_target_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        // What the libraries have to say matters to nobody who looks after a panel, and might show
        // more of a message than our own lines do.
        .add_filter_allow_str("intercom_agent");
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        config.set_time_level(LevelFilter::Off);
    } else {
        // RFC 3339 to the second: a panel's clock is no better than that.
        config.set_time_format_custom(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ));
    }
    let stderr = io::stderr();
    // Everybody's lines are there, and nothing else says whose they are.
    let name = if is_kernel_log(&stderr) { "intercom-agent: " } else { "" };
    // The logger takes every line: how many come to it is what changes while the daemon runs.
    WriteLogger::init(LevelFilter::Trace, config.build(), LogLines::new(stderr, name))?;
    log::set_max_level(level);
    Ok(())
}

/// Whether it is /dev/kmsg, by the device number in `linux/Documentation/admin-guide/devices.txt`.
fn is_kernel_log(file: impl AsFd) -> bool {
    fstat(file).is_ok_and(|file| file.st_rdev == makedev(1, 11))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn the_kernel_log_is_known_by_its_device() {
        assert!(!is_kernel_log(File::open("/dev/null").expect("there")));
        // A container may not have it.
        if let Ok(log) = File::options().write(true).open("/dev/kmsg") {
            assert!(is_kernel_log(log));
        }
    }
}
