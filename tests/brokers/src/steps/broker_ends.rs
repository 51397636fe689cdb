//! The broker is away for a while.

use crate::broker::Ending;
use crate::outcome::Skipped;
use crate::site::Site;

const OLD: &str = "AA:BB:CC:00:00:01";
const NEW: &str = "AA:BB:CC:00:00:02";

pub fn terminated(site: &mut Site) -> Result<(), Skipped> {
    patched_meanwhile(site, Ending::Terminated)
}

pub fn killed(site: &mut Site) -> Result<(), Skipped> {
    patched_meanwhile(site, Ending::Killed)
}

/// What is asked for while the broker is away happens when it is back; or at once, where others
/// take its place.
fn patched_meanwhile(site: &mut Site, ending: Ending) -> Result<(), Skipped> {
    let (panel, id) = site.panel_at_a_door("gate-1", OLD);
    site.broker.end(ending);
    site.patch(id, NEW, "S-NEW");
    if !site.broker.is_there() {
        site.broker.start_again();
    }
    site.installed(id, NEW, &panel);
    assert_eq!(panel.changes_begun(), 1);
    Ok(())
}

/// A change is confirmed over the broker; one that goes away and comes back does not end it.
pub fn killed_in_mid_change(site: &mut Site) -> Result<(), Skipped> {
    let (mut panel, id) = site.panel_at_a_door("gate-1", OLD);
    site.patch(id, NEW, "S-NEW");
    panel.daemon().wait_for("the board now carries");
    site.broker.end(Ending::Killed);
    site.broker.start_again();
    site.installed(id, NEW, &panel);
    assert_eq!(panel.changes_begun(), 1);
    Ok(())
}
