//! The `[http]` section.

use super::section::{Section, Wrong};
use super::settings::HttpSettings;
use super::tls::tls;
use super::values::{seconds, secret};
use super::{HttpBase, Template};

pub(super) fn http(mut section: Section) -> Result<HttpSettings, Wrong> {
    let base = section.required("url", &str::parse::<HttpBase>)?;
    let credentials = section.place("token_file").is_some();
    Ok(HttpSettings {
        tls: tls(&mut section, base.tls, "an https:// url", credentials)?,
        base,
        proxy: section.optional("proxy", &str::parse)?,
        token: section.optional("token_file", &secret)?,
        poll_every: seconds(section.number("poll_every", 60, 1..=86_400, " seconds")?),
        pending: section.text("pending", "/api/v1/agent/pending", &Template::path)?,
        status: section.text("status", "/api/v1/agent/status", &Template::path)?,
    })
}
