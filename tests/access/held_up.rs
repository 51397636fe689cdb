//! A request that the panel defers, because a neighbour says that it has the new MAC address.

use intercom_test_support::{Billing, NEW, Process, Watcher};

/// The neighbour `gate-2` answers the panel's next look-up of `NEW`, under its own name.
pub fn claims_new(neighbour: &Watcher) {
    let asked = format!("intercoms/{NEW}/who");
    neighbour.wait_for("the look-up", |message| message.topic == asked);
    neighbour.publish(&format!("intercoms/{NEW}/here/gate-2"), "");
}

/// Billing asks `gate-1` to take `NEW`, and the panel defers it. The topic of the request.
pub fn held_up(
    billing: &Billing,
    neighbour: &Watcher,
    watcher: &Watcher,
    daemon: &mut Process,
) -> String {
    billing.replace_old();
    claims_new(neighbour);
    daemon.wait_for("deferred");
    let is_request = |topic: &str| topic.starts_with("intercoms/by-board/gate-1/patch/");
    watcher.wait_for("the request", |message| is_request(&message.topic)).topic
}
