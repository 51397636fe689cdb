//! Where U-Boot's own tools keep things, below the root of a system.

/// The configuration of `fw_printenv` and `fw_setenv`.
pub(crate) const CONFIG: &str = "/etc/fw_env.config";

/// The lock that both take.
pub(crate) const LOCK: &str = "/var/lock/fw_printenv.lock";
