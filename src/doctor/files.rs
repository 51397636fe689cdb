//! The files that the configuration names.

use super::{Check, Finding, Look};
use crate::panel::Panel;

pub(super) const USABLE: Check = Check {
    id: "files",
    description: "every file that the configuration names can be used",
    look: Look::Board(look),
};

fn look(panel: &Panel) -> Finding {
    let unusable = panel.settings.unusable_files(&panel.root);
    // A secret has a check of its own.
    let wrong = unusable.iter().filter(|file| !file.is_secret());
    match wrong.map(ToString::to_string).collect::<Vec<_>>().as_slice() {
        [] => Finding::ok("each is there and can be read"),
        wrong => Finding::failed(
            wrong.join("; "),
            "put the file there, or correct its name; no restart is needed after",
        ),
    }
}
