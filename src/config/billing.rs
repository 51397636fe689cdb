//! The `[billing]` section.

use std::time::Duration;

use super::section::{Section, Wrong};
use super::settings::HttpSettings;
use super::tls::tls;
use super::values::secret;
use super::{HttpBase, Template};

pub(super) fn billing(mut section: Section) -> Result<HttpSettings, Wrong> {
    let base = section.required("url", &str::parse::<HttpBase>)?;
    let credentials = section.place("token_file").is_some();
    Ok(HttpSettings {
        tls: tls(&mut section, base.tls, "an https:// url", credentials)?,
        base,
        proxy: section.optional("proxy", &str::parse)?,
        token: section.optional("token_file", &secret)?,
        // Not polled: how long to wait at least where somebody has to set something right.
        poll_every: Duration::from_secs(60),
        // The documented API has its paths: neither of these is a key.
        pending: section.text("show", "/api/v1/billing/intercoms/show", &Template::path)?,
        status: section.text("patch", "/api/v1/billing/intercoms", &Template::path)?,
    })
}
