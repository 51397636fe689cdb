//! Logging to stderr: plain lines that journald and syslog both like.

use std::io;

use log::{LevelFilter, SetLoggerError};
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
    WriteLogger::init(level, config.build(), LogLines::new(io::stderr()))
}
