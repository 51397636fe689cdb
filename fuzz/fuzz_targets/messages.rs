//! Whatever a command, a daemon or a panel says is read or refused; what was read can be said again.
#![no_main]

use intercom_agent::control::{Answer, Ask};
use intercom_wire::topics::{FromBoard, ToPanel};
use intercom_wire::{Presence, Report, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = json::read::<Ask>(bytes);
    let _ = json::read::<Answer>(bytes);
    if let Ok(Some(presence)) = Presence::read(bytes) {
        assert_eq!(Presence::read(&presence.payload()), Ok(Some(presence)));
    }
    if let Ok(topic) = std::str::from_utf8(bytes) {
        let _ = (FromBoard::read(topic), ToPanel::read(topic));
    }
    if let Ok(report) = json::read::<Report>(bytes) {
        assert!(report.outcome_identity.is_none() || report.identity() == report.outcome_identity);
        let said = serde_json::to_vec(&report).expect("a report can be written");
        assert_eq!(json::read::<Report>(&said).expect("and read"), report);
    }
});
