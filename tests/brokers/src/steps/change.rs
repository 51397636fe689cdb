//! A change of the panel at the door, and what can happen to the panel.

use crate::outcome::Skipped;
use crate::site::Site;

const OLD: &str = "AA:BB:CC:00:00:01";
const NEW: &str = "AA:BB:CC:00:00:02";
const SPARE: &str = "AA:BB:CC:00:00:03";

/// Nobody has the new MAC: the panel at the door takes it.
pub fn plain(site: &mut Site) -> Result<(), Skipped> {
    let (panel, id) = site.panel_at_a_door("gate-1", OLD);
    site.patch(id, NEW, "S-NEW");
    site.installed(id, NEW, &panel);
    assert_eq!(panel.changes_begun(), 1);
    Ok(())
}

/// The same without a broker between them.
pub fn plain_over_http(site: &mut Site) -> Result<(), Skipped> {
    site.panels_poll();
    plain(site)
}

/// The panel is killed when its link has the new MAC and nothing is confirmed.
pub fn agent_is_killed(site: &mut Site) -> Result<(), Skipped> {
    let (mut panel, id) = site.panel_at_a_door("gate-1", OLD);
    site.patch(id, NEW, "S-NEW");
    panel.daemon().wait_for("the board now carries");
    panel.kill();
    panel.switch_on();
    site.installed(id, NEW, &panel);
    assert_eq!(panel.changes_begun(), 1);
    Ok(())
}

/// A spare is unplugged, and billing hears of it from the broker: the request waits for the spare, and
/// is not given to the panel at the door.
pub fn last_will(site: &mut Site) -> Result<(), Skipped> {
    let (panel, id) = site.panel_at_a_door("gate-1", OLD);
    let mut spare = site.panel("spare-1", SPARE);
    spare.switch_on();
    site.unplug(&mut spare);
    site.replace_by(id, &spare, SPARE);
    site.waits_for(id, "the spare that has the new MAC address to be connected");
    site.the_grace_time_is_over();
    assert_eq!(panel.board.mac(), OLD);
    spare.switch_on();
    site.installed(id, SPARE, &spare);
    Ok(())
}

/// Two boards were given one name. The broker lets in only one of them at a time, and what is asked
/// of one must not reach the other; a third panel is not hindered.
pub fn two_with_one_name(site: &mut Site) -> Result<(), Skipped> {
    let (_one, id) = site.panel_at_a_door("twin", OLD);
    let mut two = site.panel("twin", SPARE);
    two.switch_on();
    site.patch(id, NEW, "S-NEW");
    site.the_grace_time_is_over();
    site.no_mac_twice();
    assert_eq!(two.board.mac(), SPARE, "the other one of them was not meant");
    Ok(())
}
