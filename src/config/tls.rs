//! What the sections of the routes have in common: whom the panel trusts, and how it proves itself.

use super::found::{Flag, Text};
use super::settings::{ClientCertificate, Tls, Trust};
use super::values::{Wrong, given, not_empty, optional, path, secret};

/// The keys about TLS of one section, each with its value.
pub(super) struct FoundTls {
    pub(super) ca_file: (&'static str, Text),
    pub(super) server_name: (&'static str, Text),
    pub(super) client_cert_file: (&'static str, Text),
    pub(super) client_key_file: (&'static str, Text),
    pub(super) insecure: (&'static str, Flag),
    pub(super) insecure_with_credentials: (&'static str, Flag),
    /// Whether the section has a user name or a token.
    pub(super) credentials: bool,
}

/// None of it is of any use to a plain connection; `needs` is the URL that it takes.
pub(super) fn tls(used: bool, needs: &str, found: FoundTls) -> Result<Tls, Wrong> {
    let FoundTls { ca_file, server_name, client_cert_file, client_key_file, .. } = found;
    let insecure = on(found.insecure);
    let confirmed = on(found.insecure_with_credentials);
    if !used {
        let files = [&ca_file, &client_cert_file, &client_key_file, &server_name];
        let files = files.into_iter().filter_map(|(key, text)| Some((*key, text.as_ref()?.span())));
        if let Some((key, span)) = files.chain(insecure.clone()).next() {
            let text = format!("it is only used over TLS, which needs {needs}");
            return Err(Wrong { key, span: Some(span), text });
        }
    }
    let client = match (client_cert_file, client_key_file) {
        ((_, None), (_, None)) => None,
        ((cert, Some(cert_file)), (key, Some(key_file))) => Some(ClientCertificate {
            cert_file: given(cert, cert_file, path)?,
            key: given(key, key_file, secret)?,
        }),
        ((key, Some(alone)), (needed, None)) | ((needed, None), (key, Some(alone))) => {
            let needed = needed.rsplit('.').next().unwrap_or(needed);
            return Err(Wrong {
                key,
                span: Some(alone.span()),
                text: format!("it needs `{needed}` beside it"),
            });
        }
    };
    let credentials = found.credentials || client.is_some();
    let wrong = |(key, span), text: &str| Err(Wrong { key, span: Some(span), text: text.into() });
    let trust = match (insecure, confirmed) {
        (None, None) => Trust::Authorities {
            ca_file: optional(ca_file.0, ca_file.1, path)?,
            server_name: optional(server_name.0, server_name.1, not_empty)?,
        },
        (Some(at), None) if credentials => {
            return wrong(
                at,
                "whoever answers in the server's place would be given this section's credentials: \
                 set `ca_file` instead, or confirm it with `insecure_with_credentials = true`",
            );
        }
        (Some(_), confirmed) => {
            if let ((key, Some(value)), _) | (_, (key, Some(value))) = (&ca_file, &server_name) {
                return wrong(
                    (key, value.span()),
                    "with `insecure = true` no certificate is checked: take one of the two away",
                );
            }
            if let (Some(at), false) = (confirmed, credentials) {
                return wrong(at, "there are no credentials to confirm it for: leave it out");
            }
            Trust::Anyone
        }
        (None, Some(at)) => return wrong(at, "it is only used with `insecure = true`"),
    };
    Ok(Tls { trust, client })
}

/// Where a switch is on.
fn on((key, flag): (&'static str, Flag)) -> Option<(&'static str, std::ops::Range<usize>)> {
    flag.filter(|flag| *flag.get_ref()).map(|flag| (key, flag.span()))
}
