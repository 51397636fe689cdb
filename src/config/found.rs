//! The configuration file as it may be written; each value remembers its place in the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(super) type Text = Option<Spanned<String>>;
pub(super) type Flag = Option<Spanned<bool>>;
pub(super) type Number = Option<Spanned<i64>>;
pub(super) type Texts = Option<Vec<Spanned<String>>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Found {
    pub(super) interface: Text,
    pub(super) id: Number,
    pub(super) board_name: Text,
    pub(super) models: Texts,
    pub(super) placeholder_macs: Texts,
    pub(super) state_dir: Text,
    pub(super) runtime_dir: Text,
    pub(super) hooks_dir: Text,
    pub(super) hook_time_limit: Number,
    pub(super) environment: Text,
    pub(super) confirm_within: Number,
    pub(super) settle: Number,
    pub(super) changes_per_hour: Number,
    pub(super) log_level: Text,
    pub(super) serial_number: FoundSerialNumber,
    pub(super) signature: FoundSignature,
    pub(super) mqtt: Option<Spanned<FoundMqtt>>,
    pub(super) http: Option<Spanned<FoundHttp>>,
    pub(super) billing: Option<Spanned<FoundBilling>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundSerialNumber {
    pub(super) sources: Texts,
    pub(super) environment_variable: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundSignature {
    pub(super) required: Flag,
    pub(super) keys: BTreeMap<String, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundMqtt {
    pub(super) url: Text,
    pub(super) ca_file: Text,
    pub(super) client_cert_file: Text,
    pub(super) client_key_file: Text,
    pub(super) server_name: Text,
    pub(super) alpn: Texts,
    pub(super) insecure: Flag,
    pub(super) insecure_with_credentials: Flag,
    pub(super) username: Text,
    pub(super) password_file: Text,
    pub(super) keep_alive: Number,
    pub(super) connect_timeout: Number,
    pub(super) topics: FoundTopics,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundTopics {
    pub(super) patch: Text,
    pub(super) board_patch: Text,
    pub(super) status: Text,
    pub(super) presence: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundHttp {
    pub(super) url: Text,
    pub(super) ca_file: Text,
    pub(super) client_cert_file: Text,
    pub(super) client_key_file: Text,
    pub(super) insecure: Flag,
    pub(super) insecure_with_credentials: Flag,
    pub(super) proxy: Text,
    pub(super) token_file: Text,
    pub(super) poll_every: Number,
    pub(super) pending: Text,
    pub(super) status: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundBilling {
    pub(super) url: Text,
    pub(super) ca_file: Text,
    pub(super) client_cert_file: Text,
    pub(super) client_key_file: Text,
    pub(super) insecure: Flag,
    pub(super) insecure_with_credentials: Flag,
    pub(super) proxy: Text,
    pub(super) token_file: Text,
}
