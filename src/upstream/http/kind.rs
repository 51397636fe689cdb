//! Whether it helps to ask a service again.

use crate::upstream::cause::{Cause, HttpCause, PanelCause};

/// Whether asking again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It may pass at any moment: the line, the load, a restart.
    Passing,
    /// Somebody has to correct something, here or there.
    Lasting,
    /// The service understood what it was sent, and does not want it.
    Refused,
}

impl From<&Cause> for Kind {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Addresses(each) => each.last().map_or(Kind::Passing, |(_, why)| why.into()),
            Cause::Network(_) => Kind::Passing,
            Cause::Tls(_) => Kind::Lasting,
            #[cfg(feature = "mqtt")]
            Cause::Mqtt(_) => Kind::Lasting,
            Cause::Http(cause) => cause.into(),
            Cause::Panel(PanelCause::File { .. } | PanelCause::Unfilled { .. }) => Kind::Lasting,
            Cause::Panel(
                PanelCause::NoRandomNumbers | PanelCause::NoResources { .. } | PanelCause::GivenUp,
            ) => Kind::Passing,
        }
    }
}

impl From<&HttpCause> for Kind {
    fn from(cause: &HttpCause) -> Self {
        match cause {
            HttpCause::UnknownIntercom { .. } | HttpCause::NotAccepted { .. } => Kind::Refused,
            HttpCause::RequestTooSlow
            | HttpCause::TooOften
            | HttpCause::Unavailable { .. }
            | HttpCause::ServerError { .. }
            | HttpCause::NotHttp { .. }
            | HttpCause::HeadTooLong
            | HttpCause::TooSlow { .. }
            | HttpCause::ListCut
            | HttpCause::ListMisplaced { .. }
            | HttpCause::ProxyNotReached { .. }
            | HttpCause::ProxyCannotConnect { .. }
            | HttpCause::ProxySilent { .. }
            | HttpCause::NotConnected => Kind::Passing,
            HttpCause::Redirect { .. }
            | HttpCause::Unauthorized { .. }
            | HttpCause::Forbidden { .. }
            | HttpCause::NotFound { .. }
            | HttpCause::Method { .. }
            | HttpCause::PortalLogin { .. }
            | HttpCause::Misdirected { .. }
            | HttpCause::ClientError { .. }
            | HttpCause::OddStatus { .. }
            | HttpCause::Proxy { .. }
            | HttpCause::ProxyLogin { .. }
            | HttpCause::NotAList
            | HttpCause::Compressed
            | HttpCause::Other { .. } => Kind::Lasting,
        }
    }
}
