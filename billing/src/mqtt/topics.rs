//! The topics between this service and the panels.

use intercom_wire::{BoardName, Mac, RequestId};

/// Where every panel reports.
pub(super) const EVERY_STATUS: &str = "intercoms/+/status";
/// Where every panel says that it is there.
pub(super) const EVERY_PRESENCE: &str = "intercoms/+/presence";

/// A request for whoever carries a MAC address.
pub(super) fn patch(mac: Mac, request_id: &RequestId) -> String {
    format!("intercoms/{mac}/patch/{request_id}")
}

/// The same for a broker whose access rules are per board.
pub(super) fn patch_by_board(board: &BoardName, request_id: &RequestId) -> String {
    format!("intercoms/by-board/{board}/patch/{request_id}")
}

/// What arrives on a topic that we subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// A report; whose it is stands in the report itself.
    Status,
    /// The presence of the board that carries this MAC address.
    Presence(Mac),
}

/// Reads a topic; `None` if it is none of ours or has no MAC address in its place.
pub(super) fn heard(topic: &str) -> Option<Heard> {
    let (mac, last) = topic.strip_prefix("intercoms/")?.split_once('/')?;
    match last {
        "status" => Some(Heard::Status),
        "presence" => mac.parse().ok().map(Heard::Presence),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_as_documented() {
        let mac: Mac = "22:0d:ce:38:e7:15".parse().expect("a MAC");
        let request_id: RequestId = "r-1".parse().expect("an ID");
        assert_eq!(patch(mac, &request_id), "intercoms/22:0D:CE:38:E7:15/patch/r-1");
        let board: BoardName = "die-1".parse().expect("a board");
        assert_eq!(patch_by_board(&board, &request_id), "intercoms/by-board/die-1/patch/r-1");
        assert_eq!(heard("intercoms/22:0D:CE:38:E7:15/presence"), Some(Heard::Presence(mac)));
        assert_eq!(heard("intercoms/22:0D:CE:38:E7:15/status"), Some(Heard::Status));
        for other in ["intercoms/x/presence", "intercoms/x/patch/r-1", "", "intercoms"] {
            assert_eq!(heard(other), None, "{other}");
        }
    }
}
