//! The daemon killed at every step that it tells of.

use intercom_test_support::in_a_namespace;

use super::veth_panel::{Restart, Site};

const STEPS: [&str; 7] = [
    "board ",
    "changing from",
    "the board now carries",
    "reached over MQTT",
    "confirmed and durable",
    "the U-Boot environment now says",
    "the report has arrived",
];

#[test]
fn killed_at_every_named_step() {
    in_a_namespace("kills::steps::killed_at_every_named_step", || {
        let mut site = Site::new();
        for step in STEPS {
            for restart in [Restart::Daemon, Restart::Board] {
                let panel = site.next_asked_panel();
                let context = format!("killed when it said `{step}`");
                let mut daemon = panel.board.start_at_once();
                daemon.wait_for(step);
                daemon.kill();
                let daemon = panel.starts_again(restart, &context);
                assert_eq!(panel.ends_as_reported(daemon, &context), "installed", "{context}");
            }
        }
    });
}
