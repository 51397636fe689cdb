//! The uplink: each configured route reaches upstream, or could.

use super::netcheck::{Leg, Way, netcheck_of};
use super::{Check, Finding, Look, State, daemon};
use crate::agent::NOT_HEARD_BY_MAC;
use crate::panel::Panel;
use crate::record::Route;

pub(super) const CHECKED: Check = Check {
    id: "server",
    description: "every server is checked before it is trusted",
    look: Look::Board(checked),
};

pub(super) const REACHED: Check = Check {
    id: "uplink",
    description: "every configured route reaches upstream",
    look: Look::Daemon(uplink),
};

pub(super) const BILLING: Check = Check {
    id: "billing",
    description: "the documented API answers, and lets PATCH through",
    look: Look::Daemon(billing),
};

const ADVICE: &str = "`intercom-agent netcheck` goes the way leg by leg";

fn checked(panel: &Panel) -> Finding {
    match panel.settings.insecure().as_slice() {
        [] => Finding::ok("no certificate check is switched off"),
        sections => Finding::warning(
            format!(
                "{} checks no certificate (`insecure = true`): whoever answers there can send requests",
                sections.join(" and ")
            ),
            "set `ca_file` to the PEM file of the server's authority, and take `insecure` away",
        ),
    }
}

/// A route, and why it does not reach its server; `None` if it does.
type Fares = (String, Option<String>);

fn uplink(panel: &Panel, asked: &daemon::Asked) -> Finding {
    let mut configured = vec![Route::Mqtt, Route::Http];
    configured.retain(|route| !panel.settings.hosts(*route).is_empty());
    if configured.is_empty() {
        return Finding::failed(
            "none is configured: no request can come, only `apply --offline` works",
            "give the configuration an [mqtt] or an [http] section",
        );
    }
    if let Ok(state) = asked {
        let fares: Vec<Fares> =
            configured.into_iter().map(|route| of_daemon(state, route)).collect();
        let refused = state.routes.iter().find_map(|route| route.refused_topic.as_deref());
        return without_topic(judge(&fares, ""), refused);
    }
    let mut fares = Vec::new();
    for route in configured {
        match netcheck_of(panel, route, None, &mut |_| ()) {
            Ok(ways) => fares.extend(ways.iter().map(|way| (name(route, &way.server), end(way)))),
            Err(why) => return Finding::failed(format!("not known: {why}"), "see record"),
        }
    }
    judge(&fares, "can be ")
}

/// The same where the broker refuses the topic of the MAC address: all else is heard.
fn without_topic(finding: Finding, refused: Option<&str>) -> Finding {
    match refused {
        Some(topic) if finding.state == State::Ok => Finding::warning(
            format!("{}; the broker refuses {topic}: {NOT_HEARD_BY_MAC}", finding.found),
            "`mac_topics = false` if no platform sends them; otherwise the broker's access rules",
        ),
        _ => finding,
    }
}

fn of_daemon(state: &daemon::State, route: Route) -> Fares {
    let Some(status) = state.routes.iter().find(|status| status.route == route) else {
        return (route.label().to_owned(), Some("not yet".to_owned()));
    };
    let server = &status.server;
    let name = name(route, server);
    if state.reached.contains(&route) {
        return (name, None);
    }
    // The route is named already.
    let bare = |text: &str| text.strip_prefix(&format!("{server}: ")).unwrap_or(text).to_owned();
    let error = status.last_error.as_ref();
    (name, Some(error.map_or_else(|| "not yet".to_owned(), |error| bare(&error.text))))
}

fn name(route: Route, server: &str) -> String {
    format!("{} at {server}", route.label())
}

/// Why the way ends, and what to do, in one sentence.
fn end(way: &Way) -> Option<String> {
    let Finding { found, advice, .. } = &way.end()?.finding;
    Some(match advice {
        Some(advice) => format!("{found}; {advice}"),
        None => found.clone(),
    })
}

fn judge(fares: &[Fares], verb: &str) -> Finding {
    let reached: Vec<&str> =
        fares.iter().filter(|(_, why)| why.is_none()).map(|(name, _)| name.as_str()).collect();
    let missed: Vec<String> = fares
        .iter()
        .filter_map(|(name, why)| Some(format!("over {name}: {}", why.as_ref()?)))
        .collect();
    let (reached, missed) = (reached.join(" and "), missed.join("; "));
    match (reached.as_str(), missed.as_str()) {
        (reached, "") => Finding::ok(format!("{verb}reached over {reached}")),
        ("", missed) => Finding::failed(format!("not reached {missed}"), ADVICE),
        (reached, missed) => {
            Finding::warning(format!("{verb}reached over {reached}; not {missed}"), ADVICE)
        }
    }
}

fn billing(panel: &Panel, asked: &daemon::Asked) -> Finding {
    let routes = asked.as_ref().ok().map(|state| state.routes.as_slice());
    match netcheck_of(panel, Route::Billing, routes, &mut |_| ()) {
        Ok(ways) => match ways.first() {
            None => Finding::ok("no [billing] section: it is not called"),
            Some(way) => of_way(way),
        },
        Err(why) => Finding::failed(format!("not known: {why}"), "see record"),
    }
}

fn of_way(way: &Way) -> Finding {
    match (way.end(), way.legs.last()) {
        (Some(end), _) => end.finding.clone(),
        (None, Some(Leg { finding: last, .. })) => {
            Finding { found: format!("{}: {}", way.server, last.found), ..last.clone() }
        }
        (None, None) => Finding::ok(&way.server),
    }
}
