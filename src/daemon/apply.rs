//! A request that an installer hands to the daemon.

use std::fmt;

use intercom_wire::signature::{Flaw, Keys, Signature};
use intercom_wire::{InvalidRequestId, Request, RequestId};

use super::RealSeams;
use crate::agent::{Agent, Delivery, NoRoom};
use crate::decide::{Delivered, Timing, Via};
use crate::random::{self, NoRandomNumbers};

/// Why an installer's request is not decided at all.
#[derive(Debug)]
pub(super) enum ApplyError {
    /// It has a signature that does not count.
    BadSignature(Flaw),
    /// So many requests wait already.
    NoRoom(NoRoom),
    /// Its ID needs a random number.
    NoRandomNumbers(NoRandomNumbers),
    /// The ID that was made for it is none.
    Id(InvalidRequestId),
}

/// Hands an installer's payload to the agent, under a fresh key each time, so that it can always be
/// tried again.
///
/// # Errors
/// When its signature is bad, when it might have to wait and could not, or when no key can be made.
pub(super) fn apply(
    agent: &mut Agent<RealSeams>,
    keys: &Keys,
    payload: &[u8],
    offline: bool,
) -> Result<RequestId, ApplyError> {
    let (payload, signature) = keys.open(payload);
    if let Signature::Bad(flaw) = signature {
        return Err(ApplyError::BadSignature(flaw));
    }
    agent.has_room().map_err(ApplyError::NoRoom)?;
    let id = fresh_id()?;
    let request = match Request::read(&payload) {
        Ok(request) => {
            Ok(Request { id: Some(id.clone()), seq: None, issuer: None, nonce: None, ..request })
        }
        Err(mut unreadable) => {
            unreadable.id = Some(id.clone());
            Err(unreadable)
        }
    };
    agent.deliver(Delivery {
        request,
        delivered: Delivered {
            via: Via::Installer,
            timing: Timing::Live,
            signature,
            is_fresh: true,
            deferrals: 0,
        },
        ack_token: None,
        route: None,
        offline,
    });
    Ok(id)
}

fn fresh_id() -> Result<RequestId, ApplyError> {
    let random = random::number().map_err(ApplyError::NoRandomNumbers)?;
    format!("by-hand-{random:016x}").parse().map_err(ApplyError::Id)
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplyError::BadSignature(flaw) => write!(f, "the request is signed badly: {flaw}"),
            ApplyError::NoRoom(why) => why.fmt(f),
            ApplyError::NoRandomNumbers(why) => why.fmt(f),
            ApplyError::Id(why) => why.fmt(f),
        }
    }
}
