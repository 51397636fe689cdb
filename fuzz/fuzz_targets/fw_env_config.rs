//! Any text is an fw_env.config or names the line that is not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uboot_env::parse_config;

fuzz_target!(|text: &str| {
    match parse_config(text) {
        Ok(layout) => assert!(layout.is_none_or(|layout| layout.copies().len() <= 2)),
        Err(why) => assert!(why.line <= text.lines().count()),
    }
});
