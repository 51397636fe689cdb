//! Where the paths of a system begin.

use std::path::{Component, Path, PathBuf};

/// The path `absolute` of the system whose root is `root`. Under another root than `/`, `..` leads
/// nowhere, so that nothing outside of it is read or written.
pub(crate) fn under(root: &Path, absolute: &str) -> PathBuf {
    if root == Path::new("/") {
        return absolute.into();
    }
    let parts = Path::new(absolute).components();
    let names = parts.filter(|part| matches!(part, Component::Normal(_)));
    names.fold(root.to_owned(), |path, name| path.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_another_root() {
        assert_eq!(under(Path::new("/"), "/dev/mtd1"), Path::new("/dev/mtd1"));
        assert_eq!(under(Path::new("/box"), "/dev/mtd1"), Path::new("/box/dev/mtd1"));
        assert_eq!(under(Path::new("/box"), "/../dev/../mtd1"), Path::new("/box/dev/mtd1"));
    }
}
