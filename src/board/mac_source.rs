//! Whose MAC address it is: the board's own, one that many boards share, or nobody's.

use intercom_wire::Mac;
use serde::Serialize;

use super::Known;

/// What a MAC address is worth for telling boards apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MacKind {
    /// The board's own.
    Real,
    /// One that boot scripts give to any board without its own.
    Placeholder,
    /// Invented by the driver at this boot.
    Random,
}

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

/// The board's MAC address: the environment's `ethaddr` where there is one, else the link's.
///
/// `assigned` is the link's `addr_assign_type`, absent on a sandboxed board that does not say.
pub(super) fn of_the_board(
    environment: Option<&Known<Mac>>,
    link: Option<&Known<Mac>>,
    assigned: Option<&str>,
    placeholders: &[Mac],
) -> Option<BoardMac> {
    let (mac, random) = match (environment, link) {
        (Some(mac), _) => (mac, false),
        (None, Some(mac)) => (mac, assigned.is_some_and(|kind| !OWNED.contains(&kind))),
        (None, None) => return None,
    };
    let kind = if placeholders.contains(&mac.value) {
        MacKind::Placeholder
    } else if random {
        MacKind::Random
    } else {
        MacKind::Real
    };
    Some(BoardMac { mac: mac.clone(), kind })
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
        of_the_board(environment.as_ref(), Some(&known(link)), assigned, &placeholders)
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
        assert_eq!(of_the_board(None, None, None, &[]), None);
    }
}
