//! Any text is a configuration or an error that names a line in it.
#![no_main]

use std::path::Path;

use intercom_agent::config::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(why) = parse(text, Path::new("intercom-agent.toml")) {
        assert!(why.to_string().contains("intercom-agent.toml"));
    }
});
