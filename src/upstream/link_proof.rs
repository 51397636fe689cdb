//! The proof that a route's traffic leaves by the link that bears the identity.

use std::sync::Arc;

use intercom_wire::Mac;
use log::warn;

use crate::board::{Ends, Uplink, UplinkError};
use crate::neighbours::{Asked, Neighbours};

/// The uplink, and the neighbours on the panel's own link.
#[derive(Debug)]
pub struct LinkProof {
    uplink: Uplink,
    neighbours: Arc<Neighbours>,
}

impl LinkProof {
    /// With the neighbours on the uplink's own interface.
    pub fn new(uplink: Uplink, neighbours: Arc<Neighbours>) -> Self {
        LinkProof { uplink, neighbours }
    }

    /// Whether packets of this connection leave by the link that bears `mac`. Where they leave by
    /// another one on purpose, somebody on the link that bears it must answer too.
    ///
    /// # Errors
    /// Why that is not proven.
    pub(super) async fn judge(&self, ends: &Ends, mac: Mac) -> Result<(), UplinkError> {
        self.uplink.carries(ends, mac)?;
        if self.uplink.other.is_none() {
            return Ok(());
        }
        let interface = &self.uplink.interface;
        let asked = match self.neighbours.anybody_answers().await {
            Ok(Asked { answered: true, .. }) => return Ok(()),
            Ok(Asked { neighbours, .. }) => neighbours,
            Err(why) => {
                warn!("the neighbours on {interface} could not be asked: {why}");
                0
            }
        };
        Err(UplinkError::NoAnswer { interface: interface.clone(), asked })
    }
}
