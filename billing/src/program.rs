//! What every program around this service needs: a log, threads, one piece of work, an exit code.

use std::process::ExitCode;

use anyhow::{Context, Result};
use log::LevelFilter;
use simplelog::{ConfigBuilder, WriteLogger};

/// Runs `work` to its end. An error goes to standard error, after the program's name.
pub fn run(name: &str, level: LevelFilter, work: impl Future<Output = Result<()>>) -> ExitCode {
    match start_log(level).and_then(|()| on_threads(work)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{name}: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plain lines on standard error, only from this service and not from its libraries.
fn start_log(level: LevelFilter) -> Result<()> {
    let config = ConfigBuilder::new()
        .set_time_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .add_filter_allow_str("intercom_billing")
        .build();
    WriteLogger::init(level, config, std::io::stderr()).context("cannot start the log")
}

fn on_threads(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?
        .block_on(work)
}
