//! The topics of one panel under one identity.

use intercom_wire::{BoardName, Mac, RequestId, topics};
use rumqttc::QoS;

use crate::agent::seams::ConnectIdentity;
use crate::config::{ByMac, Template, Topics as Templates, Unfilled, Values};
use crate::decide::Via;

/// All topics of this connection, filled in.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    templates: Templates,
    connect_as: ConnectIdentity,
    /// `None` where the panel takes no requests on topics of its MAC address.
    mac_patch: Option<String>,
    is_mac_patch_wanted: bool,
    board_patch: String,
    board_who: String,
    everybody_who: String,
    /// Where others ask who has a MAC address that this board carries, or may go back to.
    mac_who: Vec<(String, Mac)>,
    /// In mid-change, where others answer that they have the new MAC address: whoever asks for it at the
    /// same time answers its own question, too.
    rivals: Option<String>,
    pub(super) status: String,
    pub(super) presence: String,
}

/// What a message's topic says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// A request; with the ID that the last level gives it.
    Request(Via, Option<RequestId>),
    /// This panel's presence.
    OwnPresence,
    /// This panel is asked to say that it is there.
    Who,
    /// Every panel is.
    EverybodyWho,
    /// Another panel asks who has this MAC address, and this one has it.
    MacWho(Mac),
    /// Something else, such as an answer to a look-up.
    Other,
}

/// The topics of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LookupTopics {
    /// Where it is asked.
    pub(super) who: String,
    /// Where it is answered; the board is one level below.
    pub(super) here: String,
    /// Where this board itself would answer.
    pub(super) own_here: String,
}

impl LookupTopics {
    /// What to subscribe to: the question comes back, too.
    pub(super) fn filters(&self) -> [String; 2] {
        [self.who.clone(), format!("{}/+", self.here)]
    }
}

impl Topics {
    /// # Errors
    /// When a template asks for something that the board does not know.
    pub(super) fn new(
        templates: &Templates,
        connect_as: &ConnectIdentity,
    ) -> Result<Self, Unfilled> {
        let fill_for = |template, mac| fill(template, connect_as, mac);
        let fill = |template| fill_for(template, connect_as.identity.mac);
        let has_mac_patch = templates.by_mac != ByMac::No;
        let who = |mac| Ok((fill_for(&templates.mac_who, mac)?, mac));
        Ok(Topics {
            mac_patch: has_mac_patch.then(|| fill(&templates.patch)).transpose()?,
            is_mac_patch_wanted: templates.by_mac == ByMac::Wanted,
            board_patch: fill(&templates.board_patch)?,
            board_who: fill(&templates.board_who)?,
            everybody_who: fill(&templates.everybody_who)?,
            mac_who: connect_as.macs().into_iter().map(who).collect::<Result<_, Unfilled>>()?,
            rivals: connect_as.new_mac().map(|_| fill(&templates.mac_here)).transpose()?,
            status: fill(&templates.status)?,
            presence: fill(&templates.presence)?,
            templates: templates.clone(),
            connect_as: connect_as.clone(),
        })
    }

    /// The filter of requests by MAC address, and whether the broker may refuse it: where nobody has
    /// said that the panel must hear requests there.
    pub(super) fn mac_requests(&self) -> Option<(String, bool)> {
        let patch = self.mac_patch.as_ref()?;
        Some((topics::requests_below(patch), !self.is_mac_patch_wanted))
    }

    /// The filters of this connection: the panel is reached only if the broker grants all but the one
    /// that is only wished. What is not a request must come while the broker waits for acknowledgements
    /// of requests.
    pub(super) fn filters(&self) -> Vec<(String, QoS)> {
        let requests = self.mac_patch.iter().map(|patch| topics::requests_below(patch));
        let requests = requests.chain([format!("{}/+", self.board_patch)]);
        let others = [&self.presence, &self.board_who, &self.everybody_who].into_iter();
        let others = others.chain(self.mac_who.iter().map(|(who, _)| who)).cloned();
        let others = others.chain(self.rivals());
        let requests = requests.map(|filter| (filter, QoS::AtLeastOnce));
        requests.chain(others.map(|filter| (filter, QoS::AtMostOnce))).collect()
    }

    /// Whether it is one of these filters.
    pub(super) fn has(&self, filter: &str) -> bool {
        self.filters().iter().any(|(own, _)| own == filter)
    }

    /// In mid-change, the filter of other boards' answers that they have the new MAC address.
    pub(super) fn rivals(&self) -> Option<String> {
        self.rivals.as_ref().map(|here| format!("{here}/+"))
    }

    /// The filters of a MAC address that the board no longer has.
    pub(super) fn filters_of(&self, mac: Mac) -> Result<Vec<String>, Unfilled> {
        let patch = fill(&self.templates.patch, &self.connect_as, mac)?;
        let patch = self.mac_patch.as_ref().map(|_| topics::requests_below(&patch));
        let who = fill(&self.templates.mac_who, &self.connect_as, mac)?;
        let here = fill(&self.templates.mac_here, &self.connect_as, mac)?;
        Ok(patch.into_iter().chain([who, format!("{here}/+")]).collect())
    }

    /// Where to ask who has a MAC address.
    pub(super) fn lookup(&self, mac: Mac) -> Result<LookupTopics, Unfilled> {
        let who = fill(&self.templates.mac_who, &self.connect_as, mac)?;
        let here = fill(&self.templates.mac_here, &self.connect_as, mac)?;
        Ok(LookupTopics { who, here, own_here: self.here(mac)? })
    }

    /// Where this board answers that it has a MAC address.
    pub(super) fn here(&self, mac: Mac) -> Result<String, Unfilled> {
        let parent = fill(&self.templates.mac_here, &self.connect_as, mac)?;
        Ok(format!("{parent}/{}", self.connect_as.board))
    }

    /// Whether other boards answer here that they have this connection's MAC address.
    pub(super) fn is_of_rivals(&self, here: &str) -> bool {
        self.rivals.as_deref() == Some(here)
    }

    /// The look-up's topic and the board of an answer.
    pub(super) fn answer(topic: &str) -> Option<(&str, BoardName)> {
        let (here, board) = topic.rsplit_once('/')?;
        Some((here, board.parse().ok()?))
    }

    pub(super) fn about(&self, topic: &str) -> About {
        let mac_patch = self.mac_patch.as_ref().and_then(|patch| topics::below(patch, topic));
        if let Some(id) = mac_patch {
            About::Request(Via::MacTopic, id.parse().ok())
        } else if let Some(id) = topics::below(&self.board_patch, topic) {
            About::Request(Via::BoardTopic, id.parse().ok())
        } else if topic == self.presence {
            About::OwnPresence
        } else if topic == self.board_who {
            About::Who
        } else if topic == self.everybody_who {
            About::EverybodyWho
        } else {
            let asked = self.mac_who.iter().find(|(who, _)| topic == who);
            asked.map_or(About::Other, |(_, mac)| About::MacWho(*mac))
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
