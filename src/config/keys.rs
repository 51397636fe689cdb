//! The tables of the file, each with its keys.

/// A table's name, and its keys. The file itself has no name.
const TABLES: &[(&str, &[&str])] = &[
    ("", FILE),
    ("serial_number", SERIAL_NUMBER),
    ("signature", SIGNATURE),
    ("mqtt", MQTT),
    ("mqtt.topics", TOPICS),
    ("http", HTTP),
    ("billing", BILLING),
];

/// The keys of a table.
pub(super) fn of(table: &str) -> &'static [&'static str] {
    let own = TABLES.iter().find(|(name, _)| *name == table);
    own.map_or(&[], |(_, keys)| keys)
}

/// Where this key belongs, as words that follow "it belongs".
pub(super) fn places(key: &str) -> Vec<String> {
    let with = TABLES.iter().filter(|(_, keys)| keys.contains(&key));
    with.map(|(table, _)| match format!("{table}.{key}").trim_start_matches('.') {
        name if !of(name).is_empty() => format!("as [{name}]"),
        _ if table.is_empty() => "before the first [table] of the file".to_owned(),
        _ => format!("in [{table}]"),
    })
    .collect()
}

const FILE: &[&str] = &[
    "interface",
    "uplink",
    "mac_variable",
    "id",
    "board_name",
    "models",
    "placeholder_macs",
    "state_dir",
    "runtime_dir",
    "hooks_dir",
    "hook_time_limit",
    "environment",
    "confirm_within",
    "settle",
    "changes_per_hour",
    "log_level",
    "serial_number",
    "signature",
    "mqtt",
    "http",
    "billing",
];

const SERIAL_NUMBER: &[&str] = &["sources", "environment_variable"];

const SIGNATURE: &[&str] = &["required", "keys"];

const MQTT: &[&str] = &[
    "url",
    "ca_file",
    "tls_min",
    "client_cert_file",
    "client_key_file",
    "server_name",
    "alpn",
    "insecure",
    "insecure_with_credentials",
    "username",
    "password_file",
    "keep_alive",
    "connect_timeout",
    "mac_topics",
    "topics",
];

const TOPICS: &[&str] = &[
    "patch",
    "board_patch",
    "status",
    "presence",
    "board_who",
    "everybody_who",
    "mac_who",
    "mac_here",
];

const HTTP: &[&str] = &[
    "url",
    "ca_file",
    "tls_min",
    "client_cert_file",
    "client_key_file",
    "insecure",
    "insecure_with_credentials",
    "proxy",
    "token_file",
    "poll_every",
    "pending",
    "status",
];

const BILLING: &[&str] = &[
    "url",
    "ca_file",
    "tls_min",
    "client_cert_file",
    "client_key_file",
    "insecure",
    "insecure_with_credentials",
    "proxy",
    "token_file",
];
