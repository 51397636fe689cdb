//! The commands that read or change what the database keeps, also while a service runs on it. The audit
//! log has each change.

pub mod copy;
pub mod database;
pub mod quiet_hours;
pub mod retention;
pub mod token;
pub mod webhooks;
