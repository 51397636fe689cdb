//! `intercom-billing`: serves the documented API.

mod cli;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use intercom_billing::service::Service;
use intercom_billing::{demo, fleet};
use log::LevelFilter;
use simplelog::{ConfigBuilder, WriteLogger};
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command, Demo, Serve};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(serve) => start_log(LevelFilter::Info).and_then(|()| on_threads(run(serve))),
        // It tells its own story; the log would tell it twice.
        Command::Demo(Demo { once }) => {
            start_log(LevelFilter::Warn).and_then(|()| on_threads(demo::run(once)))
        }
        Command::Fleet(fleet) => {
            start_log(LevelFilter::Warn).and_then(|()| on_threads(fleet::run(fleet.settings()?)))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("intercom-billing: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plain lines on standard error; the broker's and the libraries' own chatter stays out.
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

async fn run(serve: Serve) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let settings = serve.settings()?;
    if let Some(key) = &settings.signing_key {
        let (key_id, public_key) = (key.key_id(), key.public_key());
        log::info!(
            "requests are signed; panels: [signature] keys = {{ \"{key_id}\" = \"{public_key}\" }}"
        );
    }
    let service = Service::start(settings).await?;
    log::info!("serving on http://{}", service.http);
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("cannot watch for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    log::info!("stopping");
    service.stop().await;
    Ok(())
}
