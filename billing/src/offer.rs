//! Who is offered a request, and when.
//!
//! A request with `new_mac` is for the board that already carries that MAC address, if there is
//! one: the replacement on the wall. The board that the record names is offered it only when no
//! such board is present and the grace time is over. Otherwise an old panel that is still powered
//! on a workbench would take the replacement's MAC address. A board with `new_mac` that *rejects*
//! ends the request: the MAC address is in use, so no other board may take it. When that board goes
//! away, the grace time starts again.
//!
//! A request without `new_mac` is for the board that the record names, at once.

use intercom_wire::Mac;

/// How long a board counts as present after a poll, in milliseconds: three polls. After a restart
/// of this service connected boards count as present for as long, since they need time to
/// reconnect.
pub const LINGERS_MS: i64 = 180_000;

/// A board that is connected to the broker is present until it or its last will says otherwise.
pub const UNTIL_FURTHER_NOTICE: i64 = i64::MAX;

/// What the rule depends on besides the request. Times are Unix times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How long the board at `new_mac` has to show up.
    pub grace_ms: i64,
    /// When this service started. It could not notice a board before.
    pub started_ms: i64,
}

/// What the rule depends on in a pending request.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// The MAC address that is asked for, if one is.
    pub new_mac: Option<Mac>,
    /// The confirmed MAC address of the intercom.
    pub confirmed_mac: Mac,
    /// When the request was made.
    pub asked_ms: i64,
    /// Until when a board with `new_mac` counts as present, if there was one.
    pub present_until_ms: Option<i64>,
}

impl Rule {
    /// The MAC address of the replacement, where the request may be for one.
    pub fn replacement(&self, waiting: &Waiting) -> Option<Mac> {
        waiting.new_mac.filter(|mac| *mac != waiting.confirmed_mac)
    }

    /// From when on the board that the record names is offered the request.
    pub fn named_board_is_offered_from(&self, waiting: &Waiting) -> i64 {
        if self.replacement(waiting).is_none() {
            return waiting.asked_ms;
        }
        waiting
            .asked_ms
            .max(self.started_ms)
            .max(waiting.present_until_ms.unwrap_or(0))
            .saturating_add(self.grace_ms)
    }

    /// The MAC addresses whose boards are offered the request now, the replacement's first.
    pub fn offered_to(&self, waiting: &Waiting, now_ms: i64) -> Vec<Mac> {
        let due = self.named_board_is_offered_from(waiting);
        // "Until further notice" never ends, even when the clock has the largest time.
        let named = (due != UNTIL_FURTHER_NOTICE
            && (now_ms >= due || self.replacement(waiting).is_none()))
        .then_some(waiting.confirmed_mac);
        self.replacement(waiting).into_iter().chain(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { grace_ms: 5_000, started_ms: 0 };

    fn mac(text: &str) -> Mac {
        text.parse().expect("a MAC")
    }

    fn waiting(present_until_ms: Option<i64>) -> Waiting {
        Waiting {
            new_mac: Some(mac("22:0D:CE:38:E7:15")),
            confirmed_mac: mac("AA:BB:CC:DD:EE:FF"),
            asked_ms: 10_000,
            present_until_ms,
        }
    }

    fn offered_to(waiting: &Waiting, now_ms: i64) -> Vec<String> {
        RULE.offered_to(waiting, now_ms).iter().map(Mac::to_string).collect()
    }

    const SPARE: &str = "22:0D:CE:38:E7:15";
    const OLD: &str = "AA:BB:CC:DD:EE:FF";

    #[test]
    fn the_replacement_is_asked_at_once_and_the_old_panel_after_the_grace_time() {
        let request = waiting(None);
        assert_eq!(offered_to(&request, 10_000), [SPARE]);
        assert_eq!(offered_to(&request, 14_999), [SPARE]);
        assert_eq!(offered_to(&request, 15_000), [SPARE, OLD]);
    }

    #[test]
    fn while_the_replacement_is_present_the_old_panel_is_never_asked() {
        let request = waiting(Some(UNTIL_FURTHER_NOTICE));
        assert_eq!(offered_to(&request, i64::MAX), [SPARE]);
    }

    #[test]
    fn when_the_replacement_goes_away_the_grace_time_starts_again() {
        let request = waiting(Some(60_000));
        assert_eq!(offered_to(&request, 64_999), [SPARE]);
        assert_eq!(offered_to(&request, 65_000), [SPARE, OLD]);
    }

    #[test]
    fn a_restart_of_the_service_gives_the_replacement_its_grace_time_again() {
        let rule = Rule { started_ms: 50_000, ..RULE };
        assert_eq!(rule.named_board_is_offered_from(&waiting(None)), 55_000);
    }

    #[test]
    fn without_another_mac_the_named_board_is_asked_at_once() {
        let mut request = waiting(None);
        for new_mac in [None, Some(mac(OLD))] {
            request.new_mac = new_mac;
            assert_eq!(offered_to(&request, 0), [OLD], "{new_mac:?}, clock set back");
        }
    }
}
