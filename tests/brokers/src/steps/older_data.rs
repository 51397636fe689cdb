//! The broker is killed and comes back with what it had kept some time before.

use crate::outcome::Skipped;
use crate::site::Site;

const OLD: &str = "AA:BB:CC:00:00:01";
const SECOND: &str = "AA:BB:CC:00:00:02";
const THIRD: &str = "AA:BB:CC:00:00:03";
const FOURTH: &str = "AA:BB:CC:00:00:04";

pub fn come_back(site: &mut Site) -> Result<(), Skipped> {
    older_request(site, false)
}

pub fn come_back_unseen(site: &mut Site) -> Result<(), Skipped> {
    older_request(site, true)
}

/// The copy is from when a request was on its way to the panel. Meanwhile another one has been
/// installed. A fresh board with the MAC that the old request names is there too.
fn older_request(site: &mut Site, billing_is_down: bool) -> Result<(), Skipped> {
    let (mut panel, id) = site.panel_at_a_door("gate-1", OLD);
    panel.daemon().stop();
    site.patch(id, SECOND, "S-SECOND");
    site.is_offered_to(id, "gate-1");
    panel.kill();
    let copies = site.broker.copy_data()?;
    site.patch(id, THIRD, "S-THIRD");
    panel.switch_on();
    site.installed(id, THIRD, &panel);
    let mut fresh = site.panel("fresh-1", OLD);
    fresh.switch_on();

    if billing_is_down {
        site.billing.kill();
    }
    site.broker.go_back_to(&copies);
    if billing_is_down {
        site.billing.start_again();
    }
    // It subscribes anew, and is given whatever is there for its MAC.
    fresh.kill();
    fresh.switch_on();
    // What is done after it shows that nothing came of the old request.
    site.patch(id, FOURTH, "S-FOURTH");
    site.installed(id, FOURTH, &panel);
    assert_eq!(panel.changes_begun(), 2);
    assert_eq!((fresh.board.mac().as_str(), fresh.changes_begun()), (OLD, 0.into()));
    Ok(())
}

/// The copy is from when another panel carried a MAC. That panel has died and its door has another
/// one: whoever is asked to take its MAC is not told that somebody has it.
pub fn dead_panel_lives(site: &mut Site) -> Result<(), Skipped> {
    let (panel, id) = site.panel_at_a_door("gate-1", OLD);
    let (mut dies, other_id) = site.panel_at_a_door("gate-2", SECOND);
    let mut spare = site.panel("spare-2", THIRD);
    spare.switch_on();
    let copies = site.broker.copy_data()?;
    dies.kill();
    site.replace_by(other_id, &spare, THIRD);
    site.installed(other_id, THIRD, &spare);

    site.broker.go_back_to(&copies);
    // It lies in a dustbin.
    site.scrap(dies);
    site.patch(id, SECOND, "S-AGAIN");
    site.installed(id, SECOND, &panel);
    Ok(())
}
