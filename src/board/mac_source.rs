//! Whose MAC address it is: the board's own, one that many boards share, or nobody's.

use intercom_wire::Mac;
use serde::Serialize;

use super::Known;
use crate::record::{MacKind, Reading};

/// The board's MAC address, where it was read, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoardMac {
    /// The address.
    #[serde(flatten)]
    pub mac: Known<Mac>,
    /// What it is worth.
    pub kind: MacKind,
}

/// `NET_ADDR_PERM` and `NET_ADDR_SET` of `linux/netdevice.h`: burnt in, or set by someone. The
/// others are random, or borrowed from another interface.
const OWNED: [&str; 2] = ["0", "3"];

/// The board's MAC address: the environment's where there is one, else the link's.
///
/// `assigned` is the link's `addr_assign_type`, absent on a sandboxed board that does not say.
pub(super) fn of_the_board(
    environment: &Reading<Known<Mac>>,
    link: Option<&Known<Mac>>,
    assigned: Option<&str>,
    placeholders: &[Mac],
) -> Reading<BoardMac> {
    let (mac, random) = match (environment, link) {
        (Reading::Found(mac), _) => (mac, false),
        (Reading::Absent, Some(mac)) => (mac, assigned.is_some_and(|kind| !OWNED.contains(&kind))),
        // What the link has tells nothing while the environment may know better, and a link that is
        // not there yet may come.
        (Reading::Unreadable, _) | (Reading::Absent, None) => return Reading::Unreadable,
    };
    let kind = if placeholders.contains(&mac.value) {
        MacKind::Placeholder
    } else if random {
        MacKind::Random
    } else {
        MacKind::Real
    };
    Reading::Found(BoardMac { mac: mac.clone(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "AA:BB:CC:DD:EE:FF";
    const SHARED: &str = "00:00:23:34:45:66";

    fn kind(environment: Option<&str>, link: &str, assigned: Option<&str>) -> MacKind {
        let known = |text: &str| Known::new(text.parse::<Mac>().expect("a MAC"), "test");
        let environment = environment.map(known);
        let placeholders = [SHARED.parse().expect("a MAC")];
        let environment = Reading::from(environment);
        of_the_board(&environment, Some(&known(link)), assigned, &placeholders)
            .found()
            .expect("a MAC")
            .kind
    }

    #[test]
    fn the_driver_says_when_it_invented_an_address() {
        assert_eq!(kind(None, OWN, Some("0")), MacKind::Real);
        assert_eq!(kind(None, OWN, Some("1")), MacKind::Random);
        assert_eq!(kind(None, OWN, Some("2")), MacKind::Random);
        assert_eq!(kind(None, OWN, Some("3")), MacKind::Real);
        assert_eq!(kind(None, OWN, None), MacKind::Real);
    }

    #[test]
    fn a_placeholder_is_one_wherever_it_was_read() {
        assert_eq!(kind(None, SHARED, Some("3")), MacKind::Placeholder);
        assert_eq!(kind(None, SHARED, Some("1")), MacKind::Placeholder);
        assert_eq!(kind(Some(SHARED), OWN, Some("0")), MacKind::Placeholder);
    }

    #[test]
    fn the_environment_knows_better_than_the_link() {
        assert_eq!(kind(Some(OWN), SHARED, Some("1")), MacKind::Real);
    }

    #[test]
    fn what_the_link_has_is_no_fact_while_the_environment_cannot_be_read() {
        let link = Known::new(OWN.parse::<Mac>().expect("a MAC"), "test");
        let found = of_the_board(&Reading::Unreadable, Some(&link), Some("0"), &[]);
        assert_eq!(found, Reading::Unreadable);
        assert_eq!(of_the_board(&Reading::Absent, None, None, &[]), Reading::Unreadable);
    }
}
