//! intercom-agent: gives an intercom panel the identity that its operator asked for.

pub mod contract;

pub mod storage;
pub mod board;
pub mod clock;
pub mod config;
pub mod hooks;
pub mod sys;
