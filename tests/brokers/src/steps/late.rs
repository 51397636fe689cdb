//! Messages that come late, or never.

use crate::outcome::Skipped;
use crate::site::Site;

const OLD: &str = "AA:BB:CC:00:00:01";
const SECOND: &str = "AA:BB:CC:00:00:02";
const THIRD: &str = "AA:BB:CC:00:00:03";

/// A request is on its way to a panel that hangs and is then switched off and on. Another one has
/// taken its place when the panel hears of both.
pub fn superseded(site: &mut Site) -> Result<(), Skipped> {
    let (mut panel, id) = site.panel_at_a_door("gate-1", OLD);
    panel.daemon().stop();
    site.patch(id, SECOND, "S-SECOND");
    site.is_offered_to(id, "gate-1");
    site.patch(id, THIRD, "S-THIRD");
    site.is_offered_to(id, "gate-1");
    panel.kill();
    panel.switch_on();
    site.installed(id, THIRD, &panel);
    assert_eq!(panel.changes_begun(), 1, "nothing was made of the first request");
    Ok(())
}

/// A panel does not take the broker's word that its report has arrived, and tells it again.
pub fn dropped_report(site: &mut Site) -> Result<(), Skipped> {
    let (panel, id) = site.panel_at_a_door("gate-1", OLD);
    site.broker.drop_reports_of("gate-1")?;
    site.patch(id, SECOND, "S-SECOND");
    site.carries(&panel, SECOND);
    // By the time that another panel's change is reported, this one's report has been dropped.
    site.the_grace_time_is_over();
    assert_eq!(site.billing.show(SECOND).1["status"], "pending", "the report was not dropped");
    site.broker.deliver_reports()?;
    site.installed(id, SECOND, &panel);
    Ok(())
}
