//! A panel with the configuration that it has by default, and billing, under the shipped rules.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{Billing, Board, Directory, NEW, OLD};

use crate::broker::Broker;
use crate::shipped::{Kind, on_each, password};

/// The panel `gate-1` with its password at the broker.
pub(crate) fn panel(url: &str, password: &str) -> Board {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(url);
    board.write("etc/password", password);
    let secret = fs::Permissions::from_mode(0o600);
    fs::set_permissions(board.path("etc/password"), secret).expect("set");
    board.configure("username = \"gate-1\"\npassword_file = \"/etc/password\"");
    board
}

#[test]
fn a_panel_is_reached_by_its_board_alone_and_says_that_it_hears_nothing_by_its_mac_address() {
    on_each(|kind| {
        let dir = Directory::new();
        let [panels, billings] = ["gate-1", "billing"].map(|user| password(kind, user, dir.path()));
        let broker = Broker::start(kind, dir);
        let address = || format!("127.0.0.1:{}", broker.port());
        let url = format!("mqtt://billing:{billings}@{}", address());
        let billing = Billing::start_at(&url).connected();
        billing.create_old();

        let board = panel(&format!("mqtt://{}", address()), &panels);
        let mut daemon = board.start();
        board.wait_until_reached();
        let refused = board.run(&["status", "--json"]).json()["routes"][0]["refused_topic"].clone();
        // mosquitto grants every subscription.
        assert_eq!(refused.is_string(), kind != Kind::Mosquitto, "{kind:?}: {refused}");

        billing.replace_old();
        daemon.wait_for("the report has arrived over MQTT");
        assert_eq!(board.mac(), NEW, "{kind:?}");
        assert_eq!(billing.show(NEW).1["status"], "installed", "{kind:?}");
    });
}
