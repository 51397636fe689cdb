//! Any text is an fw_env.config or names the line that is not.
#![no_main]

use intercom_agent::environment::parse_config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_config(text) {
        Ok(copies) => assert!(copies.len() <= 2),
        Err(why) => assert!(why.line <= text.lines().count()),
    }
});
