//! A report: what the agent tells upstream about how a request ended.

use serde_json::Value;

use super::{
    BoardName, Errors, FactoryIdentity, Identity, IntercomBody, Issuer, Outcome, RequestId, Target,
};
use crate::json_object;

/// The status of a report that ends nothing: the panel has the request and decides it later.
pub const DEFERRED: &str = "deferred";

json_object! {
    /// The 200 body's shape with what the panel knows, and what only the panel can tell.
    ///
    /// `intercom.status` says the outcome as the API's open string; [`Report::outcome`] reads it back.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Report {
        /// The documented keys; `null` where the panel does not know.
        #[serde(flatten)]
        pub intercom: IntercomBody,
        /// The request that ended; a bare PATCH body has no ID.
        pub request_id: Option<RequestId>,
        /// The billing database that asked; absent from a report about a change that none asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub issuer: Option<Issuer>,
        /// The board that speaks.
        pub board: BoardName,
        /// Which intercom the request was for, as it named it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub target: Option<Target>,
        /// The identity that the outcome is about. `intercom` has what the board carries when the
        /// report is sent, which a later change may have made another.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub outcome_identity: Option<Identity>,
        /// The identity before the request.
        pub previous: Identity,
        /// The identity that the board had when the agent first ran.
        pub factory: FactoryIdentity,
        /// Why the outcome is not `installed`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// For how long the request is deferred, in seconds; only where the status is [`DEFERRED`].
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deferred_seconds: Option<u64>,
        /// The highest `seq` of this issuer's that the panel has decided; only in a rejection of a
        /// request that a later one has overtaken.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub seq_mark: Option<u64>,
        /// What the request wanted passed through.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub log_extra: Option<Value>,
        /// A rejection's summary, exactly as a 422 says it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub message: Option<String>,
        /// A rejection's errors, exactly as a 422 says them.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub errors: Option<Errors>,
        /// All outcomes so far whose reports had to make room before every route had taken them; only
        /// in a report that took such a place.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub outcomes_not_told: Option<NotTold>,
        /// How many of the daemon's runs since the board's last boot crashed or were killed; only
        /// where there were any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub unclean_ends: Option<u64>,
    }
}

json_object! {
    /// A summary of outcomes whose own reports are gone.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NotTold {
        /// How many since the record began.
        pub count: u64,
        /// The request of the first of them; a bare PATCH body has no ID.
        pub first: Option<RequestId>,
        /// The request of the last of them.
        pub last: Option<RequestId>,
    }
}

impl Report {
    /// The identity that the outcome is about; what the board carries, in a report that tells no more.
    pub fn identity(&self) -> Option<Identity> {
        self.outcome_identity.clone().or_else(|| self.carried())
    }

    /// The identity that the board carries when it sends this; `None` if the report tells no MAC.
    pub fn carried(&self) -> Option<Identity> {
        let serial_number = self.intercom.serial_number.clone();
        self.intercom.mac.map(|mac| Identity { mac, serial_number })
    }

    /// The same outcome, told by a board that carries this now.
    #[must_use]
    pub fn sent_by(&self, carrier: &Identity) -> Report {
        let mut report = self.clone();
        report.intercom.mac = Some(carrier.mac);
        report.intercom.serial_number.clone_from(&carrier.serial_number);
        report
    }

    /// Whether the panel has the request and decides it later.
    pub fn is_deferred(&self) -> bool {
        self.intercom.status.as_deref() == Some(DEFERRED)
    }

    /// Whether billing says that it has read the report: it asked for the change, and this ends it.
    pub fn is_answered(&self) -> bool {
        self.issuer.is_some() && !self.is_deferred()
    }

    /// How the request ended; `None` if `status` is no outcome that a panel reports.
    pub fn outcome(&self) -> Option<Outcome> {
        self.intercom.status.as_deref()?.parse().ok()
    }
}
