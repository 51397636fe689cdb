//! intercom-agent: gives an intercom panel the identity that its operator asked for.

pub mod contract;

pub mod storage;
