//! A spare takes the place of the panel at the door: it already carries the MAC that is asked for.

use crate::outcome::Skipped;
use crate::site::Site;

const OLD: &str = "AA:BB:CC:00:00:01";
const SPARE: &str = "AA:BB:CC:00:00:02";

/// What billing knows of the spare.
enum Spare {
    /// It was connected before.
    Known,
    /// An operator has made a record of it.
    Created,
    /// Nothing.
    Unknown,
}

/// When the spare is connected.
enum Comes {
    BeforeThePatch,
    AfterThePatch,
}

/// The old panel has died. The spare becomes the panel of the door without anything written to it.
fn replaced(site: &mut Site, spare_is: Spare, comes: Comes) -> Result<(), Skipped> {
    let (mut old, id) = site.panel_at_a_door("old-1", OLD);
    old.kill();
    let mut spare = site.panel("spare-1", SPARE);
    match spare_is {
        Spare::Known => {
            site.switch_on(&mut spare);
            spare.kill();
        }
        Spare::Created => {
            site.create(SPARE, &spare.serial_number);
        }
        Spare::Unknown => {}
    }
    match comes {
        Comes::BeforeThePatch => {
            spare.switch_on();
            site.replace_by(id, &spare, SPARE);
        }
        Comes::AfterThePatch => {
            site.replace_by(id, &spare, SPARE);
            site.the_grace_time_is_over();
            spare.switch_on();
        }
    }
    site.installed(id, SPARE, &spare);
    assert_eq!(spare.changes_begun(), 0, "it is what it was asked to be");
    // The old panel finds that it is no door's panel any more.
    old.switch_on();
    site.the_grace_time_is_over();
    assert_eq!(old.board.mac(), OLD);
    Ok(())
}

macro_rules! replacements {
    ($($over_mqtt:ident, $over_http:ident: $spare:ident, $comes:ident;)*) => { $(
        pub fn $over_mqtt(site: &mut Site) -> Result<(), Skipped> {
            replaced(site, Spare::$spare, Comes::$comes)
        }

        pub fn $over_http(site: &mut Site) -> Result<(), Skipped> {
            site.panels_poll();
            replaced(site, Spare::$spare, Comes::$comes)
        }
    )* };
}

replacements! {
    known_before, known_before_over_http: Known, BeforeThePatch;
    known_after, known_after_over_http: Known, AfterThePatch;
    created_before, created_before_over_http: Created, BeforeThePatch;
    created_after, created_after_over_http: Created, AfterThePatch;
    unknown_before, unknown_before_over_http: Unknown, BeforeThePatch;
    unknown_after, unknown_after_over_http: Unknown, AfterThePatch;
}

/// The old panel is still powered somewhere, and keeps what it has.
pub fn both_live(site: &mut Site) -> Result<(), Skipped> {
    let (old, id) = site.panel_at_a_door("old-1", OLD);
    let mut spare = site.panel("spare-1", SPARE);
    spare.switch_on();
    site.replace_by(id, &spare, SPARE);
    site.installed(id, SPARE, &spare);
    site.the_grace_time_is_over();
    assert_eq!((old.board.mac().as_str(), old.changes_begun()), (OLD, 0.into()));
    Ok(())
}

/// The same while the spare, which billing knows, lies unpowered in the installer's bag: the request
/// waits for it.
pub fn spare_in_the_bag(site: &mut Site) -> Result<(), Skipped> {
    let (old, id) = site.panel_at_a_door("old-1", OLD);
    let mut spare = site.panel("spare-1", SPARE);
    site.switch_on(&mut spare);
    spare.kill();
    site.replace_by(id, &spare, SPARE);
    site.the_grace_time_is_over();
    assert_eq!(old.board.mac(), OLD, "the old panel takes the MAC of the spare");
    spare.switch_on();
    site.installed(id, SPARE, &spare);
    assert_eq!((old.board.mac().as_str(), old.changes_begun()), (OLD, 0.into()));
    Ok(())
}
