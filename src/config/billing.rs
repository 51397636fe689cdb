//! The `[billing]` section.

use std::time::Duration;

use toml::Spanned;

use super::found::FoundBilling;
use super::settings::HttpSettings;
use super::tls::{FoundTls, tls};
use super::values::{Wrong, optional, required, secret, text};
use super::{HttpBase, Template};

pub(super) fn billing(section: Spanned<FoundBilling>) -> Result<HttpSettings, Wrong> {
    let span = section.span();
    let found = section.into_inner();
    let base = required("billing.url", found.url, span, str::parse::<HttpBase>)?;
    let path = |path| text("billing.url", None, path, Template::path);
    Ok(HttpSettings {
        tls: tls(
            base.tls,
            "an https:// url",
            FoundTls {
                ca_file: ("billing.ca_file", found.ca_file),
                server_name: ("billing.server_name", None),
                client_cert_file: ("billing.client_cert_file", found.client_cert_file),
                client_key_file: ("billing.client_key_file", found.client_key_file),
                insecure: ("billing.insecure", found.insecure),
                insecure_with_credentials: (
                    "billing.insecure_with_credentials",
                    found.insecure_with_credentials,
                ),
                credentials: found.token_file.is_some(),
            },
        )?,
        base,
        proxy: optional("billing.proxy", found.proxy, str::parse)?,
        token: optional("billing.token_file", found.token_file, secret)?,
        // Not polled: how long to wait at least where somebody has to set something right.
        poll_every: Duration::from_secs(60),
        pending: path("/api/v1/billing/intercoms/show")?,
        status: path("/api/v1/billing/intercoms")?,
    })
}
