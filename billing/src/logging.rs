//! The log: one line for each event on standard error, as text or as JSON.
//!
//! What happens for the sake of an HTTP call carries that call: see [`call`].

use std::io;

use anyhow::{Context, Result};
use axum::http::Method;
use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing::{Span, field};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

/// How a line is written. The time is UTC, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// What the service cannot do.
    Error,
    /// Also what is refused, and what should not be so.
    Warn,
    /// Also every change, and every call that changes something or fails.
    Info,
    /// Also every call that only reads.
    Debug,
}

/// Starts the log, only of this service and not of its libraries.
///
/// # Errors
/// It was started before.
pub fn start(format: Format, level: Level) -> Result<()> {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_writer(io::stderr);
    let lines = match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    registry()
        .with(Targets::new().with_target("intercom_billing", level))
        .with(lines)
        .try_init()
        .context("cannot start the log")
}

/// What is written beside whatever happens for the sake of one call. Who calls is not known yet.
pub(crate) fn call(id: Uuid, method: &Method, route: &str) -> Span {
    tracing::error_span!("call", %id, method = method.as_str(), route, who = field::Empty)
}

/// The call that this happens for is made by `who`.
pub(crate) fn is_by(who: &str) {
    Span::current().record("who", who);
}
