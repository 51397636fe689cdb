//! Which models the panel answers to.

use std::fmt;
use std::fs;
use std::io;

use super::Known;
use crate::root::Root;

const MODEL: &str = "/proc/device-tree/model";
const COMPATIBLE: &str = "/proc/device-tree/compatible";

/// What the device tree says about the machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceTree {
    pub(super) model: Option<String>,
    pub(super) compatible: Vec<String>,
}

/// A file of the device tree that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    path: &'static str,
    why: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", self.path, self.why)
    }
}

/// Reads the device tree's root; a machine without one has nothing there, which is no error.
///
/// # Errors
/// As the file system's, with the path.
pub(super) fn device_tree(root: &Root) -> Result<DeviceTree, Unreadable> {
    let read = |path: &'static str| match fs::read(root.path(path)) {
        Ok(bytes) => Ok(strings(&bytes)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Unreadable { path, why }),
    };
    Ok(DeviceTree { model: read(MODEL)?.into_iter().next(), compatible: read(COMPATIBLE)? })
}

/// The models: the configured ones, else the device tree's model and each compatible entry, whole
/// and as what follows its comma (`hisilicon,hi3516ev200` is also a `hi3516ev200`).
pub(super) fn models(configured: &[String], tree: &DeviceTree) -> Vec<Known<String>> {
    let mut models: Vec<Known<String>> = Vec::new();
    let mut add = |model: &str, source| {
        if !model.is_empty() && models.iter().all(|known| known.value != model) {
            models.push(Known::new(model.to_owned(), source));
        }
    };
    for model in configured {
        add(model, "configuration");
    }
    if configured.is_empty() {
        if let Some(model) = &tree.model {
            add(model, MODEL);
        }
        for entry in &tree.compatible {
            add(entry, COMPATIBLE);
            if let Some((_, model)) = entry.split_once(',') {
                add(model, COMPATIBLE);
            }
        }
    }
    models
}

/// The strings of a device tree property, each ended by a NUL; what is not text is passed over.
pub(super) fn strings(property: &[u8]) -> Vec<String> {
    property
        .split(|byte| *byte == 0)
        .filter_map(|bytes| std::str::from_utf8(bytes).ok())
        .map(str::trim)
        .filter(|text| !text.is_empty() && !text.chars().any(char::is_control))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use proptest::prelude::*;

    fn values(models: Vec<Known<String>>) -> Vec<String> {
        models.into_iter().map(|known| known.value).collect()
    }

    #[test]
    fn the_device_tree_gives_its_model_and_each_compatible_name() {
        let sandbox = Sandbox::new();
        sandbox.write(MODEL, "Hisilicon HI3516EV200 DEMO Board\0");
        sandbox.write(COMPATIBLE, "vendor,panel-7\0hisilicon,hi3516ev200\0plain\0");
        let tree = device_tree(sandbox.root()).expect("readable");
        assert_eq!(
            values(models(&[], &tree)),
            [
                "Hisilicon HI3516EV200 DEMO Board",
                "vendor,panel-7",
                "panel-7",
                "hisilicon,hi3516ev200",
                "hi3516ev200",
                "plain"
            ]
        );
        assert_eq!(
            models(&["3516EV200".to_owned()], &tree),
            [Known::new("3516EV200".to_owned(), "configuration")]
        );
    }

    #[test]
    fn a_machine_without_a_device_tree_has_no_model() {
        let tree = device_tree(Sandbox::new().root()).expect("readable");
        assert_eq!(values(models(&[], &tree)), [""; 0]);
    }

    proptest! {
        #[test]
        fn no_property_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for text in strings(&bytes) {
                prop_assert!(!text.is_empty() && !text.contains('\0'));
            }
        }
    }
}
