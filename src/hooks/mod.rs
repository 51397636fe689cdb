//! The operator's own programs that a change runs: renew the lease, restart SIP, tell ONVIF.
