//! A change: one identity replaced by another.

use intercom_wire::{
    ContentHash, Issuer, Mac, Request, RequestId, Target, json_object, string_enum,
};
use serde_json::Value;

use super::{Current, Route};
use crate::clock::{BootId, Moment};

json_object! {
    /// The change in progress, as durable as the record that holds it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Change {
        /// What asked for it.
        pub cause: Cause,
        /// What it is for.
        pub goal: Goal,
        /// Nobody can be reached now, and an installer at the board answers for it: nothing need be
        /// confirmed.
        pub offline: bool,
        /// The identity that is put back if it cannot be confirmed.
        pub from: Current,
        /// The identity that it sets.
        pub to: Current,
        /// The boot that `deadline` belongs to.
        pub boot_id: BootId,
        /// When it is rolled back unless confirmed; on this boot's clock, so that a daemon that crashed
        /// and came back does not win time.
        pub deadline: Moment,
        /// How many boots have tried it, the first included.
        pub attempts: u8,
    }
}

json_object! {
    /// The request, as much of it as the report needs. Nothing in it is secret.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Cause {
        /// The request's ID.
        pub request_id: Option<RequestId>,
        /// The billing database that asks.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub issuer: Option<Issuer>,
        /// The hash of what it says.
        pub hash: ContentHash,
        /// Its place in the intercom's history.
        pub seq: Option<u64>,
        /// Which intercom it is for.
        pub target: Target,
        /// The model that it names.
        pub model: Option<String>,
        /// What it wants passed through, cut to size.
        pub log_extra: Option<Value>,
        /// The routes on which the report goes out.
        pub routes: Vec<Route>,
    }
}

impl Change {
    /// The MAC address that it sets, if that is another one than before.
    pub fn new_mac(&self) -> Option<Mac> {
        let (from, to) = (self.from.identity.mac, self.to.identity.mac);
        (from != to).then_some(to)
    }
}

impl Cause {
    /// Nothing but an ID is known of it.
    pub fn bare(request_id: Option<RequestId>, routes: Vec<Route>) -> Self {
        Cause {
            request_id,
            issuer: None,
            hash: ContentHash::of(&serde_json::Map::new()),
            seq: None,
            target: Target::default(),
            model: None,
            log_extra: None,
            routes,
        }
    }

    /// Whether another delivery is the same request.
    pub fn is_of(&self, request: &Request) -> bool {
        match &request.id {
            Some(id) => self.request_id.as_ref() == Some(id),
            None => self.request_id.is_none() && self.hash == request.hash,
        }
    }
}

string_enum! {
    /// What a change is for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Goal {
        /// The identity that a request asks for.
        Install = "install",
        /// An earlier identity, by hand.
        GoBack = "go_back",
    }
}
