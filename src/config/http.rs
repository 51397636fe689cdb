//! The `[http]` section.

use std::time::Duration;

use toml::Spanned;

use super::found::FoundHttp;
use super::settings::HttpSettings;
use super::tls::{FoundTls, tls};
use super::values::{Wrong, number, optional, required, secret, text};
use super::{HttpBase, Template};

pub(super) fn http(section: Spanned<FoundHttp>) -> Result<HttpSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let base = required("http.url", found.url, span, str::parse::<HttpBase>)?;
    Ok(HttpSettings {
        tls: tls(
            base.tls,
            "an https:// url",
            FoundTls {
                ca_file: ("http.ca_file", found.ca_file),
                server_name: ("http.server_name", None),
                client_cert_file: ("http.client_cert_file", found.client_cert_file),
                client_key_file: ("http.client_key_file", found.client_key_file),
                insecure: ("http.insecure", found.insecure),
                insecure_with_credentials: (
                    "http.insecure_with_credentials",
                    found.insecure_with_credentials,
                ),
                credentials: found.token_file.is_some(),
            },
        )?,
        base,
        proxy: optional("http.proxy", found.proxy, str::parse)?,
        token: optional("http.token_file", found.token_file, secret)?,
        poll_every: number("http.poll_every", found.poll_every, 60, 1..=86_400, " seconds")
            .map(Duration::from_secs)?,
        pending: text("http.pending", found.pending, "/api/v1/agent/pending", Template::path)?,
        status: text("http.status", found.status, "/api/v1/agent/status", Template::path)?,
    })
}
