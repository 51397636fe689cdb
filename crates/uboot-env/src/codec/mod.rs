//! The bytes of a copy and the text of `fw_env.config`, without any I/O.

pub(crate) mod checksum;
pub(crate) mod config;
pub(crate) mod flags;
pub(crate) mod image;
pub(crate) mod layout;
