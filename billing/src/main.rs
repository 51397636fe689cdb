//! `intercom-billing`: serves the documented API.

mod cli;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use intercom_billing::service::Service;
use log::LevelFilter;
use simplelog::{ConfigBuilder, WriteLogger};
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command, Serve};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = start_log().and_then(|()| match cli.command {
        Command::Serve(serve) => on_threads(run(serve)),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("intercom-billing: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plain lines on standard error; the broker's and the libraries' own chatter stays out.
fn start_log() -> Result<()> {
    let config = ConfigBuilder::new()
        .set_time_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .add_filter_allow_str("intercom_billing")
        .build();
    WriteLogger::init(LevelFilter::Info, config, std::io::stderr()).context("cannot start the log")
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
    let service = Service::start(serve.settings()?).await?;
    log::info!("serving on http://{}", service.http);
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("cannot watch for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    log::info!("stopping");
    service.stop().await;
    Ok(())
}
