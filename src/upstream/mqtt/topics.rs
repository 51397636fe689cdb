//! The topics of one panel under one identity.

use intercom_wire::{Mac, RequestId, topics};

use crate::agent::seams::ConnectIdentity;
use crate::config::{Template, Topics as Templates, Unfilled, Values};
use crate::decide::Via;

/// All topics of this connection, filled in.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    templates: Templates,
    connect_as: ConnectIdentity,
    patch: String,
    board_patch: String,
    pub(super) status: String,
    pub(super) presence: String,
}

/// What a message's topic says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// A request; with the ID that the last level gives it.
    Request(Via, Option<RequestId>),
    /// The presence of this panel's MAC address.
    OwnPresence,
    /// Something else: a MAC address that was given up, or an answer to a look-up.
    Other,
}

impl Topics {
    /// # Errors
    /// When a template asks for something that the board does not know.
    pub(super) fn new(
        templates: &Templates,
        connect_as: &ConnectIdentity,
    ) -> Result<Self, Unfilled> {
        let fill = |template| fill(template, connect_as, connect_as.identity.mac);
        Ok(Topics {
            patch: fill(&templates.patch)?,
            board_patch: fill(&templates.board_patch)?,
            status: fill(&templates.status)?,
            presence: fill(&templates.presence)?,
            templates: templates.clone(),
            connect_as: connect_as.clone(),
        })
    }

    /// The filters for requests: the panel is reached only if the broker grants both.
    pub(super) fn requests(&self) -> [String; 2] {
        [topics::requests_below(&self.patch), topics::requests_below(&self.board_patch)]
    }

    /// The filters for requests to another MAC address than this connection's.
    pub(super) fn requests_of(&self, mac: Mac) -> Result<String, Unfilled> {
        Ok(topics::requests_below(&fill(&self.templates.patch, &self.connect_as, mac)?))
    }

    /// The presence topic of any MAC address.
    pub(super) fn presence_of(&self, mac: Mac) -> Result<String, Unfilled> {
        fill(&self.templates.presence, &self.connect_as, mac)
    }

    pub(super) fn about(&self, topic: &str) -> About {
        if let Some(id) = topics::below(&self.patch, topic) {
            About::Request(Via::MacTopic, id.parse().ok())
        } else if let Some(id) = topics::below(&self.board_patch, topic) {
            About::Request(Via::BoardTopic, id.parse().ok())
        } else if topic == self.presence {
            About::OwnPresence
        } else {
            About::Other
        }
    }
}

fn fill(template: &Template, connect_as: &ConnectIdentity, mac: Mac) -> Result<String, Unfilled> {
    let values = Values {
        mac,
        serial_number: connect_as.identity.serial_number.as_ref(),
        id: connect_as.id,
        model: connect_as.model.as_deref(),
        board: &connect_as.board,
    };
    template.fill(&values)
}
