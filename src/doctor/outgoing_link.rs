//! The outgoing link: the traffic leaves by the link that a change must be proven on.

use std::sync::Arc;

use super::{Check, Finding};
use crate::board::UplinkError;
use crate::neighbours::Neighbours;
use crate::panel::Panel;
use crate::record::Route;
use crate::upstream::LinkProof;

pub(super) const BEARS_MAC: Check = Check {
    id: "outgoing-link",
    description: "the traffic leaves by the link that carries the panel's MAC address",
    look,
};

fn look(panel: &Panel) -> Finding {
    if panel.root.is_sandbox() {
        return Finding::ok("not looked at: a sandboxed board uses this machine's links");
    }
    let Some(link) = &panel.survey.link else {
        return Finding::warning("not known: the link cannot be read", "see link");
    };
    let routes = [Route::Mqtt, Route::Http];
    let routes = routes.into_iter().filter(|route| panel.settings.host(*route).is_some());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return Finding::warning(format!("not known: {why}"), "free some memory"),
    };
    let neighbours = Arc::new(Neighbours::new(&link.interface));
    let proof = LinkProof::new(&panel.settings, neighbours);
    for route in routes {
        if let Err(why) = runtime.block_on(proof.judge(route, link.mac.value)) {
            return finding(route, &why);
        }
    }
    let carries = panel.settings.uplink.as_ref().unwrap_or(&link.interface);
    Finding::ok(format!("{carries}, as configured"))
}

fn finding(route: Route, why: &UplinkError) -> Finding {
    let found = format!("{}: {why}; every change would be rolled back", route.label());
    match why {
        UplinkError::OtherLink { carries, .. } => Finding::failed(
            found,
            format!(
                "if the panel is known by the MAC address of {carries}, set `interface = \
                 \"{carries}\"`; if its traffic leaves by {carries} on purpose, set `uplink = \
                 \"{carries}\"`"
            ),
        ),
        UplinkError::NoAnswer { .. } => Finding::failed(
            found,
            "plug the cable in, and let a route with a gateway lead through this link",
        ),
        UplinkError::NoAddress { .. } | UplinkError::NoRoute { .. } | UplinkError::NotFoundOut => {
            Finding::warning(format!("not known: {}: {why}", route.label()), "see uplink")
        }
    }
}
