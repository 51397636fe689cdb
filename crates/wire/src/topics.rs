//! The MQTT topics between billing and the panels.
//!
//! `{mac}` and `{board}` stand for one panel's values. A panel can be configured with other
//! topics; billing speaks these. Who speaks on a topic below `by-board` is that board: access rules
//! can hold it to that.

use super::{BoardName, Mac, RequestId};

/// Where requests for a board are; the request's ID is one level below.
pub const BOARD_PATCH: &str = "intercoms/by-board/{board}/patch";
/// Where a board is asked to say that it is there.
pub const BOARD_WHO: &str = "intercoms/by-board/{board}/who";
/// Where every board is asked to say that it is there.
pub const EVERYBODY_WHO: &str = "intercoms/who";
/// Where a board says that it is there, and what it claims to be.
pub const BOARD_PRESENCE: &str = "intercoms/by-board/{board}/presence";
/// Where a board reports.
pub const BOARD_STATUS: &str = "intercoms/by-board/{board}/status";
/// Where requests of other platforms or by hand are, for the board that has this MAC address; the
/// request's ID is one level below. Billing does not use it.
pub const PATCH: &str = "intercoms/{mac}/patch";
/// Where a panel asks the others who has a MAC address.
pub const MAC_WHO: &str = "intercoms/{mac}/who";
/// Where a panel answers that it has this MAC address; its board name is one level below.
pub const MAC_HERE: &str = "intercoms/{mac}/here";

/// Every topic of this protocol.
#[cfg(test)]
pub(crate) const ALL: [&str; 8] =
    [BOARD_PATCH, BOARD_WHO, EVERYBODY_WHO, BOARD_PRESENCE, BOARD_STATUS, PATCH, MAC_WHO, MAC_HERE];

/// The filter for every board's [`BOARD_STATUS`].
pub const EVERY_BOARD_STATUS: &str = "intercoms/by-board/+/status";
/// The filter for every board's [`BOARD_PRESENCE`].
pub const EVERY_BOARD_PRESENCE: &str = "intercoms/by-board/+/presence";

/// The filters for every request, below [`PATCH`] and below [`BOARD_PATCH`].
pub const EVERY_REQUEST: [&str; 2] = ["intercoms/+/patch/+", "intercoms/by-board/+/patch/+"];

/// Where a board is asked to say that it is there.
pub fn who(board: &BoardName) -> String {
    BOARD_WHO.replace("{board}", board.as_str())
}

/// The topic of a request for whoever carries a MAC address.
pub fn patch(mac: Mac, request_id: &RequestId) -> String {
    request(&PATCH.replace("{mac}", &mac.to_string()), request_id)
}

/// The topic of the same request for a board.
pub fn patch_by_board(board: &BoardName, request_id: &RequestId) -> String {
    request(&BOARD_PATCH.replace("{board}", board.as_str()), request_id)
}

/// The topic of a request below its parent, such as a filled-in [`PATCH`].
fn request(parent: &str, request_id: &RequestId) -> String {
    format!("{parent}/{request_id}")
}

/// The filter for all requests below a parent.
pub fn requests_below(parent: &str) -> String {
    format!("{parent}/#")
}

/// The part of a topic below a parent, which is a request's ID; `None` if the topic is not below it.
pub fn below<'a>(parent: &str, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(parent)?.strip_prefix('/')
}

/// What a board says, on the topics that billing subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromBoard {
    /// A report of this board.
    Status(BoardName),
    /// The presence of this board.
    Presence(BoardName),
}

impl FromBoard {
    /// Reads a topic; `None` if it is neither, or has no board name in its place.
    pub fn read(topic: &str) -> Option<Self> {
        if let Some(board) = value_in(EVERY_BOARD_STATUS, topic) {
            return board.parse().ok().map(FromBoard::Status);
        }
        value_in(EVERY_BOARD_PRESENCE, topic)?.parse().ok().map(FromBoard::Presence)
    }
}

/// Who the request on a topic is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToPanel {
    /// The board that carries this MAC address.
    Mac(Mac),
    /// The board with this name.
    Board(BoardName),
}

impl ToPanel {
    /// Reads a topic; `None` if it is not the topic of a request.
    pub fn read(topic: &str) -> Option<Self> {
        let (parent, _) = topic.rsplit_once('/')?;
        let [by_mac, by_board] = EVERY_REQUEST.map(|filter| {
            let (filter, _) = filter.rsplit_once('/')?;
            value_in(filter, parent)
        });
        match (by_mac, by_board) {
            (Some(mac), _) => mac.parse().ok().map(ToPanel::Mac),
            (None, board) => board?.parse().ok().map(ToPanel::Board),
        }
    }
}

/// The level of a topic in the place of a filter's only `+`.
fn value_in<'a>(filter: &str, topic: &'a str) -> Option<&'a str> {
    let (before, after) = filter.split_once('+')?;
    let level = topic.strip_prefix(before)?.strip_suffix(after)?;
    (!level.contains('/')).then_some(level)
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
    }

    #[test]
    fn the_topic_of_a_presence_and_of_a_report_says_which_board_speaks() {
        let board: BoardName = "die-1".parse().expect("a board");
        let read = FromBoard::read;
        assert_eq!(
            read("intercoms/by-board/die-1/presence"),
            Some(FromBoard::Presence(board.clone()))
        );
        let status = "intercoms/by-board/die-1/status";
        assert_eq!(read(status), Some(FromBoard::Status(board.clone())));
        assert_eq!(who(&board), "intercoms/by-board/die-1/who");
        for other in [
            "intercoms/22:0D:CE:38:E7:15/presence",
            "intercoms/by-board/a.b/presence",
            "intercoms/by-board/who/status",
            "intercoms/by-board/die-1/who",
            "intercoms/by-board/a/b/status",
            "intercoms/x/patch/r-1",
            "intercoms",
            "",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn the_topic_of_a_request_says_who_it_is_for() {
        let mac: Mac = "22:0d:ce:38:e7:15".parse().expect("a MAC");
        let board: BoardName = "die-1".parse().expect("a board");
        let request_id: RequestId = "r-1".parse().expect("an ID");
        assert_eq!(ToPanel::read(&patch(mac, &request_id)), Some(ToPanel::Mac(mac)));
        let by_board = patch_by_board(&board, &request_id);
        assert_eq!(ToPanel::read(&by_board), Some(ToPanel::Board(board)));
        for other in ["intercoms/x/patch/r-1", "intercoms/22:0D:CE:38:E7:15/presence", "patch/r-1"]
        {
            assert_eq!(ToPanel::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_filter_is_its_topic_for_every_panel() {
        assert_eq!(EVERY_BOARD_STATUS, BOARD_STATUS.replace("{board}", "+"));
        assert_eq!(EVERY_BOARD_PRESENCE, BOARD_PRESENCE.replace("{board}", "+"));
        let parents = [PATCH.replace("{mac}", "+"), BOARD_PATCH.replace("{board}", "+")];
        assert_eq!(EVERY_REQUEST.map(str::to_owned), parents.map(|parent| parent + "/+"));
    }

    #[test]
    fn a_request_stands_below_its_parent() {
        assert_eq!(requests_below("a/patch"), "a/patch/#");
        assert_eq!(below("a/patch", "a/patch/r-1"), Some("r-1"));
        for other in ["a/patch", "a/patches/r-1", "b/patch/r-1", ""] {
            assert_eq!(below("a/patch", other), None, "{other}");
        }
    }
}
