//! Which files of a directory are hooks.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{HookFailure, HookProblem};

/// Written by somebody else than the owner: the agent runs hooks as root.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const EXECUTABLE: u32 = 0o111;

/// One executable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// The hooks in name order, and what was skipped and why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) hooks: Vec<Hook>,
    pub(super) skipped: Vec<String>,
}

/// Looks through a directory. Dotfiles, folders and files that are not executable are no hooks (an
/// editor's left-overs, a README). A script that is not executable, and an executable that others may write
/// to, are skipped with a warning.
pub(super) fn hooks(dir: &Path) -> Result<Found, HookFailure> {
    let failed = |why| HookFailure::new(dir.display().to_string(), HookProblem::NotListed(why));
    let mut found = Found::default();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(why) => return Err(failed(why)),
    };
    if let Some(why) = writable_by_others(&fs::metadata(dir).map_err(failed)?) {
        found.skipped.push(format!("no hook is run: the directory {} {why}", dir.display()));
        return Ok(found);
    }
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Through a link, since a hook may well be one.
        let Ok(file) = fs::metadata(&path) else {
            continue;
        };
        if name.starts_with('.') || !file.is_file() {
            continue;
        }
        let why_not = match file.permissions().mode() & EXECUTABLE {
            0 if !is_script(&name, &path) => continue,
            0 => Some("is not executable: chmod +x".to_owned()),
            _ => writable_by_others(&file),
        };
        match why_not {
            Some(why) => {
                found.skipped.push(format!("the hook {} is not run: it {why}", path.display()))
            }
            None => found.hooks.push(Hook { name, path }),
        }
    }
    found.hooks.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Whether a file is meant to be run, and no left-over of an editor or of `systemd/install`.
fn is_script(name: &str, path: &Path) -> bool {
    let mut start = [0; 2];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    !name.ends_with('~') && !name.ends_with(".new") && read.is_ok() && start == *b"#!"
}

fn writable_by_others(file: &fs::Metadata) -> Option<String> {
    let mode = file.permissions().mode() & 0o7777;
    (mode & WRITABLE_BY_OTHERS != 0).then(|| {
        format!("has mode {mode:04o}, so that others than its owner can write to it: chmod go-w")
    })
}
