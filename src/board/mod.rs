//! The hardware under the agent: what the panel is, where each value was read, and setting it.

mod command;
mod die_id;
mod known;
mod link;
mod link_error;
mod mac_source;
mod model;
mod real;
mod routes;
mod runtime_files;
mod serial_number;
mod survey;
mod uplink;
mod variables;

use std::io;

use intercom_wire::Mac;

pub use crate::sys::link::{Ipv4Route, KernelLink};
pub use die_id::DieId;
pub use known::Known;
pub use link::{Interface, Link};
pub use link_error::LinkError;
pub use mac_source::BoardMac;
pub use real::RealBoard;
pub use routes::gateways;
pub use runtime_files::{FileState, RuntimeFiles};
pub use survey::{LinkFacts, Survey, survey};
pub use uplink::{Ends, Uplink, UplinkError};
pub use variables::Variables;

/// What a change does to the board, as narrow as it is.
pub trait Board {
    /// The MAC address that the link has now.
    ///
    /// # Errors
    /// When there is no such link or it has no usable address.
    fn link_mac(&mut self) -> Result<Mac, LinkError>;

    /// Gives the link a MAC address and reads it back. Does nothing if it has that one already.
    ///
    /// # Errors
    /// When the link did not take it; it then has the address that it had, or another.
    fn set_link_mac(&mut self, mac: Mac) -> Result<(), LinkError>;

    /// Whether the link has a carrier and no IPv4 address.
    fn lacks_address(&mut self) -> bool;

    /// Tells the panel's other software who the panel is; writes nothing that says so already.
    ///
    /// # Errors
    /// As the file system's.
    fn write_runtime_files(&mut self, files: &RuntimeFiles) -> io::Result<()>;

    /// Opens the U-Boot environment; `None` if this board has none.
    ///
    /// # Errors
    /// When there is one and it cannot be opened.
    fn environment(&mut self) -> Result<Option<uboot_env::Store>, uboot_env::Error>;
}
