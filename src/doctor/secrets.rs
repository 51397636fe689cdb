//! The configuration's secrets: each in a file that its owner alone can use.

use super::{Check, Finding, Look};
use crate::config::{SecretFile, Settings, Tls};
use crate::panel::Panel;

pub(super) const PRIVATE: Check = Check {
    id: "secrets",
    description: "passwords, tokens and keys are readable by their owner alone",
    look: Look::Board(look),
};

fn look(panel: &Panel) -> Finding {
    // The errors name the file and what to do, never what is in it.
    let unusable = panel.settings.unusable_files(&panel.root);
    let wrong: Vec<_> =
        unusable.iter().filter(|file| file.is_secret()).map(ToString::to_string).collect();
    match (files(&panel.settings).len(), wrong.as_slice()) {
        (0, _) => Finding::ok("none is configured"),
        (count, []) => Finding::ok(format!("{count} configured, in private files")),
        (_, wrong) => Finding::failed(
            wrong.join("; "),
            "until then the route that needs it is not used; no restart is needed after",
        ),
    }
}

fn files(settings: &Settings) -> Vec<&SecretFile> {
    fn of_route<'s>(secret: Option<&'s SecretFile>, tls: &'s Tls) -> [Option<&'s SecretFile>; 2] {
        [secret, tls.client.as_ref().map(|client| &client.key)]
    }
    let mqtt = settings.mqtt.as_ref().map(|mqtt| of_route(mqtt.password.as_ref(), &mqtt.tls));
    let services = [&settings.http, &settings.billing].into_iter().flatten();
    let services = services.map(|service| of_route(service.token.as_ref(), &service.tls));
    mqtt.into_iter().chain(services).flatten().flatten().collect()
}
