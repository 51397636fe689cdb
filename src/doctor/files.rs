//! The files that the configuration names.

use super::{Check, Finding, Look};
use crate::config::Settings;
use crate::panel::Panel;
use crate::root::Root;
use crate::upstream::tls;

pub(super) const USABLE: Check = Check {
    id: "files",
    description: "every file that the configuration names can be used",
    look: Look::Board(look),
};

/// What is wrong with the files; with those that are secret, if asked for.
pub fn problems(settings: &Settings, root: &Root, with_secrets: bool) -> Vec<String> {
    let unusable = settings.unusable_files(root);
    let of_tls = tls::unusable(settings, root);
    // What cannot be read is told with its key.
    let of_tls =
        of_tls.iter().filter(|(table, _)| unusable.iter().all(|file| file.table() != *table));
    let of_tls = of_tls.map(|(table, why)| format!("[{table}]: {why}"));
    let told = unusable.iter().filter(|file| with_secrets || !file.is_secret());
    told.map(ToString::to_string).chain(of_tls).collect()
}

fn look(panel: &Panel) -> Finding {
    // A secret has a check of its own.
    match problems(&panel.settings, &panel.root, false).as_slice() {
        [] => Finding::ok("each is there and can be read"),
        wrong => Finding::failed(
            wrong.join("; "),
            "put the right file there, or correct its name; no restart is needed after",
        ),
    }
}
