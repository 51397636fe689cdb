//! What a panel may do on the built-in broker. `billing/mosquitto` and `billing/nats` have the same
//! rules: they never change, since everything that is a panel's own is named after its board.

use intercom_wire::BoardName;

/// Stands for the board in a rule.
const BOARD: &str = "%u";
const MAY_PUBLISH: [&str; 4] = [
    "intercoms/by-board/%u/status",
    "intercoms/by-board/%u/presence",
    "intercoms/+/who",
    "intercoms/+/here/%u",
];
const MAY_SUBSCRIBE: [&str; 4] =
    ["intercoms/by-board/%u/#", "intercoms/who", "intercoms/+/who", "intercoms/+/here/+"];

pub(super) fn may_publish(board: &BoardName, topic: &str) -> bool {
    MAY_PUBLISH.iter().any(|rule| covers(rule, board, topic))
}

pub(super) fn may_subscribe(board: &BoardName, filter: &str) -> bool {
    MAY_SUBSCRIBE.iter().any(|rule| covers(rule, board, filter))
}

/// Whether every topic that a filter matches is one that the rule matches. A topic is a filter
/// without wildcards.
fn covers(rule: &str, board: &BoardName, filter: &str) -> bool {
    let (mut rule, mut filter) = (rule.split('/'), filter.split('/'));
    loop {
        match (rule.next(), filter.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(BOARD), Some(level)) if level == board.as_str() => {}
            (Some(own), Some(level)) if own == level && own != BOARD => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> BoardName {
        "gate-1".parse().expect("a name")
    }

    #[test]
    fn a_panel_publishes_as_itself_and_asks_for_any_mac() {
        for (topic, may) in [
            ("intercoms/by-board/gate-1/status", true),
            ("intercoms/by-board/gate-1/presence", true),
            ("intercoms/22:0D:CE:38:E7:15/who", true),
            ("intercoms/22:0D:CE:38:E7:15/here/gate-1", true),
            ("intercoms/by-board/gate-2/status", false),
            ("intercoms/by-board/%u/status", false),
            ("intercoms/by-board/gate-1/patch/r", false),
            ("intercoms/by-board/gate-1/status/x", false),
            ("intercoms/by-board/gate-1", false),
            ("intercoms/by-board/gate-1/who", false),
            ("intercoms/22:0D:CE:38:E7:15/here/gate-2", false),
            ("intercoms/22:0D:CE:38:E7:15/patch/r", false),
            ("intercoms/who", false),
            ("other", false),
        ] {
            assert_eq!(may_publish(&board(), topic), may, "{topic}");
        }
    }

    #[test]
    fn a_panel_hears_what_is_for_it_or_for_all() {
        for (filter, may) in [
            ("intercoms/by-board/gate-1/#", true),
            ("intercoms/by-board/gate-1/patch/+", true),
            ("intercoms/by-board/gate-1/patch/#", true),
            ("intercoms/by-board/gate-1", true),
            ("intercoms/who", true),
            ("intercoms/22:0D:CE:38:E7:15/who", true),
            ("intercoms/+/who", true),
            ("intercoms/22:0D:CE:38:E7:15/here/+", true),
            ("intercoms/by-board/gate-2/#", false),
            ("intercoms/by-board/+/patch/+", false),
            ("intercoms/by-board/#", false),
            ("intercoms/+/patch/#", false),
            ("intercoms/+/#", false),
            ("intercoms/+/here/#", false),
            ("intercoms/#", false),
            ("#", false),
            ("+/who", false),
            ("$share/g/intercoms/by-board/gate-1/#", false),
        ] {
            assert_eq!(may_subscribe(&board(), filter), may, "{filter}");
        }
    }
}
