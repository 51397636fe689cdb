//! intercom-agent: gives an intercom panel the identity that its operator asked for, so that no
//! power cut can half-do it.
//!
//! One request, from its bytes to its report, in the order of the modules:
//!
//! ```text
//! upstream ─► intercom_wire ─► decide ─► agent ─► record, board ─► agent ─► upstream
//!  (bytes)    (open, parse)   (pure)   (change)   (durable)      (report)
//! ```
//!
//! `environment` holds what the agent may write to the U-Boot environment; how that is read and
//! written without a moment at which it could be lost is the crate `uboot-env`.

pub mod decide;

pub mod agent;
pub mod record;
pub mod record_store;
pub mod storage;

pub mod board;
pub mod environment;
pub mod hooks;
mod sys;

pub mod control;
pub mod neighbours;
pub mod upstream;

pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod daemon;
pub mod doctor;
mod file_error;
pub mod panel;
mod random;
pub mod root;
mod spelling;
#[cfg(test)]
mod testing;
pub mod text;
