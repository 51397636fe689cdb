//! Any block is an environment or not; a change is readable, and taking it back takes nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uboot_env::{Format, Image};

fuzz_target!(|input: (bool, Vec<u8>, String, String)| {
    let (redundant, bytes, name, value) = input;
    let size = bytes.len();
    let format = if redundant { Format::Redundant } else { Format::Single };
    let Some(image) = Image::new(bytes, format) else { return };
    let _ = (image.is_good(), image.flag(), image.get(&name), image.variables().count());
    if let Ok(changed) = image.changed(&[(&name, Some(&value))]) {
        assert_eq!(changed.bytes().len(), size);
        if !value.is_empty() {
            assert_eq!(changed.get(&name).as_deref(), Some(value.as_str()));
        }
    }
});
