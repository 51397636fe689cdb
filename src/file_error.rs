//! A file that cannot be used: which, why, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug)]
struct FileError {
    path: PathBuf,
    why: io::Error,
}

/// The same error, of the same kind, that names its file and says what to do.
pub fn of_file(path: impl AsRef<Path>, why: io::Error) -> io::Error {
    let path = path.as_ref().to_owned();
    io::Error::new(why.kind(), FileError { path, why })
}

/// What to do about an error, to stand after it; empty where that depends on the file.
pub fn advice(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::PermissionDenied if nix::unistd::geteuid().is_root() => {
            "; even root may not: look at the file's attributes and its file system"
        }
        io::ErrorKind::PermissionDenied => "; this user may not: run the command as root",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system is mounted read-only",
        io::ErrorKind::NotADirectory => "; set its key in the configuration to a directory",
        io::ErrorKind::StorageFull => "; the disk is full: make room",
        _ => "",
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.path.display(), self.why, advice(&self.why))
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_file_and_what_to_do_and_keeps_its_kind() {
        let why = of_file("/state/record.json", io::ErrorKind::StorageFull.into());
        assert_eq!(why.kind(), io::ErrorKind::StorageFull);
        let told = why.to_string();
        assert!(told.starts_with("/state/record.json: ") && told.ends_with("make room"), "{told}");
        assert_eq!(advice(&io::ErrorKind::NotFound.into()), "");
    }
}
